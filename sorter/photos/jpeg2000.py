"""What a JPEG 2000 file says that Pillow does not read: profile, orientation, transparency, and whether it is whole.

Sources: ISO/IEC 15444-1, annex A for the codestream and annex I for the boxes of JP2; 15444-2, annex M for JPX.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PIL import Image

from sorter.photos.boxes import ends_early, walk_boxes
from sorter.photos.colour import space_of
from sorter.photos.errors import TruncatedError, UnsupportedError
from sorter.photos.newer import StoredPicture
from sorter.photos.orientation import orientation_of, upright_size
from sorter.photos.tiff import to_bytes

MOST_CHANNELS = 4
CODESTREAM = b"\xff\x4f\xff\x51"
BOXED = b"\0\0\0\x0cjP  \r\n\x87\n"
COD, SOT, EOC = 0xFF52, 0xFF90, b"\xff\xd9"
CONVERT = "is not read; convert it, for example to PNG"
OTHER_BRANDS = {b"mjp2": "a film in Motion JPEG 2000", b"mj2s": "a film in Motion JPEG 2000", b"jpm ": "JPM"}
CMYK, SYCC = 12, 18
SHOWN = frozenset({CMYK, 16, 17, SYCC})  # enumerated colours: also sRGB and grey
OTHER_COLOURS = {0: "two levels", 14: "CIELab", 20: "e-sRGB", 21: "ROMM-RGB", 24: "e-sYCC"}
BY_ENUM, BY_PROFILE = 1, (2, 3)
COLOUR, OPACITY, PREMULTIPLIED = 0, 1, 2
EXIF_UUID = b"JpgTiffExif->JP2"
PART_2 = 0x8000  # of Rsiz: extensions that OpenJPEG does not know


@dataclass(frozen=True, slots=True)
class Jp2Header:
    """What is known of a file before its pixels are decoded.

    Attributes:
        width: as stored, in pixels; so the height.
        channels: of a pixel.
        levels: how often the decoder can halve the picture.
        extended: it uses the extensions of part 2.
        profile: an ICC profile, or empty.
        extra: what the channel after the colours is, as a `cdef` box numbers it; None where it does not say.
    """

    width: int
    height: int
    channels: int
    levels: int
    extended: bool
    profile: bytes = b""
    extra: int | None = None


@dataclass(frozen=True)
class Jp2File:
    """A JPEG 2000 file, with or without boxes, as `sorter.photos.newer.PhotoFile`."""

    data: bytes
    header: Jp2Header
    exif: bytes = b""
    count: int = 1

    @classmethod
    def read(cls, data: bytes) -> Jp2File:
        """Read what is around the pixels.

        Raises:
            TruncatedError: the file ends before its pixels do.
            UnsupportedError: nothing installed shows its kind rightly.
            struct.error, ValueError: it is damaged.
        """
        if data.startswith(CODESTREAM):
            return cls(data, _main_header(data))
        if ends_early(data):
            raise TruncatedError("the file is shorter than its boxes say")
        header, stream, exif = b"", b"", b""
        for name, body in walk_boxes(data):
            if name == b"ftyp" and body[:4] in OTHER_BRANDS:
                raise UnsupportedError(f"{OTHER_BRANDS[body[:4]]} {CONVERT}")
            if name == b"jp2h":
                header = body
            elif name == b"jp2c":
                stream = stream or body
            elif name == b"uuid" and body.startswith(EXIF_UUID):
                exif = body[len(EXIF_UUID) :]
        if not stream.startswith(CODESTREAM):
            raise TruncatedError("the file holds no picture")
        found = replace(_main_header(stream), profile=_profile(header), extra=_extra(header))
        return cls(data, found, exif)

    @property
    def width(self) -> int:
        return upright_size(self.header.width, self.header.height, self._turn)[0]

    @property
    def height(self) -> int:
        return upright_size(self.header.width, self.header.height, self._turn)[1]

    @cached_property
    def _turn(self) -> int:
        return orientation_of(self.exif)

    def decode(self, min_side: int | None) -> StoredPicture:
        """As `PhotoFile.decode`, at a fraction of a power of two: the wavelets hold smaller pictures."""
        header = self.header
        if header.channels == 4 and space_of(header.profile) == "CMYK":
            return StoredPicture(self._inks(), header.profile, self._turn)
        try:
            image = self._decode(self._reductions(min_side))
        except OSError:
            if header.extended:
                raise UnsupportedError(f"JPEG 2000 with extensions {CONVERT}") from None
            raise
        if image.mode.startswith("I"):
            image = Image.fromarray(to_bytes(np.asarray(image), 16))
        return StoredPicture(self._with_extra(image), header.profile, self._turn)

    def _reductions(self, min_side: int | None) -> int:
        if not min_side:
            return 0
        room = min(self.header.width, self.header.height) // min_side
        return min(self.header.levels, max(room.bit_length() - 1, 0))

    def _decode(self, reductions: int) -> Image.Image:
        with Image.open(io.BytesIO(self.data), formats=["JPEG2000"]) as image:
            image.reduce = reductions
            try:
                image.load()
            except OSError:
                if reductions:  # a tile may have fewer levels than the header says
                    return self._decode(0)
                raise
            decoded: Image.Image = image.copy()
            return decoded

    def _inks(self) -> Image.Image:
        """The inks of a picture with a profile of CMYK, which Pillow takes for colours with transparency."""
        import imagecodecs

        values = imagecodecs.jpeg2k_decode(self.data)
        return Image.fromarray((values >> 8 * (values.dtype.itemsize - 1)).astype(np.uint8), "CMYK")

    def _with_extra(self, image: Image.Image) -> Image.Image:
        """Without a last channel that is no transparency, and with colours that are not premultiplied."""
        if image.mode not in ("LA", "RGBA") or self.header.extra in (None, OPACITY):
            return image
        if self.header.extra == PREMULTIPLIED:
            return Image.frombytes("La" if image.mode == "LA" else "RGBa", image.size, image.tobytes())
        return image.convert(image.mode[:-1])


def _profile(header: bytes) -> bytes:
    """The profile, or empty where the colours are among those that are enumerated and shown."""
    named = []
    for name, body in walk_boxes(header):
        if name == b"colr" and body[0] in BY_PROFILE:
            return body[3:]
        if name == b"colr" and body[0] == BY_ENUM:
            named.append(int.from_bytes(body[3:7], "big"))
    if named and SHOWN.isdisjoint(named):
        colours = OTHER_COLOURS.get(named[0], f"the colour space {named[0]}")
        raise UnsupportedError(f"JPEG 2000 in {colours} {CONVERT}")
    return b""


def _extra(header: bytes) -> int | None:
    """The type of the channel that is no colour (annex I.5.3.6)."""
    for name, body in walk_boxes(header):
        if name == b"cdef":
            (count,) = struct.unpack(">H", body[:2])
            kinds = [struct.unpack(">HHH", body[2 + 6 * at : 8 + 6 * at])[1] for at in range(count)]
            return next((kind for kind in kinds if kind != COLOUR), COLOUR)
    return None


def _main_header(stream: bytes) -> Jp2Header:
    """Of a codestream. The tile parts after it have to be whole."""
    rsiz, right, bottom, left, top, channels = struct.unpack(">HIIII16xH", stream[6:42])
    if channels > MOST_CHANNELS:
        raise UnsupportedError(f"JPEG 2000 of {channels} components {CONVERT}")
    levels, at = 0, 2
    while at + 4 <= len(stream):
        marker, length = struct.unpack(">HH", stream[at : at + 4])
        if marker == SOT:
            _check_tiles(stream, at)
            return Jp2Header(right - left, bottom - top, channels, levels, bool(rsiz & PART_2))
        if marker == COD:
            levels = stream[at + 9]
        at += 2 + length
    raise TruncatedError("the file ends before its pixels do")


def _check_tiles(stream: bytes, at: int) -> None:
    """Raise TruncatedError where a tile part is cut short, or the end marker is missing (annex A.4.2)."""
    while stream[at : at + 2] == SOT.to_bytes(2, "big"):
        if at + 12 > len(stream):
            break
        (length,) = struct.unpack(">I", stream[at + 6 : at + 10])
        if not length:  # the last: up to the end marker
            if stream.rstrip(b"\0").endswith(EOC):
                return
            break
        at += max(length, 12)
    if stream[at : at + 2] != EOC:
        raise TruncatedError("the file ends before its pixels do")
