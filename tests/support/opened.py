"""A review page with a folder open."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from sorter.gui.pages.review import ReviewPage

TIMEOUT = 60_000  # ms


def opened(qtbot: QtBot, page: ReviewPage, out: Path) -> ReviewPage:
    with qtbot.waitSignal(page.changed, timeout=TIMEOUT):
        page.open(out)
    page.grid.setFocus()
    return page
