"""Progress of long work: the protocol that the command line, the window and scripts implement."""

from __future__ import annotations

from typing import Any, Protocol


class Progress(Protocol):
    """Receives the progress of work. Its methods are called from the thread that works, and must return quickly."""

    def say(self, message: str) -> None:
        """Show a message to the user."""

    def begin(self, what: str, total: int | None) -> None:
        """A task of `total` steps begins; None for an unknown number."""

    def advance(self, steps: int, /, **figures: float) -> None:
        """More steps are done. Figures are the latest values, such as the loss."""

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch of training ended. The row is its line of the history."""


class NoProgress:
    """A `Progress` that shows nothing. Subclasses override the methods they need."""

    def say(self, message: str) -> None:
        pass

    def begin(self, what: str, total: int | None) -> None:
        pass

    def advance(self, steps: int, /, **figures: float) -> None:
        pass

    def epoch(self, row: dict[str, Any]) -> None:
        pass
