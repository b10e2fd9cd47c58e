"""Raw photos: the largest picture that the camera put into the file, or else half of its pixels developed.

By LibRaw (rawpy). A preview is taken only if it is the photo: large, and with the photo's proportions.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image

from sorter.photos.errors import TooLargeError, TruncatedError, UnsupportedError
from sorter.photos.orientation import EXIF_PART, orientation_written, read_exif

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIFF = (b"II*\0", b"MM\0*")
LEAST_SIDE = (
    400  # pixels of a preview's shorter side: above the input of every network, far above a thumbnail
)
SKEW = 1.1  # a preview with other proportions than the photo's is of something else, or has bars
EXIF_TURN = (1, 2, 4, 3, 5, 8, 6, 7)  # EXIF orientation for each of LibRaw's flips
TRANSPOSED = 4  # of a flip: the bit that exchanges width and height
BACK = {5: 5, 6: 8, 7: 7, 8: 6}  # what undoes an orientation
UPSIDE_DOWN = 3


@dataclass(frozen=True, slots=True)
class RawPicture:
    """A picture of a raw photo.

    Attributes:
        jpeg: the preview's bytes, or empty.
        pixels: uint8 (height, width, 3) in sRGB where there is no JPEG.
        orientation: EXIF orientation that `pixels` still need, or the JPEG if it has none of its own.
        width: of the whole photo, upright.
        height: likewise.
    """

    jpeg: bytes
    pixels: NDArray[np.uint8] | None
    orientation: int
    width: int
    height: int

    def turn_of_preview(self, width: int, height: int) -> int:
        """EXIF orientation that the decoded preview still needs; its size is given as it was decoded.

        LibRaw writes the photo's orientation into a preview without EXIF, and some cameras had turned it before.
        """
        with Image.open(io.BytesIO(self.jpeg), formats=["JPEG"]) as image:
            applied = orientation_written(image.info.get("exif", b""))
        if (width < height) != (self.width < self.height):
            return BACK.get(applied, self.orientation)
        return UPSIDE_DOWN if self.orientation == UPSIDE_DOWN and not applied else 1


def read_raw(file: BinaryIO, max_pixels: float) -> RawPicture:
    """The preview of a raw photo, or half of its pixels.

    Raises:
        UnsupportedError: the camera is unknown, or rawpy is not installed.
        TooLargeError: more pixels than allowed.
        TruncatedError: the file ends too early, or is damaged.
    """
    try:
        import rawpy
    except ImportError as error:
        raise UnsupportedError('a raw photo; `pip install "rawpy"` brings what reads it') from error
    try:
        with rawpy.imread(file) as raw:
            sizes = raw.sizes
            if sizes.width * sizes.height > max_pixels:
                raise TooLargeError(f"{sizes.width} x {sizes.height} pixels")
            width, height = (
                (sizes.height, sizes.width) if sizes.flip & TRANSPOSED else (sizes.width, sizes.height)
            )
            preview = _preview(raw, sizes.width, sizes.height)
            if preview is not None:
                return RawPicture(preview, None, EXIF_TURN[sizes.flip & 7], width, height)
            pixels = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8)
            return RawPicture(b"", pixels, 1, width, height)
    except rawpy.LibRawFileUnsupportedError as error:
        raise UnsupportedError(
            "a raw photo of a camera that LibRaw does not know; export it as JPEG"
        ) from error
    except rawpy.LibRawError as error:
        raise TruncatedError(f"LibRaw: {error}") from error


def read_raw_exif(file: BinaryIO) -> dict[int, object]:
    """What the camera wrote, by tag: by the file's own structure, else by its preview. Raises as `read_raw`."""
    head = file.read(len(TIFF[0]))
    file.seek(0)
    if head in TIFF:
        tags = Image.Exif()
        tags.load_from_fp(file)
        return dict(tags) | dict(tags.get_ifd(EXIF_PART))
    jpeg = read_raw(file, float("inf")).jpeg
    if not jpeg:
        return {}
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        return read_exif(image.info.get("exif", b""))


def _preview(raw: object, width: int, height: int) -> bytes | None:
    """The JPEG that the camera put in, where it shows the whole photo."""
    import rawpy

    try:
        found = raw.extract_thumb()  # type: ignore[attr-defined]
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError):
        return None
    if found.format != rawpy.ThumbFormat.JPEG:
        return None
    with Image.open(io.BytesIO(found.data), formats=["JPEG"]) as image:
        across, down = image.size
    skew = (across / down) / (width / height)
    turned = (down / across) / (width / height)
    fits = any(1 / SKEW < each < SKEW for each in (skew, turned))
    return bytes(found.data) if min(across, down) >= LEAST_SIDE and fits else None
