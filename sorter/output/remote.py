"""An output in a store has its journal on the driver's disk; a copy of it lies beside the output between runs.

A note there says which run was the last, and where. Whoever comes with another journal, or none, is told so,
instead of filing everything a second time.
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
from typing import Any

from sorter.address import Address
from sorter.files import atomic_write
from sorter.output.journal import FILE, FOLDER, Journal, JournalError, journal_folder

NOTE = "last-run.json"
TOKEN = "run-in-store"  # in the journal and the note: the journal is of that very run


def download(out: Path, fresh: bool = False) -> None:
    """Before the journal is opened: see that this machine has the right one. On a disk it lies in the output.

    Raises:
        JournalError: a run was begun elsewhere and not ended, so that its journal is there.
    """
    if not isinstance(out, Address):
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
    """While the block runs the note says so; when it ends well the copy is there and the note says that."""
    out = journal.out
    if not isinstance(out, Address):
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
    with copy.open("rb") as reader, (out / FOLDER / FILE).open("wb") as writer:
        shutil.copyfileobj(reader, writer)
    copy.unlink()
    _write(out, {**note, "state": "done"})


def _note(out: Address) -> dict[str, Any] | None:
    try:
        with (out / FOLDER / NOTE).open("r", encoding="utf-8") as file:
            note: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        return None
    return note


def _write(out: Address, note: dict[str, Any]) -> None:
    with (out / FOLDER / NOTE).open("w", encoding="utf-8") as file:
        json.dump(note, file, indent=2)


def _token(out: Address) -> str | None:
    """Of the run that this machine's journal is of."""
    if not (journal_folder(out) / FILE).exists():
        return None
    with closing(Journal.read(out)) as journal:
        token: str | None = journal.setting(TOKEN)
    return token
