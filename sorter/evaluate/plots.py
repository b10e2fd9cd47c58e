"""The plots of the reports: curves, confusion matrix, reliability, histograms, training history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from sorter.evaluate.svg import INK, SERIES, SOFT, SvgPlot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.evaluate.calibration import Calibration
    from sorter.evaluate.metrics import Metrics

MAX_CELLS = 30  # classes that a confusion matrix can show
MAX_NUMBERS = 15  # classes with counts in its cells
MAX_CURVES = 12  # of one class each
MAX_POINTS = 400  # of a curve: more than a screen can show


@dataclass(frozen=True)
class Curve:
    """A line: `x` and `y`, float64 (n,) each."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def curves(
    title: str,
    lines: Sequence[Curve],
    x: str,
    y: str,
    *,
    unit: bool = True,
    diagonal: str | None = None,
    mark: tuple[str, float] | None = None,
    legend: str = "best",
) -> Markup:
    """Draw lines on one pair of axes.

    Args:
        unit: both axes go from 0 to 1.
        diagonal: the name of a line from corner to corner to compare with.
        mark: a name and where on x a vertical line stands.
        legend: where matplotlib puts it.
    """
    plot = SvgPlot(title)
    axes = plot.axes
    if diagonal is not None:
        axes.plot([0, 1], [0, 1], color=SOFT, linestyle=":", linewidth=1, label=diagonal)
    for number, line in enumerate(lines):
        colour = SERIES[number % len(SERIES)]
        style = ("-", "--", "-.")[number // len(SERIES) % 3]
        kept = _thinned(len(line.x))
        point = "o" if len(line.x) < 3 else None
        axes.plot(line.x[kept], line.y[kept], style, color=colour, label=line.name, marker=point)
    if mark is not None:
        axes.axvline(mark[1], color=INK, linewidth=1, linestyle="--", label=mark[0])
    axes.set(xlabel=x, ylabel=y)
    if unit:
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    if len(lines) + (diagonal is not None) + (mark is not None) > 1:
        plot.legend(legend)
    return plot.svg()


def confusion(metrics: Metrics) -> Markup | None:
    """Labels by predictions, shaded by the share of the label. None for more than 30 classes."""
    k = len(metrics.classes)
    if k > MAX_CELLS:
        return None
    matrix = np.array(metrics.confusion)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = max(4.4, 2.6 + 0.3 * k)
    plot = SvgPlot("Confusion matrix", side, side * 0.73)
    axes = plot.axes
    from matplotlib.patches import Rectangle

    for row in range(k):
        for column in range(k):
            colour = SERIES[0] if row == column else SERIES[1]
            alpha = 0.6 * float(shares[row, column])
            cell = Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, alpha=alpha, edgecolor="none")
            axes.add_patch(cell)
            if k <= MAX_NUMBERS and matrix[row, column]:
                axes.text(
                    column,
                    row,
                    f"{matrix[row, column]:,}",
                    ha="center",
                    va="center",
                    color=INK,
                    fontsize=9 if k < 8 else 7,
                )
    axes.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, -0.5), xlabel="predicted", ylabel="label")
    names = [_short(name) for name in metrics.classes]
    axes.set_xticks(range(k), names, rotation=45 if k > 4 else 0, ha="right" if k > 4 else "center")
    axes.set_yticks(range(k), names)
    axes.grid(False)
    axes.tick_params(length=0, labelsize=9 if k <= MAX_NUMBERS else 7)
    return plot.svg()


def roc(labels: NDArray[np.int64], probabilities: NDArray[np.float64], metrics: Metrics) -> Markup | None:
    """True positive rate over false positive rate; one curve for each class where there are more than two."""
    from sklearn.metrics import roc_curve

    lines = []
    for at, name in _one_against_rest(labels, metrics):
        wrong, right, _ = roc_curve(labels == at, probabilities[:, at])
        lines.append(Curve(name, wrong, right))
    if not lines:
        return None
    return curves(
        "ROC curve",
        lines,
        "false positive rate",
        "true positive rate (recall)",
        diagonal="chance",
        legend="lower right",
    )


def precision_recall(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], metrics: Metrics
) -> Markup | None:
    """Precision over recall; one curve for each class where there are more than two."""
    from sklearn.metrics import precision_recall_curve

    lines = []
    for at, name in _one_against_rest(labels, metrics):
        precision, recall, _ = precision_recall_curve(labels == at, probabilities[:, at])
        lines.append(Curve(name, recall[::-1], precision[::-1]))
    return (
        curves("Precision-recall curve", lines, "recall", "precision", legend="lower left") if lines else None
    )


def reliability(found: Calibration, of: str) -> Markup:
    """Observed share over predicted probability. Circles grow with the number of photos."""
    plot = SvgPlot("Reliability diagram")
    axes = plot.axes
    axes.plot([0, 1], [0, 1], color=SOFT, linestyle=":", linewidth=1, label="perfectly calibrated")
    sizes = 12 + 160 * found.photos / found.photos.max()
    axes.plot(found.predicted, found.observed, color=SERIES[0], linewidth=1)
    axes.scatter(
        found.predicted, found.observed, s=sizes, color=SERIES[0], alpha=0.7, linewidths=0, label="photos"
    )
    axes.set(
        xlim=(-0.04, 1.04),
        ylim=(-0.04, 1.04),
        xlabel=f"predicted probability of {of}",
        ylabel="observed share",
    )
    plot.legend("upper left", markerscale=0.6)
    return plot.svg()


