"""Names in an output folder: which are free, so that nothing is overwritten, and which a file bars."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from sorter.address import Address
from sorter.output import disk
from sorter.output.journal import Journal
from sorter.output.layout import FLAT, FolderLayout
from sorter.photos.companions import number_place
from sorter.types import UsageError


def check_class_folders(out: Path, labels: Iterable[str], layout: FolderLayout = FLAT) -> None:
    """Raise UsageError where a file lies at the place of a class folder. A store has no folders."""
    if isinstance(out, Address) or layout.class_level != 0:
        return
    for label in labels:
        place = out / label
        if os.path.lexists(place) and not place.is_dir():
            raise UsageError(
                f"{place}: is a file where the folder of the class {label!r} belongs; move it away, or choose another "
                "folder"
            )


def numbered(wanted: Sequence[Path], number: int) -> list[Path]:
    """Paths of a set with a number, at a place where they still belong together. Longer names than 255 bytes are cut.

    Args:
        wanted: the photo's path, then those of its companions in the same folder.
    """
    suffix = f" ({number})" if number > 1 else ""
    places = [number_place(path.name, wanted[0].name) for path in wanted]
    rests = [path.name[place:] for path, place in zip(wanted, places, strict=True)]
    room = disk.NAME_MAX - max(len(os.fsencode(suffix + rest)) for rest in rests)
    return [
        path.with_name(_cut(path.name[:place], room) + suffix + rest)
        for path, place, rest in zip(wanted, places, rests, strict=True)
    ]


def _cut(head: str, room: int) -> str:
    while head and len(os.fsencode(head)) > room:
        head = head[:-1]
    return head


def name_beside(name: str, photo: str, now: str) -> str:
    """A companion's name where its photo has another one now: another extension, or a number.

    Args:
        name: of the companion, as it was found.
        photo: name of the photo, as it was found.
        now: name of the photo now.
    """
    stem, now_stem = Path(photo).stem, Path(now).stem
    if name.lower().startswith(photo.lower()):
        return now + name[len(photo) :]
    if now_stem == stem:
        return name
    at, place = number_place(photo, photo), number_place(name, photo)
    rest = photo[at:]
    if now.startswith(photo[:at]) and now.endswith(rest):
        return name[:place] + now[at : len(now) - len(rest)] + name[place:]
    return name


class FreeNames:
    """Which names are free, while a batch is planned. The journal is asked once for all that are wanted.

    Args:
        ask_store: look in a store, too, for files that the journal does not know.
    """

    def __init__(self, journal: Journal, wanted: Sequence[Path], ask_store: bool) -> None:
        self._journal = journal
        self._ask_store = ask_store
        self._asked = set(map(str, wanted))
        self._in_use = set(map(str, journal.held(wanted)))
        self._there: dict[str, bool] = {}

    def give(self, wanted: Path) -> Path:
        """The path itself, or beside it under the next free name. It is then in use."""
        free = disk.free_name(wanted, self._taken)
        self._in_use.add(str(free))
        return free

    def give_together(self, wanted: Sequence[Path], own: Collection[Path] = ()) -> list[Path]:
        """Paths for a set, all as wanted or all with one number. They are then in use.

        Args:
            wanted: the photo's path, then those of its companions in the same folder.
            own: paths at which files of the set lie now.
        """
        distinct = len(wanted) > 1 and len({path.name for path in numbered(wanted, 1 << 32)}) == len(wanted)
        if not distinct:  # one file, or names so long that a number makes two of them one
            return [self.give(path) for path in wanted]

        def taken(number: int) -> bool:
            return any(path not in own and self._is_taken_there(path) for path in numbered(wanted, number))

        found = numbered(wanted, disk.first_free(taken))
        self._in_use.update(map(str, found))
        return found

    def looked_up(self, there: Mapping[Path, bool]) -> None:
        """What a store holds, of paths that sets want."""
        self._there = {str(path): holds for path, holds in there.items()}

    def _is_taken_there(self, path: Path) -> bool:
        """As `_taken`, and a store is asked: a set is not to be moved and moved back for a name that is taken."""
        if self._taken(path) or not isinstance(path, Address):
            return self._taken(path)
        known = self._there.get(str(path))
        return path.exists() if known is None else known

    def _taken(self, path: Path) -> bool:
        name = str(path)
        if name in self._in_use or (name not in self._asked and self._journal.holds(path)):
            return True
        if not isinstance(path, Address):
            return os.path.lexists(path)
        # Asking a store costs as much as copying, which will find out.
        return self._ask_store and path.exists()
