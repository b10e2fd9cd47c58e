"""The smaller picture of itself that a photo holds: a HEIF's item `thmb`, a JPEG's EXIF thumbnail or MPF preview.

It is taken only where it is the photo: whole, with the photo's proportions, orientation and colours, and not older
than its last edit. A photo that was cut short is never shown by a picture that survived.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import ExifTags, Image

from sorter.photos.boxes import are_whole_units, read_boxes
from sorter.photos.colour import is_srgb, to_srgb
from sorter.photos.jpeg import END_OF_JPEG, decode_fast, read_frame
from sorter.photos.orientation import read_exif, read_orientation, turn_upright, upright_size
from sorter.photos.tone import needs_nothing
from sorter.types import Decoded

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOLDERS = frozenset({"JPEG", "HEIF"})
LEAST_JPEG = 1 << 19  # bytes; a smaller JPEG is decoded as soon as its previews are found
SKEW = 1.02  # of proportions: cameras round a preview's sides to whole blocks
PLENTY = 1.75  # times the least side: a larger picture is no nearer to the photo, and takes longer
LARGE_THUMBNAILS = frozenset({"Large Thumbnail (VGA Equivalent)", "Large Thumbnail (Full HD Equivalent)"})
JPEG_OFFSET, JPEG_LENGTH = 0x0201, 0x0202  # of the thumbnail in EXIF (Exif 2.32, 4.6.5)
TAKEN, CHANGED = 0x9003, 0x0132  # DateTimeOriginal, DateTime
TIME = "%Y:%m:%d %H:%M:%S"
IN_CAMERA = timedelta(seconds=10)  # a camera may note both times apart
TOP = 16  # this part of a JPEG's bytes is decoded to compare its first rows with those of the preview
LEAST_TOP = 1 << 16  # bytes
MAX_HEADER = 1 << 18  # bytes before the picture of a JPEG, of those that are looked at here
ROWS = 8  # of an eighth of the photo, that are enough for a comparison
SAME = 10.0  # grey levels, the mean over areas: two pictures of one scene by one camera differ by less than 3


@dataclass(frozen=True, slots=True)
class InnerJpeg:
    """A JPEG within a JPEG.

    Attributes:
        data: its bytes.
        width: in pixels, as stored.
        height: likewise.
    """

    data: bytes
    width: int
    height: int


def decode_embedded(image: Image.Image, file: IO[bytes], least: int, min_side: int) -> Decoded | None:
    """Decode the picture of itself that an opened photo holds. None where there is none that will do.

    Args:
        image: from `open_image`, of a kind in `HOLDERS`. Its size has been checked.
        file: the same photo.
        least: pixels that both sides of the picture must have.
        min_side: pixels of a side to which a large picture may be reduced.
    """
    width, height = image.size
    orientation = read_orientation(image)
    if image.mode != "RGB" or _was_edited(image.info.get("exif") or b""):
        return None
    heif = image.format == "HEIF"
    picture = _from_heif(image, file, least) if heif else _from_jpeg(image, file, least, min_side)
    if picture is None:
        return None
    upright = turn_upright(picture, orientation)
    size = upright_size(width, height, orientation)
    return Decoded(np.asarray(upright), *size, "HEIF" if heif else "JPEG", embedded=True)


def _was_edited(exif: bytes) -> bool:
    """Whether a program changed the photo since it was taken: it need not have renewed the preview."""
    tags = read_exif(exif) if exif else {}
    try:
        taken, changed = (datetime.strptime(str(tags[tag])[:19], TIME) for tag in (TAKEN, CHANGED))
    except (KeyError, ValueError):
        return False
    return abs(changed - taken) > IN_CAMERA


def _from_heif(image: Image.Image, file: IO[bytes], least: int) -> Image.Image | None:
    """By pillow-heif from 1.8 on, which compares proportions, crop, rotation and colour profile itself."""
    profile = image.info.get("icc_profile")
    if profile is None and not needs_nothing(read_boxes(file).colours):
        return None
    if not are_whole_units(file):
        return None
    if image.draft(None, (least, least)) is None:
        return None
    image.load()
    return to_srgb(image, profile) if profile else image


def _from_jpeg(image: Image.Image, file: IO[bytes], least: int, min_side: int) -> Image.Image | None:
    fitting = [each for each in _previews(image, file) if _fits(each, image.size, least)]
    if not fitting or not is_srgb(image) or not _ends(image, file):
        return None
    fitting.sort(key=lambda each: min(each.width, each.height))
    enough = (each for each in fitting if min(each.width, each.height) >= PLENTY * least)
    pixels, warning = decode_fast(next(enough, fitting[-1]).data, min_side, min_side)
    if pixels is None or warning or not _begins_alike(file, image.size, pixels):
        return None
    return Image.fromarray(pixels)


def _fits(preview: InnerJpeg, size: tuple[int, int], least: int) -> bool:
    skew = (preview.width * size[1]) / (preview.height * size[0])
    smaller = preview.width < size[0] and preview.height < size[1]
    return min(preview.width, preview.height) >= least and smaller and 1 / SKEW < skew < SKEW


def _previews(image: Image.Image, file: IO[bytes]) -> Iterator[InnerJpeg]:
    for data in (_thumbnail(image.info.get("exif") or b""), *_multi_picture(image, file)):
        frame = read_frame(data) if data.startswith(b"\xff\xd8") else None
        if frame is not None and frame.width and frame.height:
            yield InnerJpeg(data, frame.width, frame.height)


def _thumbnail(exif: bytes) -> bytes:
    tags = Image.Exif()
    tags.load(exif)
    second = tags.get_ifd(ExifTags.IFD.IFD1)
    begins, length = second.get(JPEG_OFFSET, 0), second.get(JPEG_LENGTH, 0)
    at = exif.find(b"Exif\0\0") + 6 if exif.startswith(b"Exif\0\0") else 0
    return exif[at + begins : at + begins + length]


def _multi_picture(image: Image.Image, file: IO[bytes]) -> Iterator[bytes]:
    """The previews of a multi-picture file. Source: CIPA DC-007, 5.2.3.3."""
    for number, entry in enumerate(_entries(image)):
        if entry["Attribute"]["MPType"] not in LARGE_THUMBNAILS:
            continue
        image.seek(number)
        file.seek(image.offset)  # type: ignore[attr-defined]
        data = file.read(entry["Size"])
        image.seek(0)
        if len(data) == entry["Size"]:
            yield data.rstrip(b"\0")


def _entries(image: Image.Image) -> tuple[dict[str, Any], ...]:
    """Of a multi-picture file. The first is the photo."""
    return tuple(getattr(image, "mpinfo", {}).get(0xB002, ())) if image.format == "MPO" else ()


def _ends(image: Image.Image, file: IO[bytes]) -> bool:
    """Whether the photo's end marker lies where it has to. Without it, the photo was cut short."""
    entries = _entries(image)
    end = entries[0]["Size"] if entries else file.seek(0, os.SEEK_END)
    file.seek(max(0, end - len(END_OF_JPEG)))
    return file.read(len(END_OF_JPEG)) == END_OF_JPEG


