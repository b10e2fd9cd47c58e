"""The page that trains on corrections: curves while it goes, both models side by side, keep or discard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from pytestqt.qtbot import QtBot
from support.photos import make_photo
from support.retraining import correct, sort_purple

from sorter.gui.pages import retrain
from sorter.gui.pages.retrain import RetrainPage
from sorter.gui.parts.outcome import verdict
from sorter.gui.settings import Settings
from sorter.gui.worker import Jobs
from sorter.sort.review import Review
from sorter.train.retrain import HeldOutPhoto, RetrainOptions

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
    qtbot: QtBot, page: RetrainPage, out: Path, tmp_path: Path, model: Path
) -> None:
    page.open(out)
    qtbot.waitUntil(lambda: "the 16 photos you checked in out." in page.about.text(), timeout=TIMEOUT)
    assert page.title.text() == "Learns from 16 marks"
    assert page.form.name.placeholderText() == f"{model.name} 2"
    target = page._shelf.new_folder(page.form.name.placeholderText())
    assert target == tmp_path / "app" / "models" / f"{model.name} 2"  # not beside the user's photos
    # As the button does it, but with a network that is small enough for a test.
    page.start(RetrainOptions(out, target, doubt=0.5, recipe="small-cnn", workers=1))
    assert not page.form.isEnabled()
    assert page.progress.isVisible()
    assert page.steps.isVisible()
    assert not page.curves.isVisible()
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
    assert page.outcome.result.text().startswith("Of 4 mistakes kept aside, the new model gets 4 right.")
    fixed, newly_wrong, still_wrong = page.outcome.rows
    assert fixed.count() == 4
    assert "you say blue. Before: red. Now: blue." in fixed.item(0).toolTip()
    assert (newly_wrong.isVisible(), still_wrong.isVisible()) == (newly_wrong.count() > 0, False)
    qtbot.waitUntil(lambda: fixed.complete, timeout=TIMEOUT)
    assert not page.outcome.table.isVisible()
    page.outcome.details_button.click()
    assert page.outcome.table.isVisible()
    assert page.curves.isVisible()  # there were several rounds
    rows = page.outcome.held_out
    assert rows.rowCount() == len(retrained.held_out)
    first = [rows.index(0, column).data() for column in range(1, 4)]
    assert first == ["blue", "✗  red", "✓  blue"]
    picture = rows.index(0, 0)
    # What stands there until its thumbnail comes is see-through; it may have come by now, so no signal is waited for.
    qtbot.waitUntil(
        lambda: not picture.data(Qt.ItemDataRole.DecorationRole).hasAlphaChannel(), timeout=TIMEOUT
    )

    page.outcome.keep_button.click()
    assert page._settings.models == [target]
    assert f"Kept as “{target.name}”" in page.notice.text.text()
    assert page._settings.model == target
    assert not page.outcome.isVisible()

    page._show_outcome(retrained)
    with qtbot.waitSignal(page.accepted, timeout=TIMEOUT) as accepted:
        page.outcome.keep_and_sort_button.click()
    assert accepted.args == [target]

    page._show_outcome(retrained)
    page.outcome.discard_button.click()
    qtbot.waitUntil(lambda: not target.exists(), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: "is removed" in page.notice.text.text(), timeout=TIMEOUT)


def held_out(before: bool, after: bool, count: int) -> list[HeldOutPhoto]:
    """So many photos of cats that the old and the new model have right or wrong."""
    name = {True: "cat", False: "dog"}
    return [
        HeldOutPhoto(Path(f"{n}.jpg"), "cat", name[before], name[after], not before) for n in range(count)
    ]


@pytest.mark.parametrize(
    ("photos", "said"),
    [
        ([], "There are too few photos to compare the two models. Check 20 more first?"),
        (
            held_out(False, True, 4) + held_out(False, False, 1) + held_out(True, False, 5),
            "Of 5 mistakes kept aside, the new model gets 4 right. 5 photos that were right are now wrong. "
            "That is about even. Check 20 more photos first?",
        ),
        (
            held_out(False, True, 3) + held_out(True, True, 9),
            "Of 3 mistakes kept aside, the new model gets 3 right. It is better.",
        ),
        (
            held_out(False, True, 20) + held_out(True, False, 2),
            "Of 20 mistakes kept aside, the new model gets 20 right. 2 photos that were right are now wrong. "
            "It is better.",
        ),
        (
            held_out(True, False, 2),
            "2 photos that were right are now wrong. It is worse. Check 20 more photos first?",
        ),
        (held_out(True, True, 9), "The two models decide alike. Check 20 more photos first?"),
    ],
)
def test_the_verdict_is_a_sentence(photos: list[HeldOutPhoto], said: str) -> None:
    assert verdict(photos) == said


@pytest.mark.slow
def test_marks_that_look_wrong_are_offered_to_be_checked_again(
    qtbot: QtBot, page: RetrainPage, out: Path
) -> None:
    with closing(Review.open(out)) as review:
        photos = {each.path.name: each.id for each in review.photos()}
        review.confirm([photos[f"red{number}.jpg"] for number in range(8)])
        review.assign([photos["red3.jpg"]], "blue")  # a slip of the finger
    page.open(out)
    qtbot.waitUntil(page.form.check_button.isEnabled, timeout=TIMEOUT)
    page.form.check_button.click()
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    assert "1 of your 24 marks looks wrong." in page.notice.text.text()
    with qtbot.waitSignal(page.check_again_wanted, timeout=TIMEOUT) as wanted:
        page.notice.button.click()
    assert wanted.args == [[photos["red3.jpg"]]]


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
