"""The window's frame: what stays in every view, what folds, what is kept, and what the desktop is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSlider
from pytestqt.qtbot import QtBot
from support.commands import hashes
from support.photos import RED, make_photo
from support.sorted_folder import make_output

from sorter.gui.__main__ import open_window
from sorter.gui.parts.desktop import Desktop
from sorter.gui.parts.entries import DUPLICATES, OPEN, SIMILAR
from sorter.gui.parts.models import Order
from sorter.gui.parts.one_instance import OneInstance
from sorter.gui.parts.preferences import Preferences
from sorter.gui.parts.session import Session
from sorter.gui.parts.theme import Theme
from sorter.gui.settings import Settings
from sorter.gui.tasks import Advanced, Began
from sorter.gui.window import Window
from sorter.sort.review import Review

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 60_000  # ms
Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def window(qtbot: QtBot, settings: Settings) -> Iterator[Window]:
    window = Window(settings)
    qtbot.addWidget(window)
    window.resize(1280, 720)
    window.show()
    yield window
    window.close()


def opened(qtbot: QtBot, window: Window, out: Path) -> Window:
    with qtbot.waitSignal(window.review_page.changed, timeout=TIMEOUT):
        window.open_folder(out)
    return window


def test_the_parts_fold_where_there_is_little_room(qtbot: QtBot, window: Window, out: Path) -> None:
    opened(qtbot, window, out)
    page = window.review_page
    for width, narrow, inspector in (
        (1280, False, True),
        (1090, False, False),
        (1000, False, False),
        (880, True, False),
    ):
        qtbot.wait(50)  # what folded leaves its room only then
        window.resize(width, 720)
        qtbot.waitUntil(lambda width=width: window.width() == width, timeout=TIMEOUT)
        assert page.sidebar.narrow is narrow
        assert page.panel.isVisible() is inspector
    window.resize(1280, 720)
    page.commands.inspector.trigger()
    assert not page.panel.isVisible()
    assert not Settings(Path(window.settings.file)).inspector
    page.commands.inspector.trigger()
    assert page.panel.isVisible()


def test_nothing_is_cut_off_at_1280_by_720(qtbot: QtBot, window: Window, out: Path) -> None:
    opened(qtbot, window, out)
    assert window.minimumSizeHint().width() <= 1280
    assert window.minimumSizeHint().height() <= 720
    kinds = (QAbstractButton, QComboBox, QLineEdit, QSlider)
    for control in [each for kind in kinds for each in window.findChildren(kind) if each.isVisible()]:
        inside = any(
            control.window() is not window or area.isAncestorOf(control)
            for area in (window.review_page.panel,)
        )
        corner = control.mapTo(window, control.rect().bottomRight()) if control.window() is window else None
        if corner is not None and not inside:
            assert window.rect().contains(corner), control.accessibleName()
            assert control.width() >= min(control.minimumSizeHint().width(), control.maximumWidth()), (
                control.accessibleName()
            )


def test_every_control_of_the_frame_has_a_name(qtbot: QtBot, window: Window, out: Path) -> None:
    opened(qtbot, window, out)
    for part in (window.top, window.review_page.status, window.review_page.sidebar):
        for button in part.findChildren(QAbstractButton):
            if button.objectName().startswith("qt_") or isinstance(button.parent(), QLineEdit):
                continue
            assert button.accessibleName(), button
            assert button.focusPolicy() & Qt.FocusPolicy.TabFocus, button.accessibleName()


def test_one_button_is_the_next_step(qtbot: QtBot, window: Window, out: Path) -> None:
    window.show_page(window.review_page)
    assert window.top.next.text() == "Sort photos"
    opened(qtbot, window, out)
    page = window.review_page
    assert window.top.next.text() == "Confirm 5"
    qtbot.keyClick(page.grid, "2")  # 4 is blue
    assert window.top.next.text() == "Move 1..."
    page.commands.undo.trigger()
    qtbot.mouseClick(window.top.next, LEFT)
    assert page.status.tally.text() == "5 checked, 0 changed, 0 to go"
    assert window.top.next.text() == "Improve model..."
    assert window.windowTitle() == "100 % – out – Sorter"
    assert page.status.share == 100


def test_the_folder_menu_knows_the_others(qtbot: QtBot, window: Window, out: Path, tmp_path: Path) -> None:
    window.folders.fill()
    assert "No folder was sorted yet" in [action.text() for action in window.folders.actions()]
    other = make_output(tmp_path / "b" / "other", [0.9])
    opened(qtbot, window, other)
    opened(qtbot, window, out)
    assert window.top.folder.text() == "out"
    assert window.top.folder.toolTip() == str(out)
    window.folders.fill()
    texts = {action.text().replace("&", ""): action for action in window.folders.actions()}
    assert {"Continue sorting", "Put everything back...", "Export...", "Remove from this list"} <= set(texts)
    with qtbot.waitSignal(window.review_page.opened, timeout=TIMEOUT):
        texts["1  b / other"].trigger()
    assert window.review_page.folder == other
    window.folders.fill()
    texts = {action.text().replace("&", ""): action for action in window.folders.actions()}
    texts["Remove from this list"].trigger()
    assert window.settings.recent == [out]


def test_a_long_folder_name_does_not_widen_the_window(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    out = make_output(tmp_path / ("x" * 200), [0.9])
    opened(qtbot, window, out)
    assert "…" in window.top.folder.text()
    assert window.top.folder.toolTip() == str(out)
    assert window.minimumSizeHint().width() < 1000


def test_other_views_come_up_beside_the_sidebar(qtbot: QtBot, window: Window, out: Path) -> None:
    opened(qtbot, window, out)
    sidebar = window.review_page.sidebar
    qtbot.mouseClick(sidebar.list.viewport(), LEFT, pos=sidebar.list.rect_of(DUPLICATES).center())
    assert window.pages.currentWidget() is window.clean_page
    assert sidebar.isVisible()
    qtbot.mouseClick(sidebar.list.viewport(), LEFT, pos=sidebar.list.rect_of(OPEN).center())
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.review_page, timeout=TIMEOUT)
    assert window.review_page.header.title.text() == "To check · 5 photos"
    qtbot.mouseClick(sidebar.card.improve, LEFT)
    assert window.pages.currentWidget() is window.retrain_page
    assert not window.top.next.isVisible()  # the view has a coloured button of its own
    window.review_page.commands.grid_view.trigger()
    assert window.pages.currentWidget() is window.review_page
    assert window.top.next.isVisible()


def test_what_a_search_found_stands_at_the_side(
    qtbot: QtBot, window: Window, tmp_path: Path, out: Path
) -> None:
    opened(qtbot, window, out)
    photo = make_photo(tmp_path / "twice" / "a.jpg", RED, (96, 64))
    (tmp_path / "twice" / "b.jpg").write_bytes(photo.read_bytes())
    clean = window.clean_page
    clean.folder.setText(str(tmp_path / "twice"))
    clean.search()
    qtbot.waitUntil(lambda: clean.findings is not None and not clean.busy, timeout=TIMEOUT)
    counts = {each.kind: each.count for each in window.review_page.sidebar.list.entries.entries}
    assert (counts[DUPLICATES], counts[SIMILAR]) == (1, 0)


def test_a_job_is_shown_below_every_view(qtbot: QtBot, window: Window, out: Path) -> None:
    opened(qtbot, window, out)
    page, line = window.review_page, window.review_page.status.line
    told: list[dict[str, Any]] = []
    window.desktop._send = told.append
    qtbot.keyClick(page.grid, "2")
    page.on_folder.work.apply(out, 1)
    assert line.isVisible()
    before = page.grid.geometry()
    window.show_page(window.start_page)
    assert line.isVisible()
    assert line.cancel_button.accessibleName() == "Cancel"
    qtbot.mouseClick(line.pause_button, LEFT)
    assert line.pause_button.accessibleName() == "Continue"
    qtbot.mouseClick(line.pause_button, LEFT)
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    assert not line.isVisible()
    assert page.grid.geometry() == before
    assert "Photos moved: 1." in page.notice.text.text()
    if told:  # the job was slow enough to be seen
        assert told[-1] == {"progress": 0.0, "progress-visible": False}


def test_the_desktop_is_told_of_progress() -> None:
    told: list[dict[str, Any]] = []
    desktop = Desktop(told.append)
    desktop.show_progress(Began("moving", 10))
    desktop.show_progress(Advanced(1, None, 0.0, None))
    assert told == []
    for done in (1, 1, 5):
        desktop.show_progress(Advanced(done, 10, 1.0, 9.0))
    desktop.end()
    desktop.end()
    assert told == [
        {"progress": 0.1, "progress-visible": True},
        {"progress": 0.5, "progress-visible": True},
        {"progress": 0.0, "progress-visible": False},
    ]
    assert isinstance(Desktop().notify("a", "b"), bool)  # without a desktop nothing happens


def test_only_the_photo_on_the_whole_screen(qtbot: QtBot, window: Window, out: Path) -> None:
    opened(qtbot, window, out)
    page = window.review_page
    parts = (window.top, page.sidebar, page.status, page.panel, page.header)
    page.commands.photo_only.trigger()
    assert page.stack.previewing
    assert not any(part.isVisible() for part in parts)
    assert window.isFullScreen()
    page.commands.photo_only.trigger()
    assert all(part.isVisible() for part in parts)
    assert not window.isFullScreen()


def test_the_place_is_kept_from_one_start_to_the_next(
    qtbot: QtBot, settings: Settings, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.setswitchinterval", lambda seconds: None)
    first = open_window(None, settings)
    qtbot.addWidget(first)
    assert first.pages.currentWidget() is first.start_page
    opened(qtbot, first, out)
    page = first.review_page
    page.sidebar.show_kind(0)
    page.filters.order.setCurrentIndex(page.filters.order.findData(Order.LOWEST))
    page.filters.low.setValue(10)
    page.grid.go_to(1)
    wanted = page.grid.photos.ids([1])
    first.close()
    second = open_window(None, Settings(Path(settings.file)))
    qtbot.addWidget(second)
    page = second.review_page
    qtbot.waitUntil(lambda: page.folder == out, timeout=TIMEOUT)
    assert page.sidebar.kind == 0
    assert page.filters.order.currentData() is Order.LOWEST
    assert page.filters.low.value() == 10
    assert page.grid.photos.ids([page.grid.current() or 0]) == wanted
    second.close()


@pytest.mark.parametrize(
    "kept", ["", "{", "[]", '{"folder": 5}', '{"order": "other"}', '{"photo": "x"}', "null"]
)
def test_a_damaged_place_reads_as_none(settings: Settings, kept: str) -> None:
    settings.session = kept
    session = Session.kept(settings)
    assert session.order == "doubt"
    if kept != '{"folder": 5}':
        assert session.path is None


def test_a_second_start_hands_its_folder_to_the_first(qtbot: QtBot, settings: Settings, out: Path) -> None:
    first, second = OneInstance(settings), OneInstance(settings)
    assert first.claim(None)
    with qtbot.waitSignal(first.asked, timeout=TIMEOUT) as asked:
        assert not second.claim(out)
    assert asked.args == [out]
    with qtbot.waitSignal(first.asked, timeout=TIMEOUT) as asked:
        assert not second.claim(None)
    assert asked.args == [Path()]
    first.close()
    assert second.claim(None)  # the first is gone
    second.close()


def test_preferences_take_effect_at_once(qtbot: QtBot, window: Window, out: Path) -> None:
    opened(qtbot, window, out)
    page = window.review_page
    qtbot.keyClick(page.grid, "b")  # letters are no keys unless somebody wants them
    with closing(Review.open(out)) as review:
        assert review.corrections() == []
    window.show_preferences()
    (dialog,) = window.findChildren(Preferences)
    dialog.letters.setChecked(True)
    dialog.theme.setCurrentIndex(dialog.theme.findData(Theme.DARK))
    dialog.size_slider.setValue(200)
    assert (window.settings.theme, window.settings.letter_keys) == ("dark", True)
    assert window.settings.thumbnail_size == 200
    assert page.grid.keys == {"1": 0, "2": 1, "r": 0, "b": 1}
    dialog.reject()
    qtbot.keyClick(page.grid, "b")
    with closing(Review.open(out)) as review:
        assert [each.right for each in review.corrections()] == ["blue"]
    window.appearance.choose(Theme.SYSTEM)


def test_the_copied_path_is_that_of_the_photo(qtbot: QtBot, window: Window, out: Path) -> None:
    opened(qtbot, window, out)
    before = hashes(out)
    window.review_page.panel.file_buttons[1].click()
    assert Path(QGuiApplication.clipboard().text()).is_relative_to(out)
    assert hashes(out) == before
