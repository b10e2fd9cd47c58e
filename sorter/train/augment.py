"""Augmentation: random changes that keep a photo's class, by torchvision.transforms.v2."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms import v2

GREY = 127  # fills the corners that rotation leaves empty


def augmentation(level: str, size: int) -> Callable[[Tensor], Tensor]:
    """A function from uint8 (3, size, size) to the same shape. It draws from torch's global generator.

    `light` flips and zooms a little. `standard` zooms more, rotates, and changes brightness, contrast and saturation.
    `strong` does more of each, shifts hues, and sometimes removes the colour or a patch.
    """
    steps: dict[str, list[Callable[[Tensor], Tensor]]] = {
        "none": [],
        "light": [v2.RandomHorizontalFlip(), _zoom(size, 0.8)],
        "standard": [
            v2.RandomHorizontalFlip(),
            v2.RandomRotation(12, v2.InterpolationMode.BILINEAR, fill=GREY),
            _zoom(size, 0.55),
            v2.ColorJitter(0.2, 0.2, 0.2),  # shifting hues would take longer than all the rest
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
    """Crop a part with at least the share `least` of the area, and enlarge it to the full size."""
    return v2.RandomResizedCrop((size, size), (least, 1.0), (4 / 5, 5 / 4), antialias=True)
