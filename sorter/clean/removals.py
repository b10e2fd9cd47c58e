"""Which files are removed, and what goes with them: a photo's sidecars, its film, its raw.

A photo with companions is removed as a whole or not at all as a copy. Otherwise a raw that nothing else is a copy of
would go because its JPEG has one. Of a photo that is at fault the whole pictures of its set stay, with all else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from sorter.clean.keep import NO_FOLDERS, KeptFolders
from sorter.clean.ledger import CleanLedger
from sorter.clean.records import COPIES, Checked, Kind
from sorter.photos.companions import is_picture
from sorter.photos.sets import Families, families


@dataclass(frozen=True, slots=True)
class Removal:
    """A file to remove, and its companions, which go where it goes."""

    file: Checked
    companions: tuple[Checked, ...] = ()

    @property
    def count(self) -> int:
        return 1 + len(self.companions)

    @property
    def pictures(self) -> tuple[Checked, ...]:
        """Those of the files that are pictures of their own."""
        return (self.file, *(each for each in self.companions if is_picture(each.path.name)))


@dataclass(frozen=True)
class RemovalRule:
    """Which files are to be removed.

    Attributes:
        kinds: of findings.
        only: no other files than these; None for all.
        keep: folders whose copies stay.
        sets: companions go with their photos. Else each file is by itself.
    """

    kinds: Collection[Kind]
    only: Collection[Path] | None = None
    keep: KeptFolders = NO_FOLDERS
    sets: bool = True

    def takes(self, file: Checked) -> bool:
        found = any(each.kind in self.kinds for each in file.findings)
        chosen = self.only is None or file.path in self.only
        stays = file.group is not None and self.keep.hold(file.path)
        return found and chosen and not file.is_link and not stays and not file.action

    def copy_of(self, file: Checked) -> Kind | None:
        """The kind of copy that a file is; None where it is removed for something else."""
        found = {each.kind for each in file.findings if each.kind in self.kinds}
        return next((kind for kind in COPIES if kind in found), None)

    def takes_only_as_copy(self, file: Checked) -> bool:
        return all(each.kind in COPIES for each in file.findings if each.kind in self.kinds)


def removable(ledger: CleanLedger, choice: RemovalRule) -> Iterator[Removal]:
    """The files to remove. Exact duplicates come first, to be compared with the kept copy while it exists.

    Near duplicates follow, then similar files, of which some are the kept copy of a near duplicate.
    """
    folders = Families()
    for turn in (*(kind for kind in COPIES if kind in choice.kinds), None):
        for file in ledger.with_findings():
            if choice.takes(file) and choice.copy_of(file) is turn:
                others = companions_of(file, ledger, folders) if choice.sets else ()
                removal = _removal(file, others, choice)
                if removal is not None:
                    yield removal


def companions_of(file: Checked, ledger: CleanLedger, folders: Families) -> tuple[Checked, ...]:
    """The other files of a file's set, the pictures first, as far as they were found."""
    found = (ledger.at(file.path.with_name(name)) for name in folders.of(file.path) if name != file.path.name)
    return tuple(each for each in found if each is not None and not each.is_link)


def set_size(file: Checked, ledger: CleanLedger) -> tuple[int, int]:
    """How many pictures, and how many other files, belong to a file by a name that begins as its own."""
    names = ledger.names_from(file.path.with_name(file.path.stem))
    its = families(names).get(file.path.name, ()) if len(names) > 1 else ()
    pictures = sum(map(is_picture, its))
    return pictures, len(its) - pictures


def _removal(file: Checked, others: tuple[Checked, ...], choice: RemovalRule) -> Removal | None:
    """None for a file that goes with another one, or stays."""
    if not others:
        return Removal(file)
    if not is_picture(file.path.name):
        return None
    pictures = [each for each in others if is_picture(each.path.name)]
    if any(not choice.takes(each) for each in pictures):
        return None if choice.takes_only_as_copy(file) else Removal(file)
    # Of several pictures the first one found takes the others along.
    first = min((file, *pictures), key=lambda each: each.id)
    return Removal(file, others) if file is first else None
