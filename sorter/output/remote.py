"""Journals that do not lie beside the output, as in a store: copied there after a run.

A note beside the output names the last run and its machine. A run with another journal, or none, then stops with an
error instead of filing everything a second time.
"""

from __future__ import annotations

import json
import platform
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from sorter.address import Address
from sorter.files import atomic_write
from sorter.output.journal import FILE, FOLDER, Journal, JournalError, journal_folder, kept_elsewhere

NOTE = "last-run.json"
TOKEN = "run-in-store"  # the same in the journal and the note of one run


def download(out: Path, fresh: bool = False) -> None:
    """Fetch the copy beside an output where this machine's is older. For a journal beside the output, do nothing.

    Raises:
        JournalError: a run on another machine was stopped, and the journal is there.
    """
    if not kept_elsewhere(out):
        return
    note = _note(out)
    local = journal_folder(out) / FILE
    if note is None or fresh or note["token"] == _token(out):
        return
    if note["state"] != "done":
        raise JournalError(
            f"{out}: a run on {note['host']} was stopped; go on there, or copy its journal ({note['journal']}) to "
            f"{local}, or give --fresh to forget it"
        )
    local.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(local, shared=True) as part:
        with (out / FOLDER / FILE).open("rb") as reader, part.open("wb") as writer:
            shutil.copyfileobj(reader, writer)
        for each in ("-wal", "-shm"):  # of the older journal
            local.with_name(local.name + each).unlink(missing_ok=True)


@contextmanager
def uploaded(journal: Journal) -> Iterator[None]:
    """Mark a run as running while the block runs. When it ends well, copy the journal beside the output."""
    out = journal.out
    if not kept_elsewhere(out):
        yield
        return
    token = uuid.uuid4().hex
    note = {"token": token, "host": platform.node(), "journal": str(journal_folder(out) / FILE)}
    with journal.transaction():
        journal.set(**{TOKEN: token})
    _write(out, {**note, "state": "running"})
    yield
    copy = journal_folder(out) / f"{FILE}.copy"
    with closing(sqlite3.connect(copy)) as target:
        journal.backup(target)
    with copy.open("rb") as reader, _replaced(out / FOLDER / FILE) as writer:
        shutil.copyfileobj(reader, writer)
    copy.unlink()
    _write(out, {**note, "state": "done"})


@contextmanager
def _replaced(path: Path) -> Iterator[IO[bytes]]:
    """A file beside the output. On a disk it is replaced in one step, as an object in a store is by itself."""
    if isinstance(path, Address):
        with path.open("wb") as file:
            yield file
        return
    with atomic_write(path, sync=True) as part, part.open("wb") as file:
        yield file


def _note(out: Path) -> dict[str, Any] | None:
    try:
        with (out / FOLDER / NOTE).open("r", encoding="utf-8") as file:
            note: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        return None
    return note


def _write(out: Path, note: dict[str, Any]) -> None:
    with _replaced(out / FOLDER / NOTE) as file:
        file.write(json.dumps(note, indent=2).encode())


def _token(out: Path) -> str | None:
    """The token of the run in this machine's journal; None where there is no journal."""
    if not (journal_folder(out) / FILE).exists():
        return None
    with closing(Journal.read(out)) as journal:
        token: str | None = journal.setting(TOKEN)
    return token
