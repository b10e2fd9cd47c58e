"""Remove files: to a quarantine that `sorter undo` empties, to the system's trash, or for good."""

from __future__ import annotations

import errno
import filecmp
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sorter.clean.filenames import right_name
from sorter.clean.ledger import CleanLedger
from sorter.clean.records import COPIES, Checked, Kind
from sorter.clean.removals import Removal
from sorter.distribution import install_command
from sorter.output.filer import Filer, Scored
from sorter.output.journal import FILE, FOLDER, NO_RULE, Entry, Journal, RunSettings, locked
from sorter.output.journal.reserve import keep_room
from sorter.output.layout import TREE
from sorter.output.names import name_beside
from sorter.output.relink import NO_MORE_LINKS, Copy, Relinker
from sorter.photos.companions import is_picture
from sorter.types import ActionKind, Companion, Decision, Photo, Scores, SorterError, Status, UsageError

BATCH = 64
SETTINGS = RunSettings(
    model="none (sorter clean)",
    model_folder=None,
    fingerprint="sorter clean",
    action=ActionKind.MOVE,
    layout="tree",
    rule=NO_RULE,
)


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
        # Renamed files are outside, where the scan finds them.
        inside = [
            each for each in journal.entries() if each.destination and not each.destination.is_absolute()
        ]
        return [each for entry in inside for each in _quarantined(entry, journal)]


def _quarantined(entry: Entry, journal: Journal) -> Iterator[Quarantined]:
    """A file in the quarantine, and those of its companions that are there with it."""
    assert entry.destination is not None
    verdict = entry.decision.label if entry.decision else Kind.BROKEN.value
    yield Quarantined(entry.photo, verdict, journal.out / entry.destination)
    for each in journal.companions_of([entry.id]).get(entry.id, []):
        if each.destination is not None:
            relative = entry.photo.relative.with_name(each.path.name)
            photo = Photo(each.path, relative, each.size, each.mtime_ns)
            yield Quarantined(photo, Kind.OTHER.value, each.destination)


def quarantine_files(ledger: CleanLedger, files: Iterator[Removal], quarantine: Path) -> None:
    """Move files to the quarantine, in the folders they came in, with their companions. Record it in the ledger.

    Raises:
        SorterError: the disk is full. The same command goes on later.
    """
    _file(ledger, map(_scored, files), quarantine, "quarantined")


def rename_files(ledger: CleanLedger, files: Iterator[Removal], quarantine: Path) -> None:
    """Give misnamed files the extension of their content, and never the name of another file.

    A companion with the whole name of its photo, such as `a.jpg.xmp`, is renamed with it. The quarantine's journal
    keeps the old names for `sorter undo`. Raises as `quarantine_files`.
    """
    _file(ledger, map(_renamed, files), quarantine, "renamed")


def _file(ledger: CleanLedger, files: Iterator[tuple[Removal, Scored]], quarantine: Path, done: str) -> None:
    with locked(quarantine), closing(_open(quarantine)) as journal, closing(_filer(journal)) as filer:
        with journal.transaction():
            journal.set_run(SETTINGS, "running")
        while batch := list(islice(files, BATCH)):
            batch = [each for each in batch if not _must_stay(ledger, each[0])]
            filer.file([scored for _, scored in batch])
            for removal, _ in batch:
                _record(ledger, removal, journal, done)
        with journal.transaction():
            journal.set(state="done")


def _record(ledger: CleanLedger, removal: Removal, journal: Journal, done: str) -> None:
    """Record what became of a file and of its companions."""
    file = removal.file
    entry = journal.lookup(file.path)
    if entry is None or entry.destination is None:
        ledger.set_action(file.id, f"failed: {entry.failure if entry else 'not in the journal'}")
        return
    ledger.set_action(file.id, done, journal.out / entry.destination)
    numbers = {each.path: each.id for each in removal.companions}
    for each in journal.companions_of([entry.id]).get(entry.id, []):
        if each.destination is not None and each.path in numbers:
            ledger.set_action(numbers[each.path], done, each.destination)


