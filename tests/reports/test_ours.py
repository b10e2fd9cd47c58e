"""No flag and no default replaces or removes a file that sorter did not write."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import Sorter
from support.photos import make_photo

MINE = b"my own notes, not to be lost\n"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    make_photo(tmp_path / "in" / "a.jpg", seed=1)
    make_photo(tmp_path / "in" / "b.jpg", seed=2)
    return tmp_path / "in"


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_report_never_replaces_an_input_photo(
    tmp_path: Path, photos: Path, sorter: Sorter, dry: tuple[str, ...]
) -> None:
    before = (photos / "a.jpg").read_bytes()
    done = sorter("run", photos, "--out", tmp_path / "out", "--report", photos / "a.jpg", *dry)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{photos / 'a.jpg'}: is a file that sorter did not write" in done.stderr
    assert "--report" in done.stderr
    assert (photos / "a.jpg").read_bytes() == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["report.csv", "report.html"])
def test_a_user_s_own_report_stays(tmp_path: Path, photos: Path, sorter: Sorter, name: str) -> None:
    mine = tmp_path / "out" / name
    mine.parent.mkdir()
    mine.write_bytes(MINE)
    done = sorter("run", photos, "--out", tmp_path / "out")
    assert done.returncode == 2, done.stderr
    assert name in done.stderr
    assert mine.read_bytes() == MINE


@pytest.mark.parametrize("name", ["report.csv", "report.html"])
def test_undo_leaves_a_user_s_report(tmp_path: Path, photos: Path, sorter: Sorter, name: str) -> None:
    """One that took the place of ours after the run."""
    assert sorter("run", photos, "--out", tmp_path / "out").returncode == 0
    (tmp_path / "out" / name).write_bytes(MINE)
    assert sorter("undo", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / name).read_bytes() == MINE


def test_our_own_reports_are_replaced(tmp_path: Path, photos: Path, sorter: Sorter) -> None:
    pytest.importorskip("pyarrow")
    for name in ("plan.csv", "plan.parquet"):
        for _ in range(2):
            done = sorter("run", photos, "--out", tmp_path / "out", "--report", tmp_path / name)
            assert done.returncode == 0, done.stderr


def test_a_parquet_file_of_somebody_stays(tmp_path: Path, photos: Path, sorter: Sorter) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"mine": [1, 2]}), tmp_path / "mine.parquet")
    before = (tmp_path / "mine.parquet").read_bytes()
    done = sorter("run", photos, "--out", tmp_path / "out", "--report", tmp_path / "mine.parquet")
    assert done.returncode == 2, done.stderr
    assert (tmp_path / "mine.parquet").read_bytes() == before


def test_collect_leaves_a_user_s_manifest(tmp_path: Path, photos: Path, sorter: Sorter) -> None:
    pytest.importorskip("aiohttp")
    mine = tmp_path / "dataset" / "manifest.csv"
    mine.parent.mkdir()
    mine.write_bytes(MINE)
    given = ("collect", "--class", "a", photos, "--class", "b", photos, "--source", "folder", "--limit", "1")
    done = sorter(*given, "--out", tmp_path / "dataset")
    assert done.returncode == 2, done.stderr
    assert mine.read_bytes() == MINE


def test_clean_leaves_a_user_s_page(tmp_path: Path, photos: Path, sorter: Sorter) -> None:
    """The page takes the name of the table, which may be that of somebody's file."""
    (tmp_path / "mine.html").write_bytes(MINE)
    done = sorter("clean", photos, "--report", tmp_path / "mine.csv")
    assert done.returncode == 2, done.stderr
    assert (tmp_path / "mine.html").read_bytes() == MINE
    assert not (tmp_path / "mine.csv").exists()


@pytest.mark.parametrize("name", ["report.html", "inspection.json"])
def test_inspect_leaves_a_user_s_files(tmp_path: Path, photos: Path, sorter: Sorter, name: str) -> None:
    pytest.importorskip("matplotlib")
    make_photo(tmp_path / "data" / "red" / "a.jpg")
    make_photo(tmp_path / "data" / "blue" / "a.jpg", seed=1)
    out = tmp_path / "inspection"
    out.mkdir()
    (out / name).write_bytes(MINE)
    done = sorter("inspect", tmp_path / "data", "--out", out, "-j", "1")
    assert done.returncode == 2, done.stderr
    assert (out / name).read_bytes() == MINE
    (out / name).unlink()
    for _ in range(2):
        assert sorter("inspect", tmp_path / "data", "--out", out, "-j", "1").returncode == 0
