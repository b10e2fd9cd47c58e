"""Zeros behind a picture: what a download or a copy leaves that reserved its room and then stopped."""

from __future__ import annotations

import io
import os
from typing import IO

BLOCK = 1 << 20  # bytes
ZEROS = bytes(BLOCK)
PADDED = frozenset(
    {"JPEG", "GIF"}
)  # whose readers search byte by byte, and whose data never ends in so many zeros


def without_padding(file: IO[bytes], kind: str, most: int) -> IO[bytes]:
    """The file without the zeros at its end, where these are 1 MiB or more. Else the file itself, at its start.

    Of a WebP, what lies behind its own length goes. Readers of JPEG and GIF search zeros byte by byte, a minute for
    250 MB. A JPEG's decoder even takes them for its picture, so that one which was cut short seems whole.

    Args:
        kind: as of `format_of`.
        most: fewer bytes than these may be read into memory.
    """
    size = file.seek(0, os.SEEK_END)
    end = size
    if kind == "WEBP":  # its header gives its length
        file.seek(4)
        end = min(size, 8 + int.from_bytes(file.read(4), "little"))
    if kind in PADDED:
        while end >= BLOCK:
            file.seek(end - BLOCK)
            if file.read(BLOCK) != ZEROS:
                break
            end -= BLOCK
    file.seek(0)
    if end == size or end >= most:
        return file
    data = file.read(end)
    return io.BytesIO(data.rstrip(b"\0") if kind in PADDED else data)
