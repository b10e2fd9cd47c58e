"""`sorter clean --action hardlink`: copies give up their bytes and never a byte that nobody else has."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.cleaning import look
from support.commands import Sorter
from support.photos import BLUE, RED, make_photo

from sorter.clean.options import CleanOptions
from sorter.clean.run import clean
from sorter.output import exchange, relink
from sorter.output.journal import Journal
from sorter.output.relink import NO_MORE_LINKS, Copy, Relinker
from sorter.sort.undo import undo
from sorter.types import UsageError

KEPT, COPIES = "a.jpg", ("b/a.jpg", "c/other.jpg")


def library(root: Path) -> Path:
    data = make_photo(root / KEPT, RED, seed=1).read_bytes()
    make_photo(root / "single.jpg", BLUE, seed=2)
    for number, name in enumerate(COPIES):
        (root / name).parent.mkdir()
        (root / name).write_bytes(data)
        os.utime(root / name, ns=(10**18 + number, 10**18 + number))
    (root / COPIES[0]).chmod(0o640)
    return root


def state(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Relative name -> bytes, time and mode of every file but sorter's own."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            status = path.stat()
            found[path.relative_to(root).as_posix()] = (path.read_bytes(), status.st_mtime_ns, status.st_mode)
    return found


def inodes(root: Path) -> set[int]:
    return {(root / name).stat().st_ino for name in (KEPT, *COPIES)}


def link(root: Path) -> None:
    clean(CleanOptions((root,), remove=("duplicates",), action="hardlink", cache=False, workers=1))


def test_copies_become_links_and_undo_gives_them_back(tmp_path: Path, sorter: Sorter) -> None:
    root = library(tmp_path / "in")
    before = state(root)
    command = ("clean", root, "--remove", "duplicates", "--action", "hardlink")
    done = sorter(*command)
    assert done.returncode == 0, done.stderr
    assert "2 linked" in done.stdout and "Undo with" in done.stdout
    assert len(inodes(root)) == 1
    assert {name: data for name, (data, *_) in state(root).items()} == {
        name: data for name, (data, *_) in before.items()
    }
    again = sorter(*command)
    assert again.returncode == 0 and "linked" not in again.stdout
    undone = sorter("undo", tmp_path / "in-quarantine")
    assert undone.returncode == 0 and "2 files" in undone.stdout
    assert state(root) == before
    assert len(inodes(root)) == 3


def test_only_exact_copies_are_replaced(tmp_path: Path, sorter: Sorter) -> None:
    root = library(tmp_path / "in")
    for words in ("broken", "duplicates,near-duplicates"):
        refused = sorter("clean", root, "--remove", words, "--action", "hardlink")
        assert refused.returncode == 2 and "--remove duplicates" in refused.stderr
    with pytest.raises(UsageError):
        clean(CleanOptions((root,), action="hardlink"))


def test_a_folder_that_is_kept_has_no_copy_replaced(tmp_path: Path) -> None:
    root = library(tmp_path / "in")
    options = CleanOptions((root,), remove=("duplicates",), action="hardlink", keep=(root / "b", root / "c"))
    clean(options)
    assert (root / "b" / "a.jpg").stat().st_ino != (root / "c" / "other.jpg").stat().st_ino


def test_what_was_changed_through_a_link_stays_a_link(tmp_path: Path) -> None:
    root = library(tmp_path / "in")
    link(root)
    (root / COPIES[0]).write_bytes(b"edited")
    undone = undo(tmp_path / "in-quarantine")
    assert [each.message for each in undone.left] == ["was changed since, by any of its names"] * 2
    assert {(root / name).read_bytes() for name in (KEPT, *COPIES)} == {b"edited"}


def test_the_kept_file_may_be_gone_at_the_undo(tmp_path: Path) -> None:
    root = library(tmp_path / "in")
    before = state(root)
    link(root)
    (root / KEPT).unlink()
    assert undo(tmp_path / "in-quarantine").left == ()
    assert state(root) == {name: what for name, what in before.items() if name != KEPT}


def test_a_link_that_was_replaced_is_left_alone(tmp_path: Path) -> None:
    root = library(tmp_path / "in")
    link(root)
    (root / COPIES[0]).unlink()
    make_photo(root / COPIES[0], BLUE, seed=7)
    mine = (root / COPIES[0]).read_bytes()
    undone = undo(tmp_path / "in-quarantine")
    assert [each.path for each in undone.left] == [root / COPIES[0]]
    assert (root / COPIES[0]).read_bytes() == mine


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_change_in_the_last_moment_is_never_lost(
    tmp_path: Path, exchanges: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = library(tmp_path / "in")
    whole = relink.replace_if

    def late(staging: Path, target: Path, known: Callable[[Path], bool]) -> bool:
        if target.name == "other.jpg":
            target.write_bytes(b"a new photo of the same name")
        return whole(staging, target, known)

    monkeypatch.setattr(relink, "replace_if", late)
    if not exchanges:
        monkeypatch.setattr(exchange, "_native_exchange", lambda: None)
    link(root)
    assert (root / COPIES[1]).read_bytes() == b"a new photo of the same name"
    assert (root / COPIES[0]).stat().st_ino == (root / KEPT).stat().st_ino
    assert not list(root.rglob(".sorter-*"))


def test_another_file_system_is_refused_plainly(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    there = elsewhere / f"sorter-test-{os.getpid()}"
    try:
        there.mkdir()
        root = library(tmp_path / "in")
        copy = there / "copy.jpg"
        copy.write_bytes((root / KEPT).read_bytes())
        status = copy.stat()
        with closing(Journal.open(tmp_path / "quarantine")) as journal:
            (why,) = Relinker(journal).link([Copy(copy, root / KEPT, status.st_size, status.st_mtime_ns)])
        assert why is not None and "another file system" in why
        assert copy.stat().st_ino == status.st_ino
    finally:
        for path in there.iterdir():
            path.unlink()
        there.rmdir()


def test_where_a_disk_allows_no_more_links_a_copy_becomes_the_next_kept_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.link

    def limited(source: Path, target: Path, **more: object) -> None:
        if Path(source).stat().st_nlink >= 2:
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))
        whole(source, target)

    names = [tmp_path / f"{number}.jpg" for number in range(6)]
    for name in names:
        name.write_bytes(b"the same")
    before = state(tmp_path)
    monkeypatch.setattr(os, "link", limited)
    with closing(Journal.open(tmp_path / "out")) as journal:
        copies = [Copy(name, names[0], 8, name.stat().st_mtime_ns) for name in names[1:]]
        outcomes = Relinker(journal).link(copies)
        assert outcomes == [None, NO_MORE_LINKS, None, NO_MORE_LINKS, None]
        assert [name.stat().st_nlink for name in names] == [2] * 6
        assert {why for _, why in Relinker(journal).undo()} == {None}
    assert {name: what for name, what in state(tmp_path).items() if name in before} == before


KILLED = """
import os, signal, sys
from pathlib import Path
from sorter.clean.options import CleanOptions
from sorter.clean.run import clean
from sorter.output import exchange, relink
from sorter.sort.undo import undo

