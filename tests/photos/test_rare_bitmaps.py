"""BMP files of rare kinds: shown rightly, or told as unsupported."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sorter.photos.decode import Decoder
from sorter.types import Decoded, Failure, Reason

WIDTH, HEIGHT = 61, 43


def failure(path: Path) -> Failure:
    found = Decoder(None)(path)
    assert isinstance(found, Failure), found
    return found


@pytest.mark.parametrize("with_mask", [False, True])
def test_bmp_of_sixteen_bits_with_transparency_is_on_white(tmp_path: Path, with_mask: bool) -> None:
    words = np.full((HEIGHT, WIDTH), 0x5F00, "<u2")  # red, a third opaque
    masks = (0xF00, 0xF0, 0xF, 0xF000 if with_mask else 0)
    stored = b"".join(row.tobytes() + b"\0\0" * (WIDTH % 2) for row in words)
    header = struct.pack("<IiiHHIIiiII", 56, WIDTH, HEIGHT, 1, 16, 3, len(stored), 0, 0, 0, 0)
    header += struct.pack("<IIII", *masks)
    start = b"BM" + struct.pack("<IHHI", 14 + 56 + len(stored), 0, 0, 14 + 56)
    (tmp_path / "a.bmp").write_bytes(start + header + stored)
    colour = (255, 170, 170) if with_mask else (255, 0, 0)
    found = Decoder(None)(tmp_path / "a.bmp")
    assert isinstance(found, Decoded), found
    assert np.array_equal(found.pixels, np.full((HEIGHT, WIDTH, 3), colour, np.uint8))


@pytest.mark.parametrize(
    ("bits", "compression", "colours", "named"),
    [(0, 4, 0, "JPEG"), (0, 5, 0, "PNG"), (2, 0, 4, "2 bits"), (8, 0, 300, "more colours")],
)
def test_bmp_of_a_rare_kind_is_unsupported(
    tmp_path: Path, bits: int, compression: int, colours: int, named: str
) -> None:
    begins = 14 + 40 + 4 * colours
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, bits, compression, 4096, 0, 0, colours, 0)
    start = b"BM" + struct.pack("<IHHI", begins + 4096, 0, 0, begins)
    (tmp_path / "a.bmp").write_bytes(start + header + bytes(4 * colours + 4096))
    found = failure(tmp_path / "a.bmp")
    assert found.reason is Reason.UNSUPPORTED
    assert named in found.message


def test_a_bitmap_without_a_file_header_is_unsupported(tmp_path: Path) -> None:
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a.dib")
    assert failure(tmp_path / "a.dib").reason is Reason.UNSUPPORTED
