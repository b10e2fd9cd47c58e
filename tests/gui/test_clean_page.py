"""The page that finds broken files and duplicates: compare, choose, set apart, put back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from damage import encode, picture
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QListWidget
from pytestqt.qtbot import QtBot
from support.cleaning import put
from support.commands import hashes
from support.photos import RED

from sorter.engines.choice import EngineOptions
from sorter.gui.pages.clean import CleanPage
from sorter.gui.settings import Settings
from sorter.gui.worker import Jobs
from sorter.sort.options import SortOptions
from sorter.sort.run import sort_folder

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 120_000  # ms


@pytest.fixture
def page(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> CleanPage:
    page = CleanPage(jobs, Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(page)
    page.show()
    return page


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two exact copies, two that look alike, one broken, one of its own."""
    folder = tmp_path / "photos"
    image = picture(0, 640, 480)
    put(folder / "large.png", encode(image, "PNG"))
    put(folder / "small.png", encode(image.resize((320, 240)), "PNG"))
    put(folder / "a.png", encode(picture(1, 320, 240), "PNG"))
    shutil.copy(folder / "a.png", folder / "b.png")
    put(folder / "own.png", encode(picture(2, 320, 240), "PNG"))
    put(folder / "broken.jpg", encode(picture(3, 320, 240), "JPEG")[:2000])
    return folder


def wait(qtbot: QtBot, page: CleanPage) -> None:
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)


def lines(page: CleanPage) -> list[str]:
    return [page.list.item(row).text() for row in range(page.list.count())]


def names(page: CleanPage) -> set[str]:
    return {path.name for path in page.chosen}


def test_copies_are_compared_set_apart_and_put_back(qtbot: QtBot, page: CleanPage, photos: Path) -> None:
    before = hashes(photos)
    page.open(photos)
    qtbot.waitUntil(lambda: page.folder.text() == str(photos), timeout=TIMEOUT)
    page.search_button.click()
    assert page.progress.isVisible()
    wait(qtbot, page)
    assert hashes(photos) == before
    assert "1 broken, 1 identical, 1 similar" in page.summary.text()
    # Exact copies and what is broken go; of what only looks alike a person says.
    assert lines(page) == [
        "2 identical: a.png · remove 1",
        "2 similar: large.png · keep both",
        "broken.jpg: The file is incomplete · remove",
    ]
    assert names(page) == {"b.png", "broken.jpg"}

    page.list.setCurrentRow(1)
    large, small = page.compare.cards
    assert (large.file.path.name, small.file.path.name) == ("large.png", "small.png")
    qtbot.waitUntil(lambda: not large.picture.image.isNull(), timeout=TIMEOUT)
    large.stays.click()  # against sorter's own choice
    assert names(page) == {"b.png", "broken.jpg", "large.png"}
    small.stays.click()
    assert "One copy has to stay" in page.notice.text.text()
    assert small.stays.isChecked()
    page.best_button.click()
    assert (large.stays.isChecked(), small.stays.isChecked()) == (True, False)
    page.all_button.click()
    assert names(page) == {"b.png", "broken.jpg"}
    large.stays.click()

    # By keys: X turns over, Enter keeps the best, and both pictures are zoomed together.
    page.compare.setFocus()
    qtbot.keyClick(page.compare, Qt.Key.Key_X)
    assert large.stays.isChecked()
    qtbot.keyClick(page.compare, Qt.Key.Key_Right)
    assert (large.active, small.active) == (False, True)
    qtbot.keyClick(page.compare, Qt.Key.Key_X)
    assert not small.stays.isChecked()
    qtbot.keyClick(page.compare, Qt.Key.Key_X)
    qtbot.keyClick(page.compare, Qt.Key.Key_Return)
    assert (large.stays.isChecked(), small.stays.isChecked()) == (True, False)
    qtbot.waitUntil(lambda: not small.picture.image.isNull(), timeout=TIMEOUT)
    qtbot.keyClick(page.compare, Qt.Key.Key_Z)
    assert not large.picture.fits
    assert not small.picture.fits
    small.stays.click()
    large.stays.click()

    page.go_button.click()
    wait(qtbot, page)
    assert {each.name for each in photos.iterdir() if each.is_file()} == {"a.png", "small.png", "own.png"}
    quarantine = photos / "Set aside by Sorter"
    assert set(hashes(quarantine)) >= {"b.png", "large.png", "broken.jpg"}
    assert "holds 3 files" in page.notice.text.text()
    assert "nothing is wrong" in page.summary.text()
    assert page.report_button.isVisible()

    page.undo_button.click()
    wait(qtbot, page)
    assert hashes(photos) == before
    assert not quarantine.exists()
    assert [each.name for each in photos.parent.iterdir() if each.name.startswith(photos.name)] == [
        photos.name
    ]
    assert "3 files are back" in page.notice.text.text()
    assert len(lines(page)) == 3


def test_a_copy_that_changed_meanwhile_stays(qtbot: QtBot, page: CleanPage, photos: Path) -> None:
    page.folder.setText(str(photos))
    page.search()
    wait(qtbot, page)
    put(photos / "b.png", encode(picture(9, 320, 240), "PNG"))
    page.quarantine()
    wait(qtbot, page)
    assert {"a.png", "b.png"} <= set(hashes(photos))
    assert not (photos / "broken.jpg").exists()


def test_what_a_sorted_folder_came_from_is_proposed(
    qtbot: QtBot, page: CleanPage, tmp_path: Path, model: Path
) -> None:
    Image.new("RGB", (64, 64), RED).save(put(tmp_path / "in" / "1.png", b""))
    run = SortOptions(
        (tmp_path / "in",), tmp_path / "out", model, engine=EngineOptions("onnx", "fp32"), workers=1
    )
    sort_folder(run)
    page.open(tmp_path / "out")
    qtbot.waitUntil(lambda: page.folder.text() == str(tmp_path / "in"), timeout=TIMEOUT)


def test_nothing_wrong_and_no_folder_are_sentences(qtbot: QtBot, page: CleanPage, tmp_path: Path) -> None:
    assert "Nothing is touched before you say so" in page.summary.text()
    page.search()
    assert "Choose a folder" in page.notice.text.text()
    page.folder.setText(str(tmp_path / "nowhere"))
    page.search()
    wait(qtbot, page)
    assert "no such file or folder" in page.notice.text.text()
    assert not page.go_button.isVisible()


def test_every_control_has_a_name_and_takes_the_keyboard(page: CleanPage) -> None:
    controls = [
        each for kind in (QAbstractButton, QLineEdit, QListWidget) for each in page.findChildren(kind)
    ]
    found = [each for each in controls if type(each.parent()).__name__ != "QLineEdit"]
    assert len(found) >= 9
    for each in found:
        assert each.accessibleName(), each
        assert each.focusPolicy() & Qt.FocusPolicy.TabFocus, each.accessibleName()
