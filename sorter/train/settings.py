"""How and where to train, whatever the recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.photos.preprocess import Preprocess

if TYPE_CHECKING:
    import torch


def _cpu() -> torch.device:
    import torch

    return torch.device("cpu")


@dataclass(frozen=True)
class TrainSettings:
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
