"""Check a container by its specification, for damage that decoders ignore.

Each check reads a container once, from its first byte to its end. It yields `broken` where pixels are lost, and
`damaged` where every viewer still shows the whole picture.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator

from sorter.clean.records import Finding, Kind

MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")  # without stuffing, fill bytes and restarts
NOT_ZERO = re.compile(rb"[^\0]")
# Programs append these on purpose: a further picture (MPO, gain maps), the video of a motion photo, the trailers of
# Samsung and Google.
TRAILERS = (b"\xff\xd8\xff", b"SEFH", b"MotionPhoto", b"\0\0\0\x18ftyp", b"\0\0\0\x1cftyp", b"\0\0\0\x20ftyp")


def check_structure(data: bytes, format: str) -> Iterator[Finding]:
    """The faults of a container; none for a format without a check."""
    walk = WALKS.get(format)
    if walk is not None:
        yield from walk(data)


def warning_finding(warning: str) -> Finding | None:
    """libjpeg's warning -> `broken` where it means lost pixels, else `damaged`.

    Many cameras write padding before a marker, and a damaged scan gives the same warning. So that is only `damaged`.
    """
    if not warning:
        return None
    lost = ("premature end of data", "bad huffman", "unsupported marker", "invalid", "inconsistent", "bogus")
    if any(sign in warning.lower() for sign in lost):
        return Finding(Kind.BROKEN, "corrupt", warning)
    if "premature end" in warning.lower():
        return Finding(Kind.DAMAGED, "no-end", "the end marker is missing")
    return Finding(Kind.DAMAGED, "decoder-warning", warning)


def _stray(data: bytes, end: int) -> Iterator[Finding]:
    """Bytes after the end of a picture that no known program appends."""
    rest = data[end : end + 64]
    if not rest or not data[end:].strip(b"\0\n\r "):
        return
    if not rest.lstrip(b"\0").startswith(TRAILERS) and b"ftyp" not in rest and data[-4:] not in (b"SEFT",):
        yield Finding(Kind.DAMAGED, "trailing-data", f"{len(data) - end:,} stray bytes after the end")


def _jpeg(data: bytes) -> Iterator[Finding]:
    """ITU-T T.81, annex B: segments up to the end marker, with only fill bytes between them."""
    at = 2
    while True:
        found = MARKER.search(data, at)
        if found is None:
            yield Finding(Kind.DAMAGED, "no-end", "the end marker is missing")
            return
        at = found.start()
        if data[at + 1] == 0xD9:
            yield from _stray(data, at + 2)
            return
        at += 2 + max(int.from_bytes(data[at + 2 : at + 4], "big"), 2)


def _png(data: bytes) -> Iterator[Finding]:
    """ISO/IEC 15948, 5.3: chunks with checksums up to IEND. A name that begins in upper case is critical."""
    at = 8
    while at + 8 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        critical = not name[0] & 0x20
        shown = name.decode("latin-1")
        if end > len(data):
            kind = Kind.BROKEN if name == b"IDAT" else Kind.DAMAGED
            yield Finding(kind, "truncated", f"ends within its chunk {shown!r}")
            return
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            kind = Kind.BROKEN if critical and name != b"IEND" else Kind.DAMAGED
            yield Finding(kind, "bad-checksum", f"chunk {shown!r}")
        if name == b"IEND":
            yield from _stray(data, end)
            return
        at = end
    yield Finding(Kind.DAMAGED, "no-end", "the last chunk, IEND, is missing")


def _gif(data: bytes) -> Iterator[Finding]:
    """GIF89a specification: blocks up to the trailer 0x3B."""
    at = 13 + (3 * 2 ** ((data[10] & 7) + 1) if len(data) > 10 and data[10] & 0x80 else 0)
    while at < len(data):
        kind = data[at]
        if kind == 0x3B:
            yield from _stray(data, at + 1)
            return
        if kind == 0x21:
            at += 2
        elif kind == 0x2C and at + 10 < len(data):
            at += 11 + (3 * 2 ** ((data[at + 9] & 7) + 1) if data[at + 9] & 0x80 else 0)
        elif kind == 0:  # some programs write zeros between blocks, and decoders pass over them
            found = NOT_ZERO.search(data, at)
            if found is None:
                break
            at = found.start()
            continue
        else:
            yield Finding(Kind.BROKEN, "corrupt", "an unknown block at the place of a frame")
            return
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
        if at > len(data):
            frame = kind == 0x2C
            yield Finding(Kind.BROKEN if frame else Kind.DAMAGED, "truncated", "ends within a block")
            return
    yield Finding(Kind.DAMAGED, "no-end", "the trailer is missing")


def _webp(data: bytes) -> Iterator[Finding]:
    """RIFF: chunks of a name, a length and bytes, padded to an even number."""
    end = 8 + int.from_bytes(data[4:8], "little")
    at = 12
    while at + 8 <= end:
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if at > end:
            yield Finding(Kind.BROKEN, "truncated", "a chunk reaches beyond the end")
            return
        at += at & 1
    yield from _stray(data, end + (end & 1))


def _boxes(data: bytes) -> Iterator[Finding]:
    """ISO 14496-12, 4.2: boxes one after another up to the end of the file."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:
            return
        name = data[at + 4 : at + 8]
        if size < 8 or not all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in name):
            yield from _stray(data, at)
            return
        if at + size > len(data):
            yield Finding(Kind.BROKEN, "truncated", f"ends within its box {name.decode('latin-1')!r}")
            return
        at += size
    yield from _stray(data, at)


def _boxes_or_stream(data: bytes) -> Iterator[Finding]:
    """JPEG XL and JPEG 2000: a naked codestream has no boxes, and its decoder knows its end."""
    if data[:3] == b"\0\0\0":
        yield from _boxes(data)


def _bmp(data: bytes) -> Iterator[Finding]:
    """The size in the header. Some writers leave it zero, and some count only the pixels."""
    size = int.from_bytes(data[2:6], "little")
    if size and size > len(data):
        width = int.from_bytes(data[18:22], "little", signed=True)
        height = abs(int.from_bytes(data[22:26], "little", signed=True))
        bits, packing = int.from_bytes(data[28:30], "little"), int.from_bytes(data[30:34], "little")
        needed = int.from_bytes(data[10:14], "little") + (width * bits + 31) // 32 * 4 * height
        if packing not in (0, 3) or needed > len(data):
            yield Finding(Kind.BROKEN, "truncated", "the file is shorter than its header says")


WALKS: dict[str, Callable[[bytes], Iterator[Finding]]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "GIF": _gif,
    "WEBP": _webp,
    "HEIF": _boxes,
    "AVIF": _boxes,
    "JXL": _boxes_or_stream,
    "JPEG2000": _boxes_or_stream,
    "BMP": _bmp,
}
