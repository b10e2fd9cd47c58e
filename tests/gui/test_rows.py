"""Rows of photos: full width, in order, found by bisection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.gui.views.rows import Rows, Span, lay_out

GAP = 6


def sides(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Left and right edge of each photo."""
    boxes = [rows.box(place) for place in range(int(rows.first[-1]))]
    return np.array([box.x for box in boxes]), np.array([box.x + box.width for box in boxes])


def overlap(rows: Rows) -> bool:
    """Does any photo lie on the one before?"""
    left, right = sides(rows)
    row = np.array([rows.row_of(place) for place in range(len(left))])
    beside = row[:-1] == row[1:]
    return bool((left[1:][beside] < right[:-1][beside] + GAP).any())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.1, 9.0), min_size=1, max_size=80),
    st.integers(200, 2000),
    st.integers(64, 512),
    st.integers(0, 80),
)
def test_rows_are_full_and_every_photo_is_found_where_it_lies(
    aspects: list[float], width: int, height: int, cut: int
) -> None:
    count = len(aspects)
    cut = min(cut, count)
    spans = (Span(0, cut), Span(cut, cut), Span(cut, count))  # the second is folded
    rows = lay_out(np.array(aspects), width, height, GAP, spans, 40)
    assert (rows.first[0], rows.first[-1]) == (0, count)
    assert (np.diff(rows.first) > 0).all()
    assert cut in rows.first.tolist()  # no row holds photos of two sections
    assert (sides(rows)[1] <= width + 1).all()
    assert (rows.height <= 1.5 * height + 1).all()
    assert not overlap(rows)
    assert (rows.top[1:] >= rows.top[:-1] + rows.height[:-1] + GAP).all()
    assert len(rows.headers) == 3
    for place in range(count):
        box = rows.box(place)
        x, y = box.x + box.width // 2, box.y + box.height // 2
        assert rows.at(x, y) == rows.nearest(x, y) == place
        assert place in rows.places(y, y + 1)
    assert rows.places(-100, 0) == range(0)
    assert rows.places(0, rows.total + 1) == range(count)


def test_rows_come_close_to_the_height_that_is_asked_for() -> None:
    random = np.random.default_rng(0)
    aspects = random.choice([0.67, 0.75, 1.0, 1.33, 1.5, 1.78], 5000)
    rows = lay_out(aspects, 1300, 160, GAP)
    assert abs(np.median(rows.height) - 160) < 10
    assert np.percentile(rows.height, 95) < 200
    inner = sides(rows)[1][rows.first[1:-1] - 1]
    assert (inner == 1300).mean() > 0.99


def test_photos_have_their_shape_but_for_extremes() -> None:
    rows = lay_out(np.array([1.5, 0.75, 30.0, 0.01]), 1000, 160, GAP)
    box = rows.box(0)
    assert box.width / box.height == pytest.approx(1.5, rel=0.02)
    wide, narrow = rows.box(2), rows.box(3)
    assert wide.width / wide.height == pytest.approx(3.0, rel=0.02)
    assert narrow.width / narrow.height == pytest.approx(0.5, rel=0.03)


def test_nothing_is_laid_out_of_nothing() -> None:
    rows = lay_out(np.empty(0), 500, 160, GAP)
    assert (rows.total, rows.places(0, 100), rows.at(3, 3)) == (0, range(0), None)
    rows = lay_out(np.empty(0), 500, 160, GAP, (Span(0, 0), Span(0, 0)), 40)
    assert (rows.total, rows.headers) == (80, (0, 40))
