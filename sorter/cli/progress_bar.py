"""Progress on stderr: a bar on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from sorter.cli.command import print_note
from sorter.progress import NoProgress


class ProgressBar(NoProgress):
    """A `Progress` with one bar of photos. Elsewhere than on a terminal it prints messages only.

    Args:
        quiet: print nothing.
        total: counts the photos, in a thread beside the work. 0 for an unknown number.
    """

    def __init__(self, quiet: bool, total: Callable[[], int]) -> None:
        self._quiet = quiet
        self._total = total
        self._bar: Any = None

    def __enter__(self) -> ProgressBar:
        if not self._quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(unit=" photos", dynamic_ncols=True, smoothing=0.05)
            self._count()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def say(self, message: str) -> None:
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.write(message, file=sys.stderr)
        else:
            print_note(message)

    def advance(self, steps: int, /, **figures: float) -> None:
        if self._bar is not None:
            self._bar.update(steps)

    def _count(self) -> None:
        """Count in a thread, so that the first photos need not wait."""
        import threading

        from sorter.types import SorterError

        def count() -> None:
            try:
                total = self._total()
            except SorterError:
                return  # the command raises the same error
            self._bar.total = total
            self._bar.refresh()

        threading.Thread(target=count, daemon=True).start()


class TrainingProgressBar:
    """A `Progress` with a bar for each step of a training. Elsewhere than on a terminal a step is one line."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None
        self._figures: dict[str, float] = {}

    def __enter__(self) -> TrainingProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def say(self, message: str) -> None:
        if not self._quiet:
            self._end()
            print_note(message)

    def begin(self, what: str, total: int | None) -> None:
        self._end()
        if self._quiet:
            return
        if not sys.stderr.isatty():
            print_note(f"{what} ...")
            return
        from tqdm import tqdm

        self._figures = {}
        self._bar = tqdm(total=total, desc=what, dynamic_ncols=True, smoothing=0.05)

    def advance(self, steps: int, /, **figures: float) -> None:
        if self._bar is not None:
            self._show(figures)
            self._bar.update(steps)

    def epoch(self, row: dict[str, Any]) -> None:
        if self._bar is not None:
            self._show({"val_loss": row["val_loss"], "val_acc": row["val_balanced_accuracy"]})

    def _show(self, figures: dict[str, float]) -> None:
        if figures:
            self._figures |= figures
            self._bar.set_postfix(self._figures, refresh=False)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
