"""The first page: drop a folder, sort it, stop it, go on with it after the app was closed."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl, qVersion
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from support.commands import hashes, read_report
from support.models import make_model
from support.photos import BLUE, RED, make_photo
from support.sorted_folder import make_output

from sorter.engines.choice import EngineOptions
from sorter.gui.pages.start import StartPage
from sorter.gui.parts.progress import duration
from sorter.gui.settings import Settings
from sorter.gui.tasks import Advanced
from sorter.gui.worker import Jobs
from sorter.output.journal import Journal
from sorter.sort.options import SortOptions, options_of_last_run
from sorter.sort.review import Review
from sorter.sort.run import sort_folder
from sorter.sort.status import read_status
from sorter.types import ActionKind, UsageError

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 120_000  # ms


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.ini")


@pytest.fixture
def page(qtbot: QtBot, jobs: Jobs, settings: Settings) -> StartPage:
    page = StartPage(jobs, settings)
    qtbot.addWidget(page)
    page.show()
    return page


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(12):
        make_photo(folder / f"{number}.jpg", RED if number % 3 else BLUE, seed=number)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    return folder


def drop(page: StartPage, folder: Path) -> None:
    """As a file manager does it."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    # Qt 6.12 takes a point of floats here, as for the drop, and before it one of integers.
    newer = tuple(map(int, qVersion().split("."))) >= (6, 12)
    where: Any = QPointF(9, 9) if newer else QPoint(9, 9)
    enter = QDragEnterEvent(where, Qt.DropAction.CopyAction, data, buttons, keys)
    page.dragEnterEvent(enter)
    assert enter.isAccepted()
    page.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))


def items(page: StartPage) -> list[str]:
    return [page.recent.list.item(row).text() for row in range(page.recent.list.count())]


def test_a_dropped_folder_is_sorted_with_the_chosen_model(
    qtbot: QtBot, page: StartPage, settings: Settings, photos: Path, model: Path
) -> None:
    drop(page, photos)
    assert page.form.photos.text() == str(photos)
    assert page.form.out.text() == str(photos) + "-sorted"
    page.use_model(model)
    with qtbot.waitSignal(page.run_finished, timeout=TIMEOUT) as opened:
        page.sort_button.click()
        assert page.busy
        assert page.progress.isVisible()
        assert not page.sort_button.isEnabled()
    out = opened.args[0]
    assert out == Path(page.form.out.text())
    rows = [row["status"] for row in read_report(out)]
    assert (rows.count("sorted"), rows.count("failed")) == (12, 1)
    assert "12 photos sorted. 1 couldn't be read" in page.notice.text.text()
    qtbot.waitUntil(lambda: not page.busy and any("8 red" in text for text in items(page)), timeout=TIMEOUT)
    assert not page.progress.isVisible()
    assert settings.recent == [out]
    assert settings.models == [model]


