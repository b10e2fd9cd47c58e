"""When a photo or a film was taken, and which Live Photo it is of, by a few kilobytes of the file.

Nothing is decoded, so that a damaged file costs nothing. Sources: EXIF 2.32; TIFF 6.0; ISO 14496-12 and 23008-12;
Apple's QuickTime File Format; the maker note of Apple as ExifTool documents it.
"""

from __future__ import annotations

import calendar
import io
import os
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sorter.files import open_regular
from sorter.photos.boxes import extents_of, top_boxes, walk_boxes

EXIF_FOLDER, MAKER_NOTE, TAKEN, DIGITISED = 0x8769, 0x927C, 0x9003, 0x9004
APPLE, APPLE_BEGINS, CONTENT_IDENTIFIER = b"Apple iOS\0", 14, 0x11
MOST = 1 << 16  # bytes of one tag
ENTRIES = 512  # of a folder of tags that are looked at, at most
MOST_MOOV = 8 << 20  # bytes
IDENTIFIER = b"com.apple.quicktime.content.identifier"
FROM_1904 = 2_082_844_800  # seconds from the epoch of QuickTime to that of Unix
EARLIEST = 631_152_000  # 1990: an earlier time is a clock that nobody set
RAW_TIFF = (b"II*\0", b"MM\0*", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")
DAY = 86_400  # seconds; a film's time is in UTC and a photo's is local, up to 14 hours apart


@dataclass(frozen=True, slots=True)
class Capture:
    """Where a file comes from.

    Attributes:
        taken: seconds since 1970 by the camera's clock, whatever its time zone; None where the file does not say.
        identifier: of a Live Photo, the same in the photo and in its film; empty where the file does not say.
    """

    taken: int | None = None
    identifier: str = ""


def capture_of(path: Path) -> Capture:
    """What a photo or a film says of itself. Never raises for its contents; nothing is known of an unreadable file."""
    try:
        with open_regular(path) as file:
            return _capture(file)
    except (OSError, struct.error, ValueError, IndexError, OverflowError):
        return Capture()


def of_one_moment(one: Capture, other: Capture) -> bool | None:
    """Whether two files are of one moment. None where they do not say enough."""
    if one.identifier and other.identifier:
        return one.identifier == other.identifier
    if one.taken is not None and other.taken is not None:
        return abs(one.taken - other.taken) <= DAY
    return None


def _capture(file: IO[bytes]) -> Capture:
    head = file.read(128)
    if head.startswith(b"\xff\xd8"):
        return _of_tags(_jpeg_tags(file, 2))
    if head.startswith(b"FUJIFILMCCD-RAW"):
        return _of_tags(_jpeg_tags(file, int.from_bytes(head[84:88], "big") + 2))
    if head.startswith(RAW_TIFF):
        return _of_tags(file)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return _of_boxes(file)
    return Capture()


# -- tags ------------------------------------------------------------------------------------------------------


def _of_tags(tiff: IO[bytes] | None) -> Capture:
    if tiff is None:
        return Capture()
    order = "<" if tiff.read(2) == b"II" else ">"
    tiff.seek(4)
    (first,) = struct.unpack(order + "I", tiff.read(4))
    found = dict(_folder(tiff, order, first))
    if EXIF_FOLDER in found:
        (at,) = struct.unpack(order + "I", found[EXIF_FOLDER][:4])
        found |= dict(_folder(tiff, order, at))
    return Capture(_time(found), _identifier(found.get(MAKER_NOTE, b"")))


def _folder(tiff: IO[bytes], order: str, at: int) -> Iterator[tuple[int, bytes]]:
    """The tags of interest in a folder of tags, with their values as they are stored."""
    tiff.seek(at)
    (count,) = struct.unpack(order + "H", tiff.read(2))
    entries = tiff.read(12 * min(count, ENTRIES))
    for tag, kind, number, value in struct.iter_unpack(order + "HHI4s", entries[: len(entries) // 12 * 12]):
        size = number * (4 if kind in (4, 9, 13) else 1)
        if tag not in (EXIF_FOLDER, MAKER_NOTE, TAKEN, DIGITISED, CONTENT_IDENTIFIER) or size > MOST:
            continue
        if size > 4:
            tiff.seek(struct.unpack(order + "I", value)[0])
            value = tiff.read(size)
        yield tag, value[:size]


def _time(tags: Mapping[int, bytes]) -> int | None:
    for tag in (TAKEN, DIGITISED):
        text = tags.get(tag, b"").split(b"\0")[0].decode("ascii", "replace").strip()
        try:
            seconds = calendar.timegm(time.strptime(text, "%Y:%m:%d %H:%M:%S"))
        except ValueError:
            continue
        if seconds >= EARLIEST:
            return seconds
    return None


def _identifier(note: bytes) -> str:
    """The content identifier in Apple's maker note, whose offsets count from its own start."""
    if not note.startswith(APPLE):
        return ""
    tags = dict(_folder(io.BytesIO(note), ">", APPLE_BEGINS))
    return _text(tags.get(CONTENT_IDENTIFIER, b""))


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode("utf-8", "replace").strip()


def _jpeg_tags(file: IO[bytes], at: int) -> IO[bytes] | None:
    """The EXIF block of a JPEG whose first marker is at a place."""
    while True:
        file.seek(at)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xDA, 0xD9):
            return None
        length = int.from_bytes(head[2:], "big")
        if head[1] == 0xE1 and file.read(6) == b"Exif\0\0":
            return io.BytesIO(file.read(length - 8))
        at += 2 + length


# -- boxes -----------------------------------------------------------------------------------------------------


def _of_boxes(file: IO[bytes]) -> Capture:
    for name, begins, ends in top_boxes(file):
        if name == b"moov" and ends - begins <= MOST_MOOV:
            file.seek(begins)
            return _of_film(file.read(ends - begins))
        if name == b"meta":
            return _of_tags(_heif_tags(file))
    return Capture()


def _heif_tags(file: IO[bytes]) -> IO[bytes] | None:
    for begins, ends in extents_of(file, b"Exif"):
        file.seek(begins)
        skipped = int.from_bytes(file.read(4), "big")
        file.seek(skipped, os.SEEK_CUR)
        return io.BytesIO(file.read(min(ends - begins, MOST)))
    return None


def _of_film(moov: bytes) -> Capture:
    parts = dict(walk_boxes(moov))
    canon = parts.get(b"uuid", b"")  # a CR3 is no film: its EXIF folder is a box of its own
    for name, body in walk_boxes(canon[16:]):
        if name == b"CMT2":
            return Capture(_time(dict(_folder(io.BytesIO(body), "<" if body[:2] == b"II" else ">", 8))))
    return Capture(_film_time(parts.get(b"mvhd", b"")), _film_identifier(parts.get(b"meta", b"")))


def _film_time(mvhd: bytes) -> int | None:
    """When the film was made: ISO 14496-12, 8.2.2."""
    long = mvhd[:1] == b"\1"
    seconds = int.from_bytes(mvhd[4:12] if long else mvhd[4:8], "big") - FROM_1904
    return seconds if seconds >= EARLIEST else None


def _film_identifier(meta: bytes) -> str:
    """From the keys and the list of items, which number the keys from 1."""
    parts = dict(walk_boxes(meta if meta[4:8] == b"hdlr" else meta[4:]))
    names = [body for _, body in walk_boxes(parts.get(b"keys", b"")[8:])]
    if IDENTIFIER not in names:
        return ""
    number = (names.index(IDENTIFIER) + 1).to_bytes(4, "big")
    data = dict(walk_boxes(dict(walk_boxes(parts.get(b"ilst", b""))).get(number, b""))).get(b"data", b"")
    return _text(data[8:])
