"""Make the folders follow a review: within the output, back again, or as copies elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from sorter.model.rule import Rule
from sorter.output.filer import Filer, Scored
from sorter.output.journal import Entry, Journal, Line, locked
from sorter.reports import csv as report
from sorter.sort.table import rule_of, rule_to_json, run_settings
from sorter.sort.undo import LeftInPlace
from sorter.types import ActionKind, Decision, Failure, Photo, Reason, Result, Scores, Status, UsageError

BATCH = 64  # photos filed together, as in a run

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Applied:
    """What came of an apply, of taking it back, or of an export.

    Attributes:
        out: the folder that photos were filed in.
        filed: photos that are where they belong now and were not before.
        left: those that could not be filed.
    """

    out: Path
    filed: int
    left: tuple[LeftInPlace, ...]


def apply_review(out: Path, advance: Advance | None = None) -> Applied:
    """Move photos within the output to the folders of their right labels, as safely as a run files them.

    Stopped anywhere, the same call goes on. `undo_apply` puts them where the run had put them; `sorter undo`
    takes back the run as a whole.

    Args:
        advance: is told how many more photos are done.

    Raises:
        JournalError: no journal, or another process is at work on the folder.
        UsageError: the run left the photos where they were, so that there is nothing to move.
        SorterError: the disk is full.
    """
    out = out.resolve()
    with locked(out), closing(Journal.open(out)) as journal:
        settings = run_settings(out, journal)
        if settings["action"] == ActionKind.NONE.value:
            raise UsageError(
                f"{out}: was sorted with --action none, so no photo lies in it; export the corrected set instead"
            )
        rule = rule_of(settings, reviewed=True)
        before = settings.get("rule_before", settings["rule"])
        return _file(journal, {**settings, "rule": rule_to_json(rule), "rule_before": before}, True, advance)


def undo_apply(out: Path, advance: Advance | None = None) -> Applied:
    """Put photos back in the folders that the run had given them; what was said of them stays, to be applied again.

    Raises: as `apply_review`.
    """
    out = out.resolve()
    with locked(out), closing(Journal.open(out)) as journal:
        settings = run_settings(out, journal)
        waiting = settings.get("review") or settings["rule"]
        before = settings.pop("rule_before", settings["rule"])
        return _file(journal, {**settings, "rule": before, "review": waiting}, False, advance)


def _file(journal: Journal, settings: dict[str, Any], corrected: bool, advance: Advance | None) -> Applied:
    """Make the folders what the settings' rule, and what a person said, make of the scores."""
    out = journal.out
    rule = rule_of(settings, reviewed=False)
    filed, left = 0, []
    with closing(Filer(journal, ActionKind(settings["action"]), settings["layout"] == "tree")) as filer:
        filer.recover(go_on=True)
        with journal.transaction():
            journal.set(run=settings)
        moves = _moves(journal, rule, corrected)
        while batch := list(islice(moves, BATCH)):
            filer.file(batch)
            for scored in batch:
                entry = journal.lookup(scored.photo.path)
                if entry is not None and entry.failure is not None:
                    left.append(LeftInPlace(scored.current or scored.photo.path, str(entry.failure)))
                else:
                    filed += 1
            if advance is not None:
                advance(len(batch))
    if (out / "report.csv").exists():
        report.write_csv(journal, out / "report.csv", rule.classes)
    (out / "report.html").unlink(missing_ok=True)  # its pictures are no longer where it says
    return Applied(out, filed, tuple(left))


def _moves(journal: Journal, rule: Rule, corrected: bool) -> Iterator[Scored]:
    """Photos in the output that lie in the folder of another label than they should."""
    for entry in journal.unsettled(everything=True):
        if entry.scores is None or entry.destination is None:
            continue
        decision = _decision(entry.scores, rule, entry.correction if corrected else None)
        if entry.destination.parts[0] != decision.label:
            current = journal.out / entry.destination
            yield Scored(entry.photo, entry.scores, decision, entry.filing, current)


