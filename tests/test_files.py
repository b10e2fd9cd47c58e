"""Files are replaced in one step, or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from sorter.address import path_of
from sorter.files import atomic_text, atomic_write


def test_a_file_is_replaced_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    target.write_text("old")
    with atomic_text(target, sync=True) as file:
        file.write("new \udcff\r\n")
        assert target.read_text() == "old"
    assert target.read_bytes() == b"new \\udcff\r\n"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_raises_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "report.csv"
    target.write_text("old")
    with pytest.raises(error), atomic_text(target) as file:
        file.write("half of ")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_process_left_is_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    if not os.fork():  # killed while it writes
        with atomic_write(target) as part:
            part.write_text("much longer than what comes after it")
            os._exit(0)
    os.wait()
    assert len(list(tmp_path.iterdir())) == 1
    with atomic_write(target) as part:
        part.write_text("whole")
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_of_the_users_is_not_taken_for_a_part(tmp_path: Path) -> None:
    (tmp_path / "report.csv.part").write_text("a user's")
    with atomic_text(tmp_path / "report.csv") as file:
        file.write("ours")
    assert (tmp_path / "report.csv.part").read_text() == "a user's"


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    target, barrier = tmp_path / "cache.json", threading.Barrier(2)

    def write(text: str) -> None:
        with atomic_write(target, shared=True) as part:
            part.write_text(text)
            barrier.wait()

    threads = [threading.Thread(target=write, args=(letter * 10_000,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_text() in ("a" * 10_000, "b" * 10_000)
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_in_a_store_is_replaced_in_one_step() -> None:
    folder = path_of("memory://files/atomic")
    target = folder / "report.csv"
    for text in ("old", "new"):
        with atomic_text(target, sync=True) as file:
            file.write(text)
    with target.open("rb") as reader:
        assert reader.read() == b"new"
    assert [name for name, _ in folder.entries()] == ["report.csv"]  # type: ignore[attr-defined]
