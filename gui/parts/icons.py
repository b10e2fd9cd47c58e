"""Icons of the Phosphor set, in the colours of the palette."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QWidget

FOLDER = Path(__file__).resolve().parents[1] / "look" / "icons"
SIDE = 20  # pixels
RATIOS = (1, 2, 3)  # pixels of the screen for one of the window, that icons are sharp at
NAME, ROLE = "icon_name", "icon_role"  # properties of whatever shows an icon


@lru_cache(maxsize=128)
def _renderer(name: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray((FOLDER / f"{name}.svg").read_bytes()))


@lru_cache(maxsize=512)
def picture(name: str, colour: str, side: int = SIDE, ratio: float = 1.0) -> QPixmap:
    """One icon in one colour.

    Args:
        name: of the file without its ending.
        side: in pixels of the window.
        ratio: pixels of the screen for each of them.
    """
    pixmap = QPixmap(QSize(side, side) * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        _renderer(name).render(painter, QRectF(pixmap.rect()))
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        painter.fillRect(pixmap.rect(), QColor(colour))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def icon(name: str, palette: QPalette, role: QPalette.ColorRole = QPalette.ColorRole.ButtonText) -> QIcon:
    """For a button or a menu, with its pale variant for what cannot be used now."""
    found = QIcon()
    for mode, group in (
        (QIcon.Mode.Normal, QPalette.ColorGroup.Active),
        (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled),
    ):
        for ratio in RATIOS:
            found.addPixmap(picture(name, palette.color(group, role).name(), SIDE, ratio), mode)
    return found


def set_icon(
    target: QAbstractButton | QAction,
    name: str,
    role: QPalette.ColorRole = QPalette.ColorRole.ButtonText,
) -> None:
    """Give a button or an action an icon that follows the theme."""
    target.setProperty(NAME, name)
    target.setProperty(ROLE, role)
    palette = target.palette() if isinstance(target, QWidget) else QGuiApplication.palette()
    target.setIcon(icon(name, palette, role))


def retint(window: QWidget) -> None:
    """Give everything in a window its icon anew, after the colours changed."""
    for kind in (QAbstractButton, QAction):
        for target in (*window.findChildren(kind), *([window] if isinstance(window, kind) else [])):
            name = target.property(NAME)
            if name and isinstance(target, kind):
                set_icon(target, name, target.property(ROLE))
