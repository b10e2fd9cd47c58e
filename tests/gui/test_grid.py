"""The grid of the review: sections, stacks, hovering, dragging, thumbnails that are sharp."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QLocale, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QImage
from pytestqt.qtbot import QtBot
from support.opened import opened
from support.photos import RED, make_photo
from support.sorted_folder import make_output

from sorter.gui.pages.review import ReviewPage
from sorter.gui.parts.entries import ASIDE
from sorter.gui.parts.grid import PHOTOS
from sorter.gui.parts.models import Order
from sorter.gui.parts.thumbnails import SIDES, Store, Thumbnails
from sorter.gui.settings import Settings
from sorter.gui.views.bursts import Bursts, close_in_time, find_bursts, read_shots
from sorter.gui.views.headers import SectionHeader
from sorter.gui.views.sections import listed
from sorter.gui.worker import Jobs
from sorter.sort.review import Review
from sorter.sort.table import Table, read_table

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 60_000  # ms
Key = Qt.Key
Shift, Control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> Iterator[ReviewPage]:
    page = ReviewPage(jobs, Settings(tmp_path / "settings.ini"), store=Store(tmp_path / "thumbnails.db"))
    page.resize(1500, 1200)
    qtbot.addWidget(page)
    page.show()
    yield page
    page.close_folder()


def shown(page: ReviewPage) -> list[int]:
    """Ids of the photos in the grid, each on its own."""
    table, rows = page.grid.photos.table, page.grid.photos.listing.rows
    return [] if table is None else table.id[rows].tolist()


def said(out: Path) -> dict[int, str | None]:
    with closing(Review.open(out)) as review:
        return {photo.id: photo.corrected for photo in review.photos() if photo.corrected}


def headers(page: ReviewPage) -> list[str]:
    return [header.fold.text() for header in page.grid.headers]


def header(page: ReviewPage, title: str) -> SectionHeader:
    (found,) = [each for each in page.grid.headers if each.fold.text().startswith(title)]
    return found


def stack(page: ReviewPage, *groups: tuple[int, ...]) -> None:
    """Say that the photos of these ids are bursts."""
    table = page.grid.photos.table
    assert table is not None
    number = np.full(len(table), -1, np.int64)
    for burst, ids in enumerate(groups):
        number[table.id.searchsorted(ids)] = burst
    page.grid.photos.know_bursts(Bursts(number), None)


# -- sections ------------------------------------------------------------------------------------------------------


def test_sections_by_certainty_are_each_confirmed_in_one_step(
    qtbot: QtBot, review: ReviewPage, out: Path
) -> None:
    assert headers(review) == [
        "Least certain – 2 photos",
        "Fairly certain – 2 photos",
        "Certain – 1 photo",
        "Couldn't be read – 1 photo",
    ]
    confirm = header(review, "Least").confirm
    assert (confirm.text(), confirm.accessibleName()) == (
        "Confirm these 2",
        "Confirm these 2: Least certain",
    )
    qtbot.mouseClick(confirm, LEFT)
    assert said(out) == {4: "red", 5: "blue"}
    assert review.notice.text.text() == "2 photos confirmed."
    assert not header(review, "Least").confirm.isVisibleTo(review)  # nothing is left to confirm
    assert not header(review, "Couldn't").confirm.isVisibleTo(review)
    assert header(review, "Certain").confirm.text() == "Confirm this one"
    review.commands.undo.trigger()  # at once
    assert said(out) == {}


def test_a_folded_section_is_neither_shown_nor_selected(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    qtbot.mouseClick(header(review, "Fairly").fold, LEFT)
    assert shown(review) == [4, 5, 1, 6]
    assert header(review, "Fairly").fold.text() == "Fairly certain – 2 photos"
    review.grid.selectAll()
    qtbot.keyClick(review.grid, "2")
    assert set(said(out)) == {4, 5, 1}  # nobody saw 2 and 3
    qtbot.mouseClick(header(review, "Fairly").confirm, LEFT)  # it says how many, folded or not
    assert said(out)[2] == "red"
    for title in ("Least", "Certain", "Couldn't"):
        qtbot.mouseClick(header(review, title).fold, LEFT)
    assert shown(review) == []
    assert len(headers(review)) == 4  # to open them again
    qtbot.keyClick(review.grid, "2")  # about nothing
    qtbot.mouseClick(header(review, "Certain").fold, LEFT)
    assert shown(review) == [1]
    assert review.grid.current() == 0


def test_folding_by_the_keyboard(qtbot: QtBot, review: ReviewPage) -> None:
    fold = header(review, "Least").fold
    assert fold.focusPolicy() & Qt.FocusPolicy.TabFocus
    fold.setFocus()
    qtbot.keyClick(fold, Key.Key_Space)
    assert shown(review) == [2, 3, 1, 6]


def test_sections_by_class_follow_the_marks(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    review.filters.order.setCurrentIndex(review.filters.order.findData(Order.CLASS))
    assert headers(review) == ["red – 3 photos", "blue – 2 photos", "Couldn't be read – 1 photo"]
    assert shown(review) == [4, 2, 1, 5, 3, 6]
    qtbot.keyClick(review.grid, "2")
    assert headers(review)[:2] == ["red – 2 photos", "blue – 3 photos"]
    assert review.grid.current() == 0  # the next photo took its place


def test_sections_by_day(qtbot: QtBot, review: ReviewPage) -> None:
    assert review.review is not None
    review.review.table.mtime_ns[:] = 1_700_000_000_000_000_000
    review.review.table.mtime_ns[2] = 1_720_612_800_000_000_000
    review.filters.order.setCurrentIndex(review.filters.order.findData(Order.NEWEST))
    assert shown(review)[0] == 3
    dates = [QLocale().toString(QLocale().toDate(each.split(" – ")[0])) for each in headers(review)]
    assert len(dates) == 2
    assert headers(review)[0].endswith(" – 1 photo")
    review.filters.order.setCurrentIndex(review.filters.order.findData(Order.NAME))
    assert headers(review) == []


def test_a_selection_by_shift_goes_in_reading_order_over_headers(qtbot: QtBot, review: ReviewPage) -> None:
    review.grid.go_to(1)
    qtbot.keyClick(review.grid, Key.Key_Right, Shift)
    qtbot.keyClick(review.grid, Key.Key_Right, Shift)
    assert review.grid.selected() == [1, 2, 3]
    qtbot.keyClick(review.grid, Key.Key_Home)
    qtbot.keyClick(review.grid, Key.Key_Down)
    assert review.grid.current() == 2  # the one below, in the next section
    qtbot.keyClick(review.grid, Key.Key_Up)
    assert review.grid.current() == 0


# -- answers -------------------------------------------------------------------------------------------------------


def test_enter_confirms_nought_is_unsure_and_x_sets_aside(
    qtbot: QtBot, review: ReviewPage, out: Path
) -> None:
    qtbot.keyClick(review.grid, Key.Key_Return)
    qtbot.keyClick(review.grid, "0")
    assert said(out) == {4: "red", 5: "unsure"}
    assert review.grid.photos.cell(1).label == 2
    qtbot.keyClick(review.grid, Key.Key_X)
    assert shown(review) == [4, 5, 3, 1, 6]  # 2 is not among them
    review.sidebar.show_kind(ASIDE)
    assert shown(review) == [2]
    assert review.status.tally.text() == "2 checked, 1 changed, 2 to go"
    for _ in range(3):
        review.commands.undo.trigger()
    assert said(out) == {}


def test_letters_that_do_something_else_are_no_keys_of_classes(review: ReviewPage) -> None:
    review.grid.keys = {"1": 0, "2": 1, "c": 0, "n": 1}
    assert review.grid.keys == {"1": 0, "2": 1, "n": 1}


def test_keys_over_the_photo_under_the_mouse_mark_it_alone(
    qtbot: QtBot, review: ReviewPage, out: Path
) -> None:
    review.grid.set_side(200)
    review.grid.selectAll()
    place = review.grid.photos.place(1)  # the photo with id 2
    assert place is not None
    qtbot.mouseMove(review.grid.viewport(), review.grid.rect_of(place).center())
    qtbot.waitUntil(review.grid.hover.isVisible, timeout=TIMEOUT)
    names = [button.accessibleName() for button in review.grid.hover.buttons]
    assert names == ["Mark as red", "Mark as blue", "Confirm"]
    assert review.grid.rect_of(place).contains(review.grid.hover.geometry())
    qtbot.mouseClick(review.grid.hover.buttons[1], LEFT)
    assert said(out) == {2: "blue"}
    assert not review.grid.hover.isVisible()
    qtbot.mouseMove(review.grid.viewport(), review.grid.rect_of(0).center())
    qtbot.mouseClick(review.grid.hover.buttons[2], LEFT)
    assert said(out) == {2: "blue", 4: "red"}


def test_the_menu_says_all_that_keys_say(
    qtbot: QtBot, review: ReviewPage, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_files: list[Path] = []
    monkeypatch.setattr("sorter.gui.parts.photo_menu._open", opened_files.append)
    monkeypatch.setattr("sorter.gui.parts.photo_menu.show_in_folder", opened_files.append)

    def choose(text: str) -> None:
        actions = {action.text().replace("&", ""): action for action in review._menu().actions()}
        actions[text].trigger()

    for text in ("Unsure  [0]", "Mark as red  [1]", "Set aside  [X]"):
        choose(text)
    assert said(out) == {4: "unsure", 5: "red"}
    assert shown(review) == [4, 5, 3, 1, 6]
    choose("Open in another program")
    choose("Show in file manager")
    assert opened_files == [out / "blue" / "1.png"] * 2  # 3, which is current now
    choose("Compare")
    assert review.stack.comparing


# -- dragging ------------------------------------------------------------------------------------------------------


def test_a_drag_carries_files_for_other_programs(review: ReviewPage, out: Path) -> None:
    data = review.grid.dragged([0, 1])
    assert bytes(data.data(PHOTOS).data()) == b"2"
    paths = [Path(url.toLocalFile()) for url in data.urls()]
    assert paths == [out / "red" / "1.png", out / "blue" / "2.png"]
    assert all(path.exists() for path in paths)


# -- stacks --------------------------------------------------------------------------------------------------------


def test_marking_a_stack_marks_all_of_it_in_one_step(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    stack(review, (4, 2, 1))
    assert shown(review) == [4, 5, 3, 6]
    assert headers(review)[0] == "Least certain – 4 photos"  # a stack lies where its first photo does
    assert review.grid.photos.cell(0).stack == 3
    review.grid.go_to(0)
    qtbot.keyClick(review.grid, "2")
    assert said(out) == {1: "blue", 2: "blue", 4: "blue"}
    assert review.grid.current() == 1
    review.commands.undo.trigger()
    assert said(out) == {}


def test_counts_are_of_photos_not_of_what_is_laid_out(qtbot: QtBot, review: ReviewPage) -> None:
    stack(review, (4, 2, 1))
    review._show_photos()
    assert (review.grid.photos.rowCount(), review.grid.photos.total) == (4, 6)
    assert review.header.title.text() == "All photos · 6 photos"
    assert review.grid.photos.confirmable() == 5
    qtbot.mouseClick(header(review, "Least").fold, LEFT)
    assert (review.grid.photos.rowCount(), review.grid.photos.total) == (2, 6)
    review.filters.order.setCurrentIndex(review.filters.order.findData(Order.HIGHEST))  # without sections
    assert review.grid.photos.total == 6


def test_files_that_belong_to_a_photo_are_counted_on_it(qtbot: QtBot, review: ReviewPage) -> None:
    table = review.grid.photos.table
    assert table is not None

    def badge() -> QImage:
        rect = review.grid.rect_of(0)
        corner = QRect(rect.right() - 40, rect.y(), 40, 30)
        return review.grid.viewport().grab(corner).toImage()

    qtbot.waitUntil(lambda: review.grid.photos.cell(0).key in {key for key, _ in review.thumbnails._kept})
    qtbot.wait(50)
    before = badge()
    table.companions[review.grid.photos.row(0)] = 2
    assert review.grid.photos.cell(0).companions == 2
    review.grid.photos.refresh()
    assert badge() != before


def test_a_stack_is_opened_by_a_key_and_by_a_click(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    stack(review, (4, 2))
    review.grid.go_to(0)
    qtbot.keyClick(review.grid, Key.Key_S)
    assert shown(review) == [4, 2, 5, 3, 1, 6]
    assert review.grid.photos.listing.opened == {0: 2}
    qtbot.keyClick(review.grid, "2")
    assert said(out) == {4: "blue"}  # each on its own now
    painter, place = review.grid._painter, review.grid.rect_of(0)
    badge = painter.stack_badge(place, review.grid.photos.cell(0), review.grid.fontMetrics())
    assert place.contains(badge)
    qtbot.mouseClick(review.grid.viewport(), LEFT, pos=badge.center())
    assert shown(review) == [4, 5, 3, 1, 6]
    assert review.grid.current() == 0


def test_the_stack_of_the_photo_that_is_looked_at_stays_open(review: ReviewPage) -> None:
    """A key that is on its way must not mark photos that were not there a moment ago."""
    table = review.grid.photos.table
    assert table is not None
    review.grid.go_to(0)
    number = np.full(len(table), -1, np.int64)
    number[table.id.searchsorted([4, 2])] = 7
    review.grid.photos.know_bursts(Bursts(number), review.grid.current_row())
    assert shown(review) == [4, 2, 5, 3, 1, 6]


def make_shot(path: Path, second: float, turned: bool = False, seed: int = 0) -> Path:
    make_photo(path, RED, (240, 160), seed=seed)
    with Image.open(path) as image:
        image.load()
        picture = np.asarray(image.convert("RGB")).copy()
    picture[:80] //= 4
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Box 2"
    shot = exif.get_ifd(0x8769)
    shot[0x9003], shot[0x9291] = f"2024:07:10 12:00:{int(second):02d}", f"{second % 1:.2f}"[2:]
    found = Image.fromarray(picture[::-1] if turned else picture)
    found.save(path, exif=exif)
    return path


def test_bursts_are_close_in_time_and_alike(tmp_path: Path) -> None:
    out = make_output(tmp_path / "out", [0.9] * 6)
    table = read_table(out)
    times = [1, 1.4, 2.1, 30, 31, 3.9]
    for row, second in enumerate(times):
        make_shot(table.path(row), second, turned=row == 4, seed=row)
    shots = read_shots(table, range(len(table)))
    assert [shot.seconds % 60 for shot in shots] == pytest.approx(times)
    assert [[shot.row for shot in run] for run in close_in_time(shots)] == [[0, 1, 2, 5], [3, 4]]
    number = find_bursts(table, shots).number
    assert len({number[row] for row in (0, 1, 2, 5)}) == 1
    assert number[0] >= 0
    assert number[[3, 4, 6]].tolist() == [-1, -1, -1]  # another picture, and one that failed


def test_bursts_of_a_folder_become_stacks_by_themselves(
    qtbot: QtBot, page: ReviewPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sorter.gui.views.burst_reader.AGAIN_MS", 10)
    monkeypatch.setattr("sorter.gui.views.burst_reader.TOGETHER", 2)
    out = make_output(tmp_path / "out", [0.9, 0.8, 0.7, 0.6, 0.55])
    table = read_table(out)
    for row, second in enumerate((1, 1.4, 30, 31, 31.5)):
        make_shot(table.path(row), second, turned=row > 1, seed=row)
    opened(qtbot, page, out)
    page.grid.selectAll()
    page._bursts._soon.start(0)
    qtbot.waitUntil(lambda: page._bursts._at >= 6, timeout=TIMEOUT)
    qtbot.wait(200)
    assert shown(page) == [5, 4, 3, 2, 1, 6]  # nothing moves below a selection of several
    page.grid.go_to(0)
    qtbot.waitUntil(lambda: shown(page) == [5, 4, 3, 2, 6], timeout=TIMEOUT)  # the current one's stays open
    assert (page.grid.current(), page.grid.photos.cell(3).stack) == (0, 2)


def test_many_stacks_keep_the_order_of_their_first_photos() -> None:
    rows = np.array([5, 3, 1, 0, 2, 4])
    number = np.array([0, 1, 1, 9, -1, 0])
    bursts = Bursts(number)
    table = object.__new__(Table)  # is not asked for
    listing = listed(table, rows, "name", bursts=bursts)
    assert listing.rows.tolist() == [5, 3, 1, 4]
    assert {place: rows.tolist() for place, rows in listing.stacks.items()} == {0: [5, 0], 2: [1, 2]}
    listing = listed(table, rows, "name", bursts=bursts, opened=frozenset({1}))
    assert listing.rows.tolist() == [5, 3, 1, 2, 4]
    assert listing.opened == {2: 2}


# -- thumbnails ----------------------------------------------------------------------------------------------------


def test_thumbnails_have_levels_that_are_sharp_at_any_size(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    thumbnails = Thumbnails(jobs.pool(), store)
    large = make_photo(tmp_path / "large.png", RED, (1500, 1000))
    small = make_photo(tmp_path / "small.png", RED, (96, 64))
    sides: list[int] = []
    for pixels in (200, 300, 700, 4000):
        qtbot.waitUntil(
            lambda pixels=pixels: (
                _side(thumbnails.get((b"l", 1, 1), large, pixels))
                == next((each for each in SIDES if each >= pixels), SIDES[-1])
            ),
            timeout=TIMEOUT,
        )
        sides.append(_side(thumbnails.get((b"l", 1, 1), large, pixels)))
    assert sides == [256, 512, 1024, 1024]
    assert _side(thumbnails.get((b"l", 1, 1), large, 100)) == 256  # each level stays
    qtbot.waitUntil(lambda: thumbnails.get((b"s", 1, 1), small, 100) is not None, timeout=TIMEOUT)
    assert _side(thumbnails.get((b"s", 1, 1), small, 900)) == 96  # it is whole, so nothing more is made
    assert [store.get((b"l", 1, 1), side) is not None for side in SIDES] == [True, True, True]
    assert store.get((b"s", 1, 1), SIDES[1]) is None
    thumbnails.close()


def _side(image: QImage | None) -> int:
    return 0 if image is None else max(image.width(), image.height())


def test_a_smaller_level_stands_in(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> None:
    thumbnails = Thumbnails(jobs.pool(), Store(tmp_path / "store.db"))
    large = make_photo(tmp_path / "large.png", RED, (1500, 1000))
    qtbot.waitUntil(lambda: thumbnails.get((b"l", 1, 1), large) is not None, timeout=TIMEOUT)
    assert _side(thumbnails.get((b"l", 1, 1), large, 500)) == 256
    thumbnails.close()


def test_a_cache_of_one_level_is_used_and_goes_on(tmp_path: Path) -> None:
    """The file of the version before: one table, one level."""
    import sqlite3

    path = tmp_path / "thumbnails.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TABLE thumbnails (path BLOB, size INTEGER, mtime_ns INTEGER, day INTEGER, "
            "jpeg BLOB, PRIMARY KEY (path, size, mtime_ns))"
        )
        db.execute("INSERT INTO thumbnails VALUES (?, 1, 2, 3, ?)", (b"a", b"jpeg"))
        db.commit()
    store = Store(path)
    assert store.get((b"a", 1, 2)) == b"jpeg"
    assert store.get((b"a", 1, 2), SIDES[1]) is None
    store.put((b"a", 1, 2), b"larger", SIDES[1])
    assert store.get((b"a", 1, 2), SIDES[1]) == b"larger"
    store.close()


def test_the_grid_asks_for_what_it_shows(qtbot: QtBot, page: ReviewPage, tmp_path: Path) -> None:
    out = make_output(tmp_path / "out", [0.9])
    make_photo(out / "red" / "0.png", RED, (1200, 800))
    opened(qtbot, page, out)
    page.grid.set_side(400)
    key = page.grid.photos.cell(0).key
    qtbot.waitUntil(lambda: (key, 1024) in page.thumbnails._kept, timeout=TIMEOUT)


# -- as a whole ----------------------------------------------------------------------------------------------------


def test_a_selected_photo_has_an_outline_and_keeps_its_colours(qtbot: QtBot, review: ReviewPage) -> None:
    rect = review.grid.rect_of(0)

    def pixel(at: QPoint) -> tuple[int, int, int]:
        picture = review.grid.viewport().grab(QRect(at, at)).toImage()
        return picture.pixelColor(0, 0).getRgb()[:3]

    middle, edge = rect.center(), QPoint(rect.x() - 2, rect.center().y())
    qtbot.waitUntil(lambda: pixel(middle)[0] > 180, timeout=TIMEOUT)
    review.grid.go_to(1)
    before, outside = pixel(middle), pixel(edge)
    review.grid.go_to(0)
    assert pixel(middle) == before
    assert pixel(edge) != outside


def test_a_screen_reader_hears_every_photo(review: ReviewPage) -> None:
    heard = QAccessible.queryAccessibleInterface(review.grid)
    assert heard.text(QAccessible.Text.Name) == "Photos"
    texts = [heard.child(number).text(QAccessible.Text.Name) for number in range(heard.childCount())]
    assert "1.png, red, 55 % sure" in texts
    names = [header.fold.accessibleName() for header in review.grid.headers]
    assert names[0] == "Least certain – 2 photos"
