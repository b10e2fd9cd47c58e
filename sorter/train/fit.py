"""`sorter train`: folders of examples -> a model folder and a report of how good it is."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from platformdirs import user_cache_path

from sorter.engines.devices import resolve
from sorter.evaluate.evaluate import write_metrics, write_report
from sorter.evaluate.metrics import Metrics, choose_threshold, compute, fit_temperature
from sorter.export.files import complete
from sorter.model.folder import Model, write_model
from sorter.photos.dataset import Dataset, Example, Labelled, folds, group_alike, read_folders, split
from sorter.photos.preprocess import Preprocess
from sorter.pipeline.pool import Limits
from sorter.progress import Progress
from sorter.reports.csv import replaced
from sorter.system import available_cores, memory_per_worker
from sorter.train.backbones import describe, preprocess_of
from sorter.train.features import Prepared, embed, prepare
from sorter.train.head_learner import HeadLearner, find_backbone
from sorter.train.learner import Course, Fitted, Learner, Photos, large_imports
from sorter.train.options import TrainOptions, positive_class, resolve_recipe
from sorter.train.recipes import FAST, Recipe
from sorter.train.trained import TRIED, Trained, model_card
from sorter.types import SorterError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORK = ".training"  # in the model folder until it is complete
RUN, TRIALS = "run.json", "trials.json"
CHECKPOINT = "checkpoint.pt"
REPORT, HISTORY, CARD = "report", "history.csv", "README.md"
CALIBRATION, AGREEMENT = 64, 256  # photos that fix the int8 ranges, and that engines are compared on


def train_model(options: TrainOptions, progress: Progress, labelled: Labelled | None = None) -> Trained:
    """Train on folders of examples and write a model folder.

    Args:
        labelled: examples to train on instead of what is in the folders of `options.data`, which then only names them;
            what looks like one to test with is not learned from.

    Raises:
        UsageError: options, folders or weights that cannot be used; nothing has been written then.
        SorterError: weights that cannot be had, or a network that cannot be exported.
    """
    began = time.monotonic()
    recipe = resolve_recipe(options)
    _check_out(options)
    classes, parts = (labelled.classes, labelled.parts) if labelled else read_folders(options.data)
    positive = positive_class(classes, options.positive)
    # Before photos are read: weights that cannot be had are missed at once.
    draft, learner = _beginning(options, recipe, classes, positive)
    apart = labelled is not None
    return _Training(options, recipe, draft, parts, apart, learner, progress).go(began)


def _beginning(
    options: TrainOptions, recipe: Recipe, classes: tuple[str, ...], positive: str | None
) -> tuple[Model, Learner]:
    """What is known of the model before it is trained, and what is trained."""

    def draft(spec: Preprocess, network: dict[str, Any]) -> Model:
        name = options.out.resolve().name
        return Model(options.out, name, classes, positive, 0.5, 1.0, spec, network)

    if resolve(options.device, "torch") == "cpu":
        backbone = find_backbone(recipe, options)
        if backbone is not None:
            model = draft(backbone.origin.preprocess, backbone.origin.backbone)
            return model, HeadLearner(recipe, model, backbone)
    try:
        with large_imports():
            from sorter.train.networks import WeightSource
            from sorter.train.torch_learner import TorchLearner
    except ImportError as error:
        raise SorterError(
            f'--recipe {recipe.name}: {error.name} is not installed; `pip install "sorter[train]"` brings it, '
            f"and `--recipe {FAST}` without --epochs, --size and --device does without"
        ) from error
    model = draft(preprocess_of(recipe), describe(recipe))
    source = WeightSource(options.weights, options.pretrained)
    seconds = None if options.time_budget is None else options.time_budget * 60
    workers = options.workers or available_cores()
    return model, TorchLearner(recipe, model, source, options.seed, options.device, workers, seconds)


class _Training:
    def __init__(
        self,
        options: TrainOptions,
        recipe: Recipe,
        draft: Model,
        parts: dict[str | None, list[Example]],
        apart: bool,
        learner: Learner,
        progress: Progress,
    ) -> None:
        self.options = options
        self.recipe = recipe
        self.draft = draft
        self.parts = parts
        self.apart = apart
        self.learner = learner
        self.progress = progress
        self.out = options.out.resolve()
        self.work = self.out / WORK
        self.workers = options.workers or available_cores()
        self.examples = [example for part in parts.values() for example in part]
        self.rows = {example.photo.path: row for row, example in enumerate(self.examples)}

    def go(self, began: float) -> Trained:
        self._open()
        with ThreadPoolExecutor(1) as pool:  # workers decode meanwhile, in processes of their own
            getting_ready = pool.submit(self.learner.get_ready)
            prepared = self._prepare()
            getting_ready.result()
        root = self.options.data.resolve()
        try:
            dataset = split(
                root,
                self.draft.classes,
                self.parts,
                prepared.fingerprints,
                self.options.seed,
                apart=self.apart,
            )
        except UsageError:  # the photos have to change, so there is nothing to go on with
            shutil.rmtree(self.work)
            raise
        self._tell(dataset, prepared)
        features = self._embed(prepared)
        trials = self._trials(prepared, features)
        model, fitted = self._fit(dataset, prepared, features, self.options.seed, self.work / CHECKPOINT)
        course = fitted.course
        part = "test" if dataset.test else "val"
        model = replace(model, provenance=self._provenance(dataset, fitted))
        fitted.write(model)
        write_model(model)  # from here on the folder sorts
        self.progress.begin("exporting and reporting", 2)
        # Most of exporting runs outside of Python, which has time for the report meanwhile.
        with ThreadPoolExecutor(1) as pool:
            exporting = pool.submit(self._export, model, dataset, prepared)
            examples = dataset.test or dataset.val
            metrics, probabilities = self._measure(model, fitted, examples, prepared, features)
            trained = Trained(
                model=model,
                recipe=self.recipe,
                dataset=dataset,
                part=part,
                metrics=metrics,
                trials=trials,
                failed=len(prepared.failures),
                epochs=len(course.history),
                seconds=time.monotonic() - began,
                training_seconds=course.seconds,
                waiting=course.waited / max(course.seconds, 1e-9),
                page=self.out / REPORT / "report.html",
            )
            self._report(trained, prepared, probabilities, course)
            self.progress.advance(1)
            trained = replace(trained, model=exporting.result(), seconds=time.monotonic() - began)
        write_metrics(self.out / REPORT, trained.to_json())
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
        self.progress.begin("decoding", len(self.examples))
        limits = Limits(self.options.timeout_per_file, memory_per_worker(self.workers))
        return prepare(
            self.examples,
            self.draft.preprocess,
            self.work,
            self.workers,
            limits,
            self.options.max_megapixels,
            self.progress.advance,
        )

    def _tell(self, dataset: Dataset, prepared: Prepared) -> None:
        sizes = ", ".join(
            f"{len(examples):,} {part}"
            for part, examples in (("train", dataset.train), ("val", dataset.val), ("test", dataset.test))
        )
        self.progress.say(f"{len(dataset.classes)} classes; photos: {sizes}")
        if dataset.exact_duplicates or dataset.near_duplicates:
            self.progress.say(
                f"{dataset.exact_duplicates:,} exact and {dataset.near_duplicates:,} near duplicates"
                + (", each kept on one side" if None in self.parts else "")
            )
        if dataset.leaks:
            self.progress.say(
                f"{dataset.leaks:,} photos of val and test look like one of train: figures will flatter"
            )
        if dataset.conflicts:
            self.progress.say(
                f"{dataset.conflicts:,} photos look like one of another class: some are mislabelled, perhaps"
            )
        if prepared.failures:
            self.progress.say(
                f"{len(prepared.failures):,} files could not be decoded: see {REPORT}/failures.csv"
            )

    def _embed(self, prepared: Prepared) -> NDArray[np.float32] | None:
        """Features of every photo, where a phase wants them: the network is frozen, and the same for every trial."""
        if not any(phase.cached for phase in self.recipe.phases):
            return None
        self.progress.begin("embedding", len(prepared.fingerprints))
        return embed(
            self.learner.forward,
            self.draft.preprocess,
            prepared.pixels,
            [self._sha256(example, prepared) for example in self.examples],
            self.work / "features.npy",
            user_cache_path("sorter") / "features",
            self.learner.weights_key,
            self.progress.advance,
        )

    def _sha256(self, example: Example, prepared: Prepared) -> str | None:
        found = prepared.fingerprints.get(example.photo.path)
        return None if found is None else found.sha256

    # -- training ----------------------------------------------------------------------------------------------

    def _fit(
        self,
        dataset: Dataset,
        prepared: Prepared,
        features: NDArray[np.float32] | None,
        seed: int,
        checkpoint: Path | None,
    ) -> tuple[Model, Fitted]:
        learn, choose = (self._photos(part, prepared, features) for part in (dataset.train, dataset.val))
        fitted = self.learner.fit(learn, choose, seed, checkpoint, self.progress)
        if fitted.course.out_of_time:
            self.progress.say("the time budget is spent: the best epoch so far is taken")
        logits, labels, positive = fitted.logits(choose), choose.labels, self.draft.positive_index
        if self.draft.binary:
            labels = (labels == positive).astype(np.int64)
        model = replace(self.draft, folder=self.out, temperature=fit_temperature(logits, labels))
        if self.draft.binary:
            probabilities = _probabilities(model, logits)[:, positive]
            model = replace(model, threshold=choose_threshold(labels, probabilities, self.recipe.optimise))
        return model, fitted

    def _photos(
        self, examples: Sequence[Example], prepared: Prepared, features: NDArray[np.float32] | None
    ) -> Photos:
        rows = np.array([self.rows[example.photo.path] for example in examples], np.int64)
        labels = np.array([example.label for example in examples], np.int64)
        return Photos(rows, labels, prepared.pixels, features)

    def _measure(
        self,
        model: Model,
        fitted: Fitted,
        examples: Sequence[Example],
        prepared: Prepared,
        features: NDArray[np.float32] | None,
        resamples: int = 1000,
    ) -> tuple[Metrics, NDArray[np.float64]]:
        logits = fitted.logits(self._photos(examples, prepared, features))
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
        done: list[dict[str, float | None]] = (
            json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else []
        )
        for number, dataset in enumerate(self._rounds(prepared)):
            if number < len(done):
                continue
            self.progress.say(f"trial {number + 1} of {options.folds * options.repeats}")
            model, fitted = self._fit(dataset, prepared, features, options.seed + number, None)
            metrics, _ = self._measure(model, fitted, dataset.test, prepared, features, resamples=2)
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

    def _export(self, model: Model, dataset: Dataset, prepared: Prepared) -> Model:
        calibration = self._inputs(_spread(dataset.train, CALIBRATION), prepared, "calibration.npy")
        compared = _spread(dataset.val + dataset.test, AGREEMENT)
        validation = self._inputs(compared, prepared, "validation.npy")
        return complete(model, calibration, validation, [example.label for example in compared])

    def _inputs(
        self, examples: Sequence[Example], prepared: Prepared, name: str
    ) -> list[NDArray[np.float32]]:
        """Batches of float32 (n, 3, s, s) in a file mapped into memory: they are 600 kB a photo at 224 pixels."""
        rows = [self.rows[example.photo.path] for example in examples]
        spec = self.draft.preprocess
        shape = (len(rows), 3, spec.size, spec.size)
        inputs = np.lib.format.open_memmap(self.work / name, "w+", np.float32, shape)
        places = [slice(at, at + 16) for at in range(0, len(rows), 16)]
        for some in places:
            inputs[some] = spec.normalise(np.asarray(prepared.pixels[rows[some]]))
        return [np.asarray(inputs[some]) for some in places]

    def _provenance(self, dataset: Dataset, fitted: Fitted) -> dict[str, Any]:
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
            "parameters": fitted.parameters,
            "data": dataset.to_json(),
            "packages": {name: version(name) for name in self.learner.packages},
        }

    def _report(
        self, trained: Trained, prepared: Prepared, probabilities: NDArray[np.float64], course: Course
    ) -> None:
        folder = self.out / REPORT
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
            "Recipe": f"{self.recipe.name}, {self.recipe.backbone}, {trained.length}, seed {self.options.seed}",
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
            history=course.history,
        )
        with replaced(folder / HISTORY) as file:
            writer = csv.DictWriter(file, list(course.history[0]))
            writer.writeheader()
            writer.writerows(course.history)
        (self.out / CARD).write_text(model_card(trained), encoding="utf-8")


def _probabilities(model: Model, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, outputs) -> (n, classes), by the arithmetic that `sorter run` uses."""
    return np.array([model.probabilities(tuple(row)) for row in logits.tolist()])


def _spread(examples: Sequence[Example], most: int) -> list[Example]:
    """At most so many, evenly from a list that is ordered by class."""
    at = np.linspace(0, len(examples) - 1, min(most, len(examples))).round().astype(int)
    return [examples[each] for each in at]


def _check_out(options: TrainOptions) -> None:
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
