"""Review what a run sorted: the model's labels, a person's corrections, and what an apply would move."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.model.classes import ClassChange, ReviewClasses, added, merged, removed, renamed
from sorter.model.labels import NONE
from sorter.model.rule import ASIDE, Rule
from sorter.output.journal import ClassStep, CorrectionSteps, Journal, RunSettings, locked
from sorter.progress import Progress
from sorter.sort.apply import Applied, apply_review, export, undo_apply
from sorter.sort.table import Table, guesses, read_table, reviewable
from sorter.types import Failure, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One photo with the model's label and a person's.

    Attributes:
        path: where it lies now.
        label: the rule's; None where the photo was not scored.
        probability: of the positive class for two classes, of the likeliest for more.
        doubt: from 0, certain, to 1, about to be decided otherwise.
        corrected: the class that a person gave it, or None.
        failure: why it was not scored or not filed.
    """

    id: int
    path: Path
    label: str | None
    probability: float | None
    doubt: float | None
    corrected: str | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class Correction:
    """The class that a person gave a photo; `right` equals `predicted` where they confirmed the model's."""

    id: int
    path: Path
    predicted: str
    right: str


@dataclass(frozen=True, slots=True)
class Move:
    """A photo that lies in the folder of one label and belongs in another's."""

    id: int
    path: Path
    before: str
    after: str


