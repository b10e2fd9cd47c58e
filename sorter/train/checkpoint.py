"""Where training stands, kept in one file so that it can go on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sorter.files import atomic_write
from sorter.model.network import Network
from sorter.train.learner import TrainingLog
from sorter.train.optimise import WeightAverage


@dataclass
class TrainingState(TrainingLog):
    """Where training stands: what a checkpoint holds besides the tensors of the network and the optimiser."""

    phase: int = 0
    epoch: int = 0  # the next one
    best_loss: float = math.inf
    best: dict[str, Tensor] | None = None  # the whole network's, or its head's while the backbone is cached


def load_into(network: Network, tensors: dict[str, Tensor]) -> None:
    whole = any(name.startswith("backbone.") for name in tensors)
    (network if whole else network.head).load_state_dict(tensors)


def copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.cpu().clone() for name, tensor in network.state_dict().items()}


def read_checkpoint(path: Path | None) -> tuple[TrainingState, dict[str, Any] | None]:
    if path is None or not path.exists():
        return TrainingState(), None
    saved = torch.load(path, map_location="cpu", weights_only=True)
    return TrainingState(**saved["progress"]), saved


def save_checkpoint(
    path: Path | None,
    state: TrainingState,
    scope: nn.Module,
    optimiser: torch.optim.Optimizer | None,
    scaler: torch.amp.GradScaler | None,
    mean: WeightAverage | None = None,
) -> None:
    """Last and best in one file, replaced whole: they always belong together."""
    if path is None:
        return
    saved = {
        "progress": {**vars(state), "out_of_time": False},
        "network": scope.state_dict(),
        "optimiser": optimiser.state_dict() if optimiser else None,
        "scaler": scaler.state_dict() if scaler else None,
        "mean": mean.state() if mean else None,
    }
    with atomic_write(path) as part:
        torch.save(saved, part)
