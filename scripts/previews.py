"""Photos that hold a smaller picture of themselves, written as phones and cameras write them."""

from __future__ import annotations

import io
import struct

import pillow_heif
from PIL import Image

FULL_HD = 0x010002  # type of a multi-picture file's large preview (CIPA DC-007, table 4)


def encoded(image: Image.Image, kind: str = "JPEG", **save: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **save)
    return buffer.getvalue()


def heif(image: Image.Image, side: int = 160, quality: int = 60, tile: int = 0) -> bytes:
    """A HEIC with a thumbnail.

    Args:
        side: of the thumbnail, the longer one, in pixels.
        tile: side of the tiles in pixels; 0 for one tile. Phones write 512.
    """
    pillow_heif.register_heif_opener()
    pillow_heif.options.GRID_TILE_SIZE = tile
    try:
        return encoded(image, "HEIF", thumbnails=[side], quality=quality)
    finally:
        pillow_heif.options.GRID_TILE_SIZE = 0


def with_preview(
    image: Image.Image, preview: Image.Image, kind: int = FULL_HD, exif: Image.Exif | None = None
) -> bytes:
    """A multi-picture file of a photo and a preview, as cameras write it."""
    extra = {"exif": exif.tobytes()} if exif is not None else {}
    data = encoded(image, "MPO", save_all=True, append_images=[preview], quality=92, **extra)
    at = data.index(b"MPF\0") + 4
    entry = data.index(struct.pack("<HHI", 0xB002, 7, 32), at)
    (offset,) = struct.unpack("<I", data[entry + 8 : entry + 12])
    second = at + offset + 16
    return data[:second] + struct.pack("<I", kind) + data[second + 4 :]


def with_thumbnail(image: Image.Image, thumbnail: Image.Image) -> bytes:
    """A JPEG with a large thumbnail in EXIF, as some phones write it."""
    inner = encoded(thumbnail, quality=85)
    first = Image.Exif().tobytes()[6:]
    # Its one directory has no link to a second: that one is put behind, and the link set.
    (begins,) = struct.unpack(">I", first[4:8])
    (count,) = struct.unpack(">H", first[begins : begins + 2])
    link, at = begins + 2 + 12 * count, len(first)
    places = ((0x0201, at + 2 + 24 + 4), (0x0202, len(inner)))
    second = struct.pack(">H", 2) + b"".join(struct.pack(">HHII", tag, 4, 1, value) for tag, value in places)
    body = first[:link] + struct.pack(">I", at) + first[link + 4 :] + second + bytes(4) + inner
    return encoded(image, quality=92, exif=b"Exif\0\0" + body)