def test_a_run_that_was_stopped_goes_on_after_the_app_was_closed(
    qtbot: QtBot, jobs: Jobs, settings: Settings, tmp_path: Path, model: Path
) -> None:
    photos = tmp_path / "photos"
    for number in range(60):
        make_photo(photos / f"{number}.jpg", RED if number % 3 else BLUE, (900, 700), seed=number)
    whole = sort_folder(
        SortOptions((photos,), tmp_path / "whole", model, engine=EngineOptions("onnx", "fp32"), workers=1)
    )
    page = StartPage(jobs, settings)
    qtbot.addWidget(page)
    page.use_model(model)
    page.take(photos)
    out = Path(page.form.out.text())
    page.sort()
    qtbot.waitUntil(lambda: (out / "red").exists(), timeout=TIMEOUT)
    page.progress.cancel_button.click()
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    assert "Continue" in page.notice.text.text()
    jobs.close()
    settings.sync()

    again_jobs = Jobs()
    again = StartPage(again_jobs, Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(again)
    qtbot.waitUntil(lambda: any("Paused at" in text for text in items(again)), timeout=TIMEOUT)
    assert not again.recent.continue_button.isHidden()
    with qtbot.waitSignal(again.run_finished, timeout=TIMEOUT) as opened:
        again.recent.continue_button.click()
    assert opened.args[0] == out
    assert hashes(out) == hashes(whole.out)
    again_jobs.close()


def test_a_stopped_move_goes_on_counting_where_it_stopped(
    qtbot: QtBot, page: StartPage, tmp_path: Path, model: Path
) -> None:
    photos = tmp_path / "photos"
    for number in range(200):
        make_photo(photos / f"{number}.jpg", RED if number % 3 else BLUE, (600, 400), seed=number)
    page.use_model(model)
    page.take(photos)
    page.form.choose_action(ActionKind.MOVE)
    out = Path(page.form.out.text())
    page.sort()
    qtbot.waitUntil(lambda: (out / "red").exists(), timeout=TIMEOUT)
    page.progress.cancel_button.click()
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    moved, left = read_status(out).moved_so_far, len(list(photos.iterdir()))
    assert moved
    assert left
    heard: list[object] = []
    with qtbot.waitSignal(page.run_finished, timeout=TIMEOUT):
        page.continue_run(out)
        assert page._job is not None
        page._job.progress.connect(heard.append)
    steps = [each for each in heard if isinstance(each, Advanced)]
    assert all(each.done > moved for each in steps)
    assert steps[-1].total == steps[-1].done == moved + left


def test_sorting_again_with_another_model_takes_back_what_the_first_did(
    qtbot: QtBot, page: StartPage, photos: Path, tmp_path: Path, model: Path
) -> None:
    out = tmp_path / "out"
    other = make_model(tmp_path / "other", temperature=2.0).folder
    sort_folder(
        SortOptions(
            (photos,),
            out,
            model,
            ActionKind.MOVE,
            threshold=0.9,
            engine=EngineOptions("onnx", "fp32"),
            workers=1,
        )
    )
    assert options_of_last_run(out).threshold == 0.9
    with qtbot.waitSignal(page.run_finished, timeout=TIMEOUT):
        page.start_with_model(other, out)
    now = options_of_last_run(out)
    assert (now.model, now.action, now.inputs) == (other, ActionKind.MOVE, (photos,))
    assert now.threshold == 0.5
    assert sum(row["status"] == "sorted" for row in read_report(out)) == 12
    assert not [path for path in photos.iterdir() if path.name != "broken.jpg"]
    Journal.open(tmp_path / "empty").close()
    with pytest.raises(UsageError, match="no photos were sorted"):
        options_of_last_run(tmp_path / "empty")


def test_what_cannot_be_done_is_a_sentence(qtbot: QtBot, page: StartPage, tmp_path: Path) -> None:
    page.sort()
    assert "Choose a folder of photos first" in page.notice.text.text()
    page.form.photos.setText(str(tmp_path))
    assert page.notice.isHidden()  # a folder is chosen now
    page.take(tmp_path / "nowhere")
    page.sort()
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    assert "no such file or folder" in page.notice.text.text()
    page.use_model(tmp_path)
    assert "isn't a model" in page.notice.text.text()
    page.open(tmp_path / "nothing")
    qtbot.waitUntil(lambda: "wasn't sorted by Sorter" in page.notice.text.text(), timeout=TIMEOUT)


def test_each_error_has_the_button_that_mends_it(
    qtbot: QtBot, page: StartPage, photos: Path, tmp_path: Path, model: Path
) -> None:
    def done() -> bool:
        return not page.busy

    page.use_model(model)
    page.take(photos)
    page.form.save_to(photos)
    page.sort()
    qtbot.waitUntil(done, timeout=TIMEOUT)
    assert "can't go into the photo folder itself" in page.notice.text.text()
    assert page.notice.button.text() == "&Use a folder “sorted” in it"
    with qtbot.waitSignal(page.run_finished, timeout=TIMEOUT) as finished:
        page.notice.button.click()
    assert finished.args == [photos / "sorted"]
    qtbot.waitUntil(done, timeout=TIMEOUT)

    page.use_model(make_model(tmp_path / "other", temperature=2.0).folder)
    page.sort()
    qtbot.waitUntil(done, timeout=TIMEOUT)
    assert "holds results of another model" in page.notice.text.text()
    assert page.notice.button.text() == "&Undo those and sort again"
    with qtbot.waitSignal(page.run_finished, timeout=TIMEOUT):
        page.notice.button.click()
    qtbot.waitUntil(done, timeout=TIMEOUT)
    assert options_of_last_run(photos / "sorted").model == tmp_path / "other"

    plain = tmp_path / "plain"
    plain.mkdir()
    page.open(plain)
    qtbot.waitUntil(lambda: "wasn't sorted by Sorter" in page.notice.text.text(), timeout=TIMEOUT)
    assert page.notice.button.text() == "&Sort it now"
    page.notice.button.click()
    assert page.form.photos.text() == str(plain)
    assert page.steps.currentWidget() is page.sheet
    page.use_model(plain)
    assert page.notice.button.text() == "Choose another &model..."


def test_moving_is_never_the_usual_action(
    qtbot: QtBot, page: StartPage, settings: Settings, photos: Path, model: Path
) -> None:
    page.take(photos)
    page.use_model(model)
    page.form.tiles[ActionKind.MOVE].click()
    assert page.form.chosen_action is ActionKind.MOVE
    with qtbot.waitSignal(page.run_finished, timeout=TIMEOUT):
        page.sort()
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    assert page.form.chosen_action is ActionKind.COPY
    assert page.form.tiles[ActionKind.COPY].isChecked()
    assert settings.action is ActionKind.COPY
    settings.action = ActionKind.MOVE  # as an older window kept it
    page.form.reset_action()
    assert page.form.chosen_action is ActionKind.COPY


def test_two_copies_of_a_model_are_told_apart(page: StartPage, tmp_path: Path, model: Path) -> None:
    page.use_model(model)
    page.use_model(make_model(tmp_path / "other" / model.name).folder)
    names = page.form.models.titles
    assert len(set(names)) == len(names) == 3


def test_an_unplugged_drive_offers_to_continue(
    qtbot: QtBot, page: StartPage, tmp_path: Path, model: Path
) -> None:
    drive, away = tmp_path / "drive", tmp_path / "away"
    for number in range(60):
        make_photo(drive / f"{number}.jpg", RED if number % 3 else BLUE, (900, 700), seed=number)
    page.use_model(model)
    page.take(drive)
    out = Path(page.form.out.text())
    page.sort()
    qtbot.waitUntil(lambda: (out / "red").exists(), timeout=TIMEOUT)
    drive.rename(away)
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    assert (
        page.notice.text.text() == f"{drive} is not there any more. Connect the drive, then press Continue."
    )
    assert not page.notice.button.isHidden()
    qtbot.waitUntil(lambda: any("drive is not connected" in text for text in items(page)), timeout=TIMEOUT)
    assert not page.recent.continue_button.isEnabled()
    away.rename(drive)
    with qtbot.waitSignal(page.run_finished, timeout=TIMEOUT):
        page.notice.button.click()
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)
    assert sum(row["status"] == "sorted" for row in read_report(out)) == 60


