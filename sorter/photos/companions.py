"""What belongs together by its name: a photo, its raw, its edits, its sidecars, its film and its audio note.

Names are those of one folder. Nothing is opened here: `sorter.photos.sets` asks whether two files of one
name are of one moment. Sources: the exports of Google Takeout, of Apple Photos and of Pixel cameras; Adobe, darktable,
RawTherapee, DxO, ON1 and Capture One for their sidecars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from sorter.photos.formats import IMAGE_SUFFIXES, RAW_SUFFIXES, UNREAD_SUFFIXES
from sorter.types import UsageError

COMPANIONS = ("auto", "none")  # the values of --companions
# Edits that a raw developer keeps beside the photo. One that two photos could own is the raw's: Adobe's rule.
DEVELOPED = frozenset({".xmp", ".pp3", ".arp", ".dop", ".on1", ".cos", ".acr", ".vrd"})
NOTES = frozenset({".thm", ".json", ".txt", ".aae"})
SIDECARS = DEVELOPED | NOTES
FILMS = frozenset({".mov", ".mp4", ".m4v", ".mp", ".mv"})
AUDIO = frozenset({".wav", ".m4a"})
WORK = frozenset({".psd", ".psb", ".xcf"})  # layers of the photo, in the program's own format
PLAIN = (IMAGE_SUFFIXES | UNREAD_SUFFIXES) - WORK
FIRST = (".jpg", ".jpeg", ".heic", ".heif", ".hif")  # the order in which plain pictures lead

PIXEL = re.compile(
    r"(?P<base>.+?)(?:\.raw|(?P<mode>\.(?:portrait|night|long_exposure|action_pan|macro)))*-\d\d\.(?P<part>cover|original|main)"
)
PIXEL_COPY = re.compile(r"(?P<base>(?:pxl|img|mvimg)_\d{8}_\d{6}.*?)~\d+")
APPLE = re.compile(r"img_(?P<sort>[eo])(?P<number>\d{4,}.*)")
EDITED = re.compile(
    r"(?P<base>.+)-(?:edited|effects|bearbeitet|modifié|modificato|editado|bewerkt|edytowane|redigerad|muokattu|編集済み)"
    r"(?P<again>\(\d+\))?"
)
LIVE = re.compile(r"(?P<base>.+?)(?:_hevc|_3|_live)")
COUNTED = re.compile(r"(?P<base>.*)(?P<count>\(\d+\))")
OURS = re.compile(r"(?P<base>.*) (?P<count>\(\d+\))")  # the number that sorter gives to a name that is taken
VERSION = re.compile(r"(?P<base>.+)_\d\d")  # of darktable, for a second edit of one photo
TAKEOUT = 46  # characters before ".json" that Takeout keeps
TAKEOUT_STEM = 47  # and of a photo's own stem, so that "-edited" may be cut
CUT_EDIT = re.compile(r"(?P<base>.+)-(?:e|ed|edi|edit|edite)")
METADATA = "supplemental-metadata"


def check_companions(value: str) -> None:
    """Raise UsageError for a value that --companions does not have."""
    if value not in COMPANIONS:
        raise UsageError(f"--companions: {value!r} is none of {', '.join(COMPANIONS)}")


class Part(IntEnum):
    """What a file is to its photo, the best picture first."""

    PLAIN = 0
    EDIT = 1
    RAW = 2
    WORK = 3
    FILM = 4
    AUDIO = 5
    SIDECAR = 6


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a set, and what it is to its photo."""

    name: str
    part: Part


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """Files that are one photo.

    Attributes:
        members: the best picture first; it decides for all.
    """

    members: tuple[Member, ...]

    @property
    def leader(self) -> Member:
        return self.members[0]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.members)


@dataclass(frozen=True, slots=True)
class Groups:
    """The sets among the names of a folder.

    Attributes:
        sets: each of a picture and one or more companions.
        doubtful: a sidecar that several photos could own, and those photos. It stays by itself.
    """

    sets: tuple[PhotoSet, ...]
    doubtful: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Picture:
    name: str
    stem: str
    suffix: str
    part: Part

    @property
    def rank(self) -> tuple[int, int, str]:
        first = FIRST.index(self.suffix) if self.suffix in FIRST else len(FIRST)
        return self.part, first, self.name


