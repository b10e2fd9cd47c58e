"""A `Progress` that also writes the training history as TensorBoard events."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from sorter.progress import Progress

FOLDER = "tensorboard"  # in the model folder
TAGS = {"lr": "learning_rate", "train_loss": "loss/train", "val_loss": "loss/val"}


class TensorBoardProgress:
    """A `Progress` that passes every call on to another one, and writes each epoch's row as scalars.

    Each training has its own folder, `run-1` and so on: first the trials of a cross-validation, then the final
    training. Resumed training continues in the last folder. No folder is made before the first epoch has ended,
    because training refuses an existing model folder.

    Args:
        progress: the one to pass calls on to.
        folder: for the folders of event files.
    """

    def __init__(self, progress: Progress, folder: Path) -> None:
        self._progress = progress
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def __enter__(self) -> TensorBoardProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def say(self, message: str) -> None:
        self._progress.say(message)

    def begin(self, what: str, total: int | None) -> None:
        self._progress.begin(what, total)

    def advance(self, steps: int, /, **figures: float) -> None:
        self._progress.advance(steps, **figures)

    def epoch(self, row: dict[str, Any]) -> None:
        epoch = int(row["epoch"])
        if self._writer is None or epoch == 1:
            self._open(epoch)
        assert self._writer is not None
        for name, value in row.items():
            if name != "epoch":
                self._writer.add_scalar(tag(name), value, epoch)
        self._writer.flush()
        self._progress.epoch(row)

    def _open(self, epoch: int) -> None:
        self._close()
        runs = sum(1 for each in self._folder.glob("run-*")) if self._folder.exists() else 0
        number = runs + 1 if epoch == 1 else max(runs, 1)
        # Drop epochs after the checkpoint, because they are trained again.
        self._writer = SummaryWriter(str(self._folder / f"run-{number}"), purge_step=epoch)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def tag(name: str) -> str:
    """A column of the history -> the name of its curve. TensorBoard groups curves by the part before the slash."""
    return TAGS.get(name) or (f"metrics/{name.removeprefix('val_')}" if name.startswith("val_") else name)