class Review:
    """One output folder under review. Every correction is in its journal when the method returns.

    For one thread; whoever needs another opens another.
    """

    def __init__(self, journal: Journal, table: Table) -> None:
        self._journal = journal
        self.table = table
        self._version = journal.data_version()

    @classmethod
    def open(cls, out: Path, table: Table | None = None) -> Review:
        """Open a folder that `sorter run` wrote to.

        Args:
            table: as `read_table` gave it, where that was done elsewhere already.

        Raises:
            JournalError: there is no journal, or it cannot be read.
            UsageError: it is the journal of something else.
        """
        table = table or read_table(out)
        return cls(Journal.open(table.out), table)

    def close(self) -> None:
        self._journal.close()

    @property
    def classes(self) -> tuple[str, ...]:
        """What a photo can be corrected to."""
        return self.table.labels[:-1]

    @property
    def run(self) -> RunSettings:
        """How the photos were sorted."""
        return reviewable(self.table.out, self._journal)

    # -- classes -----------------------------------------------------------------------------------------------

    def add_class(self, name: str) -> None:
        """One more class, which the model does not know yet. It is a step that `undo` undoes.

        Raises:
            UsageError: the name cannot be a folder, or is one already.
            JournalError: as `assign`.
        """
        self._change_classes(lambda classes: added(classes, name))

    def rename_class(self, old: str, new: str) -> None:
        """Give a class another name, and its marks with it. Raises as `add_class`, and for no such class.

        The folders follow with the next apply, as for all changes of classes.
        """
        self._change_classes(lambda classes: renamed(classes, old, new))

    def merge_class(self, old: str, into: str) -> None:
        """Make one class of two. Raises as `rename_class`, and where fewer than two would be left."""
        self._change_classes(lambda classes: merged(classes, old, into))

    def remove_class(self, name: str) -> None:
        """Remove a class. Its photos are unsure, and its marks are cleared. Raises as `merge_class`."""
        self._change_classes(lambda classes: removed(classes, name))

    def _change_classes(self, change: Callable[[ReviewClasses], ClassChange]) -> None:
        with locked(self.table.out), self._journal.transaction():
            self._journal.change_classes(change(self._journal.classes()))
        self.reload()

    # -- labels and corrections --------------------------------------------------------------------------------

    def photos(self) -> Iterator[Reviewed]:
        """Every file that the journal holds, in the order found."""
        table = self.table
        predicted, doubt = table.predicted, table.doubt
        for row in range(len(table)):
            scored = predicted[row] >= 0
            yield Reviewed(
                int(table.id[row]),
                table.path(row),
                table.labels[predicted[row]] if scored else None,
                float(table.probability[row]) if scored else None,
                float(doubt[row]) if scored else None,
                table.labels[table.corrected[row]] if table.corrected[row] >= 0 else None,
                table.failures.get(row),
            )

    def corrections(self) -> list[Correction]:
        """Every correction and confirmation, in the order in which the photos were found."""
        table, predicted = self.table, self.table.predicted
        return [
            Correction(
                int(table.id[row]),
                table.path(row),
                table.labels[predicted[row]],
                table.labels[table.corrected[row]],
            )
            for row in np.flatnonzero(table.corrected >= 0).tolist()
        ]

    def assign(self, ids: Iterable[int], label: str | None) -> int:
        """Correct scored photos to a class; None removes their corrections. Returns how many changed.

        Args:
            label: one of `classes`, or `unsure` where a person cannot tell either.

        Raises:
            UsageError: no such class.
            JournalError: another process is at work on the folder, or its disk is full; nothing has changed.
        """
        if label is not None and label not in self.table.labels:
            raise UsageError(f"{label!r} is none of the classes {', '.join(self.classes)}")
        code = NONE if label is None else self.table.labels.index(label)
        rows = self._rows(ids)
        return self._correct(rows, np.full(len(rows), code, np.int16))

    def set_aside(self, ids: Iterable[int]) -> int:
        """Set scored photos aside. They have no class then, and the next apply moves them to a folder of their own.

        Returns how many changed. Raises: as `assign`.
        """
        rows = self._rows(ids)
        return self._correct(rows, np.full(len(rows), NONE, np.int16), aside=True)

    def confirm(self, ids: Iterable[int]) -> int:
        """Confirm the model's class of scored photos. Those in `unsure` and those marked before are passed over.

        Returns how many changed. Raises: as `assign`.
        """
        rows = self._rows(ids)
        predicted = self.table.predicted[rows]
        fit = ~self.table.checked[rows] & (predicted < len(self.classes))
        return self._correct(rows[fit], predicted[fit])

    def undo(self) -> list[int]:
        """Undo the latest step: marks, a threshold, or a change of the classes.

        Returns the ids of its photos; none for a threshold or classes, and where there is no step.
        """
        with locked(self.table.out), self._journal.transaction():
            classes = self._journal.undo_classes()
            threshold = None if classes else self._journal.undo_threshold()
            changed = {} if classes or threshold else self._journal.undo_correction()
        return self._follow(classes, threshold.before if threshold else None, changed)

    def redo(self) -> list[int]:
        """Redo the step that was undone last. Returns as `undo`."""
        with locked(self.table.out), self._journal.transaction():
            classes = self._journal.redo_classes()
            threshold = None if classes else self._journal.redo_threshold()
            changed = {} if classes or threshold else self._journal.redo_correction()
        return self._follow(classes, threshold.after if threshold else None, changed)

    def _follow(
        self, classes: ClassStep | None, rule: Rule | None, changed: Mapping[int, str | None]
    ) -> list[int]:
        """Bring the table to the journal after a step of classes, of a threshold's rule, or of marks."""
        if classes:
            self.reload()
            return []
        if rule:
            self.table.rule = rule
        return self._take_over(changed)

    @property
    def steps(self) -> CorrectionSteps:
        """How many photos `undo` would be about, and how many `redo`. 0 for nothing more, 1 for a setting."""
        return self._journal.correction_steps()

    def decide_by(self, rule: Rule) -> None:
        """Label by another threshold from now on. It is a step that `undo` undoes. Marks stay as they are.

        The folders follow with the next apply.
        """
        with locked(self.table.out), self._journal.transaction():
            if reviewable(self.table.out, self._journal).rule_in_force != rule:
                self._journal.change_threshold(rule)
        self.table.rule = rule

    def _correct(self, rows: NDArray[np.int64], codes: NDArray[np.int16], aside: bool = False) -> int:
        new = (self.table.corrected[rows] != codes) | (self.table.aside[rows] != aside)
        rows, codes = rows[new], codes[new]
        if not len(rows):
            return 0
        nothing = ASIDE if aside else None
        labels = [nothing if code < 0 else self.table.labels[code] for code in codes.tolist()]
        with locked(self.table.out), self._journal.transaction():
            self._journal.correct(dict(zip(self.table.id[rows].tolist(), labels, strict=True)))
        self.table.corrected[rows], self.table.aside[rows] = codes, aside
        self.table.guessed[rows] = self.table.predicted[rows]
        return len(rows)

    def _take_over(self, changed: Mapping[int, str | None]) -> list[int]:
        ids = list(changed)
        code = {label: number for number, label in enumerate(self.table.labels)}
        rows = np.searchsorted(self.table.id, ids)
        self.table.corrected[rows] = [code.get(label or "", NONE) for label in changed.values()]
        self.table.aside[rows] = [label == ASIDE and label not in code for label in changed.values()]
        self.table.guessed = guesses(self.table, self._journal.marked_in(), self._journal.threshold_steps())
        return ids

    def _rows(self, ids: Iterable[int]) -> NDArray[np.int64]:
        """The rows of those photos that were scored."""
        wanted = np.fromiter(ids, np.int64)
        rows = np.searchsorted(self.table.id, wanted)
        there = rows < len(self.table)
        there[there] = self.table.id[rows[there]] == wanted[there]
        chosen = np.zeros(len(self.table), np.bool_)
        chosen[rows[there]] = True
        return np.flatnonzero(chosen & ~np.isnan(self.table.probability))

    # -- the disk ----------------------------------------------------------------------------------------------

    @property
    def filed_by(self) -> Rule:
        """The rule that the folders were made with."""
        return reviewable(self.table.out, self._journal).rule

    @property
    def fileable(self) -> bool:
        """Do photos lie in the output, so that there is something to apply to?"""
        return bool((self.table.filed >= 0).any())

    @property
    def applied(self) -> bool:
        """Has an apply moved anything that `undo_apply` would put back?"""
        settings = self._journal.run_settings()
        return settings is not None and settings.rule_before is not None

    def plan(self) -> list[Move]:
        """What `apply` would move now."""
        return planned(self.table)

    def apply(self, progress: Progress | None = None) -> Applied:
        """`apply_review` of this folder; the table is read anew."""
        return self._and_reload(lambda: apply_review(self.table.out, progress))

    def undo_apply(self, progress: Progress | None = None) -> Applied:
        """`undo_apply` of this folder; the table is read anew."""
        return self._and_reload(lambda: undo_apply(self.table.out, progress))

    def export(self, target: Path, progress: Progress | None = None) -> Applied:
        """`export` of this folder."""
        return export(self.table.out, target, progress)

    def reload(self) -> None:
        """Read the table anew, after another process has filed photos."""
        self.take(read_table(self.table.out))

    def take(self, table: Table) -> None:
        """Go on with a table that was read a moment ago."""
        self.table = table
        self._version = self._journal.data_version()

    @property
    def outdated(self) -> bool:
        """Has another process, or another `Review`, written since the table was read?"""
        return self._journal.data_version() != self._version

    def _and_reload(self, act: Callable[[], Applied]) -> Applied:
        try:
            return act()
        finally:
            self.reload()


def planned(table: Table) -> list[Move]:
    """Photos in the output that lie in the folder of another label than they should."""
    wanted, filed = table.wanted, table.filed >= 0
    rows = np.flatnonzero(filed & (wanted >= 0) & (table.filed != wanted) & ~table.aside)
    aside = [row for row in np.flatnonzero(filed & table.aside).tolist() if table.folder(row) != ASIDE]
    return [
        Move(
            int(table.id[row]),
            table.path(row),
            table.folder(row),
            ASIDE if table.aside[row] else table.labels[wanted[row]],
        )
        for row in sorted((*rows.tolist(), *aside))
    ]