moment, root = sys.argv[1], Path(sys.argv[2])
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
if moment == "planned":
    relink._replace = die
elif moment == "staged":
    relink.replace_if = die
elif moment == "exchanged":
    swap = exchange.exchange
    exchange.exchange = lambda one, other: (swap(one, other), die())
elif moment == "settled":
    whole = relink._replace
    relink._replace = lambda row, copy: (whole(row, copy), die())
if moment.startswith("undo"):
    relink._own = die if moment == "undo-copied" else relink._own
    if moment == "undo-exchanged":
        swap = exchange.exchange
        exchange.exchange = lambda one, other: (swap(one, other), die())
    undo(root.with_name("in-quarantine"))
else:
    clean(CleanOptions((root,), remove=("duplicates",), action="hardlink", cache=False, workers=1))
"""


@pytest.mark.parametrize("moment", ["planned", "staged", "exchanged", "settled"])
def test_killed_at_any_moment_the_same_command_ends_it(tmp_path: Path, moment: str) -> None:
    root = library(tmp_path / "in")
    before = state(root)
    process = subprocess.run([sys.executable, "-c", KILLED, moment, root], capture_output=True, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert {name: data for name, (data, *_) in state(root).items() if ".sorter-" not in name} == {
        name: data for name, (data, *_) in before.items()
    }
    link(root)
    assert len(inodes(root)) == 1
    assert set(state(root)) == set(before)
    assert undo(tmp_path / "in-quarantine").left == ()
    assert state(root) == before


@pytest.mark.parametrize("moment", ["undo-copied", "undo-exchanged"])
def test_a_killed_undo_goes_on(tmp_path: Path, moment: str) -> None:
    root = library(tmp_path / "in")
    before = state(root)
    link(root)
    process = subprocess.run([sys.executable, "-c", KILLED, moment, root], capture_output=True, check=False)
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert undo(tmp_path / "in-quarantine").left == ()
    assert state(root) == before


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="the system tells no extended attributes")
def test_tags_that_only_the_copy_has_keep_it(tmp_path: Path) -> None:
    root = library(tmp_path / "in")
    try:
        os.setxattr(root / COPIES[0], "user.xdg.tags", b"holiday")
    except OSError:
        pytest.skip("the disk keeps no extended attributes")
    _, rows = look(root, remove=("duplicates",), action="hardlink")
    assert rows[COPIES[0]]["action"].startswith("failed: has extended attributes")
    assert rows[COPIES[1]]["action"] == "linked"
