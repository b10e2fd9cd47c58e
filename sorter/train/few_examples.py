"""A linear head for few examples: features scaled to length one, and a penalty chosen by folds.

Few photos say little about how much each feature varies. A feature that is nearly constant among them gets a tiny
standard deviation, and standardising makes it explode on other photos. Scaling each photo's features to length one
learns nothing from the other photos, so nothing can explode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.evaluate.calibration import fit_temperature
from sorter.evaluate.threshold import choose_threshold
from sorter.photos.dataset import Example, folds
from sorter.photos.groups import groups_of, parting_problem
from sorter.types import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.photos.fingerprint import Fingerprint
    from sorter.train.recipes import Recipe

MANY = 100  # photos of the smallest class from which on features are standardised
MANY_IN_ALL = 3000  # photos of all classes from which on they are
STRENGTHS = (1.0, 10.0, 100.0)  # scikit-learn's C: of the losses against the penalty
USUAL = 10.0  # the strength unless another one is clearly better
FOLDS = 5
STEPS = 1000  # of L-BFGS at most


@dataclass(frozen=True)
class ScaledHead:
    """A linear layer for raw features, and how it was chosen.

    Attributes:
        weight: float64 (outputs, d).
        bias: float64 (outputs,).
        strength: one of STRENGTHS.
        logits: float64 (n, outputs) of the n photos, each by a head that did not learn from it. None where there can
            be no folds.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    strength: float
    logits: NDArray[np.float64] | None


def is_few(labels: NDArray[np.int64], classes: int) -> bool:
    """The smallest class has fewer than MANY photos, and all of them together fewer than MANY_IN_ALL."""
    return len(labels) < MANY_IN_ALL and int(np.bincount(labels, minlength=classes).min()) < MANY


def chooses_by_folds(
    recipe: Recipe,
    parts: Mapping[str | None, Sequence[Example]],
    classes: Sequence[str],
    decoded: Collection[Path],
) -> bool:
    """Training learns from all photos, and chooses by folds of them instead of a validation part.

    So it is for a recipe that only solves for a head, where there are few examples and the folders name no `val`.

    Args:
        parts: as for `split`.
        decoded: the photos that could be decoded.
    """
    if "val" in parts or {phase.optimiser for phase in recipe.phases} != {"lbfgs"}:
        return False
    learning = parts["train" if "train" in parts else None]
    labels = [example.label for example in learning if example.photo.path in decoded]
    return is_few(np.array(labels, np.int64), len(classes))


def groups_to_part(
    root: Path, classes: Sequence[str], examples: Sequence[Example], fingerprints: Mapping[Path, Fingerprint]
) -> NDArray[np.int64]:
    """Equal numbers (n,) for examples that look alike or share a group, so that folds do not part them.

    Raises:
        UsageError: all photos of a class look alike, so that there can be no folds.
    """
    groups = groups_of(examples, fingerprints)
    labels = np.array([example.label for example in examples], np.int64)
    if not stratified_folds(groups, labels).any():
        fewest = min(range(len(classes)), key=lambda label: len(np.unique(groups[labels == label])))
        raise UsageError(
            f"{root}: the photos of {classes[fewest]} {parting_problem(examples)} to be parted; "
            "add other photos of it, or make train/ and val/ folders yourself"
        )
    return groups


