"""The photos of a journal as columns, with the labels that a rule gives them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.model.classes import ReviewClasses
from sorter.model.labels import NONE, doubts, predicted_labels
from sorter.model.rule import ASIDE, UNSURE, Rule
from sorter.output.journal import Journal, RunSettings, ThresholdStep
from sorter.output.layout import FolderLayout
from sorter.types import Failure, Reason, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEPARATOR = os.fsencode(os.sep)


@dataclass(frozen=True, slots=True)
class Likely:
    """A label and how probable the model finds it, 0 to 1."""

    label: int
    probability: float


@dataclass
class Table:
    """The photos of an output folder as columns, so that a hundred thousand sort and filter in milliseconds.

    A label is a code: its place in `labels`, -1 for none. The table is plain data and can be read on another thread.

    Attributes:
        out: the output folder.
        labels: the classes, then `unsure`. They are the model's in its order, unless a person changed them.
        rule: how probabilities become labels.
        id: int64, shape (n,), rising: the order in which photos were found.
        probability: float64, of the positive class for two classes, of the likeliest for more; NaN where not scored.
        likeliest: int16, the place of the likeliest class among `rule.classes`. Not read for two classes.
        filed: int16, the label whose folder it lies in; -1 where it is not in the output. The number of labels where
            it lies in the folder of a class that has another name now, or is gone.
        corrected: int16, the class that a person gave it; -1 for none.
        second: int16, the place of the second likeliest class among `rule.classes`. Not read for two classes.
        second_probability: float64, of that class; NaN where not scored. Not read for two classes.
        unfamiliar: float64, as of `Scores`; NaN where nobody asked. Empty where nobody ever did.
        size: int64, bytes.
        mtime_ns: int64, nanoseconds since the epoch.
        width: int32, of the photo, upright, pixels; 0 where not scored.
        height: int32, likewise.
        failed: bool.
        source: the path that was scanned, in the system's bytes.
        destination: where it lies, relative to `out`, in the system's bytes; None where not filed.
        failures: row -> why it failed.
        companions: int32, how many files belong to each: its raw, its sidecars, its film.
        guessed: int16, the label that the rule gave it when a person marked it. Only read for marked photos.
        classes: what became of the model's classes in the review.
        aside: bool, a person set it aside. It has no class then.
        class_level: which folder of a destination is the class, from 0; None where the layout has none.
    """

    out: Path
    labels: tuple[str, ...]
    rule: Rule
    id: NDArray[np.int64]
    probability: NDArray[np.float64]
    likeliest: NDArray[np.int16]
    filed: NDArray[np.int16]
    corrected: NDArray[np.int16]
    size: NDArray[np.int64]
    mtime_ns: NDArray[np.int64]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    failed: NDArray[np.bool_]
    source: list[bytes]
    destination: list[bytes | None]
    failures: dict[int, Failure]
    second: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    second_probability: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    unfamiliar: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    companions: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    guessed: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    classes: ReviewClasses = field(default_factory=lambda: ReviewClasses((), (), ()))
    aside: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    class_level: int | None = 0

    def __post_init__(self) -> None:
        if not self.classes.names:
            self.classes = ReviewClasses.of(self.rule.classes)
        if len(self.companions) != len(self.id):
            self.companions = np.zeros(len(self.id), np.int32)
        if len(self.guessed) != len(self.id):
            self.guessed = self.predicted
        if len(self.aside) != len(self.id):
            self.aside = np.zeros(len(self.id), np.bool_)

    def __len__(self) -> int:
        return len(self.id)

    @property
    def predicted(self) -> NDArray[np.int16]:
        """The label that the rule gives each, shape (n,)."""
        return self.labels_of(self.rule)

    def labels_of(self, rule: Rule, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.int16]:
        """The label that a rule of this model gives each of some rows, shape (n,)."""
        unfamiliar = self.unfamiliar[rows] if len(self.unfamiliar) else None
        codes = predicted_labels(rule, self.probability[rows], self.likeliest[rows], unfamiliar)
        # The last place is -1's: no label stays no label.
        return np.array([*self.classes.codes, NONE], np.int16)[codes]

    @property
    def positive(self) -> int | None:
        """The code of the class whose probability the table holds; None for more than two classes."""
        at = self.rule.positive_index
        return None if at is None else self.classes.codes[at]

    @property
    def wanted(self) -> NDArray[np.int16]:
        """The label each should have: a person's, else the rule's. Shape (n,)."""
        return np.where(self.corrected >= 0, self.corrected, self.predicted)

    def wanted_of(self, row: int) -> int:
        """The label that one photo should have; -1 for none, and where it is set aside."""
        if self.aside[row]:
            return NONE
        marked = int(self.corrected[row])
        return marked if marked >= 0 else int(self.labels_of(self.rule, np.array([row]))[0])

    @property
    def checked(self) -> NDArray[np.bool_]:
        """Which a person has marked or set aside, shape (n,)."""
        return (self.corrected >= 0) | self.aside

    @property
    def changed(self) -> NDArray[np.bool_]:
        """Which a person gave another class than the rule did at that time. A later threshold changes none of it."""
        changed: NDArray[np.bool_] = (self.corrected >= 0) & (self.corrected != self.guessed)
        return changed

    @property
    def misplaced(self) -> int:
        """How many photos lie in the folder of another label than they should."""
        wanted, filed = self.wanted, self.filed >= 0
        moved = filed & (wanted >= 0) & (self.filed != wanted) & ~self.aside
        return int(moved.sum()) + sum(
            self.folder(row) != ASIDE for row in np.flatnonzero(filed & self.aside).tolist()
        )

    @property
    def doubt(self) -> NDArray[np.float64]:
        """How near each is to another label: 1 on the edge, 0 for certain, NaN where not scored."""
        return doubts(self.rule, self.probability)

    def likely(self, row: int) -> tuple[Likely, ...]:
        """The two labels that the model finds likeliest for a photo. Only one where both are one class by now."""
        probability = float(self.probability[row])
        if np.isnan(probability):
            return ()
        codes, positive = self.classes.codes, self.rule.positive_index
        if positive is not None:
            found = [Likely(codes[positive], probability), Likely(codes[1 - positive], 1 - probability)]
            found.sort(key=lambda each: -each.probability)
        else:
            found = [Likely(codes[int(self.likeliest[row])], probability)]
            if len(self.second) and self.second[row] >= 0:
                second = float(self.second_probability[row])
                found.append(Likely(codes[int(self.second[row])], second))
        if len(found) > 1 and found[0].label == found[1].label:
            return (Likely(found[0].label, found[0].probability + found[1].probability),)
        return tuple(found)

    def folder(self, row: int) -> str:
        """Name of the folder in the output that a filed photo lies in."""
        destination = self.destination[row]
        assert destination is not None
        return os.fsdecode(_class_folder(destination, self.class_level or 0))

    def path(self, row: int) -> Path:
        """Where the photo lies now."""
        destination = self.destination[row]
        if destination is None:
            return Path(os.fsdecode(self.source[row]))
        return self.out / os.fsdecode(destination)


def read_table(out: Path) -> Table:
    """Read an output folder's journal. Raises as `Review.open`."""
    out = out.resolve()
    with closing(Journal.read(out)) as journal:
        settings = reviewable(out, journal)
        rule, level = settings.rule_in_force, FolderLayout.parse(settings.layout).class_level
        pages = list(journal.columns(probabilities=not rule.binary))
        ranks = [_ranks(page.probabilities, len(rule.classes)) for page in pages]
        corrections = journal.corrections()
        scores = journal.unfamiliar()
        companions = journal.companion_counts()
        marked_in, thresholds = journal.marked_in(), journal.threshold_steps()
        classes = journal.classes()
    labels = (*classes.names, UNSURE)
    code: dict[str | None, int] = {name: number for number, name in enumerate(labels)}
    ids = np.array([*chain.from_iterable(page.id for page in pages)], np.int64)
    corrected = np.full(len(ids), NONE, np.int16)
    corrected[np.searchsorted(ids, list(corrections))] = [
        code.get(label, NONE) for label in corrections.values()
    ]
    aside = np.zeros(len(ids), np.bool_)
    aside[np.searchsorted(ids, [photo for photo, label in corrections.items() if label == ASIDE])] = True
    destination = [*chain.from_iterable(page.destination for page in pages)]
    reasons = [*chain.from_iterable(page.reason for page in pages)]
    messages = [*chain.from_iterable(page.message for page in pages)]
    table = Table(
        out=out,
        labels=labels,
        rule=rule,
        id=ids,
        probability=np.array([*chain.from_iterable(page.probability for page in pages)], np.float64),
        likeliest=np.concatenate([np.empty(0, np.int16), *(each.first for each in ranks)]),
        second=np.concatenate([np.empty(0, np.int16), *(each.second for each in ranks)]),
        second_probability=np.concatenate([np.empty(0), *(each.probability for each in ranks)]),
        filed=_filed(destination, labels, level),
        class_level=level,
        corrected=corrected,
        size=np.array([*chain.from_iterable(page.size for page in pages)], np.int64),
        mtime_ns=np.array([*chain.from_iterable(page.mtime_ns for page in pages)], np.int64),
        width=np.array([pixels or 0 for page in pages for pixels in page.width], np.int32),
        height=np.array([pixels or 0 for page in pages for pixels in page.height], np.int32),
        failed=np.array([reason is not None for reason in reasons], np.bool_),
        source=[*chain.from_iterable(page.path for page in pages)],
        destination=destination,
        failures={
            row: Failure(Reason(reason), messages[row] or "")
            for row, reason in enumerate(reasons)
            if reason is not None
        },
        classes=classes,
        unfamiliar=_unfamiliar(ids, scores),
        companions=_companions(ids, companions),
        aside=aside & (corrected < 0),
    )
    table.guessed = guesses(table, marked_in, thresholds)
    return table


