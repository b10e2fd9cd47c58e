"""The head that has an exact answer: logistic regression on cached features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 1000  # of L-BFGS, at most; a hundred are usual
FLOOR = 1e-6  # added to standard deviations: some features never differ


def fit_linear(
    head: nn.Sequential,
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    l2: float,
    positive: int,
) -> None:
    """Give a linear head the weights with the least loss, found by L-BFGS on standardised features.

    Minimises the weighted mean of the log loss plus `l2` / 2 times the sum of squares of the weights, the bias not
    among them. Standardising is folded into the layer, so that it takes features as they are. The penalty then
    falls on what a feature does over its own spread: strong, it generalises to photos of other sources better
    than weight decay does on the features as they are.

    Args:
        head: of a `Network` without dense layers: one logit, or k.
        features: (n, d).
        labels: (n,), indices of classes.
        weights: of each photo (n,).
        l2: strength of the penalty, above 0.
        positive: the class that a head with one logit speaks for.
    """
    from sklearn.linear_model import LogisticRegression

    layer = head.get_submodule("logits")
    assert isinstance(layer, nn.Linear) and layer.in_features == features.shape[1], "a head with dense layers"
    one = layer.out_features == 1
    mean, spread = features.mean(0, dtype=np.float64), features.std(0, dtype=np.float64) + FLOOR
    # scikit-learn minimises C times the sum of the losses plus half the sum of squares.
    found = LogisticRegression(C=1 / (l2 * weights.sum()), max_iter=STEPS).fit(
        ((features - mean) / spread).astype(np.float32),
        labels == positive if one else labels,
        sample_weight=weights.astype(np.float32),
    )
    slope = found.coef_.astype(np.float64) / spread  # (1, d) or (k, d)
    assert slope.shape == layer.weight.shape, "every class has a photo"
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(slope))
        layer.bias.copy_(torch.from_numpy(found.intercept_ - slope @ mean))
