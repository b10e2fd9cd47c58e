"""Files as cameras and phones write them: photos with EXIF, raws that are TIFF inside, Live Photo films."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from support.photos import RED, make_photo

EXIF, TAKEN, MAKER_NOTE = 0x8769, 0x9003, 0x927C


def photo(path: Path, taken: str = "", identifier: str = "", **how: object) -> Path:
    """A JPEG."""
    made: Path = make_photo(path, format="JPEG", exif=exif(taken, identifier), **how)  # type: ignore[arg-type]
    return made


def heic(path: Path, taken: str = "", identifier: str = "", colour: tuple[int, int, int] = RED) -> Path:
    """A HEIC, as iPhones write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (96, 64), colour)
    pillow_heif.from_pillow(image).save(path, exif=exif(taken, identifier), quality=50)
    return path


def raw(path: Path, taken: str = "", identifier: str = "", seed: int = 0) -> Path:
    """What a CR2, a NEF or a DNG begins with. It has tags and no pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        exif(taken, identifier).removeprefix(b"Exif\0\0") + np.random.default_rng(seed).bytes(64)
    )
    return path


def film(path: Path, taken: int = 0, identifier: str = "", seed: int = 0) -> Path:
    """A QuickTime film without pictures.

    Args:
        taken: seconds since 1970.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mvhd = _box(b"mvhd", struct.pack(">IIIII", 0, taken + 2_082_844_800 if taken else 0, 0, 600, 1200))
    key = _box(b"mdta", b"com.apple.quicktime.content.identifier")
    keys = _box(b"keys", struct.pack(">II", 0, 1) + key)
    item = _box(struct.pack(">I", 1), _box(b"data", struct.pack(">II", 1, 0) + identifier.encode()))
    meta = _box(b"meta", _box(b"hdlr", bytes(24)) + keys + _box(b"ilst", item)) if identifier else b""
    pictures = np.random.default_rng(seed).bytes(64)
    whole = _box(b"ftyp", b"qt  " + bytes(4)) + _box(b"mdat", pictures) + _box(b"moov", mvhd + meta)
    path.write_bytes(whole)
    return path


def exif(taken: str, identifier: str) -> bytes:
    """Tags with a time such as `2021:05:04 03:02:01`, and with Apple's content identifier."""
    tags = Image.Exif()
    inner = tags.get_ifd(EXIF)
    if taken:
        inner[TAKEN] = taken
    if identifier:
        text = identifier.encode() + b"\0"
        value = text.ljust(4, b"\0") if len(text) <= 4 else struct.pack(">I", 14 + 2 + 12 + 4)
        entry = struct.pack(">HHHI", 1, 0x11, 2, len(text)) + value + bytes(4)
        inner[MAKER_NOTE] = b"Apple iOS\0\0\1MM" + entry + text
    return tags.tobytes()


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body
