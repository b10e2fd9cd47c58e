"""A review of sorted sets: applied, taken back and exported, all that belongs to a photo goes with it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from support.commands import Sorter, hashes, read_report
from support.photos import BLUE, RED, make_photo

from sorter.sort.review import Review
from sorter.sort.table import read_table

NAMES = ("IMG_1.CR3", "IMG_1.jpg", "IMG_1.jpg.xmp", "IMG_1_HEVC.MOV")


def library(root: Path) -> Path:
    """Three sets of the same names, two red and one blue."""
    for at, colour in enumerate((RED, RED, BLUE)):
        make_photo(root / str(at) / "IMG_1.jpg", colour, seed=at)
        for name in NAMES:
            if not name.endswith(".jpg"):
                (root / str(at) / name).write_text(f"{name} of {at}")
    return root


def names(label: str, *numbers: str) -> set[str]:
    return {f"{label}/{name.replace('IMG_1', 'IMG_1' + number)}" for name in NAMES for number in numbers}


@pytest.mark.parametrize("action", ["move", "copy", "hardlink", "symlink"])
def test_apply_moves_whole_sets_and_its_undo_moves_them_back(
    tmp_path: Path, sorter: Sorter, action: str
) -> None:
    source, out = library(tmp_path / "in"), tmp_path / "out"
    before = hashes(source)
    assert sorter("run", source, "--out", out, "--action", action).returncode == 0
    sorted_before = hashes(out)
    assert set(sorted_before) == names("red", "", " (2)") | names("blue", "")
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        assert review.apply().filed == 1
    assert set(hashes(out)) == names("red", " (2)") | names("blue", "", " (2)")
    assert (out / "blue" / "IMG_1 (2).jpg.xmp").read_text() == "IMG_1.jpg.xmp of 0"
    assert read_report(out)[0]["companions"].count("/") == 2
    with closing(Review.open(out)) as review:
        assert review.undo_apply().filed == 1
    assert hashes(out) == sorted_before
    assert sorter("undo", out).returncode == 0
    assert hashes(source) == before


@pytest.mark.parametrize("action", ["move", "none"])
def test_an_export_copies_whole_sets(tmp_path: Path, sorter: Sorter, action: str) -> None:
    source, out, target = library(tmp_path / "in"), tmp_path / "out", tmp_path / "set"
    assert sorter("run", source, "--out", out, "--action", action).returncode == 0
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        exported = review.export(target)
        assert (exported.filed, exported.left) == (3, ())
        assert review.export(target).filed == 0
    # Under the names that they have in the output, where they lie there.
    number = " (2)"
    if action == "move":
        assert set(hashes(target)) == names("red", number) | names("blue", "", number)
    else:
        assert set(hashes(target)) == names("red", "") | names("blue", "", number)
    xmp = {(target / name).read_text() for name in hashes(target) if name.endswith(".xmp")}
    assert xmp == {f"IMG_1.jpg.xmp of {at}" for at in range(3)}
    assert sorter("undo", target).returncode == 0
    assert hashes(target) == {}


def test_the_table_counts_the_companions(tmp_path: Path, sorter: Sorter) -> None:
    source, out = library(tmp_path / "in"), tmp_path / "out"
    make_photo(source / "alone.jpg")
    assert sorter("run", source, "--out", out).returncode == 0
    table = read_table(out)
    assert table.companions.tolist() == [0, 3, 3, 3]
    (source / "0" / "IMG_1.jpg.xmp").unlink()
    assert read_table(out).companions.tolist() == [0, 3, 3, 3]
