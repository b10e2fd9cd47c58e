"""Roots -> photos, with every entry accounted for."""

from __future__ import annotations

import os
import socket
import stat
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.photos.protected import protected_name
from sorter.photos.scan import Scan, natural_order
from sorter.types import Failure, Photo, Reason, Result, UsageError

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(*roots: Path, **options: Any) -> list[tuple[str, str]]:
    """(path below the root, `photo` or the reason it was passed over), in the order of the scan."""
    rows = []
    for item in Scan(tuple(roots), **options):
        if isinstance(item, Photo):
            rows.append((item.relative.as_posix(), "photo"))
        else:
            assert isinstance(item.outcome, Failure) and item.outcome.message
            rows.append((item.photo.relative.as_posix(), item.outcome.reason.value))
    return rows


def paths(*roots: Path, **options: Any) -> list[Path]:
    return [
        item.photo.path if isinstance(item, Result) else item.path for item in Scan(tuple(roots), **options)
    ]


def test_natural_order_files_before_folders(tmp_path: Path) -> None:
    for name in ("IMG_10.jpg", "img_9.jpg", "IMG_1.jpg", "a/2.jpg", "B10/1.jpg", "b9/1.jpg", "z.jpg"):
        touch(tmp_path / name)
    order = ["IMG_1.jpg", "img_9.jpg", "IMG_10.jpg", "z.jpg", "a/2.jpg", "b9/1.jpg", "B10/1.jpg"]
    assert found(tmp_path) == [(name, "photo") for name in order]


def test_a_photo_has_its_facts(tmp_path: Path) -> None:
    touch(tmp_path / "in" / "a" / "b.jpg")
    os.utime(tmp_path / "in" / "a" / "b.jpg", ns=(5, 1_600_000_000_123_456_700))
    (photo,) = Scan((tmp_path / "in",))
    mtime_ns = (tmp_path / "in" / "a" / "b.jpg").stat().st_mtime_ns
    assert photo == Photo(tmp_path / "in" / "a" / "b.jpg", Path("a/b.jpg"), 1, mtime_ns, False)


def test_hidden(tmp_path: Path) -> None:
    touch(
        tmp_path / ".secret.jpg", tmp_path / ".git" / "a.jpg", tmp_path / ".git" / "b.jpg", tmp_path / "c.jpg"
    )
    assert found(tmp_path) == [(".git", "hidden"), (".secret.jpg", "hidden"), ("c.jpg", "photo")]
    assert found(tmp_path, hidden=True, include_protected=True) == [
        (name, "photo") for name in (".secret.jpg", "c.jpg", ".git/a.jpg", ".git/b.jpg")
    ]


def test_a_root_whose_own_name_is_hidden_is_looked_through(tmp_path: Path) -> None:
    touch(tmp_path / ".photos" / "a.jpg")
    assert found(tmp_path / ".photos") == [("a.jpg", "photo")]


def test_exclude_means_what_it_means_in_a_gitignore(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "keep.png", "raw/a.jpg", "raw/b.jpg", "deep/raw/a.jpg", "deep/b.PNG"):
        touch(tmp_path / name)
    touch(tmp_path / "other" / "raw")  # a file, which `raw/` does not mean
    excluded = found(tmp_path, exclude=("*.png", "!keep.png", "raw/", "/deep/b.*"))
    assert excluded == [
        ("a.jpg", "photo"),
        ("a.png", "excluded"),
        ("keep.png", "photo"),
        ("raw", "excluded"),
        ("deep/b.PNG", "excluded"),
        ("deep/raw", "excluded"),
        ("other/raw", "photo"),
    ]
    # As in git: what lies in an excluded folder cannot be brought back.
    assert ("raw", "excluded") in found(tmp_path, exclude=("raw/", "!raw/a.jpg"))
    assert ("raw/a.jpg", "photo") in found(tmp_path, exclude=("/raw/*", "!/raw/a.jpg"))


def test_a_pattern_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--exclude"):
        list(Scan((tmp_path,), exclude=("!",)))


