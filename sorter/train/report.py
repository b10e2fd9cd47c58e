"""What training tells about its data, and the report folder of the model."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

from sorter.evaluate.evaluate_report import write_report
from sorter.files import atomic_text
from sorter.photos.dataset import Dataset
from sorter.progress import Progress
from sorter.train.card import model_card
from sorter.train.learner import TrainingLog
from sorter.train.result import FOLDS_PART, TrainResult
from sorter.train.trainer import Measured
from sorter.train.training_set import TrainingSet

REPORT, HISTORY, CARD = "report", "history.csv", "README.md"


def describe_data(dataset: Dataset, data: TrainingSet, own_parts: bool, progress: Progress) -> None:
    """Tell the numbers of photos, duplicates, conflicts and failures.

    Args:
        own_parts: sorter made the parts, so duplicates are in one part.
    """
    parts = (("train", dataset.train), ("val", dataset.val), ("test", dataset.test))
    sizes = ", ".join(f"{len(examples):,} {part}" for part, examples in parts)
    progress.say(f"{len(dataset.classes)} classes. Photos: {sizes}.")
    if not dataset.val:
        progress.say(
            "These are few photos. So sorter learns from all of them, and chooses and measures by folds."
        )
    if dataset.exact_duplicates or dataset.near_duplicates:
        kept = "; duplicates are kept in one part" if own_parts else ""
        progress.say(
            f"{dataset.exact_duplicates:,} exact and {dataset.near_duplicates:,} near duplicates{kept}."
        )
    if dataset.leaks:
        progress.say(
            f"{dataset.leaks:,} photos of val and test look like photos of train. "
            "The figures will be too good; remove these photos from one side."
        )
    if dataset.conflicts:
        progress.say(
            f"{dataset.conflicts:,} photos look like photos of another class. Some labels may be wrong."
        )
    if data.failures:
        progress.say(f"{len(data.failures):,} files could not be decoded. {REPORT}/failures.csv names them.")


def write_training_report(
    result: TrainResult, data: TrainingSet, measured: Measured, log: TrainingLog, seed: int
) -> None:
    """Write the report folder with history.csv, and the model card.

    Args:
        measured: of the part that the result names.
        log: of the final training.
        seed: of the final training.
    """
    out = result.model.folder
    write_report(
        out / REPORT,
        result.metrics,
        list(measured.examples),
        measured.probabilities,
        about=_about(result, seed),
        failures=data.failures,
        history=log.history,
    )
    with atomic_text(out / REPORT / HISTORY) as file:
        writer = csv.DictWriter(file, list(log.history[0]))
        writer.writeheader()
        writer.writerows(log.history)
    (out / CARD).write_text(model_card(result), encoding="utf-8")


def _about(result: TrainResult, seed: int) -> Mapping[str, Any]:
    """The facts at the head of the page."""
    dataset = result.dataset
    duplicates = "none"
    if dataset.exact_duplicates + dataset.near_duplicates:
        sides = f"{dataset.leaks} leak from train" if dataset.leaks else "kept in one part"
        duplicates = f"{dataset.exact_duplicates} exact, {dataset.near_duplicates} near; {sides}"
    where = f"the {result.part} part of {dataset.root.name}"
    if result.part == FOLDS_PART:
        where = f"all of {dataset.root.name}, each scored by a head that did not learn from it"
    return {
        "Model": result.model.name,
        "Photos": f"{result.metrics.photos}, {where}",
        "Trained on": f"{len(dataset.train)} photos",
        "Duplicates": duplicates,
        "Recipe": f"{result.recipe.name}, {result.recipe.backbone}, {result.length}, seed {seed}",
        **{
            f"{name.replace('_', ' ').capitalize()} over {len(result.trials)} trials": f"{mean:.4f} ± {std:.4f}"
            for name, (mean, std) in result.spread.items()
        },
    }
