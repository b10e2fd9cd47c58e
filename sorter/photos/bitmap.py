"""BMP files with bit fields that Pillow does not know. Source: Microsoft, BITMAPINFOHEADER and BITMAPV4HEADER."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from sorter.photos.errors import TooLargeError, TruncatedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITFIELDS = (3, 6)
HEADER = 14


def read_bit_fields(data: bytes, max_pixels: float) -> NDArray[np.uint8] | None:
    """The pixels of a BMP with bit fields, uint8 (height, width, 3); None where it is of another kind.

    Transparency is left out, as viewers do.

    Raises:
        TruncatedError: the file ends before its pixels do.
        TooLargeError: more pixels than allowed.
        struct.error: the header is cut short.
    """
    (begins,) = struct.unpack("<I", data[10:14])
    _, width, height, _, bits, compression = struct.unpack("<IiiHHI", data[HEADER : HEADER + 20])
    if compression not in BITFIELDS or bits not in (16, 32) or width <= 0 or height == 0:
        return None
    if width * abs(height) > max_pixels:
        raise TooLargeError(f"{width} x {abs(height)} pixels")
    masks = struct.unpack("<III", data[HEADER + 40 : HEADER + 52])
    stride = (width * bits // 8 + 3) // 4 * 4
    if begins + stride * abs(height) > len(data):
        raise TruncatedError("the file ends before its pixels do")
    rows = np.frombuffer(data, np.uint8, stride * abs(height), begins).reshape(abs(height), stride)
    words = rows[:, : width * bits // 8].copy().view(f"<u{bits // 8}").astype(np.uint64)
    channels = [_channel(words, mask) for mask in masks]
    pixels = np.stack(channels, axis=-1)
    return pixels if height < 0 else pixels[::-1]


def _channel(words: NDArray[np.uint64], mask: int) -> NDArray[np.uint8]:
    if mask == 0:
        return np.zeros(words.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    values = (words & np.uint64(mask)) >> np.uint64(shift)
    return np.asarray((values * 255 + top // 2) // top).astype(np.uint8)
