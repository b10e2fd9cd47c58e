"""Journals of outputs on disks that lock no files, and journals that lie where the user wants them.

SQLite needs locks on byte ranges, and our own lock file needs locks, too. Some shares (SMB, NFS) have none. The journal
then lies in a folder on this machine. A note beside the output names that folder, so that every command finds it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

from sorter.files import atomic_text

NOTE = "journal-at.json"
HELD = (errno.EACCES, errno.EAGAIN)  # by another process: so locks work


def digest_of(out: Path) -> str:
    """A folder name for the journal of an output."""
    return hashlib.sha256(os.fsencode(out)).hexdigest()[:32]


def state_folder(out: Path) -> Path:
    """The folder on this machine for the journal of an output that cannot hold it. `XDG_STATE_HOME` moves it."""
    from platformdirs import user_state_path

    return user_state_path("sorter") / digest_of(out)


def noted_folder(out: Path, beside: Path) -> Path | None:
    """The folder that a note names, or None without a note. On another machine it is the state folder there.

    Args:
        beside: the folder of the output for our own files.
    """
    try:
        folder = Path(json.loads((beside / NOTE).read_text(encoding="utf-8"))["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder if folder.is_dir() else state_folder(out)


def locks_work(folder: Path) -> bool:
    """Whether files in a folder can be locked, as a whole and by ranges. True where that cannot be tried."""
    try:
        import fcntl
    except ImportError:  # Windows locks the files of shares, too
        return True
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            for lock in (fcntl.flock, fcntl.lockf):
                try:
                    lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError as error:
                    if error.errno not in HELD:
                        return False
    except OSError:  # a full disk
        return True
    return True


def move_journal(current: Path, target: Path, beside: Path, file: str) -> None:
    """Keep a journal in another folder from now on. One that is there already counts.

    Args:
        current: the folder of the journal until now. The file in it stays, as a copy.
        beside: the folder of the output for our own files. It gets the note.
        file: name of the journal.

    Raises:
        OSError: a folder cannot be written to.
    """
    target.mkdir(parents=True, exist_ok=True)
    beside.mkdir(parents=True, exist_ok=True)
    log = f"{file}-wal"
    if (current / file).exists() and not (target / file).exists():
        if (current / log).exists():
            shutil.copyfile(current / log, target / log)
        shutil.copyfile(current / file, target / f"{file}.part")
        (target / f"{file}.part").replace(target / file)
    with atomic_text(beside / NOTE, sync=True) as text:
        json.dump({"folder": str(target)}, text)
    if (target / file).exists():  # what is left beside the output is a copy, and has no log of its own
        for each in (log, f"{file}-shm"):
            (current / each).unlink(missing_ok=True)
