"""Marks of a review that look wrong: a cross-validated model contradicts them. The rule is `label_errors`'."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.evaluate.calibration import fit_temperature
from sorter.evaluate.label_errors import rank_label_errors
from sorter.photos.dataset import Example
from sorter.photos.groups import group_alike
from sorter.sort.table import read_table
from sorter.system import available_cores, cache_folder, worker_limits
from sorter.train.corrections import LabelledPhoto, choose_examples, photo_at
from sorter.train.features import embed
from sorter.train.few_examples import fit_scaled
from sorter.train.learner import Learner, class_weights
from sorter.train.options import TrainOptions, resolve_recipe
from sorter.train.retrain import RetrainOptions, backbone_options, model_of
from sorter.train.select_learner import select_learner
from sorter.train.training_set import TrainingSet, decode_examples
from sorter.types import Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.progress import Progress

RECIPE = "fast"


@dataclass(frozen=True)
class CheckOptions:
    """Which marks to check.

    Attributes:
        out: an output folder that was reviewed.
        workers: processes; None for one per core.
        limits: what a photo may cost.
    """

    out: Path
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class DoubtfulMarks:
    """Marks that look wrong.

    Attributes:
        ids: of the photos, the most doubtful first.
        checked: marks that could be checked.
    """

    ids: tuple[int, ...]
    checked: int


def find_doubtful_marks(options: CheckOptions, progress: Progress) -> DoubtfulMarks:
    """Check a person's marks against a model that learns from the others, and from photos that are certain.

    Raises:
        UsageError: no photo is marked.
        SorterError: a package is not installed.
    """
    table = read_table(options.out)
    chosen = choose_examples(table, RetrainOptions(options.out, options.out))
    ids = {table.path(row): int(table.id[row]) for row in range(len(table))}
    judged = _judge(_examples(chosen.training + chosen.held_out, options.out), options, progress)
    ranked = rank_label_errors(judged.labels, judged.probabilities)
    doubtful = ranked[judged.marked[ranked]].tolist()
    return DoubtfulMarks(tuple(ids[judged.paths[at]] for at in doubtful), int(judged.marked.sum()))


@dataclass(frozen=True)
class _Examples:
    """n photos that have a class.

    Attributes:
        classes: those that a photo has.
        examples: by the place in `classes`.
        marked: bool (n,), by a person. The others are ones that the model is certain of.
    """

    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    marked: NDArray[np.bool_]


def _examples(photos: list[LabelledPhoto], out: Path) -> _Examples:
    """Photos whose files are gone are left out."""
    found = [(each, photo) for each in photos if (photo := photo_at(each.path, out)) is not None]
    classes = tuple(sorted({each.label for each, _ in found}))
    examples = tuple(Example(photo, classes.index(each.label)) for each, photo in found)
    return _Examples(classes, examples, np.array([each.reviewed for each, _ in found], bool))


@dataclass(frozen=True)
class _Judged:
    """Photos and the probabilities that out-of-fold models give them.

    Attributes:
        paths: of m photos that could be decoded.
        labels: (m,).
        marked: bool (m,).
        probabilities: (m, k).
    """

    paths: list[Path]
    labels: NDArray[np.int64]
    marked: NDArray[np.bool_]
    probabilities: NDArray[np.float64]


def _judge(given: _Examples, options: CheckOptions, progress: Progress) -> _Judged:
    """Without folds nothing is judged: where a class has too few photos, or there is only one class."""
    nothing = _Judged([], np.empty(0, np.int64), np.empty(0, bool), np.empty((0, 2)))
    if len(given.classes) < 2:
        return nothing
    train = TrainOptions(
        options.out, options.out, recipe=RECIPE, **backbone_options(model_of(options.out), RECIPE)
    )
    positive = given.classes[1] if len(given.classes) == 2 else None
    learner = select_learner(train, resolve_recipe(train), given.classes, positive)
    with tempfile.TemporaryDirectory(prefix="sorter-", ignore_cleanup_errors=True) as work:
        data = embedded(given.examples, learner, options.workers, options.limits, progress, Path(work))
        usable = [each for each in given.examples if each.photo.path in data.fingerprints]
        kept = np.array([each.photo.path in data.fingerprints for each in given.examples], bool)
        features = np.array(data.subset(usable).read_features())
        prints = [data.fingerprints[each.photo.path] for each in usable]
        del data  # its files lie in the folder that goes
    labels = np.array([each.label for each in usable], np.int64)
    if len(np.unique(labels)) < len(given.classes):
        return nothing
    probabilities = out_of_fold(features, labels, group_alike(prints))
    if probabilities is None:
        return nothing
    return _Judged([each.photo.path for each in usable], labels, given.marked[kept], probabilities)


def embedded(
    examples: Sequence[Example],
    learner: Learner,
    workers: int | None,
    limits: Limits,
    progress: Progress,
    work: Path,
) -> TrainingSet:
    """The photos' features. A training on the same photos has left them in the cache."""
    workers, spec = workers or available_cores(), learner.draft.preprocess
    progress.begin("decoding", len(examples))
    data = decode_examples(examples, spec, work, workers, worker_limits(limits, workers), progress.advance)
    progress.begin("embedding", len(examples))
    make, key = learner.feature_extractor, learner.weights_key
    return embed(data, make, key, work / "features.npy", cache_folder("features"), progress.advance)


def out_of_fold(
    features: NDArray[np.float32], labels: NDArray[np.int64], groups: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Probabilities (m, k), each by a model that did not learn from that photo nor from one that looks like it."""
    two = int(labels.max()) == 1
    weights = class_weights(labels, int(labels.max()) + 1, "auto")[labels]
    logits = fit_scaled(features, labels, weights, 1 if two else None, groups).logits
    if logits is None:
        return None
    logits = logits / fit_temperature(logits, labels)
    if two:
        logits = np.hstack([np.zeros_like(logits), logits])
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(exponents / exponents.sum(1, keepdims=True))
