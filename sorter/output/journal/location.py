"""Where a journal lies, who may write it, and what its faults are called."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sorter.address import Address
from sorter.types import SorterError

FOLDER = ".sorter"
FILE = "journal.db"


def journal_folder(out: Path) -> Path:
    """The folder that an output's journal, its lock and other notes lie in: in the output itself, where that is on
    a disk; for one in a store, a folder of this machine's (`XDG_STATE_HOME` moves it), as no database lives there.
    """
    if not isinstance(out, Address):
        return out / FOLDER
    from platformdirs import user_state_path

    return user_state_path("sorter") / hashlib.sha256(os.fsencode(out)).hexdigest()[:32]


class JournalError(SorterError):
    """The journal cannot be read or written."""


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with the process, however that ends.

    Raises:
        JournalError: another process holds it, or the folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    folder = journal_folder(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", blocking=False)
        lock.acquire()
    except Timeout as error:
        raise JournalError(f"{out}: another sorter is at work on this folder; wait for it to end") from error
    except OSError as error:
        raise JournalError(
            f"{out}: cannot be written to ({error.strerror}); choose another folder"
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """SQLite's errors -> sentences with a way out."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise JournalError(
                f"{path}: {error}; free some space and give the same command again, it goes on where it stopped"
            ) from error
        raise JournalError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise JournalError(
            f"{path}: is damaged ({error}); move it away to start anew (photos already sorted stay where they are)"
        ) from error
