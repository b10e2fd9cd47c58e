"""Run a program from start to end, with its wall-clock time, processor time and peak memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

Command = Sequence[str | Path]


class BenchmarkError(Exception):
    """A measured program failed, or did not do its work."""


@dataclass(frozen=True)
class Finished:
    """A program that ran to its end.

    Attributes:
        started: seconds since the epoch.
        ended: likewise.
        stdout: what the program printed.
        peak_memory: bytes, the largest sum over its processes that was seen. None where memory was not watched.
        peak_anonymous: likewise without mapped files, which the system takes back at need.
        processor_seconds: of all its processes, by the system's account.
    """

    started: float
    ended: float
    stdout: str
    peak_memory: int | None = None
    peak_anonymous: int | None = None
    processor_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        return self.ended - self.started

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON of the last line that the program printed."""
        found: dict[str, Any] = json.loads(self.stdout.strip().splitlines()[-1])
        return found


@dataclass(frozen=True)
class Peak:
    """Peak memory of a run over `n` photos.

    Attributes:
        n: photos.
        total: bytes over all processes.
        anonymous: bytes of those that no file stands behind.
        seconds: of the run. Watching memory slows it down.
    """

    n: int
    total: int
    anonymous: int
    seconds: float

    @classmethod
    def of(cls, n: int, finished: Finished) -> Peak:
        assert finished.peak_memory is not None and finished.peak_anonymous is not None
        return cls(n, finished.peak_memory, finished.peak_anonymous, finished.seconds)


def timed(command: Command, *, watch_memory: bool = False, patience: float = 3600) -> Finished:
    """Run a program to its end. The time counts from before its start until it has exited.

    Args:
        watch_memory: sum up the memory of its processes ten times a second, which disturbs the timing.
        patience: seconds after which the program is ended.

    Raises:
        BenchmarkError: it failed or took too long. The message holds its stderr.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before = _processor_seconds()
        started = time.time()
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        # Not wait(timeout), which polls and so would add up to 50 ms.
        alarm = threading.Timer(patience, _end, [process])
        alarm.start()
        try:
            peak, anonymous = _watch(process) if watch_memory else (None, None)
            code = process.wait()
            ended = time.time()
        finally:
            alarm.cancel()
            _end(process)
        out.seek(0)
        err.seek(0)
        stdout = out.read().decode(errors="replace")
        if code != 0:
            complaint = err.read().decode(errors="replace").strip() or stdout.strip()
            late = f", stopped after {patience:g} s" if ended - started >= patience else ""
            raise BenchmarkError(f"exit code {code}{late}: {' '.join(map(str, command))}\n{complaint}")
        return Finished(started, ended, stdout, peak, anonymous, _processor_seconds() - before)


def _watch(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    peak = anonymous = 0
    while process.poll() is None:
        peak = max(peak, tree_memory(process.pid))
        anonymous = max(anonymous, tree_anonymous(process.pid))
        time.sleep(0.1)
    return peak, anonymous


def _processor_seconds() -> float:
    """Of all processes that have ended below this one."""
    spent = os.times()
    return spent.children_user + spent.children_system


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program with its children, so that it does not disturb the next measurement."""
    if process.poll() is None:
        for each in psutil.Process(process.pid).children(recursive=True):
            each.kill()
        process.kill()
        process.wait()


def tree_memory(pid: int) -> int:
    """Bytes of a process and all below it: PSS, which counts a shared page once. USS where there is no PSS."""
    total = 0
    for each in _family(pid):
        try:
            memory = each.memory_full_info()
        except psutil.NoSuchProcess:
            continue  # it has just ended
        total += getattr(memory, "pss", None) or memory.uss
    return total


def tree_anonymous(pid: int) -> int:
    """Bytes of the same without mapped files: heaps, stacks, shared memory. 0 on systems other than Linux."""
    total = 0
    for each in _family(pid):
        try:
            lines = Path(f"/proc/{each.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue  # it has just ended
        sizes = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith("Pss")}
        total += sum(int(sizes.get(name, 0)) for name in ("Pss_Anon", "Pss_Shmem")) * 1024
    return total


def _family(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def sorter_command() -> list[str | Path]:
    """The installed command, or the module where the command is not installed beside this Python."""
    script = shutil.which("sorter", path=Path(sys.executable).parent)
    return [script] if script else [sys.executable, "-m", "sorter"]


@contextmanager
def environment(**variables: str | Path) -> Iterator[None]:
    """Set environment variables for this process and those that it starts, and restore them afterwards."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update({name: str(value) for name, value in variables.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def empty_cache() -> Iterator[Path]:
    """A temporary folder. sorter and its peers keep their caches in it, so every run starts without one."""
    with (
        tempfile.TemporaryDirectory(prefix="sorter-benchmark-") as folder,
        environment(XDG_CACHE_HOME=Path(folder) / "cache"),
    ):
        yield Path(folder)


def sync_disk() -> None:
    """Write out what an earlier run left in the disk's cache, so that the next run does not pay for it."""
    if hasattr(os, "sync"):
        os.sync()
