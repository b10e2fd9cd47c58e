"""Remove files: to a quarantine that `sorter undo` empties, to the system's trash, or for good."""

from __future__ import annotations

import errno
import filecmp
import os
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sorter.clean.filenames import right_name
from sorter.clean.keep import NO_FOLDERS, KeptFolders
from sorter.clean.ledger import CleanLedger
from sorter.clean.records import COPIES, Checked, Kind
from sorter.distribution import install_command
from sorter.output.filer import Filer, Scored
from sorter.output.journal import FILE, FOLDER, NO_RULE, Journal, RunSettings, locked
from sorter.output.journal.reserve import keep_room
from sorter.output.layout import TREE
from sorter.output.relink import NO_MORE_LINKS, Copy, Relinker
from sorter.types import ActionKind, Decision, Photo, Scores, SorterError, Status, UsageError

BATCH = 64
SETTINGS = RunSettings(
    model="none (sorter clean)",
    model_folder=None,
    fingerprint="sorter clean",
    action=ActionKind.MOVE,
    layout="tree",
    rule=NO_RULE,
)


def removable(
    ledger: CleanLedger,
    kinds: Collection[Kind],
    only: Collection[Path] | None = None,
    keep: KeptFolders = NO_FOLDERS,
) -> Iterator[Checked]:
    """The files to remove. Exact duplicates come first, to be compared with the kept copy while it exists.

    Near duplicates follow, then similar files, of which some are the kept copy of a near duplicate.

    Args:
        only: no other files than these; None for all.
        keep: folders whose copies stay.
    """
    for turn in (*(kind for kind in COPIES if kind in kinds), None):
        for file in ledger.with_findings():
            found = [each.kind for each in file.findings if each.kind in kinds]
            chosen = only is None or file.path in only
            first = next((kind for kind in COPIES if kind in found), None)
            stays = file.group is not None and keep.hold(file.path)
            if found and chosen and first is turn and not file.is_link and not stays:
                yield file


def has_journal(quarantine: Path) -> bool:
    return (quarantine / FOLDER / FILE).exists()


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A file in the quarantine.

    Attributes:
        photo: as it was before.
        verdict: the value of a `Kind`.
        destination: its path in the quarantine.
    """

    photo: Photo
    verdict: str
    destination: Path


def recover(quarantine: Path) -> list[Quarantined]:
    """Finish the moves of a run that was stopped; returns the files in the quarantine.

    Raises:
        UsageError: `sorter run` wrote to the folder.
        JournalError: the journal cannot be read.
    """
    with locked(quarantine), closing(_open(quarantine)) as journal, closing(_filer(journal)) as filer:
        filer.recover(go_on=True)
        Relinker(journal).recover()
        return [
            Quarantined(
                entry.photo,
                entry.decision.label if entry.decision else Kind.BROKEN.value,
                quarantine / entry.destination,
            )
            for entry in journal.entries()
            # Renamed files are outside, where the scan finds them.
            if entry.destination is not None and not entry.destination.is_absolute()
        ]


def quarantine_files(ledger: CleanLedger, files: Iterator[Checked], quarantine: Path) -> None:
    """Move files to the quarantine, in the folders they came in, and record the action in the ledger.

    Raises:
        SorterError: the disk is full. The same command goes on later.
    """
    _file(ledger, map(_scored, files), quarantine, "quarantined")


def rename_files(ledger: CleanLedger, files: Iterator[Checked], quarantine: Path) -> None:
    """Give misnamed files the extension of their content, and never the name of another file.

    The quarantine's journal keeps the old names for `sorter undo`. Raises as `quarantine_files`.
    """
    _file(ledger, map(_renamed, files), quarantine, "renamed")


def _file(ledger: CleanLedger, files: Iterator[tuple[Checked, Scored]], quarantine: Path, done: str) -> None:
    with locked(quarantine), closing(_open(quarantine)) as journal, closing(_filer(journal)) as filer:
        with journal.transaction():
            journal.set_run(SETTINGS, "running")
        while batch := list(islice(files, BATCH)):
            batch = [each for each in batch if not _must_stay(ledger, each[0])]
            filer.file([scored for _, scored in batch])
            for file, _ in batch:
                entry = journal.lookup(file.path)
                if entry is not None and entry.destination is not None:
                    ledger.set_action(file.id, done, quarantine / entry.destination)
                else:
                    ledger.set_action(file.id, f"failed: {entry.failure if entry else 'not in the journal'}")
        with journal.transaction():
            journal.set(state="done")


def link_files(ledger: CleanLedger, files: Iterator[Checked], quarantine: Path) -> None:
    """Replace exact copies by hard links to the kept copy. The quarantine's journal keeps what an undo needs."""
    with locked(quarantine), closing(_open(quarantine)) as journal:
        relinker = Relinker(journal)
        with journal.transaction():
            journal.set_run(SETTINGS, "running")
        while batch := list(islice(files, BATCH)):
            pairs = [(file, kept) for file in batch if (kept := ledger.kept_copy(file.id))]
            copies = [Copy(file.path, kept.path, file.size, file.mtime_ns) for file, kept in pairs]
            for (file, _), problem in zip(pairs, relinker.link(copies), strict=True):
                stays = problem if problem == NO_MORE_LINKS else f"failed: {problem}"
                ledger.set_action(file.id, "linked" if problem is None else stays)
        with journal.transaction():
            journal.set(state="done")


