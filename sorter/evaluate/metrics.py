"""How good the probabilities of a labelled set are: the numbers, and how sure one can be of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.types import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ESTIMATES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "average_precision")
BINS = 15  # of the calibration error, as in Guo et al. 2017
PAIRS = 10
TARGETS = ("f1", "balanced-accuracy", "precision=P", "recall=R")
LIMITS = (1e-6, 1 - 1e-6)  # a model's threshold lies between 0 and 1
COOLEST, HOTTEST = 0.05, 20.0
WORK = 2e9  # photos x classes x resamples that the bootstrap may cost: a minute at worst
CHUNK = 1 << 17  # weights in hand at once: they stay in the cache


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its bootstrap 95 % interval; all three are NaN where it is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"


@dataclass(frozen=True, slots=True)
class ClassReport:
    """One class against all others.

    Attributes:
        label: the class.
        photos: that have this label.
        predicted: that were given it.
        precision: of those predicted, the share that is right; 0 where none was predicted.
        recall: of those that have it, the share that was found; 0 where none has it.
        f1: harmonic mean of the two.
    """

    label: str
    photos: int
    predicted: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Photos of `label` that were taken for `predicted`; `share` is of all photos of `label`."""

    label: str
    predicted: str
    photos: int
    share: float


@dataclass(frozen=True)
class Metrics:
    """What `compute` found.

    Attributes:
        photos: how many were scored.
        classes: in the order of the confusion matrix.
        positive: the class that precision, recall, F1 and the curves are about; None for more than two
            classes, where they are macro averages.
        threshold: the positive class's; not used for more than two classes.
        accuracy: share of photos that got their label.
        balanced_accuracy: mean of the classes' recalls.
        precision: of the positive class, or the mean over classes.
        recall: likewise.
        f1: likewise.
        roc_auc: likewise, one class against the rest.
        average_precision: likewise: the sum of precision times the step in recall, without interpolation.
        ece: expected calibration error in 15 bins of equal width (Guo et al. 2017): of the positive class's
            probability for two classes, of the chosen class's for more.
        confusion: photos, by label (rows) and prediction (columns).
        per_class: in the order of `classes`.
        most_confused: the commonest mistakes, commonest first; ten at most.
        resamples: of the bootstrap.
    """

    photos: int
    classes: tuple[str, ...]
    positive: str | None
    threshold: float
    accuracy: Estimate
    balanced_accuracy: Estimate
    precision: Estimate
    recall: Estimate
    f1: Estimate
    roc_auc: Estimate
    average_precision: Estimate
    ece: float
    confusion: tuple[tuple[int, ...], ...]
    per_class: tuple[ClassReport, ...]
    most_confused: tuple[Confusion, ...]
    resamples: int

    @property
    def errors(self) -> int:
        """Photos that got another label than theirs."""
        return self.photos - sum(self.confusion[at][at] for at in range(len(self.classes)))

    def estimates(self) -> dict[str, Estimate]:
        """The figures that have an interval, by name."""
        return {name: getattr(self, name) for name in ESTIMATES}

    def to_json(self) -> dict[str, Any]:
        """NaN, which JSON lacks, becomes null."""
        data = asdict(self)
        for name in ESTIMATES:
            data[name] = {key: _number(value) for key, value in data[name].items()}
        return {**data, "errors": self.errors}


def compute(
    labels: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    positive: str | None,
    threshold: float,
    resamples: int = 1000,
    seed: int = 0,
) -> Metrics:
    """Judge probabilities by labels.

    Intervals are the 2.5th and 97.5th percentiles over resamples of the photos with replacement (Efron 1979).

    Args:
        labels: int (n,), each photo's index into `classes`.
        probabilities: (n, k), in the order of `classes`.
        classes: k names.
        positive: one of two classes, predicted from `threshold` on; None for more: the likeliest is predicted.
        threshold: on the positive class's probability.
        resamples: fewer are drawn where photos x classes x resamples would exceed 2e9, but never under 100.
        seed: of the resampling.
    """
    true = np.asarray(labels, dtype=np.int64)
    scores = np.asarray(probabilities, dtype=np.float64)
    if scores.shape != (len(true), len(classes)) or not len(true):
        raise ValueError(f"{len(true)} labels and {len(classes)} classes, but probabilities {scores.shape}")
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    at = None if positive is None else tuple(classes).index(positive)
    predicted = predict(scores, at, threshold)
    judge = _Judge(true, predicted, scores, at)
    exact = judge(np.ones((1, len(true))))
    resamples = min(resamples, max(100, int(WORK / scores.size)))
    rounds = [judge(weights) for weights in _resampled(len(true), resamples, seed)]
    samples = {name: np.concatenate([each[name] for each in rounds]) for name in ESTIMATES}
    everything = np.arange(len(classes))
    matrix = confusion_matrix(true, predicted, labels=everything)
    each = precision_recall_fscore_support(true, predicted, labels=everything, zero_division=0)
    per_class = tuple(
        ClassReport(label, int(each[3][c]), int(matrix[:, c].sum()), *(float(each[i][c]) for i in range(3)))
        for c, label in enumerate(classes)
    )
    return Metrics(
        photos=len(true),
        classes=tuple(classes),
        positive=positive,
        threshold=threshold,
        **{name: _estimate(float(exact[name][0]), samples[name]) for name in ESTIMATES},
        ece=calibration(true, scores, at).error,
        confusion=tuple(tuple(map(int, row)) for row in matrix),
        per_class=per_class,
        most_confused=_most_confused(matrix, classes),
        resamples=resamples,
    )


