"""A model taught by a few photos of each class: the shipped backbone with a new head, without torch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.distribution import install_command
from sorter.model.folder import check_labels
from sorter.photos.dataset import MIN_EXAMPLES, Example, Labelled
from sorter.photos.formats import may_be_photo
from sorter.photos.scan import Scan
from sorter.types import Limits, Photo, SorterError, UsageError

if TYPE_CHECKING:
    from sorter.progress import Progress
    from sorter.train.result import TrainResult


@dataclass(frozen=True, slots=True)
class TaughtClass:
    """A class and its examples.

    Attributes:
        photos: files, and folders whose photos are all examples.
    """

    name: str
    photos: tuple[Path, ...]


@dataclass(frozen=True)
class TeachOptions:
    """What to learn.

    Attributes:
        classes: two or more.
        model: the model folder to make.
        recipe: name of a recipe, as for `sorter train`.
        seed: decides everything random.
        workers: processes; None for one per core.
        limits: what a photo may cost.
    """

    classes: tuple[TaughtClass, ...]
    model: Path
    recipe: str = "fast"
    seed: int = 0
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class TeachResult:
    """What was learned.

    Attributes:
        model: its folder.
        photos: learned from.
        tested: photos that were judged by a head that had not learned from them.
        right: of those.
        failed: files that could not be decoded.
        seconds: of all of it.
    """

    model: Path
    classes: tuple[str, ...]
    photos: int
    tested: int
    right: int
    failed: int
    seconds: float


def teach(options: TeachOptions, progress: Progress) -> TeachResult:
    """Learn the classes from their photos, and write a model folder.

    A model folder that this call began and did not finish is removed.

    Raises:
        UsageError: fewer than two classes, a name that cannot be a folder's, too few photos of a class, or a photo
            of two classes.
        SorterError: learning needs a package that is not installed.
    """
    classes = tuple(each.name for each in options.classes)
    if len(classes) < 2:
        raise UsageError("There must be two classes or more; add another one")
    check_labels(options.model, classes)
    labelled = Labelled(classes, {"train": list(_examples(options.classes))})
    for label, name in enumerate(classes):
        count = sum(each.label == label for each in labelled.parts["train"])
        if count < MIN_EXAMPLES:
            raise UsageError(
                f"{name}: has only {count} photos to train on, and needs at least {MIN_EXAMPLES}; add some"
            )
    existed = options.model.exists()
    try:
        return _result(_train(options, labelled, progress))
    except BaseException:
        if not existed:
            shutil.rmtree(options.model, ignore_errors=True)
        raise


def find_photos(paths: tuple[Path, ...]) -> tuple[Photo, ...]:
    """Photos among files and in folders. Raises UsageError for a path that does not exist."""
    scan = Scan(tuple(path.absolute() for path in paths))
    return tuple(found for found in scan if isinstance(found, Photo) and may_be_photo(found.path))


def _examples(classes: tuple[TaughtClass, ...]) -> Iterator[Example]:
    """Every photo once. Raises UsageError for one that is in two classes."""
    seen: dict[Path, int] = {}
    for label, each in enumerate(classes):
        for found in find_photos(each.photos):
            path = found.path.resolve()
            before = seen.get(path)
            if before is None:
                seen[path] = label
                yield Example(found, label)
            elif before != label:
                raise UsageError(
                    f"{found.path}: is an example of {classes[before].name} and of {each.name}; remove it from one"
                )


def _train(options: TeachOptions, labelled: Labelled, progress: Progress) -> TrainResult:
    try:
        from sorter.train import fit
        from sorter.train.options import TrainOptions
    except ImportError as error:
        raise SorterError(
            f"{error.name} is not installed; install it with `{install_command('learn')}`"
        ) from error
    options.model.parent.mkdir(parents=True, exist_ok=True)
    return fit.train_model(
        TrainOptions(
            data=options.model.parent,
            out=options.model,
            recipe=options.recipe,
            seed=options.seed,
            workers=options.workers,
            limits=options.limits,
        ),
        progress,
        labelled,
    )


def _result(trained: TrainResult) -> TeachResult:
    confusion = trained.metrics.confusion
    return TeachResult(
        model=trained.model.folder,
        classes=trained.model.classes,
        photos=len(trained.dataset.train) + len(trained.dataset.val),
        tested=trained.metrics.photos,
        right=sum(row[place] for place, row in enumerate(confusion)),
        failed=trained.failed,
        seconds=trained.seconds,
    )
