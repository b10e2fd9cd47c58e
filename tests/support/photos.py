"""Photos that the tests make: noisy, of one colour, each with bytes of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

RED, BLUE = (220, 30, 30), (30, 30, 220)


def make_photo(
    path: Path,
    colour: tuple[int, int, int] = RED,
    size: tuple[int, int] = (96, 64),
    seed: int = 0,
    **save: object,
) -> Path:
    """A noisy photo of one colour; each seed gives other bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-25, 26, (size[1], size[0], 3))
    pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, **save)  # type: ignore[arg-type]
    return path
