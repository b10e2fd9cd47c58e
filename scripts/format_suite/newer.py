"""JPEG XL, JPEG 2000 and PNM."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import imagecodecs
import numpy as np
import pillow_jxl  # noqa: F401 - tells Pillow of JPEG XL
from numpy.typing import NDArray
from PIL import Image

from format_suite.kinds import (
    LOSSY,
    Kind,
    Made,
    by_pillow,
    exif,
    grey,
    on_three,
    on_white,
    ramp_of_alpha,
    saved,
    turned,
    with_orientation,
)
from format_suite.writers import Pixels, deep, in_gamut, profile

EXIF_UUID = b"JpgTiffExif->JP2"


def jxls() -> Iterator[Kind]:
    def kind(name: str, make: Callable[[Pixels], Made]) -> Kind:
        return Kind("JPEG XL", name, ".jxl", make)

    yield kind("lossy", by_pillow("JXL", LOSSY, quality=90))
    yield kind("lossless", by_pillow("JXL", lossless=True))
    yield kind("lossless in boxes", by_pillow("JXL", lossless=True, use_container=True))
    yield kind("grey", lambda pixels: Made(saved(grey(pixels), "JXL", lossless=True), on_three(grey(pixels))))
    yield kind("transparency", _transparent("JXL", lossless=True))
    yield kind("grey with transparency", _transparent_grey("JXL", lossless=True))
    for depth in (np.uint16, np.float32):
        yield kind(f"linear {np.dtype(depth).name}", lambda pixels, depth=depth: _linear(pixels, depth))

    def animated(pixels: Pixels) -> Made:
        frames = np.stack([pixels, 255 - pixels, pixels // 2])
        return Made(bytes(imagecodecs.jpegxl_encode(frames, lossless=True)), pixels)

    yield kind("animated", animated)
    for orientation in range(1, 9):
        yield kind(f"from a JPEG of orientation {orientation}", _from_jpeg(orientation))
        yield kind(f"orientation {orientation} in EXIF only", _with_exif(orientation))


def jp2s() -> Iterator[Kind]:
    def kind(name: str, make: Callable[[Pixels], Made], suffix: str = ".jp2") -> Kind:
        return Kind("JPEG 2000", name, suffix, make)

    yield kind("lossless", by_pillow("JPEG2000"))
    yield kind("lossy", by_pillow("JPEG2000", LOSSY, irreversible=True, quality_layers=[10]))
    yield kind("codestream only", by_pillow("JPEG2000", no_jp2=True), ".j2k")
    yield kind("tiles", by_pillow("JPEG2000", tile_size=(32, 32)))
    yield kind("grey", lambda pixels: Made(saved(grey(pixels), "JPEG2000"), on_three(grey(pixels))))
    yield kind("transparency", _transparent("JPEG2000"))
    yield kind("grey with transparency", _transparent_grey("JPEG2000"))
    for bits in (12, 16):
        yield kind(f"{bits} bits", lambda pixels, bits=bits: Made(_deep_jp2(pixels, bits), pixels))
        one = lambda p, bits=bits: Made(_deep_jp2(grey(p), bits), on_three(grey(p)))  # noqa: E731
        yield kind(f"grey, {bits} bits", one)
    yield from _jp2_colours(kind)
    for orientation in range(1, 9):

        def oriented(pixels: Pixels, orientation: int = orientation) -> Made:
            tags = exif(orientation).tobytes().removeprefix(b"Exif\0\0")
            stored = turned(pixels, orientation)
            return Made(jp2(_stream(stored), stored, named(16)) + box(b"uuid", EXIF_UUID + tags), pixels)

        yield kind(f"orientation {orientation}", oriented)


def _jp2_colours(kind: Callable[[str, Callable[[Pixels], Made]], Kind]) -> Iterator[Kind]:
    def ycc(pixels: Pixels) -> Made:
        stored = np.asarray(Image.fromarray(pixels).convert("YCbCr"))
        return Made(jp2(_stream(stored), stored, named(18)), pixels, 3)

    def inks(pixels: Pixels) -> Made:
        stored = np.dstack([255 - pixels, np.zeros(pixels.shape[:2], np.uint8)])
        return Made(jp2(_stream(stored), stored, named(12)), pixels)

    def with_icc(pixels: Pixels) -> Made:
        stored = (in_gamut(pixels, "p3", None) * 255).round().astype(np.uint8)
        return Made(jp2(_stream(stored), stored, box(b"colr", b"\2\0\0" + profile("p3", None))), pixels, 2)

    def palette(pixels: Pixels) -> Made:
        image = Image.fromarray(pixels).quantize(200)
        colours = image.getpalette() or []
        table = struct.pack(">HB3B", len(colours) // 3, 3, 7, 7, 7) + bytes(colours)
        maps = b"".join(struct.pack(">HBB", 0, 1, column) for column in range(3))
        boxes = box(b"pclr", table) + box(b"cmap", maps)
        stored = np.asarray(image)
        return Made(jp2(_stream(stored), stored, named(16) + boxes), np.asarray(image.convert("RGB")))

    def premultiplied(pixels: Pixels) -> Made:
        alpha = ramp_of_alpha(pixels)
        stored = np.dstack([(pixels * (alpha / 255)).round().astype(np.uint8), alpha])
        channels = struct.pack(">H12H", 4, 0, 0, 1, 1, 0, 2, 2, 0, 3, 3, 2, 0)
        return Made(
            jp2(_stream(stored), stored, named(16) + box(b"cdef", channels)), on_white(pixels, alpha), 3
        )

    yield kind("YCbCr", ycc)
    yield kind("CMYK", inks)
    yield kind("profile Display P3", with_icc)
    yield kind("palette", palette)
    yield kind("premultiplied transparency", premultiplied)


def pnms() -> Iterator[Kind]:
    def kind(name: str, suffix: str, make: Callable[[Pixels], Made]) -> Kind:
        return Kind("PNM", name, suffix, make)

    yield kind("PPM", ".ppm", by_pillow("PPM"))
    yield kind("PGM", ".pgm", lambda pixels: Made(saved(grey(pixels), "PPM"), on_three(grey(pixels))))
    for bits in (4, 10, 16):

        def deeper(pixels: Pixels, bits: int = bits) -> Made:
            top = (1 << bits) - 1
            values = (pixels.astype(np.float64) * top / 255).round().astype(">u2" if bits > 8 else np.uint8)
            return Made(_head(6, pixels, top) + values.tobytes(), pixels, 255 / top)

        yield kind(f"PPM, {bits} bits", ".ppm", deeper)

    def two_levels(pixels: Pixels) -> Made:
        image = Image.fromarray(grey(pixels) > 128)
        return Made(saved(image, "PPM"), np.asarray(image.convert("RGB")))

    def in_text(pixels: Pixels) -> Made:
        return Made(_head(3, pixels, 255) + b"\n".join(b"%d" % value for value in pixels.ravel()), pixels)

    def pam(pixels: Pixels) -> Made:
        alpha = ramp_of_alpha(pixels)
        fields = (
            f"WIDTH {pixels.shape[1]}\nHEIGHT {pixels.shape[0]}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\n"
        )
        values = np.dstack([pixels, alpha]).tobytes()
        return Made(b"P7\n# a comment\n" + fields.encode() + b"ENDHDR\n" + values, on_white(pixels, alpha))

    yield kind("PBM", ".pbm", two_levels)
    yield kind("PPM in text", ".ppm", in_text)
    yield kind("PAM with transparency", ".pam", pam)


def _head(magic: int, pixels: Pixels, top: int) -> bytes:
    return f"P{magic}\n# a comment\n{pixels.shape[1]} {pixels.shape[0]}\n{top}\n".encode()


def _transparent(format: str, **save: Any) -> Callable[[Pixels], Made]:
    def make(pixels: Pixels) -> Made:
        alpha = ramp_of_alpha(pixels)
        return Made(saved(np.dstack([pixels, alpha]), format, **save), on_white(pixels, alpha))

    return make


def _transparent_grey(format: str, **save: Any) -> Callable[[Pixels], Made]:
    def make(pixels: Pixels) -> Made:
        alpha = ramp_of_alpha(pixels)
        layer = Image.merge("LA", [Image.fromarray(grey(pixels)), Image.fromarray(alpha[..., 0])])
        return Made(saved(layer, format, **save), on_white(on_three(grey(pixels)), alpha))

    return make


def _linear(pixels: Pixels, depth: type) -> Made:
    """As imagecodecs writes more than 8 bits: it calls them linear. Dark, as there 8 bits of light are too few."""
    dark = pixels // 8
    coded = dark / 255
    light = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    values = light.astype(np.float32) if depth is np.float32 else (light * 0xFFFF).round().astype(np.uint16)
    return Made(bytes(imagecodecs.jpegxl_encode(values, lossless=True)), dark)


def _from_jpeg(orientation: int) -> Callable[[Pixels], Made]:
    made = with_orientation("JPEG", orientation, LOSSY, quality=95)

    def make(pixels: Pixels) -> Made:
        jpeg = made(pixels)
        return Made(bytes(imagecodecs.jpegxl_encode_jpeg(jpeg.data)), jpeg.shown, jpeg.within)

    return make


def _with_exif(orientation: int) -> Callable[[Pixels], Made]:
    def make(pixels: Pixels) -> Made:
        stored = turned(pixels, orientation)
        tags = exif(orientation).tobytes()
        return Made(saved(stored, "JXL", exif=tags, lossless=True, use_container=True), pixels)

    return make


def _stream(stored: NDArray[Any]) -> bytes:
    """A codestream whose components are stored as they are."""
    how = {"codecformat": "j2k", "reversible": True, "mct": False}
    return bytes(imagecodecs.jpeg2k_encode(np.ascontiguousarray(stored), level=0, **how))


def _deep_jp2(pixels: Pixels, bits: int) -> bytes:
    values = deep(pixels, bits).astype(np.uint16)
    return bytes(imagecodecs.jpeg2k_encode(values, level=0, bitspersample=bits, reversible=True))


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, name) + body


def named(colours: int) -> bytes:
    """A box of enumerated colours."""
    return box(b"colr", b"\1\0\0" + struct.pack(">I", colours))


def jp2(stream: bytes, stored: NDArray[Any], header: bytes) -> bytes:
    """A JP2 file around a codestream of 8 bits."""
    height, width = stored.shape[:2]
    channels = stored.shape[2] if stored.ndim == 3 else 1
    size = box(b"ihdr", struct.pack(">IIH4B", height, width, channels, 7, 7, 0, 0))
    return (
        box(b"jP  ", b"\r\n\x87\n")
        + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
        + box(b"jp2h", size + header)
        + box(b"jp2c", stream)
    )
