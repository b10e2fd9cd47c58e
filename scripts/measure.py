"""What every benchmark needs: run a program and time it, sum up rounds, say on what machine, print a table."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from sorter.system import available_cores

# The instruction sets that decide how fast float32, bfloat16 and int8 networks run.
FLAGS = ("avx", "avx2", "fma", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16")
FLAGS += ("amx_int8", "asimd", "i8mm", "bf16")


class BenchmarkError(Exception):
    """A program that was to be measured failed, or did not do its work."""


@dataclass(frozen=True)
class Finished:
    """A program that ran to its end.

    Attributes:
        started: seconds since the epoch.
        ended: likewise.
        stdout: what it said.
        peak_memory: bytes, the largest sum over its processes that was seen; None where nobody looked.
        peak_anonymous: likewise without what is only a file mapped into memory, which the system takes back at need.
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


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        return cls(tuple(values))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def text(self, unit: str = "") -> str:
        """The median, and the least and most behind it where there were several."""
        middle = f"{figure(self.median)}{unit}"
        if len(self.values) == 1:
            return middle
        return f"{middle} ({figure(min(self.values))}–{figure(max(self.values))})"

    def to_json(self) -> dict[str, Any]:
        return {
            "median": self.median,
            "min": min(self.values),
            "max": max(self.values),
            "rounds": len(self.values),
        }


def ratios(ours: Spread, theirs: Spread) -> Spread:
    """Ours over theirs, round by round: what slowed the machine down for a while slowed down both."""
    return Spread.of(a / b for a, b in zip(ours.values, theirs.values, strict=True))


def figure(value: float) -> str:
    """Three digits, no more: timings do not carry a fourth."""
    if value == 0:
        return "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, first column to the left and the others to the right."""
    marks = [":--", *["--:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, marks, *rows))


def publish(arguments: argparse.Namespace, facts: Any, text: str) -> None:
    """Print the tables, and write them and every measurement where `--markdown` and `--json` say."""
    if arguments.json:
        arguments.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")
    print(text)


def timed(command: Sequence[str | Path], *, watch_memory: bool = False, patience: float = 3600) -> Finished:
    """Run a program to its end; wall-clock time from before it is started until it has exited.

    Args:
        watch_memory: look ten times a second how much memory its processes have, which disturbs the timing.
        patience: seconds after which it is given up.

    Raises:
        BenchmarkError: it failed or took too long; the message holds its stderr.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before = _processor_seconds()
        started = time.time()
        process = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        # Not wait(timeout), which polls and so would add up to 50 ms.
        alarm = threading.Timer(patience, _end, [process])
        alarm.start()
        try:
            peak, anonymous = _progress(process) if watch_memory else (None, None)
            code = process.wait()
            ended = time.time()
        finally:
            alarm.cancel()
            _end(process)
        out.seek(0)
        err.seek(0)
        said = out.read().decode(errors="replace")
        if code != 0:
            complaint = err.read().decode(errors="replace").strip() or said.strip()
            late = f", stopped after {patience:g} s" if ended - started >= patience else ""
            raise BenchmarkError(f"exit code {code}{late}: {' '.join(map(str, command))}\n{complaint}")
        return Finished(started, ended, said, peak, anonymous, _processor_seconds() - before)


def _progress(process: subprocess.Popen[bytes]) -> tuple[int, int]:
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
    """A program given up must not go on in the background and disturb what is measured next."""
    if process.poll() is None:
        for each in psutil.Process(process.pid).children(recursive=True):
            each.kill()
        process.kill()
        process.wait()


def tree_memory(pid: int) -> int:
    """Bytes of a process and all below it: PSS, which counts a shared page once; USS where there is no PSS."""
    total = 0
    for each in _family(pid):
        try:
            memory = each.memory_full_info()
        except psutil.NoSuchProcess:
            continue  # it has just ended
        total += getattr(memory, "pss", None) or memory.uss
    return total


def tree_anonymous(pid: int) -> int:
    """Bytes of the same that no file on a disk stands behind: heaps, stacks, shared memory. 0 but on Linux."""
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


@contextmanager
def work_folder(kept: Path | None) -> Iterator[Path]:
    """The folder for photos and models: one that is kept for the next time, or one that is gone afterwards."""
    if kept is not None:
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="sorter-benchmark-") as work:
            yield Path(work)


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """Hardware and software that the figures belong to; packages that are not installed are left out."""
    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    cpu, flags = _cpu()
    return {
        "cpu": cpu,
        "cores": available_cores(),
        "flags": flags,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "os": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": versions,
        "date": time.strftime("%Y-%m-%d"),
    }


def _cpu() -> tuple[str, list[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    have = (facts.get("flags") or facts.get("Features") or "").split()
    return facts.get("model name", platform.machine()), [flag for flag in FLAGS if flag in have]


def machine_text(facts: dict[str, Any]) -> str:
    """The machine in a sentence."""
    flags = f" ({', '.join(facts['flags'])})" if facts["flags"] else ""
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    plural = "s" if facts["cores"] != 1 else ""
    return (
        f"{facts['cores']} core{plural} of {facts['cpu']}{flags}, {facts['memory_gib']:g} GiB of memory, "
        f"{facts['os']}, {facts['python']}, {packages}; {facts['date']}"
    )


def say(message: str) -> None:
    """Progress, on stderr."""
    print(f"{time.strftime('%H:%M:%S')}  {message}", file=sys.stderr, flush=True)
