"""A library with all the names of `docs/library.md`: moved, killed, reviewed, cleaned, put back byte for byte."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from support.commands import Sorter, command, hashes, read_report
from support.kills import killed, run
from support.whole_library import make_library

from sorter.output.names import name_beside
from sorter.sort.review import Review

TRAPS = {"IMG_0001.MOV", "two.xmp", "shopping.txt"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_library(tmp_path_factory.mktemp("whole") / "library")


def filed(out: Path) -> int:
    return sum(len(list((out / label).glob("*"))) for label in ("red", "blue"))


def check_whole(out: Path) -> None:
    """Each companion lies beside its photo, under a name that belongs to it."""
    found = set()
    for row in read_report(out):
        source, home = Path(row["path"]), Path(row["destination"] or row["path"])
        names = {name_beside(name, source.name, home.name) for name in row["companions"].split("/") if name}
        assert {name for name in names if not (home.parent / name).is_file()} == set(), row["path"]
        found |= {home, *(home.parent / name for name in names)}
    filed_here = {path for label in ("red", "blue") for path in (out / label).iterdir()}
    assert filed_here <= found


@pytest.mark.slow
def test_a_whole_library_is_moved_killed_reviewed_cleaned_and_put_back(
    tmp_path: Path, model: Path, library: Path, sorter: Sorter
) -> None:
    source, out, plain = tmp_path / "library", tmp_path / "sorted", tmp_path / "plain"
    shutil.copytree(library, source)
    shutil.copytree(library, plain)
    before = hashes(source)
    times = {path: path.stat().st_mtime_ns for path in source.rglob("*") if path.is_file()}
    assert 450 <= len(before) <= 550

    # Moved, with two kills on the way: it ends as a run does that nobody killed.
    sort = command(model, "run", source, "--out", out, "--action", "move", "-j", "2")
    for number in (40, 260):
        killed(sort, out, lambda out, number=number: filed(out) >= number, 0.001)  # type: ignore[misc]
        assert set(hashes(source).values()) | set(hashes(out).values()) == set(before.values())
    done = run(*sort, "--json")
    assert done.returncode == 3, done.stderr  # three broken photos, and raws without pixels
    assert (
        run(*command(model, "run", plain, "--out", tmp_path / "p", "--action", "move", "-j", "2")).returncode
        == 3
    )
    assert hashes(out) == hashes(tmp_path / "p")
    check_whole(out)
    rows = read_report(out)
    left = {name for name in hashes(source) if not name.startswith("broken/")}
    assert {Path(name).name for name in left} == TRAPS | {"IMG_0002.CR2"}
    companions = sum(len(row["companions"].split("/")) for row in rows if row["companions"])
    assert json.loads(done.stdout)["companions"] == companions
    assert len(rows) + companions == len(before)

    # Reviewed and applied: a fifth of the photos go to the other class, with all that is theirs.
    with closing(Review.open(out)) as review:
        chosen = [photo for photo in review.photos() if photo.label][::5]
        for photo in chosen:
            review.assign([photo.id], "blue" if photo.label == "red" else "red")
        assert review.apply().filed == len(chosen)
    check_whole(out)

    # Cleaned: copies go to the quarantine with their companions, and come back.
    applied = hashes(out)
    cleaned = sorter("clean", out, "--remove", "broken,duplicates", "--quarantine", tmp_path / "q", "--json")
    assert cleaned.returncode in (0, 3), cleaned.stderr
    quarantined = set(hashes(tmp_path / "q"))
    assert sum(name.endswith(".JPG") for name in quarantined) == 3
    assert sum(name.endswith(".xmp") for name in quarantined) == 3
    assert len(hashes(out)) == len(applied) - len(quarantined)
    check = sorter("undo", tmp_path / "q")
    assert check.returncode == 0, check.stdout
    assert hashes(out) == applied

    # Undone: name for name, byte for byte, and with their times.
    undone = sorter("undo", out)
    assert undone.returncode == 0, undone.stdout
    assert hashes(source) == before
    assert hashes(out) == {}
    assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.slow
def test_a_whole_library_is_cleaned_where_it_lies_and_put_back(
    tmp_path: Path, library: Path, sorter: Sorter
) -> None:
    source = tmp_path / "library"
    shutil.copytree(library, source)
    before = hashes(source)
    done = sorter("clean", source, "--remove", "broken,duplicates,near-duplicates", "--fix-extensions")
    assert done.returncode in (0, 3), done.stderr
    quarantine = tmp_path / "library-quarantine"
    removed = set(hashes(quarantine))
    assert {f"broken/{at}.jpg{suffix}" for at in range(3) for suffix in ("", ".xmp")} <= removed
    assert not any(name.startswith("camera/") for name in removed if not name.endswith((".JPG", ".xmp"))), (
        removed
    )
    undone = sorter("undo", quarantine)
    assert undone.returncode == 0, undone.stdout
    assert hashes(source) == before
