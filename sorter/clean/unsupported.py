"""Tell a file that our decoder cannot read from a file that is broken.

A decoder's error proves little: it also refuses whole files of a rarer kind. So the container is checked by its
specification, and pyvips is asked where it is installed. In doubt a file is unsupported, as broken files are removed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from sorter.clean.structure import check_structure
from sorter.clean.tiff import KNOWN_COMPRESSIONS, tiff_pages
from sorter.photos.jpeg import read_frame
from sorter.types import Failure, Reason

MAX_OPINIONS = 64  # pages
# By name, because libvips would otherwise choose among all of its loaders.
LOADERS = {
    "JPEG": "jpegload_buffer",
    "PNG": "pngload_buffer",
    "TIFF": "tiffload_buffer",
    "HEIF": "heifload_buffer",
    "JXL": "jxlload_buffer",
    "JPEG2000": "jp2kload_buffer",
}
CONVERT = "convert it, for example to PNG"
LIMIT_REASONS = {
    Reason.TIMEOUT: "raise --timeout-per-file",
    Reason.DECODER_CRASHED: CONVERT,
}
# ITU-T T.81, table B.1: start-of-frame markers and the process they announce.
BASELINE = frozenset({0xC0, 0xC1, 0xC2})
PROCESSES = {
    0xC3: "lossless JPEG",
    0xF7: "JPEG-LS",
    0xC9: "arithmetic-coded JPEG",
    0xCA: "arithmetic-coded JPEG",
}


def why_unsupported(failure: Failure, data: bytes, format: str, opened: bool) -> str:
    """Why our decoder cannot read a file that may be whole; empty where the file is broken.

    Args:
        failure: of decoding.
        data: the file's bytes; empty where there are too many to look through.
        format: the container, as `sniff` names it.
        opened: whether the decoder could read the header.
    """
    if failure.reason in (Reason.UNSUPPORTED, Reason.TOO_LARGE):
        return failure.message
    if failure.reason in LIMIT_REASONS:
        return f"{failure.message}; {LIMIT_REASONS[failure.reason]}"
    if failure.reason not in (Reason.TRUNCATED, Reason.CORRUPT) or not data:
        return ""
    if any(check_structure(data, format)):
        return ""
    rule = RULES.get(format)
    return (rule(failure, data, opened) if rule else "") or _second_opinion(data, format)


def _jpeg(failure: Failure, data: bytes, opened: bool) -> str:
    """Why a frame of this process, depth or number of components is not read; empty for a plain one."""
    frame = read_frame(data)
    if frame is None or not frame.height or not frame.components:
        return ""
    kind = ""
    if frame.marker not in BASELINE:
        kind = PROCESSES.get(frame.marker, "hierarchical JPEG")
    elif frame.bits != 8:
        kind = f"{frame.bits}-bit JPEG"
    elif frame.components not in (1, 3, 4):
        kind = f"JPEG of {frame.components} components"
    return kind and f"{kind} is not read; {CONVERT}"


def _png(failure: Failure, data: bytes, opened: bool) -> str:
    """All checksums are right, so the file is as it was written. The decoder's own limits refuse it."""
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    if b"IDAT" not in data or not width or not height:
        return ""
    return f"the decoder refuses it ({failure.message}); save it again without texts and profiles"


def _tiff(failure: Failure, data: bytes, opened: bool) -> str:
    pages = tiff_pages(data)
    if not pages or not all(page.whole for page in pages):
        return ""
    rare = [page.compression for page in pages if page.compression not in KNOWN_COMPRESSIONS]
    if rare:
        return f"TIFF compression {rare[0]} is not read; {CONVERT}"
    # Compressed data can be damaged within, which a directory does not show.
    if opened and any(page.compression != 1 for page in pages):
        return ""
    return f"this kind of TIFF is not read{_detail(failure, opened)}; {CONVERT}"


def _bmp(failure: Failure, data: bytes, opened: bool) -> str:
    width = int.from_bytes(data[18:22], "little", signed=True)
    height = abs(int.from_bytes(data[22:26], "little", signed=True))
    start, bits = int.from_bytes(data[10:14], "little"), int.from_bytes(data[28:30], "little")
    packing = int.from_bytes(data[30:34], "little")
    raw = packing in (0, 3, 6)
    needed = start + ((width * bits + 31) // 32 * 4 * height if raw else 1)
    if width <= 0 or not height or needed > len(data) or (opened and not raw):
        return ""
    return f"this kind of BMP is not read{_detail(failure, opened)}; {CONVERT}"


def _boxes(failure: Failure, data: bytes, opened: bool) -> str:
    """A HEIF or AVIF file whose boxes are whole (ISO 14496-12)."""
    if opened and "support" not in failure.message.lower():
        return ""
    names = data[: 1 << 20]
    if b"moov" in names and (b"msf1" in names[:64] or b"hevc" in names[:64] or b"pitm" not in names):
        return "an image sequence is not read; export a picture of it"
    if b"meta" not in names and b"moov" not in names:
        return ""
    return f"this kind of HEIF or AVIF is not read{_detail(failure, opened)}; {CONVERT}"


def _gif(failure: Failure, data: bytes, opened: bool) -> str:
    width, height = (int.from_bytes(data[at : at + 2], "little") for at in (6, 8))
    if opened or not width or not height:
        return ""
    return f"this kind of GIF is not read{_detail(failure, opened)}; {CONVERT}"


def _detail(failure: Failure, opened: bool) -> str:
    """The decoder's message. Of a header it only says that it is damaged, which a whole file's is not."""
    return f" ({failure.message})" if opened else ""


RULES: dict[str, Callable[[Failure, bytes, bool], str]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "TIFF": _tiff,
    "BMP": _bmp,
    "HEIF": _boxes,
    "AVIF": _boxes,
    "GIF": _gif,
}


def _second_opinion(data: bytes, format: str) -> str:
    """Whether libvips decodes every page, where pyvips is installed."""
    if format not in LOADERS:
        return ""
    pages = range(min(len(tiff_pages(data)), MAX_OPINIONS)) if format == "TIFF" else range(1)
    try:
        load = getattr(importlib.import_module("pyvips").Image, LOADERS[format])
        for page in pages:
            chosen = {"page": page} if format == "TIFF" else {}
            load(data, fail_on="warning" if format == "JPEG" else "error", **chosen).avg()
    except Exception:  # pyvips is not installed, or cannot read the file either
        return ""
    return f"only another decoder reads this {format}; {CONVERT}"
