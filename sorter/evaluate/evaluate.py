"""`sorter evaluate`: a model on labelled photos, run exactly as `sorter run` runs it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from sorter.engines.choice import EngineOptions
from sorter.evaluate.evaluate_report import FILES, PAGE, write_report
from sorter.evaluate.metrics import Metrics, compute_metrics
from sorter.model.folder import ONNX, Model, read_model, shipped_model
from sorter.model.rule import Rule
from sorter.photos.dataset import Example
from sorter.photos.labelled import read_labelled
from sorter.photos.rows import FileList
from sorter.pipeline import trial
from sorter.pipeline.classifier import Classifier
from sorter.pipeline.explain import HeatThumbnail
from sorter.pipeline.pool import Pool
from sorter.pipeline.stages import Thumbnail
from sorter.progress import NoProgress, Progress
from sorter.reports.cards import THUMBNAIL, Thumbnails
from sorter.reports.page import take_report_folder
from sorter.system import available_cores, worker_limits
from sorter.types import Failure, Limits, Result, Status, UsageError, check_above_zero

SHIPPED = "car"


@dataclass(frozen=True)
class EvaluateOptions:
    """The options of `sorter evaluate`.

    Attributes:
        model: a model folder, or `car` for the one that ships.
        data: class folders, or train/ val/ test/ folders of them: then test/ is used; or a table of labels.
        out: where the report goes; None for no report.
        engine: what runs the model.
        workers: processes; None for one per core.
        limits: what a photo may cost.
        include_protected: read folders of other programs too, as in `sorter.photos.protected`.
        explain: the report's photos also show where the model looked.
        listing: a list or a table to read instead of `data`, which then only names it.
    """

    model: Path
    data: Path
    out: Path | None = None
    engine: EngineOptions = field(default_factory=EngineOptions)
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    include_protected: bool = False
    explain: bool = False
    listing: FileList | None = None


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        model: name of the model.
        data: the folder with the photos.
        part: `test` where the folder has parts, else None.
        engine: the engine that ran the model.
        metrics: those of the photos that could be decoded.
        failed: reason -> number of files that could not be decoded.
        skipped: reason -> number of files that are not photos.
        seconds: of the whole command.
        page: path of report.html, or None.
    """

    model: str
    data: Path
    part: str | None
    engine: str
    metrics: Metrics
    failed: dict[str, int]
    skipped: dict[str, int]
    seconds: float
    page: Path | None

    def to_json(self) -> dict[str, Any]:
        about = {
            "model": self.model,
            "data": str(self.data),
            "part": self.part,
            "engine": self.engine,
            "failed": self.failed,
            "skipped": self.skipped,
            "seconds": round(self.seconds, 3),
            "report": None if self.page is None else str(self.page),
        }
        return {**about, **self.metrics.to_json()}