def _begins_alike(file: IO[bytes], size: tuple[int, int], preview: NDArray[np.uint8]) -> bool:
    """Whether the first rows of the photo are those of its preview. Decoding them takes a fraction of the whole.

    A photo that was turned, mirrored or replaced by a program that kept the preview is noticed by this.
    """
    import simplejpeg

    width, height = size
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    frame = read_frame(file.read(MAX_HEADER))
    if frame is None:
        return False
    file.seek(0)
    head = file.read(frame.begins + max(LEAST_TOP, length // TOP))
    eighth = (-(-width // 8), -(-height // 8))
    rows = simplejpeg.decode_jpeg(
        head + END_OF_JPEG, "RGB", min_width=eighth[0], min_height=eighth[1], strict=False
    )
    # libjpeg paints what is missing grey, and two rows may be half missing.
    missing = (rows == 128).all(axis=(1, 2))
    known = int(missing.argmax()) - 2 if missing.any() else len(rows)
    if known < ROWS:
        return False
    share = known / len(rows)
    ours = Image.fromarray(rows[:known])
    theirs = Image.fromarray(preview[: max(1, round(len(preview) * share))])
    grid = (24, max(1, round(24 * share)))
    first, second = (np.asarray(each.resize(grid, Image.Resampling.BOX), int) for each in (ours, theirs))
    return float(np.abs(first - second).mean()) < SAME
