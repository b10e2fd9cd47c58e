"""Colours of labels and of states, in light and in dark."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

# Okabe and Ito's set for the colour-blind (https://jfly.uni-koeln.de/color/), its black and yellow left out.
LABELS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
UNSURE = "#8a8a8a"
FAILED = "#b3261e"


def label_colour(code: int, classes: int) -> QColor:
    """Of a label: a class, `unsure` (the code after the classes), or -1 for a failed file."""
    if code < 0:
        return QColor(FAILED)
    return QColor(UNSURE if code >= classes else LABELS[code % len(LABELS)])


def text_on(background: QColor) -> QColor:
    """White or black, whichever is easier to read there: relative luminance as in WCAG 2.2."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(value) for value in background.getRgbF()[:3])
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return QColor("white" if luminance < 0.179 else "black")


def muted(palette: QPalette) -> QColor:
    """For text that matters less: three parts text, one part background."""
    text, base = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base)
    mixed = [0.72 * a + 0.28 * b for a, b in zip(text.getRgbF()[:3], base.getRgbF()[:3], strict=True)]
    return QColor.fromRgbF(*mixed)
