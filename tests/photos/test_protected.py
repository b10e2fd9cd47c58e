"""Folders of other programs are left alone: the names, the marks, and what a user says against it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from sorter.address import Address, path_of
from sorter.photos import scan
from sorter.photos.dataset import read_folders
from sorter.photos.protected import MARKS, protected_content, protected_name
from sorter.photos.scan import Scan
from sorter.types import SKIPS, Failure, Reason, Result, UsageError

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")

VISIBLE = (
    "Photos Library.photoslibrary",
    "Old.migratedphotolibrary",
    "Shots.aplibrary",
    "Catalog Previews.lrdata",
    "Mobile.lrlibrary",
    "Work.cocatalog",
    "@eaDir",
    "#recycle",
    "#snapshot",
    "$RECYCLE.BIN",
    "$Recycle.Bin",
    "System Volume Information",
    "lost+found",
    "__MACOSX",
    "node_modules",
)
DOTTED = (".Trashes", ".Trash-1000", ".picasaoriginals", ".thumbnails", ".git", ".hg", ".svn", ".sorter")
FREE = (
    "photoslibrary",
    "my.photoslibrary.backup",
    "recycle",
    "lost",
    ".gitlab",
    "trash",
    "thumbnails",
    "eaDir",
)


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(b"x")


def found(*roots: Path, **options: Any) -> dict[str, str]:
    """Path below the root -> `photo`, or the reason it was passed over."""
    rows: dict[str, str] = {}
    for item in Scan(tuple(roots), **options):
        photo = item.photo if isinstance(item, Result) else item
        assert photo.relative.as_posix() not in rows
        outcome = item.outcome if isinstance(item, Result) else None
        rows[photo.relative.as_posix()] = outcome.reason.value if isinstance(outcome, Failure) else "photo"
    return rows


@pytest.mark.parametrize("name", VISIBLE + DOTTED)
def test_places_are_known_by_name_in_any_case(name: str) -> None:
    for spelling in (name, name.lower(), name.upper()):
        why = protected_name(spelling)
        assert why and why.endswith("--include-protected enters it")


@pytest.mark.parametrize("name", FREE)
def test_names_that_only_look_alike(name: str) -> None:
    assert protected_name(name) is None


def test_protected_is_a_skip() -> None:
    assert Reason.PROTECTED.value == "protected"
    assert Reason.PROTECTED in SKIPS


@pytest.mark.parametrize("name", VISIBLE)
def test_a_place_has_one_row_and_can_be_entered(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "b" / name / "1.jpg", tmp_path / "b" / name / "deep" / "2.jpg")
    assert found(tmp_path) == {"a.jpg": "photo", f"b/{name}": "protected"}
    entered = {"a.jpg": "photo", f"b/{name}/1.jpg": "photo", f"b/{name}/deep/2.jpg": "photo"}
    assert found(tmp_path, include_protected=True) == entered


@pytest.mark.parametrize("name", DOTTED)
def test_a_hidden_place_needs_both_flags(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "b" / name / "1.jpg")
    assert found(tmp_path / "b") == found(tmp_path / "b", include_protected=True) == {name: "hidden"}
    (row,) = Scan((tmp_path / "b",))
    assert isinstance(row, Result) and isinstance(row.outcome, Failure)
    assert "--hidden with --include-protected" in row.outcome.message
    touch(tmp_path / "b" / "c" / name / "1.jpg")
    expected = "c" if name == ".sorter" else f"c/{name}"  # the folder that holds it is an output
    assert found(tmp_path / "b", hidden=True)[expected] == "protected"
    both = found(tmp_path / "b", hidden=True, include_protected=True)
    assert both == {f"{name}/1.jpg": "photo", f"c/{name}/1.jpg": "photo"}


@pytest.mark.parametrize("mark", [*MARKS, ".NOMEDIA"])
def test_a_folder_with_a_mark_has_one_row(tmp_path: Path, mark: str) -> None:
    touch(tmp_path / "a" / "1.jpg", tmp_path / "b" / "2.jpg", tmp_path / "b" / "deep" / "3.jpg")
    if mark == ".sorter":
        touch(tmp_path / "b" / mark / "journal.db")
    else:
        touch(tmp_path / "b" / mark)
    assert found(tmp_path) == {"a/1.jpg": "photo", "b": "protected"}
    row = next(row for row in Scan((tmp_path,)) if isinstance(row, Result))
    assert isinstance(row.outcome, Failure) and mark in row.outcome.message
    entered = {"a/1.jpg": "photo", "b/2.jpg": "photo", "b/deep/3.jpg": "photo", f"b/{mark}": "hidden"}
    assert found(tmp_path, include_protected=True) == entered


def test_a_file_with_the_name_of_a_place_is_a_file(tmp_path: Path) -> None:
    touch(tmp_path / "node_modules", tmp_path / "Shots.photoslibrary")
    assert set(found(tmp_path).values()) == {"photo"}


def test_a_folder_that_is_named_is_entered_and_marks_below_it_hold(tmp_path: Path) -> None:
    root = tmp_path / "X.photoslibrary"
    touch(
        root / ".nomedia", root / "originals" / "1.jpg", root / "cache" / ".nomedia", root / "cache" / "2.jpg"
    )
    touch(root / "@eaDir" / "3.jpg")
    expected = {".nomedia": "hidden", "originals/1.jpg": "photo", "cache": "protected", "@eaDir": "protected"}
    assert found(root) == expected
    assert found(root / "cache") == {".nomedia": "hidden", "2.jpg": "photo"}
    assert found(root / "originals" / "1.jpg") == {"1.jpg": "photo"}


def test_a_protected_folder_that_is_named_beside_its_parent_is_entered(tmp_path: Path) -> None:
    root, marked = tmp_path / "in", tmp_path / "in" / "b"
    touch(root / "@eaDir" / "1.jpg", marked / ".nomedia", marked / "2.jpg")
    assert found(root) == {"@eaDir": "protected", "b": "protected"}
    rows = found(root, root / "@eaDir", marked)
    assert rows == {"@eaDir/1.jpg": "photo", "b/2.jpg": "photo", "b/.nomedia": "hidden"}


def test_the_own_output_has_no_row_and_another_is_protected(tmp_path: Path) -> None:
    for out in ("sorted", "sorted2"):
        touch(tmp_path / out / ".sorter" / "journal.db", tmp_path / out / "car" / "1.jpg")
    assert found(tmp_path, leave_out=tmp_path / "sorted") == {"sorted2": "protected"}
    assert found(tmp_path / "sorted") == {".sorter": "hidden", "car/1.jpg": "photo"}


def test_what_the_user_excludes_is_excluded(tmp_path: Path) -> None:
    touch(tmp_path / "@eaDir" / "1.jpg")
    assert found(tmp_path, exclude=("@eaDir/",)) == {"@eaDir": "excluded"}


@needs_links
def test_links_do_not_lead_into_places(tmp_path: Path) -> None:
    library, output = tmp_path / "away" / "X.photoslibrary", tmp_path / "away" / "sorted"
    touch(library / "originals" / "1.jpg", output / ".sorter" / "journal.db", output / "car" / "2.jpg")
    touch(tmp_path / "away" / "plain" / "3.jpg", tmp_path / "in" / "own.aplibrary" / "inner" / "4.jpg")
    for name, target in (
        ("whole", library),
        ("part", library / "originals"),
        ("out", output),
        ("class", output / "car"),
        ("plain", tmp_path / "away" / "plain"),
        ("own", tmp_path / "in" / "own.aplibrary" / "inner"),
    ):
        (tmp_path / "in" / name).symlink_to(target)
    rows = found(tmp_path / "in", follow_symlinks=True)
    assert rows == {
        **dict.fromkeys(("whole", "part", "out", "class", "own", "own.aplibrary"), "protected"),
        "plain/3.jpg": "photo",
    }
    entered = found(tmp_path / "in", follow_symlinks=True, include_protected=True)
    assert "protected" not in entered.values()


@needs_links
def test_a_root_inside_a_place_may_have_links_of_its_own(tmp_path: Path) -> None:
    root = tmp_path / "node_modules" / "photos"
    touch(root / "a" / "1.jpg", tmp_path / "node_modules" / "more" / "2.jpg")
    (root / "more").symlink_to(tmp_path / "node_modules" / "more")
    assert found(root, follow_symlinks=True) == {"a/1.jpg": "photo", "more/2.jpg": "photo"}


# -- stores ----------------------------------------------------------------------------------------------------


@pytest.fixture
def bucket() -> Any:
    pytest.importorskip("fsspec")
    root = path_of("memory://protected")
    assert isinstance(root, Address)
    yield root
    root.filesystem.store.clear()
    root.filesystem.pseudo_dirs[:] = [""]


@pytest.mark.parametrize("most", [100_000, 2])
def test_a_store_has_the_same_places(bucket: Address, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(scan, "SORTED_NAMES", most)  # above, a folder is not listed before it is read
    for name in ("a.jpg", "@eaDir/1.jpg", "b/!.jpg", "b/!2.jpg", "b/!3.jpg", "b/.nomedia", "b/2.jpg"):
        touch(bucket / name)
    touch(bucket / "c" / ".sorter" / "journal.db", bucket / "c" / "car" / "3.jpg")
    assert found(bucket) == {"a.jpg": "photo", "@eaDir": "protected", "b": "protected", "c": "protected"}
    assert found(bucket / "b")["2.jpg"] == "photo"
    assert len(found(bucket, include_protected=True)) == 9


# -- class folders -----------------------------------------------------------------------------------------------


def fill(*folders: Path) -> None:
    touch(*(folder / f"{number}.jpg" for folder in folders for number in range(4)))


def counts(root: Path, **options: Any) -> dict[str | None, dict[str, int]]:
    classes, parts = read_folders(root, **options)
    return {
        part: {name: sum(each.label == at for each in some) for at, name in enumerate(classes)}
        for part, some in parts.items()
    }


def test_junk_beside_class_folders_is_no_class(tmp_path: Path) -> None:
    fill(tmp_path / "car", tmp_path / "not-car", tmp_path / "car" / "@eaDir", tmp_path / "@eaDir")
    fill(tmp_path / "__MACOSX", tmp_path / "car-quarantine", tmp_path / "old", tmp_path / ".cache")
    touch(tmp_path / "car-quarantine" / ".sorter" / "journal.db", tmp_path / "old" / ".nomedia")
    touch(tmp_path / ".sorter" / "journal.db")
    said: list[str] = []
    assert counts(tmp_path, say=said.append) == {None: {"car": 4, "not-car": 4}}
    assert len(said) == 5
    assert any(
        each.startswith("Left alone: @eaDir, car/@eaDir (thumbnails of a Synology NAS;") for each in said
    )
    assert any("car-quarantine" in each and "an output of sorter" in each for each in said)
    assert any(each == "Left alone: .cache (its name begins with a dot)" for each in said)
    everything = counts(tmp_path, least=0, include_protected=True)[None]
    assert everything == {"@eaDir": 4, "__MACOSX": 4, "car": 8, "car-quarantine": 4, "not-car": 4, "old": 4}


def test_junk_beside_and_in_parts_is_no_part(tmp_path: Path) -> None:
    for part in ("train", "val"):
        fill(tmp_path / part / "a", tmp_path / part / "b", tmp_path / part / "@eaDir")
    fill(tmp_path / "@eaDir", tmp_path / "lost+found")
    said: list[str] = []
    assert counts(tmp_path, say=said.append) == {"train": {"a": 4, "b": 4}, "val": {"a": 4, "b": 4}}
    assert any("@eaDir, train/@eaDir, val/@eaDir" in each for each in said)


def test_why_a_class_is_missing_is_told_before_the_error(tmp_path: Path) -> None:
    fill(tmp_path / "a", tmp_path / "b")
    touch(tmp_path / "b" / ".nomedia")
    said: list[str] = []
    with pytest.raises(UsageError, match="there is only a"):
        read_folders(tmp_path, say=said.append)
    assert said == [
        "Left alone: b (a folder with a file that asks to be left alone (.nomedia); --include-protected enters it)"
    ]


def test_a_data_folder_that_is_an_output_is_read(tmp_path: Path) -> None:
    fill(tmp_path / "a", tmp_path / "b")
    touch(tmp_path / ".sorter" / "journal.db")
    said: list[str] = []
    assert counts(tmp_path, say=said.append) == {None: {"a": 4, "b": 4}}
    assert not said


def test_other_names_are_no_marks() -> None:
    assert protected_content(["1.jpg", ".hidden", "nomedia", ".nomedia.jpg"]) is None
