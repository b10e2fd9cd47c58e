"""What a worker does with one file: everything that can be said of it without the others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sorter.clean.records import Examined, Finding, Kind
from sorter.types import Decoded, Failure, Photo, Reason

DECODE_SIDE = 256  # pixels: every coded bit of a JPEG is read all the same, only the arithmetic is less
# A file with one of these is at fault itself; for anything else it is the machine or the moment.
BROKEN = frozenset(
    {Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.TRUNCATED, Reason.CORRUPT, Reason.TOO_LARGE}
    | {Reason.DECODER_CRASHED, Reason.TIMEOUT}
)
LARGEST = 2 << 30  # bytes of a file that is looked through whole


@dataclass(frozen=True)
class Examine:
    """Pool stage: photo -> `Examined`, or a `Failure` for what is to be tried again another time.

    Attributes:
        max_megapixels: larger photos are refused before they are decoded.
        quick: headers and structure only, no pixels.
    """

    max_megapixels: float
    quick: bool = False

    def start(self) -> Callable[[Photo], Examined | Failure]:
        from sorter.photos.decode import Decoder

        decode = Decoder(DECODE_SIDE, self.max_megapixels, halving=True)
        return lambda photo: self._examine(photo, decode)

    def _examine(self, photo: Photo, decode: object) -> Examined | Failure:
        from sorter.clean.damage import check
        from sorter.clean.names import junk, misnamed, unsupported
        from sorter.files import open_regular, sha256_of
        from sorter.photos.decode import Decoder, sniff

        assert isinstance(decode, Decoder)
        try:
            with open_regular(photo.path) as file:
                data = file.read() if photo.size <= LARGEST else file.read(64)
            digest = hashlib.sha256(data).hexdigest() if photo.size <= LARGEST else sha256_of(photo.path)
        except FileNotFoundError:
            return Failure(Reason.VANISHED, "the file is no longer there")
        except OSError as error:
            return Failure(Reason.UNREADABLE, error.strerror or str(error))
        name = photo.path.name
        if found := unsupported(photo.path, data[:64]) or (None if sniff(data[:64]) else junk(name)):
            return Examined("", 0, 0, digest, (), b"", None, (found,))
        whole = len(data) == photo.size  # of a giant only the decoder can judge
        held = data if whole else None
        decoded = decode.header(photo.path, held) if self.quick else decode(photo.path, held)
        format = sniff(data[:64]) or ""
        findings: list[Finding] = []
        if isinstance(decoded, Failure):
            if decoded.reason is Reason.OTHER_FILE:
                other = Finding(Kind.OTHER, "not-an-image", "neither by name nor by content")
                return Examined("", 0, 0, digest, (), b"", None, (other,))
            if decoded.reason not in BROKEN:
                return decoded
            message = decoded.message
            if decoded.reason is Reason.NOT_AN_IMAGE:
                message += _held(data[:512])
            findings.append(Finding(Kind.BROKEN, decoded.reason.value, message))
        structure = list(check(data, format)) if whole else []
        if whole and not self.quick and isinstance(decoded, Decoded):
            structure += self._decoder_says(photo, data, decoded, decode, bool(structure))
        known = {finding.reason for finding in findings}
        findings += [
            each
            for each in structure
            if each.reason not in known and not (findings and each.kind is Kind.DAMAGED)
        ]
        if format and (wrong := misnamed(name, format)):
            findings.append(wrong)
        if isinstance(decoded, Failure):
            return Examined(format, 0, 0, digest, (), b"", None, tuple(findings))
        return _measured(decoded, digest, tuple(findings))

    def _decoder_says(
        self, photo: Photo, data: bytes, decoded: Decoded, decode: object, structure: bool
    ) -> Iterator[Finding]:
        """What a strict decoder objects to, and frames beyond the first that do not decode."""
        from sorter.clean.damage import judged_warning
        from sorter.photos.decode import Decoder, jpeg_warning

        assert isinstance(decode, Decoder)
        if decoded.format == "JPEG":
            warning = decoded.warning or jpeg_warning(data)
            found = judged_warning(warning)
            if found is not None and not (structure and found.reason == "no-end"):
                yield found
        elif (failure := decode.further_frames(photo.path, data)) is not None:
            yield Finding(Kind.BROKEN, failure.reason.value, f"a frame after the first: {failure.message}")


def _measured(decoded: Decoded, digest: str, findings: tuple[Finding, ...]) -> Examined:
    from PIL import Image

    from sorter.clean.quality import LOW_INFORMATION, measure, reduced, signature
    from sorter.photos.fingerprint import turned_hashes

    if not decoded.pixels.size:
        return Examined(decoded.format, decoded.width, decoded.height, digest, (), b"", None, findings)
    image = reduced(Image.fromarray(decoded.pixels))
    grey = image.convert("L")
    quality = measure(grey)
    # Blank pictures all look the same, which says nothing.
    telling = quality.spread >= LOW_INFORMATION
    hashes = turned_hashes(grey) if telling else ()
    small = signature(image) if telling else b""
    return Examined(decoded.format, decoded.width, decoded.height, digest, hashes, small, quality, findings)


def _held(head: bytes) -> str:
    """What else a file that is named like an image holds: pages and archives come from failed downloads."""
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
