"""How and where to train, and who wants to know how it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sorter.photos.preprocess import Preprocess

if TYPE_CHECKING:
    import torch


class Watch(Protocol):
    """Whoever wants to know how training goes."""

    def say(self, message: str) -> None:
        """A sentence for a person."""

    def begin(self, what: str, total: int) -> None:
        """A stretch of work of so many steps begins."""

    def advance(self, steps: int, **figures: float) -> None:
        """So many more steps are done; the latest loss and such."""

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch ended: its row of the history."""


class Quiet:
    """A `Watch` that looks away."""

    def say(self, message: str) -> None:
        pass

    def begin(self, what: str, total: int) -> None:
        pass

    def advance(self, steps: int, **figures: float) -> None:
        pass

    def epoch(self, row: dict[str, Any]) -> None:
        pass


def _cpu() -> torch.device:
    import torch

    return torch.device("cpu")


@dataclass(frozen=True)
class Settings:
    """How and where to train, whatever the recipe.

    Attributes:
        positive: index of the class that a network with one logit speaks for.
        classes: how many.
        spec: mean and std for the pixels.
        seed: decides everything random.
        device: where to.
        workers: processes that augment; 0 augments between the steps.
        deadline: seconds of training after which to stop, or None.
        checkpoint: a file to go on from and to save to, or None.
        save_seconds: a checkpoint is at least so old before another epoch of the same phase replaces it.
    """

    positive: int
    classes: int
    spec: Preprocess
    seed: int = 0
    device: torch.device = field(default_factory=_cpu)
    workers: int = 0
    deadline: float | None = None
    checkpoint: Path | None = None
    save_seconds: float = 5.0
