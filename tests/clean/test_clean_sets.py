"""`sorter clean` and what belongs to a photo: it goes with it, comes back with it, and is never lost alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cleaning import Rows, jpeg, look, put
from support.commands import Sorter, hashes


def library(root: Path) -> Path:
    """A broken photo with a sidecar and a film; an exact copy with sidecars; a copy whose raw is no copy."""
    put(root / "broken" / "b.jpg", jpeg(1)[:900])
    put(root / "broken" / "b.jpg.xmp", b"of b")
    put(root / "broken" / "b.MOV", b"film of b")
    for name in ("a.jpg", "a.xmp", "a.jpg.pp3"):
        put(root / "one" / name, jpeg(2) if name == "a.jpg" else f"one {name}".encode())
        put(root / "two" / name, jpeg(2) if name == "a.jpg" else f"two {name}".encode())
    put(root / "three" / "c.jpg", jpeg(3))
    put(root / "three" / "c.NEF", b"a raw that nobody reads")
    put(root / "three" / "c.xmp", b"of another c")
    put(root / "four" / "c.jpg", jpeg(3))
    put(root / "four" / "c.xmp", b"of c")
    return root


def quarantined(rows: Rows) -> set[str]:
    return {name for name, row in rows.items() if row["action"] == "quarantined"}


def test_a_set_goes_to_the_quarantine_and_comes_back(tmp_path: Path, sorter: Sorter) -> None:
    root = library(tmp_path / "library")
    before = hashes(root)
    summary, rows = look(root, remove=("broken", "duplicates"))
    assert quarantined(rows) == {
        *("broken/b.jpg", "broken/b.jpg.xmp", "broken/b.MOV", "two/a.jpg", "two/a.xmp", "two/a.jpg.pp3"),
        *("four/c.jpg", "four/c.xmp"),  # a copy with more companions beats one with fewer
    }
    assert summary.would_remove == len(quarantined(rows))
    assert len(rows) == len(before)
    quarantine = tmp_path / "library-quarantine"
    assert (quarantine / "two" / "a.jpg.pp3").read_bytes() == b"two a.jpg.pp3"
    _, again = look(root, remove=("broken", "duplicates"))
    assert quarantined(again) == quarantined(rows)
    assert len(again) == len(before)
    undone = sorter("undo", quarantine)
    assert undone.returncode == 0, undone.stdout
    assert hashes(root) == before


def test_a_copy_whose_raw_is_no_copy_stays(tmp_path: Path) -> None:
    root = tmp_path / "library"
    for name in ("one", "two"):
        put(root / name / "a.jpg", jpeg(2))
        put(root / name / "a.NEF", b"a raw that nobody reads " + name.encode())
    _, rows = look(root, remove=("duplicates",))
    assert quarantined(rows) == set()
    assert rows["two/a.jpg"]["verdict"] == "duplicate"


def test_the_whole_pictures_of_a_set_stay_when_one_is_broken(tmp_path: Path) -> None:
    root = tmp_path / "library"
    put(root / "IMG_1234.jpg", jpeg(5)[:900])
    put(root / "IMG_E1234.jpg", jpeg(4))
    put(root / "IMG_1234.aae", b"x")
    put(root / "a.jpg", jpeg(1)[:900])
    put(root / "a.CR3", b"a raw that nobody reads")
    put(root / "a.xmp", b"x")
    _, rows = look(root)
    assert quarantined(rows) == {"IMG_1234.jpg", "a.jpg"}
    assert {"IMG_E1234.jpg", "IMG_1234.aae", "a.CR3", "a.xmp"} == set(hashes(root))


def test_the_pictures_of_one_set_are_no_copies_of_each_other(tmp_path: Path) -> None:
    root = tmp_path / "library"
    put(root / "a.jpg", jpeg(1, quality=95))
    put(root / "a-edited.jpg", jpeg(1, quality=60))
    put(root / "a.jpg.json", b"x")
    _, rows = look(root, remove=("duplicates", "near-duplicates"))
    assert quarantined(rows) == set()
    assert {row["verdict"] for row in rows.values()} == {"ok", "near-duplicate", "other"}


def test_none_takes_each_file_by_itself(tmp_path: Path) -> None:
    root = library(tmp_path / "library")
    _, rows = look(root, companions="none")
    assert quarantined(rows) == {"broken/b.jpg"}


def test_a_new_extension_is_given_to_the_sidecar_too(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "library"
    put(root / "a.png", jpeg(1))
    put(root / "a.png.xmp", b"of a")
    put(root / "a.pp3", b"of a, too")
    put(root / "b.png", jpeg(2))
    put(root / "b.png.xmp", b"of b")
    put(root / "b.pp3", b"of b, too")
    put(root / "b.jpg.xmp", b"of nobody")
    before = hashes(root)
    _, rows = look(root, remove=(), fix_extensions=True)
    assert set(hashes(root)) == {
        *("a.jpg", "a.jpg.xmp", "a.pp3", "b (2).jpg", "b (2).jpg.xmp", "b (2).pp3", "b.jpg.xmp")
    }
    assert rows["a.png.xmp"]["destination"] == str(root / "a.jpg.xmp")
    undone = sorter("undo", tmp_path / "library-quarantine")
    assert undone.returncode == 0, undone.stdout
    assert hashes(root) == before


def test_what_only_a_copy_has_is_not_deleted(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "library"
    for name in ("one", "two", "three"):
        put(root / name / "a.jpg", jpeg(2))
        put(root / name / "a.xmp", b"the same")
    put(root / "three" / "a.jpg.dop", b"of the copy that is kept")
    put(root / "three" / "a.pp3", b"likewise")
    put(root / "one" / "a.jpg.dop", b"only here")
    done = sorter(
        "clean", root, "--remove", "duplicates", "--action", "delete", "--yes", "-j", "1", "--no-cache"
    )
    assert done.returncode == 3, done.stdout
    assert "a.jpg.dop belongs to it and would be lost" in done.stdout
    assert not any(name.startswith("two/") for name in hashes(root))
    assert len(hashes(root)) == 7


def test_a_set_goes_to_the_trash_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    send2trash = pytest.importorskip("send2trash")
    gone: list[str] = []
    monkeypatch.setattr(
        send2trash, "send2trash", lambda path: (gone.append(Path(path).name), Path(path).unlink())
    )
    root = library(tmp_path / "library")
    _, rows = look(root, action="trash")
    assert gone == ["b.jpg", "b.MOV", "b.jpg.xmp"]
    assert {name for name, row in rows.items() if row["action"] == "trashed"} == {
        f"broken/{name}" for name in gone
    }
