"""`sorter run` from end to end, as a command."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

from support.commands import Sorter
from support.photos import BLUE, RED, make_photo


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tree(folder: Path) -> dict[str, bytes]:
    """Relative name -> bytes of every file below a folder, but for sorter's own."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".sorter" not in path.parts and not path.name.startswith("report.")
    }


def photos(folder: Path) -> Path:
    make_photo(folder / "a" / "IMG_9.jpg", RED, seed=1)
    make_photo(folder / "a" / "IMG_10.jpg", BLUE, seed=2)
    make_photo(folder / "b" / "IMG_9.jpg", RED, seed=3)
    make_photo(folder / "b" / "deep" / "er" / "IMG_10.png", BLUE, seed=4)
    return folder


def test_sorts_by_content_and_numbers_same_names(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    before = tree(source)
    done = sorter("run", source, "--out", out)
    assert done.returncode == 0, done.stderr
    assert set(tree(out)) == {"red/IMG_9.jpg", "red/IMG_9 (2).jpg", "blue/IMG_10.jpg", "blue/IMG_10.png"}
    assert tree(source) == before
    assert tree(out)["red/IMG_9.jpg"] == before["a/IMG_9.jpg"]
    assert tree(out)["red/IMG_9 (2).jpg"] == before["b/IMG_9.jpg"]
    report = rows(out / "report.csv")
    assert [Path(row["path"]).relative_to(source).as_posix() for row in report] == [
        "a/IMG_9.jpg",
        "a/IMG_10.jpg",
        "b/IMG_9.jpg",
        "b/deep/er/IMG_10.png",
    ]
    assert {row["status"] for row in report} == {"sorted"}
    assert all((float(row["probability"]) >= 0.5) == (row["label"] == "red") for row in report)
    assert [(row["width"], row["height"]) for row in report] == [("96", "64")] * 4
    assert all(Path(row["destination"]).read_bytes() == Path(row["path"]).read_bytes() for row in report)
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_tree_layout_keeps_folders_and_times(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    os.utime(source / "a" / "IMG_9.jpg", ns=(10**18, 10**18 + 123_456_789))
    assert sorter("run", source, "--out", out, "--layout", "tree").returncode == 0
    assert set(tree(out)) == {
        "red/a/IMG_9.jpg",
        "red/b/IMG_9.jpg",
        "blue/a/IMG_10.jpg",
        "blue/b/deep/er/IMG_10.png",
    }
    assert (out / "red/a/IMG_9.jpg").stat().st_mtime_ns == 10**18 + 123_456_789


def test_every_action_and_its_undo(tmp_path: Path, sorter: Sorter) -> None:
    for action in ("copy", "move", "hardlink", "symlink"):
        source, out = photos(tmp_path / action / "in"), tmp_path / action / "out"
        before = tree(source)
        assert sorter("run", source, "--out", out, "--action", action).returncode == 0
        assert sorted(tree(out).values()) == sorted(before.values())
        assert tree(source) == ({} if action == "move" else before)
        placed = out / "red" / "IMG_9.jpg"
        assert placed.is_symlink() == (action == "symlink")
        if action == "hardlink":
            assert placed.samefile(source / "a" / "IMG_9.jpg")
        undone = sorter("undo", out)
        assert undone.returncode == 0, undone.stdout
        assert tree(source) == before
        assert tree(out) == {}
        assert not (out / "red").exists()


def test_action_none_then_copy_decodes_once(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    assert sorter("run", source, "--out", out, "--action", "none").returncode == 0
    assert tree(out) == {}
    again = json.loads(sorter("run", source, "--out", out, "--json").stdout)
    assert (again["decoded"], again["refiled"]) == (0, 4)
    assert len(tree(out)) == 4


def test_threshold_and_unsure_refile_without_decoding(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    make_photo(source / "violet.png", (130, 30, 128))
    assert sorter("run", source, "--out", out).returncode == 0
    for path in source.rglob("*.*"):
        path.chmod(0)  # nothing may be read again (root reads all the same: hence the count below)
    one = json.loads(sorter("run", source, "--out", out, "--unsure", "0.3", "0.7", "--json").stdout)
    assert (one["decoded"], one["refiled"]) == (0, 1)
    assert one["counts"] == {"red": 2, "blue": 2, "unsure": 1}
    assert "unsure/violet.png" in tree(out)
    two = json.loads(sorter("run", source, "--out", out, "--threshold", "0.999999999", "--json").stdout)
    assert two["decoded"] == 0
    assert two["counts"] == {"red": 0, "blue": 5}
    assert {row["label"] for row in rows(out / "report.csv")} == {"blue"}


def test_new_and_changed_photos_are_picked_up(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    assert sorter("run", source, "--out", out).returncode == 0
    make_photo(source / "new.jpg", RED, seed=9)
    make_photo(source / "a" / "IMG_9.jpg", BLUE, seed=10, size=(50, 50))
    again = json.loads(sorter("run", source, "--out", out, "--json").stdout)
    assert again["decoded"] == 2
    report = {Path(row["path"]).relative_to(source).as_posix(): row for row in rows(out / "report.csv")}
    assert len(report) == 5
    assert report["a/IMG_9.jpg"]["label"] == "blue"
    # The older photo was copied too, and is the only copy now: it stays.
    assert {"red/IMG_9.jpg", "blue/IMG_9.jpg", "red/new.jpg"} <= set(tree(out))
    undone = sorter("undo", out)
    assert undone.returncode == 3
    assert "only copy of the older photo" in undone.stdout
    assert set(tree(out)) == {"red/IMG_9.jpg"}


def test_one_row_for_each_file_found(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "in" / "out"
    (source / "empty.jpg").touch()
    (source / "notes.txt").write_text("hello")
    (source / "fake.jpg").write_text("hello")
    (source / ".hidden.jpg").write_text("hello")
    (source / "dir.jpg").mkdir()
    good = (source / "a" / "IMG_9.jpg").read_bytes()
    (source / "cut.jpg").write_bytes(good[: len(good) // 2])
    (source / "wrong.png").write_bytes(good)
    os.mkfifo(source / "pipe.jpg")
    (source / "loop").symlink_to(source)
    done = sorter("run", source, "--out", out, "--exclude", "b/deep/")
    assert done.returncode == 3, done.stderr
    report = {Path(row["path"]).relative_to(source).as_posix(): row for row in rows(out / "report.csv")}
    assert {name: (row["status"], row["error"].split(":")[0]) for name, row in report.items()} == {
        "a/IMG_9.jpg": ("sorted", ""),
        "a/IMG_10.jpg": ("sorted", ""),
        "b/IMG_9.jpg": ("sorted", ""),
        "wrong.png": ("sorted", ""),
        "b/deep": ("skipped", "excluded"),
        "empty.jpg": ("failed", "empty"),
        "notes.txt": ("skipped", "other-file"),
        "fake.jpg": ("failed", "not-an-image"),
        ".hidden.jpg": ("skipped", "hidden"),
        "cut.jpg": ("failed", "truncated"),
        "pipe.jpg": ("skipped", "special-file"),
        "loop": ("skipped", "symlink"),
    }
    assert (source / "cut.jpg").exists()
    again = json.loads(sorter("run", source, "--out", out, "--exclude", "b/deep/", "--json").stdout)
    assert (again["decoded"], again["refiled"]) == (0, 0)


def test_a_bad_file_that_was_removed_is_forgotten(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    (source / "empty.jpg").touch()
    assert sorter("run", source, "--out", out).returncode == 3
    (source / "empty.jpg").unlink()
    assert sorter("run", source, "--out", out).returncode == 0
    assert len(rows(out / "report.csv")) == 4


def test_dry_run_touches_nothing(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    done = sorter("run", source, "--out", out, "--dry-run", "--report", tmp_path / "plan.csv")
    assert done.returncode == 0, done.stderr
    assert "Would sort" in done.stdout
    assert not out.exists()
    assert [Path(row["destination"]).relative_to(out).as_posix() for row in rows(tmp_path / "plan.csv")] == [
        "red/IMG_9.jpg",
        "blue/IMG_10.jpg",
        "red/IMG_9 (2).jpg",
        "blue/IMG_10.png",
    ]


def test_another_model_or_action_is_refused_until_fresh(tmp_path: Path, sorter: Sorter) -> None:
    from support.models import make_model

    source, out = photos(tmp_path / "in"), tmp_path / "out"
    assert sorter("run", source, "--out", out).returncode == 0
    other = make_model(tmp_path / "other", temperature=2.0).folder
    refused = sorter("run", source, "--out", out, "--model", other)
    assert refused.returncode == 2
    assert "another model" in refused.stderr and "--fresh" in refused.stderr
    assert sorter("run", source, "--out", out, "--action", "move").returncode == 2
    assert (
        sorter("run", source, "--out", out, "--model", other, "--action", "move", "--fresh").returncode == 0
    )
    assert tree(source) == {}
    assert len(tree(out)) == 4


def test_three_classes_get_a_column_each(tmp_path: Path, sorter: Sorter) -> None:
    from support.models import make_model

    source, out = photos(tmp_path / "in"), tmp_path / "out"
    make_photo(source / "leaf.webp", (30, 220, 30))
    folder = make_model(tmp_path / "three", ("red", "blue", "green")).folder
    assert sorter("run", source, "--out", out, "--model", folder).returncode == 0
    report = rows(out / "report.csv")
    assert {row["label"] for row in report} == {"red", "blue", "green"}
    for row in report:
        parts = [float(row[f"prob_{label}"]) for label in ("red", "blue", "green")]
        assert abs(sum(parts) - 1) < 1e-5
        assert float(row["probability"]) == max(parts)
    refused = sorter("run", source, "--out", tmp_path / "x", "--model", folder, "--threshold", "0.4")
    assert refused.returncode == 2 and "--unsure" in refused.stderr


def test_onnx_path_imports_no_torch(tmp_path: Path, sorter: Sorter) -> None:
    source = photos(tmp_path / "in")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "torch.py").write_text("raise SystemExit('torch was imported')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    for engine in (["--engine", "auto"], ["--engine", "onnx", "--device", "auto"]):
        done = sorter("run", source, "--out", tmp_path / engine[1], *engine, env=environment)
        assert done.returncode == 0, done.stderr
        assert "4 photos decoded" in done.stdout


def test_undo_keeps_what_appeared_meanwhile(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    before = tree(source)
    assert sorter("run", source, "--out", out, "--action", "move").returncode == 0
    (source / "a" / "IMG_9.jpg").write_text("new here")
    undone = sorter("undo", out, "--json")
    assert undone.returncode == 3
    (left,) = json.loads(undone.stdout)["left"]
    assert Path(left["path"]).read_bytes() == before["a/IMG_9.jpg"]
    assert "something else is now at" in left["reason"]
    assert (source / "a" / "IMG_9.jpg").read_text() == "new here"
