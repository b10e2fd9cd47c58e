"""BMP files with bit fields that Pillow does not know. Source: Microsoft, BITMAPINFOHEADER and BITMAPV4HEADER."""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING

import numpy as np

from sorter.photos.errors import TooLargeError, TruncatedError, UnsupportedError
from sorter.photos.tiff import on_white

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITFIELDS = (3, 6)
HEADER = 14
HEADER_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})
WITH_ALPHA = 56  # bytes of the least header that has a mask of transparency
EMBEDDED = {4: "a JPEG", 5: "a PNG"}


def read_bit_fields(data: bytes, max_pixels: float) -> NDArray[np.uint8] | None:
    """The pixels of a BMP with bit fields, uint8 (height, width, 3) on white; None where it is of another kind.

    Raises:
        TruncatedError: the file ends before its pixels do.
        TooLargeError: more pixels than allowed.
        struct.error: the header is cut short.
    """
    (begins,) = struct.unpack("<I", data[10:14])
    header_size, width, height, _, bits, compression = struct.unpack("<IiiHHI", data[HEADER : HEADER + 20])
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
    if header_size >= WITH_ALPHA:
        (mask,) = struct.unpack("<I", data[HEADER + 52 : HEADER + 56])
        if mask:
            pixels = on_white(pixels, _channel(words, mask)[..., None])
    return pixels if height < 0 else pixels[::-1]


def check_kind(file: IO[bytes]) -> None:
    """Raise UnsupportedError for a BMP that neither Pillow nor this module reads."""
    head = file.read(HEADER + 40)
    file.seek(0)
    if len(head) == HEADER + 40 and (why := _unread_kind(head)):
        raise UnsupportedError(f"{why} is not read; convert it, for example to PNG")


def _unread_kind(data: bytes) -> str:
    """Which kind it is; empty for the kinds that are read, and for damaged headers."""
    begins, header_size = struct.unpack("<II", data[10:18])
    if 16 <= header_size < 64 and header_size not in HEADER_SIZES:
        return "a BMP with a short header of OS/2"
    if header_size not in HEADER_SIZES or header_size < 40:
        return ""
    bits, compression = struct.unpack("<HI", data[HEADER + 14 : HEADER + 20])
    (colours,) = struct.unpack("<I", data[HEADER + 32 : HEADER + 36])
    if compression in EMBEDDED:
        return f"a BMP that holds {EMBEDDED[compression]}"
    if bits == 2:
        return "a BMP of 2 bits"
    if bits <= 8 and 1 << bits < colours <= (begins - HEADER - header_size) // 4:
        return "a BMP with more colours than its depth has"
    return ""


def _channel(words: NDArray[np.uint64], mask: int) -> NDArray[np.uint8]:
    if mask == 0:
        return np.zeros(words.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    values = (words & np.uint64(mask)) >> np.uint64(shift)
    return np.asarray((values * 255 + top // 2) // top).astype(np.uint8)
