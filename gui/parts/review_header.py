"""Above the photos: what is shown, and the action for all of it."""

from __future__ import annotations

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QHBoxLayout, QWidget

from .commands import Commands
from .elided import ElidedLabel


class ReviewHeader(QWidget):
    """One line: title, filters, a button that confirms all that is shown."""

    def __init__(self, commands: Commands, filters: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel()
        self.title.setProperty("level", "heading")
        self.title.setAccessibleName(self.tr("What is shown"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(8)
        row.addWidget(self.title, 1)
        row.addWidget(filters)
        row.addWidget(commands.button(commands.confirm_shown))

    def show_title(self, what: str, photos: int) -> None:
        """Name what is shown, and how many photos that is."""
        text = self.tr("{what} · {count} photos")
        self.title.setText(text.format(what=what, count=QLocale().toString(photos)))
