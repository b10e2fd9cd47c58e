"""`sorter evaluate`: a model on labelled photos, run as `sorter run` runs it; and the report of what it got right."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.engines.choice import Wanted
from sorter.evaluate import plots
from sorter.evaluate.metrics import Metrics, calibration, compute, predict
from sorter.model.folder import Model, read_model, shipped_model
from sorter.photos.dataset import Example, read_folders
from sorter.pipeline import trial
from sorter.pipeline.classifier import Classifier
from sorter.pipeline.pool import Limits, Pool
from sorter.pipeline.stages import Thumbnail
from sorter.progress import NoProgress, Progress
from sorter.reports.cards import THUMBNAIL, Card, make_cards, take_report_folder
from sorter.reports.csv import replaced
from sorter.reports.html import Thumbnails, write_page
from sorter.system import available_cores, memory_per_worker
from sorter.types import Failure, Result, SorterError, Status, UsageError, check_above_zero

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

METRICS, MISCLASSIFIED, FAILURES, PAGE = "metrics.json", "misclassified.csv", "failures.csv", "report.html"
FILES = (METRICS, MISCLASSIFIED, FAILURES, PAGE)
SHIPPED = "car"
CARDS = 96  # errors on the page
EACH = 16  # of one confused pair
EXAMPLES = 50  # failed files named on the page
NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "roc_auc": "ROC-AUC",
    "average_precision": "Average precision",
}


@dataclass(frozen=True)
class EvaluateOptions:
    """What `sorter evaluate` can be told.

    Attributes:
        model: a model folder, or `car` for the one that ships.
        data: class folders, or train/ val/ test/ folders of them: then test/ is used.
        out: where the report goes; None for no report.
        engine: as for `sorter run`; likewise all below.
        precision: likewise.
        device: likewise.
        decode: likewise.
        workers: likewise.
        max_megapixels: likewise.
        timeout_per_file: likewise.
    """

    model: Path
    data: Path
    out: Path | None = None
    engine: str = "auto"
    precision: str = "auto"
    device: str = "auto"
    decode: str = "cpu"
    workers: int | None = None
    max_megapixels: float = 250.0
    timeout_per_file: float = 60.0


@dataclass(frozen=True)
class Evaluation:
    """What came of it.

    Attributes:
        model: its name.
        data: the folder.
        part: `test` where the folder has parts, else None.
        engine: what ran the model.
        metrics: of the photos that could be decoded.
        failed: reason -> files that could not.
        skipped: reason -> files that are no photos.
        seconds: all in all.
        page: report.html, or None.
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
    """Run a model over labelled photos and compare.

    Raises:
        UsageError: folders that are not the model's classes, no photo to judge by, or an `out` that holds
            something else.
        ModelError: the model folder is missing or damaged.
        EngineError: the engine cannot do what is asked for.
    """
    began = time.monotonic()
    progress = progress or NoProgress()
    check_above_zero(
        workers=options.workers,
        max_megapixels=options.max_megapixels,
        timeout_per_file=options.timeout_per_file,
    )
    shipped = options.model == Path(SHIPPED) and not options.model.exists()
    model = read_model(shipped_model() if shipped else options.model)
    part, examples = labelled(options.data, model)
    take_report_folder(options.out, FILES)
    model.verify()
    workers = options.workers or available_cores()
    limits = Limits(options.timeout_per_file, memory_per_worker(workers))
    choice = trial.choose_engine(
        model,
        Wanted(options.engine, options.precision, options.device, options.decode),
        _across(examples),
        limits,
        progress.say,
    )
    classifier = Classifier(model, choice, workers, limits, options.max_megapixels)
    judged: list[Example] = []
    rows: list[tuple[float, ...]] = []
    failures: list[Result[Any]] = []
    results = classifier.predict(example.photo.path for example in examples)
    for example, result in zip(examples, results, strict=True):
        progress.advance(1)
        if isinstance(result.outcome, Failure):
            failures.append(replace(result, photo=example.photo))
        else:
            judged.append(example)
            rows.append(result.outcome.probabilities)
    if not judged:
        raise UsageError(f"{options.data}: none of its {len(examples)} files is a photo that can be decoded")
    probabilities = np.array(rows)
    labels = [example.label for example in judged]
    metrics = compute(labels, probabilities, model.classes, model.positive, model.threshold)
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
        with Pool(Thumbnail(THUMBNAIL, options.max_megapixels), min(workers, 4), limits) as pool:
            write_report(
                options.out,
                metrics,
                judged,
                probabilities,
                about=about,
                failures=failures,
                thumbnails=pool.run,
                data=evaluation.to_json(),
            )
    return evaluation


