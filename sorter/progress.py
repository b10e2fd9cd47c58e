"""How a caller follows long work: the one protocol that commands, the window and scripts implement."""

from __future__ import annotations

from typing import Any, Protocol


class Progress(Protocol):
    """Told how work goes on. Its methods are called from the thread that works, so they return quickly."""

    def say(self, message: str) -> None:
        """A sentence for a person."""

    def begin(self, what: str, total: int | None) -> None:
        """A stretch of work of `total` steps begins; None where nobody has counted them."""

    def advance(self, steps: int, /, **figures: float) -> None:
        """So many more steps are done. Figures are the latest loss and the like."""

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch of training ended: its row of the history."""


class NoProgress:
    """A `Progress` that shows nothing; others inherit what they do not need."""

    def say(self, message: str) -> None:
        pass

    def begin(self, what: str, total: int | None) -> None:
        pass

    def advance(self, steps: int, /, **figures: float) -> None:
        pass

    def epoch(self, row: dict[str, Any]) -> None:
        pass