def predict(probabilities: NDArray[np.float64], positive: int | None, threshold: float) -> NDArray[np.int64]:
    """(n, k) -> the index of each photo's predicted class (n,)."""
    if positive is None:
        likeliest: NDArray[np.int64] = probabilities.argmax(axis=1)
        return likeliest
    return np.where(probabilities[:, positive] >= threshold, positive, 1 - positive)


# -- intervals -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Judge:
    """Every estimate at once, for many weightings of the same photos.

    Attributes:
        true: (n,).
        predicted: (n,).
        scores: (n, k).
        positive: index of the positive class, or None for macro averages.
    """

    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    scores: NDArray[np.float64]
    positive: int | None

    def __call__(self, weights: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """(r, n) -> one value for each of the r weightings, by name."""
        k = self.scores.shape[1]
        is_true, is_predicted = (
            np.eye(k, dtype=weights.dtype)[self.true],
            np.eye(k, dtype=weights.dtype)[self.predicted],
        )
        right = weights @ (is_true * is_predicted)  # (r, k)
        have, said = weights @ is_true, weights @ is_predicted
        recalls = _ratio(right, have, np.nan)
        about = range(k) if self.positive is None else [self.positive]
        # As in scikit-learn: what is 0 of 0 counts as 0, and a class that no photo has is left out of the mean.
        precision = _ratio(right, said, 0.0)[:, about]
        recall = _ratio(right, have, 0.0)[:, about]
        f1 = _ratio(2 * right, have + said, 0.0)[:, about]
        present = (have > 0) | (said > 0)
        keep = present[:, about] if self.positive is None else np.ones_like(precision, dtype=bool)
        areas = [self._areas(weights, c) for c in about]
        return {
            "accuracy": right.sum(axis=1) / weights.sum(axis=1),
            "balanced_accuracy": _mean(recalls, ~np.isnan(recalls)),
            "precision": _mean(precision, keep),
            "recall": _mean(recall, keep),
            "f1": _mean(f1, keep),
            "roc_auc": _mean(auc := np.stack([a for a, _ in areas], axis=1), ~np.isnan(auc)),
            "average_precision": _mean(ap := np.stack([p for _, p in areas], axis=1), ~np.isnan(ap)),
        }

    def _areas(self, weights: NDArray[Any], positive: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Area under the ROC curve, and average precision, of one class against the rest: (r,) each."""
        score = self.scores[:, positive]
        order = np.argsort(-score, kind="stable")
        # Photos of one score cannot be told apart: the curves only have points where the score changes.
        descending = -score[order]
        wanted = np.flatnonzero(self.true[order] == positive)
        start = np.searchsorted(descending, descending[wanted], side="left")
        end = np.searchsorted(descending, descending[wanted], side="right")
        first, last = np.searchsorted(wanted, start), np.searchsorted(wanted, end)
        taken, hits = _running(weights[:, order]), _running(weights[:, order[wanted]])
        hits_after, taken_after = hits[:, last], taken[:, end]
        misses = (taken_after - hits_after + taken[:, start] - hits[:, first]) / 2
        step, total = weights[:, order[wanted]], hits[:, -1]
        others = taken[:, -1] - total
        area = (step * (others[:, None] - misses)).sum(axis=1)
        precise = (step * _ratio(hits_after, taken_after, 0.0)).sum(axis=1)
        return _ratio(area, total * others, np.nan), _ratio(precise, total, np.nan)


def _running(values: NDArray[Any]) -> NDArray[Any]:
    """Sums of the first 0, 1, ... values of each row."""
    out = np.zeros((len(values), values.shape[1] + 1), values.dtype)
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


def _resampled(n: int, resamples: int, seed: int) -> Iterator[NDArray[Any]]:
    """How often each photo was drawn: `resamples` rows of (n,), some at a time (float32 holds such counts)."""
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
    """Row means of (r, k) over what `keep` says; NaN where that is nothing."""
    return _ratio(np.where(keep, values, 0.0).sum(axis=1), keep.sum(axis=1).astype(np.float64), np.nan)


def _most_confused(matrix: NDArray[np.int64], classes: Sequence[str]) -> tuple[Confusion, ...]:
    mistakes = matrix.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:PAIRS]
    return tuple(
        Confusion(classes[row], classes[column], int(count), float(count / matrix[row].sum()))
        for row, column in zip(*np.unravel_index(order, matrix.shape), strict=True)
        if (count := mistakes[row, column])
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


# -- calibration -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calibration:
    """Probability said and share that came true, in bins of equal width that hold any photos.

    Attributes:
        said: mean probability in each bin.
        true: share of its photos for which it came true.
        photos: in each bin.
        error: expected calibration error: the mean of |said - true|, weighted by photos.
    """

    said: NDArray[np.float64]
    true: NDArray[np.float64]
    photos: NDArray[np.int64]
    error: float


def calibration(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], positive: int | None
) -> Calibration:
    """Reliability in 15 bins (Guo et al. 2017), of the positive class, or else of each photo's likeliest."""
    if positive is None:
        chosen = probabilities.argmax(axis=1)
        said, true = probabilities.max(axis=1), labels == chosen
    else:
        said, true = probabilities[:, positive], labels == positive
    bins = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    photos = np.bincount(bins, minlength=BINS)
    held = photos > 0
    means = [np.bincount(bins, weights=each, minlength=BINS)[held] / photos[held] for each in (said, true)]
    error = float((np.abs(means[0] - means[1]) * photos[held]).sum() / photos.sum())
    return Calibration(means[0], means[1], photos[held], error)


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """What to divide logits by so that probabilities are calibrated (Guo et al. 2017, section 4.2).

    The negative log-likelihood is taken against smoothed targets, (n + 1) / (n + 2) for the label of each of n photos
    (Laplace's rule of succession, as in Platt 1999): where every photo is right, plain ones would ask for
    probabilities of 0 and 1, however few the photos.

    Args:
        logits: (n,) or (n, 1) of the positive class, or (n, k).
        labels: int (n,): 1 for the positive class, or the class's index.

    Returns:
        A number from 0.05 to 20; 1 where there is nothing to go by.
    """
    values = np.asarray(logits, dtype=np.float64)
    true = np.asarray(labels, dtype=np.int64)
    if values.ndim == 1 or values.shape[1] == 1:
        values = np.stack([np.zeros(len(true)), values.reshape(-1)], axis=1)
    if not len(true) or not np.any(values != values[:, :1]):
        return 1.0
    from scipy.optimize import minimize_scalar

    k = values.shape[1]
    doubt = 1 / (len(true) + 2)
    targets = np.full(values.shape, doubt / (k - 1))
    targets[np.arange(len(true)), true] = 1 - doubt

    def loss(log_temperature: float) -> float:
        scaled = values / math.exp(log_temperature)
        top = scaled.max(axis=1, keepdims=True)
        log_sum = top + np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
        return float((targets * (log_sum - scaled)).sum())

    found = minimize_scalar(loss, bounds=(math.log(COOLEST), math.log(HOTTEST)), method="bounded")
    return float(math.exp(found.x))


# -- the threshold ---------------------------------------------------------------------------------------------


def choose_threshold(labels: ArrayLike, probabilities: ArrayLike, optimise: str) -> float:
    """The threshold that serves an aim best on labelled photos.

    It lies halfway between two photos' probabilities; of equally good places the widest gap is taken.

    Args:
        labels: (n,), 1 or True for the positive class.
        probabilities: (n,), of the positive class.
        optimise: `f1`, `balanced-accuracy`, `precision=P` (the most recall at a precision of at least P) or
            `recall=R` (the most precision at a recall of at least R). Where no threshold reaches P, the one
            with the highest precision.

    Returns:
        A threshold for `probability >= threshold`, above 0 and below 1; 0.5 where a class has no photo.

    Raises:
        UsageError: an aim that is none of these.
    """
    aim, least = _aim(optimise)
    true = np.asarray(labels).astype(bool)
    scores = np.asarray(probabilities, dtype=np.float64)
    positives, negatives = int(true.sum()), int((~true).sum())
    if not positives or not negatives:
        return 0.5
    values, inverse = np.unique(-scores, return_inverse=True)  # -values go down
    hits = np.cumsum(np.bincount(inverse, weights=true))
    misses = np.cumsum(np.bincount(inverse, weights=~true))
    above, below = (
        -values,
        np.append(-values[1:], 0.0),
    )  # thresholds between them take the first 1, 2, ... values
    precision, recall = hits / (hits + misses), hits / positives
    if aim == "precision":
        reached = precision >= least
        goals = (np.where(reached, 1 + recall, precision), precision)
    elif aim == "recall":
        goals = (np.where(recall >= least, 1 + precision, recall), recall)
    elif aim == "f1":
        goals = (2 * hits / (hits + misses + positives), recall)
    else:
        goals = ((recall + 1 - misses / negatives) / 2, recall)
    best = np.ones(len(values), dtype=bool)
    for goal in (*goals, above - below):
        best &= goal >= goal[best].max() - 1e-12
    at = int(np.flatnonzero(best)[0])
    middle = (above[at] + below[at]) / 2
    threshold = middle if middle > below[at] else above[at]  # neighbouring floats have nothing between them
    return float(np.clip(threshold, *LIMITS))


def _aim(optimise: str) -> tuple[str, float]:
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
        f"--optimize {optimise}: is none of {', '.join(TARGETS)}, with P and R above 0 and up to 1"
    )
