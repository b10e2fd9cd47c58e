"""`sorter train`: folders of examples -> a model folder and a report of how good it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np

from sorter.evaluate.evaluate_report import PAGE, write_metrics
from sorter.export.files import add_int8
from sorter.model.folder import Model, check_labels, write_model
from sorter.photos.dataset import TEST, VAL, Dataset, Example, Labelled, split
from sorter.photos.labelled import read_labelled
from sorter.progress import Progress
from sorter.system import available_cores, cache_folder, worker_limits
from sorter.train.cross_validation import CrossValidation
from sorter.train.embedded import add_embedded
from sorter.train.familiarity import add_familiarity
from sorter.train.features import embed
from sorter.train.few_examples import chooses_by_folds, groups_to_part
from sorter.train.learner import Fitted, Learner
from sorter.train.options import TrainOptions, check_shares, positive_class, resolve_recipe
from sorter.train.recipes import Recipe
from sorter.train.report import REPORT, describe_data, write_training_report
from sorter.train.result import FOLDS_PART, TrainResult
from sorter.train.select_learner import select_learner
from sorter.train.trainer import Calibrated, Measured, Trainer
from sorter.train.training_set import TrainingSet, check_decoded, decode_examples
from sorter.train.work_folder import WorkFolder, check_output
from sorter.types import UsageError

CALIBRATION, AGREEMENT = 64, 256  # photos that fix the int8 ranges, and photos that engines are compared on


def train_model(options: TrainOptions, progress: Progress, labelled: Labelled | None = None) -> TrainResult:
    """Train on folders of examples and write a model folder.

    Args:
        labelled: examples to train on, instead of those in `options.data`, which then only names them. Photos that
            look like one of its test photos are not trained on.

    Raises:
        UsageError: options, folders or weights that cannot be used; nothing has been written then.
        SorterError: weights that cannot be had, or a network that cannot be exported.
    """
    began = time.monotonic()
    recipe = resolve_recipe(options)
    check_output(options.out, options.resume)
    if labelled:
        classes, parts = labelled.classes, labelled.parts
    else:
        found = read_labelled(
            options.data,
            include_protected=options.include_protected,
            say=progress.say,
            group_by=options.group_by,
        )
        classes, parts = found.classes, found.parts
        check_shares(options, parts)
        check_labels(options.data.resolve(), classes)
    positive = positive_class(classes, options.positive)
    # Before photos are decoded, so that missing weights are an error at once.
    learner = select_learner(options, recipe, classes, positive)
    return _Training(options, recipe, parts, labelled is not None, learner, progress).run(began)


@dataclass(frozen=True)
class _Training:
    """One training, from the examples to the model folder.

    Attributes:
        parts: the examples, by part.
        exclude_similar: photos that look like one of val or test are not trained on.
    """

    options: TrainOptions
    recipe: Recipe
    parts: dict[str | None, list[Example]]
    exclude_similar: bool
    learner: Learner
    progress: Progress

    def run(self, began: float) -> TrainResult:
        """Train, export and report.

        Args:
            began: `time.monotonic()` when the command began.
        """
        examples = [example for part in self.parts.values() for example in part]
        work = WorkFolder(self.options.out.resolve())
        work.open(self._settings(examples), self.options.resume)
        data = self._decode(examples, work)
        try:
            dataset = self._split(data)
        except UsageError:  # the photos have to change, so this training can never be resumed
            work.remove()
            raise
        describe_data(dataset, data, None in self.parts, self.progress)
        if any(phase.cached for phase in self.recipe.phases):
            data = self._embed(data, work)
        trainer = Trainer(self.learner, self.recipe.optimise, data, self.progress)
        trials = CrossValidation(trainer, self.options, self.parts, not dataset.val).run(work)
        trained = trainer.fit(dataset, self.options.seed, work.checkpoint)
        trained = replace(
            trained, model=replace(trained.model, provenance=self._provenance(dataset, trained.fitted))
        )
        trained.fitted.write(trained.model)
        written = write_model(trained.model)  # from here on the folder sorts
        cached = all(phase.cached for phase in self.recipe.phases)
        written = add_familiarity(written, data, dataset.train, trained.validation, cached)
        trained = replace(trained, model=written)
        self.progress.begin("exporting and reporting", 2)
        # Most of exporting runs outside of Python, so the report is written meanwhile.
        with ThreadPoolExecutor(1) as pool:
            exporting = pool.submit(_export, trained, dataset, data, work)
            measured = trainer.measure(trained, dataset.test or trained.validation)
            result = self._result(trained, dataset, data, trials, measured, began)
            write_training_report(result, data, measured, trained.fitted.log, self.options.seed)
            self.progress.advance(1)
            model = add_embedded(
                exporting.result(), [*trained.validation, *dataset.test], self.options.limits
            )
            result = replace(result, model=model, seconds=time.monotonic() - began)
        write_metrics(result.page.parent, result.to_json())
        work.remove()
        return result

    def _settings(self, examples: Sequence[Example]) -> dict[str, Any]:
        """The settings that must not change for training to be resumed."""
        options, draft = self.options, self.learner.draft
        photos = [[str(e.photo.relative), e.label, e.photo.size, e.photo.mtime_ns] for e in examples]
        return {
            "recipe": self.recipe.to_json(),
            "data": [str(options.data.resolve()), photos],
            "classes": draft.classes,
            "positive": draft.positive,
            "weights": None if options.weights is None else str(options.weights.resolve()),
            "pretrained": options.pretrained,
            "seed": options.seed,
            "folds": options.folds,
            "repeats": options.repeats,
            "groups": [e.group for e in examples] if any(e.group for e in examples) else None,
            "shares": None if options.val is options.test is None else [options.val, options.test],
            "max_megapixels": options.limits.megapixels,
        }

    def _decode(self, examples: Sequence[Example], work: WorkFolder) -> TrainingSet:
        """Decode the photos in processes; the learner prepares itself in a thread meanwhile."""
        self.progress.begin("decoding", len(examples))
        workers = self.options.workers or available_cores()
        limits = worker_limits(self.options.limits, workers)
        spec = self.learner.draft.preprocess
        with ThreadPoolExecutor(1) as pool:
            preparing = pool.submit(self.learner.prepare)
            data = decode_examples(examples, spec, work.path, workers, limits, self.progress.advance)
            preparing.result()
        return data

    def _split(self, data: TrainingSet) -> Dataset:
        root, classes = self.options.data.resolve(), self.learner.draft.classes
        learning = "train" if "train" in self.parts else None
        check_decoded(
            root if root.is_file() else root / (learning or ""), classes, self.parts[learning], data
        )
        options = self.options
        by_folds = options.val is None and chooses_by_folds(
            self.recipe, self.parts, classes, data.fingerprints
        )
        usual_test = 0.0 if by_folds else TEST
        dataset = split(
            root,
            classes,
            self.parts,
            data.fingerprints,
            self.options.seed,
            0.0 if by_folds else options.val or VAL,
            usual_test if options.test is None else options.test,
            exclude_similar=self.exclude_similar,
        )
        if by_folds:
            groups_to_part(
                root, classes, dataset.train, data.fingerprints
            )  # an error comes before any training
        return dataset

    def _embed(self, data: TrainingSet, work: WorkFolder) -> TrainingSet:
        """Add the features of every photo. The backbone is frozen, and the same for every trial."""
        self.progress.begin("embedding", len(data.fingerprints))
        return embed(
            data,
            self.learner.feature_extractor,
            self.learner.weights_key,
            work.path / "features.npy",
            cache_folder("features"),
            self.progress.advance,
        )

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

    def _result(
        self,
        trained: Calibrated,
        dataset: Dataset,
        data: TrainingSet,
        trials: tuple[dict[str, float | None], ...],
        measured: Measured,
        began: float,
    ) -> TrainResult:
        log = trained.fitted.log
        return TrainResult(
            model=trained.model,
            recipe=self.recipe,
            dataset=dataset,
            part="test" if dataset.test else "val" if dataset.val else FOLDS_PART,
            metrics=measured.metrics,
            trials=trials,
            failed=len(data.failures),
            epochs=len(log.history),
            seconds=time.monotonic() - began,
            training_seconds=log.seconds,
            waiting=log.waited / max(log.seconds, 1e-9),
            page=trained.model.folder / REPORT / PAGE,
        )


def _export(trained: Calibrated, dataset: Dataset, data: TrainingSet, work: WorkFolder) -> Model:
    """Add the int8 file, and compare every engine and precision with float32."""
    calibration = data.normalised(_spread(dataset.train, CALIBRATION), work.path / "calibration.npy")
    compared = _spread([*trained.validation, *dataset.test], AGREEMENT)
    validation = data.normalised(compared, work.path / "validation.npy")
    return add_int8(trained.model, calibration, validation, [example.label for example in compared])


def _spread(examples: Sequence[Example], most: int) -> list[Example]:
    """At most so many examples, evenly from a list that is ordered by class."""
    at = np.linspace(0, len(examples) - 1, min(most, len(examples))).round().astype(int)
    return [examples[each] for each in at]
