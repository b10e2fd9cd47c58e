"""One photo, as large as there is room, upright, with zoom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from ..views.canvas import ZOOM, Canvas
from ..views.loading import Loaded, PhotoLoader, Request
from ..worker import Jobs
from .grid import PhotoGrid
from .thumbnails import Key, Thumbnails

SIDE_STEP = 256  # pixels; photos are read for a size of the window in such steps, so that few are read twice


@dataclass(frozen=True, slots=True)
class PreviewPhoto:
    """A photo to be shown.

    Attributes:
        key: of its thumbnail.
        size: its width and height, pixels; 0 where they are not known.
        failure: why it cannot be shown; empty for a good one.
    """

    path: Path
    key: Key
    size: tuple[int, int] = (0, 0)
    failure: str = ""


class Preview(Canvas):
    """A photo that fits the window until it is zoomed into. Its thumbnail stands in until it is read.

    Every pixel of a large photo is only read once somebody zooms in.

    Signals:
        closed: Space, E, Escape or a double click.
        shown: the `Loaded` photo is there.
        explained: H: where the model looked, and back.
        moved: by how many photos, with the arrows.
    """

    closed = Signal()
    shown = Signal(object)
    explained = Signal()
    moved = Signal(int)

    def __init__(
        self, jobs: Jobs, grid: PhotoGrid, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._grid = grid
        self._thumbnails = thumbnails
        self._loader = PhotoLoader(jobs, self)
        self._wanted: PreviewPhoto | None = None
        self._ahead: list[PreviewPhoto] = []
        self._loaded: Loaded | None = None
        self._waiting = False  # for the thumbnail
        self._filled = False  # something of the wanted photo is there
        self._painted = False  # and on the screen
        self.alone = False  # nothing else is shown
        thumbnails.ready.connect(self._show_thumbnail)
        self._loader.loaded.connect(self._take)
        self.viewed.connect(self._read)
        self.activated.connect(self.closed)
        self.setAccessibleName(self.tr("Photo"))

    def show_photo(self, photo: PreviewPhoto) -> None:
        """Show its thumbnail, read it on another thread and show it. The last one asked for wins."""
        if self._wanted == photo:
            if self._loaded is not None:
                self.shown.emit(self._loaded)
            return
        self.clear()  # never the photo before under the keys of this one
        self._wanted = photo
        if photo.failure:  # what failed once might take the window down with it
            self._show(Loaded.failed(photo.failure))
            return
        kept = self._loader.get(Request(photo.path, None)) or self._loader.get(self._request(photo))
        if kept is not None:
            self._show(kept)
        else:
            self._waiting = True
            self._show_thumbnail()
        self._read()

    def clear(self) -> None:
        """Show nothing, and wait for nothing."""
        self._wanted = self._loaded = None
        self._ahead = []
        self._waiting = self._filled = self._painted = False
        self.show_image(QImage())
        self.show_heat(QImage())
        self.show_text("")

    def forget(self) -> None:
        """Another folder is opened: keep no photos."""
        self.clear()
        self._loader.forget()

    def prefetch(self, photos: Iterable[PreviewPhoto]) -> None:
        """Read photos that may be next, the likeliest first."""
        self._ahead = [photo for photo in photos if not photo.failure]
        for photo in reversed(self._ahead):
            self._thumbnails.get(photo.key, photo.path)
        self._read()

    @property
    def path(self) -> Path | None:
        """Of the photo that is wanted."""
        return None if self._wanted is None else self._wanted.path

    @property
    def on_screen(self) -> bool:
        """Has something of the wanted photo been painted? Before that nobody can say what it shows."""
        return self._painted

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of what is shown, pixels."""
        return self.image.width(), self.image.height()

    # -- reading -----------------------------------------------------------------------------------------------

    def _request(self, photo: PreviewPhoto) -> Request:
        """As many pixels as the window shows of the whole photo. The shorter side counts."""
        room = self.viewport().size() * self.devicePixelRatioF()
        width, height = photo.size
        scale = min(room.width() / width, room.height() / height) if width and height else 1.0
        needed = min(width, height) * scale if width and height else min(room.width(), room.height())
        return Request(photo.path, -(-round(needed) // SIDE_STEP) * SIDE_STEP)

    def _read(self) -> None:
        """Read what is on the screen, then what may be next. Zoomed in, every pixel of it and of the nearest."""
        if self._wanted is None or self._wanted.failure:
            return
        requests = [self._request(self._wanted)]
        if not self.fits:
            requests.append(Request(self._wanted.path, None))
        requests += [self._request(photo) for photo in self._ahead]
        if not self.fits:
            requests += [Request(photo.path, None) for photo in self._ahead[:2]]
        self._loader.want(requests)

    def _take(self, request: Request, loaded: Loaded) -> None:
        wanted = self._wanted
        if wanted is None or wanted.failure or request.path != wanted.path:
            return
        if self._loaded is None or request.side is None or self._loaded.image.isNull():
            self._show(loaded)

    def _show_thumbnail(self) -> None:
        """Until the photo is read, its thumbnail at the photo's size."""
        if self._wanted is None or not self._waiting:
            return
        image = self._thumbnails.get(self._wanted.key, self._wanted.path)
        if image is None or image.isNull():
            return
        self._waiting = False
        width, height = self._wanted.size
        self.show_image(image, QSize(width, height) if width and height else None)
        self._filled = True

    def _show(self, loaded: Loaded) -> None:
        self._waiting = False
        self._loaded = loaded
        self.show_image(loaded.image, loaded.size)
        self.show_text(loaded.problem)
        self._filled = True
        self.shown.emit(loaded)

    # -- what Qt asks ------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._painted = self._filled

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._read()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, plain = Qt.Key(event.key()), not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        steps = {
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageDown: 1,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageUp: -1,
            Qt.Key.Key_Home: -(1 << 40),
            Qt.Key.Key_End: 1 << 40,
        }
        if key in steps and plain:
            count = self._grid.photos.rowCount()
            self.moved.emit(max(-count, min(steps[key], count)))
        elif key == Qt.Key.Key_Escape and self.alone:
            event.ignore()  # the window shows everything again
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Escape) or (plain and key == Qt.Key.Key_E):
            self.closed.emit()
        elif plain and event.text() in ("+", "-"):
            self.zoom(ZOOM if event.text() == "+" else 1 / ZOOM)
        elif plain and (event.text() == "*" or key == Qt.Key.Key_Z):
            self.toggle_actual_size()
        elif plain and key == Qt.Key.Key_H:
            self.explained.emit()
        else:
            self._grid.keyPressEvent(event)  # answers, as in the grid
