"""One photo, as large as there is room, upright, with zoom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsPixmapItem,
    QGraphicsScene,
    QGraphicsView,
    QWidget,
)

from sorter.photos.decode import Decoder
from sorter.types import Failure, SorterError

from ..worker import Jobs
from .details import camera_text
from .grid import PhotoGrid
from .thumbnails import Key, Thumbnails, to_image
from .words import failure_text, reworded

ZOOM = 1.25
MOST = 16.0  # pixels of the screen for one of the photo
LARGEST = 4.0  # likewise, of a photo that is to fill the window


@dataclass(frozen=True)
class Loaded:
    """A photo read from the disk, on another thread.

    Attributes:
        image: upright; null where it cannot be decoded.
        problem: why not.
        camera: what the camera wrote: make and model, lens, exposure, time.
    """

    image: QImage
    problem: str
    camera: str


def load(path: Path) -> Loaded:
    """Decode a whole photo and read what its camera wrote."""
    decoder = Decoder(None)
    decoded = decoder(path)
    if isinstance(decoded, Failure):
        return Loaded(QImage(), failure_text(decoded), "")
    exif = decoder.exif(path)
    return Loaded(to_image(decoded.pixels), "", "" if isinstance(exif, Failure) else camera_text(exif))


@dataclass(frozen=True, slots=True)
class PreviewPhoto:
    """A photo to be shown.

    Attributes:
        key: of its thumbnail.
        side: pixels of its longer side; 0 where that is not known.
        failure: why it cannot be shown; empty for a good one.
    """

    path: Path
    key: Key
    side: int = 0
    failure: str = ""


class Preview(QGraphicsView):
    """A photo that fits the window until it is zoomed into. Its thumbnail stands in until it is decoded.

    Signals:
        closed: Space, Enter, Escape or a double click.
        shown: the `Loaded` photo is there, whole.
    """

    closed = Signal()
    shown = Signal(object)

    def __init__(
        self, jobs: Jobs, grid: PhotoGrid, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._grid = grid
        self._thumbnails = thumbnails
        self._fits = True
        self._wanted: PreviewPhoto | None = None
        self._loaded: Loaded | None = None
        self._waiting = False  # for the thumbnail
        self._filled = False  # something of the wanted photo is in the scene
        self._painted = False  # and on the screen
        thumbnails.ready.connect(self._show_thumbnail)
        self._picture = QGraphicsPixmapItem()
        self._picture.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        scene = QGraphicsScene(self)
        scene.addItem(self._picture)
        self._words = scene.addSimpleText("")
        self.setScene(scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAccessibleName(self.tr("Preview"))

    def show_photo(self, photo: PreviewPhoto) -> None:
        """Show its thumbnail, decode it on another thread and show it whole. The last one asked for wins."""
        if self._wanted == photo:
            if self._loaded is not None:
                self.shown.emit(self._loaded)
            return
        self._wanted, self._loaded = photo, None
        self._filled = self._painted = False
        self._waiting = not photo.failure
        self._picture.setPixmap(QPixmap())  # never the photo before under the keys of this one
        self._words.setText("")
        if photo.failure:  # what failed once might take the window down with it
            self._show(photo, Loaded(QImage(), photo.failure, ""))
        else:
            self._show_thumbnail()
            self._jobs.later(partial(load, photo.path), partial(self._show, photo))

    def clear(self) -> None:
        """Show nothing, and wait for nothing."""
        self._wanted = self._loaded = None
        self._waiting = self._filled = self._painted = False
        self._picture.setPixmap(QPixmap())
        self._words.setText("")

    def prefetch(self, photos: Iterable[PreviewPhoto]) -> None:
        """Have the thumbnails of photos made that may be next."""
        for photo in photos:
            if not photo.failure:
                self._thumbnails.get(photo.key, photo.path)

    @property
    def on_screen(self) -> bool:
        """Has something of the wanted photo been painted? Before that nobody can say what it shows."""
        return self._painted

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of what is shown, pixels."""
        size = self._picture.pixmap().size()
        return size.width(), size.height()

    def fit(self) -> None:
        """The whole photo. A small one is enlarged, but not beyond what its pixels bear."""
        self._fits = True
        self.resetTransform()
        rect = self.scene().sceneRect()
        view = self.viewport().rect()
        if rect.isEmpty():
            return
        words = self._picture.pixmap().isNull()
        room = min(view.width() / rect.width(), view.height() / rect.height(), 1.0 if words else LARGEST)
        self.scale(room, room)

    def zoom(self, factor: float) -> None:
        scale = self.transform().m11() * factor
        if 0.01 < scale <= MOST:
            self._fits = False
            self.scale(factor, factor)

    def actual_size(self) -> None:
        """One pixel of the photo for one of the screen, whatever the screen's scale."""
        self.zoom(1 / self.devicePixelRatioF() / self.transform().m11())

    @property
    def scale_now(self) -> float:
        return self.transform().m11()

    def _show_thumbnail(self) -> None:
        """Until the photo is decoded, its thumbnail at the photo's size."""
        if self._wanted is None or not self._waiting:
            return
        image = self._thumbnails.get(self._wanted.key, self._wanted.path)
        if image is None or image.isNull():
            return
        self._waiting = False
        self._picture.setPixmap(QPixmap.fromImage(image))
        self._picture.setScale(max(1.0, self._wanted.side / max(image.width(), image.height())))
        self._fill(self._picture.sceneBoundingRect())

    def _fill(self, rect: QRectF) -> None:
        self.scene().setSceneRect(rect)
        self.fit()
        self._filled = True
        self.viewport().update()

    def _show(self, photo: PreviewPhoto, loaded: Loaded | SorterError | OSError) -> None:
        if photo != self._wanted:
            return
        self._waiting = False
        if not isinstance(loaded, Loaded):
            loaded = Loaded(QImage(), reworded(str(loaded)), "")
        self._picture.setScale(1.0)
        self._picture.setPixmap(QPixmap.fromImage(loaded.image))
        self._words.setText(loaded.problem)
        self._words.setBrush(self.palette().brush(QPalette.ColorRole.Text))
        rect = self._words.boundingRect() if loaded.image.isNull() else QRectF(loaded.image.rect())
        self._loaded = loaded
        self._fill(rect)
        self.shown.emit(loaded)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._painted = self._filled

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        if self._fits:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(ZOOM ** (event.angleDelta().y() / 120))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.closed.emit()
        elif event.text() == "+":
            self.zoom(ZOOM)
        elif event.text() == "-":
            self.zoom(1 / ZOOM)
        elif event.text() == "*":
            self.actual_size() if self._fits else self.fit()
        else:
            self._grid.keyPressEvent(event)  # arrows and classes, as in the grid
