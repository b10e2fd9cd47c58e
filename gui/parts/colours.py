"""Colours of labels and of states, in light and in dark."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtGui import QColor, QPalette

# Okabe and Ito's set for the colour-blind (https://jfly.uni-koeln.de/color/), its black and yellow left out.
# Then Tol's muted set (https://personal.sron.nl/~pault/), so that twelve classes differ.
LABELS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"),
    *("#332288", "#882255", "#999933", "#44aa99", "#661100", "#ddcc77"),
)
UNSURE = "#8a8a8a"
FAILED = "#b3261e"


def label_colour(code: int, classes: int) -> QColor:
    """Of a label: a class, `unsure` (the code after the classes), or -1 for a failed file."""
    if code < 0:
        return QColor(FAILED)
    return QColor(UNSURE if code >= classes else LABELS[code % len(LABELS)])


def luminance(colour: QColor) -> float:
    """Relative luminance, 0 to 1, as in WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(value) for value in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def text_on(background: QColor) -> QColor:
    """White or black, whichever is easier to read there."""
    return QColor("white" if luminance(background) < 0.179 else "black")


def muted(palette: QPalette) -> QColor:
    """For text that matters less: three parts text, one part background."""
    return QColor(
        _mixed(palette.color(QPalette.ColorRole.Text).rgb(), palette.color(QPalette.ColorRole.Base).rgb())
    )


@lru_cache(maxsize=8)
def _mixed(text: int, base: int) -> int:
    parts = zip(_parts(QColor(text)), _parts(QColor(base)), strict=True)
    return QColor.fromRgbF(*(0.72 * a + 0.28 * b for a, b in parts)).rgb()


def _parts(colour: QColor) -> tuple[float, float, float]:
    return colour.redF(), colour.greenF(), colour.blueF()
