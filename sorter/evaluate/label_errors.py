"""Labels that are probably wrong, and photos that are like no other, from arrays alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBOURS = 10
FAR_OUT = 3.0  # interquartile ranges above the upper quartile: Tukey's outer fence
ROWS = 1024  # of the matrix of distances that are in memory at once


def doubtful_labels(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which labels a model contradicts with confidence, bool (n,).

    The model is confident of a class where its probability is at least the mean that photos of that label have. A
    label is doubtful where, of the classes that the model is confident of, another one is the likeliest, and it is the
    likeliest of all.

    Source: C. Northcutt, L. Jiang and I. Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70
    (2021). It is the rule that the package cleanlab calls `confident_learning`.

    Args:
        labels: (n,), indices of classes.
        probabilities: (n, k), each row by a model that did not learn from that photo.
    """
    classes = probabilities.shape[1]
    usual = np.array(
        [
            probabilities[labels == each, each].mean() if (labels == each).any() else 2.0
            for each in range(classes)
        ]
    )
    confident = np.where(probabilities >= usual - 1e-9, probabilities, -1.0)
    likeliest = confident.argmax(1)
    other = (confident.max(1) >= 0) & (likeliest != labels)
    return np.asarray(other & (probabilities.argmax(1) != labels))


def rank_label_errors(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """The rows of doubtful labels, int64 (m,), by the probability of their label, the least first.

    Args: as for `doubtful_labels`. The order is the one that cleanlab calls `self_confidence`.
    """
    own = probabilities[np.arange(len(labels)), labels]
    order = np.argsort(own, kind="stable")
    return np.asarray(order[doubtful_labels(labels, probabilities)[order]])


def distance_to_neighbours(features: NDArray[np.float32], k: int = NEIGHBOURS) -> NDArray[np.float64]:
    """The mean cosine distance of each photo to its k nearest others, float64 (n,), 0 to 2.

    Source: J. Kuan and J. Mueller, Back to the Basics: Revisiting Out-of-Distribution Detection Baselines, 2022.

    Args:
        features: (n, d), of a network.
        k: fewer where there are fewer photos.
    """
    n = len(features)
    k = min(k, n - 1)
    if k < 1:
        return np.zeros(n)
    points = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    found = np.empty(n)
    for at in range(0, n, ROWS):
        rows = np.arange(at, min(at + ROWS, n))
        likeness = points[rows] @ points.T
        likeness[np.arange(len(rows)), rows] = -np.inf
        nearest = -np.partition(-likeness, k - 1, axis=1)[:, :k]
        found[rows] = 1 - nearest.mean(1)
    return found


def far_out(distances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which distances lie beyond Tukey's outer fence, bool (n,)."""
    if not len(distances):
        return np.zeros(0, bool)
    low, high = np.percentile(distances, [25, 75])
    return np.asarray(distances > high + FAR_OUT * (high - low))
