"""The page that trains on corrections: curves while it goes, both models side by side, keep or discard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from pytestqt.qtbot import QtBot
from support.photos import make_photo
from support.retraining import correct, sort_purple

from sorter.gui.pages import retrain
from sorter.gui.pages.retrain import RetrainPage
from sorter.gui.settings import Settings
from sorter.gui.worker import Jobs
from sorter.train.retrain import RetrainOptions, suggested_model

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 500_000  # ms


@pytest.fixture
def page(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> Iterator[RetrainPage]:
    page = RetrainPage(jobs, Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(page)
    page.show()
    yield page
    page.close_folder()


@pytest.fixture
def out(tmp_path: Path, model: Path) -> Path:
    folder = sort_purple(tmp_path, model)
    correct(folder)
    return folder


@pytest.mark.timeout(600)  # a real training in a real process: minutes where others are at work, too
def test_corrections_become_a_model_that_is_kept_or_discarded(
    qtbot: QtBot, page: RetrainPage, out: Path, tmp_path: Path
) -> None:
    page.open(out)
    qtbot.waitUntil(lambda: "the 16 photos you checked in out." in page.about.text(), timeout=TIMEOUT)
    target = Path(page.form.model.text())
    assert target == suggested_model(out)
    # As the button does it, but with a network that is small enough for a test.
    page.start(RetrainOptions(out, target, doubt=0.5, recipe="small-cnn", workers=1))
    assert not page.form.isEnabled()
    assert page.progress.isVisible()
    qtbot.waitUntil(lambda: page.curves.epochs >= 2 or not page.busy, timeout=TIMEOUT)
    assert page.busy, page.notice.text.text()
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)

    retrained = page.retrained
    assert retrained is not None, page.notice.text.text()
    assert page.curves.epochs == retrained.epochs
    qtbot.waitUntil(lambda: bool(page.curves._plots), timeout=TIMEOUT)
    loss, accuracy = page.curves.points("val_loss"), page.curves.points("val_balanced_accuracy")
    assert len(loss) == len(accuracy) == retrained.epochs
    assert loss[-1] < loss[0]
    assert "<b>0 → 4</b> right of 4 photos that you corrected" in page.outcome.result.text()
    model = page.outcome.held_out
    assert model.rowCount() == len(retrained.held_out)
    first = [model.index(0, column).data() for column in range(1, 4)]
    assert first == ["blue", "✗  red", "✓  blue"]
    picture = model.index(0, 0)
    # What stands there until its thumbnail comes is see-through; it may have come by now, so no signal is waited for.
    qtbot.waitUntil(
        lambda: not picture.data(Qt.ItemDataRole.DecorationRole).hasAlphaChannel(), timeout=TIMEOUT
    )

    page.outcome.keep_button.click()
    assert page._settings.models == [target]
    assert "Kept in" in page.notice.text.text()
    assert not page.outcome.isVisible()

    page._show_outcome(retrained)
    with qtbot.waitSignal(page.accepted, timeout=TIMEOUT) as accepted:
        page.outcome.keep_and_sort_button.click()
    assert accepted.args == [target]

    page._show_outcome(retrained)
    page.outcome.discard_button.click()
    qtbot.waitUntil(lambda: not target.exists(), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: "is removed" in page.notice.text.text(), timeout=TIMEOUT)


def test_cancel_leaves_no_model(qtbot: QtBot, page: RetrainPage, out: Path, tmp_path: Path) -> None:
    page.open(out)
    page.start(RetrainOptions(out, tmp_path / "new", doubt=0.5, recipe="small-cnn", workers=1))
    qtbot.waitUntil(lambda: (tmp_path / "new").exists() or not page.busy, timeout=TIMEOUT)
    page.progress.cancel_button.click()
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    assert "Nothing was kept" in page.notice.text.text()
    qtbot.waitUntil(lambda: not (tmp_path / "new").exists(), timeout=TIMEOUT)


def test_what_cannot_be_learned_from_is_a_sentence(
    qtbot: QtBot, page: RetrainPage, tmp_path: Path, model: Path
) -> None:
    assert not page.form.isVisible()
    assert "Sort a folder" in page.about.text()
    page.open(sort_purple(tmp_path, model))
    qtbot.waitUntil(lambda: "No photo is checked yet" in page.about.text(), timeout=TIMEOUT)
    assert not page.form.train_button.isEnabled()  # not a photo is checked
    page.form.from_dataset.click()
    page.train()
    assert "Choose the folder of examples first" in page.notice.text.text()
    page.form.dataset.setText(str(make_photo(tmp_path / "data" / "red" / "1.jpg").parents[1]))
    page.train()
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    assert "no photo has been corrected" in page.notice.text.text()


def test_the_missing_extra_is_named(
    qtbot: QtBot, jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrain, "NEEDED", ("torch_that_nobody_has",))
    page = RetrainPage(jobs, Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(page)
    page.open(tmp_path)
    assert "not installed" in page.notice.text.text()
    assert not page.form.isEnabled()
    page.close_folder()


def test_every_control_has_a_name_and_takes_the_keyboard(page: RetrainPage) -> None:
    controls = [each for kind in (QAbstractButton, QLineEdit) for each in page.findChildren(kind)]
    found = [each for each in controls if type(each.parent()).__name__ not in ("QLineEdit", "HeldOutTable")]
    assert len(found) >= 10
    for each in found:
        assert each.accessibleName(), each
        assert each.focusPolicy() & Qt.FocusPolicy.TabFocus, each.accessibleName()
