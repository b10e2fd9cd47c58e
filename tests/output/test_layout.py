"""Layouts: which folder a photo belongs to, whatever its EXIF says, and which templates are refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.output.layout import FLAT, TREE, FolderLayout, safe_name
from sorter.photos.shot import Shot
from sorter.types import UsageError

SHOT = Shot(datetime(2024, 5, 7, 23, 59), "exif", "NIKON D850")
RELATIVE = Path("trips/rome/a.jpg")


@pytest.mark.parametrize(
    ("template", "folder", "level"),
    [
        ("flat", "car", 0),
        ("tree", "car/trips/rome", 0),
        ("{class}/{taken:%Y}/{taken:%m}", "car/2024/05", 0),
        ("{class}/{taken:%Y/%m}", "car/2024/05", 0),
        ("{taken:%Y}/{class}", "2024/car", 1),
        ("{taken}/{class}", "2024-05-07/car", 1),
        ("{camera}", "NIKON D850", None),
        ("by {camera}/in {taken:%Y}/{class}", "by NIKON D850/in 2024/car", 2),
    ],
)
def test_a_layout_names_the_folder(template: str, folder: str, level: int | None) -> None:
    layout = FolderLayout.parse(template)
    assert layout.folder("car", RELATIVE, SHOT) == Path(folder)
    assert layout.class_level == level
    assert layout.needs_shot == ("{" in template)


def test_flat_and_tree_need_no_template() -> None:
    assert (FolderLayout.parse("flat"), FolderLayout.parse("tree")) == (FLAT, TREE)


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("by-date", "'by-date'"),
        ("{clas}", "{clas}"),
        ("{class}/{taken:%Q}", "{taken:%Q}"),
        ("{taken:Y}/{class}", "{taken:Y}"),
        ("{taken:%}/{class}", "{taken:%}"),
        ("{class:x}", "{class:x}"),
        ("{class!r}", "{class!r}"),
        ("{class.__class__}", "{class.__class__}"),
        ("{}", "{}"),
        ("{class", "{class"),
        ("{class}-photos", "{class}"),
        ("../{class}", "'..'"),
        ("/{class}", "'/{class}'"),
        ("{class}//{camera}", "'{class}//{camera}'"),
        (".hidden/{class}", "'.hidden'"),
        ("{taken:%H:%M}/{class}", "'%H:%M'"),
        ("{class}/a\\b", "a\\\\b"),
    ],
)
def test_a_bad_template_is_refused_by_name(template: str, named: str) -> None:
    with pytest.raises(UsageError, match=r"^--layout: ") as refused:
        FolderLayout.parse(template)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "unknown"),
        ("..", "unknown"),
        ("../../etc", "_.._etc"),
        ("/abs/olute", "_abs_olute"),
        ("CON", "_CON"),
        ("com1.txt", "_com1.txt"),
        ("a\0b\nc", "a_b_c"),
        ("ends with dots ...", "ends with dots"),
        (".sorter", "sorter"),
        ("Report.csv", "_Report.csv"),
        ("Ω" * 300, "Ω" * 100),
    ],
)
def test_any_text_is_made_a_name_that_every_system_takes(text: str, name: str) -> None:
    assert safe_name(text) == name


@given(st.text())
def test_no_camera_leads_out_of_the_output(camera: str) -> None:
    folder = FolderLayout.parse("{camera}/{class}").folder("car", RELATIVE, Shot(SHOT.taken, "exif", camera))
    assert len(folder.parts) == 2 and not folder.is_absolute() and ".." not in folder.parts
    assert len(folder.parts[0].encode()) <= 255 and "\0" not in str(folder)
