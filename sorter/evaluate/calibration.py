"""How far probabilities can be trusted: the calibration error, and the temperature that makes it small."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BINS = 15  # of the calibration error, as in Guo et al. 2017
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0


@dataclass(frozen=True)
class Calibration:
    """Predicted probability and observed share, in bins of equal width. Empty bins are left out.

    Attributes:
        predicted: float64 (bins,), the mean probability in each bin.
        observed: float64 (bins,), the share of its photos that have the class.
        photos: int64 (bins,), in each bin.
        error: expected calibration error: the mean of |predicted - observed|, weighted by photos.
    """

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    photos: NDArray[np.int64]
    error: float


def calibration(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], positive: int | None
) -> Calibration:
    """Reliability in 15 bins (Guo et al. 2017).

    Args:
        labels: int (n,), indices of classes.
        probabilities: (n, k).
        positive: the class whose probability is measured; None for each photo's likeliest class.
    """
    if positive is None:
        likeliest = probabilities.argmax(axis=1)
        predicted, correct = probabilities.max(axis=1), labels == likeliest
    else:
        predicted, correct = probabilities[:, positive], labels == positive
    bins = np.minimum((predicted * BINS).astype(np.int64), BINS - 1)
    photos = np.bincount(bins, minlength=BINS)
    held = photos > 0
    means = [
        np.bincount(bins, weights=each, minlength=BINS)[held] / photos[held] for each in (predicted, correct)
    ]
    error = float((np.abs(means[0] - means[1]) * photos[held]).sum() / photos.sum())
    return Calibration(means[0], means[1], photos[held], error)


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """The number to divide logits by, so that probabilities are calibrated (Guo et al. 2017, section 4.2).

    It has the least negative log-likelihood against smoothed targets. The label of each of n photos gets the target
    (n + 1) / (n + 2): Laplace's rule of succession, as in Platt 1999. With plain targets, a set without errors would
    ask for probabilities of 0 and 1, however few its photos.

    Args:
        logits: (n,) or (n, 1) of the positive class, or (n, k).
        labels: int (n,): 1 for the positive class, or the class's index.

    Returns:
        A number from 0.05 to 20; 1 where there are no photos or all logits are equal.
    """
    values = np.asarray(logits, dtype=np.float64)
    true = np.asarray(labels, dtype=np.int64)
    if values.ndim == 1 or values.shape[1] == 1:
        values = np.stack([np.zeros(len(true)), values.reshape(-1)], axis=1)
    if not len(true) or not np.any(values != values[:, :1]):
        return 1.0
    from scipy.optimize import minimize_scalar

    k = values.shape[1]
    other = 1 / (len(true) + 2)
    targets = np.full(values.shape, other / (k - 1))
    targets[np.arange(len(true)), true] = 1 - other

    def loss(log_temperature: float) -> float:
        scaled = values / math.exp(log_temperature)
        top = scaled.max(axis=1, keepdims=True)
        log_sum = top + np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
        return float((targets * (log_sum - scaled)).sum())

    bounds = (math.log(MIN_TEMPERATURE), math.log(MAX_TEMPERATURE))
    return float(math.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))
