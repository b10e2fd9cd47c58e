"""Where the model looked in a photo, as a picture to lay over it."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from sorter.types import Failure, SorterError

from ..parts.words import failure_text, reworded
from ..worker import Jobs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.pipeline.explain import Explainer


class PhotoHeat(QObject):
    """Explains the photo that was asked for last, on another thread, with the model that sorted the folder.

    Signals:
        found: a photo's path, and the picture.
        refused: why there is none.
    """

    found = Signal(Path, QImage)
    refused = Signal(str)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._model = _FolderModel()
        self._path: Path | None = None

    def ask(self, out: Path, path: Path, label: str | None) -> None:
        """Explain a class of the model in a photo; None for the class that the model decides on."""
        self._path = path
        self._jobs.later(partial(self._model.explain, out, path, label), partial(self._show, path))

    def forget(self) -> None:
        """Nobody waits for an answer any more."""
        self._path = None

    def _show(self, path: Path, heat: QImage | Failure | SorterError | OSError) -> None:
        if path != self._path:
            return
        if isinstance(heat, QImage):
            self.found.emit(path, heat)
        elif isinstance(heat, Failure):
            self.refused.emit(failure_text(heat))
        else:
            self.refused.emit(reworded(str(heat)))


class _FolderModel:
    """The model of one folder, loaded once. One thread at a time uses it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out: Path | None = None
        self._explainer: Explainer | None = None

    def explain(self, out: Path, path: Path, label: str | None) -> QImage | Failure:
        with self._lock:
            explainer = self._load(out)
            found = explainer(path, label)
        return found if isinstance(found, Failure) else heat_image(found.heat)

    def _load(self, out: Path) -> Explainer:
        from sorter.model.folder import read_model
        from sorter.pipeline.explain import Explainer
        from sorter.sort.options import options_of_last_run

        if self._explainer is None or out != self._out:
            model = options_of_last_run(out).model
            if model is None:
                raise SorterError("no model sorted these photos")
            found = read_model(model)
            found.verify()
            self._explainer, self._out = Explainer(found, threads=1), out
        return self._explainer


def heat_image(heat: NDArray[np.float32]) -> QImage:
    """Heat as colours, the less of it the more transparent.

    Args:
        heat: shape (height, width), 0 to 1.
    """
    from sorter.pipeline.overlay import COLOURS, OPAQUE

    steps = np.linspace(0, 1, len(COLOURS))
    channels = [np.interp(heat, steps, channel) for channel in np.array(COLOURS).T]
    pixels = np.ascontiguousarray(np.stack([*channels, 255 * OPAQUE * heat], axis=2).astype(np.uint8))
    height, width = heat.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
