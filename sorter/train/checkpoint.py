"""The state of a training, and the file that it is resumed from."""

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
    """The state of a training, besides the tensors of the network and the optimiser. The file holds it by field."""

    phase: int = 0
    epoch: int = 0  # the next one to run
    best_loss: float = math.inf
    best: dict[str, Tensor] | None = None  # of the network, or of its head while features are cached


def load_into(network: Network, tensors: dict[str, Tensor]) -> None:
    """Load the tensors of a whole network, or of its head."""
    whole = any(name.startswith("backbone.") for name in tensors)
    (network if whole else network.head).load_state_dict(tensors)


def copied(network: nn.Module) -> dict[str, Tensor]:
    """The state dict, copied to the CPU."""
    return {name: tensor.cpu().clone() for name, tensor in network.state_dict().items()}


def read_checkpoint(path: Path | None) -> tuple[TrainingState, dict[str, Any] | None]:
    """The state, and the whole checkpoint; a new state and None where there is no file."""
    if path is None or not path.exists():
        return TrainingState(), None
    saved = torch.load(path, map_location="cpu", weights_only=True)
    return TrainingState(**saved["progress"]), saved


def save_checkpoint(
    path: Path | None,
    state: TrainingState,
    module: nn.Module,
    optimiser: torch.optim.Optimizer | None,
    scaler: torch.amp.GradScaler | None,
    average: WeightAverage | None = None,
) -> None:
    """Save the last and the best weights in one file, so that they always match.

    Args:
        module: the network, or its head while features are cached.
    """
    if path is None:
        return
    saved = {
        "progress": {**vars(state), "out_of_time": False},
        "network": module.state_dict(),
        "optimiser": optimiser.state_dict() if optimiser else None,
        "scaler": scaler.state_dict() if scaler else None,
        "mean": average.state() if average else None,
    }
    with atomic_write(path) as part:
        torch.save(saved, part)
