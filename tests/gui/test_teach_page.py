"""Classes of one's own, made in the window: name them, give photos, learn, sort with what was learned."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractButton, QLineEdit
from pytestqt.qtbot import QtBot
from support.commands import read_report
from support.photos import BLUE, RED, make_photo

from sorter.gui.pages.start import StartPage
from sorter.gui.pages.teach import TeachPage
from sorter.gui.parts.class_card import ClassCard
from sorter.gui.parts.model_shelf import ModelShelf
from sorter.gui.parts.samples import SCENES, draw_samples
from sorter.gui.parts.survey import survey
from sorter.gui.settings import Settings
from sorter.gui.worker import Jobs
from sorter.model.folder import shipped_model
from sorter.train.teach import TaughtClass

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
TIMEOUT = 300_000  # ms


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
def colours(tmp_path: Path) -> Path:
    """Five red and five blue photos in folders of their own."""
    for n in range(5):
        make_photo(tmp_path / "colours" / "red" / f"{n}.jpg", RED, (90 + 7 * n, 64), seed=n)
        make_photo(tmp_path / "colours" / "blue" / f"{n}.jpg", BLUE, (90 + 7 * n, 70), seed=50 + n)
    return tmp_path / "colours"


def drop(card: ClassCard, *paths: Path) -> None:
    """As a file manager does it."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    card.dropEvent(QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, data, buttons, keys))


def test_classes_are_named_and_given_photos(
    qtbot: QtBot, page: StartPage, colours: Path, tmp_path: Path
) -> None:
    page.home.teach_tile.click()
    teach = page.teach
    assert page.steps.currentWidget() is teach
    assert len(teach.cards) == 2
    assert not teach.learn_button.isEnabled()
    assert teach.problem.text() == "Give each class a name."
    first, second = teach.cards
    drop(first, colours / "red")
    qtbot.waitUntil(lambda: len(first.photos) == 5, timeout=TIMEOUT)
    assert first.name.text() == "red"  # the folder's name
    assert first.count.text() == "5 photos, 10 are better"
    qtbot.keyClicks(second.name, "red")
    drop(second, *sorted((colours / "blue").iterdir())[:3])
    qtbot.waitUntil(lambda: len(second.photos) == 3, timeout=TIMEOUT)
    assert teach.problem.text() == "Two classes have the same name, or a name that no folder can have."
    second.name.setText("sea")
    assert teach.problem.text() == "“sea” needs more photos."
    assert second.count.text() == "3 photos, 1 more needed"
    drop(second, colours / "blue")
    qtbot.waitUntil(lambda: len(second.photos) == 5, timeout=TIMEOUT)  # none is twice
    assert teach.problem.text() == ""
    assert teach.learn_button.isEnabled()
    assert teach.model_name.placeholderText() == "red, sea"
    second.strip.item(0).setSelected(True)
    second.strip.setFocus()
    qtbot.keyClick(second.strip, Qt.Key.Key_Delete)
    assert len(second.photos) == 4
    assert len(list((colours / "blue").iterdir())) == 5  # the file stays
    third = teach.add_class()
    assert not teach.learn_button.isEnabled()
    third.remove_button.click()
    assert len(teach.cards) == 2
    second.remove_button.click()
    assert len(teach.cards) == 2  # two always stay
    assert teach.cards[1].name.text() == ""


@pytest.mark.slow
def test_what_was_learned_is_a_card_and_sorts(
    qtbot: QtBot, page: StartPage, colours: Path, settings: Settings, tmp_path: Path
) -> None:
    photos = tmp_path / "holiday"
    for n in range(6):
        make_photo(photos / f"{n}.jpg", RED if n < 4 else BLUE, (120, 80), seed=300 + n)
    (photos / "notes.txt").write_text("no photo")
    page.take(photos)
    page.teach_classes()
    for card, name in zip(page.teach.cards, ("red", "blue"), strict=True):
        drop(card, colours / name)
    qtbot.waitUntil(lambda: page.teach.learn_button.isEnabled(), timeout=TIMEOUT)
    page.teach.model_name.setText("My colours")
    page.teach.learn_button.click()
    assert page.teach.progress.isVisible()
    assert not page.sort_button.isEnabled()  # one thing at a time
    qtbot.waitUntil(lambda: not page.teach.busy, timeout=TIMEOUT)
    said = page.teach.notice.text.text()
    assert said.startswith("“My colours” has learned 2 classes from 10 photos."), said
    assert "right on 10 of 10" in said
    model = settings.home / "models" / "My colours"
    assert (model / "model.json").is_file()
    assert not list(tmp_path.glob("*colours-*"))  # nothing beside the user's folders
    assert page.form.models.titles == ["Cars", "My colours"]

    page.teach.sort_button.click()
    assert page.steps.currentWidget() is page.sheet
    assert page.form.models.chosen == model
    qtbot.waitUntil(lambda: page.form.survey is not None, timeout=TIMEOUT)
    assert page.sort_button.text() == "&Sort 6 photos"
    assert "1 file is not a photo" in page.form.about.text()
    assert "fits" in page.form.about.text()
    with qtbot.waitSignal(page.run_finished, timeout=TIMEOUT) as sorted_into:
        page.sort_button.click()
    labels = sorted(row["label"] for row in read_report(sorted_into.args[0]) if row["status"] == "sorted")
    assert labels == ["blue"] * 2 + ["red"] * 4
    qtbot.waitUntil(lambda: not page.busy, timeout=TIMEOUT)

    # More photos can be added to what was taught, and it can be thrown away.
    actions = {action.text(): action for action in page.form.models.menu(model).actions()}
    actions["&Add photos to its classes..."].trigger()
    qtbot.waitUntil(lambda: [len(card.photos) for card in page.teach.cards] == [5, 5], timeout=TIMEOUT)
    assert [card.name.text() for card in page.teach.cards] == ["red", "blue"]
    actions["&Throw away"].trigger()
    assert page.form.models.titles == ["Cars"]
    assert not model.exists()


