"""The window in other languages: every text is in the catalogue, and the window speaks it."""

from __future__ import annotations

import ast
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import translations
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMessageBox
from pytestqt.qtbot import QtBot

from sorter.gui.parts.language import FOLDER, Language, languages, native_name
from sorter.gui.parts.words import reworded
from sorter.gui.settings import Settings
from sorter.gui.window import Window

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made
CATALOGUES = sorted(translations.FOLDER.glob("*.ts"))
Texts = dict[tuple[str, str], str]  # (context, English) -> translation


def texts_of(catalogue: Path) -> Texts:
    found = {}
    for context in ElementTree.parse(catalogue).getroot().iter("context"):
        for message in context.iter("message"):
            source, translation = message.findtext("source") or "", message.find("translation")
            assert translation is not None
            unfinished = translation.get("type") is not None
            found[context.findtext("name") or "", source] = "" if unfinished else translation.text or ""
    return found


def said() -> Iterator[str]:
    """Every text in the code that is to be translated."""
    for path in translations.GUI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                last = node.args[0] if name == "tr" else node.args[-1]
                if name in ("tr", "translate", "QT_TRANSLATE_NOOP") and isinstance(last, ast.Constant):
                    yield str(last.value)


def test_there_is_a_language_beside_english() -> None:
    assert "de" in languages()
    assert [path.stem.removeprefix("sorter_") for path in CATALOGUES] == languages()[1:]
    assert native_name("de") == "Deutsch"


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_the_catalogue_has_every_text_and_all_are_translated(catalogue: Path, tmp_path: Path) -> None:
    """`python scripts/translations.py` adds what is missing; then translate it."""
    kept = texts_of(catalogue)
    fresh = tmp_path / catalogue.name
    shutil.copy(catalogue, fresh)
    translations.extract(fresh)
    now = texts_of(fresh)
    assert set(now) == set(kept)
    assert set(said()) <= {source for _, source in kept}
    assert not [source for (_, source), text in kept.items() if not text]
    assert not [source for context, source in kept if not context]  # nobody would find its translation


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_translations_have_the_same_places_and_keys(catalogue: Path) -> None:
    for (_, source), text in texts_of(catalogue).items():
        places = re.compile(r"\{[^}]*\}")
        assert sorted(places.findall(text)) == sorted(places.findall(source)), source
        assert len(re.findall("&(?!&)", text)) == len(re.findall("&(?!&)", source)), source
        assert text.endswith("...") == source.endswith("..."), source


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.stem)
def test_the_file_that_the_window_loads_is_fresh(catalogue: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.qm"
    translations.release(catalogue, made)
    assert made.read_bytes() == (FOLDER / f"{catalogue.stem}.qm").read_bytes()


@pytest.fixture
def german(qapp: QApplication) -> Iterator[Language]:
    language = Language(qapp, "de")
    yield language
    language.remove()


def test_the_window_speaks_german(qtbot: QtBot, german: Language, tmp_path: Path) -> None:
    assert german.code == "de"
    window = Window(Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(window)
    window.show()
    pages = (window.start_page, window.review_page, window.retrain_page, window.clean_page)
    window.start_page.teach_classes()
    shown = {
        each.text()
        for page in (window, *pages)
        for kind in (QAbstractButton, QLabel)
        for each in page.findChildren(kind)
    }
    assert {"Eigene Klassen beibringen", "&Lernen", "Modell &verbessern"} <= shown
    catalogue = texts_of(translations.FOLDER / "sorter_de.ts")
    same = {source for (_, source), text in catalogue.items() if source == text}
    english = {source for _, source in catalogue} - same - set(catalogue.values())
    assert not sorted(shown & english)
    assert reworded("/a: No space left on device; free some space and").startswith("Die Festplatte ist voll.")
    box = QMessageBox(QMessageBox.Icon.NoIcon, "", "", QMessageBox.StandardButton.Cancel, window)
    assert box.button(QMessageBox.StandardButton.Cancel).text().replace("&", "") == "Abbrechen"
    window.close()


def test_an_unknown_language_is_english(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QLocale, "uiLanguages", lambda self: ["tlh-Latn", "tlh"])
    language = Language(qapp, "tlh")
    assert language.code == "en"
    language.remove()


def test_the_language_is_chosen_and_kept(qtbot: QtBot, tmp_path: Path) -> None:
    window = Window(Settings(tmp_path / "settings.ini"))
    qtbot.addWidget(window)
    from sorter.gui.parts.language_menu import LanguageMenu

    menu = window.findChild(LanguageMenu)
    assert menu is not None
    actions = {action.text(): action for action in menu.actions()}
    assert {"English", "Deutsch"} <= set(actions)
    actions["Deutsch"].trigger()
    assert window.settings.language == "de"
    box = window.findChild(QMessageBox)
    assert box is not None
    assert "next start" in box.text()
    box.close()
    assert Settings(tmp_path / "settings.ini").language == "de"
    window.close()
