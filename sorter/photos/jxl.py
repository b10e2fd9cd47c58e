"""JPEG XL photos, by libjxl. Sources: ISO/IEC 18181-1, annex D, and 18181-2 for the boxes around it.

pillow-jxl-plugin gives the colour profile, and the JPEG that a file was made from. imagecodecs gives the first frame of
an animation and the depth of linear pixels, which the other does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sorter.photos.boxes import ends_early, walk_boxes
from sorter.photos.colour import is_linear, space_of, to_srgb_from_deep
from sorter.photos.errors import TruncatedError, UnsupportedError
from sorter.photos.newer import StoredPicture
from sorter.photos.orientation import orientation_of, upright_size
from sorter.photos.tiff import to_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

CODESTREAM = b"\xff\x0a"
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
TIFF = (b"II*\0", b"MM\0*")
HEADER = 64  # bytes in which size and metadata begin
RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}  # width to height
DEEP = frozenset({"I;16", "F", "F;16"})


@dataclass(frozen=True, slots=True)
class JxlHeader:
    """The header of a codestream.

    Attributes:
        width: of the photo, upright, in pixels; so the height.
        orientation: as EXIF numbers them. libjxl has applied it to the pixels that it gives.
        several: the file has more pictures than one: frames, or a preview.
    """

    width: int
    height: int
    orientation: int
    several: bool


@dataclass(frozen=True)
class JxlFile:
    """A JPEG XL file, as `sorter.photos.newer.PhotoFile`."""

    data: bytes
    header: JxlHeader

    @classmethod
    def read(cls, data: bytes) -> JxlFile:
        """Raises TruncatedError where the file has no codestream."""
        return cls(data, read_jxl_header(data))

    @property
    def width(self) -> int:
        return upright_size(self.header.width, self.header.height, self._turn)[0]

    @property
    def height(self) -> int:
        return upright_size(self.header.width, self.header.height, self._turn)[1]

    @property
    def count(self) -> int:
        return 0 if self.header.several else 1

    @property
    def exif(self) -> bytes:
        return read_jxl_exif(self.data)

    @cached_property
    def _turn(self) -> int:
        """EXIF orientation that libjxl has not applied. It counts only where the codestream does not turn itself."""
        return 1 if self.header.orientation != 1 else orientation_of(self.exif)

    def decode(self, min_side: int | None) -> StoredPicture:
        """As `PhotoFile.decode`, every pixel."""
        try:
            import pillow_jxl
        except ImportError as error:
            raise UnsupportedError(
                'JPEG XL; `pip install "pillow-jxl-plugin"` brings what reads it'
            ) from error
        try:
            # One thread: the photos are spread over the cores already.
            jpeg, info, pixels, profile, _ = pillow_jxl.Decoder(num_threads=0)(self.data)
        except RuntimeError as error:
            raise _why(self.data) from error
        if jpeg and not self.header.several:
            return StoredPicture(None, jpeg=bytes(pixels))
        profile = bytes(profile or b"")
        if space_of(profile) == "CMYK":
            raise UnsupportedError("JPEG XL in CMYK is not read; convert it, for example to PNG")
        if self.header.several or is_linear(profile):
            return StoredPicture(*_deep(_first_frame(self.data), profile), self._turn)
        image = _image(info.mode, (info.width, info.height), pixels)
        return StoredPicture(image, profile, self._turn)


def read_jxl_header(data: bytes) -> JxlHeader:
    """Read the size and what comes right after it. Raises TruncatedError where there is no codestream."""
    stream = _codestream(data)
    if len(stream) < 4:
        raise TruncatedError("the file ends within its header")
    bits = _Bits(stream[len(CODESTREAM) :])
    width, height = _size(bits)
    orientation, several = 1, False
    if not bits.take(1) and bits.take(1):  # not all by default, and some rarer fields
        orientation = bits.take(3) + 1
        if bits.take(1):  # the size that it is meant to be shown in
            _size(bits)
        several = bool(bits.take(1) or bits.take(1))
    return JxlHeader(*upright_size(width, height, orientation), orientation, several)


def read_jxl_exif(data: bytes) -> bytes:
    """What the camera wrote, as a TIFF; empty where there is nothing, or it is damaged."""
    with suppress(ValueError, RuntimeError):
        return _exif(data)
    return b""


def _exif(data: bytes) -> bytes:
    for name, body in _boxes(data):
        if name == b"brob" and body[:4] == b"Exif":
            name, body = b"Exif", _unpacked(body[4:])
        if name == b"Exif":
            # Four bytes say where the TIFF begins. Some writers leave them out.
            return body if body[:4] in TIFF else body[4 + int.from_bytes(body[:4], "big") :]
    return b""


def _image(mode: str, size: tuple[int, int], pixels: bytes) -> Image.Image:
    if mode not in DEEP:
        return Image.frombytes(mode, size, bytes(pixels))
    kind = np.uint16 if mode == "I;16" else np.float32
    return Image.fromarray(to_bytes(np.frombuffer(pixels, kind).reshape(size[1], size[0]), 16))


def _deep(values: NDArray[Any], profile: bytes) -> tuple[Image.Image, bytes]:
    """Pixels of any depth: an image, and the profile that it still needs."""
    if is_linear(profile) and values.dtype != np.uint8 and values.shape[-1] in (1, 3):
        return to_srgb_from_deep(values, profile), b""
    shown = to_bytes(values, 8 * values.dtype.itemsize)
    return Image.fromarray(shown[..., 0] if shown.shape[-1] == 1 else shown), profile


def _first_frame(data: bytes) -> NDArray[Any]:
    """Shape (height, width, channels), in the depth of the file."""
    import imagecodecs

    values: NDArray[Any] = imagecodecs.jpegxl_decode(data, index=0, numthreads=1)
    return values[..., None] if values.ndim == 2 else values


def _why(data: bytes) -> Exception:
    """Why pillow-jxl-plugin refused a file: its own error says nothing."""
    if data.startswith(CONTAINER) and ends_early(data):
        return TruncatedError("the file is shorter than its boxes say")
    import imagecodecs

    try:
        imagecodecs.jpegxl_decode(data, numthreads=1)
    except Exception as error:  # each of libjxl's errors has a class of imagecodecs
        if "NEED_MORE_INPUT" in str(error):
            return TruncatedError("the file ends before its pixels do")
        return OSError("libjxl cannot decode it")
    return UnsupportedError("the JPEG in this JPEG XL cannot be put together; convert it, for example to PNG")


def _codestream(data: bytes) -> bytes:
    """The first bytes of the codestream. A container may hold it in parts, the first of which may be tiny."""
    if data.startswith(CODESTREAM):
        return data[:HEADER]
    found = b""
    for name, body in _boxes(data):
        if name in (b"jxlc", b"jxlp"):
            found += body[4 if name == b"jxlp" else 0 :][:HEADER]
        if len(found) >= HEADER:
            break
    return found


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if data.startswith(CONTAINER):
        yield from walk_boxes(data)


def _unpacked(data: bytes) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.brotli_decode(data))


class _Bits:
    """Reads numbers from the lowest bit of the first byte on."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._bits & ((1 << count) - 1)
        self._bits >>= count
        return value


def _size(bits: _Bits) -> tuple[int, int]:
    """Width and height: SizeHeader, annex D.2."""
    in_eights = bits.take(1)

    def side() -> int:
        if in_eights:
            return (bits.take(5) + 1) * 8
        return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1

    height = side()
    ratio = bits.take(3)
    if not ratio:
        return side(), height
    across, down = RATIOS[ratio]
    return height * across // down, height
