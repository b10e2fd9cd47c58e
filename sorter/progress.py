"""Whoever wants to know how work goes on."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Whoever wants to know how a run goes."""

    def say(self, message: str) -> None:
        """A sentence for a person."""

    def advance(self, photos: int, /) -> None:
        """So many more photos are done."""


class Quiet:
    """A `Watch` that looks away."""

    def say(self, message: str) -> None:
        pass

    def advance(self, photos: int) -> None:
        pass
