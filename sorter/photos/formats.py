"""Which format a file holds, by its first bytes, and which formats are not read."""

from __future__ import annotations

import re
from pathlib import Path

from sorter.types import Failure, Reason

# LibRaw's list; the kinds that are TIFF inside are known by their names, as some say nothing of it themselves.
RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".bay", ".cap", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq"}
    | {".k25", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl"}
    | {".sr2", ".srf", ".srw", ".x3f"}
)
RAW_MAGICS = (
    b"FUJIFILMCCD-RAW",
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\0",
    b"FOVb",
    b"\0MRM",
    b"II\x1a\0\0\0HEAPCCDR",
)
HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
AVIF_BRANDS = frozenset({b"avif", b"avis"})
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".dib", ".avif"}
    | {".heic", ".heif", ".hif", ".jxl", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".pam"}
)
JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
JPEG_2000 = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n")
# A magic number alone may begin a text, such as "P1 is our first".
PNM = re.compile(rb"P[1-6]\s(?:\s|#[^\n\r]*[\n\r])*(?:\d|#)|P7\s*\n(?:#|WIDTH|HEIGHT|DEPTH|MAXVAL|TUPLTYPE)")
BITMAP_HEADER = (40).to_bytes(4, "little")
CONVERT = "is not read; convert it, for example to PNG"
# First bytes of pictures that are not read, and what they are.
UNREAD = (
    (b"II\xbc", "JPEG XR"),
    (b"8BPS", "Photoshop's PSD"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"qoif", "QOI"),
    (b"gimp xcf", "GIMP's XCF"),
    (b"DDS ", "DDS"),
    (b"icns", "an icon file"),
    (b"\0\0\1\0", "an icon file"),
)
UNREAD_SUFFIXES = frozenset(
    {".jpm", ".mj2", ".jxr", ".wdp", ".jls", ".psd", ".psb", ".exr", ".hdr", ".qoi", ".xcf", ".dds"}
    | {".ico", ".icns", ".svg", ".svgz", ".eps", ".tga", ".pcx", ".pfm"}
)


def is_raw(head: bytes) -> bool:
    """Whether the first bytes are those of a raw format that is no TIFF."""
    return head.startswith(RAW_MAGICS) or head[4:12] == b"ftypcrx "


def sniff(head: bytes) -> str | None:
    """Name the image format that a file's first 64 bytes announce, or None. A raw that is TIFF inside is a TIFF here.

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
    if head.startswith(JXL):
        return "JXL"
    if head.startswith(JPEG_2000):
        return "JPEG2000"
    if PNM.match(head):
        return "PNM"
    if is_raw(head):
        return "RAW"
    if head[4:8] == b"ftyp":
        # The major brand may be the generic mif1; the list of compatible brands then tells.
        end = min(int.from_bytes(head[:4], "big"), len(head))
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
        if brands & AVIF_BRANDS:
            return "AVIF"
        if brands & HEIF_BRANDS:
            return "HEIF"
    return None


def format_of(path: Path, head: bytes) -> str | None:
    """As `sniff`, with the name's help: a raw of many cameras is a TIFF by its bytes."""
    kind = sniff(head)
    return "RAW" if kind == "TIFF" and path.suffix.lower() in RAW_SUFFIXES else kind


def unread_format(path: Path, head: bytes) -> str:
    """What a picture is that is not read, with what to do; empty for any other file."""
    suffix = path.suffix.lower()
    for magic, name in UNREAD:
        if head.startswith(magic):
            return f"{name} {CONVERT}"
    if head[4:8] == b"ftyp" and suffix in IMAGE_SUFFIXES:
        return f"a video, or a HEIF of an unknown brand, {CONVERT}"
    if suffix == ".dib" and head[:4] == BITMAP_HEADER:
        return f"a bitmap without the header of a BMP file {CONVERT}"
    if suffix in UNREAD_SUFFIXES:
        return f"{suffix} {CONVERT}"
    return ""


def refusal(path: Path, head: bytes) -> Failure:
    """Why a file that holds no image of ours has no scores."""
    if unread := unread_format(path, head):
        return Failure(Reason.UNSUPPORTED, unread)
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES or suffix in RAW_SUFFIXES:
        return Failure(Reason.NOT_AN_IMAGE, f"named {path.suffix} but holds no image this tool reads")
    return Failure(Reason.OTHER_FILE, "not an image")


def may_be_photo(path: Path) -> bool:
    """Is a file named like a photo, or does it begin like one? It is opened only for the second."""
    if path.suffix.lower() in IMAGE_SUFFIXES | RAW_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return sniff(file.read(64)) is not None
    except OSError:
        return False