def trash_files(ledger: CleanLedger, files: Iterator[Checked]) -> None:
    """Move files to the system's trash.

    Raises:
        SorterError: Send2Trash is not installed.
    """
    try:
        from send2trash import send2trash
    except ImportError as error:
        raise SorterError(f"--action trash: needs `{install_command('trash')}`") from error
    for each in files:
        if _must_stay(ledger, each):
            continue
        try:
            send2trash(os.fspath(each.path))
        except OSError as error:  # for example a disk without a trash
            ledger.set_action(each.id, f"failed: {error.strerror or error}")
        else:
            ledger.set_action(each.id, "trashed")


def delete_files(ledger: CleanLedger, files: Iterator[Checked]) -> None:
    """Delete files; an exact duplicate only while its kept copy has the same bytes."""
    for each in files:
        if _must_stay(ledger, each):
            continue
        try:
            each.path.unlink()
        except OSError as error:
            ledger.set_action(each.id, f"failed: {error.strerror or error}")
        else:
            ledger.set_action(each.id, "deleted")


def _open(quarantine: Path) -> Journal:
    journal = Journal.open(quarantine)
    settings = journal.run_settings()
    if settings is not None and settings.fingerprint != SETTINGS.fingerprint:
        journal.close()
        raise UsageError(f"{quarantine}: holds sorted photos; name another folder with --quarantine")
    keep_room(quarantine)
    return journal


def _filer(journal: Journal) -> Filer:
    return Filer(journal, ActionKind.MOVE, TREE, by_label=False)


def _scored(file: Checked) -> tuple[Checked, Scored]:
    """The verdict takes the place of the class. There are no probabilities."""
    photo = Photo(file.path, file.relative, file.size, file.mtime_ns, False)
    size = (file.examined.width, file.examined.height) if file.examined else (0, 0)
    return file, Scored(photo, Scores((), *size), Decision(file.verdict.value, 1.0, Status.SORTED))


def _renamed(file: Checked) -> tuple[Checked, Scored]:
    assert file.examined is not None, "a misnamed file was examined"
    wanted = file.path.with_name(right_name(file.path.name, file.examined.format))
    return file, replace(_scored(file)[1], wanted=wanted)


def _must_stay(ledger: CleanLedger, file: Checked) -> bool:
    """Whether a file must stay: it has changed since, or its kept copy has. Records the reason as its action."""
    try:
        status = file.path.lstat()
        if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
            raise OSError(errno.EAGAIN, "changed since it was examined")
        if all(each.kind in COPIES for each in file.findings) and (kept := ledger.kept_copy(file.id)):
            _check_copy(file, kept)
    except OSError as error:
        ledger.set_action(file.id, f"failed: {error.strerror or error}")
        return True
    return False


def _check_copy(file: Checked, kept: Checked) -> None:
    """Raise OSError where the kept copy is not what it was."""
    status = kept.path.lstat()
    if file.verdict is not Kind.DUPLICATE:
        if (status.st_size, status.st_mtime_ns) != (kept.size, kept.mtime_ns):
            raise OSError(errno.EAGAIN, "the kept copy has changed since it was examined")
    elif kept.path.samefile(file.path):
        raise OSError(errno.EINVAL, "is the kept file itself under another name")
    elif not filecmp.cmp(kept.path, file.path, shallow=False):
        raise OSError(errno.EAGAIN, "differs from the kept copy")
