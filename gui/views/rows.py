"""Rows of photos of one height and full width, as arrays. Where any of 100,000 photos lies is found by bisection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NARROWEST, WIDEST = 0.5, 3.0  # width by height of a photo's place; beyond these the photo leaves room in it
TALLEST = 1.5  # of a row, by the height that is asked for


@dataclass(frozen=True, slots=True)
class Span:
    """Photos that lie together under one header.

    Attributes:
        start: the place of the first. So `stop`, after the last. They are equal where none is laid out.
    """

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Box:
    """Where something lies, pixels from the top left of everything."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Rows:
    """Photos laid out.

    Attributes:
        first: int64, shape (rows + 1,): the place of the first photo of each row, and the number of photos.
        top: int64, shape (rows,): pixels from the top.
        height: int64, shape (rows,): pixels.
        scale: float64, shape (rows,): pixels of width for each part of a photo's aspect.
        sums: float64, shape (photos + 1,): aspects of all photos before each.
        gap: between photos, pixels.
        headers: pixels from the top, of each span's header.
        total: height of everything, pixels.
    """

    first: NDArray[np.int64]
    top: NDArray[np.int64]
    height: NDArray[np.int64]
    scale: NDArray[np.float64]
    sums: NDArray[np.float64]
    gap: int
    headers: tuple[int, ...]
    total: int

    def row_of(self, place: int) -> int:
        return int(self.first.searchsorted(place, "right")) - 1

    def box(self, place: int) -> Box:
        row = self.row_of(place)
        left = self._edge(row, place, place)
        return Box(left, int(self.top[row]), self._edge(row, place + 1, place) - left, int(self.height[row]))

    def _edge(self, row: int, upto: int, place: int) -> int:
        """Pixels from the left: all aspects up to a place, and the gaps before one."""
        first = int(self.first[row])
        return round(float((self.sums[upto] - self.sums[first]) * self.scale[row])) + self.gap * (
            place - first
        )

    def places(self, top: int, bottom: int) -> range:
        """Of the photos that lie between two heights, at least in part."""
        first = int((self.top + self.height).searchsorted(top, "right"))
        last = int(self.top.searchsorted(bottom, "left"))
        return range(int(self.first[first]), int(self.first[max(first, last)]))

    def at(self, x: int, y: int) -> int | None:
        """The place of the photo at a point."""
        for place in self.places(y, y + 1):
            box = self.box(place)
            if box.x <= x < box.x + box.width:
                return place
        return None

    def middle(self, place: int) -> int:
        """Pixels from the left, of a photo's middle."""
        box = self.box(place)
        return box.x + box.width // 2

    def nearest(self, x: int, y: int) -> int:
        """The place of the photo nearest to a point. There must be photos."""
        row = min(max(0, int(self.top.searchsorted(y, "right")) - 1), len(self.top) - 1)
        below = row + 1
        if below < len(self.top) and y - (self.top[row] + self.height[row]) > self.top[below] - y:
            row = below
        return self.nearest_in(row, x)

    def nearest_in(self, row: int, x: int) -> int:
        """The place of the photo of a row that is nearest to a distance from the left."""
        places = range(int(self.first[row]), int(self.first[row + 1]))
        return min(places, key=lambda place: abs(self.middle(place) - x))


def lay_out(
    aspects: NDArray[np.float64],
    width: int,
    height: int,
    gap: int,
    spans: Sequence[Span] = (),
    header: int = 0,
) -> Rows:
    """Break photos into rows of nearly the height that is asked for, each as wide as there is room.

    A row takes the photos whose middle still lies within it. Then it is scaled to the full width, the last one of a
    span excepted.

    Args:
        aspects: width by height of each photo, shape (n,).
        width: of all, pixels.
        height: that a row should have, pixels.
        gap: between photos and between rows, pixels.
        spans: one after the other, of all photos; none for no headers.
        header: height of a span's header, pixels.
    """
    aspects = np.clip(aspects, NARROWEST, WIDEST)
    ends = np.concatenate([[0.0], np.cumsum(aspects * height + gap)])
    following = np.searchsorted((ends[:-1] + ends[1:]) / 2, ends[:-1] + width, "right")
    after = np.maximum(following, np.arange(1, len(aspects) + 1)).tolist()
    starts: list[int] = []  # of rows
    begun: list[int] = []  # rows before each span
    for span in spans or (Span(0, len(aspects)),):
        begun.append(len(starts))
        at = span.start
        while at < span.stop:
            starts.append(at)
            at = after[at]
    first = np.array([*starts, len(aspects)], np.int64)
    exact = _heights(first, aspects, width, height, gap, np.array([*begun[1:], len(starts)]) - 1)
    headers_before = np.searchsorted(begun, np.arange(len(starts)), "right") if spans else 0
    heights = np.maximum(1, np.round(exact)).astype(np.int64)
    steps = heights + gap
    top = np.cumsum(steps) - steps + headers_before * header
    above = np.concatenate([[0], np.cumsum(steps)])
    headers = tuple(int(above[rows]) + number * header for number, rows in enumerate(begun)) if spans else ()
    sums = np.concatenate([[0.0], np.cumsum(aspects)])
    total = int(above[-1]) + len(headers) * header
    return Rows(first, top, heights, exact, sums, gap, headers, total)


def _heights(
    first: NDArray[np.int64],
    aspects: NDArray[np.float64],
    width: int,
    height: int,
    gap: int,
    last: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The height at which each row is as wide as there is room. Not beyond what is asked for in the last of a span."""
    if len(first) == 1:
        return np.empty(0)
    sums = np.add.reduceat(aspects, first[:-1])
    exact = (width - gap * (np.diff(first) - 1)) / sums
    exact = np.clip(exact, 1, TALLEST * height)
    last = last[last >= 0]
    exact[last] = np.minimum(exact[last], height)
    return exact
