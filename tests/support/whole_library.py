"""A library as photographers and phones leave it: twenty years of names, about 500 files."""

from __future__ import annotations

import random
from pathlib import Path

from support.library import film, heic, photo, raw
from support.photos import BLUE, RED

RAWS = ("CR2", "NEF", "ARW", "DNG", "RAF", "ORF", "RW2", "PEF", "SRW", "GPR", "CR3")
EDITS = ("xmp", "pp3", "dop", "on1", "cos", "acr", "thm", "txt")
LONG = "a_walk_through_the_old_town_on_a_rainy_sunday_morning"


def make_library(root: Path) -> Path:
    """Files of every kind that `docs/library.md` names; each has bytes of its own, but for some exact copies."""
    for at, suffix in enumerate(RAWS * 5):
        _camera(root / "camera" / f"{at % 4}", f"IMG_{at // 4:04}", suffix, at)
    for at in range(32):
        _phone(root / "phone" / f"{at % 2}", f"IMG_{1000 + at // 2}", at)
    for at in range(12):
        _takeout(root / "takeout" / f"Photos from {2010 + at % 3}", at)
    for at in range(20):
        _pixel(root / "pixel", f"PXL_202401{at + 1:02}_1200000{at:02}", at)
    _doubtful(root / "traps")
    for at in range(3):
        same = root / "camera" / "0" / f"IMG_000{at}.JPG"
        _text(root / "copies" / f"{at}" / same.name, b"", same.read_bytes())
        _text(root / "copies" / f"{at}" / f"IMG_000{at}.xmp", b"of a copy %d" % at)
        photo(root / "broken" / f"{at}.jpg", colour=RED, seed=900 + at)
        _cut(root / "broken" / f"{at}.jpg")
        _text(root / "broken" / f"{at}.jpg.xmp", b"of a broken photo %d" % at)
    return root


def _taken(at: int) -> tuple[str, int]:
    return f"2021:05:04 03:02:{at % 60:02}", 1_620_097_320 + at % 60


def _colour(at: int) -> tuple[int, int, int]:
    return BLUE if at % 3 == 0 else RED


def _camera(folder: Path, stem: str, suffix: str, at: int) -> None:
    taken, _ = _taken(at)
    photo(folder / f"{stem}.JPG", taken, colour=_colour(at), seed=at)
    raw(folder / f"{stem}.{suffix}", taken, seed=at)
    for place in range(3):
        edit = EDITS[(at + place) % len(EDITS)]
        whole = (at + place) % 2
        _text(folder / (f"{stem}.JPG.{edit}" if whole else f"{stem}.{edit}"), b"%s %d" % (edit.encode(), at))
    if at % 5 == 0:
        _text(folder / f"{stem}.WAV", b"note %d" % at)


def _phone(folder: Path, stem: str, at: int) -> None:
    taken, seconds = _taken(at)
    heic(folder / f"{stem}.HEIC", taken, f"ID-{at}", _colour(at))
    film(folder / f"{stem}{('.MOV', '_HEVC.MOV', '_3.mov')[at % 3]}", seconds, f"ID-{at}", seed=at)
    if at % 2:
        edited = stem.replace("IMG_", "IMG_E")
        photo(folder / f"{edited}.JPG", taken, colour=_colour(at), seed=300 + at)
        _text(folder / f"{stem}.AAE", b"aae %d" % at)
        _text(folder / f"{stem.replace('IMG_', 'IMG_O')}.AAE", b"old aae %d" % at)


def _takeout(folder: Path, at: int) -> None:
    stem = f"trip{at // 3}"
    photo(folder / f"{stem}.jpg", colour=_colour(at), seed=400 + at)
    photo(folder / f"{stem}-edited.jpg", colour=_colour(at), seed=420 + at)
    photo(folder / f"{stem}(1).jpg", colour=_colour(at), seed=440 + at)
    _text(folder / f"{stem}.jpg.supplemental-metadata.json", b"{%d}" % at)
    _text(folder / f"{stem}.jpg(1).json", b"{%d, 1}" % at)
    if at // 3 == 0:
        photo(folder / f"{LONG[:47]}.jpg", colour=_colour(at), seed=460 + at)
        _text(folder / f"{LONG[:46]}.json", b"{%d, long}" % at)


def _pixel(folder: Path, stem: str, at: int) -> None:
    if at % 2:
        photo(folder / f"{stem}.RAW-01.COVER.jpg", colour=_colour(at), seed=500 + at)
        raw(folder / f"{stem}.RAW-02.ORIGINAL.dng", seed=500 + at)
    else:
        photo(folder / f"{stem}.MP.jpg", colour=_colour(at), seed=500 + at)
        film(folder / f"{stem}.MP", seed=at)


def _doubtful(folder: Path) -> None:
    """What has one name and does not belong together."""
    photo(folder / "IMG_0001.JPG", "2021:05:04 03:02:01", colour=RED, seed=600)
    film(folder / "IMG_0001.MOV", 1_400_000_000, seed=600)
    photo(folder / "IMG_0002.JPG", "2021:05:04 03:02:01", colour=RED, seed=601)
    raw(folder / "IMG_0002.CR2", "2009:05:04 03:02:01", seed=601)
    photo(folder / "two.jpg", colour=RED, seed=602)
    photo(folder / "two.jpeg", colour=BLUE, seed=603)
    _text(folder / "two.xmp", b"of which?")
    _text(folder / "shopping.txt", b"of no photo")


def _text(path: Path, text: bytes, whole: bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole or text + random.Random(str(path.name)).randbytes(2000))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])
