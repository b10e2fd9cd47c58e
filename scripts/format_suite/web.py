"""JPEG, PNG, GIF and WebP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from format_suite.kinds import (
    EXACT,
    LOSSY,
    Kind,
    Made,
    by_pillow,
    grey,
    limited,
    on_three,
    on_white,
    ramp_of_alpha,
    saved,
    with_orientation,
    with_profile,
)
from format_suite.writers import Pixels, deep, in_gamut, png, profile


def jpegs() -> Iterator[Kind]:
    def kind(name: str, make: Callable[[Pixels], Made]) -> Kind:
        return Kind("JPEG", name, ".jpg", make)

    for name, sampling in (("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)):
        plain: dict[str, Any] = {"quality": 92, "subsampling": sampling}
        yield kind(f"baseline {name}", by_pillow("JPEG", LOSSY, **plain))
        yield kind(f"progressive {name}", by_pillow("JPEG", LOSSY, progressive=True, **plain))
    yield kind("restart markers", by_pillow("JPEG", LOSSY, quality=92, restart_marker_blocks=3))
    yield kind("RGB", by_pillow("JPEG", LOSSY, quality=92, keep_rgb=True))
    yield kind("grey", lambda p: Made(saved(grey(p), "JPEG", quality=92), on_three(grey(p)), LOSSY))
    yield kind(
        "grey progressive",
        lambda p: Made(saved(grey(p), "JPEG", quality=92, progressive=True), on_three(grey(p)), LOSSY),
    )

    def cmyk(pixels: Pixels) -> Made:
        inks = np.concatenate([255 - pixels, np.zeros((*pixels.shape[:2], 1), np.uint8)], axis=2)
        return Made(saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=92), pixels, LOSSY)

    yield kind("CMYK", cmyk)
    yield kind(
        "12 bits",
        lambda p: Made(bytes(imagecodecs.jpeg8_encode(deep(p, 12), level=92, bitspersample=12)), p, LOSSY),
    )
    yield kind(
        "12 bits grey",
        lambda p: Made(
            bytes(imagecodecs.jpeg8_encode(deep(grey(p), 12), level=92, bitspersample=12)),
            on_three(grey(p)),
            LOSSY,
        ),
    )
    for bits in (8, 12, 16):

        def lossless(pixels: Pixels, bits: int = bits) -> Made:
            data = imagecodecs.ljpeg_encode(deep(grey(pixels), bits), bitspersample=bits)
            return Made(bytes(data), on_three(grey(pixels)))

        yield kind(f"lossless {bits} bits", lossless)
    for name, gamut, gamma in (
        ("sRGB", "srgb", None),
        ("Display P3", "p3", None),
        ("Adobe RGB", "adobe", 2.19921875),
        ("linear", "srgb", 1.0),
    ):
        yield kind(f"profile {name}", with_profile("JPEG", gamut, gamma, LOSSY, quality=95, subsampling=0))

    def grey_profile(pixels: Pixels) -> Made:
        light = in_gamut(on_three(grey(pixels)), "srgb", 1.8)[..., 0]
        stored = (light * 255).round().astype(np.uint8)
        data = saved(stored, "JPEG", quality=95, icc_profile=profile("srgb", 1.8, grey=True))
        return Made(data, on_three(grey(pixels)), LOSSY)

    yield kind("profile grey", grey_profile)
    for orientation in range(1, 9):
        yield kind(f"orientation {orientation}", with_orientation("JPEG", orientation, LOSSY, quality=92))

    def mpo(pixels: Pixels) -> Made:
        other = Image.fromarray(255 - pixels)
        return Made(saved(pixels, "MPO", save_all=True, append_images=[other], quality=92), pixels, LOSSY)

    yield Kind("MPO", "two pictures", ".mpo", mpo)
    yield kind("gain map behind", lambda p: Made(mpo(p).data + saved(grey(p), "JPEG"), p, LOSSY, True))


def pngs() -> Iterator[Kind]:
    def kind(name: str, make: Callable[[Pixels], Made]) -> Kind:
        return Kind("PNG", name, ".png", make)

    for interlaced in (False, True):
        behind = " interlaced" if interlaced else ""
        for bits in (1, 2, 4, 8, 16):

            def of_grey(pixels: Pixels, bits: int = bits, interlaced: bool = interlaced) -> Made:
                values = limited(grey(pixels), 1 << min(bits, 8))
                data = png(deep(values, bits)[..., None], bits, 0, interlaced=interlaced)
                return Made(data, on_three(values))

            yield kind(f"grey {bits} bits{behind}", of_grey)
            if bits == 16:
                continue

            def palette(pixels: Pixels, bits: int = bits, interlaced: bool = interlaced) -> Made:
                indices = deep(limited(grey(pixels), 1 << bits), bits)
                colours = np.random.default_rng(bits).integers(0, 256, (1 << bits, 3)).astype(np.uint8)
                chunks = ((b"PLTE", colours.tobytes()), (b"tRNS", b"\0"))
                data = png(indices[..., None], bits, 3, *chunks, interlaced=interlaced)
                shown = colours.copy()
                shown[0] = 255
                return Made(data, shown[indices])

            yield kind(f"palette {bits} bits{behind}", palette)
        for bits in (8, 16):

            def rgb(pixels: Pixels, bits: int = bits, interlaced: bool = interlaced) -> Made:
                return Made(png(deep(pixels, bits), bits, 2, interlaced=interlaced), pixels)

            def alpha(pixels: Pixels, bits: int = bits, interlaced: bool = interlaced) -> Made:
                mask = ramp_of_alpha(pixels)
                data = png(deep(np.concatenate([pixels, mask], axis=2), bits), bits, 6, interlaced=interlaced)
                return Made(data, on_white(pixels, mask))

            def grey_alpha(pixels: Pixels, bits: int = bits, interlaced: bool = interlaced) -> Made:
                mask, values = ramp_of_alpha(pixels), grey(pixels)[..., None]
                data = png(deep(np.concatenate([values, mask], axis=2), bits), bits, 4, interlaced=interlaced)
                return Made(data, on_white(on_three(grey(pixels)), mask))

            def key(pixels: Pixels, bits: int = bits, interlaced: bool = interlaced) -> Made:
                stored = deep(pixels, bits)
                chosen = stored[-1, -1]
                shown = pixels.copy()
                shown[(stored == chosen).all(axis=2)] = 255
                chunk = (b"tRNS", chosen.astype(">u2").tobytes())
                return Made(png(stored, bits, 2, chunk, interlaced=interlaced), shown)

            yield kind(f"RGB {bits} bits{behind}", rgb)
            yield kind(f"RGBA {bits} bits{behind}", alpha)
            yield kind(f"grey and alpha {bits} bits{behind}", grey_alpha)
            yield kind(f"RGB with a key {bits} bits{behind}", key)
    yield kind(
        "12 bits in 16",
        lambda p: Made(png(deep(grey(p), 12)[..., None], 16, 0), on_three(grey(p))),
    )
    yield kind(
        "animated",
        lambda p: Made(saved(p, "PNG", save_all=True, append_images=[Image.fromarray(255 - p)]), p),
    )
    for name, gamut, gamma in (("Display P3", "p3", None), ("Adobe RGB", "adobe", 2.19921875)):
        yield kind(f"profile {name}", with_profile("PNG", gamut, gamma, 2))
    for orientation in range(1, 9):
        yield kind(f"orientation {orientation}", with_orientation("PNG", orientation, EXACT))


def gifs_and_webps() -> Iterator[Kind]:
    def quantised(pixels: Pixels) -> Image.Image:
        return Image.fromarray(limited(pixels, 6)).quantize(250)

    def shown(image: Image.Image) -> Pixels:
        return np.asarray(image.convert("RGB"))

    def gif(pixels: Pixels, **save: Any) -> Made:
        image = quantised(pixels)
        return Made(saved(image, "GIF", **save), shown(image))

    def animated(pixels: Pixels) -> Made:
        return gif(pixels, save_all=True, append_images=[quantised(255 - pixels)], duration=100)

    def transparent(pixels: Pixels) -> Made:
        image = quantised(pixels)
        index = int(np.asarray(image)[-1, -1])
        found = shown(image).copy()
        found[np.asarray(image) == index] = 255
        return Made(saved(image, "GIF", transparency=index), found)

    def small(pixels: Pixels) -> Made:
        made = gif(pixels, interlace=0)
        data = bytearray(made.data)
        height, width = pixels.shape[:2]
        data[6:10] = (width + 20).to_bytes(2, "little") + (height + 10).to_bytes(2, "little")
        at = data.index(b"\x2c", 13 + 3 * (2 << (data[10] & 7)))
        data[at + 1 : at + 5] = (5).to_bytes(2, "little") + (7).to_bytes(2, "little")
        canvas = np.full((height + 10, width + 20, 3), 255, np.uint8)
        canvas[7 : 7 + height, 5 : 5 + width] = made.shown
        return Made(bytes(data), canvas)

    yield Kind("GIF", "plain", ".gif", lambda p: gif(p, interlace=0))
    yield Kind("GIF", "interlaced", ".gif", lambda p: gif(p, interlace=1))
    yield Kind("GIF", "grey", ".gif", lambda p: Made(saved(grey(p), "GIF"), on_three(grey(p))))
    yield Kind("GIF", "animated", ".gif", animated)
    yield Kind("GIF", "transparent", ".gif", transparent)
    yield Kind("GIF", "frame smaller than the canvas", ".gif", small)

    def with_alpha(pixels: Pixels, **save: Any) -> Made:
        mask = ramp_of_alpha(pixels)
        return Made(
            saved(np.concatenate([pixels, mask], axis=2), "WEBP", **save), on_white(pixels, mask), LOSSY
        )

    more = {"save_all": True, "duration": 100}
    yield Kind("WebP", "lossy", ".webp", by_pillow("WEBP", LOSSY, quality=90))
    yield Kind("WebP", "lossless", ".webp", by_pillow("WEBP", lossless=True))
    yield Kind("WebP", "lossy alpha", ".webp", lambda p: with_alpha(p, quality=90))
    yield Kind("WebP", "lossless alpha", ".webp", lambda p: with_alpha(p, lossless=True))
    yield Kind(
        "WebP",
        "animated",
        ".webp",
        lambda p: Made(
            saved(p, "WEBP", lossless=True, append_images=[Image.fromarray(255 - p)], **more), p, EXACT
        ),
    )
    yield Kind("WebP", "profile Display P3", ".webp", with_profile("WEBP", "p3", None, 2, lossless=True))
    for orientation in range(1, 9):
        make = with_orientation("WEBP", orientation, EXACT, lossless=True)
        yield Kind("WebP", f"orientation {orientation}", ".webp", make)
