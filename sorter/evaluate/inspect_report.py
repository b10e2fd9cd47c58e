"""The report of `sorter inspect`: inspection.json and report.html."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.evaluate import plots
from sorter.evaluate.photo_statistics import LEVELS, Totals
from sorter.files import atomic_text
from sorter.photos.dataset import Example
from sorter.reports.cards import Sheet, Subject, Thumbnails, make_cards, photo_count
from sorter.reports.page import write_page
from sorter.types import SorterError

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

    from sorter.evaluate.inspect import Inspection

DATA, PAGE = "inspection.json", "report.html"
FILES = (DATA, PAGE)
BINS = 40
MAX_SAMPLES = 8  # photos of each class on the page
MAX_CARDS = 96  # photos on the page


def write_inspection(
    out: Path, found: Inspection, examples: Sequence[Example], totals: Totals, thumbnails: Thumbnails
) -> None:
    """Write inspection.json and report.html into a folder, which is made if need be.

    Raises:
        SorterError: the folder cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with atomic_text(out / DATA) as file:
            json.dump(found.to_json(), file, indent=2, allow_nan=False)
            file.write("\n")
    except OSError as error:
        raise SorterError(
            f"{error.filename or out}: {error.strerror or error}; name another folder for the report"
        ) from error
    counts = {name: sum(part[name] for part in found.photos.values()) for name in found.classes}
    context = {
        "found": found,
        "counts": counts,
        "most": max(*counts.values(), 1),
        "spreads": [
            ("Width, px", found.width, "{:,.0f}"),
            ("Height, px", found.height, "{:,.0f}"),
            ("Width / height", found.aspect, "{:.2f}"),
            ("Brightness, 0 to 1", found.brightness, "{:.2f}"),
        ],
        "plots": _plots(totals) if found.total else [],
        "sheets": _samples(found, counts, examples, totals, thumbnails),
    }
    write_page(out / PAGE, "inspect.html", context)


def _samples(
    found: Inspection,
    counts: dict[str, int],
    examples: Sequence[Example],
    totals: Totals,
    thumbnails: Thumbnails,
) -> list[Sheet]:
    """Some photos of each class, drawn at random with a fixed seed."""
    random = np.random.default_rng(0)
    labels = np.array([examples[number].label for number in totals.numbers], dtype=np.int64)
    each = max(1, min(MAX_SAMPLES, MAX_CARDS // len(found.classes)))
    sheets = []
    for label, name in enumerate(found.classes[:MAX_CARDS]):
        members = np.flatnonzero(labels == label)
        drawn = np.sort(random.choice(members, min(each, len(members)), replace=False))
        subjects = [
            Subject(examples[totals.numbers[at]].photo, f"{totals.widths[at]} x {totals.heights[at]}")
            for at in drawn
        ]
        sheets.append(Sheet(name, photo_count(counts[name]), make_cards(subjects, thumbnails)))
    return sheets


def _plots(totals: Totals) -> list[tuple[str, Markup, str]]:
    """Each plot with its name and caption."""
    width, height = np.array(totals.widths, dtype=np.float64), np.array(totals.heights, dtype=np.float64)
    sizes, aspects = np.sqrt(width * height), width / height
    brightness = np.array(totals.brightness, dtype=np.float64)
    n = len(width)
    size_edges = np.geomspace(max(1.0, sizes.min() * 0.9), sizes.max() * 1.1, BINS + 1)
    # The axis reaches as far to either side of a square.
    most = max(2.0, float(np.exp(np.abs(np.log(aspects)).max())) * 1.05)
    aspect_edges = np.geomspace(1 / most, most, BINS + 1)
    unit = np.linspace(0, 1, BINS + 1)
    levels = dict(zip(("red", "green", "blue"), totals.levels.reshape(3, LEVELS) / n, strict=True))
    return [
        (
            "Size",
            plots.histogram(
                "Size",
                {"all": _shares(sizes, size_edges)},
                size_edges,
                "side of a square of as many pixels",
                log=True,
            ),
            "Photos smaller than a model's input (often 224 pixels) are enlarged.",
        ),
        (
            "Aspect",
            plots.histogram(
                "Aspect", {"all": _shares(aspects, aspect_edges)}, aspect_edges, "width / height", log=True
            ),
            "Portrait photos are left of 1, landscape photos right of it.",
        ),
        (
            "Brightness",
            plots.histogram(
                "Brightness", {"all": _shares(brightness, unit)}, unit, "mean luma of a photo, 0 to 1"
            ),
            "A photo near 0 is black. A photo near 1 is white.",
        ),
        (
            "Intensity of each channel",
            plots.histogram(
                "Intensity of each channel",
                levels,
                np.linspace(0, 256, LEVELS + 1),
                "intensity, 0 to 255",
                y="share of pixels",
                colours=(5, 2, 0),
            ),
            "Every photo counts the same. Peaks at the ends are clipped shadows and highlights.",
        ),
    ]


def _shares(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.histogram(values, edges)[0] / max(len(values), 1)
