"""Small pictures that stand for photos where photos are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

COLOUR_SIDE = 8
LUMA_SIDE = 64  # an object of 1 % of the photo has 6 x 6 pixels
CHROMA_SIDE = 16
SIZES = (COLOUR_SIDE**2 * 3, LUMA_SIDE**2, CHROMA_SIDE**2 * 2)
TURNS = 4


@dataclass(frozen=True)
class Signature:
    """A photo, squeezed to squares.

    Attributes:
        colour: float32 (8, 8, 3), RGB, 0..255.
        luma: float32 (64, 64), 0..255.
        chroma: float32 (16, 16, 2), Cb and Cr, 0..255.
    """

    colour: NDArray[np.float32]
    luma: NDArray[np.float32]
    chroma: NDArray[np.float32]

    def oriented(self, turn: int, mirrored: bool) -> Signature:
        """Mirrored left to right where asked for, then turned by `turn` times 90 degrees counterclockwise."""
        return Signature(
            *(_oriented(plane, turn, mirrored) for plane in (self.colour, self.luma, self.chroma))
        )


def _oriented(plane: NDArray[Any], turn: int, mirrored: bool) -> NDArray[Any]:
    return np.rot90(plane[:, ::-1] if mirrored else plane, turn)


def oriented_places(side: int, turn: int, mirrored: bool) -> NDArray[np.int64]:
    """For each pixel of a picture after `Signature.oriented`, its number before: shape (side * side,)."""
    return _oriented(np.arange(side * side).reshape(side, side), turn, mirrored).ravel()


def signature_bytes(image: Image.Image, grey: Image.Image) -> bytes:
    """A picture in mode RGB, and the same in mode L -> its signature: RGB, luma, then Cb and Cr, uint8, row by row."""
    from PIL import Image

    box = Image.Resampling.BOX
    colour = image.resize((COLOUR_SIDE, COLOUR_SIDE), box)
    # This filter is wider than a pixel, so that edges stay the same whatever size the copy has.
    luma = grey.resize((LUMA_SIDE, LUMA_SIDE), Image.Resampling.BILINEAR)
    chroma = image.resize((CHROMA_SIDE, CHROMA_SIDE), box).convert("YCbCr")
    return colour.tobytes() + luma.tobytes() + np.asarray(chroma)[..., 1:].tobytes()


def read_signature(data: bytes) -> Signature:
    """Read `signature_bytes`. Raises ValueError where the length is another."""
    flat = np.frombuffer(data, np.uint8).astype(np.float32)
    if len(flat) != sum(SIZES):
        raise ValueError(f"a signature has {sum(SIZES)} bytes, not {len(flat)}")
    colour, luma, chroma = np.split(flat, np.cumsum(SIZES)[:-1])
    return Signature(
        colour.reshape(COLOUR_SIDE, COLOUR_SIDE, 3),
        luma.reshape(LUMA_SIDE, LUMA_SIDE),
        chroma.reshape(CHROMA_SIDE, CHROMA_SIDE, 2),
    )
