"""`sorter audit`: labels that are probably wrong, photos like no other, near duplicates across classes, and leaks."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.evaluate.label_errors import distance_to_neighbours, far_out, rank_label_errors
from sorter.model.folder import read_model
from sorter.photos.dataset import Example
from sorter.photos.groups import group_alike, joined
from sorter.photos.labelled import read_labelled
from sorter.photos.rows import FileList
from sorter.pipeline.pool import Pool
from sorter.pipeline.stages import Thumbnail
from sorter.reports.cards import THUMBNAIL
from sorter.reports.page import take_report_folder
from sorter.system import available_cores, worker_limits
from sorter.train.doubtful import embedded, out_of_fold
from sorter.train.options import TrainOptions, resolve_recipe
from sorter.train.retrain import backbone_options
from sorter.train.select_learner import select_learner
from sorter.train.training_set import TrainingSet
from sorter.types import Limits, Photo, UsageError, check_above_zero

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.progress import Progress

RECIPE = "fast"
LABEL, CONFLICT, LEAK, OUTLIER = "label", "conflict", "leak", "outlier"
ISSUES = (LABEL, CONFLICT, LEAK, OUTLIER)  # gravest first


@dataclass(frozen=True)
class AuditOptions:
    """The options of `sorter audit`.

    Attributes:
        data: class folders, or a table of labels.
        model: a model folder whose backbone describes the photos; None for the one of `fast`.
        out: folder for the report; None for no report.
        workers: processes; None for one per core.
        limits: what a photo may cost.
        include_protected: read folders of other programs too, as in `sorter.photos.protected`.
        listing: a list or a table to read instead of `data`, which then only names it.
    """

    data: Path
    model: Path | None = None
    out: Path | None = None
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    include_protected: bool = False
    listing: FileList | None = None


@dataclass(frozen=True, slots=True)
class AuditedPhoto:
    """A photo with an issue.

    Attributes:
        photo: the file.
        part: `train`, `val`, `test`, or empty.
        label: its class.
        suggested: the class that a model gives it that did not learn from it.
        probability: of its label, by that model.
        distance: mean cosine distance to its ten nearest photos, 0 to 2.
        issues: of `ISSUES`. `label`: probably wrong. `conflict`: a photo of another class looks like it. `leak`: so
            does one of another part, or one of its group is there. `outlier`: far from all others.
        like: the photo that a conflict or a leak is with.
    """

    photo: Photo
    part: str
    label: str
    suggested: str
    probability: float
    distance: float
    issues: tuple[str, ...]
    like: Path | None

    def to_json(self) -> dict[str, Any]:
        return {
            "path": str(self.photo.path),
            "part": self.part,
            "label": self.label,
            "suggested": self.suggested,
            "probability": round(self.probability, 6),
            "distance": round(self.distance, 6),
            "issues": list(self.issues),
            "like": None if self.like is None else str(self.like),
        }


@dataclass(frozen=True)
class Audit:
    """The result of an audit.

    Attributes:
        data: the folder or the table.
        classes: names.
        checked: photos that could be decoded.
        failed: files that could not.
        photos: those with an issue: labels first, the least probable first; then the other issues.
        seconds: of the whole command.
        page: path of report.html, or None.
    """

    data: Path
    classes: tuple[str, ...]
    checked: int
    failed: int
    photos: tuple[AuditedPhoto, ...]
    seconds: float
    page: Path | None

    def counts(self) -> dict[str, int]:
        """Photos with each issue."""
        counted = Counter(issue for each in self.photos for issue in each.issues)
        return {issue: counted[issue] for issue in ISSUES}

    def to_json(self) -> dict[str, Any]:
        return {
            "data": str(self.data),
            "classes": list(self.classes),
            "checked": self.checked,
            "failed": self.failed,
            "issues": self.counts(),
            "photos": [each.to_json() for each in self.photos],
            "seconds": round(self.seconds, 3),
            "report": None if self.page is None else str(self.page),
        }


def audit(options: AuditOptions, progress: Progress) -> Audit:
    """Embed every photo once, judge it by models that did not learn from it, and compare it with all others.

    Raises:
        UsageError: no labelled photos, too few of a class, or an `out` that holds other files.
        ModelError: the model folder is missing or damaged.
        SorterError: a package is not installed.
    """
    from sorter.train.audit_report import FILES, PAGE, write_audit

    began = time.monotonic()
    check_above_zero(workers=options.workers)
    options.limits.check()
    labelled = read_labelled(options.data, 0, options.include_protected, progress.say, options.listing)
    take_report_folder(options.out, FILES)
    examples = [each for some in labelled.parts.values() for each in some]
    parts = {each.photo.path: part or "" for part, some in labelled.parts.items() for each in some}
    model = read_model(options.model) if options.model else None
    train = TrainOptions(options.data, options.data, recipe=RECIPE, **backbone_options(model, RECIPE))
    positive = labelled.classes[1] if len(labelled.classes) == 2 else None
    learner = select_learner(train, resolve_recipe(train), labelled.classes, positive)
    with tempfile.TemporaryDirectory(prefix="sorter-", ignore_cleanup_errors=True) as work:
        data = embedded(examples, learner, options.workers, options.limits, progress, Path(work))
        usable = [each for each in examples if each.photo.path in data.fingerprints]
        progress.begin("comparing", len(usable))
        found = _compare(options.data, labelled.classes, usable, parts, data)
        progress.advance(len(usable))
        failed = len(data.failures)
        del data  # its files lie in the folder that goes
    page = None if options.out is None else options.out / PAGE
    result = Audit(options.data, labelled.classes, len(usable), failed, found, time.monotonic() - began, page)
    if options.out is not None:
        workers = min(options.workers or available_cores(), 4)
        limits = worker_limits(options.limits, workers)
        with Pool(Thumbnail(THUMBNAIL, limits), workers, limits) as pool:
            write_audit(options.out, result, pool.run)
    return result


def _compare(
    root: Path, classes: tuple[str, ...], usable: Sequence[Example], parts: dict[Path, str], data: TrainingSet
) -> tuple[AuditedPhoto, ...]:
    """The photos with an issue, in the order of the report."""
    labels = np.array([each.label for each in usable], np.int64)
    features = np.array(data.subset(usable).read_features())
    alike = group_alike([data.fingerprints[each.photo.path] for each in usable])
    groups = joined(alike, [each.group for each in usable])
    complete = len(np.unique(labels)) == len(classes)
    probabilities = out_of_fold(features, labels, groups) if complete else None
    if probabilities is None:
        raise UsageError(
            f"{root}: a class has too few photos to be judged by models that did not learn from them; add photos of it"
        )
    ranked = rank_label_errors(labels, probabilities).tolist()
    distances = distance_to_neighbours(features)
    conflicts = _across(alike, labels.tolist())
    sides = [parts[each.photo.path] for each in usable]
    leaks = _across(groups, sides) if any(sides) else {}
    farthest = np.argsort(-distances, kind="stable")
    outliers = farthest[far_out(distances)[farthest]].tolist()
    held = {LABEL: set(ranked), CONFLICT: conflicts, LEAK: leaks, OUTLIER: set(outliers)}

    def audited(row: int) -> AuditedPhoto:
        like = conflicts.get(row, leaks.get(row))
        return AuditedPhoto(
            photo=usable[row].photo,
            part=sides[row],
            label=classes[labels[row]],
            suggested=classes[int(probabilities[row].argmax())],
            probability=float(probabilities[row, labels[row]]),
            distance=float(distances[row]),
            issues=tuple(issue for issue in ISSUES if row in held[issue]),
            like=None if like is None else usable[like].photo.path,
        )

    return tuple(audited(row) for row in dict.fromkeys([*ranked, *conflicts, *leaks, *outliers]))


def _across(groups: NDArray[np.int64], marks: Sequence[object]) -> dict[int, int]:
    """Rows whose group has another mark, too, and the first such row of the group."""
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(row)
    return dict(_pairs(members.values(), marks))


def _pairs(groups: Iterable[list[int]], marks: Sequence[object]) -> Iterator[tuple[int, int]]:
    for rows in groups:
        for row in rows:
            other = next((each for each in rows if marks[each] != marks[row]), None)
            if other is not None:
                yield row, other
