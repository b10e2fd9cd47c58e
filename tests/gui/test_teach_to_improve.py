"""From nothing to a better model in the window: drawn samples, taught, sorted, checked, improved, sorted again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from support.commands import read_report

from sorter.gui.settings import Settings
from sorter.gui.window import Window
from sorter.model.folder import read_model
from sorter.sort.options import options_of_last_run

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 300_000  # ms


def sorted_labels(out: Path) -> list[str]:
    return sorted(row["label"] for row in read_report(out) if row["status"] == "sorted")


@pytest.mark.slow
@pytest.mark.timeout(900)  # two trainings and two runs in real processes
def test_samples_are_taught_sorted_checked_improved_and_sorted_again(qtbot: QtBot, tmp_path: Path) -> None:
    window = Window(Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(window)
    window.show()
    start, review = window.start_page, window.review_page
    window.show_page(start)
    start.home.samples_tile.click()
    qtbot.waitUntil(lambda: start.teach.learn_button.isEnabled(), timeout=TIMEOUT)
    start.teach.learn_button.click()
    qtbot.waitUntil(lambda: start.teach.sort_button.isVisible() and not start.teach.busy, timeout=TIMEOUT)
    start.teach.sort_button.click()
    with qtbot.waitSignal(review.opened, timeout=TIMEOUT):
        start.sort_button.click()
    out = review.folder
    assert out is not None
    assert sorted_labels(out) == ["Forest"] * 20 + ["Sea"] * 20 + ["Sunset"] * 20
    assert window.pages.currentWidget() is review

    # A person checks thirty photos by keys, and has another opinion of one.
    assert review.review is not None
    for _ in range(29):
        qtbot.keyClick(review.grid, Qt.Key.Key_Return)
    qtbot.keyClick(review.grid, "1")
    qtbot.waitUntil(lambda: review.review.table.checked.sum() == 30, timeout=TIMEOUT)

    review.commands.retrain.trigger()
    improve = window.retrain_page
    assert window.pages.currentWidget() is improve
    qtbot.waitUntil(improve.form.train_button.isEnabled, timeout=TIMEOUT)
    assert improve.title.text() == "Learns from 30 marks"
    improve.form.train_button.click()
    qtbot.waitUntil(lambda: improve.undecided and not improve.busy, timeout=TIMEOUT)
    assert improve.outcome.result.text()
    with qtbot.waitSignal(start.run_finished, timeout=TIMEOUT):
        improve.outcome.keep_and_sort_button.click()
    model = options_of_last_run(out).model
    assert model == tmp_path / "app" / "models" / "Samples 2"
    assert read_model(model).classes == ("Forest", "Sea", "Sunset")
    assert len(sorted_labels(out)) == 60
    qtbot.waitUntil(lambda: not start.busy, timeout=TIMEOUT)
    assert start.form.models.titles[0] == "Cars"
    assert set(start.form.models.titles) == {"Cars", "Samples", "Samples 2"}
    assert start.form.models.chosen == model
    qtbot.waitUntil(
        lambda: review.review is not None and review.review.table.checked.sum() == 30, timeout=TIMEOUT
    )
    window.close()
