"""Fit a learner to one split of the training set, calibrate the model, and measure it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.evaluate.calibration import fit_temperature
from sorter.evaluate.metrics import Metrics, compute_metrics
from sorter.evaluate.threshold import choose_threshold
from sorter.model.folder import Model
from sorter.photos.dataset import Dataset, Example
from sorter.progress import Progress
from sorter.train.few_examples import cautious_threshold, groups_to_part
from sorter.train.learner import Fitted, Learner
from sorter.train.training_set import TrainingSet

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Calibrated:
    """A trained network with its temperature and threshold.

    Attributes:
        model: the description, with temperature and threshold.
        fitted: the network.
        validation: the photos that both were chosen on: those of `val`, or all of `train` where folds were made.
        validation_logits: float64 (n, outputs) of those photos, by a network that did not learn from them.
    """

    model: Model
    fitted: Fitted
    validation: Sequence[Example]
    validation_logits: NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Metrics of n examples, and their probabilities, float64 (n, classes)."""

    examples: Sequence[Example]
    metrics: Metrics
    probabilities: NDArray[np.float64]


@dataclass(frozen=True)
class Trainer:
    """Trains a learner on splits of one training set.

    Attributes:
        learner: the network and how it is fitted.
        optimise: what the threshold is chosen for; see `choose_threshold`.
        data: the photos.
        progress: hears of phases and epochs.
    """

    learner: Learner
    optimise: str
    data: TrainingSet
    progress: Progress

    def fit(self, dataset: Dataset, seed: int, checkpoint: Path | None = None) -> Calibrated:
        """Train on `dataset.train`; choose the epoch, the temperature and the threshold on `dataset.val`.

        Without `dataset.val`, folds of `dataset.train` choose, and the network learns from all of it.

        Raises:
            UsageError: there is no `dataset.val`, and photos look too much alike for folds.
        """
        training, validation = (self.data.subset(part) for part in (dataset.train, dataset.val))
        if not dataset.val:
            groups = groups_to_part(dataset.root, dataset.classes, dataset.train, self.data.fingerprints)
            training = replace(training, groups=groups)
        fitted = self.learner.fit(training, validation, seed, checkpoint, self.progress)
        if fitted.log.out_of_time:
            self.progress.say("The time budget is spent. The best epoch so far is kept.")
        if dataset.val:
            chosen_on, logits, labels = dataset.val, fitted.logits(validation), validation.labels
        else:
            chosen_on, logits, labels = dataset.train, np.array(fitted.log.out_of_fold), training.labels
        model = self.learner.draft
        if model.binary:
            labels = (labels == model.positive_index).astype(np.int64)
        model = replace(model, temperature=fit_temperature(logits, labels))
        if model.binary:
            probabilities = _probabilities(model, logits)[:, model.positive_index]
            choose = choose_threshold if dataset.val else cautious_threshold
            model = replace(model, threshold=choose(labels, probabilities, self.optimise))
        return Calibrated(model, fitted, chosen_on, logits)

    def measure(self, trained: Calibrated, examples: Sequence[Example], resamples: int = 1000) -> Measured:
        """Metrics of a trained network on some photos, with bootstrap intervals."""
        if examples is trained.validation:
            logits = trained.validation_logits
        else:
            logits = trained.fitted.logits(self.data.subset(examples))
        model = trained.model
        probabilities = _probabilities(model, logits)
        labels = [example.label for example in examples]
        metrics = compute_metrics(
            labels, probabilities, model.classes, model.positive, model.threshold, resamples=resamples
        )
        return Measured(examples, metrics, probabilities)


def _probabilities(model: Model, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits (n, outputs) -> probabilities (n, classes), with the arithmetic of `sorter run`."""
    return np.array([model.probabilities(tuple(row)) for row in logits.tolist()])
