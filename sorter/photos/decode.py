"""Photo -> upright sRGB pixels, or a `Failure` that says why not. The only place that opens an image."""

from __future__ import annotations

import io
import os
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from sorter.files import NotRegularError, open_regular
from sorter.types import Decoded, Failure, Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

Made = TypeVar("Made")

# Bytes that open each format we read. Pillow is only offered these, so that a hostile file
# cannot reach its rarer parsers (EPS, for one, would start Ghostscript).
HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".dib", ".avif"}
    | {".heic", ".heif", ".hif"}
)
DEFAULT_MAX_MEGAPIXELS = 250.0
EXIF_ORIENTATION = 0x0112
EXIF_PART = 0x8769
END_OF_JPEG = b"\xff\xd9"
WORTH_A_DEVICE = 1_000_000  # pixels; a smaller photo is decoded here sooner than it is handed on


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


class Decoder:
    """Decodes photos of every supported format to upright sRGB.

    What a viewer opens is decoded: a JPEG without its end marker, with stray bytes between its segments or garbage
    after it, a PNG without its last chunk, damaged EXIF, a damaged colour profile. What would show as a photo with a
    part missing is a failure.

    Args:
        min_side: JPEGs may be decoded at a fraction of their size, as long as both sides keep at least
            this many pixels (scaled IDCT, a property of the format: the full picture is never built).
            None decodes every pixel.
        max_megapixels: photos with more pixels than this many million are refused before decoding.
        halving: scale JPEGs by 1/2, 1/4 or 1/8 only. For those libjpeg-turbo has vector code, for the other
            eighths it has not: 6/8 takes longer than the whole picture.
    """

    def __init__(
        self,
        min_side: int | None,
        max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
        halving: bool = False,
    ) -> None:
        self.min_side = min_side
        self.halving = halving
        self.max_pixels = max_megapixels * 1e6
        if Image.MAX_IMAGE_PIXELS is not None:
            # Pillow refuses at twice its own limit, 179 megapixels; that must not come before ours.
            Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, int(min(self.max_pixels, 1e15)))

    def __call__(self, path: Path, data: bytes | None = None) -> Decoded | Failure:
        """Decode one file. Never raises for what a file contains.

        Args:
            data: the file's bytes, where the caller has read them already; here and below.
        """
        return self._guarded(path, data, self._decode)

    def header(self, path: Path, data: bytes | None = None) -> Decoded | Failure:
        """What the header says of a photo, without its pixels (shape (0, 0, 3)) and not turned upright."""
        return self._guarded(path, data, self._header)

    def further_frames(self, path: Path, data: bytes | None = None) -> Failure | None:
        """Decode the frames or pages after the first, one at a time; None where they are whole or there are none."""
        outcome = self._guarded(path, data, self._further_frames)
        return outcome if isinstance(outcome, Failure) else None

    def exif(self, path: Path) -> dict[int, object] | Failure:
        """What the camera wrote, by tag, as Pillow reads it; empty where there is nothing or it is damaged.

        Tags: CIPA DC-008 (Exif 2.32), those of the primary picture and of its Exif part.
        """
        return self._guarded(path, None, self._exif)

    def plain_jpeg(self, path: Path) -> PlainJpeg | None:
        """What the header says of a large, whole sRGB or grey JPEG; None of any other file, which is for `__call__`.

        Damage between header and end marker is not looked for.
        """
        outcome = self._guarded(path, None, self._plain_jpeg)
        return outcome if isinstance(outcome, PlainJpeg) else None

    def _guarded(
        self, path: Path, data: bytes | None, read: Callable[[IO[bytes], str], Made]
    ) -> Made | Failure:
        """Open a file and read it; whatever goes wrong is a `Failure`."""
        try:
            with open_regular(path) if data is None else io.BytesIO(data) as file:
                head = file.read(64)
                if not head:
                    return Failure(Reason.EMPTY, "the file has no bytes")
                kind = sniff(head)
                if kind is None:
                    return _not_an_image(path)
                if kind == "WEBP" and _riff_size(head) > file.seek(0, os.SEEK_END):
                    return Failure(Reason.TRUNCATED, "the file is shorter than its header says")
                file.seek(0)
                # Damaged metadata makes Pillow warn; the pixels decide whether a photo is usable.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return read(file, kind)
        except NotRegularError:
            return Failure(Reason.SPECIAL_FILE, "not a regular file")
        except (FileNotFoundError, NotADirectoryError):
            return Failure(Reason.VANISHED, "the file is no longer there")
        except MemoryError:
            return Failure(Reason.OUT_OF_MEMORY, "decoding needs more memory than one worker may use")
        except _TooLarge as error:
            return Failure(Reason.TOO_LARGE, str(error))
        except Image.DecompressionBombError:
            return Failure(Reason.TOO_LARGE, f"more than twice the limit of {self._limit()}")
        except UnidentifiedImageError:  # its own text holds a memory address
            return Failure(Reason.CORRUPT, "the header is damaged or cut short")
        except OSError as error:
            if error.errno is not None:
                return Failure(Reason.UNREADABLE, error.strerror or str(error))
            return _damaged(error)
        except Exception as error:  # a parser can raise anything on bytes made to confuse it
            return _damaged(error)

    def _limit(self) -> str:
        return f"{self.max_pixels / 1e6:g} megapixels (--max-megapixels)"

    def _header(self, file: IO[bytes], kind: str) -> Decoded:
        if kind == "HEIF":
            _register_heif()
        with Image.open(file, formats=_pillow_formats(kind)) as image:
            self._check_size(image)
            width, height = image.size
            return Decoded(np.empty((0, 0, 3), np.uint8), width, height, kind)

    def _exif(self, file: IO[bytes], kind: str) -> dict[int, object]:
        if kind == "HEIF":
            _register_heif()
        with Image.open(file, formats=_pillow_formats(kind)) as image:
            try:
                exif = image.getexif()
                return dict(exif) | dict(exif.get_ifd(EXIF_PART))
            except Exception:  # damaged EXIF does not make a damaged photo
                return {}

    def _further_frames(self, file: IO[bytes], kind: str) -> None:
        if kind == "HEIF":
            _register_heif()
        with Image.open(file, formats=_pillow_formats(kind)) as image:
            for frame in range(1, getattr(image, "n_frames", 1)):
                image.seek(frame)
                self._check_size(image)
                image.load()

    def _plain_jpeg(self, file: IO[bytes], kind: str) -> PlainJpeg | None:
        if kind != "JPEG":
            return None
        file.seek(-len(END_OF_JPEG), os.SEEK_END)
        whole = file.read() == END_OF_JPEG
        file.seek(0)
        with Image.open(file, formats=_pillow_formats(kind)) as image:
            self._check_size(image)
            width, height = image.size
            # Adobe's marker with transform 0: the channels are RGB as they are, which not every decoder heeds.
            plain = image.mode in ("RGB", "L") and image.info.get("adobe_transform") != 0
            if not whole or not plain or width * height < WORTH_A_DEVICE or not _is_srgb(image):
                return None
            orientation = _orientation(image)
        if orientation >= 5:
            width, height = height, width
        return PlainJpeg(width, height, orientation)

    def _check_size(self, image: Image.Image) -> None:
        width, height = image.size
        if width * height > self.max_pixels:
            megapixels = f"{width} x {height} is {width * height / 1e6:.0f} megapixels"
            raise _TooLarge(f"{megapixels}; the limit is {self._limit()}")

    def _decode(self, file: IO[bytes], kind: str) -> Decoded:
        data = b""
        if kind == "JPEG":
            # simplejpeg wants the bytes, and Pillow is quicker with them too.
            data = file.read()
            file = io.BytesIO(data)
        if kind == "HEIF":
            _register_heif()
        if kind == "PNG":
            _check_png(file)
        with Image.open(file, formats=_pillow_formats(kind)) as image:
            self._check_size(image)
            width, height = image.size
            # Pillow itself turns a TIFF upright while it loads, and has given the upright size already.
            orientation = 1 if kind == "TIFF" else _orientation(image)
            profile = image.info.get("icc_profile")
            pixels, warning = None, ""
            # Grey has to stay grey for its own kind of profile.
            if data and (image.mode == "RGB" or (image.mode == "L" and not profile)):
                pixels, warning = _fast_jpeg(data, *self._least(image.size))
            if pixels is None:
                upright = self._with_pillow(image)
            elif profile or orientation != 1:
                upright = Image.fromarray(pixels)
            else:
                return Decoded(pixels, width, height, kind, warning)
            if profile and pixels is not None:
                upright = _to_srgb(upright, profile)
            upright = _turn(upright, orientation)
        if orientation >= 5:
            width, height = height, width
        return Decoded(np.asarray(upright), width, height, kind, warning)

    def _least(self, size: tuple[int, int]) -> tuple[int, int]:
        """The width and height that a JPEG of this size is to have at least; whole it has nothing less."""
        side = self.min_side
        if side is None or not self.halving:
            return side or 0, side or 0
        scaled = ((-(-size[0] // by), -(-size[1] // by)) for by in (8, 4, 2))
        return next((each for each in scaled if min(each) >= side), size)

    def _with_pillow(self, image: Image.Image) -> Image.Image:
        """Every format and mode: -> sRGB, transparency on white; not yet turned upright."""
        if self.min_side and image.format in ("JPEG", "MPO"):
            image.draft(None, (self.min_side, self.min_side))
        image.load()
        profile = image.info.get("icc_profile")
        if image.mode.startswith("I") or image.mode == "F":
            image = _to_eight_bits(image)
        elif "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
            rgba = image.convert("RGBA")
            image = Image.new("RGB", rgba.size, "white")
            image.paste(rgba, mask=rgba.getchannel("A"))
        if profile:
            image = _to_srgb(image, profile)
        return image.convert("RGB")


def sniff(head: bytes) -> str | None:
    """Name the image format that a file's first 64 bytes announce, or None.

    Sources: each format's own specification; ISO 14496-12 for the brands in `ftyp`.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if head[:2] == b"BM" and len(head) >= 26 and head[6:10] == b"\0\0\0\0":
        return "BMP"
    if head[4:8] == b"ftyp":
        # The major brand may be the generic mif1; the list of compatible brands then tells.
        end = min(int.from_bytes(head[:4], "big"), len(head))
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
        if brands & AVIF_BRANDS:
            return "AVIF"
        if brands & HEIF_BRANDS:
            return "HEIF"
    return None


def _riff_size(head: bytes) -> int:
    return 8 + int.from_bytes(head[4:8], "little")


class _TooLarge(Exception):
    pass


def _not_an_image(path: Path) -> Failure:
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return Failure(Reason.NOT_AN_IMAGE, f"named {path.suffix} but holds no image this tool reads")
    return Failure(Reason.OTHER_FILE, "not an image")


def _damaged(error: Exception) -> Failure:
    text = " ".join(str(error).split()) or type(error).__name__
    cut_short = any(sign in text.lower() for sign in ("truncated", "end of file"))
    return Failure(Reason.TRUNCATED if cut_short else Reason.CORRUPT, text[:200])


def _pillow_formats(kind: str) -> list[str]:
    return ["JPEG", "MPO"] if kind == "JPEG" else [kind]


def _fast_jpeg(data: bytes, min_width: int, min_height: int) -> tuple[NDArray[np.uint8] | None, str]:
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
    """What libjpeg-turbo objects to in a JPEG that `Decoder` leaves to Pillow (CMYK, grey); empty where nothing."""
    import simplejpeg

    spaces = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}
    try:
        space = spaces.get(simplejpeg.decode_jpeg_header(data)[2])
        if space is not None:
            simplejpeg.decode_jpeg(data, space, min_height=64, min_width=64)
    except ValueError as error:
        return str(error)
    return ""


def _check_png(file: IO[bytes]) -> None:
    """Raise OSError where the pixel data does not match its checksums.

    Pillow leaves them unread, and where a flipped bit ends the stream early the rest of the photo comes out black.
    Chunks: ISO/IEC 15948, 5.3.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if name != b"IDAT":
            file.seek(length + 4, os.SEEK_CUR)
            continue
        data, checksum = file.read(min(length, size)), file.read(4)
        if len(checksum) == 4 and zlib.crc32(data, zlib.crc32(name)) != int.from_bytes(checksum, "big"):
            raise OSError("the checksum of its pixels is wrong")
    file.seek(0)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    try:
        value = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # damaged EXIF: show the picture as it is stored
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey keeps its high byte; 32-bit and float grey are stretched to what they hold."""
    values = np.asarray(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return Image.fromarray((values >> 8).clip(0, 255).astype(np.uint8))
    values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    return Image.fromarray(((values - low) * (255 / ((high - low) or 1))).astype(np.uint8))


def _is_srgb(image: Image.Image) -> bool:
    """Has it no colour profile, or one that changes nothing?"""
    profile = image.info.get("icc_profile")
    try:
        return not profile or _srgb_transform(profile, image.mode) is None
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert by ICC profile; a profile that is damaged or does not fit the mode is left out."""
    if image.mode not in ("RGB", "L", "CMYK", "LAB"):
        image = image.convert("RGB")
    try:
        transform = _srgb_transform(profile, image.mode)
        return image if transform is None else ImageCms.applyTransform(image, transform)  # type: ignore[return-value]
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


@lru_cache(maxsize=16)
def _srgb_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Building a transform costs more than applying it, and a library has few cameras."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if "srgb" in ImageCms.getProfileDescription(source).lower():
        return None
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")


@lru_cache(maxsize=1)
def _register_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
