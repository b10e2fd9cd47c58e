"""Export asks which photos, and where to: a new folder, or an empty one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from support.commands import read_report
from support.sorted_folder import make_output

from sorter.gui.pages.review import ReviewPage
from sorter.gui.parts.export_dialog import ExportDialog
from sorter.gui.settings import Settings
from sorter.gui.worker import Jobs
from sorter.sort.apply import export
from sorter.sort.review import Review

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 60_000  # ms


@pytest.fixture
def out(tmp_path: Path) -> Path:
    out = make_output(tmp_path / "out", [0.99, 0.8, 0.1, 0.55, 0.3])
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        review.confirm([2])
    return out


@pytest.fixture
def page(qtbot: QtBot, jobs: Jobs, out: Path, tmp_path: Path) -> Iterator[ReviewPage]:
    page = ReviewPage(jobs, Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(page)
    with qtbot.waitSignal(page.opened, timeout=TIMEOUT):
        page.open(out)
    yield page
    page.close_folder()


def test_only_what_was_checked_is_copied(out: Path, tmp_path: Path) -> None:
    assert export(out, tmp_path / "checked", only_reviewed=True).filed == 2
    rows = read_report(tmp_path / "checked")
    assert [(row["label"], row["review"]) for row in rows] == [("blue", "corrected"), ("red", "confirmed")]


def test_the_dialog_copies_the_checked_ones_into_a_new_folder(
    qtbot: QtBot, page: ReviewPage, out: Path, tmp_path: Path
) -> None:
    page.commands.export.trigger()
    dialog = page.findChild(ExportDialog)
    assert dialog is not None
    assert dialog.all.text() == "&All photos (5)"
    assert dialog.checked.text() == "Only those you &checked (2)"
    assert dialog.folder == tmp_path / "out export"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    dialog.put_into(tmp_path / "full")
    assert dialog.folder == tmp_path / "full" / "out export"
    (tmp_path / "empty").mkdir()
    dialog.put_into(tmp_path / "empty")
    assert dialog.folder == tmp_path / "empty"
    dialog.checked.setChecked(True)
    dialog.accept()
    qtbot.waitUntil(lambda: "Photos copied" in page.notice.text.text(), timeout=TIMEOUT)
    assert len(read_report(tmp_path / "empty")) == 2
    qtbot.waitUntil(lambda: not page.work.busy, timeout=TIMEOUT)