def group(names: Iterable[str]) -> Groups:
    """The sets among the names of one folder. Memory: the names of files that have companions, and the pictures'."""
    pictures: dict[str, list[_Picture]] = {}
    others: list[str] = []
    for name in names:
        picture = _picture(name)
        if picture is None:
            if _suffix(name) in SIDECARS | FILMS | AUDIO | WORK:
                others.append(name)
        else:
            pictures.setdefault(_key(picture.stem), []).append(picture)
    return _Grouping(pictures).groups(others)


def is_picture(name: str) -> bool:
    """Whether a file of this name is a picture, and not only something about one."""
    return _picture(name) is not None or _suffix(name) in WORK


def with_raw(raw: str, names: Iterable[str]) -> tuple[str, ...]:
    """The raw, and the edits among the names of its set that are its own, where its photo turns out to be another's."""
    own = {raw.lower(), _stem(raw).lower()}
    edits = (name for name in names if _suffix(name) in DEVELOPED and _stem(name).lower() in own)
    return (raw, *edits)


def number_place(name: str, leader: str) -> int:
    """Where in a companion's name a number goes, so that it still belongs to its photo: `a (2).jpg`, `a (2).jpg.xmp`.

    It is the end of the stem that both names share, else the end of the companion's own stem.
    """
    stem = _stem(leader)
    pixel = PIXEL.fullmatch(stem.lower())
    if pixel:
        stem = stem[: pixel.end("base")]
    if name.lower().startswith(stem.lower()):
        return len(stem)
    return len(_stem(name))


class _Grouping:
    """Pictures by the key of their stem, and who owns what."""

    def __init__(self, pictures: dict[str, list[_Picture]]) -> None:
        self._leads: dict[str, list[list[Member]]] = {}  # key -> sets
        self._by_name: dict[str, list[Member]] = {}  # a picture's whole name, in lower case -> its set
        self._long: dict[str, list[str]] = {}  # the first letters that Takeout keeps -> keys
        self._doubtful: list[tuple[str, tuple[str, ...]]] = []
        for key, found in pictures.items():
            self._add(key, found)

    def _add(self, key: str, found: list[_Picture]) -> None:
        """A set for each plain picture. Edits and raws of the same stem go with the first."""
        sets: list[list[Member]] = []
        for picture in sorted(found, key=lambda each: each.rank):
            if not sets or picture.part is Part.PLAIN:
                sets.append([])
            own = sets[-1] if picture.part is Part.PLAIN else self._same_spelling(sets, picture)
            own.append(Member(picture.name, picture.part))
            self._by_name[picture.name.lower()] = own
            if len(picture.name) > TAKEOUT:
                self._long.setdefault(picture.name[:TAKEOUT].lower(), []).append(key)
        self._leads[key] = sets

    def _same_spelling(self, sets: list[list[Member]], picture: _Picture) -> list[Member]:
        """Of `IMG_1.jpg` and `img_1.jpg`, the one that is spelt as the raw is; else the first."""
        spelt = (own for own in sets if own and _stem(own[0].name) == picture.stem)
        return next(spelt, sets[0])

    def groups(self, others: Iterable[str]) -> Groups:
        for name in others:
            self._join(name)
        sets = {id(own): own for leads in self._leads.values() for own in leads}
        whole = (tuple(sorted(own, key=lambda each: each.part)) for own in sets.values() if len(own) > 1)
        return Groups(tuple(map(PhotoSet, whole)), tuple(self._doubtful))

    def _join(self, name: str) -> None:
        suffix = _suffix(name)
        for candidate in _owners(name, suffix):
            if (own := self._by_name.get(candidate)) is not None:
                own.append(Member(name, _part(suffix)))
                return
        for key in (*_keys(name, suffix), *self._cut(name, suffix)):
            if sets := self._leads.get(key):
                self._give(name, suffix, sets)
                return

    def _give(self, name: str, suffix: str, sets: list[list[Member]]) -> None:
        spelt = [own for own in sets if _stem(own[0].name) == _stem(name)]
        fit = spelt if len(spelt) == 1 else sets
        with_raw = [own for own in fit if any(each.part is Part.RAW for each in own)]
        if len(fit) > 1 and suffix in DEVELOPED and len(with_raw) == 1:
            fit = with_raw
        if len(fit) > 1:
            self._doubtful.append((name, tuple(own[0].name for own in fit)))
        else:
            fit[0].append(Member(name, _part(suffix)))

    def _cut(self, name: str, suffix: str) -> Iterator[str]:
        """Keys of photos whose JSON has a cut name, where there is one such photo: `long...(1).json` of its copy."""
        stem = _stem(name).lower()
        base, count = _counted(stem)
        if suffix == ".json" and TAKEOUT in (len(stem), len(base)):
            keys = self._long.get(stem, self._long.get(base, []))
            found = {key for key in keys if _counted(key)[1] == count}
            if len(found) == 1:
                yield from found
            elif found:
                owners = sorted(own[0].name for key in found for own in self._leads[key])
                self._doubtful.append((name, tuple(owners)))


