"""One photo large, and photos side by side: what is read, zoomed, hidden, and what keys answer for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot
from support.opened import opened
from support.photos import RED, make_photo
from support.sorted_folder import make_output

from sorter.gui.pages.review import ReviewPage
from sorter.gui.parts.thumbnails import Store
from sorter.gui.parts.viewer import COMPARE, GRID, PREVIEW
from sorter.gui.settings import Settings
from sorter.gui.views.bursts import Bursts
from sorter.gui.views.canvas import LARGEST, Canvas
from sorter.gui.views.loading import PhotoLoader, Request
from sorter.gui.views.side_by_side import Linked
from sorter.gui.window import Window
from sorter.gui.worker import Jobs
from sorter.output.journal import Journal
from sorter.sort.review import Review

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 60_000  # ms
Key = Qt.Key
Shift, Control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> Iterator[ReviewPage]:
    page = ReviewPage(jobs, Settings(tmp_path / "settings.ini"), store=Store(tmp_path / "thumbnails.db"))
    page.resize(1200, 900)
    qtbot.addWidget(page)
    page.show()
    yield page
    page.close_folder()


def single(qtbot: QtBot, page: ReviewPage) -> ReviewPage:
    """The current photo large, and on the screen."""
    with qtbot.waitSignal(page.preview.shown, timeout=TIMEOUT):
        qtbot.keyClick(page.grid, Key.Key_Space)
    qtbot.waitUntil(lambda: page.preview.on_screen, timeout=TIMEOUT)
    return page


def press(qtbot: QtBot, page: ReviewPage, key: str | Qt.Key) -> None:
    """A key for a photo that is on the screen."""
    qtbot.waitUntil(lambda: page.preview.on_screen, timeout=TIMEOUT)
    qtbot.keyClick(page.preview, key)


def current(page: ReviewPage) -> int:
    table, row = page.grid.photos.table, page.grid.current_row()
    assert table is not None
    assert row is not None
    return int(table.id[row])


def said(out: Path) -> dict[int, str | None]:
    with closing(Review.open(out)) as review:
        return {photo.id: photo.corrected for photo in review.photos() if photo.corrected}


# -- one photo -----------------------------------------------------------------------------------------------------


def test_answers_in_the_single_view(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    single(qtbot, review)
    for key in (Key.Key_Return, "0", Key.Key_Right, "2"):  # right, unsure, skip, blue
        press(qtbot, review, key)
    assert said(out) == {4: "red", 5: "unsure", 3: "blue"}
    assert current(review) == 1
    press(qtbot, review, Key.Key_X)
    assert review.review is not None
    assert review.review.table.aside.sum() == 1
    review.commands.undo.trigger()
    assert not review.review.table.aside.any()


def test_keys_answer_for_the_one_photo_alone(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    review.grid.selectAll()
    review.grid.selectionModel().setCurrentIndex(
        review.grid.photos.index(1), review.grid.selectionModel().SelectionFlag.NoUpdate
    )
    single(qtbot, review)
    qtbot.keyClick(review.preview, Key.Key_A, Control)
    review.commands.select_all.trigger()
    press(qtbot, review, "1")
    assert said(out) == {5: "red"}
    assert current(review) == 2
    qtbot.keyClick(review.preview, Key.Key_Right, Shift)
    press(qtbot, review, "2")
    assert said(out) == {5: "red", 3: "blue"}
    review.panel.class_buttons[0].click()  # 1 may not be painted yet: then it says nothing
    assert set(said(out)) <= {5, 3, 1}


def test_a_stack_is_gone_through_photo_by_photo(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    table = review.grid.photos.table
    assert table is not None
    number = np.full(len(table), -1, np.int64)
    number[table.id.searchsorted([4, 2])] = 0
    review.grid.photos.know_bursts(Bursts(number), None)
    review.grid.go_to(0)
    single(qtbot, review)
    press(qtbot, review, "2")  # at once, before the stack is open
    assert said(out) == {4: "blue"}
    qtbot.waitUntil(lambda: review.grid.photos.rowCount() == 6, timeout=TIMEOUT)
    assert current(review) == 2


def test_the_answers_are_buttons_too(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    single(qtbot, review)
    bar = review.stack.single.answers
    names = [button.accessibleName() for button in bar.buttons]
    assert names == ["red", "blue", "Right", "Unsure", "Set aside", "Skip"]
    assert [button.isChecked() for button in bar.buttons[:2]] == [True, False]
    assert review.stack.single.about.text() == "1.png · red · 55 % sure · 1 of 6"
    qtbot.mouseClick(bar.buttons[1], LEFT)
    assert said(out) == {4: "blue"}
    assert review.preview.hasFocus()
    qtbot.mouseClick(bar.buttons[5], LEFT)
    assert current(review) == 2
    bar.resize(260, bar.height())
    assert bar.minimumSizeHint().width() < 100  # it never makes the window wider
    assert bar.buttons[0].text() == "1"


def test_the_filmstrip_shows_the_photos_around(qtbot: QtBot, review: ReviewPage) -> None:
    single(qtbot, review)
    film = review.stack.single.film
    rects = film.rects()
    assert {0, 1, 2, 3} <= set(rects)
    assert 0 <= rects[0].x() < 10  # nothing is before it
    qtbot.mouseClick(film, LEFT, pos=rects[3].center())
    assert current(review) == 3
    film.resize(300, film.height())
    assert abs(film.rects()[3].center().x() - 150) < 2  # in the middle


def test_neighbours_are_read_ahead(qtbot: QtBot, review: ReviewPage) -> None:
    review.grid.go_to(2)
    single(qtbot, review)
    loader = review.preview._loader
    qtbot.waitUntil(lambda: len(loader._kept) == 5, timeout=TIMEOUT)  # all but the one that failed
    shown: list[object] = []
    review.preview.shown.connect(shown.append)
    qtbot.keyClick(review.preview, Key.Key_Right)
    assert len(shown) == 1  # at once


def test_a_loader_reads_what_is_wanted_last_and_is_bounded(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> None:
    paths = [make_photo(tmp_path / f"{number}.png", RED, (96, 64), seed=number) for number in range(12)]
    loader = PhotoLoader(jobs, memory=100_000)
    requests = [Request(path, None) for path in paths]
    loader.want(requests)
    loader.want(requests[-1:])
    qtbot.waitUntil(lambda: loader.get(requests[-1]) is not None, timeout=TIMEOUT)
    qtbot.wait(50)
    assert len(loader._kept) <= 3  # two had begun
    loader.want(requests)
    qtbot.waitUntil(lambda: not loader._going and not loader._wanted, timeout=TIMEOUT)
    assert loader.bytes_kept <= 100_000
    broken = Request(tmp_path / "gone.png", None)
    loader.want([broken])
    qtbot.waitUntil(lambda: loader.get(broken) is not None, timeout=TIMEOUT)
    assert "gone" in loader.get(broken).problem  # type: ignore[union-attr]


def test_a_large_photo_is_read_whole_only_once_zoomed_into(
    qtbot: QtBot, page: ReviewPage, tmp_path: Path
) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.8])
    for path in sorted((out / "red").iterdir()):
        Image.fromarray(np.zeros((3000, 4500, 3), np.uint8)).save(path, "JPEG")
    with closing(Journal.open(out)) as journal, journal.transaction():
        journal._db.execute("UPDATE photos SET width = 4500, height = 3000")
    opened(qtbot, page, out)
    single(qtbot, page)
    qtbot.waitUntil(lambda: page.preview._loaded is not None, timeout=TIMEOUT)
    assert page.preview.photo_size == QSize(4500, 3000)
    assert page.preview.image.width() < 4500
    scale = page.preview.scale_now
    press(qtbot, page, Key.Key_Z)
    assert page.preview.scale_now == 1 / page.devicePixelRatioF()
    qtbot.waitUntil(lambda: page.preview.image.width() == 4500, timeout=TIMEOUT)
    press(qtbot, page, Key.Key_Right)
    assert page.preview.scale_now == 1 / page.devicePixelRatioF()  # kept from photo to photo
    qtbot.waitUntil(lambda: page.preview.image.width() == 4500, timeout=TIMEOUT)
    press(qtbot, page, Key.Key_Z)
    assert page.preview.scale_now == pytest.approx(scale)


def test_nothing_but_the_photo(qtbot: QtBot, out: Path, tmp_path: Path) -> None:
    window = Window(Settings(tmp_path / "window.ini"))
    page = window.review_page
    window.resize(1300, 800)
    qtbot.addWidget(window)
    window.show()
    opened(qtbot, page, out)
    window.show_page(page)
    qtbot.keyClick(page.grid, Key.Key_F)  # from the grid, too
    qtbot.waitUntil(lambda: page.preview.on_screen, timeout=TIMEOUT)
    single = page.stack.single
    beside = (single.film, single.answers, single.about, page.sidebar, page.header, window.top)
    assert not any(widget.isVisible() for widget in beside)
    assert window.isFullScreen()
    press(qtbot, page, Key.Key_Right)  # keys work as before
    press(qtbot, page, Key.Key_Escape)
    assert all(widget.isVisible() for widget in beside)
    assert not window.isFullScreen()
    assert page.stack.currentIndex() == PREVIEW
    press(qtbot, page, Key.Key_F)
    assert not single.film.isVisible()
    press(qtbot, page, Key.Key_Space)
    assert page.stack.currentIndex() == GRID
    assert window.top.isVisible()
    window.close()


def test_a_heat_map_lies_over_the_photo_on_a_key(
    qtbot: QtBot, review: ReviewPage, out: Path, model: Path
) -> None:
    single(qtbot, review)
    press(qtbot, review, Key.Key_H)
    qtbot.waitUntil(review.notice.isVisible, timeout=TIMEOUT)  # the folder's model is made up
    assert review.preview.heat.isNull()
    with closing(Journal.open(out)) as journal, journal.transaction():
        settings = journal.run_settings()
        assert settings is not None
        journal.set_run(replace(settings, model_folder=model))
    press(qtbot, review, Key.Key_H)
    qtbot.waitUntil(lambda: not review.preview.heat.isNull(), timeout=TIMEOUT)
    assert review.preview.heat.hasAlphaChannel()
    first = review.preview.heat.cacheKey()
    qtbot.keyClick(review.preview, Key.Key_Right)
    assert review.preview.heat.isNull()  # never that of another photo
    qtbot.waitUntil(lambda: not review.preview.heat.isNull(), timeout=TIMEOUT)
    assert review.preview.heat.cacheKey() != first
    press(qtbot, review, Key.Key_H)
    assert review.preview.heat.isNull()


# -- zoom ----------------------------------------------------------------------------------------------------------


def shown_canvas(qtbot: QtBot, width: int, height: int) -> Canvas:
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.show()
    canvas.show_image(QImage(width, height, QImage.Format.Format_RGB32))
    return canvas


def test_a_small_photo_is_enlarged_up_to_a_bound(qtbot: QtBot) -> None:
    assert shown_canvas(qtbot, 30, 20).scale_now == LARGEST
    assert shown_canvas(qtbot, 200, 150).scale_now == pytest.approx(2)
    assert shown_canvas(qtbot, 4000, 3000).scale_now == pytest.approx(0.1)


def test_what_is_under_the_mouse_stays_there(qtbot: QtBot) -> None:
    canvas = shown_canvas(qtbot, 4000, 3000)
    at = QPointF(100, 75)  # at a quarter of the photo
    canvas.actual_size(at)
    rect = canvas.photo_rect()
    assert (at.x() - rect.x(), at.y() - rect.y()) == pytest.approx((1000, 750), abs=1)
    canvas.zoom(2, at)
    rect = canvas.photo_rect()
    assert (at.x() - rect.x(), at.y() - rect.y()) == pytest.approx((2000, 1500), abs=2)
    canvas.fit()
    assert canvas.fits


def test_a_drag_moves_the_photo_and_not_beyond_its_edges(qtbot: QtBot) -> None:
    canvas = shown_canvas(qtbot, 4000, 3000)
    canvas.actual_size()
    before = canvas.photo_rect()
    view = canvas.viewport()
    qtbot.mousePress(view, LEFT, pos=QPoint(200, 150))
    qtbot.mouseMove(view, QPoint(150, 140))
    qtbot.mouseRelease(view, LEFT, pos=QPoint(150, 140))
    after = canvas.photo_rect()
    assert (after.x() - before.x(), after.y() - before.y()) == pytest.approx((-50, -10), abs=1)
    for _ in range(40):
        qtbot.mousePress(view, LEFT, pos=QPoint(10, 10))
        qtbot.mouseMove(view, QPoint(390, 290))
        qtbot.mouseRelease(view, LEFT, pos=QPoint(390, 290))
    assert (canvas.photo_rect().x(), canvas.photo_rect().y()) == (0, 0)


def test_linked_canvases_show_the_same_part(qtbot: QtBot) -> None:
    large, small = shown_canvas(qtbot, 4000, 3000), shown_canvas(qtbot, 1000, 750)
    linked = Linked()
    linked.link([large, small])
    large.actual_size(QPointF(100, 75))
    one, other = large.photo_rect(), small.photo_rect()
    assert (one.x(), one.width()) == pytest.approx((other.x(), other.width()), abs=1)
    small.fit()
    assert large.fits


# -- side by side --------------------------------------------------------------------------------------------------


def compared(qtbot: QtBot, page: ReviewPage, places: list[int]) -> ReviewPage:
    page.grid.go_to(places[0])
    for _ in places[1:]:
        qtbot.keyClick(page.grid, Key.Key_Right, Shift)
    qtbot.keyClick(page.grid, Key.Key_C)
    assert page.stack.currentIndex() == COMPARE
    sides = page.stack.compare.sides
    qtbot.waitUntil(lambda: all(not side.canvas.image.isNull() for side in sides), timeout=TIMEOUT)
    return page


def test_photos_are_compared_and_answered_one_by_one(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    compared(qtbot, review, [0, 1, 2])
    view = review.stack.compare
    assert [side.about.text().split(" · ")[1] for side in view.sides] == ["red", "blue", "red"]
    assert [side.active for side in view.sides] == [True, False, False]
    qtbot.keyClick(view, "2")
    assert said(out) == {4: "blue"}
    qtbot.keyClick(view, Key.Key_Right)
    qtbot.keyClick(view, Key.Key_Return)
    assert said(out) == {4: "blue", 5: "blue"}
    assert review.panel.details.value("mark") == "confirmed as blue"
    assert view.sides[1].about.text().endswith("✓")
    qtbot.mouseClick(view.sides[2].canvas.viewport(), LEFT)
    qtbot.keyClick(view, Key.Key_X)
    assert len(view.sides) == 2  # what is set aside is compared no more
    qtbot.keyClick(view, Key.Key_X)
    assert review.stack.currentIndex() == GRID
    assert review.grid.answering is None
    for _ in range(4):
        review.commands.undo.trigger()
    assert said(out) == {}


def test_compared_photos_are_zoomed_together(qtbot: QtBot, review: ReviewPage) -> None:
    compared(qtbot, review, [0, 1])
    view = review.stack.compare
    qtbot.keyClick(view, Key.Key_Z)
    assert [side.canvas.fits for side in view.sides] == [False, False]
    qtbot.keyClick(view, Key.Key_Z)
    assert [side.canvas.fits for side in view.sides] == [True, True]
    qtbot.keyClick(view, Key.Key_Escape)
    assert review.stack.currentIndex() == GRID
    assert review.grid.hasFocus()


def test_one_photo_is_compared_with_the_next(qtbot: QtBot, review: ReviewPage) -> None:
    compared(qtbot, review, [2])
    table = review.grid.photos.table
    assert table is not None
    assert table.id[review.stack.compare.rows].tolist() == [2, 3]
