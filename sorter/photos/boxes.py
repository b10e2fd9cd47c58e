"""What an AVIF or HEIF file says of its primary picture: colours and crop. Source: ISO 23008-12 and 14496-12."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from sorter.distribution import install_command
from sorter.photos.errors import TooLargeError, TruncatedError, UnsupportedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_META = 4 << 20  # bytes; the boxes before the pixels are a few kilobytes
DEPTH = 64  # boxes in one container that are looked at, at most


@dataclass(frozen=True, slots=True)
class Colours:
    """Coding-independent code points of ITU-T H.273.

    Attributes:
        primaries: 1 BT.709, 9 BT.2020, 12 Display P3; 2 unspecified.
        transfer: 13 sRGB, 16 PQ, 18 HLG; 2 unspecified.
    """

    primaries: int
    transfer: int


@dataclass(frozen=True, slots=True)
class PictureBoxes:
    """Properties of the primary picture.

    Attributes:
        colours: of a `colr` box of type nclx, or None.
        crop: left, top, right, bottom in pixels as stored, from a `clap` box, or None.
    """

    colours: Colours | None = None
    crop: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes of an item, by their places in the file.

    Attributes:
        item: its number.
        begins: the first byte.
        ends: the byte behind the last.
    """

    item: int
    begins: int
    ends: int


def read_boxes(file: IO[bytes]) -> PictureBoxes:
    """Read the boxes of a file from its start. What is damaged or missing is left out; never raises for contents."""
    try:
        return _read(file)
    except (struct.error, ValueError, IndexError, ZeroDivisionError):
        return PictureBoxes()


def check_extents(file: IO[bytes]) -> None:
    """Raise TruncatedError where bytes of the primary picture lie beyond the end of the file.

    libheif draws a picture of several tiles without the tiles that are missing, and does not say so.
    """
    try:
        missing = _is_cut(_children(file), file.seek(0, os.SEEK_END))
    except (struct.error, ValueError, IndexError):
        missing = False  # damaged boxes are for the decoder to judge
    file.seek(0)
    if missing:
        raise TruncatedError("the file ends before its pixels do")


def are_whole_units(file: IO[bytes]) -> bool:
    """Whether the coded units of the primary picture fill its bytes exactly. Says nothing of the pixels in them.

    A unit has its length in front. So zeros in place of pixels, as a download leaves them that stopped, are noticed
    without decoding. Source: ISO 14496-15, 9.2 (HEVC samples, with lengths of four bytes as all encoders write them).
    """
    try:
        children = _children(file)
        primary = _primary(children.get(b"pitm", b""))
        coded = set(_tiles(children.get(b"iref", b""), primary)) or {primary}
        extents = [each for each in _extents(children.get(b"iloc", b"")) if each.item in coded]
        whole = len(extents) == len(coded) and all(_holds_units(file, each) for each in extents)
    except (struct.error, ValueError, IndexError):
        whole = False
    file.seek(0)
    return whole


def _holds_units(file: IO[bytes], extent: Extent) -> bool:
    at = extent.begins
    while at + 4 < extent.ends:
        file.seek(at)
        length = int.from_bytes(file.read(4), "big")
        if not length:
            return False
        at += 4 + length
    file.seek(extent.ends - 4)
    return at == extent.ends and file.read(4) != bytes(4)  # no unit ends in zeros: ISO 23008-2, 7.4.2


def _is_cut(children: dict[bytes, bytes], size: int) -> bool:
    primary = _primary(children.get(b"pitm", b""))
    items = {primary, *_tiles(children.get(b"iref", b""), primary)}
    return any(each.item in items and each.ends > size for each in _extents(children.get(b"iloc", b"")))