def _companions(ids: NDArray[np.int64], counts: Mapping[int, int]) -> NDArray[np.int32]:
    found = np.zeros(len(ids), np.int32)
    found[np.searchsorted(ids, list(counts))] = list(counts.values())
    return found


def _unfamiliar(ids: NDArray[np.int64], scores: Mapping[int, float]) -> NDArray[np.float64]:
    if not scores:
        return np.empty(0)
    found = np.full(len(ids), np.nan)
    found[np.searchsorted(ids, list(scores))] = list(scores.values())
    return found


def guesses(table: Table, marked_in: Mapping[int, int], steps: Sequence[ThresholdStep]) -> NDArray[np.int16]:
    """The label that the rule gave each marked photo when it was marked, shape (n,).

    Args:
        marked_in: photo's id -> the step of its mark.
        steps: the changes of the threshold.
    """
    done = [each for each in steps if not each.undone]
    rules = [done[0].before if done else table.rule, *(each.after for each in done)]
    rows = np.searchsorted(table.id, list(marked_in))
    period = np.searchsorted([each.step for each in done], list(marked_in.values()))
    found = table.predicted
    for number, rule in enumerate(rules):
        at = rows[period == number]
        found[at] = table.labels_of(rule, at)
    return found


def reviewable(out: Path, journal: Journal) -> RunSettings:
    """The settings of the run that sorted the photos. Raises UsageError for a journal of something else."""
    settings = journal.run_settings()
    if settings is None or not settings.classes:
        raise UsageError(f"{out}: holds no photos that `sorter run` sorted; name a folder that it wrote to")
    return settings


