"""`sorter run --from`: the files of a list, from end to end."""

from __future__ import annotations

from pathlib import Path

from support.commands import Sorter, hashes, read_report
from support.photos import BLUE, RED, make_photo

from sorter.sort.options import options_of_last_run


def photos(folder: Path) -> list[Path]:
    return [
        make_photo(folder / "a" / "IMG_1.jpg", RED, seed=1),
        make_photo(folder / "b" / "IMG_1.jpg", BLUE, seed=2),
        make_photo(folder / "b" / "not in the list.jpg", BLUE, seed=3),
    ]


def test_a_list_is_sorted_resumed_and_undone(tmp_path: Path, sorter: Sorter) -> None:
    photos(tmp_path / "in")
    before = hashes(tmp_path / "in")
    listing = tmp_path / "in" / "list.csv"
    listing.write_text("path\nb/IMG_1.jpg\na/IMG_1.jpg\nmissing.jpg\na/IMG_1.jpg\n", encoding="utf-8")
    given = ("run", "--from", listing, "--out", tmp_path / "out", "--action", "move", "--layout", "tree")
    done = sorter(*given)
    assert done.returncode == 3, done.stderr
    rows = read_report(tmp_path / "out")
    assert [Path(row["path"]).name for row in rows] == ["IMG_1.jpg", "IMG_1.jpg", "missing.jpg"]
    assert [row["status"] for row in rows] == ["sorted", "sorted", "failed"]
    assert rows[2]["error"].startswith("vanished")
    assert set(hashes(tmp_path / "out")) == {"red/a/IMG_1.jpg", "blue/b/IMG_1.jpg"}
    make_photo(tmp_path / "in" / "missing.jpg", RED, seed=4)
    again = sorter(*given)
    assert again.returncode == 0, again.stderr
    assert "1 photos decoded" in again.stdout
    assert set(hashes(tmp_path / "out")) == {"red/a/IMG_1.jpg", "blue/b/IMG_1.jpg", "red/missing.jpg"}
    assert options_of_last_run(tmp_path / "out").listing is not None
    assert sorter("undo", tmp_path / "out").returncode == 0
    (tmp_path / "in" / "missing.jpg").unlink()
    listing.unlink()
    assert hashes(tmp_path / "in") == before


def test_a_list_on_stdin_with_nuls(tmp_path: Path, sorter: Sorter) -> None:
    paths = photos(tmp_path / "in")
    given = ("run", "--from", "-", "-0", "--out", tmp_path / "out")
    done = sorter(*given, input="\0".join(map(str, paths[:2])) + "\0")
    assert done.returncode == 0, done.stderr
    assert set(hashes(tmp_path / "out")) == {"red/IMG_1.jpg", "blue/IMG_1.jpg"}


def test_the_report_of_one_run_is_the_list_of_another(tmp_path: Path, sorter: Sorter) -> None:
    photos(tmp_path / "in")
    assert sorter("run", tmp_path / "in", "--out", tmp_path / "out").returncode == 0
    given = ("run", "--from", tmp_path / "out" / "report.csv", "--out", tmp_path / "again", "--dry-run")
    done = sorter(*given, "--report", tmp_path / "plan.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "plan.csv").read_text(encoding="utf-8").count("sorted") == 3


def test_a_list_is_taken_from_a_store_and_names_objects(tmp_path: Path, sorter: Sorter) -> None:
    """On a machine without a store: links to what lies in one fail, each with a row of its own."""
    listing = tmp_path / "list.txt"
    listing.write_text("s3://bucket/a.jpg\n", encoding="utf-8")
    done = sorter("run", "--from", listing, "--out", tmp_path / "out", "--action", "symlink")
    assert done.returncode == 3, done.stderr
    assert "a store has no links" in read_report(tmp_path / "out")[0]["error"]


def test_wrong_uses_are_refused(tmp_path: Path, sorter: Sorter) -> None:
    photos(tmp_path / "in")
    listing = tmp_path / "list.txt"
    listing.touch()
    for given, message in (
        (("--from", listing, tmp_path / "in"), "give either PATH or --from"),
        ((), "PATH: none is given; name one, or a list with --from"),
        (("--from", tmp_path / "none.txt"), "no such file; name a list of files"),
        (("--from", tmp_path / "in"), "is a folder"),
        (("-0", tmp_path / "in"), "-0: there is no list"),
    ):
        done = sorter("run", *given, "--out", tmp_path / "out")
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
    assert not (tmp_path / "out").exists()