def link_files(ledger: CleanLedger, files: Iterator[Removal], quarantine: Path) -> None:
    """Replace exact copies by hard links to the kept copy. The quarantine's journal keeps what an undo needs."""
    with locked(quarantine), closing(_open(quarantine)) as journal:
        relinker = Relinker(journal)
        with journal.transaction():
            journal.set_run(SETTINGS, "running")
        while batch := list(islice(files, BATCH)):
            pairs = [(each.file, kept) for each in batch if (kept := ledger.kept_copy(each.file.id))]
            copies = [Copy(file.path, kept.path, file.size, file.mtime_ns) for file, kept in pairs]
            for (file, _), problem in zip(pairs, relinker.link(copies), strict=True):
                stays = problem if problem == NO_MORE_LINKS else f"failed: {problem}"
                ledger.set_action(file.id, "linked" if problem is None else stays)
        with journal.transaction():
            journal.set(state="done")


def trash_files(ledger: CleanLedger, files: Iterator[Removal]) -> None:
    """Move files to the system's trash, each with its companions.

    Raises:
        SorterError: Send2Trash is not installed.
    """
    try:
        from send2trash import send2trash
    except ImportError as error:
        raise SorterError(f"--action trash: needs `{install_command('trash')}`") from error
    for removal in files:
        if _must_stay(ledger, removal):
            continue
        for each in (removal.file, *removal.companions):
            try:
                send2trash(os.fspath(each.path))
            except OSError as error:  # for example a disk without a trash
                ledger.set_action(each.id, f"failed: {error.strerror or error}")
                break  # what belongs to it stays with it
            else:
                ledger.set_action(each.id, "trashed")


def delete_files(ledger: CleanLedger, files: Iterator[Removal]) -> None:
    """Delete files; an exact duplicate only while its kept copy has the same bytes.

    A file with companions is only deleted as a copy, and only if the kept copy has the same companions.
    """
    for removal in files:
        if _must_stay(ledger, removal) or _has_companions_of_its_own(ledger, removal):
            continue
        for each in (*removal.companions, removal.file):
            try:
                each.path.unlink()
            except OSError as error:
                ledger.set_action(each.id, f"failed: {error.strerror or error}")
                break
            else:
                ledger.set_action(each.id, "deleted")


def _has_companions_of_its_own(ledger: CleanLedger, removal: Removal) -> bool:
    """Whether deleting a file's companions would lose bytes that the kept copy has not. Records it as its action."""
    file, kept = removal.file, ledger.kept_copy(removal.file.id)
    for each in removal.companions:
        if is_picture(each.path.name) and each.verdict is Kind.DUPLICATE:
            continue  # compared with the copy that is kept of it
        name = "" if kept is None else name_beside(each.path.name, file.path.name, kept.path.name)
        if kept is None or not _same_bytes(each.path, kept.path.with_name(name)):
            why = f"failed: {each.path.name} belongs to it and would be lost; --action quarantine keeps both"
            ledger.set_action(file.id, why)
            return True
    return False


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return not one.samefile(other) and filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


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


def _scored(removal: Removal) -> tuple[Removal, Scored]:
    """The verdict takes the place of the class. There are no probabilities."""
    file = removal.file
    companions = tuple(Companion(each.path.name, each.size, each.mtime_ns) for each in removal.companions)
    photo = Photo(file.path, file.relative, file.size, file.mtime_ns, False, companions)
    size = (file.examined.width, file.examined.height) if file.examined else (0, 0)
    return removal, Scored(photo, Scores((), *size), Decision(file.verdict.value, 1.0, Status.SORTED))


def _renamed(removal: Removal) -> tuple[Removal, Scored]:
    file = removal.file
    assert file.examined is not None, "a misnamed file was examined"
    wanted = file.path.with_name(right_name(file.path.name, file.examined.format))
    return removal, replace(_scored(removal)[1], wanted=wanted)


def _must_stay(ledger: CleanLedger, removal: Removal) -> bool:
    """Whether a file must stay: it, or a picture of its set, has changed since, or its kept copy has.

    Records the reason as its action.
    """
    for each in removal.pictures:
        try:
            status = each.path.lstat()
            if (status.st_size, status.st_mtime_ns) != (each.size, each.mtime_ns):
                raise OSError(errno.EAGAIN, "changed since it was examined")
            copy = all(finding.kind in COPIES for finding in each.findings)
            if copy and each.findings and (kept := ledger.kept_copy(each.id)):
                _check_copy(each, kept)
        except OSError as error:
            about = "" if each is removal.file else f"{each.path.name}, which belongs to it: "
            ledger.set_action(removal.file.id, f"failed: {about}{error.strerror or error}")
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
