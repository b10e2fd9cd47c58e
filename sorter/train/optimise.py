"""The loss, the optimiser, its learning rate and precision, and the average of the weights."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sorter.model.network import Network
from sorter.train.layers import parameter_groups
from sorter.train.recipes import Phase, Recipe


def loss_of(logits: Tensor, targets: Tensor, weights: Tensor, positive: int) -> Tensor:
    """Cross entropy of soft targets, weighted by class: (b, 1) or (b, k), (b, k), (k,) -> ()."""
    of_photo = targets @ weights  # (b,)
    if logits.shape[1] == 1:
        losses = functional.binary_cross_entropy_with_logits(
            logits[:, 0], targets[:, positive], reduction="none"
        )
    else:
        losses = -(targets * functional.log_softmax(logits, 1)).sum(1)
    return (losses * of_photo).mean()


def make_optimiser(network: Network, recipe: Recipe, phase: Phase) -> torch.optim.Optimizer:
    """The phase's optimiser, for the parameters that are not frozen."""
    groups = parameter_groups(
        network, phase.lr, phase.layer_decay, recipe.weight_decay, recipe.head_weight_decay
    )
    if phase.optimiser == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, nesterov=True)
    return torch.optim.Adam(groups) if phase.optimiser == "adam" else torch.optim.AdamW(groups)


def learning_rate(phase: Phase, done: float) -> float:
    """The learning rate as a share of its peak; `done` is the share of the phase that is done, 0 <= done < 1.

    One-cycle: a cosine up from a 25th over the first 30 %, then down to a 10,000th of that (Smith & Topin 2018).

    Torch's schedulers keep state. A function of the step alone needs none in the checkpoint.
    """
    if phase.schedule == "one-cycle":
        if done < 0.3:
            return _cosine(1 / 25, 1.0, done / 0.3)
        return _cosine(1.0, 1 / 250_000, (done - 0.3) / 0.7)
    if done < phase.warmup:
        return (done + 1e-3) / (phase.warmup + 1e-3)
    if phase.schedule == "cosine":
        return _cosine(1.0, 0.0, (done - phase.warmup) / (1 - phase.warmup))
    return 1.0


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def plateau(losses: list[float], phase: Phase) -> float:
    """The factor of the learning rate: a tenth for every `plateau_patience` epochs in a row without a lower loss."""
    if phase.schedule != "plateau":
        return 1.0
    scale, waited, best = 1.0, 0, math.inf
    for loss in losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == phase.plateau_patience:
            scale, waited = scale / 10, 0
    return scale


def stalled(losses: list[float]) -> int:
    """Epochs since the lowest validation loss."""
    return len(losses) - 1 - int(np.argmin(losses)) if losses else 0


def mixed_precision(device: torch.device) -> tuple[AbstractContextManager[Any], torch.amp.GradScaler]:
    """bfloat16 where the device has it, float16 on older GPUs (with scaled gradients), else float32."""
    if device.type == "cuda":
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        enabled = True
    else:
        dtype, enabled = torch.bfloat16, _cpu_has_bfloat16()
    scaler = torch.amp.GradScaler(device.type, enabled=enabled and dtype is torch.float16)
    return torch.autocast(device.type, dtype, enabled=enabled), scaler


def _cpu_has_bfloat16() -> bool:
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


class WeightAverage:
    """The exponential moving average of a network's weights and batch norm statistics.

    timm's ModelEmaV3 warms up by another formula, which would change the results of the recipes.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = deepcopy(network).requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        # The average is short at first, so that it forgets the starting weights.
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for average, latest in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if average.is_floating_point():
                average.lerp_(latest, 1 - decay)
            else:
                average.copy_(latest)

    def state(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.updates = state["updates"]
