"""A photo under its heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.pipeline.explain import Explanation

# Five colours of matplotlib's `inferno`, from cold to hot. They rise in lightness, for eyes that take red for green.
COLOURS = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
OPAQUE = 0.65  # of the hottest place
GREY = 0.5  # of the photo's colours that go, so that the heat stands out


def overlay(pixels: NDArray[np.uint8], found: Explanation, side: int) -> Image.Image:
    """The photo, at most `side` pixels wide and high, with the heat over it and a frame around each region.

    Args:
        pixels: uint8 (h, w, 3), the upright photo in any size.
        found: of that photo.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), reducing_gap=2.0)
    heat = np.asarray(Image.fromarray(found.heat).resize(image.size, Image.Resampling.BILINEAR))
    photo = np.asarray(image, np.float32)
    photo = photo + GREY * (photo.mean(2, keepdims=True) - photo)
    steps = np.linspace(0, 1, len(COLOURS))
    colours = np.stack([np.interp(heat, steps, channel) for channel in np.array(COLOURS).T], axis=2)
    alpha = OPAQUE * heat[..., None]
    mixed = Image.fromarray(np.uint8(np.rint(photo * (1 - alpha) + colours * alpha)))
    _frame(mixed, found)
    return mixed


def _frame(image: Image.Image, found: Explanation) -> None:
    """White within black, so that a frame shows on any photo."""
    draw = ImageDraw.Draw(image)
    across, down = image.width / found.width, image.height / found.height
    for each in found.regions:
        left, top = each.left * across, each.top * down
        right = min(image.width - 1, left + each.width * across - 1)
        bottom = min(image.height - 1, top + each.height * down - 1)
        for inset, colour in ((0, "black"), (1, "white")):
            if right - left > 2 * inset and bottom - top > 2 * inset:
                draw.rectangle((left + inset, top + inset, right - inset, bottom - inset), outline=colour)
