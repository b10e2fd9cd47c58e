"""Seeing and correcting: the review page on a real folder with a real journal, driven by keys and mouse."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragMoveEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QPushButton, QSlider
from pytestqt.qtbot import QtBot
from support.commands import hashes, read_report
from support.opened import opened
from support.photos import RED, make_photo
from support.sorted_folder import make_folder, make_output

from sorter.cli import main
from sorter.gui.pages.review import ReviewPage
from sorter.gui.parts.apply import ApplyDialog
from sorter.gui.parts.entries import ADD, ALL, FAILED, OPEN, SKIPPED
from sorter.gui.parts.grid import PHOTOS, PhotoGrid
from sorter.gui.parts.models import Order, ReviewState
from sorter.gui.parts.shortcuts import ShortcutsSheet
from sorter.gui.parts.thumbnails import Store, Thumbnails
from sorter.gui.parts.toast import Toast
from sorter.gui.parts.viewer import EMPTY, GRID, PREVIEW
from sorter.gui.settings import Settings
from sorter.gui.worker import Jobs
from sorter.output.journal import Journal, locked
from sorter.sort.review import Review
from sorter.sort.undo import undo
from sorter.types import ActionKind, Companion, Failure, Photo, Reason

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 60_000  # ms
Key = Qt.Key
Shift, Control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def page(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> Iterator[ReviewPage]:
    settings = Settings(tmp_path / "settings.ini")
    settings.letter_keys = True
    page = ReviewPage(jobs, settings, store=Store(tmp_path / "thumbnails.db"))
    page.resize(1000, 700)
    qtbot.addWidget(page)
    page.show()
    yield page
    page.close_folder()


def shown(page: ReviewPage) -> list[int]:
    """Ids of the photos in the grid."""
    return page.grid.photos.ids(range(page.grid.photos.rowCount()))


def current(page: ReviewPage) -> int:
    place = page.grid.current()
    assert place is not None
    return page.grid.photos.ids([place])[0]


def said(out: Path) -> dict[int, str | None]:
    """What the journal holds of each photo now, read by someone else."""
    with closing(Review.open(out)) as review:
        return {photo.id: photo.corrected for photo in review.photos() if photo.corrected}


def tabs(page: ReviewPage) -> list[str]:
    """Entries of the sidebar that show photos, with their counts: all, the classes, the rest."""
    entries = page.sidebar.list.entries.entries
    kinds = [each for each in entries if each.kind in (ALL, FAILED, SKIPPED) or each.is_class]
    return [f"{each.text}  {each.figure}" for each in kinds]


def test_the_details_count_what_belongs_to_a_photo(qtbot: QtBot, page: ReviewPage, tmp_path: Path) -> None:
    out = make_output(tmp_path / "out", [0.9])
    with closing(Journal.open(out)) as journal, journal.transaction():
        (photo,) = (entry.photo for entry in journal.entries() if entry.scores)
        raw, sidecar = Companion("0.CR3", 1, 1), Companion("0.xmp", 1, 1)
        journal.add_companions(replace(photo, companions=(raw, sidecar)))
    opened(qtbot, page, out)
    assert page.panel.details.value("companions") == "2 files"


# -- see -----------------------------------------------------------------------------------------------------------


def test_shows_the_doubtful_first_with_tabs_and_counts(review: ReviewPage) -> None:
    assert shown(review) == [4, 5, 2, 3, 1, 6]
    assert tabs(review) == ["All photos  6", "red  3", "blue  2", "Couldn't be read  1"]
    assert current(review) == 4
    assert review.panel.details.value("guess") == "red, 55 % sure"
    assert "48 × 32" in review.panel.details.value("size")


def test_tabs_filters_and_orders(qtbot: QtBot, review: ReviewPage) -> None:
    review.sidebar.show_kind(1)
    assert shown(review) == [5, 3]
    review.sidebar.show_kind(FAILED)
    assert shown(review) == [6]
    assert review.panel.details.value("guess") == "The file is damaged"
    review.sidebar.show_kind(ALL)
    review.filters.low.setValue(50)
    review.filters.high.setValue(80)
    assert shown(review) == [4, 5, 2]  # 5 is blue, 70 % sure
    review.filters.name.setText("no such name")
    qtbot.waitUntil(lambda: review.stack.currentIndex() == EMPTY, timeout=TIMEOUT)  # once names are read
    review.filters.clear()
    assert review.stack.currentIndex() == GRID
    review.filters.order.setCurrentIndex(review.filters.order.findData(Order.HIGHEST))
    assert shown(review) == [1, 2, 4, 5, 3, 6]


def test_names_filter_once_they_are_read(qtbot: QtBot, review: ReviewPage) -> None:
    review.filters.name.setText("0.PNG")
    qtbot.waitUntil(lambda: shown(review) == [2, 1], timeout=TIMEOUT)


def test_thumbnails_come_from_other_threads_and_are_painted(qtbot: QtBot, review: ReviewPage) -> None:
    def is_red() -> bool:
        rect = review.grid.visualRect(review.grid.photos.index(0))
        picture = review.grid.viewport().grab(rect).toImage()
        colour = picture.pixelColor(picture.width() // 2, picture.height() // 3)
        return colour.red() > 180 and colour.green() < 80

    qtbot.waitUntil(is_red, timeout=TIMEOUT)
    assert 0 < review.thumbnails.bytes_kept < 6 * 256 * 256 * 4


def test_thumbnails_in_memory_are_bounded(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> None:
    thumbnails = Thumbnails(jobs.pool(), Store(tmp_path / "store.db"), memory=100_000)
    paths = [make_photo(tmp_path / f"{number}.png", RED, (96, 64), seed=number) for number in range(12)]
    keys = [(str(path).encode(), 1, 1) for path in paths]
    for key, path in zip(keys, paths, strict=True):
        qtbot.waitUntil(lambda key=key, path=path: thumbnails.get(key, path) is not None, timeout=TIMEOUT)
    assert thumbnails.bytes_kept <= 100_000  # 96 x 64 x 4 bytes each: four fit
    image = thumbnails.get(keys[-1], paths[-1])
    assert isinstance(image, QImage)
    assert (image.width(), image.height()) == (96, 64)
    paths[0].unlink()  # it was made once, and comes from the disk's cache now
    qtbot.waitUntil(lambda: thumbnails.get(keys[0], paths[0]) is not None, timeout=TIMEOUT)
    again = thumbnails.get(keys[0], paths[0])
    assert again is not None
    assert not again.isNull()
    (tmp_path / "broken.png").write_text("no photo")
    broken = (b"broken", 1, 1)
    qtbot.waitUntil(lambda: thumbnails.get(broken, tmp_path / "broken.png") is not None, timeout=TIMEOUT)
    bad = thumbnails.get(broken, tmp_path / "broken.png")
    assert bad is not None
    assert bad.isNull()
    thumbnails.close()


def test_preview_is_upright_with_camera_data_and_zoom(qtbot: QtBot, page: ReviewPage, tmp_path: Path) -> None:
    out = make_output(tmp_path / "out", [0.9])
    photo = out / "red" / "0.png"
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = 6, "Box 2"  # stored lying on its side
    with Image.open(photo) as image:
        image.load()
        image.resize((400, 200)).save(photo, exif=exif)
    opened(qtbot, page, out)
    with qtbot.waitSignal(page.preview.shown, timeout=TIMEOUT):
        qtbot.keyClick(page.grid, Key.Key_Space)
    assert page.stack.currentIndex() == PREVIEW
    assert page.preview.image_size == (200, 400)
    assert page.panel.details.value("camera") == "Box 2"
    qtbot.keyClick(page.preview, "+")
    assert page.preview.scale_now > 1
    qtbot.keyClick(page.preview, Key.Key_0, Control)
    page.commands.fit.trigger()
    viewport = page.preview.viewport()
    assert page.preview.scale_now == pytest.approx(min(viewport.width() / 200, viewport.height() / 400))
    qtbot.mouseDClick(page.preview.viewport(), Qt.MouseButton.LeftButton)
    assert page.stack.currentIndex() == GRID


def test_preview_of_what_failed_says_why(qtbot: QtBot, review: ReviewPage) -> None:
    review.sidebar.show_kind(FAILED)
    with qtbot.waitSignal(review.preview.shown, timeout=TIMEOUT) as shown_one:
        review.stack.toggle_preview()
    assert shown_one.args is not None
    assert shown_one.args[0].problem == "The file is damaged"


def test_dragging_the_threshold_changes_counts_and_grid_at_once(
    qtbot: QtBot, review: ReviewPage, out: Path
) -> None:
    histogram = review.panel.histogram
    y = histogram.height() // 2

    def x(probability: float) -> int:
        return round(histogram.x_of(probability))

    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=QPoint(x(0.5), y))
    qtbot.mouseMove(histogram, QPoint(x(0.9), y))
    qtbot.waitUntil(lambda: tabs(review)[1:3] == ["red  1", "blue  4"], timeout=TIMEOUT)
    with closing(Review.open(out)) as other:
        assert other.table.rule.threshold == 0.5  # not before it is let go
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=QPoint(x(0.9), y))
    with closing(Review.open(out)) as other:
        assert other.table.rule.threshold == pytest.approx(0.9, abs=0.01)
        assert len(other.plan()) == 2
    assert shown(review)[0] == 2
    review.panel.original.click()
    assert tabs(review)[1:3] == ["red  3", "blue  2"]
    qtbot.keyClick(histogram, Key.Key_Left)
    assert review.panel.threshold.value() == pytest.approx(0.49)


def test_a_threshold_is_undone_and_leaves_marks_alone(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    for key in ("1", "2", "2"):  # 4 is red, as it was; 5 blue, as it was; 2 is blue now
        qtbot.keyClick(review.grid, key)
    assert review.status.tally.text() == "3 checked, 1 changed, 2 to go"
    review.panel.threshold.setValue(0.6)
    assert tabs(review)[1:3] == ["red  2", "blue  3"]
    assert review.status.tally.text() == "3 checked, 1 changed, 2 to go"
    place = review.grid.photos.place(3)
    assert place is not None
    review.grid.go_to(place)
    assert (
        review.panel.details.value("mark") == "confirmed as red"
    )  # 4, which the new threshold would make blue
    review.commands.undo.trigger()
    assert review.panel.threshold.value() == 0.5
    assert "threshold" in review.notice.text.text()
    assert said(out) == {4: "red", 5: "blue", 2: "blue"}
    review.commands.undo.trigger()
    assert said(out) == {4: "red", 5: "blue"}
    review.commands.redo.trigger()
    review.commands.redo.trigger()
    assert review.panel.threshold.value() == pytest.approx(0.6)


# -- correct -------------------------------------------------------------------------------------------------------


def test_keys_assign_undo_and_redo(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    qtbot.keyClick(review.grid, "2")  # 4 is blue; on to 5
    assert said(out) == {4: "blue"}
    assert current(review) == 5
    qtbot.keyClick(review.grid, "r")  # its letter
    assert said(out) == {4: "blue", 5: "red"}
    assert tabs(review)[1:3] == ["red  3", "blue  2"]
    review.commands.undo.trigger()
    assert said(out) == {4: "blue"}
    assert current(review) == 5
    review.commands.undo.trigger()
    assert said(out) == {}
    assert not review.commands.undo.isEnabled()
    review.commands.redo.trigger()
    review.commands.redo.trigger()
    assert said(out) == {4: "blue", 5: "red"}
    assert not review.commands.redo.isEnabled()
    qtbot.keyClick(review.grid, Key.Key_Home)
    qtbot.keyClick(review.grid, Key.Key_Delete)
    assert said(out) == {5: "red"}


def test_undo_and_redo_have_their_shortcuts(review: ReviewPage) -> None:
    assert [each.toString() for each in review.commands.undo.shortcuts()] == ["Ctrl+Z"]
    assert "Ctrl+Shift+Z" in [each.toString() for each in review.commands.redo.shortcuts()]


def test_in_a_tab_what_is_corrected_leaves_and_the_next_takes_its_place(
    qtbot: QtBot, review: ReviewPage, out: Path
) -> None:
    review.sidebar.show_kind(0)
    review.grid.go_to(0)
    assert (shown(review), current(review)) == ([4, 2, 1], 4)
    qtbot.keyClick(review.grid, "b")
    qtbot.keyClick(review.grid, "b")
    assert (shown(review), current(review)) == ([1], 1)
    assert said(out) == {4: "blue", 2: "blue"}
    qtbot.keyClick(review.grid, "b")
    assert review.stack.currentIndex() == EMPTY


def test_many_are_selected_with_shift_and_control(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    review.grid.go_to(0)
    qtbot.keyClick(review.grid, Key.Key_Right, Shift)
    qtbot.keyClick(review.grid, Key.Key_Right, Shift)
    assert review.grid.selected() == [0, 1, 2]
    third = review.grid.visualRect(review.grid.photos.index(2)).center()
    qtbot.mouseClick(review.grid.viewport(), Qt.MouseButton.LeftButton, Control, third)
    assert review.grid.selected() == [0, 1]
    qtbot.keyClick(review.grid, "b")
    assert said(out) == {4: "blue", 5: "blue"}
    assert review.grid.selected() == [0, 1]  # still there, to be looked at
    review.commands.undo.trigger()  # at once, as they were said at once
    assert said(out) == {}
    last = review.grid.visualRect(review.grid.photos.index(3)).center()
    first = review.grid.visualRect(review.grid.photos.index(0)).center()
    qtbot.mouseClick(review.grid.viewport(), Qt.MouseButton.LeftButton, pos=first)
    qtbot.mouseClick(review.grid.viewport(), Qt.MouseButton.LeftButton, Shift, last)
    assert review.grid.selected() == [0, 1, 2, 3]
    review.commands.copy_paths.trigger()
    assert len(QGuiApplication.clipboard().text().splitlines()) == 4


def test_all_shown_are_confirmed_by_an_action_that_tells_their_number(
    qtbot: QtBot, review: ReviewPage, out: Path
) -> None:
    assert review.commands.confirm_shown.text().replace("&", "") == "Confirm all 5 shown"  # not what failed
    review.sidebar.show_kind(1)
    assert review.commands.confirm_shown.text().replace("&", "") == "Confirm all 2 shown"
    (button,) = [each for each in review.header.findChildren(QPushButton) if "shown" in each.text()]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert said(out) == {3: "blue", 5: "blue"}
    assert review.notice.text.text().startswith("2 photos confirmed.")
    assert not button.isEnabled()  # nothing is left to confirm
    review.filters.state.setCurrentIndex(review.filters.state.findData(ReviewState.CONFIRMED))
    assert shown(review) == [5, 3]
    review.filters.state.setCurrentIndex(review.filters.state.findData(ReviewState.OPEN))
    assert shown(review) == []


def test_confirm_is_about_this_photo_or_those_selected(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    review.grid.go_to(0)
    assert review.panel.confirm.text().replace("&", "") == "Confirm"
    qtbot.keyClick(review.grid, Key.Key_R, Control)
    assert said(out) == {4: "red"}
    assert current(review) == 5
    qtbot.keyClick(review.grid, Key.Key_Right, Shift)
    assert review.panel.confirm.text().replace("&", "") == "Confirm 2 selected"
    qtbot.mouseClick(review.panel.confirm, Qt.MouseButton.LeftButton)
    assert said(out) == {4: "red", 5: "blue", 2: "red"}


def test_confirm_in_the_preview_is_about_the_photo_on_the_screen(
    qtbot: QtBot, review: ReviewPage, out: Path
) -> None:
    with qtbot.waitSignal(review.preview.shown, timeout=TIMEOUT):
        qtbot.keyClick(review.grid, Key.Key_Space)
    qtbot.waitUntil(lambda: review.preview.on_screen, timeout=TIMEOUT)
    assert not review.commands.confirm_shown.isEnabled()
    qtbot.keyClick(review.preview, Key.Key_R, Control)
    assert said(out) == {4: "red"}
    assert current(review) == 5


def test_undo_with_its_keys_held_selects_one_photo(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    """The view's own `setCurrentIndex` would heed Ctrl and add to the selection; the next key would label it all."""
    for key in "121":
        qtbot.keyClick(review.grid, key)
    assert len(said(out)) == 3
    for modifiers, count in ((Control, 3), (Control | Shift, 2)):
        for _ in range(count):
            qtbot.keyPress(review.grid, Key.Key_Z, modifiers)
            assert len(review.grid.selected()) == 1
            qtbot.keyRelease(review.grid, Key.Key_Z, modifiers)
    before = said(out)
    qtbot.keyClick(review.grid, "1")
    assert len(said(out).items() - before.items()) == 1


