"""Where a journal lies, its lock, and its errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from sorter.address import Address
from sorter.output.journal.place import digest_of, locks_work, move_journal, noted_folder, state_folder
from sorter.photos.protected import OUTPUT_FOLDER
from sorter.types import SorterError, UsageError

FOLDER = OUTPUT_FOLDER
FILE = "journal.db"
AT_WORK = "another sorter is at work on this folder; wait for it to end"


def journal_folder(out: Path) -> Path:
    """The folder of an output's journal, its lock and other notes.

    It lies in an output on a disk. An output in a store has a folder on this machine, as no database works in a store.
    So has an output on a share that locks no files, and one for which the user named a folder (`settle`).
    """
    if isinstance(out, Address):
        return state_folder(out)
    return noted_folder(out, out / FOLDER) or out / FOLDER


def kept_elsewhere(out: Path) -> bool:
    """The journal does not lie beside the output, which gets a copy of it."""
    return isinstance(out, Address) or journal_folder(out) != out / FOLDER


class JournalError(SorterError):
    """The journal cannot be read or written."""


class JournalInUseError(JournalError):
    """Another process is at work on the folder."""


def settle(out: Path, chosen: Path | None = None) -> None:
    """Decide where an output's journal lies. Afterwards `journal_folder` names that place.

    Args:
        chosen: a folder for the journals of outputs; None for beside the output, if its disk locks files.

    Raises:
        UsageError: a folder was chosen for an output in a store.
        JournalError: the folder cannot be written to.
    """
    if isinstance(out, Address):
        if chosen is not None:
            raise UsageError(
                "--journal: an output in a store has its journal in the state folder; set XDG_STATE_HOME"
            )
        return
    current, beside = journal_folder(out), out / FOLDER
    if chosen is None and current != beside:
        return
    target = _folder_elsewhere(out, chosen)
    with _cannot_write(out if chosen is None else chosen):
        current.mkdir(parents=True, exist_ok=True)
        if target == current or (chosen is None and locks_work(current)):
            return
        with lock_file(out, current / "lock", AT_WORK) if locks_work(current) else nullcontext():
            move_journal(current, target, beside, FILE)


def _folder_elsewhere(out: Path, chosen: Path | None) -> Path:
    return state_folder(out) if chosen is None else chosen.resolve() / digest_of(out)


def forget_journal_of_deleted_output(out: Path, chosen: Path | None) -> None:
    """Set aside a journal elsewhere whose output was deleted. A run into a new folder of that name starts anew.

    Args:
        chosen: as for `settle`.
    """
    if isinstance(out, Address) or (out.exists() and any(each.name != FOLDER for each in out.iterdir())):
        return
    if journal_folder(out) == out / FOLDER:
        folder = _folder_elsewhere(out, chosen)
        with suppress(OSError):
            for ending in ("", "-wal"):
                (folder / f"{FILE}{ending}").replace(folder / f"deleted-{FILE}{ending}")


@contextmanager
def _cannot_write(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JournalError(
            f"{place}: cannot be written to ({error.strerror}); choose another folder"
        ) from error


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Let one process write at a time.

    Raises:
        JournalError: another process holds it, or the folder cannot be written to.
    """
    settle(out)
    with lock_file(out, journal_folder(out) / "lock", AT_WORK):
        yield


@contextmanager
def lock_file(out: Path, file: Path, busy: str) -> Iterator[None]:
    """Hold the lock of a file in the journal's folder. The system removes it when the process ends, however it ends.

    Args:
        busy: what the message says where another process holds it.

    Raises:
        JournalError: another process holds it, or the folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file, blocking=False)
        lock.acquire()
    except Timeout as error:
        raise JournalInUseError(f"{out}: {busy}") from error
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
