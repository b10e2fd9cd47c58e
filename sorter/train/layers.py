"""Which layers of a network are trained, how fast, and the head that is put on it."""

from __future__ import annotations

from typing import Any

import torch
from timm.models import group_parameters
from torch import nn

from sorter.model.network import Network
from sorter.train.linear import LinearHead
from sorter.train.recipes import ALL, HEAD


def put_head(network: Network, solved: LinearHead) -> None:
    """Give a network without dense layers a linear head that was solved for."""
    assert len(network.head) == 2, "a head with dense layers"
    tensors = {"weight": torch.from_numpy(solved.weight), "bias": torch.from_numpy(solved.bias)}
    network.last.load_state_dict(tensors)


def stages(backbone: nn.Module) -> list[list[str]]:
    """Names of the backbone's parameters, stage by stage from the input."""
    grouped = group_parameters(backbone, backbone.group_matcher(coarse=True))  # type: ignore[operator]
    trainable = dict(backbone.named_parameters())
    return [[name for name in names if name in trainable] for _, names in sorted(grouped.items())]


def freeze(network: Network, trains: str | int) -> None:
    """Freeze all parameters but those to train.

    Args:
        trains: `head`, `all`, or the number of the backbone's last stages to train besides the head.
    """
    parts = stages(network.backbone)
    trained = {HEAD: 0, ALL: len(parts)}.get(trains, trains) if isinstance(trains, str) else trains
    assert isinstance(trained, int)
    trained_names = {name for names in parts[max(0, len(parts) - trained) :] for name in names}
    for name, parameter in network.backbone.named_parameters():
        parameter.requires_grad_(name in trained_names)
    network.head.requires_grad_(True)


def training_mode(network: nn.Module) -> None:
    """As `train()`, but frozen layers stay in eval mode: their batch norms keep their statistics."""
    network.train()
    for module in network.modules():
        own = list(module.parameters())
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()


def parameter_groups(
    network: Network, lr: float, layer_decay: float, weight_decay: float, head_weight_decay: float
) -> list[dict[str, Any]]:
    """Optimiser groups of the parameters to train. A stage's learning rate is `layer_decay` times that above it.

    Biases and the weights of norms have one dimension and get no weight decay.
    """
    parts = stages(network.backbone)
    named = dict(network.backbone.named_parameters())
    levels = [([named[name] for name in names], weight_decay) for names in parts]
    levels.append((list(network.head.parameters()), head_weight_decay))
    groups = []
    for depth, (parameters, decay) in enumerate(reversed(levels)):
        trained = [each for each in parameters if each.requires_grad]
        for group, own_decay in (
            ([each for each in trained if each.ndim > 1], decay),
            ([each for each in trained if each.ndim <= 1], 0.0),
        ):
            if group:
                groups.append({"params": group, "lr": lr * layer_decay**depth, "weight_decay": own_decay})
    return groups
