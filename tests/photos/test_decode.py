"""Photo -> upright sRGB pixels, or a failure that says why not."""

from __future__ import annotations

import io
import os
import socket
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from sorter.photos.decode import Decoder
from sorter.photos.formats import IMAGE_SUFFIXES, sniff
from sorter.types import Decoded, Failure, Limits, Reason

Pixels = NDArray[np.uint8]
DECODE = Decoder(None)
WIDTH, HEIGHT = 97, 63  # odd, so that no block size fits


@pytest.fixture(autouse=True)
def _pillow_limit() -> Iterator[None]:
    limit = Image.MAX_IMAGE_PIXELS
    yield
    Image.MAX_IMAGE_PIXELS = limit


def pattern(width: int = WIDTH, height: int = HEIGHT) -> Pixels:
    """Red, green, blue and a ramp, one in each corner: every turn and flip of it looks different."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([60 + x * 120 // width, 60 + y * 120 // height, np.full_like(x, 80)], -1).astype(
        np.uint8
    )
    pixels[: height // 2, : width // 2] = (230, 40, 40)
    pixels[: height // 2, width // 2 :] = (40, 200, 40)
    pixels[height // 2 :, : width // 2] = (40, 40, 220)
    return pixels


def scene(width: int, height: int, falloff: float = 1.0, seed: int = 0) -> Pixels:
    """Natural-like: detail at every scale, its amplitude falling off with a power of its frequency."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]) + 1 / max(
        width, height
    )
    planes = []
    for _ in range(3):
        noise = np.fft.rfft2(rng.standard_normal((height, width))) / frequency**falloff
        plane = np.fft.irfft2(noise, (height, width))
        planes.append(128 + 45 * (plane - plane.mean()) / plane.std())
    return np.stack(planes, -1).clip(0, 255).astype(np.uint8)


PHOTO = Image.fromarray(pattern())


def encode(image: Image.Image, format: str, **save: Any) -> bytes:
    if format == "HEIF":
        pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    image.save(buffer, format, **save)
    return buffer.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def turned(orientation: int, image: Image.Image = PHOTO) -> Pixels:
    """What Pillow's own exif_transpose makes of an orientation."""
    copy = image.copy()
    copy.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(copy))


@pytest.fixture
def outcome(tmp_path: Path) -> Callable[..., Decoded | Failure]:
    def decode(data: bytes, decoder: Decoder = DECODE, name: str = "photo") -> Decoded | Failure:
        path = tmp_path / name
        path.write_bytes(data)
        return decoder(path)

    return decode


@pytest.fixture
def pixels(outcome: Callable[..., Decoded | Failure]) -> Callable[..., Pixels]:
    """Decode what has to decode; its size is that of its pixels."""

    def decode(data: bytes, decoder: Decoder = DECODE) -> Pixels:
        decoded = outcome(data, decoder)
        assert isinstance(decoded, Decoded), decoded
        assert decoded.pixels.dtype == np.uint8 and decoded.pixels.ndim == 3 and decoded.pixels.shape[2] == 3
        if decoder is DECODE:
            assert decoded.pixels.shape[:2] == (decoded.height, decoded.width)
        return decoded.pixels

    return decode


