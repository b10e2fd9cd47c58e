"""`sorter undo`: put back every file that an output folder's journal knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from sorter.address import Address
from sorter.output.filer import Filer
from sorter.output.journal import FILE, FOLDER, Journal, locked, settle
from sorter.output.journal.reserve import release_room
from sorter.output.prune import restore_pruned
from sorter.output.relink import Relinker, count_links
from sorter.output.remote import download, uploaded
from sorter.output.tagger import Tagger, count_tags
from sorter.output.tags import NO_TAGS
from sorter.progress import NoProgress, Progress
from sorter.reports import csv as report
from sorter.reports.ours import is_ours, remove_ours
from sorter.reports.parts import remove_parts
from sorter.types import ActionKind

BATCH = 64


@dataclass(frozen=True, slots=True)
class LeftInPlace:
    """A file that was not put back, and why."""

    path: Path
    message: str


@dataclass(frozen=True)
class Undone:
    """The result of `undo`.

    Attributes:
        out: the output folder.
        restored: files put back, or copies and links removed.
        left: those it could not, with the reasons.
    """

    out: Path
    restored: int
    left: tuple[LeftInPlace, ...]


def undo(out: Path, progress: Progress | None = None, journal_at: Path | None = None) -> Undone:
    """Undo all filings in `out`. The journal keeps the scores, so that a new run need not decode.

    After a stop the same call undoes the rest.

    Args:
        progress: advances for each file.
        journal_at: the folder that the run was given for its journal; needed where the note beside the output is lost.

    Raises:
        JournalError: the folder has no journal, or another process is at work on it.
    """
    out = out.resolve()
    if journal_at is not None:
        Journal.read(out, journal_at).close()  # raises where there is none
    release_room(out)  # even opening a journal needs some
    if journal_at is not None or (not isinstance(out, Address) and (out / FOLDER / FILE).exists()):
        settle(out, journal_at)
    download(out)
    Journal.read(out).close()  # raises where there is none, as `open` would make one
    with locked(out), closing(Journal.open(out)) as journal, uploaded(journal):
        journal.keep_log_short()
        restored, left = 0, []
        progress = progress or NoProgress()
        progress.begin("putting files back", _count(journal))
        for problem in undo_filings(journal):
            progress.advance(1)
            if problem is None:
                restored += 1
            else:
                left.append(problem)
        settings = journal.run_settings()
        remove_parts(out / "report.csv")
        if settings is not None:
            _rewrite_report(journal, out / "report.csv", settings.classes)
        remove_ours(out / "report.html")  # its links no longer lead to the photos
        with journal.transaction():
            journal.set(state="undone")
    return Undone(out, restored, tuple(left))


def _count(journal: Journal) -> int:
    filings = journal.filing_count() + journal.companion_filing_count()
    return filings + count_links(journal) + count_tags(journal)


def _rewrite_report(journal: Journal, path: Path, classes: tuple[str, ...]) -> None:
    """Where the disk has no room for a report that is right, a wrong one does not stay."""
    if not path.exists() or not is_ours(path):
        return
    try:
        report.write_csv(journal, path, classes)
    except OSError:
        path.unlink(missing_ok=True)


def undo_filings(journal: Journal) -> Iterator[LeftInPlace | None]:
    """Undo every filing, the latest first. Yields None for each that is undone, else a `LeftInPlace`."""
    with closing(Filer(journal, ActionKind.NONE)) as filer:
        filer.recover(go_on=False)
        undone: set[int] = set()
        filings = (each for each in journal.filings_backwards() if each.id not in undone)
        folders = set()
        while batch := journal.whole_sets(list(islice(filings, BATCH))):
            undone.update(each.id for each in batch)
            for filed, problem in zip(batch, filer.undo(batch), strict=True):
                if filed.filing.destination.is_relative_to(journal.out):
                    folders.add(filed.filing.destination.parent)
                yield None if problem is None else LeftInPlace(filed.filing.destination, problem)
    for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        _remove_empty(folder, journal.out)
    _remove_empty(journal.out / FOLDER / "staging", journal.out / FOLDER)
    for path, why in chain(Relinker(journal).undo(), Tagger(journal, NO_TAGS).undo()):
        yield None if why is None else LeftInPlace(path, why)
    for missing in restore_pruned(journal):
        yield LeftInPlace(missing.folder, f"the folder could not be made again: {missing.message}")


def _remove_empty(folder: Path, up_to: Path) -> None:
    """Remove a folder and its parents below `up_to` as far as they are empty."""
    while folder != up_to:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