@needs_links
def test_links_to_files_and_folders(tmp_path: Path) -> None:
    touch(tmp_path / "in" / "b.jpg", tmp_path / "away" / "c.jpg")
    (tmp_path / "in" / "a.jpg").symlink_to(tmp_path / "in" / "b.jpg")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "away")
    (tmp_path / "in" / "nowhere.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "in" / ".#lock").symlink_to("me@host.1234")
    (tmp_path / "in" / "self.jpg").symlink_to("self.jpg")
    common = [
        (".#lock", "hidden"),
        ("a.jpg", "photo"),
        ("b.jpg", "photo"),
        ("nowhere.jpg", "symlink"),
        ("self.jpg", "symlink"),
    ]
    assert sorted(found(tmp_path / "in")) == sorted([*common, ("folder", "symlink")])
    assert sorted(found(tmp_path / "in", follow_symlinks=True)) == sorted(
        [*common, ("folder/c.jpg", "photo")]
    )
    links = {item.path.name: item.is_link for item in Scan((tmp_path / "in",)) if isinstance(item, Photo)}
    assert links == {"a.jpg": True, "b.jpg": False}


@needs_links
def test_loops_end(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.jpg", tmp_path / "b" / "2.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "across").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "back").symlink_to(tmp_path / "a")
    assert Counter(found(tmp_path, follow_symlinks=True)) == Counter(
        {
            ("a/1.jpg", "photo"): 1,
            ("b/2.jpg", "photo"): 1,
            ("a/up", "folder-loop"): 1,
            ("a/self", "folder-loop"): 1,
            ("a/across", "folder-loop"): 1,
            ("b/back", "folder-loop"): 1,
        }
    )


@needs_links
def test_the_output_is_never_looked_at(tmp_path: Path) -> None:
    out = tmp_path / "in" / "sorted"
    touch(tmp_path / "in" / "a.jpg", out / "car" / "b.jpg")
    (tmp_path / "in" / "link").symlink_to(out)
    (tmp_path / "in" / "inner").symlink_to(out / "car")
    (tmp_path / "alias").symlink_to(tmp_path / "in")
    for output in (out, tmp_path / "alias" / "sorted", tmp_path / "in" / ".." / "in" / "sorted"):
        assert found(tmp_path / "in", leave_out=output, follow_symlinks=True) == [("a.jpg", "photo")]
        assert found(tmp_path / "alias", leave_out=output, follow_symlinks=True) == [("a.jpg", "photo")]
    assert len(found(tmp_path / "in", leave_out=tmp_path / "not-there-yet")) == 4


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_special_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo.jpg")
    monkeypatch.chdir(tmp_path)  # the path of a socket may hold few characters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        (tmp_path / "null.jpg").symlink_to(os.devnull)
        assert {reason for _, reason in found(tmp_path)} == {"special-file"}
        assert len(found(tmp_path)) == 3
        assert found(tmp_path / "fifo.jpg") == [("fifo.jpg", "special-file")]


def test_an_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "locked" / "b.jpg", tmp_path / "z" / "c.jpg")
    real = os.scandir

    def scandir(folder: Any) -> Any:  # permissions do not hold for root, who may run the tests
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert found(tmp_path) == [("a.jpg", "photo"), ("locked", "unreadable"), ("z/c.jpg", "photo")]
    assert found(tmp_path / "locked") == [(".", "unreadable")]


def test_an_entry_that_vanishes(tmp_path: Path) -> None:
    touch(tmp_path / "1.jpg", tmp_path / "2.jpg", tmp_path / "folder" / "3.jpg")
    scan = iter(Scan((tmp_path,)))
    assert isinstance(next(scan), Photo)
    (tmp_path / "2.jpg").unlink()
    gone = next(scan)
    assert isinstance(gone, Result) and gone.outcome.reason is Reason.VANISHED
    (tmp_path / "folder" / "3.jpg").unlink()
    (tmp_path / "folder").rmdir()
    assert [item.outcome.reason for item in scan if isinstance(item, Result)] == [Reason.VANISHED]


