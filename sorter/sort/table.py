"""A journal's photos as columns, and what a rule makes of them: a hundred thousand sort and filter in milliseconds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.model.rule import UNSURE, Rule
from sorter.output.journal import Journal
from sorter.types import Failure, Reason, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = -1  # the code of no label
SEPARATOR = os.fsencode(os.sep)


@dataclass
class Table:
    """A folder's photos as columns: a hundred thousand of them sort and filter in milliseconds.

    A label is a code: its place in `labels`, -1 for none. Plain data, so that it can be read on another thread.

    Attributes:
        out: the output folder.
        labels: the model's classes in its order, then `unsure`.
        rule: how probabilities become labels.
        id: int64, shape (n,), rising: the order in which photos were found.
        probability: float64, of the positive class for two classes, of the likeliest for more; NaN where not scored.
        likeliest: int16, the code of the likeliest class; for two classes as good as unused.
        filed: int16, the label whose folder it lies in; -1 where it is not in the output.
        corrected: int16, what a person says.
        size: int64, bytes.
        mtime_ns: int64, nanoseconds since the epoch.
        width: int32, of the photo, upright, pixels; 0 where not scored.
        height: int32, likewise.
        failed: bool.
        source: the path that was scanned, in the system's bytes.
        destination: where it lies, relative to `out`, in the system's bytes; None where not filed.
        failures: row -> why it failed.
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

    def __len__(self) -> int:
        return len(self.id)

    @property
    def said(self) -> NDArray[np.int16]:
        """The label that the rule gives each, shape (n,)."""
        return labels_by(self.rule, self.probability, self.likeliest)

    @property
    def wanted(self) -> NDArray[np.int16]:
        """The label each should have: a person's, else the rule's. Shape (n,)."""
        return np.where(self.corrected >= 0, self.corrected, self.said)

    @property
    def doubt(self) -> NDArray[np.float64]:
        """How near each is to being decided otherwise: 1 on the edge, 0 for certain, NaN where not scored."""
        return doubt_by(self.rule, self.probability)

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
        settings = run_settings(out, journal)
        labels = (*settings["classes"], UNSURE)
        rule = rule_of(settings, reviewed=True)
        pages = list(journal.columns(probabilities=not is_binary(rule)))
        corrections = journal.corrections()
    likeliest = [_likeliest(page, len(rule.classes)) for page in pages]
    rows = [row for page in pages for row in page]
    columns: list[Sequence[Any]] = [*zip(*rows, strict=True)] or [()] * 11
    (ids, source, size, mtime_ns, reasons, messages, probability, _) = columns[:8]
    (width, height, place) = columns[8:]
    code = {name: number for number, name in enumerate(labels)}
    folder = {os.fsencode(name): number for name, number in code.items()}
    filed = [NONE if at is None else folder.get(at.split(SEPARATOR, 1)[0], NONE) for at in place]
    number = np.array(ids, np.int64)
    corrected = np.full(len(number), NONE, np.int16)
    corrected[np.searchsorted(number, list(corrections))] = [
        code.get(label, NONE) for label in corrections.values()
    ]
    return Table(
        out=out,
        labels=labels,
        rule=rule,
        id=number,
        probability=np.array(probability, np.float64),
        likeliest=np.concatenate(likeliest) if likeliest else np.empty(0, np.int16),
        filed=np.array(filed, np.int16),
        corrected=corrected,
        size=np.array(size, np.int64),
        mtime_ns=np.array(mtime_ns, np.int64),
        width=np.array([pixels or 0 for pixels in width], np.int32),
        height=np.array([pixels or 0 for pixels in height], np.int32),
        failed=np.array([reason is not None for reason in reasons], np.bool_),
        source=list(source),
        destination=list(place),
        failures={
            row: Failure(Reason(reason), messages[row] or "")
            for row, reason in enumerate(reasons)
            if reason is not None
        },
    )


def labels_by(
    rule: Rule, probability: NDArray[np.float64], likeliest: NDArray[np.int16]
) -> NDArray[np.int16]:
    """`Rule.__call__` for whole columns: codes of labels, -1 where the probability is NaN."""
    if is_binary(rule):
        positive = rule.classes.index(rule.positive or "")
        said = np.where(probability >= rule.threshold, positive, 1 - positive).astype(np.int16)
    else:
        said = likeliest.copy()
    if rule.unsure is not None:
        low, high = rule.unsure
        said[(probability >= low) & (probability <= high)] = len(rule.classes)
    said[np.isnan(probability)] = NONE
    return said


def doubt_by(rule: Rule, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where a photo is about to be decided otherwise, 0 where the model is certain; NaN stays.

    For two classes the distance to the threshold, as a part of what it could be on that side; for more
    the share of probability that the other classes have.
    """
    if not is_binary(rule):
        return 1 - probability
    above = (1 - probability) / (1 - rule.threshold)
    below = probability / rule.threshold
    return np.where(probability >= rule.threshold, above, below)


def _likeliest(page: list[tuple[Any, ...]], classes: int) -> NDArray[np.int16]:
    found = np.full(len(page), NONE, np.int16)
    at = [row for row, each in enumerate(page) if each[7] is not None]
    if at:
        values = np.frombuffer(b"".join(page[row][7] for row in at), np.float64)
        found[at] = values.reshape(len(at), classes).argmax(1)
    return found


def is_binary(rule: Rule) -> bool:
    return rule.positive is not None and len(rule.classes) == 2


def run_settings(out: Path, journal: Journal) -> dict[str, Any]:
    """What the run was told. Raises UsageError for a journal of something else."""
    settings: dict[str, Any] | None = journal.setting("run")
    if not settings or not settings["classes"]:
        raise UsageError(f"{out}: holds no photos that `sorter run` sorted; name a folder that it wrote to")
    return settings


def rule_of(settings: Mapping[str, Any], reviewed: bool) -> Rule:
    """The run's rule, or with `reviewed` the one set since, which waits to be applied."""
    threshold, unsure = (settings.get("review") if reviewed else None) or settings["rule"]
    return Rule(
        tuple(settings["classes"]), settings["positive"], threshold, tuple(unsure) if unsure else None
    )


def rule_to_json(rule: Rule) -> list[Any]:
    return [rule.threshold, list(rule.unsure) if rule.unsure else None]