def stratified_folds(groups: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The fold (n,) of each photo. All zeros where a class would be absent from the rest of some fold.

    Args:
        groups: (n,), equal numbers for photos that must be in one fold.
        labels: (n,), indices of classes, each with a photo.
    """
    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    count = min(FOLDS, fewest)
    if count < 2:
        return np.zeros(len(labels), np.int64)
    fold = folds(groups, labels, count, seed=0)
    for number in range(count):
        if len(np.unique(labels[fold != number])) < len(np.unique(labels)):
            return np.zeros(len(labels), np.int64)
    return fold


def cautious_threshold(labels: NDArray[np.int64], probabilities: NDArray[np.float64], optimise: str) -> float:
    """A threshold for few photos: one half, unless the photos clearly speak for the best one on them.

    The best threshold on a dozen photos is mostly luck. It is taken where, of the photos between it and one half, it
    has more right than one half has, by over two standard errors. A precision or a recall that was asked for is always
    followed.

    Args:
        labels: (n,), 1 for the positive class.
        probabilities: (n,), of the positive class.
        optimise: as for `choose_threshold`.
    """
    best = choose_threshold(labels, probabilities, optimise)
    if "=" in optimise:
        return best
    right = (probabilities >= best) == labels
    gains = right.astype(np.float64) - ((probabilities >= 0.5) == labels)  # -1, 0 or 1
    if optimise == "balanced-accuracy":
        gains /= np.bincount(labels, minlength=2)[labels]
    return best if gains.sum() > 2 * np.sqrt((gains**2).sum()) else 0.5


def fit_scaled(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    positive: int | None,
    groups: NDArray[np.int64] | None = None,
) -> ScaledHead:
    """Logistic regression on features of length one. Folds choose the strength. All photos are learned from.

    The layer takes raw features: its weights are divided by the photos' mean length. Of the strengths, USUAL is taken
    unless another has less log loss on the folds by more than a standard error. The loss is taken at the strength's
    own best temperature, because the trainer fits a temperature later.

    Args:
        features: (n, d).
        labels: (n,), indices of classes, each with a photo.
        weights: of each photo (n,).
        positive: of two classes, the one of the single logit; None for one logit for each class.
        groups: (n,), equal numbers for photos that must be in one fold; None where all may be parted.
    """
    lengths = np.maximum(np.linalg.norm(features.astype(np.float64), axis=1), 1e-12)
    rows = features / lengths[:, None]
    mean = rows.mean(0)
    points, basis = _rotate(rows - mean)
    targets = labels if positive is None else (labels == positive).astype(np.int64)
    fold = stratified_folds(np.arange(len(targets)) if groups is None else groups, targets)
    strength, logits = _choose(points, targets, weights, fold)
    coordinates, bias = _fit(points, targets, weights, strength)
    weight = coordinates if basis is None else coordinates @ basis
    return ScaledHead(weight / lengths.mean(), bias - weight @ mean, strength, logits)


def _rotate(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Coordinates of n rows in a basis that spans them; the rows and None where that would not be smaller.

    The penalty on the weights is the same in any orthonormal basis, so the head is too.
    """
    n, d = rows.shape
    if n >= d:
        return rows, None
    q, r = np.linalg.qr(rows.T)
    return np.ascontiguousarray(r.T), q.T


def _choose(
    points: NDArray[np.float64],
    targets: NDArray[np.int64],
    weights: NDArray[np.float64],
    fold: NDArray[np.int64],
) -> tuple[float, NDArray[np.float64] | None]:
    """The strength that the folds speak for, and its logits there."""
    if not fold.any():
        return USUAL, None
    logits = {strength: _out_of_fold(points, targets, weights, fold, strength) for strength in STRENGTHS}
    losses = {strength: _losses(some, targets) for strength, some in logits.items()}

    def gain(strength: float) -> float:
        """Of USUAL's loss, less one standard error of the photos' differences."""
        gains = (losses[USUAL] - losses[strength]) * weights / weights.mean()
        return float(gains.mean() - gains.std() / np.sqrt(len(gains)))

    best = max(STRENGTHS, key=gain)
    chosen = best if gain(best) > 0 else USUAL
    return chosen, logits[chosen]


def _out_of_fold(
    points: NDArray[np.float64],
    targets: NDArray[np.int64],
    weights: NDArray[np.float64],
    fold: NDArray[np.int64],
    strength: float,
) -> NDArray[np.float64]:
    """Logits (n, outputs) of each photo, by a head that learned from the other folds."""
    classes = int(targets.max()) + 1
    logits = np.zeros((len(points), 1 if classes == 2 else classes))
    for number in range(int(fold.max()) + 1):
        out = fold == number
        coordinates, bias = _fit(points[~out], targets[~out], weights[~out], strength)
        logits[out] = points[out] @ coordinates.T + bias
    return logits


def _fit(
    points: NDArray[np.float64], targets: NDArray[np.int64], weights: NDArray[np.float64], strength: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (outputs, r) and bias (outputs,)."""
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=strength, max_iter=STEPS).fit(points, targets, sample_weight=weights)
    return found.coef_, found.intercept_


def _losses(logits: NDArray[np.float64], targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """The log loss of each photo (n,) at the temperature that makes their mean least."""
    logits = logits / fit_temperature(logits, targets)
    if logits.shape[1] == 1:
        return np.asarray(np.logaddexp(0, -np.where(targets == 1, 1, -1) * logits[:, 0]))
    return np.asarray(np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(targets)), targets])
