"""Formats that sorter does not read: each has to be told as unsupported, and never as damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import imagecodecs

from format_suite.kinds import Kind, Made, saved
from format_suite.writers import Pixels

BY_PILLOW = (
    ("TGA", "TGA", ".tga"),
    ("PCX", "PCX", ".pcx"),
    ("ICO", "ICO", ".ico"),
    ("DDS", "DDS", ".dds"),
    ("EPS", "EPS", ".eps"),
)


def unread() -> Iterator[Kind]:
    def kind(format: str, suffix: str, encode: Callable[[Pixels], bytes]) -> Kind:
        return Kind(format, "not read", suffix, lambda pixels: Made(encode(pixels), None), read=False)

    for name, format, suffix in BY_PILLOW:
        yield kind(name, suffix, lambda pixels, format=format: saved(pixels, format))
    yield kind("JPEG XR", ".jxr", lambda pixels: bytes(imagecodecs.jpegxr_encode(pixels)))
    yield kind("QOI", ".qoi", lambda pixels: bytes(imagecodecs.qoi_encode(pixels)))
    yield kind(
        "Radiance HDR",
        ".hdr",
        lambda pixels: bytes(imagecodecs.rgbe_encode(pixels.astype("float32"), header=True)),
    )
