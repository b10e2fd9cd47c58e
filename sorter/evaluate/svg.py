"""A matplotlib figure as SVG inside an HTML page, in the page's colours, light or dark."""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Placeholders. The page's own colours replace them; `style.css` defines those for light and for dark.
INK, SOFT, LINE, PAPER = "#010101", "#010102", "#010103", "#010104"
SERIES = tuple(f"#01020{number}" for number in range(1, 9))
VARIABLES = {INK: "--ink", SOFT: "--soft", LINE: "--line", PAPER: "--paper"} | {
    colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)
}
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


class SvgPlot:
    """One figure with one pair of axes."""

    def __init__(self, title: str, width: float = 4.4, height: float = 3.2) -> None:
        # Where it has no cache folder it makes a temporary one, which nobody needs to be told.
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
        import matplotlib
        from matplotlib.figure import Figure

        self._title = title
        with matplotlib.rc_context(STYLE):  # pyplot would keep state and need a display
            self._figure = Figure(figsize=(width, height), layout="constrained")
            self.axes: Axes = self._figure.add_subplot()

    def legend(self, place: str, **more: Any) -> None:
        """Explain the lines; `place` is matplotlib's name for where."""
        self.axes.legend(
            loc=place, fontsize=8, labelcolor=INK, facecolor=PAPER, edgecolor="none", framealpha=0.8, **more
        )

    def svg(self) -> Markup:
        """The figure as an element for a page."""
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
    # Matplotlib names its own fonts in every label. Without them labels inherit the page's font.
    rest = re.sub(r"font: (?:[\w ]+ )?([\d.]+)px [^;\"]+", r"font-size: \1px", rest)
    return Markup(f'<svg role="img" aria-label="{escape(title)}" {box[0]}>{rest}')
