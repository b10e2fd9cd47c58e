"""Measure a photo's pixels, and compare the results with thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from sorter.clean.records import Examined, Finding, Kind, Quality

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

SIDE = 250  # pixels on the long side for sharpness, so that it does not depend on the camera
# Least pixels on the short side for sharpness, of a photo smaller than SIDE and of a larger one.
LEAST_SIDES = (96, 32)
LOW_INFORMATION = 0.02  # spread of the luma below which a picture is too flat to compare


@dataclass(frozen=True)
class Thresholds:
    """The limits beyond which a photo is poor.

    Attributes:
        min_size: pixels on the short side, at least.
        max_aspect: the long side over the short one, at most.
        blank: spread of the luma (0..1), at least.
        entropy: bits, at least.
        dark: 99th percentile of the luma, at least.
        bright: 1st percentile of the luma, at most.
        blur: sharpness, at least.
    """

    min_size: int = 32
    max_aspect: float = 5.0
    blank: float = 0.01
    entropy: float = 1.0
    dark: float = 0.2
    bright: float = 0.9
    blur: float = 0.015


def reduced(image: Image.Image) -> Image.Image:
    """Reduce a picture by a whole factor, to less than twice `SIDE` on the long side."""
    by = max(image.size) // SIDE
    return image.reduce(by) if by > 1 else image


def measure(grey: Image.Image) -> Quality:
    """Measure a picture in mode L."""
    counts = np.asarray(grey.histogram(), np.float64)
    total, levels = counts.sum(), np.arange(256)
    mean, square = float(counts @ levels) / total, float(counts @ (levels * levels)) / total
    up_to, shares = counts.cumsum(), counts[counts > 0] / total
    return Quality(
        low=round(int(up_to.searchsorted(0.01 * total)) / 255, 4),
        high=round(int(up_to.searchsorted(0.99 * total)) / 255, 4),
        mean=round(float(mean) / 255, 4),
        spread=round(sqrt(max(square - mean * mean, 0.0)) / 255, 4),
        entropy=round(float(-(shares @ np.log2(shares))) + 0.0, 3),
        sharpness=_sharpness(grey) if min(grey.size) >= LEAST_SIDES[max(grey.size) >= SIDE] else None,
    )


def _sharpness(grey: Image.Image) -> float | None:
    """Variance of the Laplacian over the variance of the luma; None for a flat picture.

    The division keeps low contrast from counting as blur. Source: Pech-Pacheco et al. 2000, Diatom autofocusing in
    brightfield microscopy: a comparative study.
    """
    from PIL import Image

    scale = SIDE / max(grey.size)
    if scale < 1:
        size = (max(3, round(grey.width * scale)), max(3, round(grey.height * scale)))
        grey = grey.resize(size, Image.Resampling.BOX)
    values = np.asarray(grey, np.int16)
    across, down = values[1:-1], values[:, 1:-1]
    laplacian = across[:, :-2] + across[:, 2:]
    laplacian += down[:-2]
    laplacian += down[2:]
    laplacian -= 4 * across[:, 1:-1]
    variance = _variance(values)
    return round(_variance(laplacian) / variance, 5) if variance > 1 else None


def _variance(values: NDArray[np.int16]) -> float:
    """Exact up to the division, as the sums are of whole numbers."""
    mean = int(values.sum()) / values.size
    return int(np.square(values, dtype=np.int32).sum()) / values.size - mean * mean


def poor(examined: Examined, limits: Thresholds) -> Iterator[Finding]:
    """The findings of a photo beyond the thresholds, with the values."""
    short, long = sorted((examined.width, examined.height))
    if short and short < limits.min_size:
        yield _finding("too-small", f"{examined.width} x {examined.height}")
    if short and long / short > limits.max_aspect:
        yield _finding("extreme-aspect", f"{long / short:.1f} to 1")
    measured = examined.quality
    if measured is None:
        return
    if measured.spread < limits.blank:
        yield _finding("blank", f"spread {measured.spread:.3f}")
    elif measured.entropy < limits.entropy:
        yield _finding("low-information", f"entropy {measured.entropy:.2f} bits")
    if measured.high < limits.dark:
        yield _finding("dark", f"99 % of it below {measured.high:.2f}")
    if measured.low > limits.bright:
        yield _finding("bright", f"99 % of it above {measured.low:.2f}")
    if measured.sharpness is not None and measured.sharpness < limits.blur:
        yield _finding("blurry", f"sharpness {measured.sharpness:.4f}")


def _finding(reason: str, message: str) -> Finding:
    return Finding(Kind.POOR, reason, message)
