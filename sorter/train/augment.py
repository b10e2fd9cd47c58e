"""Random changes that leave a photo's class as it is, by torchvision.transforms.v2."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms import v2

GREY = 127  # what turning a picture leaves bare


def augmentation(level: str, size: int) -> Callable[[Tensor], Tensor]:
    """uint8 (3, size, size) -> the same, drawn from torch's global generator.

    `light` flips and zooms a little; `standard` also turns, zooms more and changes brightness, contrast and
    saturation; `strong` does more of each, turns hues, and drops colour or a patch now and then.
    """
    steps: dict[str, list[Callable[[Tensor], Tensor]]] = {
        "none": [],
        "light": [v2.RandomHorizontalFlip(), _zoom(size, 0.8)],
        "standard": [
            v2.RandomHorizontalFlip(),
            v2.RandomRotation(12, v2.InterpolationMode.BILINEAR, fill=GREY),
            _zoom(size, 0.55),
            v2.ColorJitter(0.2, 0.2, 0.2),  # turning hues as well would take longer than all else
        ],
        "strong": [
            v2.RandomHorizontalFlip(),
            v2.RandomRotation(20, v2.InterpolationMode.BILINEAR, fill=GREY),
            _zoom(size, 0.3),
            v2.ColorJitter(0.4, 0.4, 0.4, 0.05),
            v2.RandomGrayscale(0.1),
            v2.RandomErasing(0.25, (0.02, 0.2), value=GREY),
        ],
    }
    return v2.Compose(steps[level]) if steps[level] else torch.clone


def _zoom(size: int, least: float) -> v2.RandomResizedCrop:
    """A part of the picture, at least so much of its area, back to the full size."""
    return v2.RandomResizedCrop((size, size), (least, 1.0), (4 / 5, 5 / 4), antialias=True)
