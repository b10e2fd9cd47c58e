"""`rule.Rule` for arrays: the labels of many photos at once, and how doubtful each is.

A label is a code: the place of its class, the number of classes for `unsure`, -1 for none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sorter.model.rule import Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = -1  # the code of no label


def predicted_classes(
    probabilities: NDArray[np.float64], positive: int | None, threshold: float
) -> NDArray[np.int64]:
    """The class of each photo, where nothing is unsure.

    Args:
        probabilities: shape (n, classes).
        positive: of two classes, the place of the one that the threshold decides on; None for the likeliest class.
        threshold: a photo at or above it is positive.

    Returns:
        Places of classes, int64, shape (n,).
    """
    if positive is None:
        likeliest: NDArray[np.int64] = probabilities.argmax(axis=1)
        return likeliest
    return _by_threshold(probabilities[:, positive], positive, threshold)


def predicted_labels(
    rule: Rule,
    probability: NDArray[np.float64],
    likeliest: NDArray[np.int16],
    unfamiliar: NDArray[np.float64] | None = None,
) -> NDArray[np.int16]:
    """What `Rule.__call__` gives each photo, as codes.

    Args:
        probability: of the positive class for two classes, of the likeliest for more; NaN where not scored. Shape (n,).
        likeliest: the code of the likeliest class, shape (n,). Not read for two classes.
        unfamiliar: as of `Scores`, NaN where nobody asked, shape (n,). None where no photo has it.

    Returns:
        Codes, shape (n,); -1 where the probability is NaN.
    """
    at = rule.positive_index
    decided = likeliest if at is None else _by_threshold(probability, at, rule.threshold)
    codes = decided.astype(np.int16)  # a copy
    if rule.unsure is not None:
        low, high = rule.unsure
        codes[(probability >= low) & (probability <= high)] = len(rule.classes)
    if rule.reject and unfamiliar is not None:
        codes[unfamiliar > 1] = len(rule.classes)
    codes[np.isnan(probability)] = NONE
    return codes


def doubts(rule: Rule, probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """How near each photo is to another label: 1 on the edge, 0 where the model is certain, NaN where not scored.

    For two classes this is 1 minus the distance to the threshold, as a part of the largest distance on that side. For
    more classes it is the sum of the other classes' probabilities.

    Args:
        probability: as for `predicted_labels`.
    """
    if not rule.binary:
        return 1 - probability
    above = (1 - probability) / (1 - rule.threshold)
    below = probability / rule.threshold
    return np.where(probability >= rule.threshold, above, below)


def _by_threshold(probability: NDArray[np.float64], positive: int, threshold: float) -> NDArray[np.int64]:
    return np.where(probability >= threshold, positive, 1 - positive)
