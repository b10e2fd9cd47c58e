"""`sorter inspect`: the content of class folders, before a model is trained on them."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.evaluate.inspect_report import FILES, PAGE, write_inspection
from sorter.evaluate.photo_statistics import MeasurePhoto, Totals
from sorter.photos.dataset import Example
from sorter.photos.fingerprint import MAX_DISTANCE, near_duplicates
from sorter.photos.labelled import read_labelled
from sorter.photos.rows import FileList
from sorter.pipeline.pool import Pool
from sorter.pipeline.stages import Thumbnail
from sorter.progress import NoProgress, Progress
from sorter.reports.cards import THUMBNAIL
from sorter.reports.page import take_report_folder
from sorter.system import available_cores, worker_limits
from sorter.types import Limits, UsageError, check_above_zero

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = (None, "train", "val", "test")  # in the order of the report
MAX_GROUPS = 30  # of duplicates named in the report
MAX_GROUP = 10  # photos named of each


@dataclass(frozen=True)
class InspectOptions:
    """The options of `sorter inspect`.

    Attributes:
        data: class folders, train/ val/ test/ of class folders, or a table of labels.
        out: folder for the report; None for no report.
        workers: processes; None for one per core.
        limits: what a photo may cost.
        include_protected: read folders of other programs too, as in `sorter.photos.protected`.
        listing: a list or a table to read instead of `data`, which then only names it.
    """

    data: Path
    out: Path | None = None
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    include_protected: bool = False
    listing: FileList | None = None


@dataclass(frozen=True)
class Quartiles:
    """The five-number summary of some values."""

    least: float
    quarter: float
    median: float
    three_quarters: float
    most: float


@dataclass(frozen=True)
class Duplicates:
    """How many photos are duplicates of others.

    Attributes:
        exact: photos with the same bytes as an earlier one.
        near: others that look like an earlier one.
        across_classes: photos in a group that has more than one class.
        across_splits: photos in a group that is in more than one of train, val and test.
        groups: paths of photos that look alike; those across classes or splits first; 30 groups at most.
    """

    exact: int
    near: int
    across_classes: int
    across_splits: int
    groups: list[list[str]]


@dataclass(frozen=True)
class Inspection:
    """The result of an inspection.

    Attributes:
        data: the folder with the photos.
        classes: names, in natural order.
        photos: part -> class -> photos that can be decoded; the part of plain class folders is `all`.
        formats: format -> photos.
        width: in pixels; None where no photo could be decoded, likewise below.
        height: likewise.
        aspect: width / height.
        brightness: mean luma (ITU-R BT.601) of a photo's pixels, 0..1.
        mean: of R, G and B, each 0..1; every photo counts the same.
        std: standard deviation of R, G and B over pixels; every photo counts the same.
        duplicates: among all photos.
        failed: reason -> number of photos that cannot be decoded.
        skipped: reason -> number of files that are not photos.
        failures: path and reason of the first 50 of both.
        seconds: of the whole command.
        page: path of report.html, or None.
    """

    data: Path
    classes: tuple[str, ...]
    photos: dict[str, dict[str, int]]
    formats: dict[str, int]
    width: Quartiles | None
    height: Quartiles | None
    aspect: Quartiles | None
    brightness: Quartiles | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    duplicates: Duplicates
    failed: dict[str, int]
    skipped: dict[str, int]
    failures: list[tuple[str, str]]
    seconds: float
    page: Path | None

    @property
    def total(self) -> int:
        """Photos that can be decoded."""
        return sum(self.formats.values())

    @property
    def imbalance(self) -> float:
        """Photos of the largest class for each one of the smallest; infinite where a class has none."""
        counts = [sum(part[name] for part in self.photos.values()) for name in self.classes]
        return max(counts) / min(counts) if min(counts) else math.inf

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        paths = {"data": str(self.data), "page": None if self.page is None else str(self.page)}
        imbalance = self.imbalance if math.isfinite(self.imbalance) else None
        return {
            **data,
            **paths,
            "total": self.total,
            "imbalance": imbalance,
            "seconds": round(self.seconds, 3),
        }


def inspect_folders(options: InspectOptions, progress: Progress | None = None) -> Inspection:
    """Decode every photo once, at a small size, and count.

    Memory: the list of files, and some 50 bytes for each photo.

    Raises:
        UsageError: no class folders, nothing in them, or an `out` that holds other files.
    """
    began = time.monotonic()
    progress = progress or NoProgress()
    check_above_zero(workers=options.workers)
    options.limits.check()
    labelled = read_labelled(options.data, 0, options.include_protected, progress.say, options.listing)
    classes, found_parts = labelled.classes, labelled.parts
    parts = {part: found_parts[part] for part in PARTS if part in found_parts}
    examples = [example for some in parts.values() for example in some]
    part_of = [part or "all" for part, some in parts.items() for _ in some]
    if not examples:
        raise UsageError(f"{options.data}: its classes hold no files; add photos")
    workers = options.workers or available_cores()
    limits = worker_limits(options.limits, workers)
    take_report_folder(options.out, FILES)
    totals = Totals()
    with Pool(MeasurePhoto(limits), workers, limits) as pool:
        for number, result in enumerate(pool.run(example.photo for example in examples)):
            totals.add(number, result)
            progress.advance(1)
    found = _inspection(
        options, classes, examples, part_of, tuple(part or "all" for part in parts), totals, began
    )
    if options.out is not None:
        with Pool(Thumbnail(THUMBNAIL, limits), min(workers, 4), limits) as small:
            write_inspection(options.out, found, examples, totals, small.run)
    return found


def _inspection(
    options: InspectOptions,
    classes: tuple[str, ...],
    examples: Sequence[Example],
    part_of: Sequence[str],
    parts: tuple[str, ...],
    totals: Totals,
    began: float,
) -> Inspection:
    n = len(totals.numbers)
    counted = Counter((part_of[at], examples[at].label) for at in totals.numbers)
    width, height = np.array(totals.widths), np.array(totals.heights)
    mean = totals.mean / max(n, 1)
    std = np.sqrt(np.maximum(totals.square / max(n, 1) - mean**2, 0))
    return Inspection(
        data=options.data,
        classes=classes,
        photos={part: {name: counted[part, at] for at, name in enumerate(classes)} for part in parts},
        formats=dict(totals.formats.most_common()),
        width=_quartiles(width),
        height=_quartiles(height),
        aspect=_quartiles(width / np.maximum(height, 1)),
        brightness=_quartiles(np.array(totals.brightness)),
        mean=tuple(map(float, mean)) if n else None,
        std=tuple(map(float, std)) if n else None,
        duplicates=_duplicates(totals, examples, part_of),
        failed=dict(totals.failed.most_common()),
        skipped=dict(totals.skipped.most_common()),
        failures=totals.failures,
        seconds=time.monotonic() - began,
        page=None if options.out is None else options.out / PAGE,
    )


def _quartiles(values: NDArray[Any]) -> Quartiles | None:
    if not len(values):
        return None
    return Quartiles(*(float(each) for each in np.percentile(values, [0, 25, 50, 75, 100])))


def _duplicates(totals: Totals, examples: Sequence[Example], part_of: Sequence[str]) -> Duplicates:
    n = len(totals.numbers)
    groups = near_duplicates(totals.hashes, MAX_DISTANCE) if n else []
    exact = n - len(set(totals.digests))
    near = sum(len(group) - 1 for group in groups) - exact
    ranked = []
    across_classes = across_splits = 0
    for group in groups:
        members = [totals.numbers[at] for at in group]
        classes = len({examples[number].label for number in members}) > 1
        splits = len({part_of[number] for number in members}) > 1
        across_classes += len(members) * classes
        across_splits += len(members) * splits
        ranked.append((-(classes + splits), members))
    ranked.sort(key=lambda pair: pair[0])
    named = [
        [str(examples[number].photo.path) for number in members[:MAX_GROUP]]
        for _, members in ranked[:MAX_GROUPS]
    ]
    return Duplicates(exact, near, across_classes, across_splits, named)
