"""Are the folders of photos still there? A drive that is unplugged stops a run; it does not fail every photo on it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from sorter.address import Address
from sorter.types import Failure, Reason, Result, SorterError

# What photos fail with when their drive goes.
SIGNS = frozenset({Reason.VANISHED, Reason.UNREADABLE, Reason.NOT_FILED})


class Sources:
    """The inputs of a run, as they were when it began.

    A folder whose drive was unplugged is gone, or is the empty mount point: another device or inode.

    Args:
        inputs: folders and photos. Those in a store are not looked at.
        listed: photos come from a list. Then the drive of each photo that was read is remembered.
    """

    def __init__(self, inputs: Iterable[Path], listed: bool = False) -> None:
        self._listed = listed
        self._drive_of = lru_cache(4096)(_drive_of)
        folders = {path if path.is_dir() else path.parent for path in inputs if not isinstance(path, Address)}
        self._seen = {folder: _identity(folder) for folder in sorted(folders)}

    def check_after(self, results: Collection[Result[Any]]) -> None:
        """Check where one of the results looks as if its drive had gone. Raises as `check`."""
        failures = (result.outcome for result in results if isinstance(result.outcome, Failure))
        if any(failure.reason in SIGNS for failure in failures):
            self.check()
        if self._listed:
            for result in results:
                if not isinstance(result.outcome, Failure) and not isinstance(result.photo.path, Address):
                    drive = self._drive_of(result.photo.path.parent)
                    self._seen.setdefault(drive, _identity(drive))

    def check(self) -> None:
        """Raise SorterError where an input is no longer there."""
        for folder, identity in self._seen.items():
            if _identity(folder) != identity:
                raise SorterError(
                    f"{folder}: is no longer there; connect the drive and give the same command again, "
                    "it goes on where it stopped"
                )


def _drive_of(folder: Path) -> Path:
    """The folder at which the drive of a folder is mounted."""
    while not os.path.ismount(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
