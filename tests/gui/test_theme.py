"""One look: its colours can be read in both themes, its icons follow them, the choice is kept."""

from __future__ import annotations

import os
import re
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from sorter.gui.parts.colours import LABELS, UNSURE, label_colour, text_on
from sorter.gui.parts.icons import FOLDER, picture, set_icon
from sorter.gui.parts.theme import DARK, LIGHT, Appearance, Shades, Theme, app_icon, contrast, palette_of
from sorter.gui.settings import Settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made

READ = 4.5  # to 1: WCAG 2.2, text
SEEN = 3.0  # likewise, the edge of a control


@pytest.mark.parametrize("shades", [DARK, LIGHT], ids=["dark", "light"])
def test_every_text_can_be_read(shades: Shades) -> None:
    for ground in (shades.window, shades.field, shades.raised):
        for text in (shades.text, shades.link, shades.bad):
            assert contrast(text, ground) >= READ, (text, ground)
    for ground in (shades.window, shades.field):
        assert contrast(shades.muted, ground) >= READ, ground
        assert contrast(shades.edge, ground) >= SEEN, ground
    assert contrast(shades.text, shades.hover) >= READ
    assert contrast(shades.on_accent, shades.accent) >= READ


@pytest.mark.parametrize("shades", [DARK, LIGHT], ids=["dark", "light"])
def test_the_palette_is_of_the_same_colours(shades: Shades) -> None:
    palette, role = palette_of(shades), QPalette.ColorRole
    for text, ground in (
        (role.WindowText, role.Window),
        (role.Text, role.Base),
        (role.ButtonText, role.Button),
        (role.ToolTipText, role.ToolTipBase),
        (role.HighlightedText, role.Highlight),
        (role.PlaceholderText, role.Base),
        (role.Link, role.Base),
    ):
        assert contrast(palette.color(text).name(), palette.color(ground).name()) >= READ, text


def test_the_names_of_classes_can_be_read_on_their_colours() -> None:
    for colour in (*LABELS, UNSURE, label_colour(-1, 2).name()):
        assert contrast(text_on(QColor(colour)).name(), colour) >= READ, colour


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_theme_is_chosen_kept_and_applied(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.ini")
    look = Appearance(qapp, settings)
    assert look.theme is Theme.SYSTEM
    button = QPushButton("Go")
    qtbot.addWidget(button)
    set_icon(button, "gear")
    for theme, shades in ((Theme.DARK, DARK), (Theme.LIGHT, LIGHT)):
        look.choose(theme)
        assert qapp.palette().color(QPalette.ColorRole.Window).name() == shades.window
        assert shades.raised in qapp.styleSheet()
        assert "@" not in qapp.styleSheet().split("*/", 1)[1]
        assert _darkest(button.icon()) == QColor(shades.text).lightness()
    settings.sync()
    assert Appearance(qapp, Settings(tmp_path / "settings.ini")).theme is Theme.LIGHT
    settings.theme = "of another version"
    assert look.theme is Theme.SYSTEM


def _darkest(icon: QIcon) -> int:
    image = icon.pixmap(QSize(20, 20)).toImage()
    opaque = [
        image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())
    ]  # the middle of a stroke has the full colour
    return max(opaque, key=lambda each: each.alpha()).lightness()


def test_icons_are_drawn_in_a_colour_and_sharp(qapp: QApplication) -> None:
    names = [path.stem for path in FOLDER.glob("*.svg")]
    assert len(names) >= 40
    for name in names:
        drawn = picture(name, "#ff0000", 20, 2.0).toImage()
        assert drawn.size() == QSize(40, 40)
        colours = {drawn.pixelColor(x, y).name() for x in range(40) for y in range(40)} - {"#000000"}
        assert colours == {"#ff0000"}, name
    assert not app_icon().pixmap(QSize(64, 64)).isNull()


def test_what_the_window_draws_with_is_installed_with_its_licence() -> None:
    look = files("sorter.gui").joinpath("look")
    assert look.joinpath("icons", "LICENSE").read_text("utf-8").startswith("MIT License")
    assert look.joinpath("window.qss").is_file()
    named = re.findall(r"@(\w+);", look.joinpath("window.qss").read_text("utf-8"))
    assert set(named) <= {each.name for each in fields(Shades)}
    assert named