def test_several_roots_give_every_file_once(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("a/1.jpg", "a/sub/2.jpg", "a/sub/in/3.jpg", "b/4.jpg")))
    everything = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    a, sub, inner, one = tmp_path / "a", tmp_path / "a/sub", tmp_path / "a/sub/in", tmp_path / "a/1.jpg"
    for roots in ((a, sub), (sub, a), (inner, a, one, a), (one, sub, a, one, inner), (tmp_path, a, inner)):
        assert sorted(paths(*roots, tmp_path / "b")) == everything, roots
    assert found(a, tmp_path / "b") == [
        ("a/1.jpg", "photo"),
        ("a/sub/2.jpg", "photo"),
        ("a/sub/in/3.jpg", "photo"),
        ("b/4.jpg", "photo"),
    ]


@needs_links
def test_a_root_under_another_name(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.jpg")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert found(tmp_path / "a", tmp_path / "b") == [("a/1.jpg", "photo"), ("b", "folder-loop")]


def test_what_is_given_by_name_is_looked_at(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / ".b.jpg")
    assert found(tmp_path / "a.png", tmp_path / ".b.jpg", exclude=("*.png",)) == [
        ("a.png", "photo"),
        (".b.jpg", "photo"),
    ]


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere.*exists"):
        list(Scan((tmp_path / "nowhere",)))


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes only on Linux")
def test_any_name(tmp_path: Path) -> None:
    names = [
        b"\xff\xfe.jpg",
        b"a\nb.jpg",
        "😀.jpg".encode(),
        b"=1+1.jpg",
        b" .jpg",
        b"x" * 251 + b".jpg",
        b"-rf",
    ]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    seen = [item.path for item in Scan((tmp_path,), exclude=("*.png",)) if isinstance(item, Photo)]
    assert sorted(os.fsencode(path.name) for path in seen) == sorted(names)


def test_folders_deeper_than_the_stack(tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 50
    if len(str(tmp_path)) + 2 * depth > 4000 or sys.platform == "win32":
        pytest.skip("paths cannot be that long here")
    folder = tmp_path
    for _ in range(depth):
        folder = folder / "d"
        folder.mkdir()
    touch(folder / "a.jpg")
    assert [path.name for path in paths(tmp_path)] == ["a.jpg"]
    (folder / "a.jpg").unlink()
    while folder != tmp_path:  # pytest would clear it away by recursion
        folder.rmdir()
        folder = folder.parent


name = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=6
).filter(lambda text: text not in (".", "..") and protected_name(text) is None)
tree = st.recursive(
    st.just("file") | st.just("link"),
    lambda inner: st.dictionaries(name | st.sampled_from([".a", "b.png", "c"]), inner, max_size=4),
    max_leaves=12,
)


def _build(folder: Path, content: dict[str, Any]) -> None:
    for entry, inner in content.items():
        path = folder / entry
        if isinstance(inner, dict):
            path.mkdir()
            _build(path, inner)
        elif inner == "link":
            path.symlink_to(folder)
        else:
            path.write_bytes(b"x")


def _expected(root: Path, hidden: bool) -> Iterator[Path]:
    """What os.walk finds, but a folder that is passed over stands for all that it holds."""
    for here, folders, files in os.walk(root):
        for entry in list(folders):
            path = Path(here) / entry
            if (entry.startswith(".") and not hidden) or path.is_symlink():
                folders.remove(entry)
                yield path
        yield from (Path(here) / entry for entry in files)


@needs_links
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS folds names")
@given(st.dictionaries(name, tree, max_size=5), st.booleans(), st.booleans())
@settings(max_examples=80, deadline=None)
def test_every_entry_once_and_always_in_the_same_order(
    content: dict[str, Any], hidden: bool, follow: bool
) -> None:
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        _build(root, content)
        rows = list(Scan((root,), hidden=hidden, follow_symlinks=follow))
        seen = [row.photo.path if isinstance(row, Result) else row.path for row in rows]
        # Every link leads to a folder that was entered already, so following it changes the reason only.
        assert Counter(seen) == Counter(_expected(root, hidden))
        assert rows == list(Scan((root,), hidden=hidden, follow_symlinks=follow))
        for row in rows:
            if isinstance(row, Photo):
                assert stat.S_ISREG(row.path.stat().st_mode)


@given(st.lists(st.text(max_size=8), unique=True))
def test_the_order_is_total(names: list[str]) -> None:
    key, backwards = natural_order(), names[::-1]
    assert sorted(names, key=key) == sorted(backwards, key=key)
