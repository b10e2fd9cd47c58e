"""Photos lie on dark grey in every theme, as colours look wrong on white."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QWidget

from ..parts.theme import DARK, palette_of, style_sheet


def make_dark(area: QWidget) -> None:
    """Give an area and everything in it the dark theme, whatever the window has."""
    area.setPalette(palette_of(DARK))
    area.setStyleSheet(style_sheet(DARK))
    area.setAutoFillBackground(True)
    if isinstance(area, QFrame):
        area.setFrameShape(QFrame.Shape.NoFrame)
