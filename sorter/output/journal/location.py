"""Where a journal lies, its lock, and its errors."""

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
    """The folder of an output's journal, its lock and other notes.

    It lies in an output on a disk. An output in a store has a folder on this machine, as no database works in a store.
    `XDG_STATE_HOME` moves it.
    """
    if not isinstance(out, Address):
        return out / FOLDER
    from platformdirs import user_state_path

    return user_state_path("sorter") / hashlib.sha256(os.fsencode(out)).hexdigest()[:32]


class JournalError(SorterError):
    """The journal cannot be read or written."""


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Let one process write at a time. The system removes the lock when the process ends, however it ends.

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
    """Turn SQLite's errors into a JournalError that tells what to do."""
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
