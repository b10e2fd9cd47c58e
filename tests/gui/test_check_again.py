"""Marks that look wrong stand as “Check again” at the side, and only they are shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from support.sorted_folder import make_output

from sorter.gui.parts.entries import AGAIN, ALL
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


def texts(window: Window) -> list[str]:
    return [entry.text for entry in window.review_page.sidebar.list.entries.entries]


def test_only_they_are_shown_until_another_folder_is_open(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    out = make_output(tmp_path / "out", [0.99, 0.8, 0.1, 0.55, 0.3])
    with closing(Review.open(out)) as review:
        review.confirm([each.id for each in review.photos()])
    page = window.review_page
    with qtbot.waitSignal(page.opened, timeout=TIMEOUT):
        window.open_folder(out)
    assert "Check again" not in texts(window)
    assert page.review is not None
    ids = [int(page.review.table.id[1]), int(page.review.table.id[3])]
    window.show_page(window.retrain_page)
    window.retrain_page.check_again_wanted.emit(ids)
    assert window.pages.currentWidget() is page
    assert page.sidebar.kind == AGAIN
    assert sorted(page.grid.photos.ids(range(page.grid.photos.rowCount()))) == ids
    page.sidebar.show_kind(ALL)
    assert page.grid.photos.rowCount() == len(page.review.table)
    assert "Check again" in texts(window)

    with qtbot.waitSignal(page.opened, timeout=TIMEOUT):
        window.open_folder(make_output(tmp_path / "other", [0.9, 0.1]))
    assert "Check again" not in texts(window)
    assert page.grid.photos.rowCount() == len(page.review.table)