def _picture(name: str) -> _Picture | None:
    suffix = _suffix(name)
    if suffix not in PLAIN and suffix not in RAW_SUFFIXES:
        return None
    stem = _stem(name)
    part = Part.RAW if suffix in RAW_SUFFIXES else Part.EDIT if _is_edit(stem.lower()) else Part.PLAIN
    return _Picture(name, stem, suffix, part)


def _is_edit(stem: str) -> bool:
    apple, pixel = APPLE.fullmatch(stem), PIXEL.fullmatch(stem)
    second = pixel is not None and pixel["part"] == "original"
    edited = EDITED.fullmatch(stem) or _cut_edit(stem) or PIXEL_COPY.fullmatch(stem)
    return bool((apple and apple["sort"] == "e") or edited or second)


def _cut_edit(stem: str) -> re.Match[str] | None:
    return CUT_EDIT.fullmatch(stem) if len(stem) == TAKEOUT_STEM else None


def _key(stem: str) -> str:
    """The stem that a photo and its edits share, in lower case."""
    key = stem.lower()
    if match := APPLE.fullmatch(key):
        return f"img_{match['number']}"
    if match := PIXEL.fullmatch(key):
        return match["base"] + (match["mode"] or "")
    if match := PIXEL_COPY.fullmatch(key):
        return match["base"]
    if match := EDITED.fullmatch(key):
        return match["base"] + (match["again"] or "")
    if match := _cut_edit(key):
        return match["base"]
    return key


def _owners(name: str, suffix: str) -> Iterator[str]:
    """Whole names of pictures, in lower case, that a sidecar named `photo.jpg.xmp` can belong to."""
    inner = _stem(name).lower()
    if suffix in SIDECARS:
        yield inner
        if suffix == ".xmp" and (version := VERSION.fullmatch(_stem(inner))):
            yield version["base"] + _suffix(inner)
    if suffix == ".json":
        yield from _takeout_owners(inner)


def _takeout_owners(inner: str) -> Iterator[str]:
    """As Takeout names a JSON: `a.jpg(1).json` is of `a(1).jpg`; `a.jpg.supplemental-metadata.json` may be cut."""
    ours = OURS.fullmatch(inner)
    number = f" {ours['count']}" if ours else ""
    inner = ours["base"] if ours else inner
    inner, count = _counted(inner)
    photo, _, more = inner.rpartition(".")
    for whole in (inner, photo if METADATA.startswith(more) else ""):
        if whole:
            yield _stem(whole) + count + number + _suffix(whole)


def _keys(name: str, suffix: str) -> Iterator[str]:
    """Keys that a companion can belong to, the likeliest first."""
    stem = _stem(name)
    yield _key(stem)
    if suffix in FILMS and (live := LIVE.fullmatch(stem.lower())):
        yield _key(live["base"])
    if suffix == ".mp" or suffix == ".mv":  # a Pixel's film `a.MP` lies beside `a.MP.jpg`
        yield name.lower()


def _counted(stem: str) -> tuple[str, str]:
    """A stem without the number that Takeout gives to a name that is taken, and that number."""
    match = COUNTED.fullmatch(stem)
    return (match["base"], match["count"]) if match else (stem, "")


def _part(suffix: str) -> Part:
    if suffix in FILMS:
        return Part.FILM
    if suffix in AUDIO:
        return Part.AUDIO
    return Part.WORK if suffix in WORK else Part.SIDECAR


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def _stem(name: str) -> str:
    dot = name.rfind(".")
    return name[:dot] if dot > 0 else name
