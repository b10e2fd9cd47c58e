"""JPEG beyond what Pillow does: quicker, with libjpeg-turbo's warnings, and of more than 8 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sorter.photos.errors import TooLargeError, TruncatedError, UnsupportedError
from sorter.photos.tiff import to_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

END_OF_JPEG = b"\xff\xd9"
LOSSY_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
# Start of frame, of every process (ITU-T T.81, table B.1); DHT, JPG and DAC lie between them.
FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class PlainJpeg:
    """A JPEG that any decoder shows alike.

    Attributes:
        width: upright, in pixels.
        height: likewise.
        orientation: EXIF orientation, 1 to 8.
    """

    width: int
    height: int
    orientation: int


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """What a frame header says.

    Attributes:
        marker: which process: 0xC0 baseline, 0xC3 lossless and so on.
        bits: of a sample.
        width: in pixels.
        height: in pixels; 0 leaves it to a marker behind the first scan.
        components: how many planes of colour; 0 where the file ends before it says.
        begins: at which byte of the file. Thumbnails within EXIF come before.
    """

    marker: int
    bits: int
    width: int
    height: int
    components: int
    begins: int


def read_frame(data: bytes) -> JpegFrame | None:
    """The first frame header (ITU-T T.81, B.2.2), or None where there is none."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in FRAME_MARKERS:
            size = (
                int.from_bytes(data[at + 7 : at + 9], "big"),
                int.from_bytes(data[at + 5 : at + 7], "big"),
            )
            return JpegFrame(marker, data[at + 4], *size, next(iter(data[at + 9 : at + 10]), 0), at)
        elif length < 2 or marker == 0xDA:
            return None
        else:
            at += 2 + length
    return None


def read_rare_jpeg(data: bytes, max_pixels: float) -> NDArray[np.uint8]:
    """A JPEG that Pillow does not open, by imagecodecs: uint8 (height, width, 3).

    Raises:
        OSError: its header is damaged.
        TooLargeError: more pixels than allowed.
        TruncatedError: it has no end marker. The codecs fill up what is missing, and do not say so.
        UnsupportedError: nothing reads it.
    """
    frame = read_frame(data)
    if frame is None:
        raise OSError("the header is damaged or cut short")
    if not frame.height or not frame.width:
        raise OSError("its header gives it no height or no width")
    if frame.width * frame.height > max_pixels:
        raise TooLargeError(f"{frame.width} x {frame.height} pixels")
    if data.find(END_OF_JPEG, frame.begins) < 0:
        raise TruncatedError("image file is truncated: it has no end marker")
    try:
        import imagecodecs

        read = imagecodecs.ljpeg_decode if frame.marker == 0xC3 else imagecodecs.jpeg8_decode
        values: NDArray[np.uint16] = read(data)
    except Exception as error:  # each codec has errors of its own
        raise UnsupportedError(
            f"a JPEG of {frame.bits} bits, process {frame.marker:#x}, is not read; convert it"
        ) from error
    grey = to_bytes(values if values.ndim == 3 else values[..., None], frame.bits, full=True)
    return np.asarray(Image.fromarray(grey[..., 0]).convert("RGB")) if grey.shape[2] == 1 else grey[..., :3]


def decode_fast(data: bytes, min_width: int, min_height: int) -> tuple[NDArray[np.uint8] | None, str]:
    """libjpeg-turbo at the smallest n/8 scale that keeps these, and its first warning.

    No pixels where Pillow has to judge.
    """
    import simplejpeg

    # simplejpeg is strict: any warning of libjpeg's is an error, and Pillow then tells damage from blemish. But Pillow
    # cannot tell a photo that only lacks its end marker from one that lacks its lower half; with the marker put
    # back, libjpeg warns of the second and not of the first.
    warning = ""
    for whole in (data,) if data.endswith(END_OF_JPEG) else (data, data + END_OF_JPEG):
        try:
            pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
                whole, "RGB", min_height=min_height, min_width=min_width
            )
        except ValueError as error:
            warning = warning or str(error)
            continue
        return pixels, warning
    return None, warning


def jpeg_warning(data: bytes) -> str:
    """What libjpeg-turbo objects to in a JPEG that `Decoder` leaves to Pillow (CMYK, grey); empty where nothing.

    Nothing is known of more than 8 bits and of lossless ones, which simplejpeg does not read.
    """
    import simplejpeg

    frame = read_frame(data)
    if frame is not None and (frame.bits != 8 or frame.marker not in LOSSY_FRAMES):
        return ""
    spaces = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}
    try:
        space = spaces.get(simplejpeg.decode_jpeg_header(data)[2])
        if space is not None:
            simplejpeg.decode_jpeg(data, space, min_height=64, min_width=64)
    except ValueError as error:
        return str(error)
    return ""


def frame_numbers(image: Image.Image) -> list[int]:
    """The frames of a file, without the previews of a multi-picture JPEG (CIPA DC-007, 5.2.3.3.1)."""
    numbers = list(range(getattr(image, "n_frames", 1)))
    entries = getattr(image, "mpinfo", {}).get(0xB002, ()) if image.format == "MPO" else ()
    previews = {
        number
        for number, entry in enumerate(entries)
        if "thumbnail" in str(entry["Attribute"]["MPType"]).lower()
    }
    return [number for number in numbers if number not in previews]
