"""`--prune-empty`: folders that a run's moves left empty go, others stay, and an undo makes them again."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from support.commands import Sorter
from support.photos import BLUE, RED, make_photo

from sorter.output import prune
from sorter.sort.options import SortOptions
from sorter.sort.run import sort_folder
from sorter.sort.undo import undo
from sorter.types import ActionKind


def folders(root: Path) -> dict[str, int]:
    """Relative name -> mode, of every folder below one."""
    return {
        path.relative_to(root).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in root.rglob("*")
        if path.is_dir()
    }


def library(root: Path) -> Path:
    make_photo(root / "a" / "b" / "c" / "1.jpg", RED, seed=1)
    make_photo(root / "a" / "b" / "2.jpg", BLUE, seed=2)
    make_photo(root / "kept" / "3.jpg", RED, seed=3)
    (root / "kept" / "notes.txt").write_text("mine")
    (root / "was-empty").mkdir()
    (root / "a" / "was-empty").mkdir()
    (root / "a" / "b" / "c").chmod(0o711)
    return root


def options(root: Path, model: Path, **more: object) -> SortOptions:
    values = {"model": model, "workers": 1, "action": ActionKind.MOVE, "prune_empty": True, **more}
    return SortOptions((root / "in",), root / "out", **values)  # type: ignore[arg-type]


def test_only_what_the_run_emptied_goes_and_undo_makes_it_again(tmp_path: Path, sorter: Sorter) -> None:
    source, out = library(tmp_path / "in"), tmp_path / "out"
    before = folders(source)
    done = sorter("run", source, "--out", out, "--action", "move", "--prune-empty")
    assert done.returncode == 0, done.stderr
    assert "2 folders removed" in done.stdout
    assert set(folders(source)) == {"a", "a/was-empty", "kept", "was-empty"}
    undone = sorter("undo", out)
    assert undone.returncode == 0 and "3 files" in undone.stdout
    assert folders(source) == before
    assert (source / "a" / "b" / "c" / "1.jpg").exists()


def test_folders_of_earlier_runs_and_the_input_itself_stay(tmp_path: Path, model: Path) -> None:
    make_photo(tmp_path / "in" / "early" / "1.jpg", RED, seed=1)
    sort_folder(options(tmp_path, model, prune_empty=False))
    make_photo(tmp_path / "in" / "late" / "2.jpg", RED, seed=2)
    make_photo(tmp_path / "in" / "3.jpg", RED, seed=3)
    assert sort_folder(options(tmp_path, model)).pruned == 1
    assert set(folders(tmp_path / "in")) == {"early"}
    (tmp_path / "in" / "early").rmdir()
    make_photo(tmp_path / "in" / "4.jpg", RED, seed=4)
    assert sort_folder(options(tmp_path, model)).pruned == 0
    assert (tmp_path / "in").is_dir()
    assert undo(tmp_path / "out").left == ()
    assert set(folders(tmp_path / "in")) == {"early", "late"}


def test_a_run_that_was_stopped_removes_what_its_first_part_emptied(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path / "in")

    def stopped(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("sorter.sort.run.prune_emptied", stopped)
        sort_folder(options(tmp_path, model))
    assert sort_folder(options(tmp_path, model)).pruned == 2


def test_what_comes_into_a_folder_at_the_last_moment_is_kept(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path / "in")
    whole = prune._is_empty

    def late(folder: Path) -> bool:
        empty = whole(folder)
        if folder.name == "c":
            (folder / "new.txt").write_text("just written")
        return empty

    monkeypatch.setattr(prune, "_is_empty", late)
    assert sort_folder(options(tmp_path, model)).pruned == 0
    assert (tmp_path / "in" / "a" / "b" / "c" / "new.txt").read_text() == "just written"
    assert undo(tmp_path / "out").left == ()


def test_a_file_in_a_folders_place_is_told_by_undo(tmp_path: Path, model: Path) -> None:
    library(tmp_path / "in")
    sort_folder(options(tmp_path, model))
    (tmp_path / "in" / "a" / "b").write_text("a file")
    assert {path.path.name for path in undo(tmp_path / "out").left} == {"b", "c", "1.jpg", "2.jpg"}
    (tmp_path / "in" / "a" / "b").unlink()
    assert undo(tmp_path / "out").left == ()
    assert (tmp_path / "in" / "a" / "b" / "c" / "1.jpg").exists()


def test_it_goes_with_moves_only(tmp_path: Path, sorter: Sorter) -> None:
    refused = sorter("run", library(tmp_path / "in"), "--out", tmp_path / "out", "--prune-empty")
    assert refused.returncode == 2 and "--action move" in refused.stderr
