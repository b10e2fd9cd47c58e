"""How good a head is with few examples: `sorter train --recipe fast` beside simpler ways on the same features."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.few_curves import Curve, draw_curves
from benchmarks.harness import Benchmark, Report, say
from benchmarks.machine import machine, machine_text
from benchmarks.process import BenchmarkError
from sorter.photos.dataset import Dataset, Example, read_folders, split
from sorter.progress import NoProgress
from sorter.system import available_cores, cache_folder
from sorter.train.features import embed
from sorter.train.head_learner import HeadLearner
from sorter.train.linear import fit_linear
from sorter.train.options import TrainOptions, positive_class, resolve_recipe
from sorter.train.recipes import Recipe
from sorter.train.select_learner import select_learner
from sorter.train.trainer import Trainer
from sorter.train.training_set import TrainingSet, decode_examples
from sorter.types import Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Logits = NDArray[np.float64]

STRENGTHS = (0.1, 1.0, 10.0, 100.0)  # scikit-learn's C, of which the best is picked afterwards
LEFT = 8  # photos of a class to judge on, at least
MOST = 1000  # photos to judge on
OLD, CENTROID, LR, OURS = "before, 70 %", "nearest centroid", "logistic", "sorter"
ALL = "before, 100 %"


@dataclass(frozen=True)
class Mean:
    """Of the draws of one set with so many photos a class.

    Attributes:
        each: photos of each class that were learned from.
        judged: other photos.
        accuracy: by way, balanced over the classes, the mean of the draws.
    """

    name: str
    classes: int
    each: int
    judged: int
    draws: int
    accuracy: dict[str, float]

    @property
    def by_hand(self) -> float:
        """The best of nearest centroid and logistic regression with any strength, picked on the judged photos."""
        return max(value for way, value in self.accuracy.items() if way == CENTROID or way.startswith(LR))


@dataclass(frozen=True)
class PhotoSet:
    """Embedded photos of one folder of class folders."""

    name: str
    recipe: Recipe
    learner: HeadLearner
    data: TrainingSet
    labels: NDArray[np.int64]

    @property
    def features(self) -> NDArray[np.float32]:
        assert self.data.features is not None
        return np.asarray(self.data.features)


def read_set(folder: Path, work: Path) -> PhotoSet:
    """Decode and embed every photo. Raises BenchmarkError: training would take torch, or a photo is broken."""
    say(f"{folder.name}: decoding and embedding")
    classes, parts = read_folders(folder)
    options = TrainOptions(folder, work / "model", "fast", device="cpu")
    recipe = resolve_recipe(options)
    learner = select_learner(options, recipe, classes, positive_class(classes, None))
    if not isinstance(learner, HeadLearner):
        raise BenchmarkError("the shipped model's backbone is not there")
    scratch = work / folder.name
    scratch.mkdir(exist_ok=True)
    examples, limits = parts[None], Limits()
    spec = learner.draft.preprocess
    data = decode_examples(examples, spec, scratch, available_cores(), limits, lambda _: None)
    if data.failures:
        raise BenchmarkError(f"{data.failures[0].photo.path}: cannot be decoded; remove it")
    target = scratch / "features.npy"
    embedded = embed(
        data, learner.feature_extractor, learner.weights_key, target, cache_folder("features"), lambda _: None
    )
    labels = np.array([example.label for example in examples])
    return PhotoSet(folder.name, recipe, learner, embedded, labels)


def draw(labels: NDArray[np.int64], each: int, seed: int) -> tuple[list[int], list[int]]:
    """Rows to learn from, so many of each class, and rows to judge on."""
    random = np.random.default_rng([seed, each])
    chosen: list[int] = []
    for label in range(int(labels.max()) + 1):
        chosen += random.permutation(np.flatnonzero(labels == label))[:each].tolist()
    rest = np.setdiff1d(np.arange(len(labels)), chosen)
    return chosen, sorted(random.permutation(rest)[:MOST].tolist())


def measure_set(photos: PhotoSet, counts: Sequence[int], draws: int) -> Iterator[Mean]:
    smallest = int(np.bincount(photos.labels).min())
    for each in counts:
        if smallest - each < LEFT:
            continue
        found: dict[str, list[float]] = {}
        for seed in range(draws):
            learn, judge = draw(photos.labels, each, seed)
            for way, predicted in predictions(photos, learn, judge, seed):
                found.setdefault(way, []).append(balanced(predicted, photos.labels[judge]))
        means = {way: float(np.mean(values)) for way, values in found.items()}
        classes = int(photos.labels.max()) + 1
        yield Mean(photos.name, classes, each, len(judge), draws, means)
        say(f"{photos.name}, {each} of each: " + ", ".join(f"{w} {100 * v:.1f}" for w, v in means.items()))


def predictions(
    photos: PhotoSet, learn: list[int], judge: list[int], seed: int
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """The classes that each way gives the judged photos."""
    features, labels = photos.features, photos.labels
    held = max(round(len(learn) / (labels.max() + 1) * 0.15), 1)
    each = len(learn) // (int(labels.max()) + 1)
    kept = [row for at, row in enumerate(learn) if at % each < each - 2 * held]
    for way, rows in ((OLD, kept), (ALL, learn)):
        head = fit_linear(features[rows], labels[rows], np.ones(len(rows)), photos.recipe.phases[0].l2, None)
        yield way, classes_of(head(features[judge]))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    centres = np.array([unit[learn][labels[learn] == k].mean(0) for k in range(labels.max() + 1)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    yield CENTROID, classes_of(unit[judge] @ centres.T)
    for strength in STRENGTHS:
        yield f"{LR} C={strength:g}", logistic(unit[learn], labels[learn], unit[judge], strength)
    yield OURS, by_sorter(photos, learn, judge, seed)


def logistic(
    rows: NDArray[np.float32], labels: NDArray[np.int64], others: NDArray[np.float32], strength: float
) -> NDArray[np.int64]:
    from sklearn.linear_model import LogisticRegression

    mean = rows.mean(0)
    found = LogisticRegression(C=strength, max_iter=1000).fit(rows - mean, labels)
    return np.asarray(found.predict(others - mean), np.int64)


def by_sorter(photos: PhotoSet, learn: list[int], judge: list[int], seed: int) -> NDArray[np.int64]:
    """As `sorter train` learns and `sorter run` decides, the threshold included."""
    examples = photos.data.examples
    classes, everything = photos.learner.draft.classes, [examples[row] for row in learn]
    dataset = _dataset(photos, classes, everything, seed)
    trainer = Trainer(photos.learner, photos.recipe.optimise, photos.data, NoProgress())
    trained = trainer.fit(dataset, seed)
    model = trained.model
    found = trainer.measure(trained, [examples[row] for row in judge], resamples=2).probabilities
    if model.positive is None:
        return classes_of(found)
    positive = model.positive_index
    return np.where(found[:, positive] >= model.threshold, positive, 1 - positive)


def _dataset(photos: PhotoSet, classes: tuple[str, ...], learn: list[Example], seed: int) -> Dataset:
    from sorter.train.few_examples import chooses_by_folds

    prints = photos.data.fingerprints
    parts: dict[str | None, list[Example]] = {None: learn}
    if chooses_by_folds(photos.recipe, parts, classes, prints):
        return split(Path(photos.name), classes, parts, prints, seed, val=0.0, test=0.0)
    return split(Path(photos.name), classes, parts, prints, seed)


def classes_of(logits: Logits) -> NDArray[np.int64]:
    return np.asarray(logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(1), np.int64)


def balanced(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    return float(np.mean([(predicted[labels == label] == label).mean() for label in np.unique(labels)]))


def table(means: Sequence[Mean]) -> str:
    """In Markdown, per cent."""
    ways = (OLD, ALL, CENTROID, f"{LR} C=10")
    lines = [f"| set | photos a class | {' | '.join(ways)} | best by hand | sorter |"]
    lines.append("|---|" + "---:|" * (len(ways) + 3))
    for mean in means:
        values = [mean.accuracy[way] for way in ways] + [mean.by_hand, mean.accuracy[OURS]]
        shown = " | ".join(f"{100 * value:.1f}" for value in values)
        lines.append(f"| {mean.name}, {mean.classes} classes | {mean.each} | {shown} |")
    return "\n".join(lines) + "\n"


def curves(means: Sequence[Mean]) -> dict[str, list[Curve]]:
    """Of each set, in per cent: as training was, the best by hand, and as it is."""
    sets: dict[str, list[Curve]] = {}
    for name in dict.fromkeys(mean.name for mean in means):
        own = [mean for mean in means if mean.name == name]
        sets[name] = [
            Curve(OLD, {mean.each: 100 * mean.accuracy[OLD] for mean in own}),
            Curve("best by hand", {mean.each: 100 * mean.by_hand for mean in own}),
            Curve(OURS, {mean.each: 100 * mean.accuracy[OURS] for mean in own}),
        ]
    return sets


def measure(arguments: argparse.Namespace, work: Path) -> Report:
    facts = machine(("numpy", "onnxruntime", "scikit-learn"))
    means = [
        mean
        for folder in arguments.data
        for mean in measure_set(read_set(folder, work), arguments.each, arguments.draws)
    ]
    if arguments.svg:
        draw_curves(curves(means), arguments.svg)
    text = f"{table(means)}\n{machine_text(facts)}\n"
    return Report({"machine": facts, "means": [asdict(mean) for mean in means]}, text)


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, metavar="DIR", help="folders of class folders"
    )
    parser.add_argument(
        "--each", type=int, nargs="+", default=[4, 5, 10, 20, 40, 100], metavar="N", help="photos a class"
    )
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the curves into this file")
    parser.add_argument("--draws", type=int, default=5, metavar="N", help="random draws of each number (5)")


BENCHMARK = Benchmark(
    "few",
    "how good a model is that learned from few photos",
    "Learn from some photos of each class, and judge on the other photos of the folder. `sorter` is what "
    "`sorter train --recipe fast` does, with its threshold. `before` is what it did until then: features "
    "standardised, a fixed penalty. The figures are balanced accuracies in per cent.",
    "Example:\n    python scripts/benchmark.py few --data ./flowers ./vehicles --markdown table.md",
    add_flags,
    measure,
)
