"""The history of a review in a journal: marks, thresholds and classes, as steps that are undone and redone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sorter.model.classes import ClassChange, ReviewClasses
from sorter.model.rule import Rule
from sorter.output.journal.history import ClassStep, ThresholdStep
from sorter.output.journal.schema import CORRECTION
from sorter.output.journal.settings import RunSettings

BEFORE_ALL = -(1 << 62)  # earlier than any step
THRESHOLDS, CLASSES = "threshold_steps", "class_steps"  # settings in `meta`


class CorrectionSteps(NamedTuple):
    """How many photos the next undo would be about, and the next redo. 0 for nothing to do, 1 for a setting."""

    undo: int
    redo: int


class HistoryReader:
    """Answers what can be asked of the steps. A part of `Reader`."""

    _db: sqlite3.Connection

    def setting(self, key: str) -> Any:
        raise NotImplementedError

    def run_settings(self) -> RunSettings | None:
        raise NotImplementedError

    def correction_steps(self) -> CorrectionSteps:
        """How many photos the step is about that would be undone next, and the one that would be redone."""
        undo, redo = self._db.execute(
            "SELECT (SELECT count(*) FROM corrections WHERE step = "
            "(SELECT max(step) FROM corrections WHERE NOT undone)), (SELECT count(*) FROM corrections WHERE step = "
            "(SELECT min(step) FROM corrections WHERE undone))"
        ).fetchone()
        undoes_setting = self.threshold_to_undo() or self.classes_to_undo()
        redoes_setting = self.threshold_to_redo() or self.classes_to_redo()
        return CorrectionSteps(1 if undoes_setting else undo, 1 if redoes_setting else redo)

    def corrections(self) -> dict[int, str | None]:
        """Photo's id -> the class that a person gave it."""
        rows = self._db.execute(
            "SELECT photo, label, max(step) FROM corrections WHERE NOT undone GROUP BY photo ORDER BY photo"
        )
        return {photo: label for photo, label, _ in rows}

    def marked_in(self) -> dict[int, int]:
        """Photo's id -> the step that gave it its class. One that only renamed the class is none."""
        renamings = [each.step for each in self.class_steps()]
        marks = ", ".join("?" * len(renamings))
        rows = self._db.execute(
            f"SELECT photo, max(step) FROM corrections WHERE NOT undone AND step NOT IN ({marks}) GROUP BY photo",
            renamings,
        )
        return dict(rows.fetchall())

    # -- thresholds --------------------------------------------------------------------------------------------

    def threshold_steps(self) -> list[ThresholdStep]:
        """Every change of the threshold in a review, the earliest first."""
        return [ThresholdStep.from_json(each) for each in self.setting(THRESHOLDS) or ()]

    def threshold_to_undo(self) -> ThresholdStep | None:
        """The latest step of the review, where it changed the threshold. One that a run has overruled is none."""
        done = [each for each in self.threshold_steps() if not each.undone]
        if not done or not self._in_force(done[-1].after):
            return None
        return done[-1] if done[-1].step > max(self._last_mark(), self._last_class_step()) else None

    def threshold_to_redo(self) -> ThresholdStep | None:
        """The step that was undone last, where it changed the threshold."""
        undone = next((each for each in self.threshold_steps() if each.undone), None)
        if undone is None or undone.step <= self._last_mark() or not self._in_force(undone.before):
            return None
        classes = next((each.step for each in self.class_steps() if each.undone), None)
        return undone if all(undone.step < each for each in (self._first_undone(), classes) if each) else None

    def _in_force(self, rule: Rule) -> bool:
        settings = self.run_settings()
        return settings is not None and settings.rule_in_force == rule

    # -- classes -----------------------------------------------------------------------------------------------

    def class_steps(self) -> list[ClassStep]:
        """Every change of the classes in a review, the earliest first. Those of another model are none."""
        settings = self.run_settings()
        steps = (ClassStep.from_json(each) for each in self.setting(CLASSES) or ())
        return [each for each in steps if settings is not None and each.after.model == settings.classes]

    def classes(self) -> ReviewClasses:
        """The classes of the review now: the model's, with what a person changed of them."""
        done = [each for each in self.class_steps() if not each.undone]
        if done:
            return done[-1].after
        settings = self.run_settings()
        return ReviewClasses.of(() if settings is None else settings.classes)

    def classes_to_undo(self) -> ClassStep | None:
        """The latest step of the review, where it changed the classes."""
        done = [each for each in self.class_steps() if not each.undone]
        thresholds = [each.step for each in self.threshold_steps() if not each.undone]
        latest = max(self._last_mark(), *thresholds, BEFORE_ALL)
        return done[-1] if done and done[-1].step >= latest else None

    def classes_to_redo(self) -> ClassStep | None:
        """The step that was undone last, where it changed the classes."""
        undone = next((each for each in self.class_steps() if each.undone), None)
        others = [each.step for each in self.threshold_steps() if each.undone] + [self._first_undone() or 0]
        return undone if undone and all(undone.step <= each for each in others if each) else None

    def _last_class_step(self) -> int:
        return max((each.step for each in self.class_steps() if not each.undone), default=BEFORE_ALL)

    def _last_mark(self) -> int:
        (step,) = self._db.execute("SELECT max(step) FROM corrections WHERE NOT undone").fetchone()
        return BEFORE_ALL if step is None else int(step)

    def _first_undone(self) -> int | None:
        (step,) = self._db.execute("SELECT min(step) FROM corrections WHERE undone").fetchone()
        return None if step is None else int(step)


