"""`sorter train`: folders of examples -> a model folder and a report of how good it is."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from platformdirs import user_cache_path

from sorter.model import Model
from sorter.networks import Network, parameter_count
from sorter.pipeline import Limits
from sorter.report import replaced
from sorter.run import available_cores, memory_per_worker
from sorter.train import loop
from sorter.train.augment import augmentation
from sorter.train.batches import Photos
from sorter.train.checkpoint import CHECKPOINT, Progress
from sorter.train.data import Dataset, Example, folds, group_alike, read_folders, split
from sorter.train.evaluation import write_report
from sorter.train.export import export_model
from sorter.train.features import Prepared, embed, prepare
from sorter.train.metrics import Metrics, choose_threshold, compute, fit_temperature
from sorter.train.networks import Source, describe, make_network, preprocess_of, weights_key
from sorter.train.recipes import DEFAULT, FAST, LITE0, Recipe, find_recipe
from sorter.train.settings import Settings, Watch
from sorter.types import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORK = ".training"  # in the model folder until it is complete
RUN, TRIALS = "run.json", "trials.json"
REPORT, HISTORY, CARD = "report", "history.csv", "README.md"
BALANCES = ("auto", "none", "weights", "sampling")
CALIBRATION, AGREEMENT = 128, 256  # photos that fix the int8 ranges, and that engines are compared on
NEGATIONS = ("not-", "not_", "not ", "no-", "no_", "no ", "non-", "non_", "without")
TRIED = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc")


@dataclass(frozen=True)
class Options:
    """What `sorter train` can be told; None leaves it to the recipe.

    Attributes:
        data: class folders, or train/ val/ test/ folders of them.
        out: the model folder to make.
        recipe: a name; None is `fast` for EfficientNet-Lite0 and `resnet50-sigmoid` for all else.
        backbone: timm's name, `efficientnet-lite0` or `small-cnn`.
        weights: a local file with the backbone's weights.
        pretrained: False starts from random weights.
        epochs: of the last phase, the fine-tuning; 0 leaves it out.
        patience: epochs without gain before a phase ends.
        batch_size: photos in a step.
        size: side of the square input in pixels.
        lr: peak learning rate of the last phase that runs.
        augment: `none`, `light`, `standard` or `strong`.
        balance: `auto`, `none`, `weights` or `sampling`.
        optimise: what the threshold of a two-class model is chosen for.
        positive: of two classes, the one whose probability the model gives.
        seed: decides everything random.
        folds: of a cross-validation before the final training; 1 for none.
        repeats: of it, or of training with other seeds.
        time_budget: minutes of training (and of each trial), after which the best so far is taken.
        resume: go on where the same command was stopped.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        workers: processes; None for one per core.
        max_megapixels: larger photos fail before they are decoded.
        timeout_per_file: seconds.
    """

    data: Path
    out: Path
    recipe: str | None = None
    backbone: str | None = None
    weights: Path | None = None
    pretrained: bool = True
    epochs: int | None = None
    patience: int | None = None
    batch_size: int | None = None
    size: int | None = None
    lr: float | None = None
    augment: str | None = None
    balance: str | None = None
    optimise: str | None = None
    positive: str | None = None
    seed: int = 0
    folds: int = 1
    repeats: int = 1
    time_budget: float | None = None
    resume: bool = False
    device: str = "auto"
    workers: int | None = None
    max_megapixels: float = 250.0
    timeout_per_file: float = 60.0


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


def resolve_recipe(options: Options) -> Recipe:
    """The recipe with what the options change in it. Raises UsageError for what cannot be."""
    name = options.recipe or (FAST if options.backbone == LITE0 else DEFAULT)
    recipe = find_recipe(name)
    for flag, value, least in (
        ("--epochs", options.epochs, 0),
        ("--patience", options.patience, 1),
        ("--batch-size", options.batch_size, 1),
        ("--size", options.size, 8),
        ("--folds", options.folds, 1),
        ("--repeats", options.repeats, 1),
        ("--seed", options.seed, 0),
        ("--workers", options.workers, 1),
    ):
        if value is not None and value < least:
            raise UsageError(f"{flag}: {value} is below {least}")
    for flag, number in (("--lr", options.lr), ("--time-budget", options.time_budget)):
        if number is not None and not number > 0:
            raise UsageError(f"{flag}: {number:g} is not above zero")
    if options.weights is not None and not options.pretrained:
        raise UsageError(
            "--no-pretrained: asks for random weights, --weights for those of a file; give one of them"
        )
    phases = list(recipe.phases)
    if options.epochs is not None:
        phases[-1] = replace(phases[-1], epochs=options.epochs)
    phases = [phase for phase in phases if phase.epochs]
    if not phases:
        raise UsageError(f"--epochs 0: leaves {name} without a phase; give one or more")
    if options.patience is not None:
        phases = [replace(phase, patience=options.patience) for phase in phases]
    if options.lr is not None:
        phases[-1] = replace(phases[-1], lr=options.lr)
    changed: dict[str, Any] = {
        "backbone": options.backbone,
        "batch_size": options.batch_size,
        "size": options.size,
        "augment": options.augment,
        "balance": options.balance,
        "optimise": options.optimise,
    }
    changed = {key: value for key, value in changed.items() if value is not None}
    recipe = replace(recipe, phases=tuple(phases), **changed)
    augmentation(recipe.augment, recipe.size)
    choose_threshold([0, 1], [0.25, 0.75], recipe.optimise)
    if recipe.balance not in BALANCES:
        raise UsageError(f"--balance {recipe.balance}: is none of {', '.join(BALANCES)}")
    return recipe


def train_model(options: Options, watch: Watch) -> Trained:
    """Train on folders of examples and write a model folder.

    Raises:
        UsageError: options, folders or weights that cannot be used; nothing has been written then.
        SorterError: weights that cannot be had, or a network that cannot be exported.
    """
    began = time.monotonic()
    recipe = resolve_recipe(options)
    _check_out(options)
    classes, parts = read_folders(options.data)
    spec = preprocess_of(recipe)
    positive = _positive(classes, options.positive)
    draft = Model(
        options.out, options.out.resolve().name, classes, positive, 0.5, 1.0, spec, describe(recipe)
    )
    device = _device(options.device)
    source = Source(options.weights, options.pretrained)
    make_network(
        recipe, draft.outputs, source, options.seed
    )  # what cannot be had is missed before photos are read
    return _Training(options, recipe, draft, parts, device, source, watch).go(began)


class _Training:
    def __init__(
        self,
        options: Options,
        recipe: Recipe,
        draft: Model,
        parts: dict[str | None, list[Example]],
        device: torch.device,
        source: Source,
        watch: Watch,
    ) -> None:
        self.options = options
        self.recipe = recipe
        self.draft = draft
        self.parts = parts
        self.device = device
        self.source = source
        self.watch = watch
        self.out = options.out.resolve()
        self.work = self.out / WORK
        self.workers = options.workers or available_cores()
        self.examples = [example for part in parts.values() for example in part]
        self.rows = {example.photo.path: row for row, example in enumerate(self.examples)}

    def go(self, began: float) -> Trained:
        self._open()
        if self.device.type == "cpu":
            torch.set_num_threads(self.workers)
        prepared = self._prepare()
        root = self.options.data.resolve()
        try:
            dataset = split(root, self.draft.classes, self.parts, prepared.fingerprints, self.options.seed)
        except UsageError:  # the photos have to change, so there is nothing to go on with
            shutil.rmtree(self.work)
            raise
        self._tell(dataset, prepared)
        features = self._embed(prepared)
        trials = self._trials(prepared, features)
        fitted = self._fit(dataset, prepared, features, self.options.seed, self.work / CHECKPOINT)
        model = self._export(fitted, dataset, prepared)
        part = "test" if dataset.test else "val"
        metrics, probabilities = self._measure(fitted, dataset.test or dataset.val, prepared, features)
        trained = Trained(
            model=model,
            recipe=self.recipe,
            dataset=dataset,
            part=part,
            metrics=metrics,
            trials=trials,
            failed=len(prepared.failures),
            epochs=len(fitted.progress.history),
            seconds=time.monotonic() - began,
            training_seconds=fitted.progress.seconds,
            waiting=fitted.progress.waited / max(fitted.progress.seconds, 1e-9),
            page=self.out / REPORT / "report.html",
        )
        self._report(trained, prepared, probabilities, fitted.progress)
        shutil.rmtree(self.work)
        return trained

    # -- before training ---------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Make the model folder, or see that what was begun there is the same."""
        asked = self._settings()
        run = self.work / RUN
        if self.options.resume:
            begun = json.loads(run.read_text(encoding="utf-8"))
            differing = [name for name in asked if asked[name] != begun.get(name)]
            if differing:
                raise UsageError(
                    f"--resume: {self.options.out} was begun with another {', '.join(differing)}; "
                    "give the same command as then, or another --out"
                )
            return
        self.work.mkdir(parents=True)
        part = run.with_suffix(".part")
        part.write_text(json.dumps(asked, indent=2), encoding="utf-8")
        part.replace(run)

    def _settings(self) -> dict[str, Any]:
        """What has to stay the same for training to go on."""
        photos = [[str(e.photo.relative), e.label, e.photo.size, e.photo.mtime_ns] for e in self.examples]
        settings = {
            "recipe": self.recipe.to_json(),
            "data": [str(self.options.data.resolve()), photos],
            "classes": self.draft.classes,
            "positive": self.draft.positive,
            "weights": None if self.options.weights is None else str(self.options.weights.resolve()),
            "pretrained": self.options.pretrained,
            "seed": self.options.seed,
            "folds": self.options.folds,
            "repeats": self.options.repeats,
            "max_megapixels": self.options.max_megapixels,
        }
        plain: dict[str, Any] = json.loads(json.dumps(settings))
        return plain

    def _prepare(self) -> Prepared:
        self.watch.begin("decoding", len(self.examples))
        limits = Limits(self.options.timeout_per_file, memory_per_worker(self.workers))
        return prepare(
            self.examples,
            self.draft.preprocess,
            self.work,
            self.workers,
            limits,
            self.options.max_megapixels,
            self.watch.advance,
        )

    def _tell(self, dataset: Dataset, prepared: Prepared) -> None:
        sizes = ", ".join(
            f"{len(examples):,} {part}"
            for part, examples in (("train", dataset.train), ("val", dataset.val), ("test", dataset.test))
        )
        self.watch.say(f"{len(dataset.classes)} classes; photos: {sizes}")
        if dataset.exact_duplicates or dataset.near_duplicates:
            self.watch.say(
                f"{dataset.exact_duplicates:,} exact and {dataset.near_duplicates:,} near duplicates"
                + (", each kept on one side" if None in self.parts else "")
            )
        if dataset.leaks:
            self.watch.say(
                f"{dataset.leaks:,} photos of val and test look like one of train: figures will flatter"
            )
        if dataset.conflicts:
            self.watch.say(
                f"{dataset.conflicts:,} photos look like one of another class: some are mislabelled, perhaps"
            )
        if prepared.failures:
            self.watch.say(
                f"{len(prepared.failures):,} files could not be decoded: see {REPORT}/failures.csv"
            )

    def _embed(self, prepared: Prepared) -> NDArray[np.float32] | None:
        """Features of every photo, where a phase wants them: the network is frozen, and the same for every trial."""
        if not any(phase.cached for phase in self.recipe.phases):
            return None
        network = self._network(self.options.seed)
        self.watch.begin("embedding", len(prepared.fingerprints))
        return embed(
            network.backbone,
            self.draft.preprocess,
            prepared.pixels,
            [self._sha256(example, prepared) for example in self.examples],
            self.work / "features.npy",
            user_cache_path("sorter") / "features",
            weights_key(network.backbone),
            self.device,
            self.watch.advance,
        )

    def _sha256(self, example: Example, prepared: Prepared) -> str | None:
        found = prepared.fingerprints.get(example.photo.path)
        return None if found is None else found.sha256

    def _network(self, seed: int) -> Network:
        network = make_network(self.recipe, self.draft.outputs, self.source, self.options.seed)
        if seed != self.options.seed:
            # Another head, but the same backbone: the features are of that one.
            torch.manual_seed(seed)
            for layer in network.head:
                if isinstance(layer, torch.nn.Linear):
                    layer.reset_parameters()
        return network

    # -- training ----------------------------------------------------------------------------------------------

    def _fit(
        self,
        dataset: Dataset,
        prepared: Prepared,
        features: NDArray[np.float32] | None,
        seed: int,
        checkpoint: Path | None,
    ) -> _Fitted:
        network = self._network(seed)
        learn, choose = (self._photos(part, prepared, features) for part in (dataset.train, dataset.val))
        budget = self.options.time_budget
        settings = Settings(
            positive=self._positive,
            classes=len(self.draft.classes),
            spec=self.draft.preprocess,
            seed=seed,
            device=self.device,
            workers=self.workers if self.device.type == "cuda" else 0,
            deadline=None if budget is None else budget * 60,
            checkpoint=checkpoint,
        )
        progress = loop.train(network, self.recipe, learn, choose, settings, self.watch)
        if progress.out_of_time:
            self.watch.say("the time budget is spent: the best epoch so far is taken")
        logits = self._logits(network, dataset.val, prepared, features, settings)
        labels = np.array([example.label for example in dataset.val])
        if self.draft.binary:
            labels = (labels == self._positive).astype(np.int64)
        temperature = fit_temperature(logits, labels)
        model = replace(self.draft, folder=self.out, temperature=temperature)
        if self.draft.binary:
            probabilities = _probabilities(model, logits)[:, self._positive]
            model = replace(model, threshold=choose_threshold(labels, probabilities, self.recipe.optimise))
        return _Fitted(network, model, progress, settings)

    @property
    def _positive(self) -> int:
        return 0 if self.draft.positive is None else self.draft.classes.index(self.draft.positive)

    def _photos(
        self, examples: Sequence[Example], prepared: Prepared, features: NDArray[np.float32] | None
    ) -> Photos:
        rows = np.array([self.rows[example.photo.path] for example in examples], np.int64)
        labels = np.array([example.label for example in examples], np.int64)
        return Photos(rows, labels, prepared.pixels, features)

    def _logits(
        self,
        network: Network,
        examples: Sequence[Example],
        prepared: Prepared,
        features: NDArray[np.float32] | None,
        settings: Settings,
    ) -> NDArray[np.float64]:
        """As float32 gives them; from the features, where the backbone is still what they were made with."""
        photos = self._photos(examples, prepared, features)
        cached = all(phase.cached for phase in self.recipe.phases)
        return loop.predict(network.head if cached else network, photos, cached, settings)

    def _measure(
        self,
        fitted: _Fitted,
        examples: Sequence[Example],
        prepared: Prepared,
        features: NDArray[np.float32] | None,
        resamples: int = 1000,
    ) -> tuple[Metrics, NDArray[np.float64]]:
        logits = self._logits(fitted.network, examples, prepared, features, fitted.settings)
        model = fitted.model
        probabilities = _probabilities(model, logits)
        labels = [example.label for example in examples]
        metrics = compute(
            labels, probabilities, model.classes, model.positive, model.threshold, resamples=resamples
        )
        return metrics, probabilities

    def _trials(
        self, prepared: Prepared, features: NDArray[np.float32] | None
    ) -> tuple[dict[str, float | None], ...]:
        """Train on parts of the photos and measure on the rest, for each fold and repetition."""
        options = self.options
        if options.folds == options.repeats == 1:
            return ()
        kept = self.work / TRIALS
        done: list[dict[str, float | None]] = json.loads(kept.read_text()) if kept.exists() else []
        for number, dataset in enumerate(self._rounds(prepared)):
            if number < len(done):
                continue
            self.watch.say(f"trial {number + 1} of {options.folds * options.repeats}")
            fitted = self._fit(dataset, prepared, features, options.seed + number, None)
            metrics, _ = self._measure(fitted, dataset.test, prepared, features, resamples=2)
            found = metrics.to_json()
            done.append({name: found[name]["value"] for name in TRIED})
            part = kept.with_suffix(".part")
            part.write_text(json.dumps(done), encoding="utf-8")
            part.replace(kept)
        return tuple(done)

    def _rounds(self, prepared: Prepared) -> Iterator[Dataset]:
        """Every photo is tested with once in each repetition; a test part that the folders name is left out."""
        fingerprints = prepared.fingerprints
        examples = [
            example
            for part, some in self.parts.items()
            if part != "test"
            for example in some
            if example.photo.path in fingerprints
        ]
        root, classes = self.options.data, self.draft.classes
        groups = group_alike([fingerprints[example.photo.path] for example in examples])
        labels = np.array([example.label for example in examples])
        for repeat in range(self.options.repeats):
            seed = self.options.seed + repeat
            if self.options.folds == 1:
                yield split(root, classes, {None: examples}, fingerprints, seed)
                continue
            fold = folds(groups, labels, self.options.folds, seed)
            for held_out in range(self.options.folds):
                rest: dict[str | None, list[Example]] = {
                    "train": [e for e, f in zip(examples, fold, strict=True) if f != held_out],
                    "test": [e for e, f in zip(examples, fold, strict=True) if f == held_out],
                }
                yield split(root, classes, rest, fingerprints, seed)

    # -- after training ----------------------------------------------------------------------------------------

    def _export(self, fitted: _Fitted, dataset: Dataset, prepared: Prepared) -> Model:
        self.watch.begin("exporting", 1)
        calibration = self._inputs(_spread(dataset.train, CALIBRATION), prepared)
        agreement = self._inputs(_spread(dataset.val + dataset.test, AGREEMENT), prepared)
        model = replace(fitted.model, provenance=self._provenance(dataset, fitted))
        network = fitted.network.cpu().float().to(memory_format=torch.contiguous_format)
        model = export_model(network, model, calibration, agreement)
        self.watch.advance(1)
        return model

    def _inputs(self, examples: Sequence[Example], prepared: Prepared) -> list[NDArray[np.float32]]:
        rows = [self.rows[example.photo.path] for example in examples]
        spec = self.draft.preprocess
        return [
            spec.normalise(np.asarray(prepared.pixels[rows[at : at + 16]])) for at in range(0, len(rows), 16)
        ]

    def _provenance(self, dataset: Dataset, fitted: _Fitted) -> dict[str, Any]:
        weights = "random"
        if self.options.weights is not None:
            weights = self.options.weights.name
        elif self.options.pretrained and self.recipe.pretrained:
            weights = "pretrained on ImageNet"
        return {
            "made_by": "sorter train",
            "recipe": self.recipe.to_json(),
            "weights": weights,
            "seed": self.options.seed,
            "parameters": parameter_count(fitted.network),
            "data": dataset.to_json(),
            "packages": {name: version(name) for name in ("torch", "torchvision", "timm", "numpy", "pillow")},
        }

    def _report(
        self, trained: Trained, prepared: Prepared, probabilities: NDArray[np.float64], progress: Progress
    ) -> None:
        folder = self.out / REPORT
        self.watch.begin("writing the report", 1)
        dataset = trained.dataset
        duplicates = f"{dataset.exact_duplicates} exact, {dataset.near_duplicates} near"
        sides = f"{dataset.leaks} leak from train" if dataset.leaks else "each kept on one side"
        about = {
            "Model": trained.model.name,
            "Photos": f"{len(probabilities)}, the {trained.part} part of {dataset.root.name}",
            "Trained on": f"{len(dataset.train)} photos",
            "Duplicates": f"{duplicates}; {sides}"
            if dataset.exact_duplicates + dataset.near_duplicates
            else "none",
            "Recipe": f"{self.recipe.name}, {self.recipe.backbone}, {trained.epochs} epochs, seed {self.options.seed}",
            **{
                f"{name.replace('_', ' ').capitalize()} over {len(trained.trials)} trials": f"{mean:.4f} ± {std:.4f}"
                for name, (mean, std) in trained.spread.items()
            },
        }
        write_report(
            folder,
            trained.metrics,
            list(dataset.test or dataset.val),
            probabilities,
            about=about,
            failures=prepared.failures,
            history=progress.history,
            data=trained.to_json(),
        )
        with replaced(folder / HISTORY) as file:
            writer = csv.DictWriter(file, list(progress.history[0]))
            writer.writeheader()
            writer.writerows(progress.history)
        (self.out / CARD).write_text(_card(trained), encoding="utf-8")
        self.watch.advance(1)


