"""PNG beyond what Pillow does: checksums of the pixels, and one transparent value of 16 bits."""

from __future__ import annotations

import os
import zlib
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image, PngImagePlugin

from sorter.files import BLOCK
from sorter.photos.tiff import on_white, to_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_TEXT = 64 << 20  # bytes of texts and profiles; Pillow's own limit of 1 MiB refuses whole photos
DEEP = frozenset({"I", "I;16", "I;16B", "I;16L"})


def allow_texts() -> None:
    """Text and profiles do not stop a photo from being read, up to a bound."""
    PngImagePlugin.MAX_TEXT_CHUNK = max(PngImagePlugin.MAX_TEXT_CHUNK, MAX_TEXT)
    PngImagePlugin.MAX_TEXT_MEMORY = max(PngImagePlugin.MAX_TEXT_MEMORY, MAX_TEXT)


def check_pixels(file: IO[bytes]) -> None:
    """Raise OSError where the pixel data does not match its checksums.

    Pillow leaves them unread, and where a flipped bit ends the stream early the rest of the photo comes out black.
    Chunks: ISO/IEC 15948, 5.3.
    """
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if not name.isalpha():  # no chunk: zeros behind a header can go on for gigabytes
            break
        if name != b"IDAT":
            file.seek(length + 4, os.SEEK_CUR)
            continue
        found = zlib.crc32(name)
        while length and (block := file.read(min(length, BLOCK))):
            found, length = zlib.crc32(block, found), length - len(block)
        checksum = file.read(4)
        if len(checksum) == 4 and found != int.from_bytes(checksum, "big"):
            raise OSError("the checksum of its pixels is wrong")
    file.seek(0)


def has_deep_transparency(image: Image.Image, file: IO[bytes]) -> bool:
    """Whether an opened PNG has 16 bits and a transparent value, which Pillow compares in 8."""
    if "transparency" not in image.info or image.mode not in {"RGB", "L", *DEEP}:
        return False
    at = file.tell()
    file.seek(24)
    depth = file.read(1)
    file.seek(at)
    return depth == b"\x10"


def read_deep(file: IO[bytes]) -> NDArray[np.uint8]:
    """A PNG with a transparent value of 16 bits on white: uint8 (height, width, 3). By libpng (imagecodecs)."""
    import imagecodecs

    file.seek(0)
    values: NDArray[np.uint16] = imagecodecs.png_decode(file.read())
    light = to_bytes(values[..., :-1], 16, full=True)
    shown = on_white(light, to_bytes(values[..., -1:], 16, full=True))
    return np.ascontiguousarray(np.broadcast_to(shown, (*shown.shape[:2], 3)))
