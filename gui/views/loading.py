"""Photos read from the disk for the large views, those that may be next ahead of time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QImage

from sorter.photos.decode import Decoder
from sorter.types import Failure, SorterError

from ..parts.details import camera_text
from ..parts.thumbnails import to_image
from ..parts.words import failure_text, reworded
from ..worker import Jobs

MEMORY = 256 << 20  # bytes of pixels
AT_ONCE = 2  # photos read at a time


@dataclass(frozen=True)
class Loaded:
    """A photo read from the disk, on another thread.

    Attributes:
        image: upright; null where it cannot be decoded. A large photo's can be smaller than the photo.
        problem: why not.
        camera: what the camera wrote: make and model, lens, exposure, time.
        size: of the photo, pixels.
    """

    image: QImage
    problem: str
    camera: str
    size: QSize

    @classmethod
    def failed(cls, problem: str) -> Loaded:
        return cls(QImage(), problem, "", QSize())

    @property
    def whole(self) -> bool:
        """Has the image every pixel of the photo?"""
        return self.image.size() == self.size


@dataclass(frozen=True, slots=True)
class Request:
    """A photo to be read.

    Attributes:
        side: pixels that its shorter side needs at least; None for every pixel.
    """

    path: Path
    side: int | None


def load(request: Request) -> Loaded:
    """Decode a photo and read what its camera wrote."""
    decoder = Decoder(request.side)
    decoded = decoder(request.path)
    if isinstance(decoded, Failure):
        return Loaded.failed(failure_text(decoded))
    exif = decoder.exif(request.path)
    camera = "" if isinstance(exif, Failure) else camera_text(exif)
    return Loaded(to_image(decoded.pixels), "", camera, QSize(decoded.width, decoded.height))


class PhotoLoader(QObject):
    """Reads the photos that are wanted now, the first of them first. It keeps some.

    Signals:
        loaded: a `Request`, and its `Loaded` photo.
    """

    loaded = Signal(object, object)

    def __init__(self, jobs: Jobs, parent: QObject | None = None, memory: int = MEMORY) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._memory = memory
        self._wanted: list[Request] = []
        self._going: set[Request] = set()
        self._kept: OrderedDict[Request, Loaded] = OrderedDict()

    @property
    def bytes_kept(self) -> int:
        return sum(each.image.sizeInBytes() for each in self._kept.values())

    def get(self, request: Request) -> Loaded | None:
        """A photo that was read already."""
        if request in self._kept:
            self._kept.move_to_end(request)
        return self._kept.get(request)

    def want(self, requests: Sequence[Request]) -> None:
        """Read these from now on, in this order, and no others that have not begun."""
        self._wanted = [each for each in requests if each not in self._kept]
        self._go_on()

    def forget(self) -> None:
        """Keep nothing, and read nothing more."""
        self._wanted = []
        self._kept.clear()

    def _go_on(self) -> None:
        while self._wanted and len(self._going) < AT_ONCE:
            request = self._wanted.pop(0)
            if request not in self._going:
                self._going.add(request)
                self._jobs.later(partial(load, request), partial(self._take, request))

    def _take(self, request: Request, loaded: Loaded | SorterError | OSError) -> None:
        self._going.discard(request)
        if not isinstance(loaded, Loaded):
            loaded = Loaded.failed(reworded(str(loaded)))
        self._kept[request] = loaded
        while self.bytes_kept > self._memory and len(self._kept) > 1:
            self._kept.popitem(last=False)
        self.loaded.emit(request, loaded)
        self._go_on()