@dataclass(frozen=True)
class _Fitted:
    network: Network
    model: Model
    progress: Progress
    settings: Settings


def _probabilities(model: Model, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, outputs) -> (n, classes), by the arithmetic that `sorter run` uses."""
    return np.array([model.probabilities(tuple(row)) for row in logits.tolist()])


def _spread(examples: Sequence[Example], most: int) -> list[Example]:
    """At most so many, evenly from a list that is ordered by class."""
    at = np.linspace(0, len(examples) - 1, min(most, len(examples))).round().astype(int)
    return [examples[each] for each in at]


def _positive(classes: Sequence[str], asked: str | None) -> str | None:
    """Of two classes the one that is asked for, or that is not named as the other's absence, or the first."""
    if asked is not None and (len(classes) != 2 or asked not in classes):
        raise UsageError(
            f"--positive {asked}: must be one of exactly two classes; these are {', '.join(classes)}"
        )
    if len(classes) != 2:
        return None
    plain = [name for name in classes if not name.lower().startswith(NEGATIONS)]
    return asked or (plain[0] if plain else classes[0])


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"--device {name}: torch sees no CUDA device; use --device cpu")
    return torch.device(name)


def _check_out(options: Options) -> None:
    out = options.out
    if options.resume:
        if (out / "model.json").exists() and not (out / WORK).exists():
            raise UsageError(f"--resume: {out} is complete; sort with it, or train into another --out")
        if not (out / WORK / RUN).exists():
            raise UsageError(f"--resume: nothing was begun in {out}; leave --resume out")
    elif (out / WORK / RUN).exists():
        raise UsageError(
            f"--out {out}: holds training that was stopped; add --resume to go on, or name another folder"
        )
    elif out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UsageError(f"--out {out}: exists already; name a new folder, nothing is overwritten")


def _card(trained: Trained) -> str:
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
Made by `sorter train` with the recipe `{trained.recipe.name}`: {trained.recipe.backbone}, {trained.epochs} epochs.
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