def distance(a: Pixels, b: Pixels) -> float:
    """Mean difference in grey levels."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b).mean())


# -- every format ----------------------------------------------------------------------------------------------------

LOSSLESS: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "webp": ("WEBP", {"lossless": True}),
    "tiff": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff-big": ("TIFF", {"big_tiff": True}),
    "bmp": ("BMP", {}),
}
LOSSY: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("JPEG", {"quality": 95}),
    "jpeg-420": ("JPEG", {"quality": 95, "subsampling": "4:2:0"}),
    "jpeg-progressive": ("JPEG", {"quality": 95, "progressive": True}),
    "jpeg-rgb": ("JPEG", {"quality": 95, "keep_rgb": True}),
    "jpeg-restarts": ("JPEG", {"quality": 95, "restart_marker_rows": 1}),
    "webp": ("WEBP", {"quality": 95}),
    "gif": ("GIF", {}),
    "tiff-jpeg": ("TIFF", {"compression": "jpeg", "quality": 95}),
    "avif": ("AVIF", {"quality": 95}),
    "heic": ("HEIF", {"quality": 95}),
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_formats_are_exact(kind: str, pixels: Callable[..., Pixels]) -> None:
    format, save = LOSSLESS[kind]
    assert (pixels(encode(PHOTO, format, **save)) == pattern()).all()


@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_formats_are_close(kind: str, pixels: Callable[..., Pixels]) -> None:
    format, save = LOSSY[kind]
    assert distance(pixels(encode(PHOTO, format, **save)), pattern()) < 3


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF"])
def test_the_format_is_named(format: str, outcome: Callable[..., Decoded | Failure]) -> None:
    decoded = outcome(encode(PHOTO, format))
    assert isinstance(decoded, Decoded)
    assert (decoded.format, decoded.width, decoded.height) == (format, WIDTH, HEIGHT)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF"])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 3), (17, 9)], ids=str)
def test_tiny_photos(format: str, size: tuple[int, int], pixels: Callable[..., Pixels]) -> None:
    data = encode(Image.new("RGB", size, (200, 60, 60)), format)
    for min_side in (None, 9, 224):
        got = pixels(data, Decoder(min_side))
        assert got.shape == (size[1], size[0], 3)
        assert np.abs(got.astype(int) - (200, 60, 60)).max() <= 12


def test_grey_and_bilevel(pixels: Callable[..., Pixels]) -> None:
    grey = PHOTO.convert("L")
    expected = np.asarray(grey.convert("RGB"))
    for format in ("PNG", "TIFF", "BMP", "GIF"):
        assert (pixels(encode(grey, format)) == expected).all(), format
    assert distance(pixels(encode(grey, "JPEG", quality=95)), expected) < 3
    bilevel = PHOTO.convert("1")
    for format in ("PNG", "TIFF", "BMP"):
        assert (pixels(encode(bilevel, format)) == np.asarray(bilevel.convert("RGB"))).all(), format


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk(format: str, pixels: Callable[..., Pixels]) -> None:
    save = {"quality": 95} if format == "JPEG" else {}
    assert distance(pixels(encode(PHOTO.convert("CMYK"), format, **save)), pattern()) < 3


def test_cmyk_jpeg_with_and_without_adobes_marker(pixels: Callable[..., Pixels]) -> None:
    """Adobe stores the inks inverted; so does about every program, and Pillow assumes it where no marker tells."""
    with_marker = encode(PHOTO.convert("CMYK"), "JPEG", quality=95)
    at = with_marker.index(b"\xff\xee")
    (length,) = struct.unpack(">H", with_marker[at + 2 : at + 4])
    assert with_marker[at + 4 : at + 9] == b"Adobe"
    without = with_marker[:at] + with_marker[at + 2 + length :]
    for data in (with_marker, without):
        assert distance(pixels(data), pattern()) < 3


def test_cmyk_jpeg_is_scaled_too(outcome: Callable[..., Decoded | Failure]) -> None:
    photo = Image.fromarray(pattern(800, 600)).convert("CMYK")
    decoded = outcome(encode(photo, "JPEG"), Decoder(100))
    assert isinstance(decoded, Decoded) and decoded.pixels.shape == (150, 200, 3)
    assert (decoded.width, decoded.height) == (800, 600)


def test_mpo_gives_its_first_picture(pixels: Callable[..., Pixels]) -> None:
    other = Image.new("RGB", (WIDTH, HEIGHT), "white")
    data = encode(PHOTO, "MPO", save_all=True, append_images=[other], quality=95)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "MPO"
    assert distance(pixels(data), pattern()) < 3
    cmyk = encode(
        PHOTO.convert("CMYK"), "MPO", save_all=True, append_images=[other.convert("CMYK")], quality=95
    )
    assert distance(pixels(cmyk), pattern()) < 3


def png(width: int, height: int, bits: int, colour: int, rows: bytes, lace: int = 0) -> bytes:
    """A PNG from its parts; `rows` begin with their filter byte."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, lace)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_sixteen_bits(pixels: Callable[..., Pixels]) -> None:
    deep = pattern().astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    assert (pixels(png(WIDTH, HEIGHT, 16, 2, rows)) == pattern()).all()
    grey = np.ascontiguousarray(deep[..., 0])
    expected = np.repeat(pattern()[..., :1], 3, 2)
    assert (
        pixels(png(WIDTH, HEIGHT, 16, 0, b"".join(b"\0" + row.tobytes() for row in grey))) == expected
    ).all()
    image = Image.fromarray(grey.astype(np.uint16))
    assert image.mode == "I;16"
    assert (pixels(encode(image, "PNG")) == expected).all()
    assert (pixels(encode(image, "TIFF")) == expected).all()
    assert (pixels(encode(image, "TIFF", compression="tiff_lzw")) == expected).all()
    # Colour and alpha of 16 bits each, half of it transparent
    alpha = np.where(np.arange(WIDTH) < WIDTH // 2, 65535, 0).astype(">u2")
    rgba = np.concatenate([deep, np.broadcast_to(alpha[None, :, None], (HEIGHT, WIDTH, 1))], 2)
    got = pixels(png(WIDTH, HEIGHT, 16, 6, b"".join(b"\0" + row.tobytes() for row in rgba.astype(">u2"))))
    assert (got[:, : WIDTH // 2] == pattern()[:, : WIDTH // 2]).all() and (got[:, WIDTH // 2 :] == 255).all()


def test_big_endian_tiff(pixels: Callable[..., Pixels]) -> None:
    """Written by hand, as Pillow writes little-endian ones only for most modes."""
    values = (np.asarray(PHOTO.convert("L")).astype(">u2") * 257).tobytes()
    tags = [(256, WIDTH), (257, HEIGHT), (258, 16), (259, 1), (262, 1), (273, 8), (277, 1), (278, HEIGHT)]
    directory = struct.pack(">H", len(tags) + 1)
    for tag, value in tags:
        directory += struct.pack(">HHIHH", tag, 3, 1, value, 0)
    directory += struct.pack(">HHII", 279, 4, 1, len(values)) + struct.pack(">I", 0)
    data = b"MM\0*" + struct.pack(">I", 8 + len(values)) + values + directory
    assert (pixels(data) == np.asarray(PHOTO.convert("L").convert("RGB"))).all()


def test_float_and_integer_tiff_are_stretched(pixels: Callable[..., Pixels]) -> None:
    ramp = np.linspace(-3.0, 7.0, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)
    expected = np.repeat(((ramp + 3) * 25.5).astype(np.uint8)[..., None], 3, 2)
    assert np.abs(pixels(encode(Image.fromarray(ramp), "TIFF")).astype(int) - expected).max() <= 1
    whole = Image.fromarray((ramp * 1e6).astype(np.int32))
    assert np.abs(pixels(encode(whole, "TIFF")).astype(int) - expected).max() <= 1
    ramp[0, :3] = np.nan, np.inf, -np.inf
    got = pixels(encode(Image.fromarray(ramp), "TIFF"))
    assert np.abs(got[1:].astype(int) - expected[1:]).max() <= 1
    huge = np.array([[-3e38, 3e38], [0, np.nan]], np.float32)
    assert pixels(encode(Image.fromarray(huge), "TIFF"))[..., 0].tolist() == [[0, 255], [128, 128]]
    half = pixels(encode(Image.fromarray(np.full((2, 2), 0.5, np.float32)), "TIFF"))
    assert (np.abs(half.astype(int) - 128) <= 1).all()  # floats from 0 to 1 are what they say


def test_palette(pixels: Callable[..., Pixels]) -> None:
    image = PHOTO.quantize(64)
    for format in ("PNG", "GIF", "TIFF", "BMP"):
        assert (pixels(encode(image, format)) == np.asarray(image.convert("RGB"))).all(), format


def test_interlaced_png(pixels: Callable[..., Pixels]) -> None:
    """Adam7: seven passes over ever finer grids."""
    passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    grids = [pattern()[y::dy, x::dx] for x, y, dx, dy in passes]
    rows = b"".join(b"\0" + row.tobytes() for grid in grids for row in grid)
    assert (pixels(png(WIDTH, HEIGHT, 8, 2, rows, lace=1)) == pattern()).all()


# -- transparency and animation ---------------------------------------------------------------------------------------


def on_white(alpha: Pixels) -> Pixels:
    share = alpha[..., None] / 255
    return (pattern() * share + 255 * (1 - share)).round().astype(np.uint8)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_transparent_pixels_are_white(format: str, pixels: Callable[..., Pixels]) -> None:
    alpha = np.broadcast_to(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, WIDTH))
    image = PHOTO.copy()
    image.putalpha(Image.fromarray(np.ascontiguousarray(alpha)))
    lossy: dict[str, Any] = {"quality": 95}
    save = {"WEBP": {"lossless": True, "exact": True}, "AVIF": lossy, "HEIF": lossy}.get(format, {})
    got = pixels(encode(image, format, **save))
    assert distance(got, on_white(alpha)) < (3 if save.get("quality") else 0.6)
    assert (got[:, 0] >= 254).all()


def test_transparency_of_other_kinds(pixels: Callable[..., Pixels]) -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, WIDTH // 2 :] = 255
    mask = Image.fromarray(alpha)
    expected = np.where(alpha[..., None] > 0, np.asarray(PHOTO.convert("L").convert("RGB")), 255)
    grey = PHOTO.convert("L")
    grey.putalpha(mask)
    assert (pixels(encode(grey, "PNG")) == expected).all()  # LA

    palette = PHOTO.quantize(64)
    index = palette.getpixel((0, 0))
    clear = np.where(np.asarray(palette)[..., None] == index, 255, np.asarray(palette.convert("RGB")))
    assert (pixels(encode(palette, "PNG", transparency=index)) == clear).all()
    assert (pixels(encode(palette, "GIF", transparency=index)) == clear).all()
    levels = bytes(128 if each == index else 255 for each in range(64))
    opaque = np.asarray(palette.convert("RGB"))
    half = np.where(np.asarray(palette)[..., None] == index, (opaque + 255.0) / 2, opaque)
    assert np.abs(pixels(encode(palette, "PNG", transparency=levels)) - half).max() <= 1

    keyed = np.where((pattern() == (230, 40, 40)).all(-1, keepdims=True), 255, pattern())
    assert (pixels(encode(PHOTO, "PNG", transparency=(230, 40, 40))) == keyed).all()
    plain_grey = PHOTO.convert("L")
    key = plain_grey.getpixel((0, 0))
    keyed = np.where(np.asarray(plain_grey)[..., None] == key, 255, np.asarray(plain_grey.convert("RGB")))
    assert (pixels(encode(plain_grey, "PNG", transparency=key)) == keyed).all()


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "HEIF"])
def test_the_first_frame_of_many(format: str, pixels: Callable[..., Pixels]) -> None:
    others = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("white", "black")]
    save = {"lossless": True} if format == "WEBP" else {}
    data = encode(PHOTO, format, save_all=True, append_images=others, **save)
    assert distance(pixels(data), pattern()) < 5


