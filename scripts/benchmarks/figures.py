"""Sum up rounds of a measurement, and print them as Markdown tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from benchmarks.process import Peak

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        return cls(tuple(values))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self, unit: str = "") -> str:
        """The median, and the least and most behind it where there were several."""
        middle = f"{figure(self.median)}{unit}"
        if len(self.values) == 1:
            return middle
        return f"{middle} ({figure(min(self.values))}–{figure(max(self.values))})"

    def to_json(self) -> dict[str, Any]:
        return {
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "rounds": len(self.values),
        }


def ratios(first: Spread, second: Spread) -> Spread:
    """First over second, round by round. What slows the machine down for a while slows down both."""
    return Spread.of(a / b for a, b in zip(first.values, second.values, strict=True))


def ratios_of(theirs: Sequence[T], mine: Sequence[T], measure: Callable[[T], float]) -> Spread:
    """One measure of their runs over the same of ours, round by round."""
    return ratios(Spread.of(map(measure, theirs)), Spread.of(map(measure, mine)))


def figure(value: float) -> str:
    """Three digits. Timings do not carry a fourth."""
    if value == 0:
        return "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def mebibytes(size: float) -> str:
    return f"{figure(size / 2**20)} MiB"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left and the others to the right."""
    marks = [":--", *["--:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, marks, *rows))


def memory_table(peaks: Sequence[Peak], *, anonymous: bool = True, seconds: bool = False) -> str:
    """Peak memory for each number of photos, and its ratio to the first row's.

    Args:
        anonymous: show the memory without mapped files, too.
        seconds: show how long the runs took, too.
    """
    if not peaks:
        return ""
    base = peaks[0]
    header = ["peak memory of all processes (PSS)", "all" if anonymous else "peak", "ratio"]
    header += ["without mapped files", "ratio"] * anonymous + ["took"] * seconds
    rows = []
    for peak in peaks:
        row = [f"{peak.n:,} photos", mebibytes(peak.total), f"{peak.total / base.total:.3f}"]
        if anonymous:
            row += [mebibytes(peak.anonymous), f"{peak.anonymous / max(base.anonymous, 1):.3f}"]
        if seconds:
            row.append(f"{figure(peak.seconds)} s")
        rows.append(row)
    return table(header, rows)


def joined(blocks: Iterable[str]) -> str:
    """Paragraphs and tables as one text. Empty ones are left out."""
    return "\n\n".join(block for block in blocks if block) + "\n"
