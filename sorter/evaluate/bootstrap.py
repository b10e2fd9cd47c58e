"""Every estimate for many weightings of the same photos, and bootstrap confidence intervals from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ESTIMATES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "average_precision")
MAX_COST = 2e9  # photos x classes x resamples: about a minute at worst
MIN_RESAMPLES = 100
CHUNK = 1 << 17  # weights computed at a time: they stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its bootstrap 95 % interval. All three are NaN where the figure is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"


@dataclass(frozen=True)
class Predictions:
    """Labelled photos and what a model predicts for them.

    Attributes:
        labels: int64 (n,).
        predicted: int64 (n,).
        scores: float64 (n, k), probabilities.
        positive: index of the positive class, or None for macro averages.
    """

    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    scores: NDArray[np.float64]
    positive: int | None

    def estimates(self, resamples: int, seed: int) -> dict[str, Estimate]:
        """The estimates by name, with intervals.

        Intervals are the 2.5th and 97.5th percentiles over resamples of the photos with replacement (Efron 1979).
        """
        n = len(self.labels)
        exact = self.weighted(np.ones((1, n)))
        rounds = [self.weighted(weights) for weights in _resampled(n, resamples, seed)]
        return {
            name: _estimate(float(exact[name][0]), np.concatenate([each[name] for each in rounds]))
            for name in ESTIMATES
        }

    def weighted(self, weights: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """Weights (r, n) -> one value (r,) of each estimate for each of the r weightings, by name."""
        k = self.scores.shape[1]
        one_hot = np.eye(k, dtype=weights.dtype)
        is_label, is_predicted = one_hot[self.labels], one_hot[self.predicted]
        correct = weights @ (is_label * is_predicted)  # (r, k)
        labelled, predicted = weights @ is_label, weights @ is_predicted
        recalls = _ratio(correct, labelled, np.nan)
        classes = range(k) if self.positive is None else [self.positive]
        # As in scikit-learn: 0 of 0 counts as 0, and a class without photos is left out of the mean.
        precision = _ratio(correct, predicted, 0.0)[:, classes]
        recall = _ratio(correct, labelled, 0.0)[:, classes]
        f1 = _ratio(2 * correct, labelled + predicted, 0.0)[:, classes]
        present = (labelled > 0) | (predicted > 0)
        keep = present[:, classes] if self.positive is None else np.ones_like(precision, dtype=bool)
        areas = [self._areas(weights, c) for c in classes]
        auc, average_precision = (np.stack([pair[at] for pair in areas], axis=1) for at in (0, 1))
        return {
            "accuracy": correct.sum(axis=1) / weights.sum(axis=1),
            "balanced_accuracy": _mean(recalls, ~np.isnan(recalls)),
            "precision": _mean(precision, keep),
            "recall": _mean(recall, keep),
            "f1": _mean(f1, keep),
            "roc_auc": _mean(auc, ~np.isnan(auc)),
            "average_precision": _mean(average_precision, ~np.isnan(average_precision)),
        }

    def _areas(self, weights: NDArray[Any], positive: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Area under the ROC curve, and average precision, of one class against the rest: (r,) each."""
        score = self.scores[:, positive]
        order = np.argsort(-score, kind="stable")
        # No threshold separates photos of one score. So curves have points only where the score changes.
        descending = -score[order]
        wanted = np.flatnonzero(self.labels[order] == positive)
        start = np.searchsorted(descending, descending[wanted], side="left")
        end = np.searchsorted(descending, descending[wanted], side="right")
        first, last = np.searchsorted(wanted, start), np.searchsorted(wanted, end)
        taken, hits = _cumulative(weights[:, order]), _cumulative(weights[:, order[wanted]])
        hits_after, taken_after = hits[:, last], taken[:, end]
        misses = (taken_after - hits_after + taken[:, start] - hits[:, first]) / 2
        step, total = weights[:, order[wanted]], hits[:, -1]
        others = taken[:, -1] - total
        area = (step * (others[:, None] - misses)).sum(axis=1)
        precise = (step * _ratio(hits_after, taken_after, 0.0)).sum(axis=1)
        return _ratio(area, total * others, np.nan), _ratio(precise, total, np.nan)


def affordable(resamples: int, size: int) -> int:
    """Fewer resamples where `size`, photos x classes, would make them cost too much; never under 100."""
    return min(resamples, max(MIN_RESAMPLES, int(MAX_COST / size)))


def _cumulative(values: NDArray[Any]) -> NDArray[Any]:
    """(r, n) -> sums (r, n + 1) of the first 0, 1, ... values of each row."""
    out = np.zeros((len(values), values.shape[1] + 1), values.dtype)
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


def _resampled(n: int, resamples: int, seed: int) -> Iterator[NDArray[Any]]:
    """How often each photo was drawn: `resamples` rows of (n,), a chunk at a time. Float32 holds such counts."""
    random = np.random.default_rng(seed)
    most = max(1, CHUNK // n)
    for start in range(0, resamples, most):
        rows = min(most, resamples - start)
        drawn = random.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float32)


def _estimate(value: float, samples: NDArray[np.float64]) -> Estimate:
    defined = samples[~np.isnan(samples)]
    if math.isnan(value) or not len(defined):
        return Estimate(math.nan, math.nan, math.nan)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def _ratio(part: NDArray[Any], whole: NDArray[Any], otherwise: float) -> NDArray[Any]:
    out = np.full(part.shape, otherwise, part.dtype)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def _mean(values: NDArray[np.float64], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Row means of (r, k) over the entries to keep; NaN where a row keeps none."""
    return _ratio(np.where(keep, values, 0.0).sum(axis=1), keep.sum(axis=1).astype(np.float64), np.nan)
