"""What `sorter inspect` measures of each photo, and the totals that it keeps."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sorter.photos.fingerprint import decoded_and_hashed, perceptual_hash
from sorter.types import Failure, Limits, Photo, Result, Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_SIDE = 64  # pixels to decode to at least: enough for colours and for the perceptual hash
LEVELS = 32  # bins of a channel's 256 intensities
MAX_FAILURES = 50  # failed files that are named


@dataclass(frozen=True, slots=True)
class PhotoStatistics:
    """The statistics of one photo.

    Attributes:
        sha256: of the file, in hex.
        phash: 64 bits, as in `sorter.photos.fingerprint`.
        width: in pixels, of the upright photo.
        height: likewise.
        format: as Pillow names it.
        mean: of R, G and B, each 0..1.
        square: mean of the squares of R, G and B.
        levels: share of the pixels in each of 32 bins of intensity, of R, then G, then B.
    """

    sha256: str
    phash: int
    width: int
    height: int
    format: str
    mean: tuple[float, float, float]
    square: tuple[float, float, float]
    levels: tuple[float, ...]


@dataclass(frozen=True)
class MeasurePhoto:
    """Pool stage: photo -> `PhotoStatistics`."""

    limits: Limits

    def start(self) -> Callable[[Photo], PhotoStatistics | Failure]:
        from sorter.photos.decode import Decoder

        decode = Decoder(MIN_SIDE, self.limits)

        def measure(photo: Photo) -> PhotoStatistics | Failure:
            found = decoded_and_hashed(decode, photo.path)
            if isinstance(found, Failure):
                return found
            decoded, digest = found
            pixels = decoded.pixels
            counts = np.stack(
                [np.bincount(pixels[..., channel].ravel(), minlength=256) for channel in range(3)]
            )
            shares = counts / counts.sum(axis=1, keepdims=True)  # (3, 256)
            values = np.arange(256) / 255
            mean, square = shares @ values, shares @ values**2
            levels = shares.reshape(3, LEVELS, -1).sum(axis=2).ravel()
            return PhotoStatistics(
                digest,
                perceptual_hash(pixels),
                decoded.width,
                decoded.height,
                decoded.format,
                (float(mean[0]), float(mean[1]), float(mean[2])),
                (float(square[0]), float(square[1]), float(square[2])),
                tuple(map(float, levels)),
            )

        return measure


@dataclass
class Totals:
    """What is kept of all photos: some 50 bytes each, and sums."""

    numbers: array[int] = field(default_factory=lambda: array("q"))  # of the example
    hashes: array[int] = field(default_factory=lambda: array("Q"))
    digests: array[int] = field(default_factory=lambda: array("Q"))  # the first 64 bits
    widths: array[int] = field(default_factory=lambda: array("l"))
    heights: array[int] = field(default_factory=lambda: array("l"))
    brightness: array[float] = field(default_factory=lambda: array("f"))
    formats: Counter[str] = field(default_factory=Counter)
    mean: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    square: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    levels: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3 * LEVELS))
    failed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def add(self, number: int, result: Result[PhotoStatistics]) -> None:
        """Add the photo of the example with this number."""
        found = result.outcome
        if isinstance(found, Failure):
            kind = self.failed if found.status is Status.FAILED else self.skipped
            kind[found.reason.value] += 1
            if len(self.failures) < MAX_FAILURES:
                self.failures.append((str(result.photo.path), str(found)))
            return
        self.numbers.append(number)
        self.hashes.append(found.phash)
        self.digests.append(int(found.sha256[:16], 16))
        self.widths.append(found.width)
        self.heights.append(found.height)
        red, green, blue = found.mean
        self.brightness.append(0.299 * red + 0.587 * green + 0.114 * blue)
        self.formats[found.format] += 1
        self.mean += found.mean
        self.square += found.square
        self.levels += found.levels
