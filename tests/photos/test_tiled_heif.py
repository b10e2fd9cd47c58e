"""HEIF pictures of several tiles, as phones write them: whole, and cut short."""

import io
import struct
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from sorter.photos.decode import Decoder
from sorter.types import Decoded, Failure, Reason

SIDE = 128
COLOURS = ((200, 40, 40), (40, 40, 200))  # of the left tile and of the right one


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def encoded_tile(colour: tuple[int, int, int]) -> tuple[bytes, bytes]:
    """The `hvcC` box and the coded picture of one tile."""
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), colour).save(buffer, "HEIF", quality=90)
    data = buffer.getvalue()
    at = data.index(b"hvcC") - 4
    (length,) = struct.unpack(">I", data[at : at + 4])
    return data[at : at + length], data[data.index(b"mdat") + 4 :]


def tiled_heif() -> bytes:
    """Two tiles beside each other. Source: ISO 23008-12, 6.6.2.3."""
    tiles = [encoded_tile(colour) for colour in COLOURS]
    sizes = [struct.pack(">III", 0, width, SIDE) for width in (SIDE, 2 * SIDE)]
    kinds = b"".join([*(codec for codec, _ in tiles), *(box(b"ispe", size) for size in sizes)])
    used = b"".join(
        struct.pack(">HB", item, len(properties)) + bytes(properties)
        for item, properties in ((1, (0x81, 3)), (2, (0x82, 3)), (3, (4,)))
    )
    entries = b"".join(
        box(b"infe", struct.pack(">IHH4sB", 2 << 24 | hidden, item, 0, name, 0))
        for item, hidden, name in ((1, 1, b"hvc1"), (2, 1, b"hvc1"), (3, 0, b"grid"))
    )
    grid = struct.pack(">BBBBHH", 0, 0, 0, 1, 2 * SIDE, SIDE)

    def meta(begins: int) -> bytes:
        first, second = (len(data) for _, data in tiles)
        places = ((1, 0, begins, first), (2, 0, begins + first, second), (3, 1, 0, len(grid)))
        located = b"".join(struct.pack(">HHHHII", item, way, 0, 1, *where) for item, way, *where in places)
        return box(
            b"meta",
            bytes(4)
            + box(b"hdlr", bytes(8) + b"pict" + bytes(13))
            + box(b"pitm", struct.pack(">IH", 0, 3))
            + box(b"iinf", struct.pack(">IH", 0, 3) + entries)
            + box(b"iref", bytes(4) + box(b"dimg", struct.pack(">HHHH", 3, 2, 1, 2)))
            + box(b"iprp", box(b"ipco", kinds) + box(b"ipma", struct.pack(">II", 0, 3) + used))
            + box(b"idat", grid)
            + box(b"iloc", struct.pack(">IBBH", 1 << 24, 0x44, 0, 3) + located),
        )

    ftyp = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    head = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(head) + box(b"mdat", b"".join(data for _, data in tiles))


def test_the_tiles_of_a_heif_are_one_picture(tmp_path: Path) -> None:
    photo = tmp_path / "photo.heic"
    photo.write_bytes(tiled_heif())
    decoded = Decoder(None)(photo)
    assert isinstance(decoded, Decoded)
    assert (decoded.width, decoded.height) == (2 * SIDE, SIDE)
    for half, colour in zip(np.split(decoded.pixels, 2, axis=1), COLOURS, strict=True):
        assert half.mean((0, 1)) == pytest.approx(colour, abs=6)


@pytest.mark.parametrize("missing", [1, 40])
def test_a_heif_without_its_last_tile_is_truncated(tmp_path: Path, missing: int) -> None:
    photo = tmp_path / "photo.heic"
    photo.write_bytes(tiled_heif()[:-missing])
    outcome = Decoder(None)(photo)
    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.TRUNCATED


def test_what_follows_the_tiles_may_be_missing(tmp_path: Path) -> None:
    photo = tmp_path / "photo.heic"
    photo.write_bytes(tiled_heif() + box(b"free", bytes(100))[:-50])
    assert isinstance(Decoder(None)(photo), Decoded)