def test_no_key_marks_a_photo_that_is_not_on_the_screen(
    qtbot: QtBot, review: ReviewPage, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review.grid.go_to(0)
    monkeypatch.setattr("sorter.gui.parts.viewer.NEIGHBOURS", 0)  # none is fetched ahead
    with qtbot.waitSignal(review.preview.shown, timeout=TIMEOUT):
        qtbot.keyClick(review.grid, Key.Key_Space)
    qtbot.waitUntil(lambda: review.preview.on_screen, timeout=TIMEOUT)
    waiting: list[Callable[[], object]] = []
    monkeypatch.setattr(review._jobs, "later", lambda call, then: waiting.append(lambda: then(call())))
    monkeypatch.setattr(review.thumbnails, "get", lambda key, path: None)  # not made yet
    qtbot.keyClick(review.preview, "2")
    assert (said(out), current(review)) == ({4: "blue"}, 5)
    assert review.preview.image_size == (0, 0)  # not the photo before
    for key in ("2", Key.Key_Delete):
        qtbot.keyClick(review.preview, key)
    qtbot.keyClick(review.preview, Key.Key_R, Control)
    review.panel.class_buttons[0].click()
    qtbot.wait(50)  # a paint shows nothing of it
    qtbot.keyClick(review.preview, "2")
    assert (said(out), current(review)) == ({4: "blue"}, 5)
    small = QImage(12, 8, QImage.Format.Format_RGB32)
    monkeypatch.setattr(review.thumbnails, "get", lambda key, path: small)
    review.thumbnails.ready.emit()
    assert review.preview.image_size == (12, 8)
    assert review.preview.photo_size.width() == 48  # as large as the photo will be
    qtbot.keyClick(review.preview, "2")  # has not been painted yet
    assert said(out) == {4: "blue"}
    qtbot.waitUntil(lambda: review.preview.on_screen, timeout=TIMEOUT)
    qtbot.keyClick(review.preview, "2")
    assert (said(out), current(review)) == ({4: "blue", 5: "blue"}, 2)
    waiting[-1]()  # the photo itself takes its thumbnail's place
    assert review.preview.image_size == (8, 8)


def test_photos_are_dropped_on_a_class(review: ReviewPage, out: Path) -> None:
    review.grid.go_to(0)
    entries = review.sidebar.list
    data = QMimeData()
    data.setData(PHOTOS, b"1")
    arguments = (Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)

    def over(kind: int) -> QDropEvent:
        at = QPointF(entries.rect_of(kind).center())
        move = QDragMoveEvent(at.toPoint(), *arguments)
        entries.dragMoveEvent(move)
        drop = QDropEvent(at, *arguments)
        drop.setAccepted(False)
        if move.isAccepted():
            entries.dropEvent(drop)
        return drop

    assert not over(ALL).isAccepted()  # All is no class
    assert said(out) == {}
    entries.dragMoveEvent(QDragMoveEvent(entries.rect_of(1).center(), *arguments))
    assert entries.lit == 1  # shows where the photos would go
    assert over(1).isAccepted()
    assert entries.lit is None
    assert said(out) == {4: "blue"}
    assert not over(FAILED).isAccepted()  # nor is Failed
    assert over(2).isAccepted()  # a person cannot tell either: unsure
    assert said(out) == {4: "blue", 5: "unsure"}


def test_to_check_shows_what_nobody_has_checked(qtbot: QtBot, review: ReviewPage) -> None:
    review.sidebar.show_kind(OPEN)
    assert shown(review) == [4, 5, 2, 3, 1]  # not what couldn't be read
    review.grid.setFocus()
    qtbot.keyClick(review.grid, "2")
    assert shown(review) == [5, 2, 3, 1]
    assert review.header.title.text() == "To check · 4 photos"
    blue = review.sidebar.list.entries.entries[4]
    assert (blue.text, blue.count, blue.share) == ("blue", 3, pytest.approx(1 / 3))


def test_classes_are_added_renamed_merged_and_removed(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    entries = review.sidebar.list
    viewport = entries.viewport()
    at = entries.rect_of(ADD).center()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    (field,) = entries.findChildren(QLineEdit)
    qtbot.keyClicks(field, "green")
    qtbot.keyClick(field, Key.Key_Return)
    qtbot.waitUntil(lambda: tabs(review)[1:4] == ["red  3", "blue  2", "green  0"], timeout=TIMEOUT)
    assert len(review.panel.class_buttons) == 3
    assert review.notice.button.text() == "Undo"
    review.grid.setFocus()
    qtbot.keyClick(review.grid, "3")
    assert said(out) == {4: "green"}
    review.sidebar.class_renamed.emit("green", "lime")
    assert said(out) == {4: "lime"}
    review.sidebar.class_merged.emit("lime", "blue")
    assert tabs(review)[1:3] == ["red  2", "blue  3"]
    for names in (
        ["red", "blue", "lime"],
        ["red", "blue", "green"],
        ["red", "blue", "green"],
        ["red", "blue"],
    ):
        review.commands.undo.trigger()
        assert review.review is not None
        assert list(review.review.classes) == names
    assert said(out) == {}
    assert tabs(review)[1:3] == ["red  3", "blue  2"]
    review.commands.redo.trigger()
    assert tabs(review)[3] == "green  0"
    review.sidebar.class_removed.emit("red")
    assert tabs(review)[1:3] == ["blue  2", "green  0"]
    review.sidebar.class_added.emit("a/b")  # no folder can have that name
    assert review.notice.text.text()
    assert review.review is not None
    assert review.review.classes == ("blue", "green")


def test_the_guess_comes_with_the_one_after_it(
    qtbot: QtBot, page: ReviewPage, out: Path, tmp_path: Path
) -> None:
    opened(qtbot, page, out)
    bars = page.panel.guess
    assert bars.accessibleDescription() == "red 55 %, blue 45 %"
    page.panel.threshold.setValue(0.6)  # now 4 is blue, of which the model is less sure
    page.grid.go_to(page.grid.photos.place(3) or 0)
    assert bars.accessibleDescription() == "blue 45 %, red 55 %"
    opened(qtbot, page, make_folder(tmp_path / "many", 8, tuple("abcd")))
    assert page.review is not None
    first, second = page.review.table.likely(7)
    assert first.label == 3
    assert first.probability == pytest.approx(0.9)
    assert second.probability == pytest.approx(0.1 / 3)
    page.review.merge_class("d", "a")
    assert page.review.table.likely(7)[0].label == 0


def test_the_inspector_says_how_many_photos_a_threshold_changes(qtbot: QtBot, review: ReviewPage) -> None:
    assert review.panel.changes.text() == ""
    review.panel.threshold.setValue(0.9)
    assert review.panel.changes.text() == "+2 blue"
    place = review.grid.photos.place(1)
    assert place is not None
    review.grid.go_to(place)
    assert review.panel.details.value("place").replace("\u200b", "") == "blue/"
    review.commands.undo.trigger()
    assert review.panel.changes.text() == ""
    assert review.panel.details.value("place") == ""
    review.panel.file_buttons[1].click()
    assert QGuiApplication.clipboard().text() == str(review.on_folder.review.table.path(1))  # type: ignore[union-attr]


def test_the_inspector_shows_what_the_model_saw(
    qtbot: QtBot, page: ReviewPage, tmp_path: Path, model: Path, out: Path
) -> None:
    make_photo(tmp_path / "two" / "a.png", RED, (96, 64))
    target = tmp_path / "sorted"
    assert main(["run", str(tmp_path / "two"), "--out", str(target), "--model", str(model)]) == 0
    opened(qtbot, page, target)
    qtbot.mouseClick(page.panel.explain, Qt.MouseButton.LeftButton)
    assert page.stack.currentIndex() == PREVIEW
    qtbot.waitUntil(lambda: not page.preview.heat.isNull(), timeout=TIMEOUT)
    qtbot.mouseClick(page.panel.explain, Qt.MouseButton.LeftButton)
    assert page.preview.heat.isNull()
    opened(qtbot, page, out)  # whose model nobody knows
    assert not page.panel.explain.isEnabled()


def test_a_class_has_a_menu(qtbot: QtBot, review: ReviewPage) -> None:
    entry = review.sidebar.list.entries.entries[3]
    texts = [action.text().replace("&", "") for action in review.sidebar.menu(entry).actions()]
    assert texts == ["Rename", "Merge into", "Remove class", "", "Show in file manager"]
    viewport, at = review.sidebar.list.viewport(), review.sidebar.list.rect_of(1).center()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    (field,) = review.sidebar.list.findChildren(QLineEdit)
    assert field.text() == "blue"
    field.setText("sky")
    qtbot.keyClick(field, Key.Key_Return)
    qtbot.waitUntil(lambda: tabs(review)[1:3] == ["red  3", "sky  2"], timeout=TIMEOUT)


def test_a_failed_file_cannot_be_corrected(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    review.sidebar.show_kind(FAILED)
    qtbot.keyClick(review.grid, "1")
    assert said(out) == {}


def test_corrections_are_found_again(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    qtbot.keyClick(review.grid, "2")
    opened(qtbot, review, out)
    assert review.status.tally.text() == "1 checked, 1 changed, 4 to go"
    review.commands.undo.trigger()
    assert said(out) == {}


def test_while_a_run_is_at_work_a_sentence_says_so(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    with locked(out):
        qtbot.keyClick(review.grid, "2")
    assert "another sorter is at work" in review.notice.text.text()
    assert said(out) == {}
    qtbot.keyClick(review.grid, "2")
    assert said(out) == {4: "blue"}
    assert review.notice.text.text() == "Marked as blue."


def test_many_corrections_are_written_elsewhere(
    qtbot: QtBot, review: ReviewPage, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sorter.gui.parts.corrections.AT_ONCE", 1)
    review.commands.confirm_shown.trigger()
    assert not review.panel.isEnabled()  # until it is written
    qtbot.waitUntil(review.panel.isEnabled, timeout=TIMEOUT)
    assert len(said(out)) == 5
    assert review.status.tally.text().startswith("5 checked")
    review.commands.undo.trigger()
    qtbot.waitUntil(review.panel.isEnabled, timeout=TIMEOUT)
    assert said(out) == {}
    with locked(out):
        review.commands.confirm_shown.trigger()
        qtbot.waitUntil(review.panel.isEnabled, timeout=TIMEOUT)
    assert "another sorter is at work" in review.notice.text.text()


def test_the_search_field_is_left_by_its_keys(qtbot: QtBot, review: ReviewPage) -> None:
    for key in (Key.Key_Return, Key.Key_Down, Key.Key_Escape):
        review.commands.find.trigger()
        qtbot.waitUntil(review.filters.name.hasFocus, timeout=TIMEOUT)
        review.filters.name.clear()
        qtbot.keyClicks(review.filters.name, "0.png")
        qtbot.keyClick(review.filters.name, key)
        assert review.grid.hasFocus(), key
    assert review.filters.name.text() == ""
    review.filters.name.setFocus()
    at = review.sidebar.list.rect_of(0).center()
    qtbot.mouseClick(review.sidebar.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(review.grid.hasFocus, timeout=TIMEOUT)


def test_a_notice_moves_no_photo(qtbot: QtBot, review: ReviewPage) -> None:
    before = review.grid.mapTo(review, QPoint(0, 0))
    review.notice.say("Something happened.")
    qtbot.waitUntil(lambda: review.notice.isVisible() and review.notice.height() > 10, timeout=TIMEOUT)
    qtbot.wait(50)
    assert review.grid.mapTo(review, QPoint(0, 0)) == before


def test_a_toast_says_what_was_done_and_undoes_it(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    qtbot.keyClick(review.grid, "2")
    toast = review.notice
    assert isinstance(toast, Toast)
    assert (toast.text.text(), toast.button.text()) == ("Marked as blue.", "Undo")
    assert review.stack.rect().contains(toast.geometry())
    qtbot.mouseClick(toast.button, Qt.MouseButton.LeftButton)
    assert said(out) == {}
    assert toast.isHidden()
    assert review.grid.hasFocus()
    qtbot.keyClick(review.grid, Key.Key_A, Control)
    qtbot.keyClick(review.grid, "2")
    assert toast.text.text() == "5 photos marked as blue."
    qtbot.mouseClick(toast.button, Qt.MouseButton.LeftButton)
    assert said(out) == {}


def test_a_toast_goes_by_itself_but_an_error_stays(qtbot: QtBot, review: ReviewPage) -> None:
    toast = review.notice
    assert isinstance(toast, Toast)
    assert toast.going.interval() == 6000
    toast.going.setInterval(20)
    toast.say("Something happened.")
    qtbot.waitUntil(toast.isHidden, timeout=TIMEOUT)
    toast.complain("Something went wrong. " * 20)
    assert not toast.going.isActive()
    assert toast.width() < review.stack.width()
    assert toast.height() > 3 * toast.text.fontMetrics().height()  # long ones are wrapped, not cut off
    review.resize(800, 500)
    assert review.stack.rect().contains(toast.geometry())
    qtbot.mouseClick(toast.close_button, Qt.MouseButton.LeftButton)
    assert toast.isHidden()


def test_the_menu_of_a_photo_marks_it(review: ReviewPage, out: Path) -> None:
    texts = {action.text().replace("&", ""): action for action in review._menu().actions()}
    assert {"Mark as red  [1]", "Mark as blue  [2]", "Confirm", "Clear my mark", "Copy file paths"} <= set(
        texts
    )
    assert "Show in file manager" in texts
    texts["Mark as blue  [2]"].trigger()
    assert said(out) == {4: "blue"}


def test_the_tab_key_goes_as_the_buttons_stand(review: ReviewPage) -> None:
    order, widget = [], review.panel.original.nextInFocusChain()
    wanted = [*review.panel.class_buttons, review.panel.confirm, review.panel.clear_button]
    while widget is not review.panel.original:
        order += [widget] if widget in wanted else []
        widget = widget.nextInFocusChain()
    assert order == wanted


def test_files_that_are_no_photos_have_a_tab_of_their_own(qtbot: QtBot, page: ReviewPage, out: Path) -> None:
    with closing(Journal.open(out)) as journal, journal.transaction():
        notes = Photo(out.parent / "in" / "notes.txt", Path("notes.txt"), 5, 0)
        journal.failed(notes, Failure(Reason.OTHER_FILE, "not an image"))
    opened(qtbot, page, out)
    assert tabs(page)[3:] == ["Couldn't be read  1", "Not photos  1"]
    page.sidebar.show_kind(SKIPPED)
    assert shown(page) == [7]
    assert page.panel.details.value("guess") == "Not a photo"
    assert page.panel.details.value("date") == ""  # it was never looked at
    page.sidebar.show_kind(FAILED)
    assert shown(page) == [6]


def test_a_second_window_on_one_folder_is_noticed(qtbot: QtBot, review: ReviewPage, out: Path) -> None:
    with closing(Review.open(out)) as other:
        other.assign([3, 5], "red")
    qtbot.keyClick(review.grid, "2")  # meant for what was shown, and not written
    assert "changed elsewhere" in review.notice.text.text()
    qtbot.waitUntil(lambda: review.status.tally.text().startswith("2 checked"), timeout=TIMEOUT)
    assert said(out) == {3: "red", 5: "red"}
    assert current(review) == 4
    qtbot.keyClick(review.grid, "2")
    assert said(out) == {3: "red", 5: "red", 4: "blue"}
    with closing(Review.open(out)) as other:
        other.assign([1], "blue")
    QGuiApplication.sendEvent(review, QEvent(QEvent.Type.WindowActivate))
    qtbot.waitUntil(lambda: review.status.tally.text().startswith("4 checked"), timeout=TIMEOUT)


# -- the folders ---------------------------------------------------------------------------------------------------


def test_apply_shows_what_it_does_does_it_and_takes_it_back(
    qtbot: QtBot, review: ReviewPage, out: Path
) -> None:
    before = hashes(out)
    review.commands.apply.trigger()
    assert "nothing to move" in review.notice.text.text()
    qtbot.keyClick(review.grid, "2")
    review.commands.apply.trigger()
    (dialog,) = review.findChildren(ApplyDialog)
    assert [dialog.sums.item(0, column).text() for column in range(3)] == ["red", "blue", "1"]  # type: ignore[union-attr]
    assert hashes(out) == before
    dialog.accept()
    assert not review.panel.isEnabled()
    qtbot.waitUntil(lambda: "Photos moved: 1." in review.notice.text.text(), timeout=TIMEOUT)
    qtbot.waitUntil(review.commands.undo_apply.isEnabled, timeout=TIMEOUT)
    assert (out / "blue" / "1 (2).png").exists()
    assert review.panel.details.value("folder").replace("\u200b", "").endswith("/out/blue")  # 5's turn
    review.commands.undo_apply.trigger()
    qtbot.waitUntil(lambda: "Photos moved back" in review.notice.text.text(), timeout=TIMEOUT)
    assert hashes(out) == before
    qtbot.waitUntil(review.panel.isEnabled, timeout=TIMEOUT)
    assert undo(out).restored == 5


def test_export_copies_the_corrected_set(qtbot: QtBot, review: ReviewPage, out: Path, tmp_path: Path) -> None:
    qtbot.keyClick(review.grid, "2")
    assert review.review is not None
    review.work.export(review.review, tmp_path / "set")
    qtbot.waitUntil(lambda: "Photos copied" in review.notice.text.text(), timeout=TIMEOUT)
    rows = {row["review"]: row for row in read_report(tmp_path / "set")}
    assert (rows["corrected"]["said"], rows["corrected"]["label"]) == ("red", "blue")
    qtbot.waitUntil(lambda: not review.work.busy, timeout=TIMEOUT)
    review.work.export(review.review, out / "inside")
    qtbot.waitUntil(lambda: "export to another" in review.notice.text.text(), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: not review.work.busy, timeout=TIMEOUT)


def test_a_run_that_left_photos_where_they_were_says_so(
    qtbot: QtBot, page: ReviewPage, tmp_path: Path
) -> None:
    opened(qtbot, page, make_output(tmp_path / "none", [0.9, 0.2], ActionKind.NONE))
    qtbot.keyClick(page.grid, "2")
    page.commands.apply.trigger()
    assert "Export copies" in page.notice.text.text()


# -- as a whole ----------------------------------------------------------------------------------------------------


def test_a_folder_without_a_journal_gets_a_sentence(qtbot: QtBot, page: ReviewPage, tmp_path: Path) -> None:
    page.open(tmp_path)
    qtbot.waitUntil(page.notice.isVisible, timeout=TIMEOUT)
    assert "wasn't sorted by Sorter" in page.notice.text.text()
    assert page.stack.currentIndex() == EMPTY
    assert not page.commands.apply.isEnabled()
    qtbot.keyClick(page.grid, "1")  # nothing is open, nothing happens


def test_a_folder_that_cannot_be_opened_leaves_the_open_one_as_it_is(
    qtbot: QtBot, review: ReviewPage, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    before = shown(review)
    review.open(tmp_path / "other")
    qtbot.keyClick(review.grid, "2")  # meant for neither
    qtbot.waitUntil(review.notice.isVisible, timeout=TIMEOUT)
    assert "wasn't sorted by Sorter" in review.notice.text.text()
    assert (review.folder, shown(review), said(out)) == (out, before, {})
    qtbot.keyClick(review.grid, "2")
    assert said(out) == {4: "blue"}


def test_a_folder_with_fewer_classes_opens_at_its_most_doubtful(
    qtbot: QtBot, page: ReviewPage, tmp_path: Path
) -> None:
    eight = tuple("abcdefgh")
    opened(qtbot, page, make_folder(tmp_path / "eight", 40, eight))
    page.sidebar.show_kind(7)
    page.sidebar.show_kind(ALL)
    page.grid.go_to(39)
    two = make_folder(tmp_path / "two", 40, ("red", "blue"))
    opened(qtbot, page, two)
    assert page.panel.details.value("guess").startswith(("red", "blue"))
    assert (page.grid.current(), page.sidebar.kind) == (0, ALL)
    page.grid.go_to(30)
    page.sidebar.show_kind(1)
    opened(qtbot, page, two)  # the same again, as after sorting again
    assert (page.grid.current(), page.sidebar.kind) == (0, ALL)


def test_a_long_name_does_not_widen_the_page(qtbot: QtBot, page: ReviewPage, tmp_path: Path) -> None:
    out = make_output(tmp_path / ("x" * 200), [0.9])
    opened(qtbot, page, out)
    page.notice.say("y" * 400)
    assert page.minimumSizeHint().width() < 1000


def test_every_control_has_a_name_and_is_reached_by_keyboard(review: ReviewPage) -> None:
    kinds = (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QSlider, PhotoGrid)
    controls = [each for kind in kinds for each in review.findChildren(kind) if each.isVisibleTo(review)]
    inner = [each for each in controls if isinstance(each.parent(), (QAbstractSpinBox, QComboBox))]
    inner += [each for each in controls if each.objectName().startswith("qt_")]
    own = [each for each in controls if each not in inner and not isinstance(each.parent(), QLineEdit)]
    assert len(own) > 12
    for control in own:
        assert control.accessibleName(), control
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.accessibleName()


def test_the_sheet_lists_every_shortcut_of_the_page(qtbot: QtBot, review: ReviewPage) -> None:
    sheet = ShortcutsSheet([("1, R", "Mark as red")])
    qtbot.addWidget(sheet)
    from PySide6.QtWidgets import QLabel

    text = " ".join(label.text() for label in sheet.findChildren(QLabel))
    for action in review.commands.children():
        shortcut = getattr(action, "shortcut", None)
        if shortcut is not None and shortcut().toString():
            assert shortcut().toString() in text, shortcut().toString()
    assert "Mark as red" in text


def test_the_grid_finds_places_by_arithmetic(qtbot: QtBot, review: ReviewPage, tmp_path: Path) -> None:
    """Scrolling, resizing and jumping through more photos than fit."""
    assert review.review is not None
    table = review.review.table
    many = 5000
    for name, column in vars(table).items():
        if isinstance(column, np.ndarray):
            setattr(table, name, np.resize(column, many))
    table.id, table.failures = np.arange(many), {}
    table.source, table.destination = table.source[:1] * many, table.destination[:1] * many
    grid = review.grid
    grid.photos.show(table)
    grid.go_to(0)
    qtbot.keyClick(grid, Key.Key_End)
    assert grid.current() == many - 1
    assert many - 1 in grid.visible()
    assert len(grid.visible()) < 100
    rect = grid.visualRect(grid.photos.index(many - 1))
    assert grid.viewport().rect().contains(rect)
    assert grid.indexAt(rect.center()).row() == many - 1
    assert not grid.indexAt(QPoint(-5, -5)).isValid()
    qtbot.keyClick(grid, Key.Key_PageUp)
    assert many - 100 < (grid.current() or 0) < many - 1
    before = grid.columns()
    grid.set_side(100)
    assert grid.columns() > before
    assert grid.verticalScrollBar().maximum() > 0
    grid.selectAll()
    assert len(grid.selected()) == many


def test_the_current_photo_is_meant_where_none_is_selected(
    qtbot: QtBot, review: ReviewPage, out: Path
) -> None:
    review.grid.clearSelection()
    assert current(review) == 4
    qtbot.keyClick(review.grid, "2")
    assert said(out) == {4: "blue"}
