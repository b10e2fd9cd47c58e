"""Compare a file's name with its content: junk, unsupported formats, wrong extensions."""

from __future__ import annotations

import re
from pathlib import Path

from sorter.clean.records import Finding, Kind
from sorter.photos.formats import IMAGE_SUFFIXES, RAW_SUFFIXES, sniff, unread_format

# Files that systems, cameras and archives leave behind.
JUNK = re.compile(
    r"thumbs\.db|ehthumbs(_vista)?\.db|desktop\.ini|\.ds_store|\._.*|\.localized|icon\r|\.picasa\.ini|picasa\.ini"
    r"|zbthumbnail\.info|\.directory|\.nomedia|\.bridgesort|__macosx|\.fseventsd|\.spotlight-v100|\.trashes"
    r"|@eadir|\.thumbnails?|read[-_ ]?me(\.(txt|md|rst|html?))?|.*~|~\$.*|.*\.(tmp|part|crdownload|swp|bak)",
    re.IGNORECASE,
)
# The right extensions of each format, and first the one that --fix-extensions gives. Some name stereo and
# multi-picture JPEGs (.mpo, .jps), camera thumbnails (.thm), panoramas (.insp), animations or image sequences.
SUFFIXES = {
    "JPEG": (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jfi", ".pjpeg", ".pjpg", ".pjp", ".mpo", ".jps"),
        *(".thm", ".insp", ".jpg_original", ".jpg_large"),
    ),
    "PNG": (".png", ".apng", ".pns", ".png_original"),
    "WEBP": (".webp",),
    "GIF": (".gif", ".giff"),
    "TIFF": (
        *(".tif", ".tiff", ".btf", ".tf2", ".tf8", ".ptif", ".ptiff", ".gtif", ".gtiff", ".geotiff"),
        *(".lsm", ".stk", ".svs", ".ndpi", ".scn", ".qptiff"),
    ),
    "BMP": (".bmp", ".dib"),
    "AVIF": (".avif", ".avifs", ".heif", ".hif"),
    "HEIF": (".heic", ".heif", ".hif", ".heics", ".heifs", ".hifs"),
    "JXL": (".jxl",),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".jpg2", ".jph", ".jhc"),
    "PNM": (".pnm", ".ppm", ".pgm", ".pbm", ".pam"),
}


def junk(name: str) -> Finding | None:
    """Files that are no data, by their names."""
    if JUNK.fullmatch(name):
        return Finding(Kind.JUNK, "junk", "left by a system or a program, or a note")
    return None


def unsupported(path: Path, head: bytes) -> Finding | None:
    """Pictures in formats that no decoder here is offered."""
    if sniff(head) is not None:
        return None
    why = unread_format(path, head)
    if not why and path.suffix.lower() in RAW_SUFFIXES and head.strip(b"\0"):
        why = "a raw photo of an unknown kind; export it as JPEG"
    return Finding(Kind.UNSUPPORTED, "unsupported", why) if why else None


def misnamed(name: str, format: str) -> Finding | None:
    """A finding where extension and content disagree."""
    suffix = Path(name).suffix
    if format not in SUFFIXES or suffix.lower() in SUFFIXES[format]:  # a raw's name is how it is known
        return None
    held = f"holds {format}, named {suffix}" if suffix else f"holds {format}, has no extension"
    return Finding(Kind.MISNAMED, "misnamed", held)


def right_name(name: str, format: str) -> str:
    """The name with the extension of its content. An extension of no image format stays part of the name."""
    known = IMAGE_SUFFIXES.union(*SUFFIXES.values())
    stem = Path(name).stem if Path(name).suffix.lower() in known else name
    return stem + SUFFIXES[format][0]
