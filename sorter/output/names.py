"""Names in an output folder: which are free, so that nothing is overwritten, and which a file bars."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from sorter.address import Address
from sorter.output import disk
from sorter.output.journal import Journal
from sorter.output.layout import FLAT, FolderLayout
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

    def give(self, wanted: Path) -> Path:
        """The path itself, or beside it under the next free name. It is then in use."""
        free = disk.free_name(wanted, self._taken)
        self._in_use.add(str(free))
        return free

    def _taken(self, path: Path) -> bool:
        name = str(path)
        if name in self._in_use or (name not in self._asked and self._journal.holds(path)):
            return True
        if not isinstance(path, Address):
            return os.path.lexists(path)
        # Asking a store costs as much as copying, which will find out.
        return self._ask_store and path.exists()
