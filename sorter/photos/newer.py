"""Formats whose files are read whole, each by a module of its own: JPEG XL, JPEG 2000 and PNM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from sorter.photos.colour import to_srgb
from sorter.photos.orientation import turn_upright
from sorter.photos.transparency import flattened


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A decoded picture as its file holds it.

    Attributes:
        image: of any mode of 8 bits a channel; None where the file is a wrapped JPEG.
        profile: an ICC profile, or empty.
        orientation: EXIF orientation that the pixels still need.
        jpeg: the bytes of the wrapped JPEG, or empty.
    """

    image: Image.Image | None
    profile: bytes = b""
    orientation: int = 1
    jpeg: bytes = b""

    def upright(self) -> Image.Image:
        """In sRGB, mode RGB, transparency on white."""
        assert self.image is not None, "a wrapped JPEG is decoded as one"
        image = flattened(self.image)
        if self.profile:
            image = to_srgb(image, self.profile)
        return turn_upright(image.convert("RGB"), self.orientation)


class PhotoFile(Protocol):
    """A file whose header was read.

    Attributes:
        width: of the photo, upright, in pixels; so the height.
        count: of its frames; 0 where only the decoder could tell.
        exif: what the camera wrote, as a TIFF, or empty.
    """

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def exif(self) -> bytes: ...

    def decode(self, min_side: int | None) -> StoredPicture:
        """The first picture. Both sides keep at least `min_side` pixels, where that saves time; None for all.

        Raises:
            TruncatedError: the file ends before its pixels do.
            UnsupportedError: nothing installed shows its kind rightly.
            Others of the readers: it is damaged.
        """


def open_newer(data: bytes, kind: str) -> PhotoFile:
    """Read the header of a file in a format of `NEWER`. Raises as `PhotoFile.decode`."""
    if kind == "JXL":
        from sorter.photos.jxl import JxlFile

        return JxlFile.read(data)
    if kind == "JPEG2000":
        from sorter.photos.jpeg2000 import Jp2File

        return Jp2File.read(data)
    from sorter.photos.pnm import PnmFile

    return PnmFile.read(data)


NEWER = frozenset({"JXL", "JPEG2000", "PNM"})
