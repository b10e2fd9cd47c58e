"""The head that has an exact answer: logistic regression on cached features."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.train.learner import Photos, class_weights, judge
from sorter.train.recipes import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 1000  # of L-BFGS, at most; a hundred are usual
FLOOR = 1e-6  # added to standard deviations: some features never differ


@dataclass(frozen=True)
class LinearHead:
    """One layer.

    Attributes:
        weight: float32 (outputs, d).
        bias: float32 (outputs,).
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, d) -> logits (n, outputs)."""
        return np.asarray(features.astype(np.float64) @ self.weight.T + self.bias)


def solve(
    recipe: Recipe, number: int, learn: Photos, choose: Photos, outputs: int, classes: int, positive: int
) -> tuple[LinearHead, dict[str, Any]]:
    """Solve one phase of a recipe at once, in what counts as one epoch.

    Args:
        number: of the phase.
        outputs: 1 for a single logit, which speaks for `positive`.

    Returns:
        The head, and the epoch's row of the history.
    """
    began = time.monotonic()
    weights = class_weights(learn.labels, classes, recipe.balance)[learn.labels]
    features = learn.kept_features()
    one = positive if outputs == 1 else None
    head = fit_linear(features, learn.labels, weights, recipe.phases[number].l2, one)
    assert len(head.weight) == outputs, "every class has a photo"
    lost = judge(head(features), learn.labels, positive)["val_loss"]
    row = {"phase": number + 1, "epoch": 1, "lr": 0.0, "train_loss": lost}
    row |= judge(head(choose.kept_features()), choose.labels, positive)
    return head, row | {"seconds": round(time.monotonic() - began, 3)}


def fit_linear(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    l2: float,
    positive: int | None,
) -> LinearHead:
    """The linear head with the least loss, found by L-BFGS on standardised features.

    Minimises the weighted mean of the log loss plus `l2` / 2 times the sum of squares of the weights, the bias not
    among them. Standardising is folded into the layer, so that it takes features as they are. The penalty then
    falls on what a feature does over its own spread: strong, it generalises to photos of other sources better
    than weight decay does on the features as they are.

    Args:
        features: (n, d).
        labels: (n,), indices of classes, each with a photo.
        weights: of each photo (n,).
        l2: strength of the penalty, above 0.
        positive: of two classes, the one that a single logit speaks for; None for a logit for each class.
    """
    from sklearn.linear_model import LogisticRegression

    mean, spread = features.mean(0, dtype=np.float64), features.std(0, dtype=np.float64) + FLOOR
    # scikit-learn minimises C times the sum of the losses plus half the sum of squares.
    found = LogisticRegression(C=1 / (l2 * weights.sum()), max_iter=STEPS).fit(
        ((features - mean) / spread).astype(np.float32),
        labels if positive is None else labels == positive,
        sample_weight=weights.astype(np.float32),
    )
    weight = found.coef_.astype(np.float64) / spread  # (outputs, d)
    bias = found.intercept_ - weight @ mean
    return LinearHead(np.ascontiguousarray(weight, np.float32), bias.astype(np.float32))
