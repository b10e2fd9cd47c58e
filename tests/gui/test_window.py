"""The window as a whole: its menus and pages, and the whole loop on a display that is really one."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import PySide6
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDropEvent, QPalette
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot
from support.photos import BLUE, RED, make_photo
from support.retraining import PURPLE
from support.sorted_folder import make_output

from sorter.cli import main
from sorter.gui.__main__ import open_window
from sorter.gui.parts.theme import contrast
from sorter.gui.settings import Settings
from sorter.gui.window import Window
from sorter.sort.review import Review

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 60_000  # ms


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    window = Window(Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


def menu_actions(window: Window) -> dict[str, QAction]:
    found = {}
    for menu in window.menuBar().actions():
        inner = menu.menu()
        assert inner is not None
        for action in inner.actions():  # type: ignore[attr-defined]
            if not action.isSeparator():
                found[action.text().replace("&", "")] = action
    return found


def test_opens_a_folder_on_every_page_and_remembers_it(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.4])
    with qtbot.waitSignal(window.review_page.changed, timeout=TIMEOUT):
        window.open_folder(out)
    assert window.pages.currentWidget() is window.review_page
    assert window.windowTitle() == "out – Sorter"
    assert window.settings.recent == [out]
    window.review_page.assign(1)
    with closing(Review.open(out)) as other:
        assert len(other.corrections()) == 1
    window.menus.going["start"].trigger()
    assert window.pages.currentWidget() is window.start_page
    assert window.windowTitle() == "Sorter"
    window.review_page.retrain_wanted.emit(out)
    assert window.pages.currentWidget() is window.retrain_page


def test_starts_on_its_start_page_or_with_a_folder(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "setswitchinterval", lambda seconds: None)
    out = make_output(tmp_path / "out", [0.9])
    for folder in (None, out):
        window = open_window(folder, Settings(tmp_path / "settings.ini"))
        qtbot.addWidget(window)
        assert window.isVisible()
        assert window.pages.currentWidget() is (window.start_page if folder is None else window.review_page)
        window.close()


def test_what_makes_no_sense_yet_is_disabled_and_shortcuts_are_unique(window: Window) -> None:
    actions = menu_actions(window)
    for text in ("Undo", "Move photos...", "Export...", "Improve model...", "Confirm", "Confirm all 0 shown"):
        assert not actions[text].isEnabled(), text
    for text in ("Open results...", "Keyboard shortcuts", "Quit"):
        assert actions[text].isEnabled(), text
    keys = [key.toString() for action in actions.values() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_pages_without_a_folder_say_what_to_do(window: Window) -> None:
    window.show_page(window.review_page)
    assert "Open a folder" in window.review_page.empty.text.text()
    assert window.review_page.empty.text.isVisible()


def test_text_and_background_follow_the_palette(window: Window) -> None:
    """Nothing but the labels' shapes and the photos' own ground has colours of its own, so both themes can be read."""
    page = window.review_page
    photos = [page.stack, *page.stack.findChildren(QWidget)]  # on dark in both themes
    for widget in page.findChildren(QWidget):
        assert widget in photos or "color" not in widget.styleSheet(), widget
    active, role = QPalette.ColorGroup.Active, QPalette.ColorRole
    for part in (page.grid, page.panel, page.sidebar.list, page.filters.name):
        text, base = (part.palette().color(active, each).name() for each in (role.Text, role.Base))
        assert contrast(text, base) >= 4.5, part


def test_a_run_that_ends_does_not_pull_another_page_away(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    first, second = (
        make_output(tmp_path / "a" / "out", [0.9, 0.4]),
        make_output(tmp_path / "b" / "new", [0.8]),
    )
    with qtbot.waitSignal(window.review_page.changed, timeout=TIMEOUT):
        window.open_folder(first)
    window.start_page.run_finished.emit(second)  # it was sorted meanwhile
    window.start_page.run_ended.emit(second)
    assert window.pages.currentWidget() is window.review_page
    assert window.notice.isVisible()
    assert window.notice.text.text() == "new is sorted."
    qtbot.wait(50)
    assert window.review_page.folder == first
    qtbot.mouseClick(window.notice.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.review_page.folder == second, timeout=TIMEOUT)
    assert window.pages.currentWidget() is window.review_page
    assert not window.notice.isVisible()
    window.show_page(window.start_page)  # whoever waits there for a run sees its photos
    window.start_page.run_finished.emit(first)
    qtbot.waitUntil(lambda: window.review_page.folder == first, timeout=TIMEOUT)
    assert window.pages.currentWidget() is window.review_page


def test_a_run_over_the_folder_under_review_shows_it_anew(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.4])
    with qtbot.waitSignal(window.review_page.changed, timeout=TIMEOUT):
        window.open_folder(out)
    before = window.review_page.review
    window.start_page.run_ended.emit(out)  # stopped in the middle, with rows that are others now
    qtbot.waitUntil(lambda: window.review_page.review is not before, timeout=TIMEOUT)
    assert window.review_page.folder == out


def test_a_folder_that_is_no_run_is_not_remembered(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    window.open_folder(tmp_path)
    qtbot.waitUntil(window.review_page.notice.isVisible, timeout=TIMEOUT)
    assert "wasn't sorted by Sorter" in window.review_page.notice.text.text()
    assert "wasn't sorted by Sorter" not in window.review_page.empty.text.text()  # once is enough
    assert window.settings.recent == []


def test_a_folder_dropped_on_any_page_is_to_be_sorted(window: Window, tmp_path: Path) -> None:
    window.show_page(window.review_page)
    (tmp_path / "photos").mkdir()

    def drop(path: Path) -> bool:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        event = QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        event.setAccepted(False)
        window.dropEvent(event)
        return event.isAccepted()

    assert not drop(make_photo(tmp_path / "one.png", RED))
    assert window.pages.currentWidget() is window.review_page
    assert drop(tmp_path / "photos")
    assert window.pages.currentWidget() is window.start_page
    assert window.start_page.form.photos.text() == str(tmp_path / "photos")


@pytest.mark.parametrize("answer", ["Use for new folders", "Throw away", "Cancel"])
def test_a_new_model_that_nobody_decided_on_is_asked_about(
    window: Window, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    page = window.retrain_page
    kept: list[str] = []
    monkeypatch.setattr(type(page), "undecided", property(lambda _: not kept))
    monkeypatch.setattr(page, "keep", lambda: kept.append("Use for new folders"))
    monkeypatch.setattr(page, "discard_now", lambda: kept.append("Throw away"))

    def press(box: QMessageBox) -> int:
        (button,) = [each for each in box.buttons() if each.text().replace("&", "") == answer]
        button.click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press)
    window.close()
    assert window.isVisible() == (answer == "Cancel")
    assert kept == ([] if answer == "Cancel" else [answer])
    kept.append("so that it closes at the end")


def test_full_screen_comes_back_to_a_maximized_window(window: Window) -> None:
    window.showMaximized()
    full = menu_actions(window)["Full screen"]
    full.trigger()
    assert window.isFullScreen()
    full.trigger()
    assert window.isMaximized()
    assert not window.isFullScreen()


def test_the_command_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main(["gui", str(tmp_path)]) == 1
    assert "holds no journal" in capsys.readouterr().err
    if sys.platform.startswith("linux"):
        assert main(["gui"]) == 1
        assert "there is no display to show a window on" in capsys.readouterr().err
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "PySide6" else found(name, *more)
    )
    assert main(["gui"]) == 1
    assert 'pip install "sorter-photos[gui]"' in capsys.readouterr().err


@pytest.fixture
def display() -> Iterator[str]:
    """A display of our own; needs the X server without a screen and the libraries of Qt's plugin for it."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("Xvfb is not installed")
    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        pytest.skip(f"Qt's X11 plugin cannot be loaded: {error}")
    read, write = os.pipe()
    process = subprocess.Popen(
        [server, "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as file:
            number = file.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.timeout(600)  # it trains
def test_the_whole_loop_on_a_display(display: str, tmp_path: Path, model: Path) -> None:
    for number in range(16):
        make_photo(tmp_path / "in" / f"red{number}.jpg", RED, seed=number)
        make_photo(tmp_path / "in" / f"blue{number}.jpg", BLUE, seed=100 + number)
    for number in range(12):
        make_photo(tmp_path / "in" / f"purple{number}.jpg", PURPLE, seed=200 + number)
    driver = Path(__file__).parents[1] / "support" / "drive_window.py"
    done = subprocess.run(
        [sys.executable, driver, tmp_path / "in", model, tmp_path / "out"],
        env=os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    platform, learned = done.stdout.split()
    assert platform == "xcb"
    assert int(learned) > 6