# -- orientation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_orientation(format: str, orientation: int, outcome: Callable[..., Decoded | Failure]) -> None:
    save = {} if format in ("PNG", "TIFF") else {"quality": 95}
    decoded = outcome(encode(PHOTO, format, exif=exif(orientation), **save))
    assert isinstance(decoded, Decoded)
    expected = turned(orientation)
    assert (decoded.height, decoded.width) == expected.shape[:2] == decoded.pixels.shape[:2]
    assert distance(decoded.pixels, expected) < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_compressed_tiff(orientation: int, pixels: Callable[..., Pixels]) -> None:
    data = encode(PHOTO, "TIFF", exif=exif(orientation), compression="tiff_lzw")
    assert (pixels(data) == turned(orientation)).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_with_scaled_decoding(
    orientation: int, mode: str, outcome: Callable[..., Decoded | Failure]
) -> None:
    photo = Image.fromarray(pattern(801, 403)).convert(mode)
    decoded = outcome(encode(photo, "JPEG", exif=exif(orientation), quality=95), Decoder(60))
    assert isinstance(decoded, Decoded)
    expected = turned(orientation, photo.convert("RGB"))
    assert (decoded.height, decoded.width) == expected.shape[:2]
    height, width = decoded.pixels.shape[:2]
    assert 60 <= min(height, width) < 120
    small = Image.fromarray(expected).resize((width, height), Image.Resampling.BOX)
    assert distance(decoded.pixels, np.asarray(small)) < 4


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist(orientation: int, pixels: Callable[..., Pixels]) -> None:
    assert distance(pixels(encode(PHOTO, "JPEG", exif=exif(orientation), quality=95)), pattern()) < 3


