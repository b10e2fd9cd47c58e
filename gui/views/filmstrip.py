"""A strip of the photos around the current one."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

from ..parts.grid import PhotoGrid
from ..parts.thumbnails import Thumbnails
from .rows import NARROWEST, WIDEST
from .shapes import draw_shape

HEIGHT = 96  # pixels
PAD = 8  # pixels above and below photos
GAP = 4  # pixels between photos
MARK = 12  # pixels


class Filmstrip(QWidget):
    """Thumbnails beside each other, the current one in the middle, unless the first ones leave room there.

    The arrows of the keyboard move along it.

    Signals:
        chosen: the place of a photo that was clicked.
    """

    chosen = Signal(int)

    def __init__(self, grid: PhotoGrid, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = grid
        self._thumbnails = thumbnails
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(self.tr("Filmstrip"))
        self.setToolTip(self.tr("The photos before and after"))
        thumbnails.ready.connect(self.update)
        grid.selectionModel().currentChanged.connect(lambda *_: self.update())
        grid.photos.modelReset.connect(self.update)
        grid.photos.dataChanged.connect(lambda *_: self.update())

    def rects(self) -> dict[int, QRect]:
        """Place in the list -> where its photo lies."""
        current = self._grid.current()
        if current is None:
            return {}
        middle = (self.width() - self._width(current)) // 2
        left = right = min(middle, self._room_before(current, middle))
        found: dict[int, QRect] = {}
        for place in range(current, self._grid.photos.rowCount()):
            if right > self.width():
                break
            found[place] = QRect(right, PAD, self._width(place), HEIGHT - 2 * PAD)
            right += found[place].width() + GAP
        for place in range(current - 1, -1, -1):
            if left < 0:
                break
            width = self._width(place)
            left -= width + GAP
            found[place] = QRect(left, PAD, width, HEIGHT - 2 * PAD)
        return found

    def _room_before(self, place: int, most: int) -> int:
        """Pixels that the photos before a place take."""
        room = GAP
        for each in range(place - 1, -1, -1):
            if room > most:
                break
            room += self._width(each) + GAP
        return room

    def _width(self, place: int) -> int:
        aspect = min(WIDEST, max(NARROWEST, self._grid.photos.cell(place).aspect))
        return round(aspect * (HEIGHT - 2 * PAD))

    def paintEvent(self, event: QPaintEvent) -> None:
        table, current = self._grid.photos.table, self._grid.current()
        if table is None:
            return
        palette, classes = self.palette(), len(table.labels) - 1
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            for place, rect in self.rects().items():
                cell = self._grid.photos.cell(place)
                painter.fillRect(rect, palette.color(QPalette.ColorRole.AlternateBase))
                image = None if cell.label < 0 else self._thumbnails.get(cell.key, table.path(cell.row))
                if image is not None and not image.isNull():
                    size = image.size().scaled(rect.size(), Qt.AspectRatioMode.KeepAspectRatio)
                    target = QRect(QPoint(0, 0), size)
                    target.moveCenter(rect.center())
                    painter.drawImage(target, image)
                box = QRectF(rect.x() + 4, rect.bottom() - MARK - 3, MARK, MARK)
                draw_shape(painter, cell.label, classes, box, QColor("white"))
                if cell.reviewed:
                    painter.setPen(QPen(QColor("white"), 2))
                    tick = QPoint(rect.x() + 6, rect.y() + 9)
                    painter.drawPolyline([tick, tick + QPoint(3, 3), tick + QPoint(8, -4)])
                if place == current:
                    painter.setPen(QPen(palette.color(QPalette.ColorRole.Link), 3))
                    painter.drawRect(rect.adjusted(-1, -1, 0, 0))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        for place, rect in self.rects().items():
            if rect.contains(at):
                self.chosen.emit(place)
                return