def labelled(data: Path, model: Model) -> tuple[str | None, list[Example]]:
    """The examples to judge a model by, their labels in the order of its classes; and the part they are of.

    Raises:
        UsageError: folders that are not the model's classes, or parts without a test.
    """
    names, parts = read_folders(data, least=0)
    unknown = [name for name in names if name not in model.classes]
    missing = [name for name in model.classes if name not in names]
    if unknown or missing:
        found = [f"no folder {name}" for name in missing[:5]] + [f"a folder {name}" for name in unknown[:5]]
        raise UsageError(
            f"{data}: has {', '.join(found)}, but the classes of {model.name} are {', '.join(model.classes[:20])}; "
            "name the folders as the classes"
        )
    part = None if None in parts else "test"
    if part not in parts:
        raise UsageError(f"{data}: has train/ but no test/; name a folder the model was not trained on")
    examples = [replace(example, label=model.classes.index(names[example.label])) for example in parts[part]]
    if not examples:
        raise UsageError(f"{data}: has no files in its class folders; add photos to judge by")
    return part, examples


def _across(examples: Sequence[Example]) -> Iterator[Path]:
    """Every class in turn: engines are to be compared on all of them."""
    by_class: dict[int, list[Path]] = {}
    for example in examples:
        by_class.setdefault(example.label, []).append(example.photo.path)
    for at in range(max(map(len, by_class.values()))):
        yield from (paths[at] for paths in by_class.values() if at < len(paths))


def _reasons(failures: Sequence[Result[Any]], wanted: Status) -> dict[str, int]:
    outcomes = [each.outcome for each in failures]
    return dict(sorted(Counter(each.reason.value for each in outcomes if each.status is wanted).items()))


# -- the report ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Error:
    """A photo that got another label; `sureness` is the probability of what it was taken for."""

    example: Example
    predicted: int
    right: float
    sureness: float


@dataclass(frozen=True)
class _Sheet:
    """The worst photos of one label that were taken for another."""

    label: str
    predicted: str
    photos: int
    cards: list[Card]