class HistoryWriter(HistoryReader):
    """Writes the steps. A part of `Journal`. Each method is called within a transaction."""

    def set(self, **values: Any) -> None:
        raise NotImplementedError

    def set_run(self, settings: RunSettings, state: str | None = None) -> None:
        raise NotImplementedError

    # -- marks -------------------------------------------------------------------------------------------------

    def correct(self, labels: Mapping[int, str | None]) -> None:
        """Write corrections as one step: photo's id -> its class, None to remove a correction. Drops undone steps."""
        self._write_marks(self._new_step(), labels)

    def _write_marks(self, step: int, labels: Mapping[int, str | None]) -> None:
        self._db.executemany(
            "INSERT INTO corrections (step, photo, label) VALUES (?, ?, ?)",
            ((step, photo, label) for photo, label in labels.items()),
        )

    def undo_correction(self) -> dict[int, str | None]:
        """Undo the latest step. Returns the corrections that its photos now have; empty where there is no step."""
        return self._flip("SELECT max(step) FROM corrections WHERE NOT undone", True)

    def redo_correction(self) -> dict[int, str | None]:
        """Redo the step that was undone last. Returns as `undo_correction`."""
        return self._flip("SELECT min(step) FROM corrections WHERE undone", False)

    def _flip(self, which: str, undone: bool) -> dict[int, str | None]:
        (step,) = self._db.execute(which).fetchone()
        return {} if step is None else self._flip_marks(step, undone)

    def _flip_marks(self, step: int, undone: bool) -> dict[int, str | None]:
        self._db.execute("UPDATE corrections SET undone = ? WHERE step = ?", (undone, step))
        return dict(
            self._db.execute(
                f"SELECT p.id, {CORRECTION} FROM photos p WHERE p.id IN "
                "(SELECT photo FROM corrections WHERE step = ?)",
                (step,),
            ).fetchall()
        )

    def _new_step(self) -> int:
        """The number of a step that begins now. What was undone can no longer be redone."""
        self._db.execute("DELETE FROM corrections WHERE undone")
        thresholds = self._drop_undone(THRESHOLDS, self.threshold_steps())
        classes = self._drop_undone(CLASSES, self.class_steps())
        return max(0, self._last_mark(), *thresholds, *classes) + 1

    def _drop_undone(self, key: str, steps: Sequence[ThresholdStep] | Sequence[ClassStep]) -> list[int]:
        """Forget the steps that were undone. Returns the numbers of the others."""
        done = [each for each in steps if not each.undone]
        if len(done) < len(steps):
            self._write_steps(key, done)
        return [each.step for each in done]

    def _write_steps(self, key: str, steps: Iterable[ThresholdStep | ClassStep]) -> None:
        self.set(**{key: [each.to_json() for each in steps]})

    # -- thresholds --------------------------------------------------------------------------------------------

    def change_threshold(self, rule: Rule) -> None:
        """Label by another rule in the review, as one step. Drops undone steps."""
        settings = self.run_settings()
        assert settings is not None
        step = ThresholdStep(self._new_step(), settings.rule_in_force, rule)
        self._write_steps(THRESHOLDS, (*self.threshold_steps(), step))
        self.set_run(replace(settings, reviewed_rule=rule))

    def undo_threshold(self) -> ThresholdStep | None:
        """Undo the latest step, where it changed the threshold. Returns it, or None for any other step."""
        step = self.threshold_to_undo()
        if step is not None:
            self._flip_threshold(step, step.before)
        return step

    def redo_threshold(self) -> ThresholdStep | None:
        """Redo the step that was undone last, where it changed the threshold. Returns as `undo_threshold`."""
        step = self.threshold_to_redo()
        if step is not None:
            self._flip_threshold(step, step.after)
        return step

    def _flip_threshold(self, step: ThresholdStep, rule: Rule) -> None:
        settings = self.run_settings()
        assert settings is not None
        self.set_run(replace(settings, reviewed_rule=rule))
        steps = (
            replace(each, undone=not each.undone) if each == step else each for each in self.threshold_steps()
        )
        self._write_steps(THRESHOLDS, steps)

    # -- classes -----------------------------------------------------------------------------------------------

    def change_classes(self, change: ClassChange) -> int:
        """Change the classes, and the marks that it is about, as one step. Returns how many marks changed.

        Drops undone steps.
        """
        number = self._new_step()
        step = ClassStep(number, self.classes(), change.after)
        photos = [
            photo for photo, label in self.corrections().items() if change.mark and label == change.mark
        ]
        self._write_steps(CLASSES, (*self.class_steps(), step))
        self._write_marks(number, dict.fromkeys(photos, change.becomes))
        return len(photos)

    def undo_classes(self) -> ClassStep | None:
        """Undo the latest step, where it changed the classes. Returns it, or None for any other step."""
        return self._flip_classes(self.classes_to_undo(), True)

    def redo_classes(self) -> ClassStep | None:
        """Redo the step that was undone last, where it changed the classes. Returns as `undo_classes`."""
        return self._flip_classes(self.classes_to_redo(), False)

    def _flip_classes(self, step: ClassStep | None, undone: bool) -> ClassStep | None:
        if step is not None:
            self._flip_marks(step.step, undone)
            steps = (replace(each, undone=undone) if each == step else each for each in self.class_steps())
            self._write_steps(CLASSES, steps)
        return step
