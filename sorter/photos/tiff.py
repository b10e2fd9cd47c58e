"""TIFF files that Pillow shows wrongly or not at all, read by tifffile.

Pillow garbles 16-bit planes, inverts or blackens unusual depths, and refuses tiles of odd sizes. So the tags decide
who reads a file: `is_plain` ones are Pillow's. Tags: TIFF 6.0; BigTIFF; TIFF/EP for raws.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sorter.photos.errors import TooLargeError, TruncatedError, UnsupportedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
READS_24_BITS = (2026, 3, 6)  # the first version of imagecodecs that was seen to
FILTERS = frozenset({32803, 34892})  # a colour filter array, linear raw: TIFF/EP and DNG
PLAIN_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})
REDUCED = 1  # NewSubfileType: a smaller version of another page
DNG_VERSION = 50706
RANGES = (0xFF, 0x3FF, 0xFFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF)
PALETTE_OF_BYTES = 256  # entries below it were written as 8-bit values
ASSOCIATED, UNASSOCIATED = 1, 2
OLD_JPEG = 6  # of TIFF 6.0, withdrawn in Adobe's technical note 2 of 1995
CONVERT = "is not read; convert it, for example to PNG"
ROWS = 64  # at once, as floats take eight times the bytes


@dataclass(frozen=True, slots=True)
class TiffPicture:
    """One page as it is stored: not turned upright, transparency on white.

    Attributes:
        image: mode L, RGB, CMYK or LAB, 8 bits a channel.
        orientation: the tag, 1 to 8.
        profile: an ICC profile, or None.
    """

    image: Image.Image
    orientation: int
    profile: bytes | None


@dataclass(frozen=True, slots=True)
class TiffPages:
    """Full pages, without reduced versions of others.

    Attributes:
        count: of pages.
        pictures: each, decoded when it is asked for.
    """

    count: int
    pictures: Iterator[TiffPicture]


def is_plain(image: Image.Image) -> bool:
    """Whether Pillow shows the first page of this opened TIFF rightly."""
    tags = getattr(image, "tag_v2", {})
    bits = set(_several(tags.get(258, 1)))
    photometric = tags.get(262, BLACK_IS_ZERO)
    samples = tags.get(277, 1)
    contiguous = samples == 1 or tags.get(284, 1) == 1
    tiled = 322 in tags or 324 in tags
    usual = photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR)
    sized = bits == {8} or (bits == {1} and photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO) and samples == 1)
    whole_numbers = set(_several(tags.get(339, 1))) == {1}
    if photometric == PALETTE and max(_several(tags.get(320, PALETTE_OF_BYTES))) < PALETTE_OF_BYTES:
        return False
    if photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO) and samples > 1:
        return False
    first = not tags.get(254, 0) & REDUCED
    known = tags.get(259, 1) in PLAIN_COMPRESSIONS
    return all((contiguous, not tiled, usual, sized, whole_numbers, first, known, not _is_raw(tags)))


def read_tiff(file: IO[bytes], max_pixels: float) -> TiffPages:
    """The full pages of a TIFF, decoded one by one.

    Raises:
        UnsupportedError: a raw, or a kind that tifffile does not decode.
        TruncatedError: pixels lie beyond the end of the file.
        ValueError, KeyError and others of tifffile's: the file is damaged.
    """
    import tifffile

    # It would print a line for each fault of a file. The failure says what is wrong, and names the file.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    tiff = tifffile.TiffFile(file, name="photo.tif")  # a file opened by its number has no name
    every: list[Any] = list(tiff.pages)
    pages = [page for page in every if not page.subfiletype & REDUCED]
    first = every[0]
    if not pages or first.tags.get(DNG_VERSION) or first.photometric in FILTERS:
        raise UnsupportedError("a raw photo whose pixels nothing installed develops")

    def pictures() -> Iterator[TiffPicture]:
        for page in pages:
            if page.imagewidth * page.imagelength > max_pixels:
                raise TooLargeError(f"{page.imagewidth} x {page.imagelength} pixels")
            ends = (
                offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
            )
            if max(ends, default=0) > size:
                raise TruncatedError("image file is truncated: its pixels end after the file")
            yield _picture(page)

    return TiffPages(len(pages), pictures())


def _is_raw(tags: Any) -> bool:
    return DNG_VERSION in tags or tags.get(262) in FILTERS


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _check_depth(page: Any) -> None:
    """Older versions of imagecodecs read the bytes of 24-bit numbers in the wrong order. Raises UnsupportedError."""
    import imagecodecs

    version = tuple(map(int, re.findall(r"\d+", imagecodecs.__version__)[:3]))
    if page.bitspersample == 24 and version < READS_24_BITS:
        raise UnsupportedError(
            'a TIFF of 24 bits; `pip install "imagecodecs>=2026.3.6"` reads it, on Python 3.11 or newer'
        )


def _picture(page: Any) -> TiffPicture:
    _check_depth(page)
    values = _samples_last(page)
    photometric = int(page.photometric)
    profile = page.tags.get(34675)
    orientation = page.tags.get(274)
    image = _image(values, photometric, page)
    return TiffPicture(
        image,
        int(orientation.value) if orientation is not None else 1,
        bytes(profile.value) if profile is not None else None,
    )


def _samples_last(page: Any) -> NDArray[Any]:
    """The page's values, shape (height, width, samples)."""
    try:
        values: NDArray[Any] = page.asarray()
    except (NotImplementedError, ImportError) as error:
        raise UnsupportedError(_unread(page)) from error
    except Exception as error:  # each codec has errors of its own
        # Old JPEG can be stored in ways that tifffile does not put together, so its failure is no sign of damage.
        if page.compression == OLD_JPEG or "not supported" in str(error) or "unsupported" in str(error):
            raise UnsupportedError(_unread(page)) from error
        raise
    if page.axes == "SYX":
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3:
        raise UnsupportedError(f"its values have the axes {page.axes}, which are no picture")
    return values


