"""`report.html` of a run: one page that needs nothing but itself. Layout is in `templates/run.html`."""

from __future__ import annotations

import base64
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.files import atomic_text
from sorter.model.rule import UNSURE, Rule
from sorter.output.journal import Entry, Journal
from sorter.types import ActionKind, Failure, Photo, Reason, Result, SorterError, Status

if TYPE_CHECKING:
    import jinja2

BINS = 20
EXTREMES = 8  # photos at each end of a folder
CARDS = 400  # on the page, about: a model with a thousand classes shows fewer of each
EXAMPLES = 20  # files named for each reason

# Left in a page, these could not be encoded (halves of surrogate pairs), would vanish (control characters),
# or would show one name as another (characters that turn the direction of writing).
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

Thumbnails = Callable[[Iterable[Photo]], Iterable[Result[bytes]]]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What the page says of the run that the journal does not know.

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


@dataclass(frozen=True, slots=True)
class _Card:
    """A photo on the contact sheet; `image` is a data: URI, or None with the reason in `fault`."""

    name: str
    path: str
    link: str
    probability: float
    image: str | None
    fault: Failure | None


@dataclass(frozen=True, slots=True)
class _Strip:
    """One end of a folder."""

    title: str
    note: str
    cards: list[_Card]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The contact sheet of one folder."""

    label: str
    count: int
    strips: list[_Strip]


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


def write_html(journal: Journal, target: Path, *, page: RunInfo, rule: Rule, thumbnails: Thumbnails) -> None:
    """Write the report of what the journal holds, whole or not at all.

    Memory: one folder's contact sheet, however many photos and folders there are.

    Args:
        journal: of the run.
        target: the file to write, or replace.
        page: what else is known of the run.
        rule: by which the journal's photos were last decided.
        thumbnails: one result per photo, in order, with a JPEG's bytes: `Pool(Thumbnail(...), ...).run`.
            A photo without one gets a placeholder.

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
        "sheets": _sheets(journal, rule, counts, thumbnails),
        "failed": _groups(journal, counts, Status.FAILED),
        "skipped": _groups(journal, counts, Status.SKIPPED),
        "examples": EXAMPLES,
    }
    write_page(target, "run.html", context)


def write_page(target: Path, template: str, context: dict[str, Any]) -> None:
    """Fill a template of `templates/` in, whole or not at all; values are escaped, Markup is not.

    Raises:
        SorterError: the file cannot be written.
    """
    try:
        with atomic_text(target, sync=True) as file:
            file.writelines(_template(template).generate(context))
    except OSError as error:
        raise SorterError(
            f"{target}: cannot be written ({error.strerror or error}); free some space or name another place"
        ) from error


def printable(text: str) -> str:
    """File names are any bytes: what a page cannot show is written as a backslash escape, such as `\\udcff`."""
    return UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _template(name: str) -> jinja2.Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sorter.reports"),
        autoescape=True,
        # Of every value that goes into the page, so that none can be forgotten. Markup is text already escaped.
        finalize=lambda value: printable(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = "{:,}".format
    return environment.get_template(name)


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
    """What people look for comes first."""
    return sorted(rule.classes, key=lambda label: label != rule.positive)


def _sum(counts: dict[tuple[str, str], int], wanted: Status) -> int:
    return sum(count for (status, _), count in counts.items() if status == wanted.value)


def _folder(journal: Journal, label: str) -> str | None:
    """Photos may all be where they were (`--action none`): then there is no such folder to open."""
    folder = journal.out.absolute() / label
    return folder.as_uri() if folder.is_dir() else None


# -- histogram -------------------------------------------------------------------------------------------------


def _bars(counts: list[int]) -> list[_Bar]:
    """Heights go with the square root: the few doubtful photos show beside the many certain ones."""
    most, bins = max(max(counts), 1), len(counts)
    return [
        _Bar(at / bins, (at + 1) / bins, count, math.sqrt(count / most)) for at, count in enumerate(counts)
    ]


def _ticks(most: int) -> list[tuple[int, float]]:
    """Round counts for the axis, and zero, with their heights: a fifth of the axis apart at least."""
    ticks: list[tuple[int, float]] = []
    if most:
        powers = range(int(math.log10(most)), -1, -1)
        rounds = (digit * 10**power for power in powers for digit in (5, 2, 1))
        for count in rounds:
            height = math.sqrt(count / most)
            if 0.2 <= height <= (ticks[-1][1] - 0.2 if ticks else 1):
                ticks.append((count, height))
        ticks.append((0, 0.0))
    return ticks


def _probability_of(rule: Rule) -> str:
    return (
        f"probability of {rule.positive}" if rule.positive is not None else "probability of the chosen class"
    )


# -- contact sheets --------------------------------------------------------------------------------------------


def _sheets(
    journal: Journal, rule: Rule, counts: dict[tuple[str, str], int], thumbnails: Thumbnails
) -> Iterator[_Sheet]:
    found = _folders(counts)
    order = [label for label in dict.fromkeys((*_order(rule), *found)) if label in found]
    each = max(1, min(EXTREMES, CARDS // (2 * max(len(order), 1))))
    for label in order:
        yield _sheet(journal, rule, label, found[label], each, thumbnails)


def _sheet(journal: Journal, rule: Rule, label: str, count: int, each: int, thumbnails: Thumbnails) -> _Sheet:
    # In `unsure` there is no more and less certain, only more and less probable.
    positive = None if label == UNSURE else rule.positive
    first = journal.extremes(label, True, each, positive)
    # Few photos, or many of one probability, are at both ends: each is shown once.
    known = {entry.id for entry in first}
    others = journal.extremes(label, False, 2 * each, positive)
    last = [entry for entry in others if entry.id not in known][:each]
    cards = list(_cards(journal.out.absolute(), first + last, thumbnails))
    notes = [f"highest {_probability_of(rule)}", f"lowest {_probability_of(rule)}"]
    if label == UNSURE:
        titles = ["Likeliest", "Least likely"]
    else:
        titles = ["Most certain", "Least certain"]
        if rule.positive is not None and label != rule.positive:
            notes.reverse()
    if not last:
        titles[0] = f"All, {titles[0].lower()} first"
    strips = [_Strip(titles[0], notes[0], cards[: len(first)])]
    if last:
        strips.append(_Strip(titles[1], notes[1], cards[len(first) :]))
    return _Sheet(label, count, strips)


def _cards(out: Path, entries: list[Entry], thumbnails: Thumbnails) -> Iterator[_Card]:
    places = [_place(out, entry) for entry in entries]
    photos = [replace(entry.photo, path=place) for entry, place in zip(entries, places, strict=True)]
    for entry, place, result in zip(entries, places, thumbnails(photos), strict=True):
        image, fault = None, None
        if isinstance(result.outcome, Failure):
            fault = result.outcome
        else:
            image = f"data:image/jpeg;base64,{base64.b64encode(result.outcome).decode()}"
        probability = entry.decision.probability if entry.decision else math.nan
        yield _Card(entry.photo.path.name, str(place), place.as_uri(), probability, image, fault)


def _place(out: Path, entry: Entry) -> Path:
    """Where a photo lies now: a dry run names places that nothing is in, and people move things."""
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
