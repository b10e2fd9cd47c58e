"""The photos of an output folder to retrain on: corrected, confirmed and confident ones, a part of each held out.

Corrected photos are ones that the old model got wrong. Confirmed and confident ones it got right. A gain on the first
alone proves little. So a part of both is held out, and `retrain` scores the two separately.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.sort.table import Table, read_table
from sorter.types import Photo, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.photos.dataset import Example, Labelled
    from sorter.train.retrain import RetrainOptions

HELD_OUT = 1 / 3  # of the reviewed photos of each class
CONFIDENT_HELD_OUT = 1 / 4  # of the confident photos of each class
MIN_PHOTOS = 2  # of a class, so that one can be held out


@dataclass(frozen=True, slots=True)
class CorrectionCounts:
    """How many photos in an output folder a person corrected, and how many a person confirmed."""

    out: Path
    corrected: int
    confirmed: int


def count_corrections(out: Path) -> CorrectionCounts:
    """Count the reviewed photos of an output folder. Raises as `read_table`."""
    table = read_table(out)
    reviewed = _taught(table)
    wrong = table.predicted != table.corrected
    return CorrectionCounts(out, int((reviewed & wrong).sum()), int((reviewed & ~wrong).sum()))


def _taught(table: Table) -> NDArray[np.bool_]:
    """Which photos a person gave a class. A photo marked as unsure teaches nothing."""
    taught: NDArray[np.bool_] = (table.corrected >= 0) & (table.corrected < len(table.labels) - 1)
    return taught


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A photo to train on or to hold out.

    Attributes:
        path: of the file.
        label: its class: the person's, or else the old model's.
        predicted: the class that the old model gave it.
        reviewed: a person corrected or confirmed it.
    """

    path: Path
    label: str
    predicted: str
    reviewed: bool

    @property
    def corrected(self) -> bool:
        return self.label != self.predicted


@dataclass(frozen=True)
class CorrectionSplit:
    """Photos to train on, and photos held out."""

    training: list[LabelledPhoto]
    held_out: list[LabelledPhoto]


def choose_examples(table: Table, options: RetrainOptions) -> CorrectionSplit:
    """Choose photos to train on and photos to hold out, of each class a share.

    Raises:
        UsageError: no photo was corrected or confirmed.
    """
    random = np.random.default_rng(options.seed)
    classes = range(len(table.labels) - 1)
    training: list[int] = []
    held_out: list[int] = []
    predicted, corrected = table.predicted, table.corrected
    reviewed = _taught(table) & (predicted >= 0)
    if not reviewed.any():
        raise UsageError(
            f"{options.out}: no photo has been corrected; correct some under Review, then retrain"
        )
    for changed in (True, False):
        for label in classes:
            rows = np.flatnonzero(reviewed & (corrected == label) & ((predicted != label) == changed))
            _divide(random.permutation(rows), HELD_OUT, training, held_out)
    # Confident photos that nobody reviewed: the new model must not lose what the old one can do.
    confident = ~table.checked & (predicted >= 0) & ~table.failed
    confident[confident] = table.doubt[confident] <= options.doubt
    confident_training: list[int] = []
    for label in classes:
        rows = random.permutation(np.flatnonzero(confident & (predicted == label)))[: options.rest]
        _divide(rows, CONFIDENT_HELD_OUT, confident_training, held_out)
    if options.dataset is None:
        training += confident_training

    def labelled(rows: Iterable[int]) -> list[LabelledPhoto]:
        return [
            LabelledPhoto(
                table.path(row),
                table.labels[corrected[row] if corrected[row] >= 0 else predicted[row]],
                table.labels[predicted[row]],
                bool(corrected[row] >= 0),
            )
            for row in sorted(rows)
        ]

    return CorrectionSplit(labelled(training), labelled(held_out))


def _divide(rows: NDArray[np.int64], share: float, training: list[int], held_out: list[int]) -> None:
    count = max(1, round(len(rows) * share)) if len(rows) >= MIN_PHOTOS else 0
    held_out += rows[:count].tolist()
    training += rows[count:].tolist()


def label_examples(classes: tuple[str, ...], photos: CorrectionSplit, options: RetrainOptions) -> Labelled:
    """The parts to train with. Photos whose files are gone are left out.

    Raises:
        UsageError: too few photos of a class, or a dataset of other classes.
    """
    from sorter.photos.dataset import MIN_EXAMPLES, Example, Labelled, read_folders

    def examples(some: list[LabelledPhoto]) -> list[Example]:
        found = ((photo_at(each.path, options.out), classes.index(each.label)) for each in some)
        return [Example(photo, label) for photo, label in found if photo is not None]

    parts: dict[str | None, list[Example]] = {
        "train": examples(photos.training),
        "test": examples(photos.held_out),
    }
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
                f"{name}: has only {count} photos to train on, and needs at least {MIN_EXAMPLES}; "
                "correct or confirm more photos, or add a dataset"
            )
    if not parts["test"]:
        del parts["test"]
    return Labelled(classes, parts)


def photo_at(path: Path, out: Path) -> Photo | None:
    """A photo of an output folder. None for a file that is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    relative = path.relative_to(out) if path.is_relative_to(out) else Path(path.name)
    return Photo(path, relative, status.st_size, status.st_mtime_ns)
