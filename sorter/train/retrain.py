"""What a person said of sorted photos -> a model that has learned it, and how both models do on what was held out.

By selection the model that sorted is wrong on every photo that was corrected, and right on those that nobody
objected to. So both kinds are held out and told apart: what is gained on the first says little without what is lost
on the second.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.model.folder import WEIGHTS, Model, read_model
from sorter.model.rule import Rule
from sorter.output.disk import free_name
from sorter.sort.table import Table, read_table
from sorter.types import Failure, Photo, SorterError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.photos.dataset import Example, Labelled
    from sorter.progress import Progress

HELD_OUT = 1 / 3  # of the corrections of each class
REST_HELD_OUT = 1 / 4  # of the confident rest of each class
LEAST_CORRECTIONS = 2  # of a class, of which one is held out


@dataclass(frozen=True)
class RetrainOptions:
    """What to learn from, and where the new model goes.

    Attributes:
        out: an output folder that was reviewed.
        model: the model folder to make.
        dataset: class folders to learn from beside the corrections; None for the confident rest of `out`.
        doubt: at most so much, 0 to 1, for a photo that nobody corrected to count as certain.
        rest: at most so many of these, of each class.
        recipe: a name, as for `sorter train`.
        seed: decides everything random.
        workers: processes; None for one per core.
    """

    out: Path
    model: Path
    dataset: Path | None = None
    doubt: float = 0.2
    rest: int = 200
    recipe: str = "fast"
    seed: int = 0
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A photo that was held out, and what the two models say of it.

    Attributes:
        right: the class that it is.
        before: what it was sorted as.
        after: what the new model says; None where it could not be read.
        corrected: a person said that `before` is wrong.
    """

    path: Path
    right: str
    before: str
    after: str | None
    corrected: bool


@dataclass(frozen=True, slots=True)
class Score:
    """How many of some photos each model has right."""

    photos: int
    before: int
    after: int


@dataclass(frozen=True)
class Retrained:
    """What came of it.

    Attributes:
        model: the new model's folder.
        corrections: photos that a person corrected or confirmed, among those learned from.
        learned: all photos learned from, those that the best epoch was chosen by included.
        held_out: photos neither learned from nor chosen by.
        failed: files that could not be decoded.
        seconds: all in all, without the comparison.
        page: the report of the new model.
    """

    model: Path
    corrections: int
    learned: int
    held_out: tuple[Judged, ...]
    failed: int
    epochs: int
    seconds: float
    page: Path

    def score(self, corrected: bool) -> Score:
        """Of the photos that were corrected, or of those that were not."""
        some = [each for each in self.held_out if each.corrected is corrected and each.after is not None]
        return Score(
            len(some),
            sum(each.before == each.right for each in some),
            sum(each.after == each.right for each in some),
        )


@dataclass(frozen=True, slots=True)
class Spoken:
    """Of how many photos in an output folder a person said that the model was wrong, and that it was right."""

    out: Path
    corrected: int
    confirmed: int


def spoken(out: Path) -> Spoken:
    """Count what there is to learn from. Raises as `read_table`."""
    table = read_table(out)
    said = table.corrected >= 0
    wrong = table.said != table.corrected
    return Spoken(out, int((said & wrong).sum()), int((said & ~wrong).sum()))


def suggested_model(out: Path) -> Path:
    """A name for a new model folder beside an output folder, that nothing has yet."""
    return free_name(out.parent / f"{out.name}-model", lambda path: path.exists() or path.is_symlink())


def retrain(options: RetrainOptions, progress: Progress) -> Retrained:
    """Train a model on corrections, and compare it with the one that sorted.

    The backbone is that of the model that sorted, where its folder holds weights: what it learned is gone on from.
    A model folder that was begun and not finished is removed.

    Raises:
        UsageError: nothing was corrected, too few photos of a class, or a dataset of other classes.
        JournalError: `out` holds no journal that can be read.
        SorterError: training needs what is not installed, or cannot go on.
    """
    table = read_table(options.out)
    classes = table.labels[:-1]  # the last is `unsure`
    learn, held_out = choose_examples(table, options)
    model = _model_of(options.out)
    try:
        from sorter.train import fit
        from sorter.train.options import TrainOptions
    except ImportError as error:
        raise SorterError(
            f'{error.name} is not installed; `pip install "sorter[learn]"` brings it'
        ) from error
    labelled = label(classes, learn, held_out, options)
    existed = options.model.exists()
    try:
        trained = fit.train_model(
            TrainOptions(
                data=options.out,
                out=options.model,
                recipe=options.recipe,
                positive=model.positive if model else None,
                seed=options.seed,
                workers=options.workers,
                **backbone_options(model, options.recipe),
            ),
            progress,
            labelled,
        )
    except BaseException:
        if not existed:
            shutil.rmtree(options.model, ignore_errors=True)
        raise
    learned = trained.dataset.train + trained.dataset.val
    known = {photo.path for photo in learn if photo.certain}
    progress.begin("comparing", len(held_out))
    return Retrained(
        model=trained.model.folder,
        corrections=sum(example.photo.path in known for example in learned),
        learned=len(learned),
        held_out=tuple(_judged(held_out, trained.model, options, progress)),
        failed=trained.failed,
        epochs=trained.epochs,
        seconds=trained.seconds,
        page=trained.page,
    )


def discard(retrained: Retrained) -> None:
    """Remove a model that is not wanted."""
    shutil.rmtree(retrained.model)


