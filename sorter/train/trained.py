"""What came of a training: the record of it, and the model card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sorter.evaluate.metrics import Metrics
from sorter.model.folder import Model
from sorter.photos.dataset import Dataset
from sorter.train.recipes import Recipe

TRIED = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc")


@dataclass(frozen=True)
class Trained:
    """What came of it.

    Attributes:
        model: as it was written.
        recipe: as it was followed.
        dataset: who was trained on.
        part: what `metrics` is of: `test`, or `val` where the folders give no test.
        metrics: of the final model.
        trials: of each fold and repetition, on photos it had not seen.
        failed: files that could not be decoded.
        epochs: of all phases.
        seconds: all in all.
        training_seconds: of the phases alone.
        waiting: share of those that the loop waited for photos.
        page: report.html.
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
        for name in TRIED:
            values = [trial[name] for trial in self.trials]
            numbers = [value for value in values if value is not None]
            if numbers and len(numbers) == len(values):
                found[name] = (float(np.mean(numbers)), float(np.std(numbers, ddof=len(numbers) > 1)))
        return found

    @property
    def length(self) -> str:
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


def model_card(trained: Trained) -> str:
    """The model card."""
    model, metrics = trained.model, trained.metrics
    dataset = trained.dataset.to_json()
    counts = "\n".join(
        f"| {name} | "
        + " | ".join(str(dataset["photos"][part][name]) for part in ("train", "val", "test"))
        + " |"
        for name in model.classes
    )
    figures = "\n".join(
        f"| {name.replace('_', ' ')} | {e.value:.4f} | {e.low:.4f} to {e.high:.4f} |"
        for name, e in metrics.estimates().items()
        if e.value == e.value
    )
    rule = ""
    if model.positive is not None:
        chosen = f"{model.threshold:.4g}, chosen for {trained.recipe.optimise}"
        rule = f"Says `{model.positive}` from a probability of {chosen};\n"
    return f"""# {model.name}

Tells {", ".join(model.classes[:-1])} and {model.classes[-1]} apart.
Made by `sorter train` with the recipe `{trained.recipe.name}`: {trained.recipe.backbone}, {trained.length}.
{rule}temperature {model.temperature:.4g}.

Use: `sorter run ./photos --out ./sorted --model {model.name}`

| photos | train | val | test |
|---|---|---|---|
{counts}

Measured on the {trained.part} part, {metrics.photos} photos{_caveat(trained)}:

| | | 95 % interval |
|---|---|---|
{figures}

Photos of another kind than these (another camera, place or season) may do worse: `sorter evaluate` tells.
More in `report/report.html`.
"""


def _caveat(trained: Trained) -> str:
    return "" if trained.part == "test" else ", by which the model was also chosen: expect less"
