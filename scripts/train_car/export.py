"""The folder of the shipped model: temperature, threshold, files and provenance."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sorter.evaluate.calibration import fit_temperature
from sorter.export.files import export_model
from sorter.model.folder import Model
from sorter.train.backbones import PACKAGED, describe, preprocess_of
from sorter.train.layers import put_head
from sorter.train.linear import LinearHead
from sorter.train.pretrained import WeightSource, make_network
from train_car.learn import repeated
from train_car.study import CAR, CLASSES, LABELS, NOT_CAR, RECIPE, SEED, SOURCES, Floats, Rows, Study

MIN_CELL = 20  # a (group, class) with fewer photos does not count for the threshold
FALSE_POSITIVES = 0.01  # at most, of held-out photos without cars: of all, and averaged over groups
PER_GROUP = (32, 160)  # photos of each group for int8 calibration, and for measuring agreement
PACKAGES = ("torch", "timm", "onnx", "onnxscript", "onnxruntime", "openvino", "numpy", "pillow")


def export(study: Study, head: LinearHead, by_source: NDArray[np.float64], folder: Path) -> Model:
    """Choose the temperature and the threshold on held-out sources, and write the model folder without its card."""
    rows = np.flatnonzero(study.measured & study.whole(np.ones_like(study.trainable)))
    rows = repeated(study, rows)
    truth = (study.labels[rows] == CAR).astype(np.int64)
    temperature = round(fit_temperature(by_source[rows], truth), 4)
    probabilities = 1 / (1 + np.exp(-by_source[: len(study.photos)] / temperature))
    draft = Model(
        folder=folder,
        name="car",
        classes=CLASSES,
        positive=CLASSES[CAR],
        threshold=choose_threshold(study, probabilities),
        temperature=temperature,
        preprocess=preprocess_of(RECIPE),
        backbone=describe(RECIPE),
        provenance=provenance(study),
    )
    folder.mkdir(parents=True, exist_ok=True)
    calibration, agreement = pick(study, *PER_GROUP)
    network = make_network(RECIPE, 1, WeightSource(), SEED)
    put_head(network, head)
    return export_model(
        network, draft, inputs(study, calibration), inputs(study, agreement), study.labels[agreement].tolist()
    )


def choose_threshold(study: Study, probabilities: Floats) -> float:
    """The lowest threshold at which at most `FALSE_POSITIVES` of the photos without cars are called cars.

    Args:
        probabilities: of a car, for the photos (m,), from heads that were fitted without their groups.
    """
    others = (study.labels[: len(study.photos)] == NOT_CAR) & study.trainable
    groups = [others & (study.groups == group) for group in np.unique(study.groups)]
    for threshold in np.arange(0.01, 1, 0.005).round(4).tolist():
        rates = [
            float(np.mean(probabilities[rows] >= threshold)) for rows in groups if rows.sum() >= MIN_CELL
        ]
        if max(np.mean(rates), np.mean(probabilities[others] >= threshold)) <= FALSE_POSITIVES:
            return float(threshold)
    raise SystemExit(
        f"at every threshold, over {FALSE_POSITIVES:.0%} of the photos without cars are called cars"
    )


def pick(study: Study, first: int, second: int) -> tuple[Rows, Rows]:
    """Up to `first` photos of each group, and up to `second` others, in an order that mixes the groups."""
    random = np.random.default_rng(SEED)
    chosen: tuple[list[Rows], list[Rows]] = ([], [])
    for group in np.unique(study.groups):
        rows = random.permutation(np.flatnonzero((study.groups == group) & study.trainable))
        chosen[0].append(rows[:first])
        chosen[1].append(rows[first : first + second])
    return random.permutation(np.concatenate(chosen[0])), random.permutation(np.concatenate(chosen[1]))


def inputs(study: Study, rows: Rows, batch: int = 16) -> list[NDArray[np.float32]]:
    spec = preprocess_of(RECIPE)
    return [
        spec.normalise(np.asarray(study.pixels[rows[at : at + batch]])) for at in range(0, len(rows), batch)
    ]


def provenance(study: Study) -> dict[str, Any]:
    package = PACKAGED[RECIPE.backbone].package
    return {
        "script": "scripts/train_shipped_model.py",
        "seed": SEED,
        "recipe": RECIPE.to_json(),
        "backbone_weights": f"{package} {version(package)}",
        "sources": {
            source: {
                label: sum(photo.source == source and photo.car is car for photo in study.photos)
                for label, car in LABELS.items()
            }
            for source in SOURCES
        },
        "scenes_made": len(study.made),
        "not_trained_on": "small-car; a random tenth of all",
        "packages": {name: version(name) for name in PACKAGES},
    }