def _tiles(iref: bytes, item: int) -> list[int]:
    """The items that an item is made of: ISO 14496-12, 8.11.12, references of type `dimg`."""
    width = 4 if iref[:1] == b"\1" else 2
    for name, body in walk_boxes(iref[4:]):
        numbers = [int.from_bytes(body[at : at + width], "big") for at in range(width + 2, len(body), width)]
        if name == b"dimg" and int.from_bytes(body[:width], "big") == item:
            return numbers
    return []


def _extents(iloc: bytes) -> Iterator[Extent]:
    """Each extent that lies in the file. Source: ISO 14496-12, 8.11.3."""
    version, at = iloc[0], 6

    def number(width: int) -> int:
        nonlocal at
        at += width
        if at > len(iloc):
            raise ValueError("iloc is cut short")
        return int.from_bytes(iloc[at - width : at], "big")

    offset_size, length_size, base_size = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
    index_size = iloc[5] & 15 if version else 0
    item_size = 4 if version == 2 else 2
    for _ in range(number(item_size)):
        item = number(item_size)
        in_file = number(2) & 15 == 0 if version else True
        in_file &= number(2) == 0  # another file's data otherwise
        base = number(base_size)
        for _ in range(number(2)):
            number(index_size)
            begins, length = base + number(offset_size), number(length_size)
            if in_file:
                yield Extent(item, begins, begins + length)


def extents_of(file: IO[bytes], kind: bytes) -> Iterator[tuple[int, int]]:
    """Where in the file the items of a kind lie, such as `Exif`: the first byte, and the one behind the last.

    Raises:
        struct.error, ValueError, IndexError: the boxes are damaged.
    """
    children = _children(file)
    items = set(_items(children.get(b"iinf", bytes(6)), kind))
    for each in _extents(children.get(b"iloc", b"")):
        if each.item in items:
            yield each.begins, each.ends


def _items(iinf: bytes, kind: bytes) -> Iterator[int]:
    """The numbers of the items of a kind: ISO 14496-12, 8.11.6."""
    for name, body in walk_boxes(iinf[8 if iinf[0] else 6 :]):
        width = 4 if body[:1] == b"\3" else 2
        if name == b"infe" and body[6 + width : 10 + width] == kind:
            yield int.from_bytes(body[4 : 4 + width], "big")


