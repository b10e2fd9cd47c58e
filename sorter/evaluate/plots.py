"""Plots for a page: SVG to put into HTML, in the colours of the page, which may be light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sorter.evaluate.metrics import Calibration, Metrics

# Drawn in these, and then replaced by the page's own colours: `style.css` defines them for light and for dark.
INK, SOFT, LINE, PAPER = "#010101", "#010102", "#010103", "#010104"
SERIES = tuple(f"#01020{number}" for number in range(1, 9))
VARIABLES = {INK: "--ink", SOFT: "--soft", LINE: "--line", PAPER: "--paper"} | {
    colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)
}
MOST_CELLS = 30  # classes that a confusion matrix can show
MOST_NUMBERS = 15  # classes with counts in its cells
MOST_CURVES = 12  # of one class each
MOST_POINTS = 400  # of a curve: more than a screen can show
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text, in the page's font
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "lines.linewidth": 1.6,
}


@dataclass(frozen=True)
class Curve:
    """A line: `x` and `y`, (n,) each."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]


class _Plot:
    """One figure with one pair of axes; `svg` is what comes out of it."""

    def __init__(self, title: str, width: float = 4.4, height: float = 3.2) -> None:
        import matplotlib
        from matplotlib.figure import Figure

        self._title = title
        with matplotlib.rc_context(STYLE):  # not pyplot: that keeps state, and wants a display
            self._figure = Figure(figsize=(width, height), layout="constrained")
            self.axes: Axes = self._figure.add_subplot()

    def svg(self) -> Markup:
        import matplotlib

        out = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        with matplotlib.rc_context({**STYLE, "svg.hashsalt": self._title}):  # the same bytes every time
            self._figure.savefig(out, format="svg", transparent=True, metadata=nothing)
        return _embed(out.getvalue(), self._title)


def _embed(document: str, title: str) -> Markup:
    """An SVG document -> an element for an HTML page."""
    svg = document[document.index("<svg") :]
    head, rest = svg.split(">", 1)
    box = re.search(r'viewBox="[^"]+"', head)
    assert box is not None
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', rest))
    rest = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in used else "", rest)
    rest = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", rest, flags=re.DOTALL)
    for colour, variable in VARIABLES.items():
        rest = rest.replace(colour, f"var({variable})")
    # Matplotlib names its own fonts in every label; without them the page's font is inherited.
    rest = re.sub(r"font: (?:[\w ]+ )?([\d.]+)px [^;\"]+", r"font-size: \1px", rest)
    return Markup(f'<svg role="img" aria-label="{escape(title)}" {box[0]}>{rest}')


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
    """Lines on one pair of axes.

    Args:
        unit: both axes go from 0 to 1.
        diagonal: the name of a line from corner to corner to compare with.
        mark: a name and where on x a vertical line stands.
        legend: where matplotlib puts it.
    """
    plot = _Plot(title)
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
        _legend(axes, legend)
    return plot.svg()


def confusion(metrics: Metrics) -> Markup | None:
    """Labels down, predictions across, shaded by the share of the label; None for more classes than one can read."""
    k = len(metrics.classes)
    if k > MOST_CELLS:
        return None
    matrix = np.array(metrics.confusion)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = max(4.4, 2.6 + 0.3 * k)
    plot = _Plot("Confusion matrix", side, side * 0.73)
    axes = plot.axes
    from matplotlib.patches import Rectangle

    for row in range(k):
        for column in range(k):
            colour = SERIES[0] if row == column else SERIES[1]
            alpha = 0.6 * float(shares[row, column])
            cell = Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, alpha=alpha, edgecolor="none")
            axes.add_patch(cell)
            if k <= MOST_NUMBERS and matrix[row, column]:
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
    axes.tick_params(length=0, labelsize=9 if k <= MOST_NUMBERS else 7)
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
    """Precision over recall, likewise."""
    from sklearn.metrics import precision_recall_curve

    lines = []
    for at, name in _one_against_rest(labels, metrics):
        precision, recall, _ = precision_recall_curve(labels == at, probabilities[:, at])
        lines.append(Curve(name, recall[::-1], precision[::-1]))
    return (
        curves("Precision-recall curve", lines, "recall", "precision", legend="lower left") if lines else None
    )


def reliability(found: Calibration, of: str) -> Markup:
    """What came true over what was said; circles grow with the number of photos."""
    plot = _Plot("Reliability diagram")
    axes = plot.axes
    axes.plot([0, 1], [0, 1], color=SOFT, linestyle=":", linewidth=1, label="perfectly calibrated")
    sizes = 12 + 160 * found.photos / found.photos.max()
    axes.plot(found.said, found.true, color=SERIES[0], linewidth=1)
    axes.scatter(found.said, found.true, s=sizes, color=SERIES[0], alpha=0.7, linewidths=0, label="photos")
    axes.set(
        xlim=(-0.04, 1.04),
        ylim=(-0.04, 1.04),
        xlabel=f"probability said, of {of}",
        ylabel="share that came true",
    )
    _legend(axes, "upper left", markerscale=0.6)
    return plot.svg()


def thresholds(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64], metrics: Metrics
) -> Markup | None:
    """What another threshold would do: to precision, recall and F1; for more than two classes, to the share of
    photos that are at least so sure, and to the accuracy among them."""
    tried = np.linspace(0, 1, 201)
    if metrics.positive is None:
        sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        taken = sure >= tried[:, None]
        counts = taken.sum(axis=1)
        accuracy = np.divide((taken & right).sum(axis=1), counts, where=counts > 0, out=np.full(201, np.nan))
        lines = [
            Curve("accuracy among them", tried, accuracy),
            Curve("share of photos", tried, counts / len(labels)),
        ]
        return curves(
            "Threshold curve", lines, "least probability of the chosen class", "share", legend="lower left"
        )
    at = metrics.classes.index(metrics.positive)
    true = labels == at
    if not true.any():
        return None
    said = probabilities[:, at] >= tried[:, None]
    hits, taken = (said & true).sum(axis=1), said.sum(axis=1)
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
    """Shares that were counted already, drawn as steps.

    Args:
        shares: name -> share in each bin (bins,).
        edges: of the bins (bins + 1,).
        log: x is logarithmic.
        colours: of each name, by number in `SERIES`.
    """
    plot = _Plot(title)
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
        _legend(axes, "best")
    return plot.svg()


def _legend(axes: Axes, place: str, **more: Any) -> None:
    axes.legend(
        loc=place, fontsize=8, labelcolor=INK, facecolor=PAPER, edgecolor="none", framealpha=0.8, **more
    )


def _one_against_rest(labels: NDArray[np.int64], metrics: Metrics) -> list[tuple[int, str]]:
    """The classes that a curve can be drawn for, and its name; the first of them."""
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
    """Indices that keep the ends and at most `MOST_POINTS` between."""
    return np.unique(np.linspace(0, points - 1, min(points, MOST_POINTS)).astype(np.int64))


def _short(name: str) -> str:
    """Long enough to tell classes apart; matplotlib reads dollars as formulae."""
    name = name if len(name) <= 18 else f"{name[:17]}…"
    return name.replace("$", r"\$")