def _unread(page: Any) -> str:
    compression = getattr(page.compression, "name", page.compression)
    photometric = getattr(page.photometric, "name", page.photometric)
    return f"TIFF of the compression {compression} with colours of the kind {photometric} {CONVERT}"


def _image(values: NDArray[Any], photometric: int, page: Any) -> Image.Image:
    if photometric in (CIELAB, ICCLAB):
        return _from_lab(values, photometric)
    colours = {PALETTE: 1, WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, YCBCR: 3, SEPARATED: 4}.get(
        photometric
    )
    if colours is None or values.shape[2] < colours:
        raise UnsupportedError(_unread(page))
    if photometric == PALETTE:
        return _from_palette(values[..., 0], page.colormap)
    light = to_bytes(values[..., :colours], page.bitspersample)
    if photometric == WHITE_IS_ZERO:
        light = 255 - light
    if photometric == SEPARATED:
        return Image.fromarray(np.ascontiguousarray(light), "CMYK")
    extra = [int(each) for each in page.extrasamples]
    if values.shape[2] > colours and extra and extra[0] in (ASSOCIATED, UNASSOCIATED):
        alpha = to_bytes(values[..., colours : colours + 1], page.bitspersample, full=True)
        light = on_white(light, alpha, premultiplied=extra[0] == ASSOCIATED)
    return Image.fromarray(np.ascontiguousarray(light[..., 0] if colours == 1 else light))


