"""Photo -> upright sRGB pixels, or a `Failure` that says why not. The only place that opens an image."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, BinaryIO, TypeVar, cast

import numpy as np
from PIL import Image, UnidentifiedImageError

from sorter.files import NotRegularError, open_regular
from sorter.photos.bitmap import check_kind, read_bit_fields
from sorter.photos.boxes import check_extents, read_boxes, read_rare_boxes
from sorter.photos.colour import is_srgb, to_srgb
from sorter.photos.embedded import HOLDERS, LEAST_JPEG, decode_embedded
from sorter.photos.errors import TooLargeError, TruncatedError, UnsupportedError
from sorter.photos.formats import format_of, refusal
from sorter.photos.frames import Frames, hash_frames
from sorter.photos.jpeg import (
    END_OF_JPEG,
    PlainJpeg,
    decode_fast,
    frame_numbers,
    read_rare_jpeg,
)
from sorter.photos.newer import NEWER, PhotoFile, open_newer
from sorter.photos.opening import BOXED, MAX_READ, check_giant, open_image
from sorter.photos.orientation import (
    EXIF_PART,
    read_exif,
    read_orientation,
    turn_upright,
    upright_size,
)
from sorter.photos.padding import without_padding
from sorter.photos.png import check_pixels, has_deep_transparency, read_deep
from sorter.photos.raw import read_raw, read_raw_exif
from sorter.photos.tiff import is_plain, read_tiff, to_bytes
from sorter.photos.tone import by_boxes
from sorter.photos.transparency import flattened, on_white_canvas
from sorter.types import Decoded, Failure, Limits, Reason

Made = TypeVar("Made")

BMP_HEADER = 138  # bytes, the longest
NO_PIXELS = np.empty((0, 0, 3), np.uint8)
WORTH_A_DEVICE = 1_000_000  # pixels; a smaller photo is decoded here sooner than it is handed on


class Decoder:
    """Decodes photos of every supported format to upright sRGB.

    What a viewer opens is decoded: a JPEG without its end marker, with stray bytes between its segments or garbage
    after it, a PNG without its last chunk, damaged EXIF, a damaged colour profile. What would show as a photo with a
    part missing is a failure.

    Args:
        min_side: JPEGs may be decoded at a fraction of their size, as long as both sides keep at least
            this many pixels (scaled IDCT, a property of the format: the full picture is never built).
            None decodes every pixel.
        limits: photos with more megapixels are refused before decoding.
        halving: scale JPEGs by 1/2, 1/4 or 1/8 only. For those libjpeg-turbo has vector code, for the other
            eighths it has not: 6/8 takes longer than the whole picture.
        embedded: a smaller picture of itself that a photo holds is decoded in its place, where both sides have at
            least this many pixels. None decodes the photo itself.
    """

    def __init__(
        self,
        min_side: int | None,
        limits: Limits | None = None,
        halving: bool = False,
        embedded: int | None = None,
    ) -> None:
        self.min_side = min_side
        self.halving = halving
        self.embedded = embedded
        self.max_pixels = (limits or Limits()).megapixels * 1e6
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

    def frames(self, path: Path, data: bytes | None = None) -> Frames | Failure:
        """Count the frames or pages of a file, and hash their pixels. A failure is that of a frame after the first."""
        return self._guarded(path, data, self._frames)

    def exif(self, path: Path) -> dict[int, object] | Failure:
        """What the camera wrote, by tag, as Pillow reads it; empty where there is nothing or it is damaged.

        Tags: CIPA DC-008 (Exif 2.32), those of the primary picture and of its Exif part.
        """
        return self._guarded(path, None, self._exif)

    def embedded_picture(self, path: Path) -> Decoded | None:
        """The smaller picture that a photo holds of itself, or None where none will do."""
        outcome = self._guarded(path, None, self._embedded)
        return outcome if isinstance(outcome, Decoded) else None

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
                kind = format_of(path, head)
                if kind is None:
                    return refusal(path, head)
                if kind == "WEBP" and _riff_size(head) > file.seek(0, os.SEEK_END):
                    return Failure(Reason.TRUNCATED, "the file is shorter than its header says")
                # A device decodes the file itself, so it has to see the file as it is.
                picture = file if read == self._plain_jpeg else without_padding(file, kind, MAX_READ)
                picture.seek(0)
                # Damaged metadata makes Pillow warn; the pixels decide whether a photo is usable.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return read(picture, kind)
        except NotRegularError:
            return Failure(Reason.SPECIAL_FILE, "not a regular file")
        except (FileNotFoundError, NotADirectoryError):
            return Failure(Reason.VANISHED, "the file is no longer there")
        except MemoryError:
            return Failure(Reason.OUT_OF_MEMORY, "decoding needs more memory than one worker may use")
        except UnsupportedError as error:
            return Failure(Reason.UNSUPPORTED, str(error))
        except TruncatedError as error:
            return Failure(Reason.TRUNCATED, str(error))
        except TooLargeError as error:
            return Failure(Reason.TOO_LARGE, f"{error}; the limit is {self._limit()}")
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
        if kind == "RAW":
            raw = read_raw(cast("BinaryIO", file), self.max_pixels)
            return Decoded(NO_PIXELS, raw.width, raw.height, kind)
        if kind in NEWER:
            photo = self._newer(file, kind)
            return Decoded(NO_PIXELS, photo.width, photo.height, kind)
        try:
            with open_image(file, kind) as image:
                self._check_size(image)
                width, height = image.size
        except OSError as error:
            whole = self._rarer(file, kind, error)
            width, height = whole.width, whole.height
        return Decoded(NO_PIXELS, width, height, kind)

    def _exif(self, file: IO[bytes], kind: str) -> dict[int, object]:
        if kind in NEWER:
            return read_exif(self._newer(file, kind).exif)
        if kind == "RAW":
            return read_raw_exif(cast("BinaryIO", file))
        with open_image(file, kind) as image:
            try:
                exif = image.getexif()
                return dict(exif) | dict(exif.get_ifd(EXIF_PART))
            except Exception:  # damaged EXIF does not make a damaged photo
                return {}

    def _frames(self, file: IO[bytes], kind: str) -> Frames:
        if kind == "RAW":
            return Frames(1)
        if kind in NEWER:
            return Frames(self._newer(file, kind).count)
        try:
            image = open_image(file, kind)
        except UnidentifiedImageError:
            return self._tiff_frames(file) if kind == "TIFF" else Frames(1)
        with image:
            if kind == "TIFF" and not is_plain(image):
                return self._tiff_frames(file)
            numbers = frame_numbers(image)
            return hash_frames(len(numbers), (self._frame(image, number) for number in numbers))

    def _frame(self, image: Image.Image, number: int) -> Image.Image:
        image.seek(number)
        self._check_size(image)
        return image

    def _tiff_frames(self, file: IO[bytes]) -> Frames:
        pages = read_tiff(file, self.max_pixels)
        return hash_frames(pages.count, (picture.image for picture in pages.pictures))

    def _plain_jpeg(self, file: IO[bytes], kind: str) -> PlainJpeg | None:
        if kind != "JPEG":
            return None
        file.seek(-len(END_OF_JPEG), os.SEEK_END)
        whole = file.read() == END_OF_JPEG
        file.seek(0)
        with open_image(file, kind) as image:
            self._check_size(image)
            width, height = image.size
            # Adobe's marker with transform 0: the channels are RGB as they are, which not every decoder heeds.
            plain = image.mode in ("RGB", "L") and image.info.get("adobe_transform") != 0
            if not whole or not plain or width * height < WORTH_A_DEVICE or not is_srgb(image):
                return None
            orientation = read_orientation(image)
        return PlainJpeg(*upright_size(width, height, orientation), orientation)

    def _check_size(self, image: Image.Image) -> None:
        width, height = image.size
        if width * height > self.max_pixels:
            raise TooLargeError(f"{width} x {height} is {width * height / 1e6:.0f} megapixels")

    def _decode(self, file: IO[bytes], kind: str) -> Decoded:
        if kind == "RAW":
            return self._raw(file)
        if kind in NEWER:
            return self._from_newer(self._newer(file, kind), kind)
        if (small := self._embedded(file, kind)) is not None:
            return small
        data, size = b"", file.seek(0, os.SEEK_END)
        file.seek(0)
        if kind == "JPEG" and size <= MAX_READ:
            # simplejpeg wants the bytes, and Pillow is quicker with them too.
            data = file.read()
            file = io.BytesIO(data)
        if kind == "PNG":
            check_pixels(file)
        elif kind == "BMP":
            check_kind(file)
        elif kind in BOXED:
            check_extents(file)
        try:
            image = open_image(file, kind)
        except OSError as error:
            return self._rarer(file, kind, error)
        with image:
            self._check_size(image)
            if kind == "TIFF" and not is_plain(image):
                return self._tiff(file)
            return self._from_pillow(image, file, kind, data)

    def _embedded(self, file: IO[bytes], kind: str) -> Decoded | None:
        if self.embedded is None or kind not in HOLDERS:
            return None
        try:
            if kind in BOXED:
                check_extents(file)
            elif file.seek(0, os.SEEK_END) < LEAST_JPEG:
                return None
            with open_image(file, kind) as image:
                self._check_size(image)
                return decode_embedded(image, file, self.embedded, self.min_side or self.embedded)
        except Exception:  # the photo itself is then decoded, and that says what is wrong
            return None

    def _from_pillow(self, image: Image.Image, file: IO[bytes], kind: str, data: bytes) -> Decoded:
        width, height = image.size
        # Pillow itself turns a TIFF upright while it loads, and has given the upright size already.
        orientation = 1 if kind == "TIFF" else read_orientation(image)
        profile = image.info.get("icc_profile")
        pixels, warning = None, ""
        # Grey has to stay grey for its own kind of profile.
        if data and (image.mode == "RGB" or (image.mode == "L" and not profile)):
            pixels, warning = decode_fast(data, *self._least(image.size))
        if pixels is None:
            upright = self._with_pillow(image, file)
        elif profile or orientation != 1:
            upright = Image.fromarray(pixels)
        else:
            return Decoded(pixels, width, height, kind, warning)
        if profile and pixels is not None:
            upright = to_srgb(upright, profile)
        if kind in BOXED:
            upright = by_boxes(upright, read_boxes(file), has_profile=bool(profile), crops=kind == "AVIF")
            width, height = upright.size
        upright = turn_upright(upright, orientation)
        return Decoded(np.asarray(upright), *upright_size(width, height, orientation), kind, warning)

    def _rarer(self, file: IO[bytes], kind: str, error: OSError) -> Decoded:
        """A file that Pillow does not know, by whoever knows its kind. Raises the error where nobody does."""
        if not isinstance(error, UnidentifiedImageError) and kind != "BMP":
            raise error
        file.seek(0)
        if kind == "TIFF":
            return self._tiff(file)
        if kind == "JPEG":
            pixels = read_rare_jpeg(file.read(MAX_READ), self.max_pixels)
        elif kind == "BMP":
            try:
                read = read_bit_fields(file.read(BMP_HEADER), self.max_pixels)
            except TruncatedError:  # its header is one of ours
                file.seek(0)
                read = read_bit_fields(file.read(MAX_READ), self.max_pixels)
            if read is None:
                raise error
            pixels = read
        elif kind in BOXED:
            pixels = read_rare_boxes(file.read(MAX_READ), self.max_pixels)
        else:
            raise error
        return Decoded(pixels, pixels.shape[1], pixels.shape[0], kind)

    def _tiff(self, file: IO[bytes]) -> Decoded:
        pages = read_tiff(file, self.max_pixels)
        picture = next(pages.pictures)
        image = to_srgb(picture.image, picture.profile) if picture.profile else picture.image
        upright = turn_upright(image.convert("RGB"), picture.orientation)
        return Decoded(np.asarray(upright), *upright.size, "TIFF")

    def _raw(self, file: IO[bytes]) -> Decoded:
        raw = read_raw(cast("BinaryIO", file), self.max_pixels)
        if raw.pixels is not None:
            return Decoded(raw.pixels, raw.width, raw.height, "RAW")
        preview = self._decode(io.BytesIO(raw.jpeg), "JPEG")
        turn = raw.turn_of_preview(preview.width, preview.height)
        upright = turn_upright(Image.fromarray(preview.pixels), turn) if turn != 1 else preview.pixels
        return Decoded(np.asarray(upright), raw.width, raw.height, "RAW", preview.warning)

    def _newer(self, file: IO[bytes], kind: str) -> PhotoFile:
        size = file.seek(0, os.SEEK_END)
        if size > MAX_READ:
            check_giant(file, kind, size)
        file.seek(0)
        photo = open_newer(file.read(), kind)
        if photo.width * photo.height > self.max_pixels:
            raise TooLargeError(f"{photo.width} x {photo.height} pixels")
        return photo

    def _from_newer(self, photo: PhotoFile, kind: str) -> Decoded:
        # `clean` scales by halves, and has to read every coded bit of a file.
        picture = photo.decode(None if self.halving else self.min_side)
        if picture.jpeg:
            return replace(self._decode(io.BytesIO(picture.jpeg), "JPEG"), format=kind)
        return Decoded(np.asarray(picture.upright()), photo.width, photo.height, kind)

    def _least(self, size: tuple[int, int]) -> tuple[int, int]:
        """The width and height that a JPEG of this size is to have at least; whole it has nothing less."""
        side = self.min_side
        if side is None or not self.halving:
            return side or 0, side or 0
        scaled = ((-(-size[0] // by), -(-size[1] // by)) for by in (8, 4, 2))
        return next((each for each in scaled if min(each) >= side), size)

    def _with_pillow(self, image: Image.Image, file: IO[bytes]) -> Image.Image:
        """Every format and mode: -> sRGB, transparency on white; not yet turned upright."""
        if self.min_side and image.format in ("JPEG", "MPO"):
            image.draft(None, (self.min_side, self.min_side))
        if image.format == "PNG" and has_deep_transparency(image, file):
            return Image.fromarray(read_deep(file))
        tiles = getattr(image, "tile", ()) if image.format == "GIF" else ()
        covered = tiles[0].extents if tiles else None
        image.load()
        profile = image.info.get("icc_profile")
        if image.mode.startswith("I") or image.mode == "F":
            image = Image.fromarray(to_bytes(np.asarray(image), 16))
        elif covered is not None and covered != (0, 0, *image.size):
            image = on_white_canvas(image.convert("RGBA"), covered)
        else:
            image = flattened(image)
        if profile:
            image = to_srgb(image, profile)
        return image.convert("RGB")


def _riff_size(head: bytes) -> int:
    return 8 + int.from_bytes(head[4:8], "little")


def _damaged(error: Exception) -> Failure:
    text = " ".join(str(error).split()) or type(error).__name__
    cut_short = any(sign in text.lower() for sign in ("truncated", "end of file"))
    return Failure(Reason.TRUNCATED if cut_short else Reason.CORRUPT, text[:200])