def thresholds(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], metrics: Metrics
) -> Markup | None:
    """Precision, recall and F1 at every threshold.

    For more than two classes: the share of photos whose probability reaches it, and the accuracy among them.
    """
    tried = np.linspace(0, 1, 201)
    if metrics.positive is None:
        highest, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        taken = highest >= tried[:, None]
        counts = taken.sum(axis=1)
        accuracy = np.divide(
            (taken & correct).sum(axis=1), counts, where=counts > 0, out=np.full(201, np.nan)
        )
        lines = [
            Curve("accuracy of these photos", tried, accuracy),
            Curve("share of photos", tried, counts / len(labels)),
        ]
        return curves(
            "Threshold curve", lines, "least probability of the chosen class", "share", legend="lower left"
        )
    at = metrics.classes.index(metrics.positive)
    true = labels == at
    if not true.any():
        return None
    predicted = probabilities[:, at] >= tried[:, None]
    hits, taken = (predicted & true).sum(axis=1), predicted.sum(axis=1)
    precision = np.divide(hits, taken, where=taken > 0, out=np.full(201, np.nan))
    lines = [
        Curve("precision", tried, precision),
        Curve("recall", tried, hits / true.sum()),
        Curve("F1", tried, 2 * hits / (taken + true.sum())),
    ]
    mark = (f"threshold {metrics.threshold:.3g}", metrics.threshold)
    return curves("Threshold curve", lines, "threshold", "", mark=mark, legend="lower center")


def history(rows: Sequence[Mapping[str, float]]) -> list[tuple[str, Markup]]:
    """Loss, and accuracy and other metrics, by epoch.

    Args:
        rows: one for each epoch: `epoch`, and columns of numbers; those with `loss` in their name make the first
            plot, those with accuracy, precision, recall, f1 or auc the second, those `lr` a third.
    """
    groups: dict[str, list[str]] = {"Loss": [], "Accuracy": [], "Learning rate": []}
    for name in dict.fromkeys(key for row in rows for key in row):
        if "loss" in name:
            groups["Loss"].append(name)
        elif any(part in name for part in ("accuracy", "precision", "recall", "f1", "auc")):
            groups["Accuracy"].append(name)
        elif name in ("lr", "learning_rate"):
            groups["Learning rate"].append(name)
    plots = []
    for title, names in groups.items():
        lines = [_by_epoch(rows, name) for name in names]
        if lines := [line for line in lines if len(line.x)]:
            plot = curves(f"{title} by epoch", lines, "epoch", title.lower(), unit=False)
            plots.append((title, plot))
    return plots


def histogram(
    title: str,
    shares: Mapping[str, NDArray[np.float64]],
    edges: NDArray[np.float64],
    x: str,
    y: str = "share of photos",
    *,
    log: bool = False,
    colours: Sequence[int] = (0, 1, 2),
) -> Markup:
    """Draw shares that are already counted, as steps.

    Args:
        shares: name -> share in each bin (bins,).
        edges: of the bins (bins + 1,).
        log: x is logarithmic.
        colours: of each name, by number in `SERIES`.
    """
    plot = SvgPlot(title)
    axes = plot.axes
    for (name, counts), number in zip(shares.items(), colours, strict=False):
        several = len(shares) > 1
        axes.stairs(
            counts, edges, color=SERIES[number], fill=True, alpha=0.2 if several else 0.7, linewidth=0
        )
        if several:
            axes.stairs(counts, edges, color=SERIES[number], linewidth=1.4, label=name)
    if log:
        axes.set_xscale("log")
        round_ones = [digit * 10.0**power for power in range(-3, 7) for digit in (1, 2, 5)]
        ticks = [tick for tick in round_ones if edges[0] <= tick <= edges[-1]]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    axes.set(xlabel=x, ylabel=y, ylim=(0, None))
    if len(shares) > 1:
        plot.legend("best")
    return plot.svg()


def _one_against_rest(labels: NDArray[np.int64], metrics: Metrics) -> list[tuple[int, str]]:
    """Index and name of the classes that a curve can be drawn for; the first eight."""
    wanted = (
        range(len(metrics.classes)) if metrics.positive is None else [metrics.classes.index(metrics.positive)]
    )
    return [(at, _short(metrics.classes[at])) for at in wanted if 0 < (labels == at).sum() < len(labels)][
        : len(SERIES)
    ]


def _by_epoch(rows: Sequence[Mapping[str, float]], name: str) -> Curve:
    points = [
        (row.get("epoch", at), row[name]) for at, row in enumerate(rows, start=1) if row.get(name) is not None
    ]
    x, y = (np.array([float(point[axis]) for point in points]) for axis in (0, 1))
    return Curve(name.replace("_", " "), x, y)


def _thinned(points: int) -> NDArray[np.int64]:
    """Indices that keep the ends and at most `MAX_POINTS` between."""
    return np.unique(np.linspace(0, points - 1, min(points, MAX_POINTS)).astype(np.int64))


def _short(name: str) -> str:
    """At most 18 characters. Dollars are escaped, because matplotlib reads them as formulae."""
    name = name if len(name) <= 18 else f"{name[:17]}…"
    return name.replace("$", r"\$")