def to_bytes(values: NDArray[Any], bits: int, full: bool = False) -> NDArray[np.uint8]:
    """Values of any depth to 8 bits.

    Whole numbers are scaled by their depth. Where all of them fit a smaller usual depth (8, 10, 12, 16 or 24 bits
    stored in more), they are scaled by that one. Floats and signed numbers are scaled by 1, 255 or 65535, the first
    that holds them. Where there are negative or greater ones, from their least to their greatest.

    Args:
        values: any shape.
        bits: as the file says.
        full: scale by the depth that the file says, whatever it holds: transparency.
    """
    if values.dtype.kind == "b":
        return np.asarray(values.astype(np.uint8) * np.uint8(255))
    if values.dtype == np.uint8 and bits == 8:
        return np.asarray(values)
    if values.dtype.kind in "fi":
        low, high = _signed_range(values)
    else:
        low, high = 0.0, _range_of_numbers(values, bits, full)
    found = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), ROWS):
        some = np.nan_to_num(values[row : row + ROWS].astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        found[row : row + ROWS] = ((some.clip(low, high) - low) * (255 / (high - low or 1))).round()
    return found


def _signed_range(values: NDArray[Any]) -> tuple[float, float]:
    """0 to the first usual range that holds all values; measurements that no range holds fill theirs."""
    finite = [row[np.isfinite(row)].astype(np.float64) for row in values]
    low = min((float(row.min(initial=0.0)) for row in finite), default=0.0)
    high = max((float(row.max(initial=0.0)) for row in finite), default=0.0)
    usual = next((float(each) for each in (1, 0xFF, 0xFFFF) if high <= each), None)
    return (0.0, usual) if low >= 0 and usual is not None else (low, high)


def _range_of_numbers(values: NDArray[Any], bits: int, full: bool) -> float:
    top = (1 << bits) - 1
    if bits <= 8 or full:
        return top
    greatest = int(values.max(initial=0))
    return min(top, next(each for each in (*RANGES, top) if greatest <= each))


def on_white(
    light: NDArray[np.uint8], alpha: NDArray[np.uint8], premultiplied: bool = False
) -> NDArray[np.uint8]:
    """Colours over white by their transparency. Shapes (height, width, channels) and (height, width, 1)."""
    found = np.empty_like(light)
    for row in range(0, len(light), ROWS):
        rows = slice(row, row + ROWS)
        share = alpha[rows].astype(np.float32) / 255
        colour = light[rows].astype(np.float32) * (1 if premultiplied else share)
        found[rows] = (colour + 255 * (1 - share)).round().clip(0, 255)
    return found


def _from_palette(indices: NDArray[Any], colormap: NDArray[np.uint16]) -> Image.Image:
    """Through the colour table, whose 16-bit entries some programs fill with 8-bit values."""
    entries = colormap if int(colormap.max()) < PALETTE_OF_BYTES else colormap >> 8
    table = np.moveaxis(entries.astype(np.uint8), 0, -1)
    return Image.fromarray(table[np.minimum(indices, len(table) - 1)])


def _from_lab(values: NDArray[Any], photometric: int) -> Image.Image:
    """CIE L*a*b* of 8 or 16 bits to sRGB. Encodings: TIFF 6.0, section 23; ICCLab: Adobe TIFF technical notes."""
    deep = values.dtype.itemsize == 2
    lightness = values[..., 0].astype(np.float64) * (100 / (65535 if deep else 255))
    if photometric == ICCLAB:
        ab = values[..., 1:3].astype(np.float64) / (256 if deep else 1) - 128
    else:
        ab = values[..., 1:3].view(np.int16 if deep else np.int8).astype(np.float64) / (256 if deep else 1)
    return Image.fromarray(lab_to_srgb(np.concatenate([lightness[..., None], ab], axis=2)))


def lab_to_srgb(lab: NDArray[np.float64]) -> NDArray[np.uint8]:
    """CIE L*a*b* under D50, shape (..., 3), to sRGB. Source: ISO 11664-4; matrix by Bradford from D50 to D65."""
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * (0.9642, 1.0, 0.8249)
    matrix = np.array(
        [
            [3.1338561, -1.6168667, -0.4906146],
            [-0.9787684, 1.9161415, 0.0334540],
            [0.0719453, -0.2289914, 1.4052427],
        ]
    )
    return encode_srgb(xyz @ matrix.T)


def encode_srgb(linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Linear light, 1.0 being white, to 8-bit sRGB. Source: IEC 61966-2-1."""
    light = linear.clip(0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray((coded * 255).round().astype(np.uint8))
