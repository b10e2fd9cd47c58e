"""Exact copies replaced by hard links to one of them, and made files of their own again.

A hard link is another name of the same file. So a copy gives up its bytes, which the kept file has too, and its own
time and mode, which the journal keeps for an undo.
"""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sorter.files import open_regular
from sorter.output.disk import CannotUndo, FileIdentity
from sorter.output.exchange import exchange, replace_if
from sorter.output.journal import Journal

# Made by the first such action, whatever the journal's version.
TABLE = """
CREATE TABLE IF NOT EXISTS relinked (
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,       -- of the copy that became a link
    device BLOB NOT NULL,            -- of the file that it is a link to; text, as in filings
    inode BLOB NOT NULL,
    linked_ns INTEGER NOT NULL,      -- when that file was last changed
    size INTEGER NOT NULL,           -- of the copy, as the rest
    mtime_ns INTEGER NOT NULL,
    mode INTEGER NOT NULL,
    state TEXT NOT NULL              -- planned, linked or undoing
)"""
NO_MORE_LINKS = "stays: the disk allows no more links to the kept file"


@dataclass(frozen=True, slots=True)
class Copy:
    """A file that has the same bytes as another.

    Attributes:
        path: of the copy.
        kept: of the file that it shall be a link to.
        size: of the copy when it was examined, bytes.
        mtime_ns: when it was last changed by then, nanoseconds since the epoch.
    """

    path: Path
    kept: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    path: Path
    identity: FileIdentity
    linked_ns: int
    mtime_ns: int
    mode: int
    state: str

    @property
    def staging(self) -> Path:
        return self.path.with_name(f".sorter-{self.id}.link")

    def is_link(self, path: Path) -> bool:
        status = _lstat(path)
        return status is not None and FileIdentity.of(status) == self.identity


class Relinker:
    """Replaces copies by hard links. The journal knows each before it is touched.

    Args:
        journal: of the quarantine.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._instead: dict[Path, Path] = {}  # the kept file, where one has as many links as a disk allows

    def link(self, batch: Sequence[Copy]) -> list[str | None]:
        """Replace copies. The outcomes are in their order: None, or why a copy stays as it is."""
        outcomes: dict[Path, str | None] = {}
        while waiting := [copy for copy in batch if copy.path not in outcomes]:
            outcomes |= self._link(waiting)
        return [outcomes[copy.path] for copy in batch]

    def _link(self, batch: Sequence[Copy]) -> dict[Path, str | None]:
        """The outcomes of some copies. Those after one that found no room for a link are left for another call."""
        outcomes: dict[Path, str | None] = {}
        rows: list[tuple[Copy, _Row]] = []
        with self._journal.transaction():
            for copy in (self._to_another(copy) for copy in batch):
                try:
                    rows.append((copy, self._plan(copy)))
                except OSError as error:
                    outcomes[copy.path] = error.strerror or str(error)
        for copy, row in rows:
            if copy.kept in self._instead:
                continue
            try:
                _replace(row, copy)
                outcomes[copy.path] = None
            except OSError as error:
                full = error.errno == errno.EMLINK
                outcomes[copy.path] = NO_MORE_LINKS if full else error.strerror or str(error)
                if full:
                    self._instead[copy.kept] = copy.path
        with self._journal.transaction():
            for _, row in rows:
                self._settle(row, "linked" if row.is_link(row.path) else None)
        return outcomes

    def _to_another(self, copy: Copy) -> Copy:
        while copy.kept in self._instead:
            copy = replace(copy, kept=self._instead[copy.kept])
        return copy

    def recover(self) -> None:
        """Find out how far an earlier process came, and clear up behind it."""
        if not _knows_links(self._journal):
            return
        with self._journal.transaction():
            for row in self._rows("WHERE state != 'linked'"):
                self._settle(row, "linked" if _was_linked(row) else None)

    def undo(self) -> Iterator[tuple[Path, str | None]]:
        """Make every link a file of its own. Yields its path with None, or why it stays a link."""
        self.recover()
        if not _knows_links(self._journal):
            return
        for row in self._rows("ORDER BY id DESC"):
            with self._journal.transaction():
                self._settle(row, "undoing")
            problem = None
            try:
                _part(row)
            except CannotUndo as error:
                problem = str(error)
            except OSError as error:
                problem = error.strerror or str(error)
            with self._journal.transaction():
                self._settle(row, None if problem is None else "linked")
            yield row.path, problem

    def _plan(self, copy: Copy) -> _Row:
        status, target = copy.path.lstat(), copy.kept.lstat()
        _check(copy, status, target)
        self._journal.tables.execute(TABLE)
        identity = FileIdentity.of(target)
        values = (os.fsencode(copy.path), str(identity.device), str(identity.inode), target.st_mtime_ns)
        own = (status.st_size, status.st_mtime_ns, stat.S_IMODE(status.st_mode))
        cursor = self._journal.tables.execute(
            "INSERT OR REPLACE INTO relinked (path, device, inode, linked_ns, size, mtime_ns, mode, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 'planned')",
            (*values, *own),
        )
        return _Row(
            cursor.lastrowid or 0,
            copy.path,
            identity,
            target.st_mtime_ns,
            status.st_mtime_ns,
            own[2],
            "planned",
        )

    def _settle(self, row: _Row, state: str | None) -> None:
        """Write down a state; None to forget the link."""
        if state is None:
            self._journal.tables.execute("DELETE FROM relinked WHERE id = ?", (row.id,))
        else:
            self._journal.tables.execute("UPDATE relinked SET state = ? WHERE id = ?", (state, row.id))

    def _rows(self, clause: str) -> list[_Row]:
        rows = self._journal.tables.execute(
            f"SELECT id, path, device, inode, linked_ns, mtime_ns, mode, state FROM relinked {clause}"
        )
        return [
            _Row(number, Path(os.fsdecode(path)), FileIdentity(int(device), int(inode)), *rest)
            for number, path, device, inode, *rest in rows
        ]


def count_links(journal: Journal) -> int:
    """How many files are links by now."""
    if not _knows_links(journal):
        return 0
    return int(journal.tables.execute("SELECT count(*) FROM relinked").fetchone()[0])


def _knows_links(journal: Journal) -> bool:
    asked = "SELECT count(*) FROM sqlite_master WHERE name = 'relinked'"
    return bool(journal.tables.execute(asked).fetchone()[0])


def _check(copy: Copy, status: os.stat_result, target: os.stat_result) -> None:
    """Raise OSError, with a sentence for a person, where a copy cannot become a link."""
    if not stat.S_ISREG(status.st_mode) or (status.st_size, status.st_mtime_ns) != (copy.size, copy.mtime_ns):
        raise OSError(errno.EAGAIN, "changed since it was examined")
    if status.st_dev != target.st_dev:
        raise OSError(
            errno.EXDEV, f"lies on another file system than {copy.kept}, and no hard link leads there"
        )
    if FileIdentity.of(status) == FileIdentity.of(target):
        raise OSError(errno.EINVAL, "is the kept file itself under another name")
    if _attributes(copy.path) - _attributes(copy.kept):
        raise OSError(errno.EPERM, "has extended attributes that the kept file lacks")


def _replace(row: _Row, copy: Copy) -> None:
    """Compare the bytes, and put a link in the copy's place. Raises OSError where the copy stays as it is."""
    before, target = _seen(copy.path), _seen(copy.kept)
    _check(copy, copy.path.lstat(), copy.kept.lstat())
    if not filecmp.cmp(copy.kept, copy.path, shallow=False):
        raise OSError(errno.EAGAIN, "differs from the kept copy")
    with open_regular(copy.kept) as file:  # its bytes have to be on the disk before the only other ones go
        os.fsync(file.fileno())
    os.link(copy.kept, row.staging)
    try:
        if not row.is_link(row.staging):
            raise OSError(errno.EAGAIN, "the kept copy was replaced meanwhile")
        if not replace_if(
            row.staging, copy.path, lambda path: (_seen(path), _seen(copy.kept)) == (before, target)
        ):
            raise OSError(errno.EAGAIN, "changed while it was replaced; nothing was done")
    finally:
        if not row.is_link(row.path):
            row.staging.unlink(missing_ok=True)


