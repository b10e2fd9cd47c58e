"""The curves of `benchmark.py few`: how good a model is by the number of photos it learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS = 4
SIZE = (10.5, 5.2)  # inches
COLOURS = ("#9aa0a6", "#d9822b", "#1f6feb")
STYLE = {
    "font.size": 8,
    "svg.hashsalt": "few",
    "svg.fonttype": "none",
}  # the same figures give the same bytes


@dataclass(frozen=True)
class Curve:
    """One way to learn, on one set.

    Attributes:
        accuracy: in per cent, by the photos of each class that were learned from.
    """

    way: str
    accuracy: Mapping[int, float]


def draw_curves(sets: Mapping[str, Sequence[Curve]], target: Path) -> None:
    """Write an SVG with one field for each set, by its name. Every set has the same ways, at most three."""
    import matplotlib
    from matplotlib.figure import Figure

    rows = -(-len(sets) // COLUMNS)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(SIZE[0], SIZE[1] * rows / 2), layout="constrained")
        fields = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for axes, (name, curves) in zip(fields, sets.items(), strict=False):
            for curve, colour in zip(curves, COLOURS, strict=False):
                counts = sorted(curve.accuracy)
                axes.plot(
                    counts, [curve.accuracy[n] for n in counts], "o-", ms=3, color=colour, label=curve.way
                )
            ticks = sorted({n for curve in curves for n in curve.accuracy})
            axes.set_xscale("log")
            axes.set_xticks(ticks, [str(n) for n in ticks])
            axes.minorticks_off()
            axes.set_title(name, fontsize=9)
            axes.grid(alpha=0.3)
        for axes in fields[len(sets) :]:
            axes.set_axis_off()
        figure.supxlabel("photos of each class")
        figure.supylabel("balanced accuracy, %")
        handles, labels = fields[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower right", frameon=False)
        figure.savefig(target, format="svg", metadata={"Date": None})
