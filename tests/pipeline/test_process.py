"""One call in a process: its value, or the reason why there is none."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil
import pytest

from sorter.pipeline.process import PipelineError, call_in_process
from sorter.types import Failure, Limits, Reason, UsageError


def hang() -> None:
    time.sleep(600)


def use_memory() -> int:
    return len(bytearray(1 << 40))


def divide() -> float:
    return 1 / 0


def refuse() -> None:
    raise UsageError("--flag: is wrong")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(marker: Path) -> str:
    if not marker.exists():
        marker.touch()
        os._exit(7)
    return "done"


def test_the_value_comes_back() -> None:
    assert call_in_process(partial(max, 1, 2), Limits()) == 2
    assert call_in_process(partial(str, "text"), Limits()) == "text"


@pytest.mark.parametrize(
    ("call", "limits", "reason"),
    [
        (hang, Limits(seconds=3), Reason.TIMEOUT),
        (use_memory, Limits(memory=1 << 30), Reason.OUT_OF_MEMORY),
        (die, Limits(), Reason.DECODER_CRASHED),
    ],
)
def test_a_call_without_a_value_is_a_failure(
    call: Callable[[], object], limits: Limits, reason: Reason
) -> None:
    outcome = call_in_process(call, limits)
    assert isinstance(outcome, Failure) and outcome.reason is reason
    assert not [child for child in psutil.Process().children() if "spawn_main" in str(child.cmdline())]


def test_a_death_that_does_not_repeat_is_tried_again(tmp_path: Path) -> None:
    assert call_in_process(partial(die_once, tmp_path / "marker"), Limits()) == "done"


def test_an_exception_is_raised_with_its_message() -> None:
    with pytest.raises(PipelineError, match="ZeroDivisionError"):
        call_in_process(divide, Limits())
    with pytest.raises(PipelineError, match="--flag: is wrong"):
        call_in_process(refuse, Limits())
