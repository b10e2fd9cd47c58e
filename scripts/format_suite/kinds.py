"""A kind of file, the picture that it holds, and what Pillow writes of it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from format_suite.writers import Pixels, in_gamut, profile

LOSSY = 6.0  # mean grey levels that a lossy codec may be away from the picture
EXACT = 1.0
TURNS = (
    *(None, None, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180),
    *(Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_90),
    *(Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_270),
)  # from upright to as stored


@dataclass(frozen=True)
class Made:
    """A file.

    Attributes:
        data: its bytes.
        shown: what a colour-managed viewer shows, uint8 (height, width, 3). None where viewers choose (HDR).
        within: mean grey levels that a right picture may be away from `shown`.
        first_in_half: the first half of the file holds all of the first picture.
    """

    data: bytes
    shown: Pixels | None
    within: float = EXACT
    first_in_half: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        format: the folder.
        name: of the kind, unique in its format.
        suffix: with its dot.
        make: picture -> file. The picture is uint8 (height, width, 3).
        read: False for a format that sorter does not read.
    """

    format: str
    name: str
    suffix: str
    make: Callable[[Pixels], Made]
    read: bool = True


def picture(seed: int) -> Pixels:
    """Ramps with some blocks: not symmetrical, and of an odd size. uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    width, height = (int(side) for side in rng.integers(65, 190, 2))
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([60 + 120 * x / width, 40 + 150 * y / height, 170 - 90 * x / width], axis=-1)
    for _ in range(4):
        left, top = rng.integers(0, width - 30), rng.integers(0, height - 30)
        wide, high = rng.integers(12, 30, 2)
        pixels[top : top + high, left : left + wide] = rng.integers(40, 216, 3)
    return np.asarray(pixels.round(), np.uint8)


def grey(pixels: Pixels) -> Pixels:
    """One channel of a picture, shape (height, width)."""
    return pixels[..., 1]


def on_three(values: Pixels) -> Pixels:
    return np.repeat(values[..., None], 3, axis=2)


def ramp_of_alpha(pixels: Pixels) -> Pixels:
    """Opaque to the right, a fifth to the left; shape (height, width, 1)."""
    alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    alpha[:, : pixels.shape[1] // 2] = 51
    return alpha


def on_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    share = alpha / 255
    return np.asarray((pixels * share + 255 * (1 - share)).round(), np.uint8)


def saved(image: Image.Image | Pixels, format: str, **save: Any) -> bytes:
    """By Pillow."""
    held = io.BytesIO()
    shown = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    shown.save(held, format, **save)
    return held.getvalue()


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """As it is stored under an EXIF orientation."""
    turn = TURNS[orientation]
    return pixels if turn is None else np.asarray(Image.fromarray(pixels).transpose(turn))


def limited(pixels: Pixels, levels: int) -> Pixels:
    """With so many levels a channel, evenly spread."""
    return np.asarray((pixels.astype(np.float64) * (levels - 1) / 255).round() * (255 / (levels - 1))).astype(
        np.uint8
    )


def by_pillow(format: str, within: float = EXACT, **save: Any) -> Callable[[Pixels], Made]:
    return lambda pixels: Made(saved(pixels, format, **save), pixels, within)


def with_orientation(format: str, orientation: int, within: float, **save: Any) -> Callable[[Pixels], Made]:
    def make(pixels: Pixels) -> Made:
        return Made(
            saved(turned(pixels, orientation), format, exif=exif(orientation), **save), pixels, within
        )

    return make


def with_profile(
    format: str, gamut: str, gamma: float | None, within: float, **save: Any
) -> Callable[[Pixels], Made]:
    def make(pixels: Pixels) -> Made:
        stored = (in_gamut(pixels, gamut, gamma) * 255).round().astype(np.uint8)
        data = saved(stored, format, icc_profile=profile(gamut, gamma), **save)
        return Made(data, pixels, within + (gamma == 1))

    return make
