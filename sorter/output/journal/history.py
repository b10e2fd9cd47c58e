"""Changes of the threshold and of the classes as steps of the same history as a person's marks.

They lie beside the marks, in `meta`: version 0.1 reads every row of the table of marks as one of a photo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sorter.model.classes import ReviewClasses
from sorter.model.rule import Rule

Setting = TypeVar("Setting", Rule, ReviewClasses)


@dataclass(frozen=True, slots=True)
class SettingStep(Generic[Setting]):
    """A change of a setting of a review.

    Attributes:
        step: its place among the steps of marks. It rises.
        before: the setting until then.
        after: the setting from then on.
        undone: it can be redone.
    """

    step: int
    before: Setting
    after: Setting
    undone: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "undone": self.undone,
        }


class ThresholdStep(SettingStep[Rule]):
    """A change of the rule that labels photos in a review."""

    __slots__ = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ThresholdStep:
        def rule(key: str) -> Rule:
            return Rule.from_json(data["classes"], data["positive"], data[key])

        return cls(data["step"], rule("before"), rule("after"), data["undone"])

    def to_json(self) -> dict[str, Any]:
        rule = {"classes": list(self.after.classes), "positive": self.after.positive}
        return {**SettingStep.to_json(self), **rule}


class ClassStep(SettingStep[ReviewClasses]):
    """A change of the classes in a review. Marks that it changed are rows of the same step."""

    __slots__ = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ClassStep:
        before, after = (ReviewClasses.from_json(data[key]) for key in ("before", "after"))
        return cls(data["step"], before, after, data["undone"])