def _class_folder(destination: bytes, level: int) -> bytes:
    return (destination.split(SEPARATOR, level + 1) + [b""] * level)[level]


def _filed(
    destination: Sequence[bytes | None], labels: Sequence[str], level: int | None
) -> NDArray[np.int16]:
    """The code of the class folder that each photo lies in, shape (n,); -1 where the layout has no such folder."""
    if level is None:
        return np.full(len(destination), NONE, np.int16)
    folder = {os.fsencode(name): number for number, name in enumerate(labels)}
    other = len(labels)
    return np.array(
        [NONE if at is None else folder.get(_class_folder(at, level), other) for at in destination], np.int16
    )


@dataclass(frozen=True)
class _Ranks:
    """The two likeliest classes of some photos, arrays of shape (n,); -1 and NaN where there are no probabilities."""

    first: NDArray[np.int16]
    second: NDArray[np.int16]
    probability: NDArray[np.float64]


def _ranks(probabilities: Sequence[bytes | None], classes: int) -> _Ranks:
    """The probability is that of the second."""
    shape = (2, len(probabilities))
    found, probability = np.full(shape, NONE, np.int16), np.full(len(probabilities), np.nan)
    rows = [row for row, values in enumerate(probabilities) if values is not None]
    if rows:
        values = np.frombuffer(b"".join(values for values in probabilities if values is not None), np.float64)
        table = values.reshape(len(rows), classes).copy()
        each = np.arange(len(rows))
        found[0, rows] = first = table.argmax(1)
        table[each, first] = -1
        found[1, rows] = second = table.argmax(1)
        probability[rows] = table[each, second]
    return _Ranks(found[0], found[1], probability)
