"""One picture on dark grey, that fits or is zoomed into. Several can be linked to show the same place."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from .dark import make_dark

ZOOM = 1.25
LEAST, MOST = 0.01, 16.0  # pixels of the window for one of the photo
LARGEST = 8.0  # likewise, of a photo that is to fill the window
COARSE = 4.0  # pixels of the screen for one of the photo, from which on its pixels are shown as squares


class Canvas(QAbstractScrollArea):
    """Shows a picture. Its zoom and its place are kept when another picture comes.

    Signals:
        viewed: its zoom or its place was changed by whoever looks at it.
        activated: a double click.
        pressed: the left button of the mouse.
    """

    viewed = Signal()
    activated = Signal()
    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image = QImage()
        self.heat = QImage()
        self.text = ""
        self._size = QSize()
        self._zoom: float | None = None  # pixels of the screen for one of the photo; None where it fits
        self._centre = QPointF(0.5, 0.5)  # as parts of the photo's width and height
        self._grip: QPointF | None = None
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        make_dark(self)

    def show_image(self, image: QImage, size: QSize | None = None) -> None:
        """Show a picture.

        Args:
            size: of the photo, where the picture is a smaller one that stands in.
        """
        self.image, self._size = image, size or image.size()
        self.viewport().update()

    def show_text(self, text: str) -> None:
        """Say why there is no picture. Empty for nothing."""
        self.text = text
        self.viewport().update()

    def show_heat(self, heat: QImage) -> None:
        """Lay a half transparent picture over the whole photo. A null one for none."""
        self.heat = heat
        self.viewport().update()

    # -- zoom --------------------------------------------------------------------------------------------------

    @property
    def photo_size(self) -> QSize:
        """Of the photo, pixels."""
        return self._size

    @property
    def fits(self) -> bool:
        return self._zoom is None

    @property
    def scale_now(self) -> float:
        """Pixels of the window for one of the photo."""
        if self._zoom is not None:
            return self._zoom / self.devicePixelRatioF()
        if self._size.isEmpty():
            return 1.0
        room = self.viewport().size()
        whole = min(room.width() / self._size.width(), room.height() / self._size.height())
        return min(whole, LARGEST)

    def fit(self) -> None:
        """The whole photo. A small one is enlarged, but not beyond what its pixels bear."""
        self._look(None, QPointF(0.5, 0.5))

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom in or out; what lies at a point of the viewport stays there."""
        scale = self.scale_now * factor
        if LEAST < scale <= MOST:
            self._zoom_to(scale, at)

    def actual_size(self, at: QPointF | None = None) -> None:
        """One pixel of the photo for one of the screen, whatever the screen's scale."""
        self._zoom_to(1 / self.devicePixelRatioF(), at)

    def toggle_actual_size(self) -> None:
        """Between the whole photo and its own pixels, at the mouse where it is over the photo."""
        if not self.fits:
            self.fit()
            return
        at = QPointF(self.viewport().mapFromGlobal(self.cursor().pos()))
        self.actual_size(at if self.photo_rect().contains(at) else None)

    def follow(self, other: Canvas) -> None:
        """Show the same place at the same zoom as another one."""
        zoom = other._zoom
        if zoom is not None and not other._size.isEmpty() and not self._size.isEmpty():
            zoom *= other._size.width() / self._size.width()  # a smaller copy shows the same part
        self._zoom, self._centre = zoom, other._centre
        self.viewport().update()

    def _zoom_to(self, scale: float, at: QPointF | None) -> None:
        if self._size.isEmpty():
            return
        rect, middle = self.photo_rect(), QRectF(self.viewport().rect()).center()
        at = at or middle
        part = QPointF((at.x() - rect.x()) / rect.width(), (at.y() - rect.y()) / rect.height())
        width, height = self._size.width() * scale, self._size.height() * scale
        centre = QPointF(part.x() + (middle.x() - at.x()) / width, part.y() + (middle.y() - at.y()) / height)
        self._look(scale * self.devicePixelRatioF(), centre)

    def _look(self, zoom: float | None, centre: QPointF) -> None:
        self._zoom = zoom
        self._centre = QPointF(min(1.0, max(0.0, centre.x())), min(1.0, max(0.0, centre.y())))
        self.viewport().update()
        self.viewed.emit()

    def photo_rect(self) -> QRectF:
        """Where the photo lies, in the viewport. It is at the middle where there is room around it."""
        room = QRectF(self.viewport().rect())
        width, height = self._size.width() * self.scale_now, self._size.height() * self.scale_now
        x = self._edge(room.width(), width, self._centre.x())
        y = self._edge(room.height(), height, self._centre.y())
        return QRectF(x, y, width, height)

    def _edge(self, room: float, length: float, centre: float) -> float:
        """Of the photo, on whole pixels of the screen, so that its own are shown one for one."""
        edge = (
            (room - length) / 2
            if length <= room
            else min(0.0, max(room - length, room / 2 - centre * length))
        )
        ratio = self.devicePixelRatioF()
        return round(edge * ratio) / ratio

    # -- what Qt asks ------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            painter.fillRect(event.rect(), self.palette().color(QPalette.ColorRole.Base))
            if not self.image.isNull():
                enlarged = self.photo_rect().width() * self.devicePixelRatioF() / self.image.width()
                whole = self.image.size() == self._size
                smooth = not (whole and enlarged >= COARSE and not self.fits)
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
                painter.drawImage(self.photo_rect(), self.image)
                if not self.heat.isNull():
                    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                    painter.drawImage(self.photo_rect(), self.heat)
            if self.text:
                painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
                flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
                painter.drawText(self.viewport().rect().adjusted(16, 16, -16, -16), flags, self.text)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(ZOOM ** (event.angleDelta().y() / 120), event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()
            self.pressed.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None or self.fits:
            return
        rect, moved = self.photo_rect(), event.position() - self._grip
        self._grip = event.position()
        middle = QRectF(self.viewport().rect()).center() - moved
        part = QPointF((middle.x() - rect.x()) / rect.width(), (middle.y() - rect.y()) / rect.height())
        self._look(self._zoom, part)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.activated.emit()
