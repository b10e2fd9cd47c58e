"""The files that a list names: a photo, or a failed result, for each. No folder is listed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

from sorter.address import Address, path_of
from sorter.photos.rows import FileList, Row, read_rows
from sorter.photos.scan import compile_patterns, named_file, passed_over
from sorter.types import Failure, Photo, Reason, Result

AT_ONCE = 64  # files that are looked at together: a store answers each after tens of milliseconds
FOLDERS = 4096  # whose links are resolved and remembered
NO_LINKS = "a store has no links; use --action copy, move or none"


@dataclass(frozen=True)
class Listing:
    """Files to search for, as a `Scan` is for folders.

    A path in the list is relative to the folder of the list, or to the working directory for the standard input.
    `Photo.relative` is the path below that folder. For a file elsewhere it is the whole path without the root, as
    tar writes it, so that `--layout tree` keeps files of one name apart.

    Attributes:
        files: the list.
        exclude: patterns as in a `.gitignore`, for `Photo.relative`.
        leave_out: a folder whose files are not taken: the output.
        stores: files in stores are taken. They cannot be linked to.
    """

    files: FileList
    exclude: tuple[str, ...] = ()
    leave_out: Path | None = None
    stores: bool = True

    def __iter__(self) -> Iterator[Photo | Result[Any]]:
        """Yield one item for each file of the list, in its order. A file that is named twice is yielded once.

        Memory and errors as of `entries`.
        """
        return (each.item for each in self.entries() if not each.again)

    def entries(self) -> Iterator[ListedFile]:
        """Every row of the list, in its order.

        Memory: some thousand paths, as the names that were seen lie in a temporary file.

        Raises:
            UsageError: the list is not what its name says, or a pattern cannot be read.
            SorterError: a library is missing, or the list cannot be read.
        """
        finder, rows = _Finder(self), read_rows(self.files)
        with closing(_Seen()) as seen, ThreadPoolExecutor(AT_ONCE, "sorter-list") as threads:
            while batch := list(islice(rows, AT_ONCE)):
                named = [finder.named(row) for row in batch]
                again = [not seen.add(each.path) for each in named]
                far = any(isinstance(each.path, Address) for each in named)
                items = threads.map(finder.item, named) if far else map(finder.item, named)
                yield from map(ListedFile, batch, items, again)

    def count(self) -> int:
        """The number of rows. 0 for the standard input, which can be read only once."""
        return 0 if self.files.path is None else sum(1 for _ in read_rows(self.files))


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A row of a list and what it names.

    Attributes:
        again: an earlier row names the same file.
    """

    row: Row
    item: Photo | Result[Any]
    again: bool


@dataclass(frozen=True, slots=True)
class _Named:
    """A file of a list: its absolute path, what `Photo.relative` is to be, and why it cannot be one."""

    path: Path
    shown: Path
    fault: str = ""


class _Finder:
    """Turns rows into items."""

    def __init__(self, listing: Listing) -> None:
        self._files = listing.files
        self._stores = listing.stores
        self._spec = compile_patterns(listing.exclude)
        self._left_out = listing.leave_out.resolve() if listing.leave_out else None
        self._base = folder_of(listing.files)
        self._resolved = lru_cache(FOLDERS)(_resolved)

    def named(self, row: Row) -> _Named:
        """The file of a row. Its folder is resolved, so that a scan of the folder knows it by the same path."""
        if not row.path or "\0" in row.path:
            fault = "this row of the list holds a NUL" if row.path else "this row of the list names no file"
            place = f"{self._files.name}:{row.number}"
            return _Named(Path(place).absolute(), Path(Path(place).name), fault)
        given = path_of(row.path)
        path = given if isinstance(given, Address) else self._base / given
        if not isinstance(path, Address):
            path = self._resolved(path.parent) / path.name
        return _Named(path, _shown(path, self._base))

    def item(self, named: _Named) -> Photo | Result[Any]:
        path, shown = named.path, named.shown
        if named.fault:
            return passed_over(path, shown, Reason.UNREADABLE, named.fault)
        if isinstance(path, Address) and not self._stores:
            return passed_over(path, shown, Reason.NOT_FILED, NO_LINKS)
        found = named_file(path, shown)
        refused = "lies inside the output" if self._left_out in path.parents else None
        if self._spec and self._spec.match_file(shown.as_posix()):
            refused = "matches --exclude"
        if refused and isinstance(found, Photo):
            return Result(found, Failure(Reason.EXCLUDED, refused))
        return found


class _Seen:
    """The paths that a list has named, as hashes in a temporary file."""

    def __init__(self) -> None:
        # A generator may be closed on another thread than the one that began it.
        self._known = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._known.execute("PRAGMA journal_mode = OFF")
        self._known.execute("CREATE TABLE seen (path BLOB PRIMARY KEY) WITHOUT ROWID")
        self._known.execute("BEGIN")

    def add(self, path: Path) -> bool:
        """Remember a path. False if it was known."""
        digest = blake2b(str(path).encode("utf-8", "surrogateescape"), digest_size=16).digest()
        return self._known.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,)).rowcount == 1

    def close(self) -> None:
        self._known.close()


def folder_of(files: FileList) -> Path:
    """The folder that the paths of a list are relative to, absolute and without links."""
    return Path.cwd().resolve() if files.path is None else files.path.absolute().parent.resolve()


def _resolved(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError):  # a loop of links
        return folder.absolute()


def _shown(path: Path, base: Path) -> Path:
    """The path below the list's folder, or the whole path without its root."""
    if base in path.parents:
        return path.relative_to(base)
    text = str(path).partition("://")[2] if isinstance(path, Address) else str(path.relative_to(path.anchor))
    return Path(*[part for part in Path(text).parts if part not in (os.sep, "..")])
