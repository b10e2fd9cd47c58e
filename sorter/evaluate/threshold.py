"""The threshold on the positive class's probability, chosen on labelled photos."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sorter.types import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

AIMS = ("f1", "balanced-accuracy", "precision=P", "recall=R")
RANGE = (1e-6, 1 - 1e-6)  # a model's threshold lies between 0 and 1


def choose_threshold(labels: ArrayLike, probabilities: ArrayLike, optimise: str) -> float:
    """The threshold that serves an aim best on labelled photos.

    It lies halfway between two photos' probabilities. Of equally good places it takes the widest gap.

    Args:
        labels: (n,), 1 or True for the positive class.
        probabilities: (n,), of the positive class.
        optimise: `f1`, `balanced-accuracy`, `precision=P` (the most recall at a precision of at least P) or
            `recall=R` (the most precision at a recall of at least R). Where no threshold reaches P, the one
            with the highest precision.

    Returns:
        A threshold for `probability >= threshold`, above 0 and below 1; 0.5 where a class has no photo.

    Raises:
        UsageError: an unknown aim.
    """
    aim, least = _parse(optimise)
    true = np.asarray(labels).astype(bool)
    scores = np.asarray(probabilities, dtype=np.float64)
    positives, negatives = int(true.sum()), int((~true).sum())
    if not positives or not negatives:
        return 0.5
    descending, inverse = np.unique(-scores, return_inverse=True)
    hits = np.cumsum(np.bincount(inverse, weights=true))
    misses = np.cumsum(np.bincount(inverse, weights=~true))
    # A threshold between the two takes the first 1, 2, ... scores.
    above, below = -descending, np.append(-descending[1:], 0.0)
    precision, recall = hits / (hits + misses), hits / positives
    if aim == "precision":
        goals = (np.where(precision >= least, 1 + recall, precision), precision)
    elif aim == "recall":
        goals = (np.where(recall >= least, 1 + precision, recall), recall)
    elif aim == "f1":
        goals = (2 * hits / (hits + misses + positives), recall)
    else:
        goals = ((recall + 1 - misses / negatives) / 2, recall)
    best = np.ones(len(descending), dtype=bool)
    for goal in (*goals, above - below):
        best &= goal >= goal[best].max() - 1e-12
    at = int(np.flatnonzero(best)[0])
    middle = (above[at] + below[at]) / 2
    threshold = middle if middle > below[at] else above[at]  # no float lies between neighbouring floats
    return float(np.clip(threshold, *RANGE))


def _parse(optimise: str) -> tuple[str, float]:
    """`recall=0.9` -> (`recall`, 0.9)."""
    aim, equals, text = optimise.partition("=")
    if aim in ("f1", "balanced-accuracy") and not equals:
        return aim, 0.0
    if aim in ("precision", "recall"):
        try:
            least = float(text)
        except ValueError:
            least = math.nan
        if 0 < least <= 1:
            return aim, least
    raise UsageError(
        f"--optimize {optimise}: is none of {', '.join(AIMS)}; give P and R as numbers above 0, at most 1"
    )