def test_recent_counts_what_a_person_said(
    qtbot: QtBot, page: StartPage, settings: Settings, tmp_path: Path
) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.8, 0.2])
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
    settings.remember(out)
    page.refresh()
    qtbot.waitUntil(
        lambda: any("2 blue" in text and "1 red" in text for text in items(page)), timeout=TIMEOUT
    )
    page.forget(out)
    qtbot.waitUntil(lambda: not any("blue" in text for text in items(page)), timeout=TIMEOUT)
    assert settings.recent == []
    assert out.exists()


def test_settings_survive_and_damage_reads_as_the_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.ini"
    settings = Settings(file)
    assert (settings.recent, settings.action, settings.thumbnail_size) == ([], ActionKind.COPY, 160)
    for number in range(15):
        settings.remember(tmp_path / str(number))
    settings.remember(tmp_path / "9")
    settings.remember_model(tmp_path / "model")
    settings.action = ActionKind.MOVE
    settings.thumbnail_size = 200
    settings.sync()
    again = Settings(file)
    assert [path.name for path in again.recent[:3]] == ["9", "14", "13"]
    assert len(again.recent) == 12
    assert again.models == [tmp_path / "model"]  # a list of one
    assert (again.action, again.thumbnail_size) == (ActionKind.MOVE, 200)
    again.forget(tmp_path / "9")
    assert tmp_path / "9" not in again.recent
    again._kept.setValue("action", "shred")
    again._kept.setValue("thumbnail_size", "enormous")
    assert (again.action, again.thumbnail_size) == (ActionKind.COPY, 160)


def test_every_control_has_a_name_and_takes_the_keyboard(page: StartPage) -> None:
    from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QListWidget

    found = [
        each
        for kind in (QAbstractButton, QComboBox, QLineEdit, QListWidget)
        for each in page.findChildren(kind)
        if not each.objectName().startswith("qt_") and _own(each)
    ]
    assert len(found) >= 12
    for each in found:
        assert each.accessibleName(), each
        assert each.focusPolicy() & Qt.FocusPolicy.TabFocus, each.accessibleName()


def _own(widget: QWidget) -> bool:
    """Not a part that Qt makes, such as the button that clears a line."""
    return type(widget.parent()).__name__ not in ("QLineEdit", "QComboBox", "QComboBoxPrivateContainer")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (45, "45 s"), (89.5, "90 s"), (600, "10 min"), (12_000, "3 h 20 min")]
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