@pytest.mark.parametrize(
    "damaged", [b"", b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0MM\0*\xff\xff\xff\xff", exif(6)[:-9]]
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_damaged_exif_costs_nothing(format: str, damaged: bytes, pixels: Callable[..., Pixels]) -> None:
    got = pixels(encode(PHOTO, format, exif=damaged))
    assert got.shape in ((HEIGHT, WIDTH, 3), (WIDTH, HEIGHT, 3))


# -- colour ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def display_p3() -> bytes:
    """Display P3 as a matrix profile, by hand.

    The columns are SMPTE EQ-432-1 primaries adapted to D50 (as in Apple's own profile); a pure gamma of 2.2 stands
    for the sRGB curve, to keep the formula below short.
    """

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(each * 65536) for each in (x, y, z)))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    name = b"Wide P3\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78)
    tags = {
        b"desc": description + bytes(-len(description) % 4),
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.15710, 0.06657, 0.78407),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(data))
        body += data
    size = 128 + len(table) + len(body)
    white = struct.pack(">iii", 63190, 65536, 54061)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ ") + bytes(12)
    header += b"acsp" + bytes(28) + white
    return header.ljust(128, b"\0") + table + body


def p3_to_srgb(pixels: Pixels) -> Pixels:
    """The plain formula: gamma, P3 to sRGB primaries (CSS Color 4), the curve of IEC 61966-2-1."""
    matrix = np.array(
        [[1.2249401, -0.2249404, 0.0], [-0.0420569, 1.0420571, 0.0], [-0.0196376, -0.0786361, 1.0982735]]
    )
    linear = ((pixels / 255.0) ** 2.2 @ matrix.T).clip(0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (curved * 255).round().astype(np.uint8)


def muted() -> Pixels:
    """Colours that lie in both gamuts, so that nothing is clipped."""
    return (pattern() * 0.5 + 70).astype(np.uint8)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG", "WEBP", "AVIF", "HEIF"])
def test_a_wide_profile_is_converted(format: str, pixels: Callable[..., Pixels]) -> None:
    photo = Image.fromarray(muted())
    save = {} if format in ("PNG", "TIFF") else {"quality": 95}
    got = pixels(encode(photo, format, icc_profile=display_p3(), **save))
    assert distance(got, p3_to_srgb(muted())) < (3 if save else 0.6)
    red_as_stored, red = muted()[5, 5].astype(int), got[5, 5].astype(int)
    assert red[0] > red_as_stored[0] + 5 and red[1] < red_as_stored[1] - 3  # P3's red is redder than sRGB's


def test_profiles_and_orientation_and_scaling_together(outcome: Callable[..., Decoded | Failure]) -> None:
    photo = Image.fromarray((pattern(800, 600) * 0.5 + 70).astype(np.uint8))
    data = encode(photo, "JPEG", quality=95, icc_profile=display_p3(), exif=exif(6))
    decoded = outcome(data, Decoder(100))
    assert isinstance(decoded, Decoded) and (decoded.width, decoded.height) == (600, 800)
    expected = np.rot90(p3_to_srgb(np.asarray(photo.resize((200, 150), Image.Resampling.BOX))), -1)
    assert distance(decoded.pixels, expected) < 3


def test_a_profile_of_srgb_changes_nothing(pixels: Callable[..., Pixels]) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (pixels(encode(PHOTO, "PNG", icc_profile=srgb)) == pattern()).all()


def test_a_profile_with_transparency_and_palette(pixels: Callable[..., Pixels]) -> None:
    photo = Image.fromarray(muted())
    alpha = Image.new("L", photo.size, 255)
    alpha.paste(0, (0, 0, WIDTH, 20))
    clear = photo.copy()
    clear.putalpha(alpha)
    got = pixels(encode(clear, "PNG", icc_profile=display_p3()))
    assert (got[:20] >= 254).all() and distance(got[20:], p3_to_srgb(muted())[20:]) < 0.6
    palette = photo.quantize(64)
    expected = p3_to_srgb(np.asarray(palette.convert("RGB")))
    assert distance(pixels(encode(palette, "PNG", icc_profile=display_p3())), expected) < 0.6


def grey_profile(gamma: float) -> bytes:
    profile = bytearray(display_p3())
    profile[16:20] = b"GRAY"
    at = profile.index(b"rTRC")
    profile[at : at + 4] = b"kTRC"
    profile[:] = profile.replace(
        struct.pack(">IH", 1, round(2.2 * 256)), struct.pack(">IH", 1, round(gamma * 256))
    )
    return bytes(profile)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_grey_profile(format: str, pixels: Callable[..., Pixels]) -> None:
    grey = PHOTO.convert("L")
    save = {"quality": 95} if format == "JPEG" else {}
    got = pixels(encode(grey, format, icc_profile=grey_profile(1.0), **save))
    linear = np.asarray(grey) / 255
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    assert distance(got, np.repeat(expected[..., None], 3, 2).astype(np.uint8)) < 3
    assert got.mean() > np.asarray(grey).mean() + 30  # linear light shown as it is would be far too dark


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_damaged_profile_is_left_out(format: str, pixels: Callable[..., Pixels]) -> None:
    save = {"quality": 95} if format in ("JPEG", "WEBP") else {}
    profile = display_p3()
    for damaged in (b"x", b"garbage" * 30, profile[:200], profile[:36] + b"nope" + profile[40:]):
        assert distance(pixels(encode(PHOTO, format, icc_profile=damaged, **save)), pattern()) < 3


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_a_profile_of_another_kind_is_left_out(mode: str, pixels: Callable[..., Pixels]) -> None:
    photo = PHOTO.convert(mode)
    got = pixels(encode(photo, "JPEG", quality=95, icc_profile=display_p3()))
    assert distance(got, np.asarray(photo.convert("RGB"))) < 3


def cmyk_profile() -> bytes:
    """A printer whose cyan ink is black and whose other inks are clear (ICC.1:2001, an A2B0 of type lut8)."""
    grid = [(0 if c else 255, 128, 128) for c in (0, 1) for _ in range(8)]  # Lab: L of 100 is 255
    straight = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    lut += straight * 4 + bytes(value for point in grid for value in point) + straight * 3
    name = b"Black cyan\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78)
    tags = {b"desc": description + bytes(-len(description) % 4), b"A2B0": lut + bytes(-len(lut) % 4)}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(data))
        body += data
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02400000, b"prtr", b"CMYK", b"Lab ") + bytes(12)
    header += b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_by_its_profile(format: str, pixels: Callable[..., Pixels]) -> None:
    save = {"quality": 95} if format == "JPEG" else {}
    cyan = Image.new("CMYK", (WIDTH, HEIGHT), (255, 0, 0, 0))
    magenta = Image.new("CMYK", (WIDTH, HEIGHT), (0, 255, 0, 0))
    assert pixels(encode(cyan, format, **save))[9, 9].tolist() == pytest.approx([0, 255, 255], abs=3)
    assert pixels(encode(cyan, format, icc_profile=cmyk_profile(), **save)).max() < 8
    assert pixels(encode(magenta, format, icc_profile=cmyk_profile(), **save)).min() > 247


