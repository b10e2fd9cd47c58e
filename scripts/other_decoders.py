"""Decoders beside ours, for `scripts/compare_decoders.py`: libvips, and imagecodecs with tifffile.

Each gives what a colour-managed viewer shows, as uint8 (height, width, 3): the first page or frame, upright, in sRGB,
with transparency on white. imagecodecs knows neither orientation nor colour profiles. Pillow reads these two for it,
but no pixels.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from sorter.photos.jpeg import read_frame

Pixels = NDArray[np.uint8]
Reader = Callable[[Path], Pixels]

TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WHITE = 255
PNG = b"\x89PNG"
NOT_OF_LIBTIFF = frozenset({22610, 33003, 33004, 33005, 34712, 34892, 34933, 34934, 50002, 52546})
NOT_PICTURES = ("csvload", "matrixload", "rawload")


def readers() -> dict[str, Reader]:
    """Name -> reader, of the decoders that are installed."""
    found = {}
    for name, load in (("libvips", _libvips), ("imagecodecs", _imagecodecs)):
        try:
            found[name] = load()
        except ImportError:
            continue
    return found


def _libvips() -> Reader:
    import pyvips

    def read(path: Path) -> Pixels:
        image = pyvips.Image.new_from_file(str(path), access="random").autorot()
        if image.get("vips-loader") in NOT_PICTURES:
            raise ValueError("no picture, but a table of numbers")
        if image.get_typeof("icc-profile-data"):
            image = image.icc_transform("srgb", embedded=True, intent="relative")
        if image.interpretation != "srgb":
            image = image.colourspace("srgb")
        if image.hasalpha():
            image = image.flatten(background=[WHITE] * 3)
        return np.asarray(image.cast("uchar").numpy(), np.uint8)[..., :3]

    return read


def _imagecodecs() -> Reader:
    import imagecodecs
    import tifffile

    def read(path: Path) -> Pixels:
        data = path.read_bytes()
        if data.startswith(TIFF_MAGIC):
            try:
                decoded = _by_libtiff(imagecodecs, tifffile, path)
            except imagecodecs.TiffError:
                decoded = _tiff_page(tifffile, path)
        else:
            try:
                array = imagecodecs.imread(data)
            except Exception as error:  # it tries every codec, and shows the error of the last
                raise ValueError("no codec reads it") from error
            decoded = on_white(array, _bits(data, array))
        if not decoded.size:
            raise ValueError("a picture without pixels")
        return _as_viewed(Image.fromarray(decoded), path)

    return read


def _by_libtiff(imagecodecs: Any, tifffile: Any, path: Path) -> Pixels:
    """The first page of a TIFF as libtiff shows it. Where it lacks the codec it would show black."""
    with tifffile.TiffFile(path) as file:
        compression = file.pages[0].compression
    if int(compression) in NOT_OF_LIBTIFF:
        raise ValueError(f"libtiff has no codec for {compression!r}")
    shown = imagecodecs.tiff_decode(path.read_bytes(), index=0, asrgb=True)
    return on_white(shown, premultiplied=True)


def _bits(data: bytes, array: NDArray[Any]) -> int | None:
    """Bits of a sample, where they are fewer than those of the array's type."""
    if array.dtype != np.uint16 or data.startswith(PNG):
        return None
    if data.startswith(b"\xff\xd8"):
        frame = read_frame(data)
        return frame.bits if frame else None
    return 10 if int(array.max(initial=0)) < 1 << 10 else 12


def _tiff_page(tifffile: Any, path: Path) -> Pixels:
    """The first page of a TIFF that libtiff's RGBA interface refuses, such as one of 12 bits."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        photometric = tifffile.PHOTOMETRIC(page.photometric)
        if photometric.name not in ("MINISBLACK", "MINISWHITE", "RGB"):
            raise ValueError(f"{photometric.name} is not converted to RGB here")
        array = page.asarray()
        if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and array.ndim == 3:
            array = np.moveaxis(array, 0, -1)
        pixels = on_white(array, page.bitspersample)
        return np.asarray(WHITE - pixels if photometric.name == "MINISWHITE" else pixels)


def on_white(decoded: NDArray[Any], bits: int | None = None, premultiplied: bool = False) -> Pixels:
    """Any array of a picture -> uint8 (height, width, 3).

    Args:
        decoded: (h, w), or (h, w, channels) with grey, grey and alpha, RGB or RGBA. Frames may come before that.
        bits: of an integer sample. None for all of its type. Floats go from 0 to 1.
        premultiplied: the colours have been multiplied by their transparency.

    Raises:
        ValueError: another shape.
    """
    while decoded.ndim > 3:
        decoded = decoded[0]
    if decoded.ndim == 2:
        decoded = decoded[..., None]
    if decoded.ndim != 3 or decoded.shape[-1] not in (1, 2, 3, 4):
        raise ValueError(f"no picture: an array of shape {decoded.shape}")
    most = 1.0
    if decoded.dtype.kind in "ui":
        most = float((1 << bits) - 1 if bits else np.iinfo(decoded.dtype).max)
    values = decoded.astype(np.float32) / np.float32(most)
    if values.shape[-1] in (2, 4):
        alpha = values[..., -1:]
        values = values[..., :-1] * (1 if premultiplied else alpha) + (1 - alpha)
    if values.shape[-1] == 1:
        values = np.repeat(values, 3, axis=-1)
    return np.asarray((values.clip(0, 1) * WHITE).round(), np.uint8)


def _as_viewed(image: Image.Image, path: Path) -> Pixels:
    """Turn a picture upright and convert it to sRGB, as the file's metadata says."""
    try:
        with Image.open(path) as file:
            orientation = file.getexif().get(0x0112, 1)
            profile = file.info.get("icc_profile")
            tiff = file.format == "TIFF"
    except (OSError, ValueError, SyntaxError):
        return np.asarray(image)
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB")) or image
        except ImageCms.PyCMSError:
            pass  # a profile of grey or CMYK, which was converted while decoding
    if orientation != 1 and not tiff:  # libtiff has turned it
        image.getexif()[0x0112] = orientation
        image = ImageOps.exif_transpose(image)
    return np.asarray(image.convert("RGB"))
