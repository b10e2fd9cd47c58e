"""Settings of the training loop that no recipe has."""

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
    """Settings of the training loop that no recipe has.

    Attributes:
        positive: index of the class of a single logit.
        classes: number of classes.
        spec: the preprocessing; its mean and std are used.
        seed: decides everything random.
        device: to train on.
        workers: processes that augment; 0 augments in the loop itself.
        deadline: seconds of training after which to stop, or None.
        checkpoint: a file to resume from and to save to, or None.
        save_seconds: minimum time between two checkpoints of a phase.
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