# -- scaled decoding -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [{}, {"progressive": True}, {"subsampling": "4:4:4"}], ids=str)
@pytest.mark.parametrize("size", [(1200, 900), (901, 1203)], ids=str)
def test_scaled_pixels_are_nearly_those_of_the_full_decode(
    size: tuple[int, int], save: dict[str, Any], pixels: Callable[..., Pixels]
) -> None:
    data = encode(Image.fromarray(scene(*size, falloff=1.6)), "JPEG", quality=90, **save)
    scaled, full = pixels(data, Decoder(256)), pixels(data)
    assert 256 <= min(scaled.shape[:2]) < 400
    to = [
        np.asarray(Image.fromarray(each).resize((224, 224), Image.Resampling.BILINEAR, reducing_gap=2.0))
        for each in (scaled, full)
    ]
    assert distance(*to) < 2


@given(st.integers(1, 1500), st.integers(1, 1500), st.integers(1, 600), st.sampled_from(["RGB", "L", "CMYK"]))
@settings(max_examples=60, deadline=None)
def test_min_side_is_kept_and_nothing_is_enlarged(width: int, height: int, min_side: int, mode: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        Image.new(mode, (width, height), 99).save(path, "JPEG")
        decoded = Decoder(min_side)(path)
    assert isinstance(decoded, Decoded)
    assert (decoded.width, decoded.height) == (width, height)
    got_height, got_width = decoded.pixels.shape[:2]
    assert got_width <= width and got_height <= height
    assert min(got_width, got_height) >= min(min_side, width, height)
    assert abs(got_width / width - got_height / height) <= 1 / min(width, height)  # the shape stays


@pytest.mark.parametrize("size", [(4000, 100), (100, 4000)], ids=str)
def test_thin_panoramas_keep_their_short_side(size: tuple[int, int], pixels: Callable[..., Pixels]) -> None:
    data = encode(Image.fromarray(pattern(*size)), "JPEG", quality=95)
    assert pixels(data, Decoder(256)).shape[:2] == size[::-1]
    assert min(pixels(data, Decoder(40)).shape[:2]) in range(40, 60)


def test_other_formats_are_not_scaled(pixels: Callable[..., Pixels]) -> None:
    assert pixels(encode(PHOTO, "PNG"), Decoder(8)).shape == (HEIGHT, WIDTH, 3)


# -- failures --------------------------------------------------------------------------------------------------------

CONTAINERS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: each for name, each in LOSSY.items() if name != "jpeg-rgb"},
    **{f"{name}-lossless" if name in LOSSY else name: each for name, each in LOSSLESS.items()},
}


