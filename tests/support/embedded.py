"""Photos that hold a smaller picture, which the tests make as phones and cameras write them."""

from __future__ import annotations

import io
import struct

import numpy as np
import pillow_heif
from PIL import Image, ImageDraw

SIZE = (1600, 1200)
FULL_HD = 0x010002  # type of a multi-picture file's large preview (CIPA DC-007, table 4)

pillow_heif.register_heif_opener()


def scene(size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture without symmetry, whose JPEG is large enough for a look at its previews."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.rectangle((0, 0, width // 3, height // 5), fill=(200, 40, 40))
    draw.ellipse((width // 2, height // 2, width * 7 // 8, height * 7 // 8), fill=(30, 60, 200))
    return noisy(image)


def noisy(image: Image.Image) -> Image.Image:
    noise = np.random.default_rng(0).integers(-20, 21, (image.height, image.width, 1))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def two_halves(upper: tuple[int, int, int], lower: tuple[int, int, int]) -> Image.Image:
    """Two colours, one above the other."""
    image = Image.new("RGB", SIZE, upper)
    image.paste(lower, (0, SIZE[1] // 4, *SIZE))
    return noisy(image)


def encoded(image: Image.Image, kind: str = "JPEG", **save: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **save)
    return buffer.getvalue()


def heif(image: Image.Image, side: int = 160, **save: object) -> bytes:
    return encoded(image, "HEIF", thumbnails=[side], quality=60, **save)


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
