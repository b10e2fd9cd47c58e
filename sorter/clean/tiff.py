"""Read a TIFF's directories, to tell whether its pixel data is complete.

Sources: TIFF 6.0; the BigTIFF design of AWare Systems, where offsets and counts have 64 bits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

MAX_PAGES = 4096
TYPES = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
WIDTH, HEIGHT, BITS, COMPRESSION = 256, 257, 258, 259
STRIPS, STRIP_SIZES, TILES, TILE_SIZES = 273, 279, 324, 325
# Those that libtiff decodes in every build: none, fax, LZW, JPEG, deflate, PackBits.
KNOWN_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})
Tags = dict[int, tuple[int, ...]]


class _Malformed(Exception):
    """The file does not hold what its directories point to."""


@dataclass(frozen=True, slots=True)
class TiffPage:
    """One directory of a TIFF.

    Attributes:
        whole: all of its strips or tiles lie within the file.
        compression: the tag's value; 1 for none.
    """

    whole: bool
    compression: int


def tiff_pages(data: bytes | mmap) -> list[TiffPage]:
    """The pages of a TIFF. A directory that cannot be read is a last page that is not whole."""
    pages: list[TiffPage] = []
    try:
        pages.extend(_page(tags, len(data)) for tags in _directories(data))
    except (_Malformed, struct.error):
        pages.append(TiffPage(False, 1))
    return pages


def _directories(data: bytes | mmap) -> Iterator[Tags]:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    word, entry = ("Q", 20) if big else ("I", 12)
    (at,) = struct.unpack_from(order + word, data, 8 if big else 4)
    seen: set[int] = set()
    while at and at not in seen and len(seen) < MAX_PAGES:
        seen.add(at)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
        first = at + (8 if big else 2)
        end = first + count * entry
        if end > len(data):
            raise _Malformed
        yield dict(_entry(data, first + number * entry, order, word) for number in range(count))
        # The last pointer is missing in some writers' files: there is then no further page.
        at = struct.unpack_from(order + word, data, end)[0] if end + struct.calcsize(word) <= len(data) else 0


def _entry(data: bytes | mmap, at: int, order: str, word: str) -> tuple[int, tuple[int, ...]]:
    """A tag's number and its whole numbers; none of another type."""
    tag, kind, count = struct.unpack_from(order + "HH" + word, data, at)
    code = TYPES.get(kind)
    if code is None or tag not in (WIDTH, HEIGHT, BITS, COMPRESSION, STRIPS, STRIP_SIZES, TILES, TILE_SIZES):
        return tag, ()
    room = struct.calcsize(order + word)
    value = at + 4 + room
    if count * struct.calcsize(code) > room:
        (value,) = struct.unpack_from(order + word, data, value)
    if value + count * struct.calcsize(code) > len(data):
        raise _Malformed
    return tag, struct.unpack_from(f"{order}{count}{code}", data, value)


def _page(tags: Tags, size: int) -> TiffPage:
    compression = tags.get(COMPRESSION) or (1,)
    return TiffPage(_is_whole(tags, size), compression[0])


def _is_whole(tags: Tags, size: int) -> bool:
    offsets = tags.get(STRIPS) or tags.get(TILES) or ()
    sizes = tags.get(STRIP_SIZES) or tags.get(TILE_SIZES) or ()
    if not offsets or not all(tags.get(WIDTH, (0,))) or not all(tags.get(HEIGHT, (0,))):
        return False
    if len(sizes) != len(offsets):  # byte counts are missing in some old files
        return all(0 < offset < size for offset in offsets)
    # A tile of size zero is left out on purpose (sparse files).
    return any(sizes) and all(
        not length or (offset > 0 and offset + length <= size)
        for offset, length in zip(offsets, sizes, strict=True)
    )
