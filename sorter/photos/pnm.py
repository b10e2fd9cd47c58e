"""PNM pictures: PBM, PGM, PPM and PAM. Source: the format pages of Netpbm (pbm, pgm, ppm, pam).

Pillow reads most of them, but PAM not at all, and 16 bits by a Python loop of minutes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sorter.photos.errors import TruncatedError, UnsupportedError
from sorter.photos.newer import StoredPicture

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKEN = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*(\d+)")
PLAIN, BITS = frozenset({2, 3}), frozenset({1, 4})
CHANNELS = {1: 1, 2: 1, 3: 3, 4: 1, 5: 1, 6: 3}
MOST = 0xFFFF  # the greatest value of a sample
COMMENT = re.compile(rb"#[^\n\r]*")
SPACE = b" \t\n\r\v\f"


@dataclass(frozen=True, slots=True)
class PnmHeader:
    """The header of a picture.

    Attributes:
        kind: the digit of the magic number, 1 to 7.
        width: pixels; so the height.
        channels: samples of a pixel.
        top: the sample that is white.
        begins: where the samples begin.
    """

    kind: int
    width: int
    height: int
    channels: int
    top: int
    begins: int


@dataclass(frozen=True)
class PnmFile:
    """A PNM file, as `sorter.photos.newer.PhotoFile`. Further pictures behind the first are not read."""

    data: bytes
    header: PnmHeader
    exif: bytes = b""
    count: int = 1

    @classmethod
    def read(cls, data: bytes) -> PnmFile:
        """Raises TruncatedError where the file ends within its header, and ValueError where it is damaged."""
        kind = int(data[1:2])
        header = _pam(data) if kind == 7 else _plain(data, kind)
        if not (header.width and header.height and 0 < header.top <= MOST):
            raise ValueError("the header names no picture")
        return cls(data, header)

    @property
    def width(self) -> int:
        return self.header.width

    @property
    def height(self) -> int:
        return self.header.height

    def decode(self, min_side: int | None) -> StoredPicture:
        """As `PhotoFile.decode`, every pixel. Samples are scaled by the greatest that the header names."""
        header = self.header
        if header.channels not in (1, 2, 3, 4):
            raise UnsupportedError(f"a PAM of {header.channels} channels is not read; convert it to PNG")
        samples = _samples(self.data, header).reshape(header.height, header.width, header.channels)
        light = _to_bytes(samples, header.top)
        return StoredPicture(Image.fromarray(light[..., 0] if header.channels == 1 else light))


def _plain(data: bytes, kind: int) -> PnmHeader:
    numbers, at = [], 2
    for _ in range(2 if kind in BITS else 3):
        found = TOKEN.match(data, at)
        if found is None:
            raise TruncatedError("the file ends within its header")
        numbers.append(int(found[1]))
        at = found.end()
    width, height, *top = numbers
    # One space follows. What follows in text is skipped with the samples.
    return PnmHeader(kind, width, height, CHANNELS[kind], (top or [1])[0], at + 1)


def _pam(data: bytes) -> PnmHeader:
    head, mark, _ = data.partition(b"\nENDHDR\n")
    if not mark:
        raise TruncatedError("the file ends within its header")
    fields: dict[bytes, bytes] = {}
    for line in head.splitlines()[1:]:
        name, _, value = line.strip().partition(b" ")
        if name and not name.startswith(b"#"):
            fields[name] = value.strip()
    width, height, channels, top = (
        int(fields.get(name, b"0")) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
    )
    return PnmHeader(7, width, height, channels, top, len(head) + len(mark))


def _samples(data: bytes, header: PnmHeader) -> NDArray[np.unsignedinteger]:
    count = header.width * header.height * header.channels
    if header.kind == 1:
        return _digits(data[header.begins :], count)
    if header.kind in PLAIN:
        return _written_out(data[header.begins :], count)
    if header.kind == 4:
        return _packed(data, header)
    kind = np.dtype(np.uint8 if header.top < 256 else ">u2")
    if header.begins + count * kind.itemsize > len(data):
        raise TruncatedError("the file ends before its pixels do")
    return np.frombuffer(data, kind, count, header.begins)


def _packed(data: bytes, header: PnmHeader) -> NDArray[np.uint8]:
    """Eight pixels in a byte, each row from a whole byte, and 1 is black."""
    stride = (header.width + 7) // 8
    if header.begins + stride * header.height > len(data):
        raise TruncatedError("the file ends before its pixels do")
    rows = np.frombuffer(data, np.uint8, stride * header.height, header.begins).reshape(-1, stride)
    return np.asarray(1 - np.unpackbits(rows, axis=1)[:, : header.width])


def _written_out(text: bytes, count: int) -> NDArray[np.uint16]:
    """Samples in decimal text."""
    if count * 2 > len(text) + 1:  # a digit and a space each, at least
        raise TruncatedError("the file ends before its pixels do")
    # numpy's own parser, as a Python object for each sample takes thirty times the bytes of the file.
    values = np.fromstring(COMMENT.sub(b"", text), np.float32, sep=" ")
    if len(values) < count:
        raise TruncatedError("the file ends before its pixels do")
    return values[:count].clip(0, MOST).astype(np.uint16)


def _digits(text: bytes, count: int) -> NDArray[np.uint8]:
    """Samples of PBM in text: single digits, with or without space between them, and 1 is black."""
    digits = np.frombuffer(COMMENT.sub(b"", text).translate(None, SPACE), np.uint8)
    if len(digits) < count:
        raise TruncatedError("the file ends before its pixels do")
    return np.asarray(digits[:count] == ord("0")).astype(np.uint8)


def _to_bytes(samples: NDArray[np.unsignedinteger], top: int) -> NDArray[np.uint8]:
    table = (np.arange(MOST + 1 if top > 255 else 256).clip(0, top) * (255 / top)).round().astype(np.uint8)
    return np.asarray(table[samples])
