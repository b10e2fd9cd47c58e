"""Move photos to the folders that a review gives them, move them back, or export copies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sorter.model.classes import ReviewClasses
from sorter.model.rule import ASIDE, UNSURE, Rule
from sorter.output.filer import Filer, Scored
from sorter.output.journal import Entry, Journal, KeptCompanion, Line, RunSettings, locked
from sorter.output.journal.reserve import release_room
from sorter.output.layout import LAYOUTS, FolderLayout
from sorter.output.names import check_class_folders
from sorter.output.remote import uploaded
from sorter.output.tagger import TaggingFiler
from sorter.progress import NoProgress, Progress
from sorter.reports import csv as report
from sorter.reports.ours import is_ours, remove_ours
from sorter.sort.table import reviewable
from sorter.sort.undo import LeftInPlace
from sorter.types import (
    ActionKind,
    Companion,
    Decision,
    Failure,
    Photo,
    Reason,
    Result,
    Scores,
    Status,
    UsageError,
)

BATCH = 64  # photos filed together, as in a run


@dataclass(frozen=True)
class Applied:
    """The result of an apply, of its undo, or of an export.

    Attributes:
        out: the folder that photos were filed in.
        filed: photos that are in the right folder now and were not before.
        left: photos that could not be filed, with the reasons.
    """

    out: Path
    filed: int
    left: tuple[LeftInPlace, ...]


def apply_review(out: Path, progress: Progress | None = None) -> Applied:
    """Move photos within the output to the folders of their right labels, as safely as a run files them.

    After a stop the same call goes on. `undo_apply` puts photos where the run had put them. `sorter undo` undoes the
    whole run.

    Args:
        progress: advances for each photo.

    Raises:
        JournalError: no journal, or another process is at work on the folder.
        UsageError: the run left the photos where they were, so that there is nothing to move; or a file bars the
            folder of a class.
        SorterError: the disk is full.
    """
    out = out.resolve()
    with locked(out), closing(Journal.open(out)) as journal, uploaded(journal):
        settings = reviewable(out, journal)
        if settings.action is ActionKind.NONE:
            raise UsageError(
                f"{out}: was sorted with --action none, so no photo lies in it; export the corrected set instead"
            )
        check_class_folders(
            out, folders(settings.rule_in_force, journal), FolderLayout.parse(settings.layout)
        )
        before = settings.rule_before or settings.rule
        settings = replace(settings, rule=settings.rule_in_force, rule_before=before)
        return _file(journal, settings, corrected=True, progress=progress or NoProgress())


def undo_apply(out: Path, progress: Progress | None = None) -> Applied:
    """Put photos back in the folders that the run had given them. Corrections stay and can be applied again.

    Raises: as `apply_review`.
    """
    out = out.resolve()
    release_room(out)
    with locked(out), closing(Journal.open(out)) as journal, uploaded(journal):
        journal.keep_log_short()
        settings = reviewable(out, journal)
        before = settings.rule_before or settings.rule
        settings = replace(settings, rule=before, reviewed_rule=settings.rule_in_force, rule_before=None)
        return _file(journal, settings, corrected=False, progress=progress or NoProgress())


def _file(journal: Journal, settings: RunSettings, corrected: bool, progress: Progress) -> Applied:
    """Move photos to the folders that the settings' rule gives them, or a person's corrections where these count."""
    out = journal.out
    rule = settings.rule
    filed, left = 0, []
    layout = FolderLayout.parse(settings.layout)
    with closing(_filer(journal, settings, layout)) as filer:
        filer.recover(go_on=True)
        with journal.transaction():
            journal.set_run(settings)
        tags = settings.action is ActionKind.TAG
        moves = _tags(journal, rule, corrected) if tags else _moves(journal, rule, layout, corrected)
        while batch := list(islice(moves, BATCH)):
            filer.file(batch)
            for scored in batch:
                entry = journal.lookup(scored.photo.path)
                if entry is not None and entry.failure is not None:
                    left.append(LeftInPlace(scored.current or scored.photo.path, str(entry.failure)))
                else:
                    filed += 1
            progress.advance(len(batch))
    if (out / "report.csv").exists() and is_ours(out / "report.csv"):
        report.write_csv(journal, out / "report.csv", rule.classes)
    remove_ours(out / "report.html")  # its links no longer lead to the photos
    return Applied(out, filed, tuple(left))


def _filer(journal: Journal, settings: RunSettings, layout: FolderLayout) -> Filer:
    if settings.action is ActionKind.TAG:
        return TaggingFiler(journal, settings.tags)
    return Filer(journal, settings.action, layout, relative_links=settings.relative_links)


def _moves(journal: Journal, rule: Rule, layout: FolderLayout, corrected: bool) -> Iterator[Scored]:
    """Photos in the output that lie in the folder of another label than they should."""
    classes = journal.classes() if corrected else ReviewClasses.of(rule.classes)
    level = layout.class_level
    if level is None:
        return
    for entry in journal.unsettled(everything=True):
        if entry.scores is None or entry.destination is None:
            continue
        decision = _decision(entry.scores, rule, classes, entry.correction if corrected else None)
        if entry.destination.parts[level] != decision.label:
            current = journal.out / entry.destination
            yield Scored(entry.photo, entry.scores, decision, entry.filing, current, shot=entry.shot)


def _tags(journal: Journal, rule: Rule, corrected: bool) -> Iterator[Scored]:
    """Photos whose sidecar says another label than it should."""
    classes = journal.classes() if corrected else ReviewClasses.of(rule.classes)
    for entry in journal.unsettled(everything=True):
        if entry.scores is None:
            continue
        decision = _decision(entry.scores, rule, classes, entry.correction if corrected else None)
        if entry.decision is None or entry.decision.label != decision.label:
            yield Scored(entry.photo, entry.scores, decision)


def _decision(scores: Scores, rule: Rule, classes: ReviewClasses, correction: str | None) -> Decision:
    if correction in classes.names:
        return replace(rule(scores), label=correction, status=Status.SORTED)
    if correction == UNSURE:
        return replace(rule(scores), label=UNSURE, status=Status.UNSURE)
    if correction == ASIDE:
        return replace(rule(scores), label=ASIDE, status=Status.SORTED)
    # There is none, or it names a class of another model.
    return classes.decision(rule(scores))


def folders(rule: Rule, journal: Journal) -> tuple[str, ...]:
    """Names of the folders that a decision can name in a review."""
    classes = journal.classes()
    marks = set(journal.corrections().values())
    unsure = UNSURE in marks or None in classes.now or rule.folders != rule.classes
    more = [name for name, used in ((UNSURE, unsure), (ASIDE, ASIDE in marks)) if used]
    return (*classes.names, *(name for name in more if name not in classes.names))


def export(out: Path, target: Path, progress: Progress | None = None, only_reviewed: bool = False) -> Applied:
    """Copy the corrected set into class folders of another folder, with a report.csv that says what was corrected.

    The target is an output folder with a journal of its own: the same call goes on where it was stopped,
    `sorter undo` removes the copies, and nothing is overwritten.

    Args:
        progress: advances for each photo.
        only_reviewed: copy no photo that nobody corrected or confirmed.

    Raises:
        UsageError: the target lies in the output folder, or belongs to something else.
        JournalError: no journal, or another process is at work on the target.
        SorterError: the disk is full.
    """
    progress = progress or NoProgress()
    out, target = out.resolve(), target.resolve()
    if target == out or out in target.parents or target in out.parents:
        raise UsageError(f"{target}: lies within, or around, the folder under review; export to another")
    with (
        closing(Journal.read(out)) as source,
        locked(target),
        closing(Journal.open(target)) as journal,
        closing(Filer(journal, ActionKind.COPY)) as filer,
    ):
        settings = reviewable(out, source)
        rule = settings.rule_in_force
        classes = source.classes()
        check_class_folders(target, folders(rule, source))
        known = journal.run_settings()
        if known is not None and known.export_of != str(out):
            raise UsageError(f"{target}: holds what another command wrote; export to an empty folder")
        settings = replace(
            settings,
            action=ActionKind.COPY,
            layout=LAYOUTS[0],
            rule=rule,
            reviewed_rule=None,
            rule_before=None,
            export_of=str(out),
        )
        filer.recover(go_on=True)
        with journal.transaction():
            journal.set_run(settings, "running")
        before, left = journal.filing_count(), []
        reviewed: dict[str, str] = {}
        entries = source.entries()
        while batch := list(islice(entries, BATCH)):
            items = {}
            sets = source.companions_of([entry.id for entry in batch])
            for entry in batch:
                path = entry.photo.path if entry.destination is None else out / entry.destination
                if entry.correction is not None and entry.correction in (*classes.names, UNSURE):
                    reviewed[os.fspath(path)] = entry.correction
                if only_reviewed and os.fspath(path) not in reviewed:
                    continue
                if item := _exported(path, entry, rule, classes, journal, sets.get(entry.id, [])):
                    items[path] = item
            unscored = {entry.photo.path for entry in batch if entry.scores is None}
            filer.file(list(items.values()))
            for path in items:
                done = journal.lookup(path)
                if done is not None and done.failure is not None and path not in unscored:
                    left.append(LeftInPlace(path, str(done.failure)))
            progress.advance(len(batch))

        def predicted(line: Line) -> str:
            return classes.label(rule(line.scores).label) if line.scores else ""

        def review(line: Line) -> str:
            right = reviewed.get(os.fsdecode(line.path))
            return "" if right is None else "confirmed" if right == predicted(line) else "corrected"

        report.write_csv(journal, target / "report.csv", rule.classes, {"said": predicted, "review": review})
        with journal.transaction():
            journal.set(state="done")
        return Applied(target, journal.filing_count() - before, tuple(left))


def _exported(
    path: Path,
    entry: Entry,
    rule: Rule,
    classes: ReviewClasses,
    journal: Journal,
    companions: Sequence[KeptCompanion],
) -> Scored | Result[Scores] | None:
    """What there is to file of a photo that lies at `path`. None where its copy lies there, or it is set aside."""
    if entry.scores is None:
        return Result(entry.photo, entry.failure) if entry.failure else None
    decision = _decision(entry.scores, rule, classes, entry.correction)
    if decision.label == ASIDE and ASIDE not in classes.names:
        return None
    try:
        status = path.stat()
    except OSError:
        photo = replace(entry.photo, path=path)
        return Result(photo, Failure(Reason.VANISHED, "the file is no longer there"))
    beside = (each for each in companions if each.now.parent == path.parent)
    others = tuple(Companion(each.now.name, each.size, each.mtime_ns) for each in beside)
    photo = Photo(path, Path(path.name), status.st_size, status.st_mtime_ns, companions=others)
    known = journal.lookup(path)
    if known is None or known.destination is None:
        return Scored(photo, entry.scores, decision)
    if known.decision == decision and known.failure is None:
        return None
    return Scored(photo, entry.scores, decision, known.filing, journal.out / known.destination)
