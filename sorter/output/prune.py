"""Folders that a run's moves left empty: removed, written down, and made again by an undo."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sorter.address import Address, path_of
from sorter.output.journal import Journal

# Made by the first run with --prune-empty, whatever the journal's version.
TABLE = """
CREATE TABLE IF NOT EXISTS pruned (
    folder BLOB PRIMARY KEY,
    mode INTEGER NOT NULL            -- permission bits
) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class NotRestored:
    """A folder that could not be made again, and why."""

    folder: Path
    message: str


def prune_emptied(journal: Journal, roots: Collection[Path], first: int) -> int:
    """Remove the folders that moves emptied, and those that held nothing but such folders. Returns how many.

    A folder is written down before it goes. It goes only if it is empty at that moment: the system's own call says so.

    Args:
        roots: folders that were sorted. They stay themselves, and so does what lies outside them.
        first: the first filing of this run. Earlier ones do not count.
    """
    left = set(_below(roots, _emptied(journal, first)))
    removed = 0
    while left:
        depth = max(len(folder.parts) for folder in left)
        deepest = [folder for folder in left if len(folder.parts) == depth]
        gone = _remove(journal, sorted(filter(_is_empty, deepest)))
        removed += len(gone)
        left.difference_update(deepest)
        left.update(_below(roots, (folder.parent for folder in gone)))
    return removed


def restore_pruned(journal: Journal) -> Iterator[NotRestored]:
    """Make the folders again, with their permissions. Yields those that could not be made."""
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'pruned'"
    if not journal.tables.execute(known).fetchone()[0]:
        return
    rows = journal.tables.execute("SELECT folder, mode FROM pruned ORDER BY length(folder) DESC").fetchall()
    done = []
    for folder, mode in rows:  # from the deepest, as one of them may not be written to afterwards
        path = Path(os.fsdecode(folder))
        try:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
        except OSError as error:
            yield NotRestored(path, error.strerror or str(error))
        else:
            done.append((folder,))
    with journal.transaction():
        journal.tables.executemany("DELETE FROM pruned WHERE folder = ?", done)


def _emptied(journal: Journal, first: int) -> Iterator[Path]:
    """The folders that photos were moved out of, each once."""
    rows = journal.tables.execute("SELECT source FROM filings WHERE kind = 'move' AND id >= ?", (first,))
    for folder in {os.path.dirname(source) for (source,) in rows}:  # noqa: PTH120 - bytes
        path = path_of(os.fsdecode(folder))
        if not isinstance(path, Address):  # a store has no folders
            yield path


def _below(roots: Collection[Path], folders: Iterable[Path]) -> Iterator[Path]:
    return (folder for folder in folders if any(root in folder.parents for root in roots))


def _is_empty(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None and not folder.is_symlink()
    except OSError:
        return False


def _remove(journal: Journal, folders: list[Path]) -> list[Path]:
    """Write folders down and remove them. Returns those that are gone."""
    with journal.transaction():
        journal.tables.execute(TABLE)
        rows = [(os.fsencode(folder), stat.S_IMODE(folder.stat().st_mode)) for folder in folders]
        journal.tables.executemany("INSERT OR REPLACE INTO pruned VALUES (?, ?)", rows)
    gone, kept = [], []
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:  # something came into it, or it may not be removed
            kept.append((os.fsencode(folder),))
        else:
            gone.append(folder)
    with journal.transaction():
        journal.tables.executemany("DELETE FROM pruned WHERE folder = ?", kept)
    return gone
