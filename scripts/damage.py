"""A suite of damaged and of healthy files: every format, every kind of damage, made from one picture.

The tests of `sorter clean` and its benchmark use it. By hand:
    python scripts/damage.py ./suite
"""

from __future__ import annotations

import argparse
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

WIDTH, HEIGHT = 320, 240


@dataclass(frozen=True)
class Sample:
    """A file, and the right verdicts on it.

    Attributes:
        name: of the file.
        data: its bytes.
        verdicts: any of these is right. `ok` for healthy files.
    """

    name: str
    data: bytes
    verdicts: frozenset[str]


def picture(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Shapes on a ramp with a little noise: sharp, of medium brightness, and not symmetrical."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([60 + 120 * x / width, 50 + 120 * y / height, np.full(x.shape, 90.0)], -1)
    for _ in range(40):
        left, top = rng.integers(0, width - 20), rng.integers(0, height - 20)
        wide, high = rng.integers(10, width // 3), rng.integers(10, height // 3)
        pixels[top : top + high, left : left + wide] = rng.integers(10, 245, 3)
    pixels += rng.normal(0, 6, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def encode(image: Image.Image, format: str, **save: Any) -> bytes:
    if format == "HEIF":
        pillow_heif.register_heif_opener()
    if format == "GIF":  # Pillow's default quantiser takes a second a frame
        image, *frames = (
            each.quantize(256, Image.Quantize.FASTOCTREE) for each in (image, *save.pop("append_images", ()))
        )
        save = {**save, "append_images": frames} if frames else save
    buffer = io.BytesIO()
    image.save(buffer, format, **save)
    return buffer.getvalue()


FORMATS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "baseline": ("JPEG", "jpg", {"quality": 90}),
    "progressive": ("JPEG", "jpg", {"quality": 85, "progressive": True}),
    "restarts": ("JPEG", "jpg", {"quality": 90, "restart_marker_blocks": 4}),
    "png": ("PNG", "png", {}),
    "webp": ("WEBP", "webp", {"quality": 80}),
    "webp-lossless": ("WEBP", "webp", {"lossless": True}),
    "gif": ("GIF", "gif", {}),
    "bmp": ("BMP", "bmp", {}),
    "tiff": ("TIFF", "tif", {}),
    "tiff-lzw": ("TIFF", "tif", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", "tiff", {"compression": "tiff_adobe_deflate"}),
    "tiff-jpeg": ("TIFF", "tif", {"compression": "jpeg"}),
    "avif": ("AVIF", "avif", {"quality": 70}),
    "heic": ("HEIF", "heic", {"quality": 70}),
}


def healthy() -> Iterator[Sample]:
    """Files as cameras, programs and web sites write them. No tool should object to them."""
    image = picture()
    for name, (format, suffix, save) in FORMATS.items():
        yield _sample(f"{name}.{suffix}", encode(image, format, **save), "ok")
    jpeg = encode(image, "JPEG", quality=90)
    exif = Image.Exif()
    exif[0x0112] = 6
    yield _sample("turned.jpg", encode(image, "JPEG", exif=exif), "ok")
    yield _sample("grey.jpg", encode(image.convert("L"), "JPEG"), "ok")
    yield _sample("cmyk.jpg", encode(image.convert("CMYK"), "JPEG"), "ok")
    yield _sample("444.jpeg", encode(image, "JPEG", subsampling=0), "ok")
    second = encode(picture(1), "JPEG")
    yield _sample("mpo.jpg", encode(image, "MPO", save_all=True, append_images=[picture(1)]), "ok")
    yield _sample("gain-map.jpg", jpeg + second, "ok")
    yield _sample("motion-photo.jpg", jpeg + b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(4000), "ok")
    yield _sample("padded.jpg", jpeg + bytes(512), "ok")
    yield _sample("grey.png", encode(image.convert("L"), "PNG"), "ok")
    yield _sample("palette.png", encode(image.quantize(64), "PNG"), "ok")
    yield _sample("alpha.png", encode(image.convert("RGBA"), "PNG"), "ok")
    deep = np.asarray(image.convert("L")).astype(np.uint16) * 257
    yield _sample("16-bit.png", encode(Image.fromarray(deep), "PNG"), "ok")
    yield _sample("16-bit.tif", encode(Image.fromarray(deep), "TIFF"), "ok")
    yield _sample("big.tif", encode(image, "TIFF", big_tiff=True), "ok")
    yield _sample("cmyk.tif", encode(image.convert("CMYK"), "TIFF"), "ok")
    frames = [picture(seed) for seed in (2, 3)]
    for format, suffix in (
        ("GIF", "gif"),
        ("PNG", "png"),
        ("WEBP", "webp"),
        ("TIFF", "tif"),
        ("AVIF", "avif"),
    ):
        data = encode(image, format, save_all=True, append_images=frames)
        yield _sample(f"several.{suffix}", data, "ok")
    yield _sample("alpha.webp", encode(image.convert("RGBA"), "WEBP"), "ok")
    yield _sample("text.png", _png_with(encode(image, "PNG"), b"tEXt", b"Comment\0made by a test"), "ok")


def damaged() -> Iterator[Sample]:
    """Files that cannot be decoded in full, and files that decode with a warning."""
    image = picture()
    for name, (format, suffix, save) in FORMATS.items():
        data = encode(image, format, **save)
        for part in (0.1, 0.5, 0.9):
            cut = data[: int(len(data) * part)]
            yield _sample(f"{name}-cut-{part:.0%}.{suffix}".replace("%", ""), cut, "broken")
        yield _sample(f"{name}-no-pixels.{suffix}", data[:40], "broken")
        yield _sample(f"{name}-zeros.{suffix}", bytes(len(data)), "broken")
        yield _sample(f"{name}-empty.{suffix}", b"", "broken")
    jpeg = encode(image, "JPEG", quality=90)
    yield _sample("no-end.jpg", jpeg[:-2], "damaged", "broken")
    yield _sample("half-and-end.jpg", jpeg[: len(jpeg) // 2] + b"\xff\xd9", "broken")
    yield _sample("zeroed-block.jpg", _zeroed(jpeg, 0.5, 0.75), "broken", "damaged")
    yield _sample("zeroed-tail.jpg", _zeroed(jpeg, 0.5, 1.0), "broken", "damaged")
    yield _sample("bad-quantisation.jpg", jpeg.replace(b"\xff\xdb\0\x43", b"\xff\xdb\0\x03", 1), "broken")
    yield _sample("stray-bytes.jpg", jpeg + b"this is not part of the picture" * 40, "damaged")
    yield _sample("between-segments.jpg", jpeg[:2] + b"stray" + jpeg[2:], "damaged", "broken")
    png = encode(image, "PNG")
    yield _sample("bad-idat.png", _flipped(png, png.index(b"IDAT") + 4000), "broken")
    yield _sample("bad-ihdr.png", _flipped(png, png.index(b"IHDR") + 14), "broken")
    palette = encode(image.quantize(64), "PNG")
    yield _sample("bad-palette.png", _flipped(palette, palette.index(b"PLTE") + 9), "broken")
    text = _png_with(png, b"tEXt", b"Comment\0made by a test")
    yield _sample("bad-text.png", _flipped(text, text.index(b"tEXt") + 15), "damaged", "broken")
    yield _sample("no-end.png", png[:-12], "damaged", "broken")
    yield _sample("stray-bytes.png", png + b"this is not part of the picture" * 40, "damaged")
    gif = encode(image, "GIF")
    yield _sample("no-end.gif", gif[:-1], "damaged", "broken")
    animated = encode(image, "GIF", save_all=True, append_images=[picture(2), picture(3)])
    yield _sample("second-frame-cut.gif", animated[: int(len(animated) * 0.6)], "broken")
    moving = encode(image, "WEBP", save_all=True, append_images=[picture(2), picture(3)])
    yield _sample("second-frame-cut.webp", moving[: int(len(moving) * 0.6)], "broken")
    pages = encode(image, "TIFF", save_all=True, append_images=[picture(2)], compression="tiff_lzw")
    yield _sample("second-page-cut.tif", pages[: int(len(pages) * 0.8)], "broken")
    lzw = encode(image, "TIFF", compression="tiff_lzw")
    yield _sample("overwritten.tif", lzw[:2000] + b"\xff" * 3000 + lzw[5000:], "broken")
    yield _sample("page.jpg", b"<!DOCTYPE html><html><body>404 not found</body></html>", "broken")
    yield _sample("text.png", b"no picture at all\n" * 30, "broken")
    yield _sample("archive.jpg", b"PK\x03\x04" + bytes(200), "broken")
    yield _sample("bomb.png", bomb(), "unsupported")


def bomb(side: int = 30_000) -> bytes:
    """A PNG of 900 megapixels in a few kilobytes."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = packer.compress(bytes((side + 7) // 8 + 1) * 50) + packer.flush()
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def write(folder: Path) -> dict[Path, frozenset[str]]:
    """Write `healthy/` and `damaged/`. Returns path -> the right verdicts."""
    wanted = {}
    for part, samples in (("healthy", healthy()), ("damaged", damaged())):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for sample in samples:
            path = folder / part / sample.name
            path.write_bytes(sample.data)
            wanted[path] = sample.verdicts
    return wanted


def _sample(name: str, data: bytes, *verdicts: str) -> Sample:
    return Sample(name, data, frozenset(verdicts))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png_with(png: bytes, name: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk before its end."""
    return png[:-12] + _chunk(name, data) + png[-12:]


def _flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 0x10
    return bytes(changed)


def _zeroed(data: bytes, low: float, high: float) -> bytes:
    """Zeros in a part of the file, as after a lost sector of a disk."""
    begin, end = int(len(data) * low), int(len(data) * high)
    return data[:begin] + bytes(end - begin) + data[end:]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where healthy/ and damaged/ go")
    folder = parser.parse_args().folder
    print(f"{len(write(folder))} files in {folder}")


if __name__ == "__main__":
    main()
