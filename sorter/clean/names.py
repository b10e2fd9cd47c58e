"""What a file's name says, against what its bytes say."""

from __future__ import annotations

import re
from pathlib import Path

from sorter.clean.records import Finding, Kind
from sorter.photos.decode import IMAGE_SUFFIXES, sniff

# What systems, cameras and archives leave lying about.
JUNK = re.compile(
    r"thumbs\.db|ehthumbs(_vista)?\.db|desktop\.ini|\.ds_store|\._.*|\.localized|icon\r|\.picasa\.ini|picasa\.ini"
    r"|zbthumbnail\.info|\.directory|\.nomedia|\.bridgesort|__macosx|\.fseventsd|\.spotlight-v100|\.trashes"
    r"|@eadir|\.thumbnails?|read[-_ ]?me(\.(txt|md|rst|html?))?|.*~|~\$.*|.*\.(tmp|part|crdownload|swp|bak)",
    re.IGNORECASE,
)
# The first of each is the one that --fix-extensions gives.
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "AVIF": (".avif",),
    "HEIF": (".heic", ".heif", ".hif"),
}
RAW = frozenset(
    [
        ".3fr",
        ".arw",
        ".cr2",
        ".cr3",
        ".crw",
        ".dcr",
        ".dng",
        ".erf",
        ".fff",
        ".iiq",
        ".k25",
        ".kdc",
        ".mef",
        ".mos",
        ".mrw",
        ".nef",
        ".nrw",
        ".orf",
        ".pef",
        ".raf",
        ".raw",
        ".rw2",
        ".rwl",
        ".sr2",
        ".srf",
        ".srw",
        ".x3f",
    ]
)
# Other pictures, by the bytes they begin with: no decoder here is offered them.
MAGIC = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"IIU\0", "camera raw"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"qoif", "QOI"),
    (b"gimp xcf", "GIMP"),
    (b"DDS ", "DirectDraw surface"),
    (b"\0\0\1\0", "icon"),
    (b"icns", "icon"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
)
UNSUPPORTED_SUFFIXES = RAW | frozenset(
    [
        ".jxl",
        ".jp2",
        ".j2k",
        ".jpf",
        ".psd",
        ".psb",
        ".exr",
        ".hdr",
        ".qoi",
        ".xcf",
        ".dds",
        ".ico",
        ".icns",
        ".svg",
        ".svgz",
        ".eps",
        ".tga",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
    ]
)


def junk(name: str) -> Finding | None:
    """Files that are none of the data, by their names."""
    if JUNK.fullmatch(name):
        return Finding(Kind.JUNK, "junk", "left by a system or a program, or a note")
    return None


def unsupported(path: Path, head: bytes) -> Finding | None:
    """Pictures in formats that neither training nor sorting reads."""
    suffix = path.suffix.lower()
    if suffix in RAW and (sniff(head) in ("TIFF", None) or head[4:12] == b"ftypcrx "):
        return Finding(Kind.UNSUPPORTED, "unsupported", "a camera's raw file; export it as JPEG")
    if sniff(head) is not None:
        return None
    for magic, name in MAGIC:
        if head.startswith(magic):
            return Finding(Kind.UNSUPPORTED, "unsupported", f"{name} is not read; convert it")
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return Finding(Kind.UNSUPPORTED, "unsupported", "PNM is not read; convert it")
    if suffix in UNSUPPORTED_SUFFIXES and suffix not in IMAGE_SUFFIXES:
        return Finding(Kind.UNSUPPORTED, "unsupported", f"{suffix} is not read; convert it")
    return None


def misnamed(name: str, format: str) -> Finding | None:
    """Content and extension that disagree."""
    suffix = Path(name).suffix
    if suffix.lower() in SUFFIXES[format]:
        return None
    held = f"holds {format}, named {suffix}" if suffix else f"holds {format}, has no extension"
    return Finding(Kind.MISNAMED, "misnamed", held)


def right_name(name: str, format: str) -> str:
    """The name with the extension of its content; what is no image's extension stays part of the name."""
    stem = Path(name).stem if Path(name).suffix.lower() in IMAGE_SUFFIXES else name
    return stem + SUFFIXES[format][0]
