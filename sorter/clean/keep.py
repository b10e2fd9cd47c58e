"""The folders whose copies stay, whatever else was found."""

from __future__ import annotations

from pathlib import Path


class KeptFolders:
    """The folders of `--keep`.

    Args:
        folders: absolute, without links in them.
    """

    def __init__(self, folders: tuple[Path, ...] = ()) -> None:
        self._folders = folders
        self._known: dict[Path, bool] = {}

    def hold(self, path: Path) -> bool:
        """Whether a file lies in one of the folders, perhaps below a link."""
        if not self._folders:
            return False
        parent = path.parent
        if parent not in self._known:
            self._known[parent] = self._within(parent) or self._within(parent.resolve())
        return self._known[parent]

    def _within(self, folder: Path) -> bool:
        return any(each == folder or each in folder.parents for each in self._folders)


NO_FOLDERS = KeptFolders()
