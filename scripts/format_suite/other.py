"""TIFF, BMP, AVIF, HEIC and DNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from format_suite.kinds import (
    LOSSY,
    Kind,
    Made,
    by_pillow,
    exif,
    grey,
    limited,
    on_three,
    on_white,
    ramp_of_alpha,
    saved,
    turned,
    with_orientation,
    with_profile,
)
from format_suite.writers import (
    Pixels,
    bmp,
    bmp_core,
    bmp_runs,
    clap,
    deep,
    in_gamut,
    log_luv,
    packed,
    profile,
    tiff,
    with_property,
    words,
)


def written(values: NDArray[Any], **how: Any) -> bytes:
    """A TIFF by tifffile."""
    held = io.BytesIO()
    tifffile.imwrite(held, values, **how)
    return held.getvalue()


def tiffs() -> Iterator[Kind]:
    def kind(name: str, make: Callable[[Pixels], Made]) -> Kind:
        return Kind("TIFF", name, ".tif", make)

    yield from _tiff_depths(kind)
    yield from _tiff_colours(kind)
    for compression in (
        *("lzw", "zlib", "packbits", "zstd", "lzma", "jpeg", "webp", "jpeg2000", "lerc", "png", "jpegxl"),
        *("jpegxr", "lzw predictor", "zlib predictor"),
    ):

        def compressed(pixels: Pixels, compression: str = compression) -> Made:
            name, _, predictor = compression.partition(" ")
            how = {"predictor": True} if predictor else {}
            data = written(pixels, photometric="rgb", compression=name, rowsperstrip=16, **how)
            return Made(data, pixels, LOSSY)

        yield kind(f"compression {compression}", compressed)
    for name in ("group3", "group4", "tiff_ccitt"):

        def two_levels(pixels: Pixels, name: str = name) -> Made:
            image = Image.fromarray(grey(pixels) > 128)
            return Made(saved(image, "TIFF", compression=name), np.asarray(image.convert("RGB")))

        yield kind(f"1 bit {name.removeprefix('tiff_')}", two_levels)
    for tile in ((16, 16), (64, 32), (256, 256)):

        def tiled(pixels: Pixels, tile: tuple[int, int] = tile) -> Made:
            return Made(written(pixels, photometric="rgb", tile=tile, compression="zlib"), pixels)

        yield kind(f"tiles {tile[0]} x {tile[1]}", tiled)
    for order, name in (("<", "little"), (">", "big")):

        def big(pixels: Pixels, order: str = order) -> Made:
            return Made(written(pixels, photometric="rgb", bigtiff=True, byteorder=order), pixels)

        yield kind(f"BigTIFF {name}-endian", big)
    for orientation in range(1, 9):

        def oriented(pixels: Pixels, orientation: int = orientation) -> Made:
            tags = [(274, 3, 1, orientation, True)]
            stored = turned(pixels, orientation)
            return Made(written(stored, photometric="rgb", extratags=tags, metadata=None), pixels)

        yield kind(f"orientation {orientation}", oriented)

    def pages(pixels: Pixels) -> Made:
        held = io.BytesIO()
        with tifffile.TiffWriter(held) as file:
            for each in (pixels, 255 - pixels):
                file.write(each, photometric="rgb")
        return Made(held.getvalue(), pixels, first_in_half=True)

    def reduced_first(pixels: Pixels) -> Made:
        held = io.BytesIO()
        with tifffile.TiffWriter(held) as file:
            file.write(255 - pixels[::4, ::4], photometric="rgb", subfiletype=1)
            file.write(pixels, photometric="rgb")
        return Made(held.getvalue(), pixels)

    yield kind("two pages", pages)
    yield kind("reduced page first", reduced_first)
    for name, gamut, gamma in (("Display P3", "p3", None), ("Adobe RGB", "adobe", 2.19921875)):
        yield kind(f"profile {name}", with_profile("TIFF", gamut, gamma, 2))
    for bits in (8, 16):

        def wide(pixels: Pixels, bits: int = bits) -> Made:
            stored = (in_gamut(pixels, "p3", None) * ((1 << bits) - 1)).round().astype(f"u{bits // 8}")
            how = {"iccprofile": profile("p3", None), "tile": (32, 32)}
            return Made(written(stored, photometric="rgb", **how), pixels, 2)

        yield kind(f"profile Display P3, tiles of {bits} bits", wide)


def _tiff_depths(kind: Callable[[str, Callable[[Pixels], Made]], Kind]) -> Iterator[Kind]:
    for bits in (8, 16, 32):
        for order, end in (("<", "little"), (">", "big")):
            for planar in ("contig", "separate"):

                def rgb(pixels: Pixels, bits: int = bits, order: str = order, planar: str = planar) -> Made:
                    values = deep(pixels, bits)
                    stored = values if planar == "contig" else np.moveaxis(values, -1, 0)
                    how = {"photometric": "rgb", "planarconfig": planar, "byteorder": order}
                    return Made(written(stored, **how), pixels)

                yield kind(f"RGB {bits} bits {planar} {end}-endian", rgb)
    for bits in (1, 2, 4, 6, 8, 10, 12, 14, 16, 24, 32):
        for photometric, name in ((1, "black"), (0, "white")):

            def depth(pixels: Pixels, bits: int = bits, photometric: int = photometric) -> Made:
                shown = limited(grey(pixels), 1 << min(bits, 8))
                values = deep(shown, bits)
                if not photometric:
                    values = ((1 << bits) - 1) - values
                if bits == 16 or bits == 32:
                    rows = values.astype(f"<u{bits // 8}").tobytes()
                elif bits == 24:
                    rows = values.astype("<u4").reshape(-1).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
                else:
                    rows = b"".join(packed(values[..., None], bits))
                size = (pixels.shape[1], pixels.shape[0])
                return Made(tiff(rows, size, bits, photometric), on_three(shown))

            yield kind(f"grey {bits} bits, zero is {name}", depth)
    for name, top in (("float16", 1), ("float32", 1), ("float64", 1), ("float32", 255), ("float32", 65535)):

        def floats(pixels: Pixels, name: str = name, top: int = top) -> Made:
            values = (pixels.astype(np.float64) * top / 255).astype(name)
            return Made(written(values, photometric="rgb"), pixels)

        yield kind(f"{name} to {top}", floats)
    yield kind("12 bits in 16", lambda p: Made(written(deep(p, 12), photometric="rgb"), p))


def _tiff_colours(kind: Callable[[str, Callable[[Pixels], Made]], Kind]) -> Iterator[Kind]:
    for extra in ("unassalpha", "assocalpha"):
        for bits in (8, 16):
            for channels, photometric in ((1, "minisblack"), (3, "rgb")):

                def alpha(
                    pixels: Pixels,
                    extra: str = extra,
                    bits: int = bits,
                    channels: int = channels,
                    photometric: str = photometric,
                ) -> Made:
                    mask = ramp_of_alpha(pixels)
                    colour = pixels if channels == 3 else grey(pixels)[..., None]
                    stored = colour if extra == "unassalpha" else (colour * (mask / 255)).round().astype("u1")
                    values = deep(np.concatenate([stored, mask], axis=2), bits)
                    how = {"photometric": photometric, "extrasamples": [extra], "planarconfig": "contig"}
                    shown = on_white(pixels if channels == 3 else on_three(grey(pixels)), mask)
                    return Made(written(values, **how), shown)

                yield kind(f"{photometric} {bits} bits, {extra}", alpha)
    for planar in ("contig", "separate"):
        for bits in (8, 16):

            def cmyk(pixels: Pixels, planar: str = planar, bits: int = bits) -> Made:
                inks = np.concatenate([255 - pixels, np.zeros_like(pixels[..., :1])], axis=2)
                values = deep(inks, bits)
                stored = values if planar == "contig" else np.moveaxis(values, -1, 0)
                return Made(written(stored, photometric="separated", planarconfig=planar), pixels)

            yield kind(f"CMYK {bits} bits {planar}", cmyk)
    for top in (255, 65535):

        def palette(pixels: Pixels, top: int = top) -> Made:
            ramp = np.arange(256)
            colours = np.stack([ramp, 255 - ramp, ramp // 2])
            shown = colours.T.astype(np.uint8)[grey(pixels)]
            stored = (colours * (top // 255)).astype(np.uint16)
            return Made(written(grey(pixels), photometric="palette", colormap=stored), shown)

        yield kind(f"palette to {top}", palette)
    for bits in (8, 16):

        def lab(pixels: Pixels, bits: int = bits) -> Made:
            srgb, target = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
            image = ImageCms.profileToProfile(Image.fromarray(pixels), srgb, target, outputMode="LAB")
            assert image is not None
            values = np.asarray(image)
            values = np.concatenate([values[..., :1], values[..., 1:]], axis=2)
            scaled = values if bits == 8 else _lab_of_sixteen_bits(values)
            return Made(written(scaled, photometric="cielab", metadata=None), pixels, 4)

        yield kind(f"CIE Lab {bits} bits", lab)
    yield kind("LogLuv", lambda p: Made(log_luv(p), p, 3))


def _lab_of_sixteen_bits(values: Pixels) -> NDArray[np.uint16]:
    lightness = values[..., :1].astype(np.uint16) * np.uint16(257)
    colour = values[..., 1:].view(np.int8).astype(np.int16) * np.int16(256)
    return np.concatenate([lightness, colour.view(np.uint16)], axis=2)


def bmps() -> Iterator[Kind]:
    def kind(name: str, make: Callable[[Pixels], Made]) -> Kind:
        return Kind("BMP", name, ".bmp", make)

    for top_down in (False, True):

        def plain(pixels: Pixels, top_down: bool = top_down) -> Made:
            rows = [row[:, ::-1].tobytes() for row in pixels]
            return Made(bmp(rows, pixels.shape[1], 24, top_down=top_down), pixels)

        yield kind(f"24 bits{' from the top' if top_down else ''}", plain)
    for bits in (1, 4, 8):

        def palette(pixels: Pixels, bits: int = bits) -> Made:
            indices = deep(limited(grey(pixels), 1 << bits), bits)
            colours, stored = _table(1 << bits)
            return Made(
                bmp(packed(indices[..., None], bits), pixels.shape[1], bits, table=stored), colours[indices]
            )

        yield kind(f"palette {bits} bits", palette)

    def runs(pixels: Pixels) -> Made:
        colours, stored = _table(256)
        return Made(bmp_runs(grey(pixels), stored), colours[grey(pixels)])

    yield kind("run lengths", runs)
    for name, masks, size, compression in (
        ("16 bits 555", (0x7C00, 0x3E0, 0x1F), 2, 0),
        ("16 bits 565", (0xF800, 0x7E0, 0x1F), 2, 3),
        ("32 bits", (0xFF0000, 0xFF00, 0xFF), 4, 0),
        ("32 bits with fields", (0xFF, 0xFF00, 0xFF0000), 4, 3),
        ("32 bits with fields of 11 and 10 bits", (0x7FF, 0x3FF800, 0xFFC00000), 4, 3),
    ):

        def fields(
            pixels: Pixels,
            masks: tuple[int, int, int] = masks,
            size: int = size,
            compression: int = compression,
        ) -> Made:
            shown = masks if compression else ()
            rows = words(pixels, masks, size)
            return Made(bmp(rows, pixels.shape[1], 8 * size, compression, masks=shown), pixels, 4)

        yield kind(name, fields)
    yield kind("header of OS/2", lambda p: Made(bmp_core(p), p))


def _table(entries: int) -> tuple[Pixels, bytes]:
    """Colours, and how a BMP stores them."""
    colours = np.random.default_rng(entries).integers(0, 256, (entries, 3)).astype(np.uint8)
    stored = np.zeros((entries, 4), np.uint8)
    stored[:, :3] = colours[:, ::-1]
    return colours, stored.tobytes()


def avifs() -> Iterator[Kind]:
    def kind(name: str, make: Callable[[Pixels], Made]) -> Kind:
        return Kind("AVIF", name, ".avif", make)

    fast: dict[str, Any] = {"quality": 85, "speed": 9}
    for sampling in ("4:2:0", "4:2:2", "4:4:4"):
        yield kind(sampling, by_pillow("AVIF", LOSSY, subsampling=sampling, **fast))
    yield kind("grey", lambda p: Made(saved(grey(p), "AVIF", **fast), on_three(grey(p)), LOSSY))

    def alpha(pixels: Pixels) -> Made:
        mask = ramp_of_alpha(pixels)
        data = saved(np.concatenate([pixels, mask], axis=2), "AVIF", **fast)
        return Made(data, on_white(pixels, mask), LOSSY)

    def cropped(pixels: Pixels) -> Made:
        height, width = pixels.shape[:2]
        box = (4, 6, width - 10, height - 3)
        data = with_property(saved(pixels, "AVIF", **fast), b"clap", clap(width, height, box))
        return Made(data, pixels[box[1] : box[3], box[0] : box[2]], LOSSY)

    yield kind("alpha", alpha)
    yield kind("cropped by clap", cropped)
    for bits in (10, 12):
        yield kind(f"{bits} bits", lambda p, bits=bits: Made(_coded(deep(p, bits), bits, 1, 13), p, LOSSY))

    def p3(pixels: Pixels) -> Made:
        stored = (in_gamut(pixels, "p3", None) * 255).round().astype(np.uint8)
        return Made(_coded(stored, 8, 12, 13), pixels, LOSSY)

    yield kind("Display P3 by its code points", p3)
    yield kind("PQ of BT.2020, 10 bits", lambda p: Made(_coded(deep(p, 10), 10, 9, 16), None))
    yield kind("HLG of BT.2020, 10 bits", lambda p: Made(_coded(deep(p, 10), 10, 9, 18), None))
    yield kind(
        "animated",
        lambda p: Made(
            saved(p, "AVIF", save_all=True, append_images=[Image.fromarray(255 - p)], **fast), p, LOSSY
        ),
    )
    yield kind("profile Display P3", with_profile("AVIF", "p3", None, LOSSY, **fast))
    for orientation in range(1, 9):
        yield kind(f"orientation {orientation}", with_orientation("AVIF", orientation, LOSSY, **fast))


def _coded(values: NDArray[Any], bits: int, primaries: int, transfer: int) -> bytes:
    data = imagecodecs.avif_encode(
        values,
        level=90,
        speed=9,
        bitspersample=bits,
        pixelformat="444",
        primaries=primaries,
        transfer=transfer,
        matrix=1 if primaries == 1 else 9 if primaries == 9 else 6,
    )
    return bytes(data)


def heics() -> Iterator[Kind]:
    def kind(name: str, make: Callable[[Pixels], Made]) -> Kind:
        return Kind("HEIC", name, ".heic", make)

    yield kind("4:2:0", lambda p: Made(_heic(p), p, LOSSY))
    yield kind("4:4:4", lambda p: Made(_heic(p, chroma="444"), p, LOSSY))
    yield kind("grey", lambda p: Made(_heic(grey(p)), on_three(grey(p)), LOSSY))

    def alpha(pixels: Pixels) -> Made:
        mask = ramp_of_alpha(pixels)
        return Made(_heic(np.concatenate([pixels, mask], axis=2)), on_white(pixels, mask), LOSSY)

    def deeper(pixels: Pixels) -> Made:
        height, width = pixels.shape[:2]
        held = io.BytesIO()
        file = pillow_heif.from_bytes("RGB;16", (width, height), deep(pixels, 16).tobytes())
        file.save(held, quality=90)
        return Made(held.getvalue(), pixels, LOSSY)

    def by_code_points(pixels: Pixels, primaries: int, transfer: int) -> bytes:
        nclx = {"color_primaries": primaries, "transfer_characteristics": transfer, "matrix_coefficients": 6}
        return _heic(pixels, **nclx)

    def p3(pixels: Pixels) -> Made:
        stored = (in_gamut(pixels, "p3", None) * 255).round().astype(np.uint8)
        return Made(by_code_points(stored, 12, 13), pixels, LOSSY)

    yield kind("alpha", alpha)
    yield kind("10 bits", deeper)
    yield kind("Display P3 by its code points", p3)
    yield kind("PQ of BT.2020", lambda p: Made(by_code_points(p, 9, 16), None))
    yield kind("HLG of BT.2020", lambda p: Made(by_code_points(p, 9, 18), None))

    def profiled(pixels: Pixels) -> Made:
        stored = (in_gamut(pixels, "p3", None) * 255).round().astype(np.uint8)
        return Made(_heic(stored, icc_profile=profile("p3", None)), pixels, LOSSY)

    yield kind("profile Display P3", profiled)
    yield kind(
        "two pictures",
        lambda p: Made(_heic(p, save_all=True, append_images=[Image.fromarray(255 - p)]), p, LOSSY),
    )
    for orientation in range(1, 9):

        def oriented(pixels: Pixels, orientation: int = orientation) -> Made:
            return Made(_heic(turned(pixels, orientation), exif=exif(orientation).tobytes()), pixels, LOSSY)

        yield kind(f"orientation {orientation}", oriented)


@lru_cache(maxsize=1)
def _register() -> None:
    pillow_heif.register_heif_opener()


def _heic(pixels: Pixels, **save: Any) -> bytes:
    _register()
    return saved(pixels, "HEIF", **{"quality": 85, **save})


def raws() -> Iterator[Kind]:
    yield Kind("DNG", "thumbnail first, no preview", ".dng", lambda p: Made(dng(p), None))


def dng(pixels: Pixels) -> bytes:
    """A DNG: a thumbnail in the first page, the colour filter array in a second. Even sides of 128 at least."""
    image = Image.fromarray(pixels).resize((256, 192))
    linear = (in_gamut(np.asarray(image), "srgb", 1.0) * 65535).astype(np.uint16)
    mosaic = np.empty(linear.shape[:2], np.uint16)
    for row, column, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = linear[row::2, column::2, channel]
    identity = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    held = io.BytesIO()
    first = [
        (50706, 1, 4, (1, 4, 0, 0), True),
        (50708, 2, 0, "Test", True),
        (50721, 10, 9, identity, True),
        (50728, 5, 3, (1, 1, 1, 1, 1, 1), True),
        (50778, 3, 1, 21, True),
    ]
    second = [(33421, 3, 2, (2, 2), True), (33422, 1, 4, (0, 1, 1, 2), True), (50717, 4, 1, 65535, True)]
    with tifffile.TiffWriter(held) as file:
        file.write(255 - pixels[::4, ::4], photometric="rgb", subfiletype=1, subifds=1, extratags=first)
        file.write(mosaic, photometric=32803, subfiletype=0, extratags=second)
    return held.getvalue()
