"""A model trained on the corrections in an output folder, compared with the model that sorted on held-out photos."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.distribution import install_command
from sorter.model.folder import WEIGHTS, Model, read_model
from sorter.model.rule import Rule
from sorter.output.disk import free_name
from sorter.sort.table import read_table
from sorter.train.corrections import LabelledPhoto, choose_examples, label_examples
from sorter.types import Failure, Limits, SorterError

if TYPE_CHECKING:
    from sorter.progress import Progress


@dataclass(frozen=True)
class RetrainOptions:
    """The options of a retraining.

    Attributes:
        out: an output folder that was reviewed.
        model: the model folder to make.
        dataset: class folders to train on besides the corrections; None for the confident photos of `out`.
        doubt: a photo that nobody reviewed is confident up to this doubt, 0 to 1.
        rest: confident photos of each class to use, at most.
        recipe: name of a recipe, as for `sorter train`.
        seed: decides everything random.
        workers: processes; None for one per core.
        limits: what a photo may cost.
    """

    out: Path
    model: Path
    dataset: Path | None = None
    doubt: float = 0.2
    rest: int = 200
    recipe: str = "fast"
    seed: int = 0
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class HeldOutPhoto:
    """A held-out photo, and the class that each of the two models gives it.

    Attributes:
        label: its class.
        before: the class from the old model.
        after: the class from the new model; None where the photo could not be read.
        corrected: a person corrected it.
    """

    path: Path
    label: str
    before: str
    after: str | None
    corrected: bool


@dataclass(frozen=True, slots=True)
class Score:
    """How many of some photos each model classifies correctly."""

    photos: int
    before: int
    after: int


@dataclass(frozen=True)
class RetrainResult:
    """The result of a retraining.

    Attributes:
        model: the new model's folder.
        corrections: photos trained on that a person corrected or confirmed.
        trained_on: all photos trained on, including those that the best epoch was chosen on.
        held_out: photos used neither to train nor to choose the epoch.
        failed: files that could not be decoded.
        seconds: without the comparison.
        page: report.html of the new model.
    """

    model: Path
    corrections: int
    trained_on: int
    held_out: tuple[HeldOutPhoto, ...]
    failed: int
    epochs: int
    seconds: float
    page: Path

    def score(self, corrected: bool) -> Score:
        """Of the photos that were corrected, or of those that were not."""
        some = [each for each in self.held_out if each.corrected is corrected and each.after is not None]
        return Score(
            len(some),
            sum(each.before == each.label for each in some),
            sum(each.after == each.label for each in some),
        )


def suggested_model(out: Path) -> Path:
    """A free name for a new model folder beside an output folder."""
    return free_name(out.parent / f"{out.name}-model", lambda path: path.exists() or path.is_symlink())


def retrain(options: RetrainOptions, progress: Progress) -> RetrainResult:
    """Train a model on corrections, and compare it with the one that sorted.

    The backbone is that of the model that sorted, where its folder holds weights.
    A model folder that this call began and did not finish is removed.

    Raises:
        UsageError: no photo was corrected, too few photos of a class, or a dataset of other classes.
        JournalError: `out` holds no journal that can be read.
        SorterError: training needs a package that is not installed, or fails.
    """
    table = read_table(options.out)
    classes = table.labels[:-1]  # the last is `unsure`
    photos = choose_examples(table, options)
    model = model_of(options.out)
    try:
        from sorter.train import fit
        from sorter.train.options import TrainOptions
    except ImportError as error:
        raise SorterError(
            f"{error.name} is not installed; install it with `{install_command('learn')}`"
        ) from error
    labelled = label_examples(classes, photos, options)
    existed = options.model.exists()
    try:
        trained = fit.train_model(
            TrainOptions(
                data=options.out,
                out=options.model,
                recipe=options.recipe,
                positive=_positive_of(model, classes),
                seed=options.seed,
                workers=options.workers,
                limits=options.limits,
                **backbone_options(model, options.recipe),
            ),
            progress,
            labelled,
        )
    except BaseException:
        if not existed:
            shutil.rmtree(options.model, ignore_errors=True)
        raise
    used = trained.dataset.train + trained.dataset.val
    reviewed = {photo.path for photo in photos.training if photo.reviewed}
    progress.begin("comparing", len(photos.held_out))
    return RetrainResult(
        model=trained.model.folder,
        corrections=sum(example.photo.path in reviewed for example in used),
        trained_on=len(used),
        held_out=tuple(_score_held_out(photos.held_out, trained.model, options, progress)),
        failed=trained.failed,
        epochs=trained.epochs,
        seconds=trained.seconds,
        page=trained.page,
    )


def discard(retrained: RetrainResult) -> None:
    """Remove the new model."""
    shutil.rmtree(retrained.model)


def model_of(out: Path) -> Model | None:
    """The model that sorted; None where its folder is gone."""
    from sorter.sort.options import options_of_last_run

    folder = options_of_last_run(out).model
    try:
        return read_model(folder) if folder is not None else None
    except SorterError:
        return None


def _positive_of(model: Model | None, classes: tuple[str, ...]) -> str | None:
    """The positive class of the model that sorted, where the review left it one of two."""
    keeps = model is not None and len(classes) == 2 and model.positive in classes
    return model.positive if model is not None and keeps else None


def backbone_options(model: Model | None, recipe: str) -> dict[str, Any]:
    """The options with which training starts from a model's backbone; none where that is impossible."""
    if recipe != "fast" or model is None or not model.has(WEIGHTS) or "arguments" in model.backbone:
        return {}
    return {
        "backbone": model.backbone["name"],
        "weights": model.path(WEIGHTS),
        "size": model.preprocess.size,
    }


def _score_held_out(
    held_out: list[LabelledPhoto], model: Model, options: RetrainOptions, progress: Progress
) -> Iterable[HeldOutPhoto]:
    """Run the new model on each photo, as `sorter run` does."""
    from sorter.pipeline.classifier import Classifier

    if not held_out:
        return
    rule = Rule.of(model)
    classifier = Classifier.load(
        model.folder,
        workers=options.workers,
        timeout_per_file=options.limits.seconds,
        max_megapixels=options.limits.megapixels,
    )
    results = classifier.predict(each.path for each in held_out)
    for each, result in zip(held_out, results, strict=True):
        after = None if isinstance(result.outcome, Failure) else rule(result.outcome).label
        progress.advance(1)
        yield HeldOutPhoto(each.path, each.label, each.predicted, after, each.corrected)