@lru_cache(maxsize=64)
def file_of(kind: str) -> bytes:
    format, save = CONTAINERS[kind]
    return encode(Image.fromarray(scene(96, 64)), format, **save)


def failure(outcome: Decoded | Failure) -> Reason:
    assert isinstance(outcome, Failure), outcome
    assert outcome.message and "\n" not in outcome.message and " at 0x" not in outcome.message
    return outcome.reason


def test_empty(outcome: Callable[..., Decoded | Failure]) -> None:
    assert failure(outcome(b"", name="a.jpg")) is Reason.EMPTY


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_truncated(kind: str, share: float, outcome: Callable[..., Decoded | Failure]) -> None:
    data = file_of(kind)
    reason = failure(outcome(data[: int(len(data) * share)]))
    assert reason in (Reason.TRUNCATED, Reason.CORRUPT)
    if kind.startswith(("jpeg", "png", "webp", "gif", "bmp")):
        assert reason is Reason.TRUNCATED


@pytest.mark.parametrize("kind", ["jpeg", "jpeg-420", "jpeg-restarts", "jpeg-progressive"])
def test_a_jpeg_is_whole_or_truncated_wherever_it_is_cut(kind: str, tmp_path: Path) -> None:
    data, path = file_of(kind), tmp_path / "a"
    path.write_bytes(data)
    whole = DECODE(path)
    assert isinstance(whole, Decoded)
    for at in range(100, len(data) - 2, 53 if kind != "jpeg-progressive" else 97):
        path.write_bytes(data[:at])
        got = DECODE(path)
        if isinstance(
            got, Decoded
        ):  # only a progressive one cut between two of its scans, or in its last bytes
            assert kind == "jpeg-progressive" or at > len(data) - 6
        else:
            assert got.reason is Reason.TRUNCATED, (at, got)