def _seen(path: Path) -> tuple[int, int, int, int]:
    """What changes when a file is replaced or written to."""
    status = path.lstat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _was_linked(row: _Row) -> bool:
    """After a crash: whether the copy is a link now. What a stopped step left beside it is cleared away."""
    exchanged = row.state == "planned" and row.is_link(row.path) and row.staging.exists()
    if exchanged and not filecmp.cmp(row.path, row.staging, shallow=False):
        exchange(row.staging, row.path)  # the copy was changed in the last moment
    linked = row.is_link(row.path)
    row.staging.unlink(missing_ok=True)  # a link, the copy with the same bytes, or a part of a file
    return linked


def _part(row: _Row) -> None:
    """Give a name a file of its own, with the copy's time and mode."""
    status = _lstat(row.path)
    if status is None or not row.is_link(row.path):
        raise CannotUndo("is no longer the link that was made")
    if status.st_mtime_ns != row.linked_ns:
        raise CannotUndo("was changed since, by any of its names")
    if status.st_nlink > 1:
        try:
            shutil.copyfile(row.path, row.staging)
            shutil.copystat(row.path, row.staging)
            _own(row, row.staging)
            with row.staging.open("rb") as file:
                os.fsync(file.fileno())
            if not replace_if(row.staging, row.path, row.is_link):
                raise CannotUndo("is no longer the link that was made")
        finally:
            row.staging.unlink(missing_ok=True)
    else:
        _own(row, row.path)


def _own(row: _Row, path: Path) -> None:
    path.chmod(row.mode)
    os.utime(path, ns=(row.mtime_ns, row.mtime_ns))


def _attributes(path: Path) -> set[tuple[str, bytes]]:
    """A file's extended attributes of the user, which some programs keep tags in. Only Linux tells them."""
    if not hasattr(os, "listxattr"):
        return set()
    try:
        names = [name for name in os.listxattr(path) if name.startswith("user.")]
        return {(name, os.getxattr(path, name)) for name in names}
    except OSError:  # the disk has none
        return set()


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
