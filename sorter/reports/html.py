"""`report.html` of a run: one page that needs nothing but itself. Layout is in `templates/run.html`."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sorter.model.rule import UNSURE, Rule
from sorter.output.journal import Entry, Journal
from sorter.reports.cards import Sheet, Subject, Thumbnails, make_cards
from sorter.reports.page import write_page
from sorter.types import ActionKind, Reason, Status

BINS = 20
EXTREMES = 8  # photos at each end of a folder
CARDS = 400  # on the page, about. A model with a thousand classes shows fewer of each
EXAMPLES = 20  # files named for each reason


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Facts about the run for the page that are not in the journal.

    Attributes:
        model: its name.
        engine: what ran it, in words for people.
        action: how photos got into their folders.
        finished: when the run ended, with a time zone.
    """

    model: str
    engine: str
    action: ActionKind
    finished: datetime


@dataclass(frozen=True, slots=True)
class _Tally:
    """A row of the table of counts; `link` is None where there is no such folder."""

    name: str
    is_folder: bool
    count: int
    share: float
    link: str | None


@dataclass(frozen=True, slots=True)
class _Bar:
    """A part of the histogram; `height` is a share of the tallest bar's."""

    low: float
    high: float
    count: int
    height: float


class _Tick(NamedTuple):
    """A line across the histogram; `height` is a share of the tallest bar's."""

    photos: int
    height: float


@dataclass(frozen=True, slots=True)
class _Folder:
    """Photos from both ends of one folder."""

    label: str
    count: int
    sheets: list[Sheet]


@dataclass(frozen=True, slots=True)
class _Group:
    """Files that were not sorted, all for one reason."""

    reason: str
    count: int
    examples: list[_Example]


@dataclass(frozen=True, slots=True)
class _Example:
    path: str
    link: str
    message: str


def write_html(
    journal: Journal,
    target: Path,
    *,
    page: RunInfo,
    rule: Rule,
    thumbnails: Thumbnails,
    heats: Thumbnails | None = None,
) -> None:
    """Write report.html, whole or not at all.

    Memory: one folder's contact sheet, however many photos and folders there are.

    Args:
        journal: of the run.
        target: the file to write, or replace.
        page: more facts about the run.
        rule: the one that gave the journal's photos their labels.
        thumbnails: one result per photo, in order, with a JPEG's bytes: `Pool(Thumbnail(...), ...).run`.
            A photo without one gets a placeholder.
        heats: likewise with a heat map over each photo; None for none.

    Raises:
        SorterError: the file cannot be written.
        PipelineError: the thumbnails' workers cannot start.
    """
    counts = journal.counts()
    context: dict[str, Any] = {
        "page": page,
        "rule": rule,
        "out": journal.out.absolute(),
        "tallies": _tallies(journal, rule, counts),
        "bars": (bars := _bars(journal.histogram(BINS))),
        "ticks": _ticks(max(bar.count for bar in bars)),
        "of": _probability_of(rule),
        "folders": _sampled(journal, rule, counts, thumbnails, heats),
        "heats": heats is not None,
        "failed": _groups(journal, counts, Status.FAILED),
        "skipped": _groups(journal, counts, Status.SKIPPED),
        "examples": EXAMPLES,
    }
    write_page(target, "run.html", context)


# -- counts ----------------------------------------------------------------------------------------------------


def _tallies(journal: Journal, rule: Rule, counts: dict[tuple[str, str], int]) -> list[_Tally]:
    folders = dict.fromkeys(_order(rule), 0) | _folders(counts)
    if rule.unsure is not None:
        folders.setdefault(UNSURE, 0)
    others = {status.value: _sum(counts, status) for status in (Status.FAILED, Status.SKIPPED)}
    total = max(sum(folders.values()) + sum(others.values()), 1)
    return [
        *(
            _Tally(name, True, count, count / total, _folder(journal, name))
            for name, count in folders.items()
        ),
        *(_Tally(name, False, count, count / total, None) for name, count in others.items()),
    ]


def _folders(counts: dict[tuple[str, str], int]) -> dict[str, int]:
    """Label -> how many photos have it."""
    ours = (Status.SORTED.value, Status.UNSURE.value)
    return {label: count for (status, label), count in counts.items() if status in ours}


def _order(rule: Rule) -> list[str]:
    """The classes, the positive one first, as people look for it."""
    return sorted(rule.classes, key=lambda label: label != rule.positive)


