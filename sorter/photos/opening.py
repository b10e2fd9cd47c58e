"""A file -> Pillow's image of one format, within bounds of what is read into memory."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import IO

from PIL import Image

from sorter.photos.errors import TruncatedError, UnsupportedError
from sorter.photos.jpeg import read_frame
from sorter.photos.newer import NEWER
from sorter.photos.png import allow_texts

MAX_READ = 1 << 28  # bytes of a file that is read into memory at once
BOXED = frozenset({"HEIF", "AVIF"})
MAX_JPEG_HEADER = 1 << 26  # bytes before the picture of a JPEG above MAX_READ
READ_WHOLE = frozenset({"WEBP", "GIF", *BOXED, *NEWER})  # their readers take or search the whole file


def open_image(file: IO[bytes], kind: str) -> Image.Image:
    """Open by Pillow's reader of this one format, so that a hostile file cannot reach its rarer parsers."""
    if kind == "HEIF":
        _register_heif()
    if kind == "PNG":
        allow_texts()
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > MAX_READ:
        check_giant(file, kind, size)
        file.seek(0)
    return Image.open(file, formats=[kind])


def check_giant(file: IO[bytes], kind: str, size: int) -> None:
    """Refuse a file that its reader would take whole into memory, or search byte by byte for a picture."""
    if kind in READ_WHOLE:
        limit = f"{MAX_READ / 2**20:g} MiB"
        raise UnsupportedError(
            f"a {kind} of {size / 2**30:.1f} GiB is not read, the limit is {limit}; make it smaller"
        )
    if kind == "JPEG" and read_frame(file.read(MAX_JPEG_HEADER)) is None:
        raise TruncatedError(f"no picture begins within its first {MAX_JPEG_HEADER / 2**20:g} MiB")


@lru_cache(maxsize=1)
def _register_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