def test_cancel_leaves_no_model(qtbot: QtBot, page: StartPage, colours: Path, settings: Settings) -> None:
    page.teach_classes()
    for card, name in zip(page.teach.cards, ("red", "blue"), strict=True):
        drop(card, colours / name)
    qtbot.waitUntil(lambda: page.teach.learn_button.isEnabled(), timeout=TIMEOUT)
    page.teach.learn()
    qtbot.waitUntil(lambda: page.teach.progress.isVisible(), timeout=TIMEOUT)
    page.teach.progress.cancel_button.click()
    qtbot.waitUntil(lambda: not page.teach.busy, timeout=TIMEOUT)
    assert page.teach.notice.text.text() == "Stopped. Nothing was learned."
    models = settings.home / "models"
    qtbot.waitUntil(lambda: not models.exists() or not list(models.iterdir()), timeout=TIMEOUT)
    assert page.teach.learn_button.isVisible()


def test_samples_are_drawn_and_taught(qtbot: QtBot, page: StartPage, settings: Settings) -> None:
    page.home.samples_tile.click()
    qtbot.waitUntil(lambda: page.steps.currentWidget() is page.teach, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: [len(card.photos) for card in page.teach.cards] == [10] * 3, timeout=TIMEOUT)
    assert [card.name.text() for card in page.teach.cards] == ["Forest", "Sea", "Sunset"]
    assert page.teach.learn_button.isEnabled()
    assert len(list((settings.home / "samples" / "photos").iterdir())) == 60
    page.teach.sort_wanted.emit(shipped_model())  # as after learning
    assert page.form.photos.text() == str(settings.home / "samples" / "photos")


def test_samples_are_the_same_each_time_and_no_sample_is_an_example(tmp_path: Path) -> None:
    samples = draw_samples(tmp_path / "samples")
    first = {path.name: path.read_bytes() for path in samples.photos.iterdir()}
    again = draw_samples(tmp_path / "samples")
    assert {path.name: path.read_bytes() for path in again.photos.iterdir()} == first
    examples = {path.read_bytes() for folder in samples.examples.values() for path in folder.iterdir()}
    assert len(examples) == 10 * len(SCENES)
    assert not examples & set(first.values())


def test_a_survey_counts_before_anything_is_sorted(tmp_path: Path, colours: Path) -> None:
    (colours / "notes.txt").write_text("no photo")
    found = survey(colours, tmp_path / "out" / "deep")
    assert (found.photos, found.others, len(found.samples)) == (10, 1, 6)
    assert found.size == sum(path.stat().st_size for path in colours.rglob("*.jpg"))
    assert found.free
    assert found.fits
    assert found.seconds > 0
    assert not (tmp_path / "out").exists()
    empty = tmp_path / "empty"
    empty.mkdir()
    assert (survey(empty, tmp_path).photos, survey(empty, tmp_path).samples) == (0, ())


def test_models_are_kept_by_name_and_what_they_were_taught(tmp_path: Path, settings: Settings) -> None:
    shelf = ModelShelf(settings)
    assert [each.folder for each in shelf.models()] == [shipped_model()]
    folder = shelf.new_folder("Cats/dogs: 2?")
    assert folder == settings.home / "models" / "Cats-dogs- 2-"
    folder.mkdir(parents=True)
    assert shelf.new_folder("Cats/dogs: 2?").name == "Cats-dogs- 2- (2)"
    assert shelf.new_folder(" .. ").name == "model"
    photo = make_photo(tmp_path / "a.jpg")
    classes = (TaughtClass("cat", (photo, tmp_path / "gone.jpg")), TaughtClass("dog", ()))
    shelf.keep_examples(folder, classes)
    assert shelf.examples(folder) == (TaughtClass("cat", (photo,)), TaughtClass("dog", ()))
    assert shelf.examples(tmp_path / "other") == ()
    (settings.home / "examples" / "broken.json").write_text("[")
    assert shelf.examples(tmp_path / "broken") == ()
    shelf.remove(folder)
    assert not folder.exists()
    other = tmp_path / "elsewhere"
    other.mkdir()
    settings.remember_model(other)
    shelf.remove(other)
    assert other.exists()  # it was not made here
    assert settings.models == []


def test_every_control_has_a_name_and_takes_the_keyboard(page: StartPage) -> None:
    page.teach_classes()
    teach: TeachPage = page.teach
    found = [each for kind in (QAbstractButton, QLineEdit) for each in teach.findChildren(kind)]
    found = [each for each in found if type(each.parent()).__name__ != "QLineEdit"]
    assert len(found) >= 14
    for each in found:
        assert each.accessibleName(), each
        assert each.focusPolicy() & Qt.FocusPolicy.TabFocus, each.accessibleName()
