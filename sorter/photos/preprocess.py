"""Turn pixels into network input. Training, running and exporting use this with the spec of the model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from sorter.types import SorterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESIZES = ("squash", "crop")
INTERPOLATIONS = ("bilinear", "bicubic")


@dataclass(frozen=True)
class Preprocess:
    """How a photo becomes a network's input.

    Attributes:
        size: side of the square input in pixels.
        resize: `squash` fits the whole photo, `crop` keeps the central square.
        interpolation: `bilinear` or `bicubic`, both antialiased (Pillow's `resize`).
        mean: per RGB channel, on the 0..1 scale.
        std: likewise.
    """

    size: int
    resize: str
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        if type(self.size) is not int or not 8 <= self.size <= 4096:
            raise SorterError(f"preprocess: size {self.size!r} is not a whole number from 8 to 4096")
        if self.resize not in RESIZES:
            raise SorterError(f"preprocess: resize {self.resize!r} is none of {', '.join(RESIZES)}")
        if self.interpolation not in INTERPOLATIONS:
            raise SorterError(
                f"preprocess: interpolation {self.interpolation!r} is none of {', '.join(INTERPOLATIONS)}"
            )
        numbers = (*self.mean, *self.std)
        finite = all(isinstance(number, (int, float)) and isfinite(number) for number in numbers)
        if len(self.mean) != 3 or len(self.std) != 3 or not finite or min(self.std) <= 0:
            raise SorterError("preprocess: mean and std take three numbers, those of std above zero")

    @property
    def min_side(self) -> int:
        """The least side to decode to: a seventh more than the input, so that the resize still antialiases."""
        return self.size * 8 // 7

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize: uint8 (height, width, 3) to uint8 (size, size, 3)."""
        import numpy as np
        from PIL import Image

        image = Image.fromarray(pixels)
        box = None
        if self.resize == "crop":
            side = min(image.size)
            left, top = (image.width - side) / 2, (image.height - side) / 2
            box = (left, top, left + side, top + side)
        # reducing_gap=2: far larger pictures are first box-averaged by a whole factor. That is faster, and
        # Pillow documents it as "almost indistinguishable" from the direct filter.
        small = image.resize(
            (self.size, self.size), Image.Resampling[self.interpolation.upper()], box=box, reducing_gap=2.0
        )
        return np.asarray(small)

    def spread(self, grid: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
        """Values over the input -> values over the photo: float32 (h, w) to (height, width), bilinear.

        What the input leaves out of the photo gets 0.
        """
        import numpy as np
        from PIL import Image

        cropped = min(width, height) if self.resize == "crop" else None
        size = (cropped or width, cropped or height)
        inside = Image.fromarray(np.ascontiguousarray(grid, np.float32)).resize(
            size, Image.Resampling.BILINEAR
        )
        out = np.zeros((height, width), np.float32)
        top, left = (height - size[1]) // 2, (width - size[0]) // 2
        out[top : top + size[1], left : left + size[0]] = np.asarray(inside)
        return out

    def normalise(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, size, size, 3) to float32 (n, 3, size, size): (x / 255 - mean) / std."""
        import numpy as np

        scale = (1 / (255 * np.asarray(self.std))).astype(np.float32).reshape(1, 3, 1, 1)
        shift = (-np.asarray(self.mean) / np.asarray(self.std)).astype(np.float32).reshape(1, 3, 1, 1)
        planes = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))
        out: NDArray[np.float32] = np.multiply(planes, scale, dtype=np.float32)
        out += shift
        return out

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Preprocess:
        """Read a spec. Raises SorterError if a field is missing, unknown or out of range."""
        try:
            return cls(**{**data, "mean": tuple(data["mean"]), "std": tuple(data["std"])})
        except (TypeError, KeyError, OverflowError) as error:
            raise SorterError(f"preprocess: {error}") from error
