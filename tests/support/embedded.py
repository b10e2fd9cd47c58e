"""Scenes for photos that hold a smaller picture of themselves."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

SIZE = (1600, 1200)


def scene(size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture without symmetry, whose JPEG is large enough for a look at its previews."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.rectangle((0, 0, width // 3, height // 5), fill=(200, 40, 40))
    draw.ellipse((width // 2, height // 2, width * 7 // 8, height * 7 // 8), fill=(30, 60, 200))
    return noisy(image)


def noisy(image: Image.Image) -> Image.Image:
    noise = np.random.default_rng(0).integers(-20, 21, (image.height, image.width, 1))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def two_halves(upper: tuple[int, int, int], lower: tuple[int, int, int]) -> Image.Image:
    """Two colours, one above the other."""
    image = Image.new("RGB", SIZE, upper)
    image.paste(lower, (0, SIZE[1] // 4, *SIZE))
    return noisy(image)