def _decision(scores: Scores, rule: Rule, correction: str | None) -> Decision:
    decision = rule(scores)
    if correction not in rule.classes:  # nothing was said, or it was said of another model's classes
        return decision
    return replace(decision, label=correction, status=Status.SORTED)


def export(out: Path, target: Path, advance: Advance | None = None) -> Applied:
    """Copy the corrected set into class folders of another folder, with a report.csv that says what was corrected.

    The target is an output folder with a journal of its own: the same call goes on where it was stopped,
    `sorter undo` removes the copies, and nothing is overwritten.

    Args:
        advance: is told how many more photos are done.

    Raises:
        UsageError: the target lies in the output folder, or belongs to something else.
        JournalError: no journal, or another process is at work on the target.
        SorterError: the disk is full.
    """
    out, target = out.resolve(), target.resolve()
    if target == out or out in target.parents or target in out.parents:
        raise UsageError(f"{target}: lies within, or around, the folder under review; export to another")
    with (
        closing(Journal.read(out)) as source,
        locked(target),
        closing(Journal.open(target)) as journal,
        closing(Filer(journal, ActionKind.COPY)) as filer,
    ):
        settings = run_settings(out, source)
        rule = rule_of(settings, reviewed=True)
        known = journal.setting("run")
        if known is not None and known.get("export_of") != str(out):
            raise UsageError(f"{target}: holds what another command wrote; export to an empty folder")
        settings |= {
            "action": ActionKind.COPY.value,
            "layout": "flat",
            "rule": rule_to_json(rule),
            "export_of": str(out),
        }
        for key in ("review", "rule_before"):
            settings.pop(key, None)
        filer.recover(go_on=True)
        with journal.transaction():
            journal.set(run=settings, state="running")
        before, left = journal.filing_count(), []
        reviewed: dict[str, str] = {}
        entries = source.entries()
        while batch := list(islice(entries, BATCH)):
            items = {}
            for entry in batch:
                path = entry.photo.path if entry.destination is None else out / entry.destination
                if entry.correction is not None and entry.correction in rule.classes:
                    reviewed[os.fspath(path)] = entry.correction
                if item := _exported(path, entry, rule, journal):
                    items[path] = item
            unscored = {entry.photo.path for entry in batch if entry.scores is None}
            filer.file(list(items.values()))
            for path in items:
                done = journal.lookup(path)
                if done is not None and done.failure is not None and path not in unscored:
                    left.append(LeftInPlace(path, str(done.failure)))
            if advance is not None:
                advance(len(batch))

        def said(line: Line) -> str:
            return rule(line.scores).label if line.scores else ""

        def review(line: Line) -> str:
            right = reviewed.get(os.fsdecode(line.path))
            return "" if right is None else "confirmed" if right == said(line) else "corrected"

        report.write_csv(journal, target / "report.csv", rule.classes, {"said": said, "review": review})
        with journal.transaction():
            journal.set(state="done")
        return Applied(target, journal.filing_count() - before, tuple(left))


def _exported(path: Path, entry: Entry, rule: Rule, journal: Journal) -> Scored | Result[Scores] | None:
    """What there is to file of a photo that lies at `path`; None where its copy lies in its place already."""
    if entry.scores is None:
        return Result(entry.photo, entry.failure) if entry.failure else None
    decision = _decision(entry.scores, rule, entry.correction)
    try:
        status = path.stat()
    except OSError:
        photo = replace(entry.photo, path=path)
        return Result(photo, Failure(Reason.VANISHED, "the file is no longer there"))
    photo = Photo(path, Path(path.name), status.st_size, status.st_mtime_ns)
    known = journal.lookup(path)
    if known is None or known.destination is None:
        return Scored(photo, entry.scores, decision)
    if known.decision == decision and known.failure is None:
        return None
    return Scored(photo, entry.scores, decision, known.filing, journal.out / known.destination)
