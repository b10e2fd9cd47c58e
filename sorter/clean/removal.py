"""Take files away: to a quarantine that `sorter undo` empties, to the system's trash, or for good."""

from __future__ import annotations

import errno
import filecmp
import os
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from sorter.clean.ledger import CleanLedger
from sorter.clean.names import right_name
from sorter.clean.records import Checked, Kind
from sorter.output.filer import Filer, Scored
from sorter.output.journal import FILE, FOLDER, Journal, locked
from sorter.types import ActionKind, Decision, Photo, Scores, SorterError, Status, UsageError

BATCH = 64
SETTINGS = {
    "model": "none (sorter clean)",
    "model_folder": "",
    "fingerprint": "sorter clean",
    "classes": [],
    "positive": None,
    "action": ActionKind.MOVE.value,
    "layout": "tree",
    "rule": [None, None],
}
DUPLICATES = (Kind.DUPLICATE, Kind.NEAR_DUPLICATE)


def chosen(
    ledger: CleanLedger, kinds: Collection[Kind], only: Collection[Path] | None = None
) -> Iterator[Checked]:
    """What is to be removed: exact duplicates first, so that each is compared with its copy while that is there.

    Args:
        only: these files alone; None for all.
    """
    for only_exact in (True, False):
        for file in ledger.found():
            hits = [each.kind for each in file.findings if each.kind in kinds]
            wanted = only is None or file.path in only
            if hits and wanted and not file.is_link and (Kind.DUPLICATE in hits) is only_exact:
                yield file


def has_journal(quarantine: Path) -> bool:
    return (quarantine / FOLDER / FILE).exists()


def finish(quarantine: Path) -> list[tuple[Photo, str, Path]]:
    """Bring what an earlier run left halfway to its end; returns what lies in the quarantine: file, verdict, place.

    Raises:
        UsageError: the folder is one that `sorter run` wrote to.
        JournalError: it cannot be read.
    """
    with locked(quarantine), closing(_open(quarantine)) as journal, closing(_filer(journal)) as filer:
        filer.recover(go_on=True)
        return [
            (
                entry.photo,
                entry.decision.label if entry.decision else Kind.BROKEN.value,
                quarantine / entry.destination,
            )
            for entry in journal.entries()
            # What was renamed lies outside, where the scan finds it.
            if entry.destination is not None and not entry.destination.is_absolute()
        ]


def quarantine_files(ledger: CleanLedger, files: Iterator[Checked], quarantine: Path) -> None:
    """Move files to the quarantine, each in the folders it came in; the ledger learns what came of each.

    Raises:
        SorterError: the disk is full; the same command again goes on.
    """
    _file(ledger, map(_scored, files), quarantine, "quarantined")


def rename_files(ledger: CleanLedger, files: Iterator[Checked], quarantine: Path) -> None:
    """Give misnamed files the extension of their content, never the name of another file.

    The quarantine's journal keeps their old names, so that `sorter undo` gives them back. Raises as above.
    """
    _file(ledger, map(_renamed, files), quarantine, "renamed")


def _file(ledger: CleanLedger, files: Iterator[tuple[Checked, Scored]], quarantine: Path, done: str) -> None:
    with locked(quarantine), closing(_open(quarantine)) as journal, closing(_filer(journal)) as filer:
        with journal.transaction():
            journal.set(run=SETTINGS, state="running")
        while batch := list(islice(files, BATCH)):
            batch = [each for each in batch if not _refused(ledger, each[0])]
            filer.file([scored for _, scored in batch])
            for file, _ in batch:
                entry = journal.lookup(file.path)
                if entry is not None and entry.destination is not None:
                    ledger.acted(file.id, done, quarantine / entry.destination)
                else:
                    ledger.acted(file.id, f"failed: {entry.failure if entry else 'not written down'}")
        with journal.transaction():
            journal.set(state="done")


def trash_files(ledger: CleanLedger, files: Iterator[Checked]) -> None:
    """Hand files to the system's trash.

    Raises:
        SorterError: Send2Trash is not installed.
    """
    try:
        from send2trash import send2trash
    except ImportError as error:
        raise SorterError('--action trash: needs `pip install "sorter[trash]"`') from error
    for each in files:
        if _refused(ledger, each):
            continue
        try:
            send2trash(os.fspath(each.path))
        except OSError as error:  # a disk without a trash, for one
            ledger.acted(each.id, f"failed: {error.strerror or error}")
        else:
            ledger.acted(each.id, "trashed")


def delete_files(ledger: CleanLedger, files: Iterator[Checked]) -> None:
    """Remove files for good; an exact duplicate only while a file of the very same bytes stays."""
    for each in files:
        if _refused(ledger, each):
            continue
        try:
            each.path.unlink()
        except OSError as error:
            ledger.acted(each.id, f"failed: {error.strerror or error}")
        else:
            ledger.acted(each.id, "deleted")


def _open(quarantine: Path) -> Journal:
    journal = Journal.open(quarantine)
    settings = journal.setting("run")
    if settings is not None and settings["fingerprint"] != SETTINGS["fingerprint"]:
        journal.close()
        raise UsageError(f"{quarantine}: holds sorted photos; name another folder with --quarantine")
    return journal


def _filer(journal: Journal) -> Filer:
    return Filer(journal, ActionKind.MOVE, tree=True, by_label=False)


def _scored(file: Checked) -> tuple[Checked, Scored]:
    """The verdict stands where a class does; there are no probabilities."""
    photo = Photo(file.path, file.relative, file.size, file.mtime_ns, False)
    size = (file.examined.width, file.examined.height) if file.examined else (0, 0)
    return file, Scored(photo, Scores((), *size), Decision(file.verdict.value, 1.0, Status.SORTED))


def _renamed(file: Checked) -> tuple[Checked, Scored]:
    assert file.examined is not None, "only what was examined is found to be misnamed"
    wanted = file.path.with_name(right_name(file.path.name, file.examined.format))
    return file, replace(_scored(file)[1], wanted=wanted)


def _refused(ledger: CleanLedger, file: Checked) -> bool:
    """Is it better left: changed since it was examined, or the copy that should stay is gone? Says so."""
    try:
        status = file.path.lstat()
        if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
            raise OSError(errno.EAGAIN, "changed since it was examined")
        if all(each.kind in DUPLICATES for each in file.findings) and (kept := ledger.kept(file.id)):
            _check_copy(file, kept)
    except OSError as error:
        ledger.acted(file.id, f"failed: {error.strerror or error}")
        return True
    return False


def _check_copy(file: Checked, kept: Checked) -> None:
    """Raise OSError where the last picture of its kind would go."""
    status = kept.path.lstat()
    if file.verdict is not Kind.DUPLICATE:
        if (status.st_size, status.st_mtime_ns) != (kept.size, kept.mtime_ns):
            raise OSError(errno.EAGAIN, "the copy that stays has changed since it was examined")
    elif kept.path.samefile(file.path) and not _hard_links(file.path, kept.path):
        raise OSError(errno.EINVAL, "is the very file that stays, under another name")
    elif not filecmp.cmp(kept.path, file.path, shallow=False):
        raise OSError(errno.EAGAIN, "no longer the same as the copy that stays")


def _hard_links(one: Path, other: Path) -> bool:
    """Two names of one file, of which either may go."""
    return one.lstat().st_nlink > 1 and one.resolve() != other.resolve()
