"""The result of a training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sorter.evaluate.metrics import Metrics
from sorter.model.folder import Model
from sorter.photos.dataset import Dataset
from sorter.train.recipes import Recipe

FOLDS_PART = "folds"
TRIAL_FIGURES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc")


@dataclass(frozen=True)
class TrainResult:
    """The result of a training.

    Attributes:
        model: as written.
        recipe: as followed.
        dataset: the photos, in three parts.
        part: the part that `metrics` is of: `test`, or `val` where the folders give no test. With few examples
            `folds`: all of `train`, each photo scored by a head that did not learn from it.
        metrics: of the final model.
        trials: figures of each fold and repetition, on photos it was not trained on.
        failed: files that could not be decoded.
        epochs: of all phases.
        seconds: of the whole command.
        training_seconds: of the phases alone.
        waiting: share of those seconds that the loop waited for photos.
        page: path of report.html.
    """

    model: Model
    recipe: Recipe
    dataset: Dataset
    part: str
    metrics: Metrics
    trials: tuple[dict[str, float | None], ...]
    failed: int
    epochs: int
    seconds: float
    training_seconds: float
    waiting: float
    page: Path

    @property
    def spread(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation over the trials, of each figure that is defined in all of them."""
        found = {}
        for name in TRIAL_FIGURES:
            values = [trial[name] for trial in self.trials]
            numbers = [value for value in values if value is not None]
            if numbers and len(numbers) == len(values):
                found[name] = (float(np.mean(numbers)), float(np.std(numbers, ddof=len(numbers) > 1)))
        return found

    @property
    def length(self) -> str:
        """The number of epochs, in words."""
        return f"{self.epochs} epoch{'s' if self.epochs > 1 else ''}"

    def to_json(self) -> dict[str, Any]:
        return {
            "model": str(self.model.folder),
            "recipe": self.recipe.name,
            "data": self.dataset.to_json(),
            "part": self.part,
            "threshold": self.model.threshold,
            "temperature": self.model.temperature,
            "failed": self.failed,
            "epochs": self.epochs,
            "seconds": round(self.seconds, 3),
            "training_seconds": round(self.training_seconds, 3),
            "waiting": round(self.waiting, 4),
            "report": str(self.page),
            "trials": list(self.trials),
            "mean_and_std": {name: list(pair) for name, pair in self.spread.items()},
            **self.metrics.to_json(),
        }