def write_report(
    folder: Path,
    metrics: Metrics,
    examples: Sequence[Example],
    probabilities: NDArray[np.float64],
    *,
    about: Mapping[str, str],
    failures: Sequence[Result[Any]] = (),
    history: Sequence[Mapping[str, float]] = (),
    thumbnails: Thumbnails | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write metrics.json, misclassified.csv, failures.csv (where there are any) and report.html into a folder.

    Args:
        folder: made if need be; files of these names in it are replaced.
        metrics: of these examples.
        examples: n, their labels in the order of `metrics.classes`.
        probabilities: (n, k).
        about: facts for the head of the page; `Model` is in its title.
        failures: files that have no probabilities.
        history: a row for each epoch, as `plots.history` has it.
        thumbnails: a JPEG for each photo; None makes them with a pool of its own.
        data: what metrics.json holds; None for the metrics alone.

    Raises:
        SorterError: the folder cannot be written to.
    """
    labels = np.array([example.label for example in examples])
    errors = _errors(examples, probabilities, metrics)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_metrics(folder, metrics.to_json() if data is None else data)
        with replaced(folder / MISCLASSIFIED) as file:
            _write_errors(csv.writer(file), errors, metrics)
        (folder / FAILURES).unlink(missing_ok=True)
        if failures:
            with replaced(folder / FAILURES) as file:
                writer = csv.writer(file)
                writer.writerow(["path", "status", "error"])
                writer.writerows([f.photo.path, f.outcome.status.value, str(f.outcome)] for f in failures)
    except OSError as error:
        raise SorterError(
            f"{error.filename or folder}: {error.strerror or error}; name another folder"
        ) from error
    if thumbnails is None:
        with Pool(Thumbnail(THUMBNAIL, 250.0), min(4, available_cores())) as pool:
            sheets = _sheets(errors, metrics, pool.run) if errors else []
    else:
        sheets = _sheets(errors, metrics, thumbnails)
    context = {
        "title": f"How good {about.get('Model', 'the model')} is",
        "about": about,
        "metrics": metrics,
        "names": NAMES,
        "plots": _plots(labels, probabilities, metrics),
        "history": plots.history(history),
        "sheets": sheets,
        "failures": list(failures[:EXAMPLES]),
        "failure_count": len(failures),
        "misclassified": MISCLASSIFIED,
    }
    write_page(folder / PAGE, "evaluate.html", context)


def write_metrics(folder: Path, data: Mapping[str, Any]) -> None:
    """Write metrics.json into a folder that exists. Raises OSError."""
    with replaced(folder / METRICS) as file:
        json.dump(dict(data), file, indent=2, allow_nan=False)
        file.write("\n")


def _errors(
    examples: Sequence[Example], probabilities: NDArray[np.float64], metrics: Metrics
) -> list[_Error]:
    """Worst first: those whose own label was given the least probability."""
    positive = None if metrics.positive is None else metrics.classes.index(metrics.positive)
    found = [
        _Error(example, int(said), float(row[example.label]), float(row[said]))
        for example, row, said in zip(
            examples, probabilities, predict(probabilities, positive, metrics.threshold), strict=True
        )
        if said != example.label
    ]
    return sorted(found, key=lambda error: error.right)


def _write_errors(writer: Any, errors: Sequence[_Error], metrics: Metrics) -> None:
    writer.writerow(["path", "label", "predicted", "probability_of_label", "probability_of_predicted"])
    writer.writerows(
        [
            error.example.photo.path,
            metrics.classes[error.example.label],
            metrics.classes[error.predicted],
            f"{error.right:.6f}",
            f"{error.sureness:.6f}",
        ]
        for error in errors
    )


def _plots(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], metrics: Metrics
) -> list[tuple[str, Markup, str]]:
    """Each plot with its name and what it tells."""
    positive = None if metrics.positive is None else metrics.classes.index(metrics.positive)
    of = "the chosen class" if metrics.positive is None else metrics.positive
    each = ""
    if metrics.positive is None:
        first = (
            f"the first {plots.MOST_CURVES} classes"
            if len(metrics.classes) > plots.MOST_CURVES
            else "each class"
        )
        each = f" One curve for {first} against the rest."
    found = [
        (
            "Confusion matrix",
            plots.confusion(metrics),
            "Photos by label and prediction, shaded by their share of the label.",
        ),
        (
            "ROC curve",
            plots.roc(labels, probabilities, metrics),
            f"How many are found for how many false alarms, over all thresholds.{each}",
        ),
        (
            "Precision and recall",
            plots.precision_recall(labels, probabilities, metrics),
            f"How pure the found ones are the more of them are found.{each}",
        ),
        (
            "Reliability",
            plots.reliability(calibration(labels, probabilities, positive), of),
            f"On the dotted line, a probability means what it says. Expected calibration error {metrics.ece:.4f}; "
            "larger circles hold more photos.",
        ),
        (
            "Thresholds",
            plots.thresholds(labels, probabilities, metrics),
            "What sorting only the surer photos would do."
            if metrics.positive is None
            else "What another threshold would do.",
        ),
    ]
    return [(name, plot, text) for name, plot, text in found if plot is not None]


def _sheets(errors: Sequence[_Error], metrics: Metrics, thumbnails: Thumbnails) -> list[_Sheet]:
    """The worst errors of the commonest confusions."""
    chosen: list[tuple[str, str, int, list[_Error]]] = []
    left = CARDS
    for pair in metrics.most_confused:
        label, predicted = metrics.classes.index(pair.label), metrics.classes.index(pair.predicted)
        some = [e for e in errors if e.example.label == label and e.predicted == predicted][: min(EACH, left)]
        if some:
            chosen.append((pair.label, pair.predicted, pair.photos, some))
        left -= len(some)
    worst = [error for *_, some in chosen for error in some]
    cards = iter(
        make_cards([e.example.photo for e in worst], [f"{e.sureness:.3f}" for e in worst], thumbnails)
    )
    return [
        _Sheet(label, predicted, photos, [next(cards) for _ in some])
        for label, predicted, photos, some in chosen
    ]
