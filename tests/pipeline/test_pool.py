"""The pool of workers: one result per photo, in order, whatever happens to the workers."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.pipeline.pool import Pool
from sorter.pipeline.process import PipelineError
from sorter.types import Failure, Limits, Photo, Reason, Result


@dataclass(frozen=True)
class Act:
    """Stage: does what the photo's name says."""

    start_error: bool = False

    def start(self) -> Callable[[Photo], str | Failure]:
        if self.start_error:
            raise RuntimeError("no such engine")

        def act(photo: Photo) -> str | Failure:
            name = photo.path.name
            if name.startswith("die"):
                os._exit(7)
            if name.startswith("segfault"):
                ctypes.string_at(0)
            if name.startswith("hang"):
                time.sleep(600)
            if name.startswith("once") and not photo.path.exists():  # dies the first time only
                photo.path.touch()
                os._exit(7)
            if name.startswith("eat"):
                bytearray(1 << 40)
            if name.startswith("bug"):
                raise ZeroDivisionError("a bug in the stage")
            return name.upper()

        return act


def photo(name: str | Path) -> Photo:
    return Photo(Path(name), Path(name), 0, 0)


def outcomes(names: list[str], workers: int = 2, limits: Limits | None = None) -> list[object]:
    with Pool(Act(), workers, limits) as pool:
        results = list(pool.run(photo(name) for name in names))
    assert [result.photo.path.name for result in results] == names
    return [
        result.outcome.reason if isinstance(result.outcome, Failure) else result.outcome for result in results
    ]


def test_results_come_in_order() -> None:
    names = [f"p{number}" for number in range(500)]
    assert outcomes(names, workers=3) == [name.upper() for name in names]


def test_results_that_are_ready_pass_through_in_their_places() -> None:
    ready: Result[str] = Result(photo("x"), Failure(Reason.HIDDEN))
    with Pool(Act(), 1) as pool:
        results = list(pool.run([ready, photo("a"), ready, ready, photo("b"), ready]))
    assert [result.photo.path.name for result in results] == ["x", "a", "x", "x", "b", "x"]
    assert results[1].outcome == "A"


def test_the_pool_can_be_used_again() -> None:
    with Pool(Act(), 2) as pool:
        for _ in range(3):
            assert [result.outcome for result in pool.run([photo("a"), photo("b")])] == ["A", "B"]
        assert list(pool.run([])) == []


def test_a_photo_that_kills_its_worker_costs_one_row() -> None:
    names = ["a", "die1", "b", "segfault", "c", *[f"p{number}" for number in range(40)], "die2"]
    expected: list[object] = [name.upper() for name in names]
    for at in (1, 3, len(names) - 1):
        expected[at] = Reason.DECODER_CRASHED
    assert outcomes(names) == expected


def test_a_death_that_does_not_repeat_is_forgiven(tmp_path: Path) -> None:
    with Pool(Act(), 1) as pool:
        (result,) = pool.run([photo(tmp_path / "once")])
    assert result.outcome == "ONCE"


def test_a_photo_that_hangs_is_given_up() -> None:
    got = outcomes(["a", "hang", "b", "c"], limits=Limits(seconds=1))
    assert got == ["A", Reason.TIMEOUT, "B", "C"]


def test_a_photo_that_needs_too_much_memory_is_given_up() -> None:
    assert outcomes(["a", "eat", "b"], limits=Limits(memory=1 << 30)) == ["A", Reason.OUT_OF_MEMORY, "B"]


def test_a_bug_in_the_stage_ends_the_run_with_its_name() -> None:
    with pytest.raises(PipelineError, match="bug in the stage"):
        outcomes(["a", "bug", "b"])


def test_workers_that_cannot_start_end_the_run() -> None:
    with Pool(Act(start_error=True), 2) as pool, pytest.raises(PipelineError, match="no such engine"):
        list(pool.run([photo("a")]))


def test_no_worker_outlives_the_pool() -> None:
    with Pool(Act(), 2, Limits(seconds=60)) as pool:
        workers = [
            child.pid
            for child in psutil.Process().children(recursive=True)
            if "spawn_main" in str(child.cmdline())
        ]
        next(iter(pool.run([photo("a"), photo("hang")])))
    assert workers
    assert not [pid for pid in workers if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


def test_the_window_bounds_what_is_taken_ahead() -> None:
    taken = 0

    def source() -> Iterator[Photo]:
        nonlocal taken
        for number in range(400):
            taken += 1
            yield photo(f"p{number}")

    with Pool(Act(), 2, window=16) as pool:
        for done, _ in enumerate(pool.run(source())):
            assert taken - done <= 16 + 1


@settings(max_examples=5, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "die", "segfault", "c", "d", "e"]), max_size=12), st.integers(1, 3)
)
def test_any_mix_gives_one_result_each_in_order(names: list[str], workers: int) -> None:
    dead = ("die", "segfault")
    assert outcomes(names, workers) == [
        Reason.DECODER_CRASHED if name in dead else name.upper() for name in names
    ]
