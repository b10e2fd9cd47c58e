"""One owner of processes: what they say arrives, they pause, stop, and die without taking the window along."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot
from support.photos import RED, make_photo
from support.processes import wait_until

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made

from sorter.engines.choice import EngineOptions
from sorter.gui.tasks import Advanced, Began, Channel, Message, ProgressReporter, StepRate
from sorter.gui.worker import Job, Jobs
from sorter.types import SorterError, UsageError

TIMEOUT = 120_000  # ms; only keeps a broken program from hanging the tests


# -- what the processes do: at the top level, so that they can be imported there --------------------------------


def count(channel: Channel, n: int, each: float = 0.0) -> int:
    reporter = ProgressReporter(channel)
    reporter.begin("counting", n)
    for _ in range(n):
        time.sleep(each)
        reporter.advance(1)
    return n


def count_to_file(channel: Channel, file: Path) -> None:
    reporter = ProgressReporter(channel)
    reporter.say("counting")
    with file.open("ab", buffering=0) as target:
        while True:
            target.write(b".")
            time.sleep(0.01)
            reporter.advance(1)


def refuse(channel: Channel) -> None:
    raise UsageError("no such folder; choose another")


def break_down(channel: Channel) -> None:
    raise ZeroDivisionError("by zero")


def sleep_through(channel: Channel) -> None:
    """Heeds no cancel."""
    channel.send(Message("asleep"))
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            continue


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def test_progress_comes_in_order_and_then_the_record(qtbot: QtBot, jobs: Jobs) -> None:
    heard: list[object] = []
    job = jobs.start(count, 200, 0.002)
    job.progress.connect(heard.append)
    with qtbot.waitSignal(job.finished, timeout=TIMEOUT) as done:
        assert jobs.busy
    assert done.args == [200]
    assert heard[0] == Began("counting", 200)
    steps = [each.done for each in heard if isinstance(each, Advanced)]
    assert steps == sorted(steps)
    assert steps[-1] == 200
    assert 2 <= len(steps) < 100  # told now and then, not of every step
    qtbot.waitUntil(lambda: not jobs.busy, timeout=TIMEOUT)


@pytest.mark.parametrize(
    ("call", "words"),
    [(refuse, "no such folder; choose another"), (break_down, "ZeroDivisionError: by zero")],
)
def test_an_error_becomes_a_sentence(
    qtbot: QtBot, jobs: Jobs, call: object, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    job = jobs.start(call)  # type: ignore[arg-type]
    with qtbot.waitSignal(job.failed, timeout=TIMEOUT) as failed:
        pass
    assert words in failed.args[0]
    assert ("Traceback" in capfd.readouterr().err) == (call is break_down)


def test_pause_holds_it_where_it_is_and_cancel_ends_it(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> None:
    file = tmp_path / "count"
    job = jobs.start(count_to_file, file)
    qtbot.waitUntil(lambda: file.exists() and file.stat().st_size > 3, timeout=TIMEOUT)
    job.pause()
    time.sleep(0.5)  # for the word to arrive
    held = file.stat().st_size
    time.sleep(0.5)
    assert file.stat().st_size == held
    job.resume()
    qtbot.waitUntil(lambda: file.stat().st_size > held, timeout=TIMEOUT)
    job.pause()  # a paused one can be cancelled, too
    with qtbot.waitSignal(job.cancelled, timeout=TIMEOUT):
        job.cancel()
    assert not children_that_count()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_process_is_a_message(qtbot: QtBot, jobs: Jobs, tmp_path: Path) -> None:
    file = tmp_path / "count"
    job = jobs.start(count_to_file, file)
    qtbot.waitUntil(file.exists, timeout=TIMEOUT)
    with qtbot.waitSignal(job.failed, timeout=TIMEOUT) as failed:
        assert job.process_id is not None
        os.kill(job.process_id, signal.SIGKILL)
    assert "was killed by SIGKILL" in failed.args[0]
    assert "start it again" in failed.args[0]


def test_close_leaves_no_process(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sorter.gui.worker.GRACE_SECONDS", 1.0)
    jobs = Jobs()
    files = [tmp_path / name for name in "ab"]
    for file in files:
        jobs.start(count_to_file, file)
    stubborn = jobs.start(sleep_through)
    with qtbot.waitSignal(stubborn.progress, timeout=TIMEOUT):
        pass
    wait_until(lambda: all(file.exists() for file in files))
    assert len(children_that_count()) == 3
    jobs.close()
    assert not children_that_count()
    assert not jobs.busy


def test_sorting_goes_through_the_worker_and_can_be_gone_on_with(
    qtbot: QtBot, jobs: Jobs, tmp_path: Path, model: Path
) -> None:
    from sorter.gui.tasks import sort, undo_run
    from sorter.sort.options import SortOptions
    from sorter.sort.summary import SortSummary

    photos = [make_photo(tmp_path / "photos" / f"{n}.jpg", RED, seed=n) for n in range(3)]
    options = SortOptions(
        (tmp_path / "photos",), tmp_path / "out", model, engine=EngineOptions("onnx"), workers=1
    )
    job: Job = jobs.start(sort, options)
    with qtbot.waitSignal(job.finished, timeout=TIMEOUT) as done:
        pass
    (summary,) = done.args
    assert isinstance(summary, SortSummary)
    assert summary.counts == {"red": len(photos), "blue": 0}
    with qtbot.waitSignal(jobs.start(undo_run, tmp_path / "out").finished, timeout=TIMEOUT) as back:
        pass
    assert back.args[0].restored == len(photos)


def test_a_question_is_answered_in_the_windows_thread(qtbot: QtBot, jobs: Jobs) -> None:
    import threading

    answers: list[tuple[object, bool]] = []

    def take(answer: object) -> None:
        answers.append((answer, threading.current_thread() is threading.main_thread()))

    def fail() -> int:
        raise SorterError("cannot be read")

    jobs.later(lambda: 42, take)
    qtbot.waitUntil(lambda: len(answers) == 1, timeout=TIMEOUT)
    jobs.later(fail, take)
    qtbot.waitUntil(lambda: len(answers) == 2, timeout=TIMEOUT)
    assert answers[0] == (42, True)
    assert str(answers[1][0]) == "cannot be read"


def test_pace_is_that_of_the_last_seconds_without_pauses() -> None:
    now = 0.0
    pace = StepRate(lambda: now)
    done = 0
    for _ in range(100):  # 1000 a second at first: what was known already
        now, done = now + 0.01, done + 10
        pace.at(done)
    for _ in range(100):
        now, done = now + 0.1, done + 2
        rate = pace.at(done)
    assert rate == pytest.approx(20, rel=0.1)
    now += 3600
    pace.skip(3600)
    now, done = now + 0.1, done + 2
    assert pace.at(done) == pytest.approx(20, rel=0.1)


def children_that_count() -> list[psutil.Process]:
    """Living processes below this one, but for Python's own tracker of resources."""
    found = []
    for process in children():
        try:
            ours = process.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(
                process.cmdline()
            )
        except psutil.Error:
            continue
        if ours:
            found.append(process)
    return found


def test_what_an_earlier_run_moved_counts(qtbot: QtBot, jobs: Jobs) -> None:
    now = [0.0]
    rate = StepRate(lambda: now[0], done=647)
    now[0] = 1.0
    assert rate.at(657) == 10.0  # not 657 in a second
