"""The report of a model on labelled photos: metrics.json, misclassified.csv, failures.csv and report.html."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.evaluate import plots
from sorter.evaluate.calibration import calibration
from sorter.evaluate.metrics import Metrics
from sorter.files import atomic_text
from sorter.model.labels import predicted_classes
from sorter.photos.dataset import Example
from sorter.pipeline.pool import Pool
from sorter.pipeline.stages import Thumbnail
from sorter.reports.cards import THUMBNAIL, Sheet, Subject, Thumbnails, make_cards, photo_count
from sorter.reports.page import write_page
from sorter.system import available_cores
from sorter.types import Limits, Result, SorterError

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

METRICS, MISCLASSIFIED, FAILURES, PAGE = "metrics.json", "misclassified.csv", "failures.csv", "report.html"
FILES = (METRICS, MISCLASSIFIED, FAILURES, PAGE)
MAX_CARDS = 96  # errors on the page
MAX_PAIR_CARDS = 16  # of one confused pair
MAX_FAILURES = 50  # failed files named on the page
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
class _Error:
    """A misclassified photo, with the probabilities of its label and of the predicted class."""

    example: Example
    predicted: int
    label_probability: float
    predicted_probability: float


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
    heats: Thumbnails | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write metrics.json, misclassified.csv, failures.csv (where there are any) and report.html into a folder.

    Args:
        folder: made if need be; files of these names in it are replaced.
        metrics: those of the examples.
        examples: n of them, with labels in the order of `metrics.classes`.
        probabilities: (n, k).
        about: facts for the head of the page; `Model` is in its title.
        failures: files that have no probabilities.
        history: a row for each epoch, as `plots.history` takes it.
        thumbnails: makes a JPEG for each photo; None makes them in a pool of its own.
        heats: likewise with a heat map over each photo; None for none.
        data: the content of metrics.json; None for the metrics alone.

    Raises:
        SorterError: the folder cannot be written to.
    """
    labels = np.array([example.label for example in examples])
    errors = _errors(examples, probabilities, metrics)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_metrics(folder, metrics.to_json() if data is None else data)
        with atomic_text(folder / MISCLASSIFIED) as file:
            _write_errors(csv.writer(file), errors, metrics)
        (folder / FAILURES).unlink(missing_ok=True)
        if failures:
            with atomic_text(folder / FAILURES) as file:
                writer = csv.writer(file)
                writer.writerow(["path", "status", "error"])
                writer.writerows([f.photo.path, f.outcome.status.value, str(f.outcome)] for f in failures)
    except OSError as error:
        raise SorterError(
            f"{error.filename or folder}: {error.strerror or error}; name another folder for the report"
        ) from error
    if thumbnails is None:
        with Pool(Thumbnail(THUMBNAIL, Limits()), min(4, available_cores())) as pool:
            sheets = _sheets(errors, metrics, pool.run) if errors else []
    else:
        sheets = _sheets(errors, metrics, thumbnails, heats)
    context = {
        "title": f"Evaluation of {about.get('Model', 'the model')}",
        "about": about,
        "metrics": metrics,
        "names": NAMES,
        "plots": _plots(labels, probabilities, metrics),
        "history": plots.history(history),
        "sheets": sheets,
        "heats": heats is not None and bool(sheets),
        "failures": list(failures[:MAX_FAILURES]),
        "failure_count": len(failures),
        "misclassified": MISCLASSIFIED,
    }
    write_page(folder / PAGE, "evaluate.html", context)


def write_metrics(folder: Path, data: Mapping[str, Any]) -> None:
    """Write metrics.json into a folder that exists. Raises OSError."""
    with atomic_text(folder / METRICS) as file:
        json.dump(dict(data), file, indent=2, allow_nan=False)
        file.write("\n")


def _errors(
    examples: Sequence[Example], probabilities: NDArray[np.float64], metrics: Metrics
) -> list[_Error]:
    """Worst first: those whose label has the least probability."""
    positive = None if metrics.positive is None else metrics.classes.index(metrics.positive)
    found = [
        _Error(example, int(predicted), float(row[example.label]), float(row[predicted]))
        for example, row, predicted in zip(
            examples,
            probabilities,
            predicted_classes(probabilities, positive, metrics.threshold),
            strict=True,
        )
        if predicted != example.label
    ]
    return sorted(found, key=lambda error: error.label_probability)


def _write_errors(writer: Any, errors: Sequence[_Error], metrics: Metrics) -> None:
    writer.writerow(["path", "label", "predicted", "probability_of_label", "probability_of_predicted"])
    writer.writerows(
        [
            error.example.photo.path,
            metrics.classes[error.example.label],
            metrics.classes[error.predicted],
            f"{error.label_probability:.6f}",
            f"{error.predicted_probability:.6f}",
        ]
        for error in errors
    )


def _plots(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], metrics: Metrics
) -> list[tuple[str, Markup, str]]:
    """Each plot with its name and caption."""
    positive = None if metrics.positive is None else metrics.classes.index(metrics.positive)
    of = "the chosen class" if metrics.positive is None else metrics.positive
    each = ""
    if metrics.positive is None:
        first = (
            f"the first {plots.MAX_CURVES} classes"
            if len(metrics.classes) > plots.MAX_CURVES
            else "each class"
        )
        each = f" One curve for {first} against the rest."
    found = [
        (
            "Confusion matrix",
            plots.confusion(metrics),
            "Photos by label and prediction. Darker cells hold a larger share of their label.",
        ),
        (
            "ROC curve",
            plots.roc(labels, probabilities, metrics),
            f"True positives over false positives, at every threshold.{each}",
        ),
        (
            "Precision and recall",
            plots.precision_recall(labels, probabilities, metrics),
            f"Precision at every recall.{each}",
        ),
        (
            "Reliability",
            plots.reliability(calibration(labels, probabilities, positive), of),
            f"On the dotted line, probabilities equal observed shares. Expected calibration error {metrics.ece:.4f}. "
            "Larger circles stand for more photos.",
        ),
        (
            "Thresholds",
            plots.thresholds(labels, probabilities, metrics),
            "Accuracy and share of photos, when only photos at or above a probability are sorted."
            if metrics.positive is None
            else "Precision, recall and F1 at every threshold. The dashed line is the model's.",
        ),
    ]
    return [(name, plot, text) for name, plot, text in found if plot is not None]


def _sheets(
    errors: Sequence[_Error], metrics: Metrics, thumbnails: Thumbnails, heats: Thumbnails | None = None
) -> list[Sheet]:
    """The worst errors of the most frequent confusions."""
    sheets: list[Sheet] = []
    subjects: list[list[Subject]] = []
    left = MAX_CARDS
    for pair in metrics.most_confused:
        label, predicted = metrics.classes.index(pair.label), metrics.classes.index(pair.predicted)
        some = [e for e in errors if e.example.label == label and e.predicted == predicted][
            : min(MAX_PAIR_CARDS, left)
        ]
        if some:
            note = photo_count(pair.photos) + (f", the worst {len(some)}" if pair.photos > len(some) else "")
            sheets.append(Sheet(f"{pair.label} taken for {pair.predicted}", note, []))
            subjects.append([Subject(e.example.photo, f"{e.predicted_probability:.3f}") for e in some])
        left -= len(some)
    cards = iter(make_cards([*chain.from_iterable(subjects)], thumbnails, heats))
    return [
        replace(sheet, cards=[next(cards) for _ in some])
        for sheet, some in zip(sheets, subjects, strict=True)
    ]
