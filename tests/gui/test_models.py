"""What the grid shows and in which order, without a window."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage

from sorter.gui.parts.class_keys import class_keys
from sorter.gui.parts.colours import label_colour, text_on
from sorter.gui.parts.details import camera_text
from sorter.gui.parts.histogram import threshold_of, with_threshold
from sorter.gui.parts.models import (
    Counts,
    Filters,
    Names,
    Order,
    ReviewState,
    arranged,
    passing,
)
from sorter.gui.parts.photo_model import CELL, PhotoModel
from sorter.gui.parts.thumbnails import Store
from sorter.model.rule import Rule
from sorter.sort.table import Table
from sorter.types import Failure, Reason

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
NAN = float("nan")


def make_table(
    probability: list[float], corrected: list[int] | None = None, names: list[str] | None = None
) -> Table:
    """Photos of red (0) and blue (1); NaN for a file that failed."""
    count = len(probability)
    zeros = np.zeros(count, np.int64)
    values = np.array(probability)
    failed = np.isnan(values)
    return Table(
        out=Path("/out"),
        labels=("red", "blue", "unsure"),
        rule=Rule(("red", "blue"), "red", 0.5),
        id=np.arange(1, count + 1),
        probability=values,
        likeliest=np.full(count, -1, np.int16),
        filed=np.full(count, -1, np.int16),
        corrected=np.array(corrected or [-1] * count, np.int16),
        size=zeros + 100,
        mtime_ns=np.arange(count, dtype=np.int64) * 10**9,
        width=zeros.astype(np.int32),
        height=zeros.astype(np.int32),
        failed=failed,
        source=[f"/in/{name}".encode() for name in names or [f"{number}.jpg" for number in range(count)]],
        destination=[None] * count,
        failures={int(row): Failure(Reason.CORRUPT, "damaged") for row in np.flatnonzero(failed)},
    )


def rows(model: PhotoModel) -> list[int]:
    return [model.row(place) for place in range(model.rowCount())]


def test_most_doubtful_first_and_the_failed_last() -> None:
    model = PhotoModel()
    model.show(make_table([0.95, 0.52, NAN, 0.1, 0.4]))
    assert rows(model) == [1, 4, 3, 0, 2]
    model.arrange(Order.HIGHEST)
    assert rows(model) == [0, 1, 4, 3, 2]
    model.arrange(Order.LOWEST)
    assert rows(model) == [3, 4, 1, 0, 2]
    model.arrange(Order.NEWEST)
    assert rows(model) == [4, 3, 2, 1, 0]


def test_names_are_in_natural_order_and_filter_whatever_their_case() -> None:
    table = make_table([0.5] * 5, names=["IMG_10.jpg", "img_9.JPG", "b.png", "a2.png", "A10.png"])
    names = Names.of(table)
    model = PhotoModel()
    model.show(table, names)
    model.arrange(Order.NAME)
    assert rows(model) == [3, 4, 2, 1, 0]
    model.filter(name="IMG")
    assert rows(model) == [1, 0]
    assert Names.of(make_table([])).lower == []


def test_names_that_come_later_sort_what_waits_for_them() -> None:
    table = make_table([0.5] * 3, names=["b", "a", "c"])
    model = PhotoModel()
    model.show(table)
    model.arrange(Order.NAME)
    assert rows(model) == [0, 1, 2]
    model.know_names(Names.of(table))
    assert rows(model) == [1, 0, 2]


def test_filters_hold_all_at_once() -> None:
    model = PhotoModel()
    table = make_table([0.9, 0.8, 0.2, 0.1, NAN], corrected=[1, 0, -1, -1, -1])
    model.show(table)
    model.arrange(Order.HIGHEST)
    for filters, expected in (
        ({}, [0, 1, 2, 3, 4]),
        ({"label": 0}, [1]),
        ({"label": 1}, [0, 2, 3]),
        ({"label": 1, "state": ReviewState.OPEN}, [2, 3]),
        ({"state": ReviewState.CORRECTED}, [0]),
        ({"state": ReviewState.CONFIRMED}, [1]),
        ({"low": 0.2, "high": 0.8}, [1, 2]),
        ({"failed": True}, [4]),
    ):
        model.filter(
            **{"label": None, "state": ReviewState.ANY, "low": 0.0, "high": 1.0, "failed": False} | filters
        )
        assert rows(model) == expected, filters
    assert Counts.of(table) == Counts((1, 3, 0), failed=1, skipped=0, reviewed=2, corrected=1, open=2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1) | st.just(NAN), max_size=30),
    st.sampled_from(Order),
    st.sampled_from(ReviewState),
    st.none() | st.integers(0, 2),
    st.data(),
)
def test_every_photo_is_in_exactly_its_tab(
    values: list[float], order: Order, state: ReviewState, label: int | None, data: st.DataObject
) -> None:
    corrected = [
        -1 if np.isnan(value) else data.draw(st.integers(-1, 1), label="corrected") for value in values
    ]
    table = make_table(values, corrected)
    assert sorted(arranged(table, order, Names.of(table))) == list(range(len(values)))
    shown = [int(passing(table, Filters(label=each), None).sum()) for each in range(3)]
    assert tuple(shown) == Counts.of(table).labels
    assert sum(shown) + int(table.failed.sum()) == len(values)
    model = PhotoModel()
    model.show(table, Names.of(table))
    model.arrange(order)
    model.filter(state=state, label=label)
    keep = passing(table, Filters(state=state, label=label), None)
    assert sorted(rows(model)) == np.flatnonzero(keep).tolist()


def test_what_is_shown_stays_where_a_correction_changes_no_order() -> None:
    table = make_table([0.9, 0.6, 0.2])
    model = PhotoModel()
    model.show(table)
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    table.corrected[1] = 1
    assert not model.refresh()
    assert not resets
    model.filter(label=0)
    assert rows(model) == [0]
    table.corrected[0] = 1
    assert model.refresh()
    assert rows(model) == []
    assert len(resets) == 2


def test_a_new_threshold_sorts_and_labels_anew() -> None:
    table = make_table([0.9, 0.6, 0.2])
    model = PhotoModel()
    model.show(table)
    assert rows(model)[0] == 1
    table.rule = with_threshold(table.rule, 0.88)
    assert model.refresh()
    assert rows(model)[0] == 0
    assert [model.cell(place).label for place in range(3)] == [0, 1, 1]


def test_a_cell_says_all_there_is_to_draw_and_to_read_out() -> None:
    model = PhotoModel()
    model.show(
        make_table(
            [0.91, 0.8, 0.2, NAN], corrected=[-1, 0, 0, -1], names=["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
        )
    )
    model.arrange(Order.HIGHEST)
    said = [model.index(place).data(Qt.ItemDataRole.AccessibleTextRole) for place in range(4)]
    assert said == [
        "a.jpg, red, 91 % sure",
        "b.jpg, red, confirmed",
        "c.jpg, changed to red",
        "d.jpg: The file is damaged",
    ]
    cell = model.index(2).data(CELL)
    assert (cell.label, cell.predicted, cell.reviewed) == (0, 1, True)
    assert model.index(0).data(Qt.ItemDataRole.ToolTipRole) == "/in/a.jpg"
    assert model.data(model.index(9)) is None
    assert model.rowCount(model.index(0)) == 0


def test_a_model_without_a_folder_is_empty() -> None:
    model = PhotoModel()
    assert model.rowCount() == 0
    assert model.ids([]) == []
    assert not model.refresh() or model.rowCount() == 0


def test_keys_are_numbers_and_letters_that_are_free() -> None:
    assert class_keys(("car", "not-car")) == {"1": 0, "2": 1, "c": 0, "n": 1}
    assert class_keys(("cat", "car", "c")) == {"1": 0, "2": 1, "3": 2, "c": 0, "a": 1}
    many = class_keys(tuple(f"class {number}" for number in range(12)))
    assert [many[str(number)] for number in range(1, 10)] == list(range(9))
    assert class_keys(("1st", "2nd")) == {"1": 0, "2": 1, "s": 0, "n": 1}


def test_the_handle_of_a_rule() -> None:
    two = Rule(("a", "b"), "a", 0.3, (0.4, 0.6))
    assert threshold_of(two) == 0.3
    assert with_threshold(two, 0.7) == Rule(("a", "b"), "a", 0.7, (0.4, 0.6))
    assert 0 < with_threshold(two, 0.0).threshold < with_threshold(two, 1.0).threshold < 1
    three = Rule(("a", "b", "c"), None, 0.5)
    assert threshold_of(three) == 0.0
    assert with_threshold(three, 0.6).unsure == (0.0, 0.6)
    assert with_threshold(with_threshold(three, 0.6), 0.0) == three


def test_camera_data_reads_as_a_line() -> None:
    exif = {
        0x010F: "Canon\0",
        0x0110: "Canon EOS 5D",
        0x829A: 0.008,
        0x829D: 1.8,
        0x8827: (200, 0),
        0x920A: 50.0,
        0x9003: "2019:05:04 12:00:30",
    }
    assert camera_text(exif) == "Canon EOS 5D · 50 mm · f/1.8 · 1/125 s · ISO 200 · 2019-05-04 12:00"
    assert camera_text({0x010F: "SONY", 0x0110: "ILCE-7", 0x829A: 2.0}) == "SONY ILCE-7 · 2 s"
    assert camera_text({}) == ""
    assert camera_text({0x010F: 5, 0x829A: 0, 0x829D: "x", 0x9003: "0000:00:00 00:00:00", 0x8827: ()}) == ""


@pytest.mark.parametrize("code", [-1, 0, 1, 2, 3, 4, 5, 6])
def test_text_on_every_label_can_be_read(code: int) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""

    def luminance(colour: QColor) -> float:
        parts = [
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            for value in colour.getRgbF()
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    background = label_colour(code, 6)
    bright, dark = sorted((luminance(background), luminance(text_on(background))), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_thumbnails_on_disk_are_bounded_and_outlive_the_app(tmp_path: Path) -> None:
    path = tmp_path / "thumbnails.db"
    store = Store(path, limit=400_000)
    assert store.get((b"a", 1, 2)) is None
    for number in range(60):
        store.put((f"{number}".encode(), 1, 2), bytes([number]) * 10_000)
    assert store.size() > 400_000
    store.close()
    again = Store(path, limit=400_000)
    assert again.size() <= 400_000
    kept = [number for number in range(60) if again.get((f"{number}".encode(), 1, 2))]
    assert kept
    assert kept[-1] == 59  # what is kept is the newest
    assert again.get((b"59", 1, 3)) is None  # another time of change, another picture
    again.close()
    assert again.get((b"59", 1, 2)) is None
    unwritable = tmp_path / "file"
    unwritable.write_text("no folder")
    none = Store(unwritable / "thumbnails.db")
    none.put((b"a", 1, 2), b"x")
    assert none.get((b"a", 1, 2)) is None
    none.close()


def test_images_keep_their_own_pixels() -> None:
    from sorter.gui.parts.thumbnails import to_image

    pixels = np.zeros((3, 5, 3), np.uint8)
    pixels[2, 4] = (10, 20, 30)
    image = to_image(pixels)
    pixels[:] = 255
    assert isinstance(image, QImage)
    assert (image.width(), image.height()) == (5, 3)
    assert image.pixelColor(4, 2).getRgb()[:3] == (10, 20, 30)
    assert image.pixelColor(0, 0).getRgb()[:3] == (0, 0, 0)
