"""How good a model's probabilities are on labelled photos: accuracy, precision, recall, F1, areas, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.evaluate.bootstrap import ESTIMATES, Estimate, Predictions, affordable
from sorter.evaluate.calibration import calibration
from sorter.model.labels import predicted_classes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_PAIRS = 10


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
    """What `compute_metrics` found.

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


def compute_metrics(
    labels: ArrayLike,
    probabilities: ArrayLike,
    classes: Sequence[str],
    positive: str | None,
    threshold: float,
    resamples: int = 1000,
    seed: int = 0,
) -> Metrics:
    """Compare predictions with labels.

    Intervals are bootstrap intervals (see `sorter.evaluate.bootstrap`).

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
    predicted = predicted_classes(scores, at, threshold)
    resamples = affordable(resamples, scores.size)
    estimates = Predictions(true, predicted, scores, at).estimates(resamples, seed)
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
        **estimates,
        ece=calibration(true, scores, at).error,
        confusion=tuple(tuple(map(int, row)) for row in matrix),
        per_class=per_class,
        most_confused=_most_confused(matrix, classes),
        resamples=resamples,
    )


def _most_confused(matrix: NDArray[np.int64], classes: Sequence[str]) -> tuple[Confusion, ...]:
    mistakes = matrix.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:MAX_PAIRS]
    return tuple(
        Confusion(classes[row], classes[column], int(count), float(count / matrix[row].sum()))
        for row, column in zip(*np.unravel_index(order, matrix.shape), strict=True)
        if (count := mistakes[row, column])
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
