"""Putting everything back from the window: a question, progress, what stays, and a disk that is full."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from support.commands import hashes
from support.sorted_folder import make_output

from sorter.gui.pages.review import ReviewPage
from sorter.gui.pages.start import StartPage
from sorter.gui.parts.put_back import LeftDialog
from sorter.gui.parts.thumbnails import Store
from sorter.gui.settings import Settings
from sorter.gui.worker import Jobs
from sorter.types import ActionKind

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 120_000  # ms


@pytest.fixture
def start(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> StartPage:
    page = StartPage(jobs, Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(page)
    page.show()
    return page


def choose(qtbot: QtBot, page: StartPage, out: Path) -> None:
    """Have a folder in Recent, chosen."""
    page._settings.remember(out)
    page.refresh()
    found = page.recent.list
    qtbot.waitUntil(lambda: found.count() > 0 and found.item(0).toolTip() == str(out), timeout=TIMEOUT)


def question(page: StartPage | ReviewPage) -> QMessageBox:
    return page.findChildren(QMessageBox)[-1]


def press(qtbot: QtBot, box: QMessageBox, text: str) -> None:
    (button,) = [each for each in box.buttons() if text in each.text().replace("&", "")]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_moved_photos_are_put_back_from_recent(qtbot: QtBot, start: StartPage, tmp_path: Path) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.2, 0.7], ActionKind.MOVE)
    photos = hashes(out)
    choose(qtbot, start, out)
    actions = [each.text().replace("&", "") for each in start.recent.menu().actions()]
    assert "Put everything back..." in actions
    start.recent.put_back_button.click()
    box = question(start)
    assert box.text() == f"Move 3 photos back to {tmp_path / 'in'}?"
    press(qtbot, box, "Cancel")
    assert not start.busy
    start.recent.put_back_button.click()
    press(qtbot, question(start), "Put back")
    assert start.busy
    assert start.progress.isVisible()
    qtbot.waitUntil(lambda: not start.busy, timeout=TIMEOUT)
    assert start.notice.text.text() == "3 photos are back where they were. Your marks are kept."
    assert set(hashes(tmp_path / "in").values()) == set(photos.values())
    found = start.recent.list
    qtbot.waitUntil(lambda: found.count() > 0 and "Undone" in found.item(0).text(), timeout=TIMEOUT)
    assert start.recent.put_back_button.isHidden()


@pytest.mark.parametrize("action", [ActionKind.COPY, ActionKind.HARDLINK, ActionKind.SYMLINK])
def test_copies_and_links_are_removed(
    qtbot: QtBot, start: StartPage, tmp_path: Path, action: ActionKind
) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.2], action)
    before = hashes(tmp_path / "in")
    choose(qtbot, start, out)
    start.recent.put_back_button.click()
    what = "copies" if action is ActionKind.COPY else "links"
    assert question(start).text() == f"Remove 2 {what} from {out}?"
    press(qtbot, question(start), "Put back")
    qtbot.waitUntil(lambda: not start.busy, timeout=TIMEOUT)
    assert not list(out.glob("*/*.png"))
    assert hashes(tmp_path / "in") == before


def test_photos_that_were_not_touched_offer_nothing(qtbot: QtBot, start: StartPage, tmp_path: Path) -> None:
    choose(qtbot, start, make_output(tmp_path / "out", [0.9], ActionKind.NONE))
    assert start.recent.put_back_button.isHidden()


def test_what_could_not_be_put_back_is_listed(qtbot: QtBot, start: StartPage, tmp_path: Path) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.2], ActionKind.MOVE)
    (tmp_path / "in" / "0" / "0.png").write_text("another file took its place")
    choose(qtbot, start, out)
    start.recent.put_back_button.click()
    press(qtbot, question(start), "Put back")
    qtbot.waitUntil(lambda: not start.busy, timeout=TIMEOUT)
    assert "1 could not be put back" in start.notice.text.text()
    (dialog,) = start.findChildren(LeftDialog)
    assert dialog.isVisible()
    item = dialog.table.item(0, 0)
    assert item is not None
    assert item.text() == str(out / "red" / "0.png")
    assert (out / "red" / "0.png").exists()


def test_a_folder_under_review_is_put_back_from_the_menu(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.2], ActionKind.MOVE)
    page = ReviewPage(jobs, Settings(tmp_path / "settings.ini"), store=Store(tmp_path / "thumbnails.db"))
    qtbot.addWidget(page)
    page.show()
    with qtbot.waitSignal(page.opened, timeout=TIMEOUT):
        page.open(out)
    page.assign(1)
    page.commands.put_back.trigger()
    qtbot.waitUntil(lambda: bool(page.findChildren(QMessageBox)), timeout=TIMEOUT)
    press(qtbot, question(page), "Put back")
    qtbot.waitUntil(lambda: "2 photos are back" in page.notice.text.text(), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: not page.busy and not page.commands.put_back.isEnabled(), timeout=TIMEOUT)
    assert page.status.tally.text().startswith("1 checked")
    assert len(list((tmp_path / "in").rglob("*.png"))) == 2
    page.close_folder()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    given = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if subprocess.run(given, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount, and not in every container")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system has no such call")
def test_a_full_disk_is_put_back_from_the_window(
    qtbot: QtBot, start: StartPage, small_disk: Path, tmp_path: Path
) -> None:
    """Recent is read, the question is asked and the photos go back, with no byte left on the disk."""
    from sorter.output.journal.reserve import keep_room

    out = make_output(small_disk / "out", [0.9, 0.2, 0.7, 0.4], ActionKind.MOVE)
    photos = set(hashes(out).values())
    keep_room(out)
    with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="space"):
        while True:
            filler.write(b"x" * 4096)
    choose(qtbot, start, out)
    assert not start.recent.put_back_button.isHidden(), start.recent.list.item(0).text()
    start.recent.put_back_button.click()
    press(qtbot, question(start), "Put back")
    qtbot.waitUntil(lambda: not start.busy, timeout=TIMEOUT)
    assert start.notice.text.text().startswith("4 photos are back"), start.notice.text.text()
    assert set(hashes(small_disk / "in").values()) >= photos
