"""`sorter watch`: photos are sorted when they are complete, once each, by one instance that stops cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.commands import Sorter, command
from support.photos import BLUE, RED, make_photo

from sorter.sort.options import SortOptions
from sorter.sort.watch import Settled, WatchOptions, is_being_written, watch
from sorter.types import Companion, Failure, Photo, Reason, Result, UsageError

QUICK = ("--settle", "0.5", "--poll", "0.5", "--workers", "1")
LINUX = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells who writes to a file"
)


def photo_at(path: Path, *companions: str) -> Photo:
    status = path.stat()
    return Photo(
        path,
        Path(path.name),
        status.st_size,
        status.st_mtime_ns,
        companions=tuple(Companion(name, 1, 1) for name in companions),
    )


def until(happens: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def ended(out: Path, photos: int) -> bool:
    """Whether the last batch came to its end, with so many photos in the output."""
    from sorter.sort.status import read_status

    status = read_status(out)
    return status.state == "done" and status.filed == photos


@contextmanager
def watching(model: Path, source: Path, out: Path, *more: object) -> Iterator[subprocess.Popen[str]]:
    words = command(model, "watch", source, "--out", out, "--model", model, *QUICK, *more)
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


# -- what is complete ----------------------------------------------------------------------------------------------


def test_a_file_that_grows_is_not_complete(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.jpg")
    settled = Settled(0.3)
    assert not settled(photo_at(path)) and settled.waiting
    with path.open("ab") as file:
        file.write(b"more")
    until(lambda: settled(photo_at(path)), 10)


def test_an_older_file_is_complete_at_once(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.jpg")
    time.sleep(0.1)
    settled = Settled(0.05)
    assert settled(photo_at(path)) and not settled.waiting


def test_a_set_is_complete_when_all_of_it_is(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.jpg")
    time.sleep(0.6)
    (tmp_path / "a.nef").write_bytes(b"raw")
    settled = Settled(0.5)
    assert settled(photo_at(path))
    assert not settled(photo_at(path, "a.nef"))


def test_names_of_unfinished_downloads_wait(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.jpg").rename(tmp_path / "a.jpg.part")
    time.sleep(0.1)
    assert not Settled(0.05)(photo_at(path))
    other = Photo(tmp_path / "b.jpg.crdownload", Path("b.jpg.crdownload"), 1, 1)
    assert not Settled(0.05)(Result(other, Failure(Reason.OTHER_FILE)))
    assert Settled(0.05)(Result(photo_at(path.rename(tmp_path / "a.txt")), Failure(Reason.OTHER_FILE)))


@LINUX
def test_a_file_that_is_open_for_writing_is_not_complete(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.jpg")
    with path.open("ab"):
        if not is_being_written(path):
            pytest.skip("the disk has no leases")
        time.sleep(0.1)
        assert not Settled(0.05)(photo_at(path))
    assert not is_being_written(path)
    assert Settled(0.05)(photo_at(path))


def test_only_folders_on_a_disk_are_watched(tmp_path: Path, model: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    for options in (
        WatchOptions(SortOptions((photo,), tmp_path / "out", model=model)),
        WatchOptions(SortOptions((tmp_path,), tmp_path / "out", model=model), settle=0),
    ):
        with pytest.raises(UsageError):
            watch(options)


# -- the command ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_new_photos_are_sorted_when_complete_and_undo_puts_all_back(
    tmp_path: Path, model: Path, sorter: Sorter
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    make_photo(source / "first.jpg", RED, seed=1)
    data = make_photo(tmp_path / "elsewhere.jpg", BLUE, (400, 300), seed=2).read_bytes()
    with watching(model, source, out, "--action", "move") as process:
        until(lambda: (out / "red" / "first.jpg").exists())
        second = sorter("watch", source, "--out", out, *QUICK)
        assert second.returncode == 1 and "another `sorter watch`" in second.stderr
        (source / "new").mkdir()
        with (source / "new" / "slow.jpg").open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            time.sleep(1.5)
            file.write(data[len(data) // 2 :])
        until(lambda: (out / "blue" / "slow.jpg").exists())
        assert (out / "blue" / "slow.jpg").read_bytes() == data
        until(lambda: ended(out, 2))
        process.send_signal(signal.SIGTERM)
        told, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "2 photos sorted" in told and "Traceback" not in said
    report = (out / "report.csv").read_text()
    if sys.platform.startswith("linux"):
        assert "truncated" not in report
    undone = sorter("undo", out)
    assert undone.returncode == 0 and "2 files" in undone.stdout
    assert (source / "new" / "slow.jpg").read_bytes() == data and (source / "first.jpg").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_it_works_by_polling_and_stops_on_ctrl_c(tmp_path: Path, model: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    code = (
        "import sys; sys.modules['watchdog'] = None; sys.modules['watchdog.events'] = None; "
        "from sorter.cli import main; sys.exit(main())"
    )
    words = [sys.executable, "-c", code, "watch", source, "--out", out, "--model", model, *QUICK]
    process = subprocess.Popen([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until((out / ".sorter" / "watch.lock").exists)
        make_photo(source / "1.jpg", RED, seed=1)
        until(lambda: (out / "red" / "1.jpg").exists())
        until(lambda: ended(out, 1))
        process.send_signal(signal.SIGINT)
        told, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "1 photos sorted" in told
    finally:
        process.kill()
        process.communicate()