def _sum(counts: dict[tuple[str, str], int], wanted: Status) -> int:
    return sum(count for (status, _), count in counts.items() if status == wanted.value)


def _folder(journal: Journal, label: str) -> str | None:
    """A link to a label's folder; None where there is no such folder, as after `--action none`."""
    folder = journal.out.absolute() / label
    return folder.as_uri() if folder.is_dir() else None


# -- histogram -------------------------------------------------------------------------------------------------


def _bars(counts: list[int]) -> list[_Bar]:
    """Bars with heights by the square root, so that few doubtful photos show beside many certain ones."""
    most, bins = max(max(counts), 1), len(counts)
    return [
        _Bar(at / bins, (at + 1) / bins, count, math.sqrt(count / most)) for at, count in enumerate(counts)
    ]


def _ticks(most: int) -> list[_Tick]:
    """Round counts for the axis, and zero, with their heights, at least a fifth of the axis from each other."""
    ticks: list[_Tick] = []
    if most:
        powers = range(int(math.log10(most)), -1, -1)
        rounds = (digit * 10**power for power in powers for digit in (5, 2, 1))
        for count in rounds:
            height = math.sqrt(count / most)
            if 0.2 <= height <= (ticks[-1].height - 0.2 if ticks else 1):
                ticks.append(_Tick(count, height))
        ticks.append(_Tick(0, 0.0))
    return ticks


def _probability_of(rule: Rule) -> str:
    return (
        f"probability of {rule.positive}" if rule.positive is not None else "probability of the chosen class"
    )


# -- contact sheets --------------------------------------------------------------------------------------------


def _sampled(
    journal: Journal,
    rule: Rule,
    counts: dict[tuple[str, str], int],
    thumbnails: Thumbnails,
    heats: Thumbnails | None,
) -> Iterator[_Folder]:
    found = _folders(counts)
    order = [label for label in dict.fromkeys((*_order(rule), *found)) if label in found]
    each = max(1, min(EXTREMES, CARDS // (2 * max(len(order), 1))))
    for label in order:
        yield _Folder(label, found[label], _ends(journal, rule, label, each, thumbnails, heats))


def _ends(
    journal: Journal, rule: Rule, label: str, each: int, thumbnails: Thumbnails, heats: Thumbnails | None
) -> list[Sheet]:
    """Photos from both ends of a folder; one sheet where there are few."""
    # Photos in `unsure` are more or less probable, not more or less certain.
    positive = None if label == UNSURE else rule.positive
    first = journal.extremes(label, True, each, positive)
    # Few photos, or many of one probability, are at both ends. Each is shown once.
    known = {entry.id for entry in first}
    others = journal.extremes(label, False, 2 * each, positive)
    last = [entry for entry in others if entry.id not in known][:each]
    out = journal.out.absolute()
    cards = make_cards([_subject(out, entry) for entry in first + last], thumbnails, heats)
    notes = [f"highest {_probability_of(rule)}", f"lowest {_probability_of(rule)}"]
    if label == UNSURE:
        titles = ["Likeliest", "Least likely"]
    else:
        titles = ["Most certain", "Least certain"]
        if rule.positive is not None and label != rule.positive:
            notes.reverse()
    if not last:
        titles[0] = f"All, {titles[0].lower()} first"
    sheets = [Sheet(titles[0], notes[0], cards[: len(first)])]
    if last:
        sheets.append(Sheet(titles[1], notes[1], cards[len(first) :]))
    return sheets


def _subject(out: Path, entry: Entry) -> Subject:
    probability = entry.decision.probability if entry.decision else math.nan
    photo = replace(entry.photo, path=_place(out, entry))
    return Subject(photo, f"{probability:.3f}", name=entry.photo.path.name)


def _place(out: Path, entry: Entry) -> Path:
    """Where a photo lies now. A dry run names places that are empty, and people move files."""
    if entry.destination is not None and os.path.lexists(filed := out / entry.destination):
        return filed
    return entry.photo.path


# -- what was not sorted ---------------------------------------------------------------------------------------


def _groups(journal: Journal, counts: dict[tuple[str, str], int], wanted: Status) -> list[_Group]:
    reasons = {reason: count for (status, reason), count in counts.items() if status == wanted.value}
    return [
        _Group(reason, count, [_example(entry) for entry in journal.with_reason(Reason(reason), EXAMPLES)])
        for reason, count in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _example(entry: Entry) -> _Example:
    path = entry.photo.path
    return _Example(str(path), path.as_uri(), entry.failure.message if entry.failure else "")