@given(st.sampled_from(sorted(CONTAINERS)), st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_cut_anywhere_never_raises(kind: str, share: float) -> None:
    data = file_of(kind)
    _never_raises(data[: int(len(data) * share)])


@given(
    st.sampled_from(sorted(CONTAINERS)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=8),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_flipped_bits_never_raise(kind: str, flips: list[tuple[float, int]], header: bool) -> None:
    data = bytearray(file_of(kind))
    for share, bits in flips:
        data[int(share * (min(len(data), 300) if header else len(data)))] ^= bits
    _never_raises(bytes(data))


@given(st.sampled_from(sorted(CONTAINERS)), st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_noise_behind_a_true_head_never_raises(kind: str, noise: bytes) -> None:
    _never_raises(file_of(kind)[:40] + noise)


def _never_raises(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jpg"
        path.write_bytes(data)
        for decoder in (DECODE, Decoder(16, Limits(megapixels=1))):
            got = decoder(path)
            if isinstance(got, Failure):
                failure(got)
            else:
                assert got.pixels.shape[2] == 3 and got.width * got.height > 0
        again = decoder(path)
        assert str(again) == str(got)  # and says the same each time


def test_what_viewers_open_is_decoded(pixels: Callable[..., Pixels]) -> None:
    data = file_of("jpeg")
    clean = pixels(data)
    for without_end in (data[:-2], data[:-1]):
        assert (pixels(without_end) == clean).all()
    assert (pixels(data + b"\0" * 5000) == clean).all()
    assert (pixels(data + b"garbage" * 99) == clean).all()
    assert (pixels(data + data) == clean).all()
    scan = data.index(b"\xff\xda")
    assert (pixels(data[:scan] + b"\0\1\2\3" + data[scan:]) == clean).all()
    assert (pixels(data[:scan] + b"\xff" * 9 + data[scan:]) == clean).all()
    assert (pixels(file_of("jpeg-progressive")[:-2]) == pixels(file_of("jpeg-progressive"))).all()
    image = file_of("png")
    assert (pixels(image[:-12]) == pixels(image)).all()  # no IEND
    assert (pixels(image + b"garbage") == pixels(image)).all()


def test_a_cmyk_jpeg_without_its_end_is_truncated(outcome: Callable[..., Decoded | Failure]) -> None:
    """Only for the colours that the fast decoder knows can the missing marker be told from missing pixels."""
    assert failure(outcome(encode(PHOTO.convert("CMYK"), "JPEG")[:-2])) is Reason.TRUNCATED


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_png_checksums(outcome: Callable[..., Decoded | Failure]) -> None:
    data = file_of("png")
    assert failure(outcome(flip(data, 29))) is Reason.CORRUPT  # of the header
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    assert failure(outcome(flip(data, start + length // 2))) is Reason.CORRUPT  # of the pixels
    # As libpng has it, though these pixels are right:
    assert failure(outcome(flip(data, start + length))) is Reason.CORRUPT


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_not_an_image(suffix: str, outcome: Callable[..., Decoded | Failure]) -> None:
    for text in (b"hello, I am a text\n" * 9, b"\0" * 99, b"<html>", b"x"):
        assert failure(outcome(text, name="a" + suffix)) is Reason.NOT_AN_IMAGE
        assert failure(outcome(text, name="a" + suffix.upper())) is Reason.NOT_AN_IMAGE
        assert failure(outcome(text, name="a.txt")) is Reason.OTHER_FILE
        assert failure(outcome(text, name="README")) is Reason.OTHER_FILE


def test_too_large(outcome: Callable[..., Decoded | Failure], pixels: Callable[..., Pixels]) -> None:
    bomb = outcome(png(60000, 60000, 8, 0, b"\0" * 100))
    assert failure(bomb) is Reason.TOO_LARGE and "--max-megapixels" in str(bomb)
    small = encode(Image.new("RGB", (1100, 1000)), "PNG")
    refused = outcome(small, Decoder(None, Limits(megapixels=1)))
    assert failure(refused) is Reason.TOO_LARGE
    assert "1100 x 1000" in str(refused) and "limit is 1 megapixels" in str(refused)
    assert pixels(small, Decoder(None, Limits(megapixels=1.1))).shape == (1000, 1100, 3)
    # Above the limit that Pillow sets by itself, and below ours
    decoded = outcome(encode(Image.new("L", (20000, 10000)), "JPEG"), Decoder(224))
    assert isinstance(decoded, Decoded) and (decoded.width, decoded.height) == (20000, 10000)
    assert failure(outcome(png(20000, 10000, 8, 0, b"\0" * 100))) is Reason.TRUNCATED
    assert failure(outcome(png(10**5, 10**5, 8, 0, b""), Decoder(None, Limits(megapixels=float("inf"))))) in (
        Reason.TRUNCATED,
        Reason.OUT_OF_MEMORY,
    )


def test_what_is_no_file(tmp_path: Path) -> None:
    assert failure(DECODE(tmp_path / "missing.jpg")) is Reason.VANISHED
    (tmp_path / "a").write_bytes(b"x")
    assert failure(DECODE(tmp_path / "a" / "b.jpg")) is Reason.VANISHED
    if sys.platform != "win32":
        assert failure(DECODE(tmp_path)) is Reason.SPECIAL_FILE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.timeout(20)
def test_a_fifo_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    assert failure(DECODE(tmp_path / "a.jpg")) is Reason.SPECIAL_FILE
    monkeypatch.chdir(tmp_path)  # the path of a socket may hold few characters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("b.jpg")
        assert failure(DECODE(tmp_path / "b.jpg")) is Reason.SPECIAL_FILE


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(file_of("jpeg"))

    def refuse(*_: object) -> int:  # permissions do not hold for root, who may run the tests
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        got = DECODE(path)
    assert failure(got) is Reason.UNREADABLE and "Permission denied" in str(got)


def test_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object, **__: object) -> Any:
        raise MemoryError

    path = tmp_path / "a.png"
    path.write_bytes(file_of("png"))
    monkeypatch.setattr(Image, "open", exhausted)
    assert failure(DECODE(path)) is Reason.OUT_OF_MEMORY


# -- by content, not by name -----------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(CONTAINERS)), st.sampled_from(["", *sorted(IMAGE_SUFFIXES), ".txt", ".MP4"]))
@settings(max_examples=60, deadline=None)
def test_the_name_does_not_matter(kind: str, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "plain", Path(folder) / f"other{suffix}"
        for path in (first, second):
            path.write_bytes(file_of(kind))
        a, b = DECODE(first), DECODE(second)
    assert isinstance(a, Decoded) and isinstance(b, Decoded)
    assert (a.pixels == b.pixels).all() and (a.width, a.height, a.format) == (b.width, b.height, b.format)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_sniffs_real_files(kind: str) -> None:
    assert sniff(file_of(kind)[:64]) == CONTAINERS[kind][0]
    assert sniff(file_of(kind)[:7]) in (CONTAINERS[kind][0], None)  # never another


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    return struct.pack(">I", 16 + 4 * len(compatible)) + b"ftyp" + major + b"\0\0\0\0" + b"".join(compatible)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (ftyp(b"avif", b"mif1", b"miaf"), "AVIF"),
        (ftyp(b"avis", b"msf1"), "AVIF"),
        (ftyp(b"mif1", b"miaf", b"MA1B", b"avif"), "AVIF"),
        (ftyp(b"heic", b"mif1"), "HEIF"),
        (ftyp(b"heix"), "HEIF"),
        (ftyp(b"mif1", b"heic"), "HEIF"),
        (ftyp(b"msf1", b"hevc"), "HEIF"),
        (ftyp(b"isom", b"iso2", b"avc1", b"mp41"), None),
        (ftyp(b"mp42", b"isom", b"mp42"), None),
        (ftyp(b"qt  "), None),
        (ftyp(b"M4A ", b"isom"), None),
        (ftyp(b"crx ", b"isom"), "RAW"),
        (ftyp(b"isom") + b"\0\0\0\x08heic", None),  # what follows the box is no brand
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3" + b" " * 40, None),
        (b"PK\x03\x04" + b"\0" * 40, None),
        (b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 40, None),
        (b"RIFF\x24\0\0\0AVI LIST" + b"\0" * 40, None),
        (b"BM is how this text begins, and it goes on", None),
        (b"BM", None),
        (b"II* is how this text begins", None),
        (b"MMXXIV, a Roman year", None),
        (b"GIF is a format", None),
        (b"\x89PNG\r\n", None),
        (b"\xff\xd8", None),
        (b"\xff\xfb\x90d" + b"\0" * 40, None),  # MP3
        (b"\x7fELF" + b"\0" * 40, None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"%!PS-Adobe-3.0 EPSF-3.0", None),
        (b"8BPS" + b"\0" * 40, None),
        (b"", None),
    ],
)
def test_sniffs_heads(head: bytes, kind: str | None) -> None:
    assert sniff(head[:64]) == kind


@given(st.binary(max_size=64))
def test_sniff_never_raises(head: bytes) -> None:
    sniff(head)
