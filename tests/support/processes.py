"""Processes of the machine, and waiting for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

import psutil


def group_members(group: int) -> list[int]:
    """The living processes of a process group; those that only wait to be reaped do not count."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something that is bound to come; the bound only keeps a broken program from hanging the tests."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain")
        time.sleep(0.002)
