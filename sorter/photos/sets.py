"""The entries of one folder, with each photo's companions joined to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sorter.address import Address
from sorter.photos.capture import DAY, Capture, capture_of, of_one_moment
from sorter.photos.companions import Part, PhotoSet, group, with_raw
from sorter.types import Companion, Failure, Photo, Reason, Result

Item = Photo | Result[Any]
BY_ITSELF = "left by itself"


def families(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """A name -> the names of its set, of those that have one."""
    return {name: each.names for each in group(names).sets for name in each.names}


class Families:
    """The sets of folders that are asked about one after the other."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._found: dict[str, tuple[str, ...]] = {}

    def of(self, file: Path) -> tuple[str, ...]:
        """The names of a file's set in its folder; its own alone where it has no companions."""
        if file.parent != self._folder:
            self._folder, self._found = file.parent, families(_names_in(file.parent))
        return self._found.get(file.name, (file.name,))


def _names_in(folder: Path) -> Iterator[str]:
    if isinstance(folder, Address):
        yield from (name for name, _ in folder.entries())
        return
    with suppress(OSError), os.scandir(folder) as entries:
        yield from (entry.name for entry in entries)


def joined(names: Sequence[str], item: Callable[[str], Item | None], opens: bool = True) -> Iterator[Item]:
    """The items of one folder. A photo holds its companions, which are no items of their own.

    Args:
        names: of the folder, in the order of the items.
        item: what is found under a name; None for nothing. It is asked once for each name. Only files that are no
            links are joined.
        opens: look into the files of a set for when they were taken. Else names alone decide.
    """
    found = group(names)
    sets = {name: each for each in found.sets for name in each.names}
    # What is left by itself comes before the photos that it could belong to. So a run that is stopped between them
    # knows of it when it goes on, and one of them is gone.
    for name, photos in found.doubtful:
        each = item(name)
        if isinstance(each, Photo):
            each = _by_itself(each, f"it could belong to {' or to '.join(photos)}")
        if each is not None:
            yield each
    known: dict[str, Item | None] = {name: None for name, _ in found.doubtful}
    for name in names:
        if name in sets and name not in known:
            known |= _joined(sets[name], item, opens)
            for apart in sets[name].names:
                if isinstance(each := known[apart], Result) and left_by_itself(each.outcome):
                    yield from _taken(known, apart)
        yield from _taken(known, name) if name in known else _some(item(name))


def left_by_itself(why: Failure | None) -> bool:
    """Whether a file was left by itself although its name is that of a companion."""
    return why is not None and why.reason is Reason.OTHER_FILE and why.message.endswith(BY_ITSELF)


def _taken(known: dict[str, Item | None], name: str) -> Iterator[Item]:
    yield from _some(known[name])
    known[name] = None


def _some(item: Item | None) -> Iterator[Item]:
    if item is not None:
        yield item


def _joined(of: PhotoSet, item: Callable[[str], Item | None], opens: bool) -> dict[str, Item | None]:
    """The items of a set: None for a companion, which its photo holds."""
    items = {name: item(name) for name in of.names}
    photos = {name: each for name, each in items.items() if isinstance(each, Photo) and not each.is_link}
    for each in group(photos).sets:
        items |= _Moments(photos).joined(each) if opens else _as_one(each.names, photos)
    return items


def _as_one(names: Iterable[str], photos: dict[str, Photo]) -> dict[str, Item | None]:
    leader, *others = names
    companions = tuple(Companion(name, photos[name].size, photos[name].mtime_ns) for name in others)
    return {leader: replace(photos[leader], companions=companions), **dict.fromkeys(others)}


def _by_itself(photo: Photo, why: str) -> Result[Any]:
    return Result(photo, Failure(Reason.OTHER_FILE, f"not an image; {why}, so it is {BY_ITSELF}"))


@dataclass(frozen=True)
class _Moments:
    """Takes apart what has one name and is of different days."""

    photos: dict[str, Photo]

    def joined(self, of: PhotoSet) -> dict[str, Item | None]:
        names, leader = of.names, of.leader.name
        dated = [each for each in of.members[1:] if each.part in (Part.RAW, Part.FILM)]
        if not dated:
            return _as_one(names, self.photos)
        when = capture_of(self.photos[leader].path)
        apart = [each for each in dated if not self._fits(when, leader, each.name, each.part)]
        items: dict[str, Item | None] = {}
        for raw in (each.name for each in apart if each.part is Part.RAW):
            own = with_raw(raw, names)
            items |= _as_one(own, self.photos)
            names = tuple(name for name in names if name not in own)
        for film in (each.name for each in apart if each.part is Part.FILM):
            items[film] = _by_itself(self.photos[film], f"it is of another day than {leader}")
            names = tuple(name for name in names if name != film)
        return items | _as_one(names, self.photos)

    def _fits(self, when: Capture, leader: str, name: str, part: Part) -> bool:
        """Whether a raw or a film is of the photo's moment. Where nothing says so, its file's time tells of a film."""
        fits = of_one_moment(when, capture_of(self.photos[name].path))
        if fits is None and part is Part.FILM:
            apart = abs(self.photos[leader].mtime_ns - self.photos[name].mtime_ns)
            return apart <= DAY * 1_000_000_000
        return fits is not False