def top_boxes(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """The first boxes of a file: name, where the body begins, and where it ends. Raises as `boxes_in`."""
    size = file.seek(0, os.SEEK_END)
    at = 0
    for _ in range(DEPTH):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            break
        length, name, start = _length(head, size - at)
        yield name, at + start, at + length
        at += length


def _children(file: IO[bytes]) -> dict[bytes, bytes]:
    """The boxes within the first `meta` box, by name; empty where there is none."""
    for name, begins, ends in top_boxes(file):
        if name == b"meta" and ends - begins <= MOST_META:
            file.seek(begins)
            return dict(walk_boxes(file.read(ends - begins)[4:]))
    return {}


def _read(file: IO[bytes]) -> PictureBoxes:
    children = _children(file)
    if not children:
        return PictureBoxes()
    primary = _primary(children.get(b"pitm", b""))
    properties = dict(walk_boxes(children.get(b"iprp", b"")))
    kinds = list(walk_boxes(properties.get(b"ipco", b"")))
    used = [
        kinds[index - 1]
        for index in _associated(properties.get(b"ipma", b""), primary)
        if 0 < index <= len(kinds)
    ]
    width, height, colours, crop = 0, 0, None, None
    for name, body in used:
        if name == b"ispe":
            width, height = struct.unpack(">II", body[4:12])
        elif name == b"colr" and body[:4] == b"nclx":
            primaries, transfer = struct.unpack(">HH", body[4:8])
            colours = Colours(primaries, transfer)
    for name, body in used:
        if name == b"clap" and width and height:
            crop = _crop(body, width, height)
    return PictureBoxes(colours, crop)


def _length(head: bytes, rest: int) -> tuple[int, bytes, int]:
    """A box's whole length, its name, and where its body begins."""
    length, name = struct.unpack(">I4s", head[:8])
    if length == 1:
        (length,) = struct.unpack(">Q", head[8:16])
        start = 16
    else:
        start = 8
        length = length or rest
    if length < start:
        raise ValueError("a box is shorter than its own header")
    return length, name, start


def walk_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and body of each box, one after another. Raises ValueError where one is damaged."""
    at = 0
    while at + 8 <= len(data):
        length, name, start = _length(data[at : at + 16], len(data) - at)
        yield name, data[at + start : at + length]
        at += length


def _primary(pitm: bytes) -> int:
    return int.from_bytes(pitm[4:8] if pitm[:1] == b"\1" else pitm[4:6], "big")


def _associated(ipma: bytes, item: int) -> list[int]:
    """The numbers of an item's properties, from 1, in the order in which they apply."""
    version, wide = ipma[0], ipma[3] & 1
    (count,) = struct.unpack(">I", ipma[4:8])
    at = 8
    for _ in range(count):
        width = 4 if version else 2
        number = int.from_bytes(ipma[at : at + width], "big")
        many, at = ipma[at + width], at + width + 1
        step, mask = (2, 0x7FFF) if wide else (1, 0x7F)
        found = [int.from_bytes(ipma[at + k * step : at + (k + 1) * step], "big") & mask for k in range(many)]
        at += many * step
        if number == item:
            return found
    return []


def _crop(clap: bytes, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Clean aperture: ISO 14496-12, 12.1.4. None where it does not lie within the picture."""
    wide, over_w, high, over_h = struct.unpack(">IIII", clap[:16])
    right_by, over_x, down_by, over_y = struct.unpack(">iIiI", clap[16:32])
    wide, high = wide / over_w, high / over_h
    left = width / 2 + right_by / over_x - wide / 2
    top = height / 2 + down_by / over_y - high / 2
    box = (round(left), round(top), round(left + wide), round(top + high))
    inside = 0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height
    return box if inside and box != (0, 0, width, height) else None


def read_rare_boxes(data: bytes, max_pixels: float) -> NDArray[np.uint8]:
    """An AVIF that Pillow refuses, by libvips where it is installed: uint8 (height, width, 3), on white.

    Raises:
        OSError: the header is damaged.
        TruncatedError: the file ends before its boxes do.
        TooLargeError: more pixels than allowed.
        UnsupportedError: a sequence, or nothing installed reads it.
    """
    if _is_sequence(data):
        raise UnsupportedError("an image sequence is not read; export a picture of it")
    if b"meta" not in data[:MOST_META]:
        raise OSError("the header is damaged or cut short")
    if ends_early(data):
        raise TruncatedError("the file is shorter than its boxes say")
    try:
        import pyvips
    except ImportError as error:
        message = (
            f"this kind of AVIF or HEIF is not read; `{install_command('formats')}` brings what may read it"
        )
        raise UnsupportedError(message) from error
    try:
        image = pyvips.Image.heifload_buffer(data)
        if image.width * image.height > max_pixels:
            raise TooLargeError(f"{image.width} x {image.height} pixels")
        shown = image.flatten(background=[255, 255, 255]) if image.hasalpha() else image
        pixels: NDArray[np.uint8] = shown.colourspace("srgb").numpy()[..., :3]
    except pyvips.Error as error:
        raise UnsupportedError(
            "this kind of AVIF or HEIF is not read; convert it, for example to PNG"
        ) from error
    return pixels


def _is_sequence(data: bytes) -> bool:
    """Whether a film track takes the place of a primary picture."""
    return b"moov" in data[:MOST_META] and b"pitm" not in data[:MOST_META]


def ends_early(data: bytes) -> bool:
    """Whether a file ends within one of its boxes."""
    at = 0
    try:
        while at + 8 <= len(data):
            at += _length(data[at : at + 16], len(data) - at)[0]
    except (struct.error, ValueError):
        return True
    return at > len(data)
