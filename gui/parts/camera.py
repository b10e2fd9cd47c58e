"""The camera's data of the current photo, read from the file once the photo has been current for a moment."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from sorter.photos.decode import Decoder
from sorter.types import Failure, SorterError

from ..worker import Jobs
from .details import Details, camera_text

SETTLE_MS = 120  # a photo that is passed over quickly is not read


class CameraReader(QObject):
    """Reads on another thread, and shows what belongs to the photo that was asked for last."""

    def __init__(self, jobs: Jobs, details: Details, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._details = details
        self._path: Path | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._read)

    def ask(self, path: Path | None) -> None:
        """Read this photo's data soon. None to read nothing."""
        self._path = path
        if path is None:
            self._settle.stop()
        else:
            self._settle.start()

    def _read(self) -> None:
        if self._path is not None:
            self._jobs.later(partial(read_camera, self._path), partial(self._show, self._path))

    def _show(self, path: Path, text: str | SorterError | OSError) -> None:
        if path == self._path and isinstance(text, str):
            self._details.show_camera(text)


def read_camera(path: Path) -> str:
    """Empty where the camera wrote nothing that can be read."""
    exif = Decoder(None).exif(path)
    return "" if isinstance(exif, Failure) else camera_text(exif)
