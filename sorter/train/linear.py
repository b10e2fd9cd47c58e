"""A linear head that is solved for: logistic regression on cached features."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.train.few_examples import fit_scaled, is_few
from sorter.train.learner import class_weights, validation_scores
from sorter.train.recipes import Recipe
from sorter.train.training_set import Subset

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 1000  # of L-BFGS at most; about a hundred are usual
FLOOR = 1e-6  # added to standard deviations, because some features are constant


@dataclass(frozen=True)
class LinearHead:
    """A linear layer.

    Attributes:
        weight: float32 (outputs, d).
        bias: float32 (outputs,).
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, d) -> logits (n, outputs)."""
        return np.asarray(features.astype(np.float64) @ self.weight.T + self.bias)


@dataclass(frozen=True)
class Solved:
    """A head, and how it did.

    Attributes:
        row: of the history.
        out_of_fold: logits of each training photo, by a head that did not learn from it. None where there are many
            examples.
    """

    head: LinearHead
    row: dict[str, Any]
    out_of_fold: list[list[float]] | None


def solve(
    recipe: Recipe,
    number: int,
    training: Subset,
    validation: Subset,
    outputs: int,
    classes: int,
    positive: int,
) -> Solved:
    """Solve one phase of a recipe. It counts as one epoch.

    Args:
        number: of the phase.
        validation: photos to measure on. Without any, the row has the scores of the folds.
        outputs: logits; a single one is that of `positive`.
    """
    began = time.monotonic()
    weights = class_weights(training.labels, classes, recipe.balance)[training.labels]
    features = training.read_features()
    one = positive if outputs == 1 else None
    logits = None
    if is_few(training.labels, classes):
        scaled = fit_scaled(features, training.labels, weights, one, training.groups)
        logits = scaled.logits
        head = LinearHead(np.ascontiguousarray(scaled.weight, np.float32), scaled.bias.astype(np.float32))
    else:
        head = fit_linear(features, training.labels, weights, recipe.phases[number].l2, one)
    assert len(head.weight) == outputs, "every class has a photo"
    train_loss = validation_scores(head(features), training.labels, positive)["val_loss"]
    row = {"phase": number + 1, "epoch": 1, "lr": 0.0, "train_loss": train_loss}
    if len(validation):
        row |= validation_scores(head(validation.read_features()), validation.labels, positive)
    else:
        assert logits is not None, "the caller has seen to it that folds can be made"
        row |= validation_scores(logits, training.labels, positive)
    row["seconds"] = round(time.monotonic() - began, 3)
    return Solved(head, row, None if logits is None else logits.tolist())


def fit_linear(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    l2: float,
    positive: int | None,
) -> LinearHead:
    """The linear head with the least loss, found by L-BFGS on standardised features.

    Minimises the weighted mean of the log loss plus `l2` / 2 times the sum of squares of the weights without the bias.
    Standardising is folded into the layer, so that the layer takes raw features. The penalty falls on the effect of a
    feature over its own spread. A strong penalty generalises to photos of other sources better than weight decay on
    raw features does.

    Args:
        features: (n, d).
        labels: (n,), indices of classes, each with a photo.
        weights: of each photo (n,).
        l2: strength of the penalty, above 0.
        positive: of two classes, the one of the single logit; None for one logit for each class.
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
