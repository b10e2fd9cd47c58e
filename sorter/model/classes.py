"""The classes of a review: those of the model, and what a person added, renamed, merged or removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sorter.model.folder import check_labels
from sorter.model.rule import UNSURE
from sorter.types import Decision, Status, UsageError

FEWEST = 2  # classes that are left


@dataclass(frozen=True)
class ReviewClasses:
    """The classes that photos are sorted into, and what became of the model's own.

    Attributes:
        model: the model's classes, in its order.
        names: the classes now, in the order of their codes.
        now: for each of `model`, its name now. None where it was removed: its photos are unsure.
    """

    model: tuple[str, ...]
    names: tuple[str, ...]
    now: tuple[str | None, ...]

    @classmethod
    def of(cls, model: tuple[str, ...]) -> ReviewClasses:
        """The model's own."""
        return cls(model, model, model)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ReviewClasses:
        return cls(tuple(data["model"]), tuple(data["names"]), tuple(data["now"]))

    def to_json(self) -> dict[str, Any]:
        return {"model": list(self.model), "names": list(self.names), "now": list(self.now)}

    @property
    def codes(self) -> tuple[int, ...]:
        """The code of each of the model's classes, and of `unsure` after them."""
        unsure = len(self.names)
        return (*(unsure if name is None else self.names.index(name) for name in self.now), unsure)

    @property
    def added(self) -> tuple[str, ...]:
        """Classes that the model does not know."""
        return tuple(name for name in self.names if name not in self.now)

    def label(self, predicted: str) -> str:
        """What a label of the model is called now."""
        if predicted not in self.model:
            return predicted
        return self.now[self.model.index(predicted)] or UNSURE

    def decision(self, decision: Decision) -> Decision:
        """What a rule of the model decided, in the classes of the review."""
        label = self.label(decision.label)
        status = Status.UNSURE if label == UNSURE and UNSURE not in self.names else decision.status
        return replace(decision, label=label, status=status)


@dataclass(frozen=True, slots=True)
class ClassChange:
    """A change of the classes, and what it does to a person's marks.

    Attributes:
        after: the classes from then on.
        mark: the class whose marks change; None where none do.
        becomes: the class of these marks from then on; None clears them.
    """

    after: ReviewClasses
    mark: str | None = None
    becomes: str | None = None


def added(classes: ReviewClasses, name: str) -> ClassChange:
    """One more class. Raises UsageError for a name that cannot be a folder, or is one already."""
    return ClassChange(_with_names(classes, (*classes.names, name)))


def renamed(classes: ReviewClasses, old: str, new: str) -> ClassChange:
    """Another name for a class. Raises UsageError as `added`, and for a class that is not there."""
    place = _place(classes, old)
    names = (*classes.names[:place], new, *classes.names[place + 1 :])
    return ClassChange(_moved(_with_names(classes, names), old, new), old, new)


def merged(classes: ReviewClasses, old: str, into: str) -> ClassChange:
    """Two classes become one. Raises UsageError where fewer than two would be left."""
    _place(classes, into)
    return ClassChange(_moved(_without(classes, old), old, into), old, into)


def removed(classes: ReviewClasses, name: str) -> ClassChange:
    """A class less. Its photos are unsure, and its marks are cleared. Raises UsageError as `merged`."""
    return ClassChange(_moved(_without(classes, name), name, None), name, None)


def _place(classes: ReviewClasses, name: str) -> int:
    if name not in classes.names:
        raise UsageError(f"{name!r} is none of the classes {', '.join(classes.names)}")
    return classes.names.index(name)


def _with_names(classes: ReviewClasses, names: tuple[str, ...]) -> ReviewClasses:
    check_labels(Path("classes"), names)
    return replace(classes, names=names)


def _without(classes: ReviewClasses, name: str) -> ReviewClasses:
    place = _place(classes, name)
    if len(classes.names) <= FEWEST:
        raise UsageError(f"{name!r} is one of the last {FEWEST} classes; add another one first")
    return replace(classes, names=(*classes.names[:place], *classes.names[place + 1 :]))


def _moved(classes: ReviewClasses, old: str, new: str | None) -> ReviewClasses:
    return replace(classes, now=tuple(new if name == old else name for name in classes.now))
