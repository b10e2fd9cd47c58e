"""Pictures side by side, that are zoomed and moved together."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ..parts.elided import ElidedLabel
from .canvas import Canvas


class Linked(QObject):
    """Lets canvases follow the one that is looked at.

    Signals:
        viewed: the zoom or the place has changed.
    """

    viewed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvases: list[Canvas] = []

    def link(self, canvases: list[Canvas]) -> None:
        """Link these from now on, and no others."""
        self._canvases = canvases
        for canvas in canvases:
            canvas.viewed.connect(self._follow)

    def _follow(self) -> None:
        looked_at = self.sender()
        if isinstance(looked_at, Canvas) and looked_at in self._canvases:
            for canvas in self._canvases:
                if canvas is not looked_at:
                    canvas.follow(looked_at)
            self.viewed.emit()

    def toggle_actual_size(self, canvas: Canvas) -> None:
        """All of them, at the mouse where it is over one of them."""
        under = next((each for each in self._canvases if each.underMouse()), canvas)
        under.toggle_actual_size()

    @property
    def fits(self) -> bool:
        return all(canvas.fits for canvas in self._canvases)


class Side(QWidget):
    """One picture with a line about it, and a frame where it is the one that keys are about.

    Signals:
        chosen: a click on it.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = Canvas()
        self.about = ElidedLabel()
        self._active = False
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.about)
        self.canvas.pressed.connect(self.chosen)

    @property
    def active(self) -> bool:
        return self._active

    def set_active(self, active: bool) -> None:
        self._active = active
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._active:
            with QPainter(self) as painter:
                painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Link), 3))
                painter.drawRect(self.rect().adjusted(1, 1, -2, -2))