def evaluate(options: EvaluateOptions, progress: Progress | None = None) -> Evaluation:
    """Run a model over labelled photos and compare its predictions with the labels.

    Raises:
        UsageError: folders that are not the model's classes, no photo that can be decoded, or an `out` that
            holds other files.
        ModelError: the model folder is missing or damaged.
        EngineError: the engine cannot run here.
    """
    began = time.monotonic()
    progress = progress or NoProgress()
    check_above_zero(workers=options.workers)
    options.limits.check()
    shipped = options.model == Path(SHIPPED) and not options.model.exists()
    model = read_model(shipped_model() if shipped else options.model)
    part, examples = labelled_examples(
        options.data, model, options.include_protected, progress.say, options.listing
    )
    take_report_folder(options.out, FILES)
    model.verify()
    if options.explain:
        model.path(ONNX)  # raises ModelError before anything is done
    workers = options.workers or available_cores()
    limits = worker_limits(options.limits, workers)
    choice = trial.choose_engine(
        model,
        options.engine,
        _class_by_class(examples),
        limits,
        progress.say,
    )
    if options.engine.decode == "preview":
        choice = replace(choice, embedded=0.0)
    classifier = Classifier(model, choice, workers, limits)
    scored: list[Example] = []
    rows: list[tuple[float, ...]] = []
    failures: list[Result[Any]] = []
    results = classifier.predict(example.photo.path for example in examples)
    for example, result in zip(examples, results, strict=True):
        progress.advance(1)
        if isinstance(result.outcome, Failure):
            failures.append(replace(result, photo=example.photo))
        else:
            scored.append(example)
            rows.append(result.outcome.probabilities)
    if not scored:
        raise UsageError(f"{options.data}: none of its {len(examples)} files is a photo that can be decoded")
    probabilities = np.array(rows)
    labels = [example.label for example in scored]
    metrics = compute_metrics(labels, probabilities, model.classes, model.positive, model.threshold)
    evaluation = Evaluation(
        model=model.name,
        data=options.data,
        part=part,
        engine=str(choice),
        metrics=metrics,
        failed=_reasons(failures, Status.FAILED),
        skipped=_reasons(failures, Status.SKIPPED),
        seconds=time.monotonic() - began,
        page=None if options.out is None else options.out / PAGE,
    )
    if options.out is not None:
        progress.say(f"Writing the report to {options.out} ...")
        about = {
            "Model": model.name,
            "Photos": f"{options.data}" + (f" ({part})" if part else ""),
            "Engine": str(choice),
        }
        with (
            Pool(Thumbnail(THUMBNAIL, limits), min(workers, 4), limits) as pool,
            _heats(model, min(workers, 4), limits) if options.explain else nullcontext() as heats,
        ):
            write_report(
                options.out,
                metrics,
                scored,
                probabilities,
                about=about,
                failures=failures,
                thumbnails=pool.run,
                heats=heats,
                data=evaluation.to_json(),
            )
    return evaluation


@contextmanager
def _heats(model: Model, workers: int, limits: Limits) -> Iterator[Thumbnails]:
    """Makes small pictures with heat maps."""
    with Pool(HeatThumbnail(model, Rule.of(model), THUMBNAIL, limits), workers, limits) as pool:
        yield pool.run


def labelled_examples(
    data: Path,
    model: Model,
    include_protected: bool = False,
    say: Callable[[str], None] = lambda message: None,
    listing: FileList | None = None,
) -> tuple[str | None, list[Example]]:
    """The part (`test` or None) and the examples to evaluate a model on, labels in the order of its classes.

    Args:
        include_protected, say, listing: as for `read_labelled`.

    Raises:
        UsageError: folders that are not the model's classes, or parts without a test.
    """
    labelled = read_labelled(data, 0, include_protected, say, listing)
    names, parts = labelled.classes, labelled.parts
    unknown = [name for name in names if name not in model.classes]
    missing = [name for name in model.classes if name not in names]
    if unknown or missing:
        what = "folder" if data.is_dir() else "label"
        found = [f"no {what} {name}" for name in missing[:5]] + [f"a {what} {name}" for name in unknown[:5]]
        raise UsageError(
            f"{data}: has {', '.join(found)}, but the classes of {model.name} are {', '.join(model.classes[:20])}; "
            f"name the {what}s after the classes"
        )
    part = None if None in parts else "test"
    if part not in parts:
        raise UsageError(
            f"{data}: has train/ but no test/; name a folder of photos that the model was not trained on"
        )
    examples = [replace(example, label=model.classes.index(names[example.label])) for example in parts[part]]
    if not examples:
        raise UsageError(f"{data}: has no files in its class folders; add photos to evaluate on")
    return part, examples


def _class_by_class(examples: Sequence[Example]) -> Iterator[Path]:
    """Photos of every class in turn, so that engines are compared on all classes."""
    by_class: dict[int, list[Path]] = {}
    for example in examples:
        by_class.setdefault(example.label, []).append(example.photo.path)
    for at in range(max(map(len, by_class.values()))):
        yield from (paths[at] for paths in by_class.values() if at < len(paths))


def _reasons(failures: Sequence[Result[Any]], wanted: Status) -> dict[str, int]:
    outcomes = [each.outcome for each in failures]
    return dict(sorted(Counter(each.reason.value for each in outcomes if each.status is wanted).items()))
