"""Examine one file by itself: its bytes, its name and its pixels."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import cast

from sorter.clean.filenames import junk, misnamed, unsupported
from sorter.clean.records import Examined, Finding, Kind
from sorter.clean.structure import check_structure, warning_finding
from sorter.clean.unsupported import why_unsupported
from sorter.files import open_regular, sha256_of
from sorter.photos.decode import Decoder
from sorter.photos.formats import format_of
from sorter.photos.jpeg import jpeg_warning
from sorter.types import Decoded, Failure, Limits, Photo, Reason

DECODE_SIDE = 256  # pixels. A JPEG's every coded bit is read all the same, only the arithmetic is less.
ONE_FRAME = frozenset({"BMP", "RAW", "PNM", "JPEG2000"})  # formats of one picture
HEAD = 512  # bytes that identify a file
LARGEST = 256 << 20  # bytes of a file that is read into memory; the decoder reads a larger one by itself
# Failures of the file itself. Any other is of the machine or the moment.
FILE_FAULTS = frozenset(
    {Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.TRUNCATED, Reason.CORRUPT, Reason.TOO_LARGE}
    | {Reason.UNSUPPORTED}
)


@dataclass(frozen=True)
class Examine:
    """Pool stage: photo -> `Examined`, or a `Failure` for a file that is to be tried again.

    Attributes:
        limits: as for `Decoder`.
        quick: headers and structure only, no pixels.
    """

    limits: Limits
    quick: bool = False

    def start(self) -> Callable[[Photo], Examined | Failure]:
        return _Examiner(Decoder(DECODE_SIDE, self.limits, halving=True), self.quick)


@dataclass(frozen=True)
class _Content:
    """A file's bytes.

    Attributes:
        photo: the file.
        head: its first bytes.
        data: all of its bytes; None for a file above `LARGEST`.
        sha256: in hex.
    """

    photo: Photo
    head: bytes
    data: bytes | None
    sha256: str

    @property
    def format(self) -> str:
        return format_of(self.photo.path, self.head[:64]) or ""


@dataclass(frozen=True)
class _Examiner:
    decode: Decoder
    quick: bool

    def __call__(self, photo: Photo) -> Examined | Failure:
        content = _read(photo)
        if isinstance(content, Failure):
            return content
        if found := unsupported(photo.path, content.head[:64]) or (
            None if content.format else junk(photo.path.name)
        ):
            return Examined("", 0, 0, content.sha256, findings=(found,))
        read = self.decode.header if self.quick else self.decode
        decoded = read(photo.path, content.data)
        if isinstance(decoded, Failure):
            return self._failed(content, decoded)
        return self._decoded(content, decoded)

    def _failed(self, content: _Content, failure: Failure) -> Examined | Failure:
        if failure.reason is Reason.OTHER_FILE:
            other = Finding(Kind.OTHER, "not-an-image", "neither by name nor by content")
            return Examined("", 0, 0, content.sha256, findings=(other,))
        if failure.reason not in FILE_FAULTS:
            return failure
        findings = [self._fault(content, failure)]
        if findings[0].kind is Kind.BROKEN and content.data is not None:
            structure = check_structure(content.data, content.format)
            findings += [
                each
                for each in structure
                if each.kind is not Kind.DAMAGED and each.reason != failure.reason.value
            ]
        findings += _misnamed(content)
        return Examined(content.format, 0, 0, content.sha256, findings=tuple(findings))

    def _fault(self, content: _Content, failure: Failure, context: str = "") -> Finding:
        """A failure of the decoder: is the file broken, or only unsupported?"""
        path = content.photo.path
        opened = not isinstance(self.decode.header(path, content.data), Failure)
        if content.data is not None:
            why = why_unsupported(failure, content.data, content.format, opened)
        elif content.format == "TIFF":
            with open_regular(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                # A mapped file is sliced and searched as bytes are, and only what is needed is read.
                why = why_unsupported(failure, cast(bytes, mapped), content.format, opened)
        else:
            why = why_unsupported(failure, b"", content.format, opened)
        if why:
            return Finding(Kind.UNSUPPORTED, "unsupported", context + why)
        message = context + failure.message
        if failure.reason is Reason.NOT_AN_IMAGE:
            message += _looks_like(content.head)
        return Finding(Kind.BROKEN, failure.reason.value, message)

    def _decoded(self, content: _Content, decoded: Decoded) -> Examined:
        findings: list[Finding] = []
        if content.data is not None:
            findings += check_structure(content.data, content.format)
        if content.data is not None and not self.quick and decoded.format == "JPEG":
            found = warning_finding(decoded.warning or jpeg_warning(content.data))
            if found is not None and not (findings and found.reason == "no-end"):
                findings.append(found)
        count, digest = 1, ""
        if not self.quick and decoded.format not in ONE_FRAME:
            frames = self.decode.frames(content.photo.path, content.data)
            if not isinstance(frames, Failure):
                count, digest = frames.count, frames.sha256
            else:
                count = 0  # unknown
                # A JPEG's further pictures are no part of the photo: a preview, a gain map.
                if decoded.format != "JPEG":
                    findings.append(self._fault(content, frames, "a frame after the first: "))
        findings += _misnamed(content)
        examined = replace(_measured(decoded, content.sha256), frames=count, frames_sha256=digest)
        return replace(examined, findings=tuple(findings))


def _read(photo: Photo) -> _Content | Failure:
    try:
        with open_regular(photo.path) as file:
            head = file.read(HEAD)
            if photo.size > LARGEST:
                return _Content(photo, head, None, sha256_of(photo.path))
            file.seek(0)
            data = file.read(photo.size)
    except FileNotFoundError:
        return Failure(Reason.VANISHED, "the file is no longer there")
    except OSError as error:
        return Failure(Reason.UNREADABLE, error.strerror or str(error))
    return _Content(photo, head, data, hashlib.sha256(data).hexdigest())


def _misnamed(content: _Content) -> Iterator[Finding]:
    if content.format and (wrong := misnamed(content.photo.path.name, content.format)):
        yield wrong


def _measured(decoded: Decoded, digest: str) -> Examined:
    from PIL import Image

    from sorter.clean.quality import LOW_INFORMATION, measure, reduced
    from sorter.clean.signature import signature_bytes
    from sorter.photos.fingerprint import oriented_hashes

    examined = Examined(decoded.format, decoded.width, decoded.height, digest)
    if not decoded.pixels.size:
        return examined
    image = reduced(Image.fromarray(decoded.pixels))
    grey = image.convert("L")
    quality = measure(grey)
    if quality.spread < LOW_INFORMATION:  # all flat pictures look the same, so they are not compared
        return replace(examined, quality=quality)
    return replace(
        examined, quality=quality, hashes=oriented_hashes(grey), signature=signature_bytes(image, grey)
    )


def _looks_like(head: bytes) -> str:
    """What a file named like an image may be: failed downloads leave web pages and archives."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for signs, what in (
        ((b"<!doctype html", b"<html", b"<head"), "a web page"),
        ((b"<?xml", b"<svg"), "XML"),
        ((b"{", b"["), "JSON or text"),
        ((b"pk\x03\x04",), "a ZIP archive"),
        ((b"\x1f\x8b",), "a gzip archive"),
        ((b"%pdf-",), "a PDF"),
    ):
        if start.startswith(signs):
            return f"; it looks like {what}"
    return "; nothing but zero bytes" if head and not head.strip(b"\0") else ""
