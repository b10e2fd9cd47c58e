"""`sorter run` with sets: a photo, its raw, its sidecars and its film go together, and come back together."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.commands import Sorter, hashes, read_report
from support.photos import BLUE, RED, make_photo

from sorter.output.journal import Journal

SET = ("IMG_1.CR2", "IMG_1.JPG", "IMG_1.JPG.pp3", "IMG_1.MOV", "IMG_1.xmp")


def library(folder: Path, colour: tuple[int, int, int] = RED, seed: int = 1) -> Path:
    """A set, a photo without companions, and a text that belongs to no photo."""
    make_photo(folder / "IMG_1.JPG", colour, seed=seed)
    make_photo(folder / "lone.png", BLUE, seed=seed + 1)
    for name in SET:
        if name != "IMG_1.JPG":
            (folder / name).write_text(f"{folder.name} {name} {seed}")
    (folder / "notes.txt").write_text("of no photo")
    return folder


def test_a_set_has_one_row_that_names_its_companions(tmp_path: Path, sorter: Sorter) -> None:
    source, out = library(tmp_path / "in"), tmp_path / "out"
    done = sorter("run", source, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["companions"] == 4
    rows = {Path(row["path"]).name: row for row in read_report(out)}
    assert set(rows) == {"IMG_1.JPG", "lone.png", "notes.txt"}
    assert rows["IMG_1.JPG"]["companions"].split("/") == [
        "IMG_1.CR2",
        "IMG_1.MOV",
        "IMG_1.JPG.pp3",
        "IMG_1.xmp",
    ]
    assert rows["lone.png"]["companions"] == ""
    assert rows["notes.txt"]["status"] == "skipped"
    assert "4 companions go with their photos" in sorter("run", source, "--out", out).stdout
    assert "2 filed here" in sorter("status", out).stdout


@pytest.mark.parametrize("action", ["copy", "move", "hardlink", "symlink"])
def test_a_set_goes_together_and_comes_back(tmp_path: Path, sorter: Sorter, action: str) -> None:
    source, out = library(tmp_path / "in"), tmp_path / "out"
    before = hashes(source)
    assert sorter("run", source, "--out", out, "--action", action).returncode == 0
    assert set(hashes(out)) == {"blue/lone.png", *(f"red/{name}" for name in SET)}
    assert (out / "red" / "IMG_1.xmp").is_symlink() == (action == "symlink")
    assert set(hashes(source)) == ({"notes.txt"} if action == "move" else set(before))
    again = json.loads(sorter("run", source, "--out", out, "--action", action, "--json").stdout)
    assert (again["decoded"], again["refiled"], again["companions"]) == (0, 0, 4)
    undone = sorter("undo", out)
    assert undone.returncode == 0, undone.stdout
    assert hashes(source) == before
    assert hashes(out) == {}
    # The next run files from the journal, the set as a whole.
    again = json.loads(sorter("run", source, "--out", out, "--action", action, "--json").stdout)
    assert again["decoded"] == 0
    assert set(hashes(out)) == {"blue/lone.png", *(f"red/{name}" for name in SET)}


def test_one_number_for_all_names_of_a_set(tmp_path: Path, sorter: Sorter) -> None:
    """Whichever of the names is taken: by another set, or by a file that was there before."""
    one, two, out = library(tmp_path / "one"), library(tmp_path / "two", seed=5), tmp_path / "out"
    (out / "red").mkdir(parents=True)
    (out / "red" / "IMG_1 (2).MOV").write_text("of somebody else")
    done = sorter("run", one, two, "--out", out)
    assert done.returncode == 0, done.stderr
    numbered = {
        "red/IMG_1 (3).CR2",
        "red/IMG_1 (3).JPG",
        "red/IMG_1 (3).JPG.pp3",
        "red/IMG_1 (3).MOV",
        "red/IMG_1 (3).xmp",
    }
    found = {name for name in hashes(out) if "(" in name}
    assert found == {*numbered, "red/IMG_1 (2).MOV", "blue/lone (2).png"}
    assert (out / "red" / "IMG_1 (3).xmp").read_text() == "two IMG_1.xmp 5"


def test_a_changed_rule_moves_the_whole_set(tmp_path: Path, sorter: Sorter) -> None:
    one, two, out = library(tmp_path / "one"), library(tmp_path / "two", BLUE, 5), tmp_path / "out"
    before = hashes(tmp_path / "one"), hashes(tmp_path / "two")
    assert sorter("run", one, two, "--out", out, "--action", "move").returncode == 0
    strict = ("--action", "move", "--threshold", "0.999999999")
    done = json.loads(sorter("run", one, two, "--out", out, *strict, "--json").stdout)
    assert (done["decoded"], done["refiled"]) == (0, 1)
    names = {name for name in hashes(out) if name.startswith("blue/IMG")}
    assert names == {f"blue/{name.replace('IMG_1', stem)}" for name in SET for stem in ("IMG_1", "IMG_1 (2)")}
    assert (out / "blue" / "IMG_1 (2).MOV").read_text() == "one IMG_1.MOV 1"
    assert sorter("undo", out).returncode == 0
    assert (hashes(one), hashes(two)) == before


def test_companions_none_takes_each_file_by_itself(tmp_path: Path, sorter: Sorter) -> None:
    source, out = library(tmp_path / "in"), tmp_path / "out"
    assert sorter("run", source, "--out", out, "--companions", "none").returncode in (0, 3)
    assert set(hashes(out)) == {"blue/lone.png", "red/IMG_1.JPG"}
    assert len(read_report(out)) == 7
    # Later they follow the photo that was filed without them, and have no rows any more.
    assert sorter("run", source, "--out", out).returncode == 0
    assert set(hashes(out)) == {"blue/lone.png", *(f"red/{name}" for name in SET)}
    assert len(read_report(out)) == 3
    # And stay where they are when each file is by itself again.
    assert sorter("run", source, "--out", out, "--companions", "none").returncode == 0
    assert len(read_report(out)) == 3


def test_a_sidecar_that_comes_later_follows_its_photo(tmp_path: Path, sorter: Sorter) -> None:
    one, two, out = library(tmp_path / "one"), library(tmp_path / "two", seed=5), tmp_path / "out"
    assert sorter("run", one, two, "--out", out).returncode == 0
    (two / "IMG_1.JPG.dop").write_text("later")
    assert sorter("run", one, two, "--out", out).returncode == 0
    assert (out / "red" / "IMG_1 (2).JPG.dop").read_text() == "later"
    before = hashes(one), hashes(two)
    assert sorter("undo", out).returncode == 0
    assert (hashes(one), hashes(two), hashes(out)) == (*before, {})


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be made read-only in this way on Windows")
def test_a_set_of_which_one_file_cannot_be_placed_stays(tmp_path: Path, sorter: Sorter) -> None:
    source, out = library(tmp_path / "in"), tmp_path / "out"
    before = hashes(source)
    (source / "IMG_1.xmp").unlink()
    (source / "IMG_1.xmp").mkdir()  # a folder is no companion
    (source / "IMG_1.JPG.pp3").unlink()
    os.mkfifo(source / "IMG_1.JPG.pp3")  # nor is a pipe
    done = sorter("run", source, "--out", out, "--action", "move")
    assert done.returncode == 0, done.stderr
    assert set(hashes(out)) == {"blue/lone.png", "red/IMG_1.JPG", "red/IMG_1.CR2", "red/IMG_1.MOV"}
    (source / "IMG_1.MOV").write_text("taken")
    undone = sorter("undo", out)
    assert undone.returncode == 3
    assert undone.stdout.count("IMG_1.MOV, which belongs to it: something else is now at") == 2, undone.stdout
    assert set(hashes(out)) == {"red/IMG_1.JPG", "red/IMG_1.CR2", "red/IMG_1.MOV"}
    (source / "IMG_1.MOV").unlink()
    assert sorter("undo", out).returncode == 0
    assert {name: value for name, value in before.items() if name in hashes(source)} == hashes(source)


def test_a_journal_without_companions_is_as_it_was(tmp_path: Path, sorter: Sorter) -> None:
    make_photo(tmp_path / "in" / "a.jpg")
    assert sorter("run", tmp_path / "in", "--out", tmp_path / "out").returncode == 0
    (tmp_path / "in" / "a.xmp").write_text("x")

    def version() -> int:
        with closing(sqlite3.connect(tmp_path / "out" / ".sorter" / "journal.db")) as db:
            return int(db.execute("PRAGMA user_version").fetchone()[0])

    assert version() == 2
    assert sorter("run", tmp_path / "in", "--out", tmp_path / "out").returncode == 0
    assert version() == 3
    assert sorter("run", tmp_path / "in", "--out", tmp_path / "out", "--fresh").returncode == 0
    with closing(Journal.read(tmp_path / "out")) as journal:
        assert [each.photo.companions[0].name for each in journal.entries()] == ["a.xmp"]


def test_a_stopped_run_leaves_by_itself_what_it_left_before(tmp_path: Path, sorter: Sorter) -> None:
    """Of two photos that could own a sidecar one was moved when the run was stopped: it is not the other one's then."""
    source, out = tmp_path / "in", tmp_path / "out"
    make_photo(source / "a.jpg", RED)
    make_photo(source / "a.png", BLUE)
    (source / "a.xmp").write_text("whose?")
    assert sorter("run", source, "--out", out, "--action", "move").returncode == 0
    assert set(hashes(source)) == {"a.xmp"}
    make_photo(source / "a.png", BLUE, seed=7)  # as if it had not been moved yet
    with closing(Journal.open(out)) as journal, journal.transaction():
        journal.set(state="running")
    assert sorter("run", source, "--out", out, "--action", "move").returncode == 0
    assert set(hashes(source)) == {"a.xmp"}
    assert {Path(row["path"]).name for row in read_report(out)} == {"a.jpg", "a.png", "a.xmp"}
