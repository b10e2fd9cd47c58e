"""The rule that turns the scores of one photo into the folder it belongs in. `labels` has the same rule for arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sorter.model.folder import FAMILIAR, Model
from sorter.types import Decision, Scores, Status, UsageError

UNSURE = "unsure"
ASIDE = "set aside"  # the folder of photos that a person set aside in a review


@dataclass(frozen=True)
class Rule:
    """How probabilities become folders.

    Attributes:
        classes: in the order of the probabilities.
        positive: for two classes, the one whose probability is compared with the threshold. Else None.
        threshold: for two classes. A photo at or above it is positive.
        unsure: (low, high): probabilities from low to high, both included, go to `unsure`. None for never.
        reject: photos that are unlike the model's training photos go to `unsure`, too.
    """

    classes: tuple[str, ...]
    positive: str | None
    threshold: float
    unsure: tuple[float, float] | None = None
    reject: bool = False

    @classmethod
    def of(
        cls,
        model: Model,
        threshold: float | None = None,
        unsure: tuple[float, float] | None = None,
        reject: bool = False,
    ) -> Rule:
        """The model's own threshold unless one is given. Raises UsageError for values that make no sense."""
        if threshold is not None:
            if not model.binary:
                raise UsageError(
                    f"--threshold: {model.name} has {len(model.classes)} classes and takes the likeliest; "
                    "use --unsure LOW HIGH to put doubtful photos into a folder of their own"
                )
            if not 0 < threshold < 1:
                raise UsageError(f"--threshold: {threshold:g} is not between 0 and 1")
        if unsure is not None and not 0 <= unsure[0] <= unsure[1] <= 1:
            raise UsageError(f"--unsure: {unsure[0]:g} {unsure[1]:g} is not two rising numbers from 0 to 1")
        if reject and not model.has(FAMILIAR):
            raise UsageError(
                f"--reject: {model.name} does not know what its training photos looked like; train it again"
            )
        limit = model.threshold if threshold is None else threshold
        return cls(model.classes, model.positive, limit, unsure, reject)

    @classmethod
    def from_json(cls, classes: Sequence[str], positive: str | None, values: Sequence[Any]) -> Rule:
        """The rule that `to_json` wrote, for a model with these classes."""
        threshold, unsure, *reject = values
        band = (unsure[0], unsure[1]) if unsure else None
        return cls(tuple(classes), positive, float(threshold), band, bool(reject and reject[0]))

    def to_json(self) -> list[Any]:
        """`[threshold, [low, high]]`, or `[threshold, null]` where no photo is unsure; and `true` with `reject`."""
        return [self.threshold, list(self.unsure) if self.unsure else None, *[True] * self.reject]

    @property
    def binary(self) -> bool:
        """Two classes, of which one is positive: the threshold decides."""
        return self.positive is not None and len(self.classes) == 2

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders that a decision can name."""
        never = self.unsure is None and not self.reject
        return self.classes if never or UNSURE in self.classes else (*self.classes, UNSURE)

    @property
    def positive_index(self) -> int | None:
        """The place of the positive class in `classes`; None where the likeliest class is taken."""
        return self.classes.index(self.positive) if self.positive is not None and self.binary else None

    def __call__(self, scores: Scores) -> Decision:
        """The probability decided on is the positive class's for two classes, else the likeliest class's."""
        at = self.positive_index
        probability = max(scores.probabilities) if at is None else scores.probabilities[at]
        doubtful = self.unsure is not None and self.unsure[0] <= probability <= self.unsure[1]
        if doubtful or (self.reject and (scores.unfamiliar or 0) > 1):
            return Decision(UNSURE, probability, Status.UNSURE)
        return Decision(self.likeliest(scores), probability, Status.SORTED)

    def is_near(self, scores: Scores, margin: float) -> bool:
        """Whether another label could be right, if each probability may be wrong by `margin`."""
        at = self.positive_index
        if at is None:
            first, second = sorted(scores.probabilities, reverse=True)[:2]
            near, probability = first - second <= 2 * margin, first
        else:
            probability = scores.probabilities[at]
            near = abs(probability - self.threshold) <= margin
        return near or any(abs(probability - edge) <= margin for edge in self.unsure or ())

    def likeliest(self, scores: Scores) -> str:
        """The class of a photo, as if none were unsure."""
        at = self.positive_index
        if at is None:
            return self.classes[scores.probabilities.index(max(scores.probabilities))]
        return self.classes[at if scores.probabilities[at] >= self.threshold else 1 - at]