# -- who is learned from ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chosen:
    """A photo to learn from or to hold out; `certain` where a person said so."""

    path: Path
    right: str
    before: str
    certain: bool

    @property
    def corrected(self) -> bool:
        return self.right != self.before


def choose_examples(table: Table, options: RetrainOptions) -> tuple[list[Chosen], list[Chosen]]:
    """Photos to learn from, and those held out: of both kinds, and of each class its share.

    Raises:
        UsageError: nothing was corrected.
    """
    random = np.random.default_rng(options.seed)
    classes = range(len(table.labels) - 1)
    learn: list[int] = []
    held_out: list[int] = []
    said, corrected = table.said, table.corrected
    spoken = (corrected >= 0) & (said >= 0)
    if not spoken.any():
        raise UsageError(
            f"{options.out}: nobody has corrected a photo here yet; correct some under Review, then retrain"
        )
    for changed in (True, False):
        for label in classes:
            rows = np.flatnonzero(spoken & (corrected == label) & ((said != label) == changed))
            _part(random.permutation(rows), HELD_OUT, learn, held_out)
    # Those that nobody spoke of, where the model is certain: what it can do already must not be lost.
    rest = (corrected < 0) & (said >= 0) & ~table.failed
    rest[rest] = table.doubt[rest] <= options.doubt
    rest_learn: list[int] = []
    for label in classes:
        rows = random.permutation(np.flatnonzero(rest & (said == label)))[: options.rest]
        _part(rows, REST_HELD_OUT, rest_learn, held_out)
    if options.dataset is None:
        learn += rest_learn

    def chosen(rows: Iterable[int]) -> list[Chosen]:
        return [
            Chosen(
                table.path(row),
                table.labels[corrected[row] if corrected[row] >= 0 else said[row]],
                table.labels[said[row]],
                bool(corrected[row] >= 0),
            )
            for row in sorted(rows)
        ]

    return chosen(learn), chosen(held_out)


def _part(rows: NDArray[np.int64], share: float, learn: list[int], held_out: list[int]) -> None:
    count = max(1, round(len(rows) * share)) if len(rows) >= LEAST_CORRECTIONS else 0
    held_out += rows[:count].tolist()
    learn += rows[count:].tolist()


def label(
    classes: tuple[str, ...], learn: list[Chosen], held_out: list[Chosen], options: RetrainOptions
) -> Labelled:
    """The parts to train with; photos that are gone are left out.

    Raises:
        UsageError: too few photos of a class, or a dataset of other classes.
    """
    from sorter.photos.dataset import MIN_EXAMPLES, Example, Labelled, read_folders

    def examples(photos: list[Chosen]) -> list[Example]:
        found = ((_photo(each.path, options.out), classes.index(each.right)) for each in photos)
        return [Example(photo, label) for photo, label in found if photo is not None]

    parts: dict[str | None, list[Example]] = {"train": examples(learn), "test": examples(held_out)}
    if options.dataset is not None:
        names, given = read_folders(options.dataset)
        if set(names) != set(classes):
            raise UsageError(
                f"{options.dataset}: has folders for {', '.join(names)}; the photos were sorted into "
                f"{', '.join(classes)}; choose a folder with these classes"
            )

        def renumbered(some: list[Example]) -> list[Example]:
            return [Example(each.photo, classes.index(names[each.label])) for each in some]

        parts["train"] += renumbered(given["train"] if "train" in given else given[None])
        if "val" in given:
            parts["val"] = renumbered(given["val"])
    counts = np.bincount([each.label for each in parts["train"]], minlength=len(classes)).tolist()
    for name, count in zip(classes, counts, strict=True):
        if count < MIN_EXAMPLES:
            raise UsageError(
                f"{name}: there are only {count} photos to learn this class from, it needs at least {MIN_EXAMPLES}; "
                "correct or confirm more photos, or learn from a dataset"
            )
    if not parts["test"]:
        del parts["test"]
    return Labelled(classes, parts)


def _photo(path: Path, out: Path) -> Photo | None:
    """None for a file that is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    relative = path.relative_to(out) if path.is_relative_to(out) else Path(path.name)
    return Photo(path, relative, status.st_size, status.st_mtime_ns)


# -- the two models --------------------------------------------------------------------------------------------


def _model_of(out: Path) -> Model | None:
    """The model that sorted; None where its folder is gone."""
    from sorter.sort.options import remembered

    folder = remembered(out).model
    try:
        return read_model(folder) if folder is not None else None
    except SorterError:
        return None


def backbone_options(model: Model | None, recipe: str) -> dict[str, Any]:
    """What of the training's options makes it go on from a model's backbone; nothing where that cannot be."""
    if recipe != "fast" or model is None or not model.has(WEIGHTS) or "arguments" in model.backbone:
        return {}
    return {
        "backbone": model.backbone["name"],
        "weights": model.path(WEIGHTS),
        "size": model.preprocess.size,
    }


def _judged(
    held_out: list[Chosen], model: Model, options: RetrainOptions, progress: Progress
) -> Iterable[Judged]:
    """What the new model says of each, run as `sorter run` does it."""
    from sorter.pipeline.classifier import Classifier

    if not held_out:
        return
    rule = Rule.of(model)
    classifier = Classifier.load(model.folder, workers=options.workers)
    results = classifier.predict(each.path for each in held_out)
    for each, result in zip(held_out, results, strict=True):
        after = None if isinstance(result.outcome, Failure) else rule(result.outcome).label
        progress.advance(1)
        yield Judged(each.path, each.right, each.before, after, each.corrected)
