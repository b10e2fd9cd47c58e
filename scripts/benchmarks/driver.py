"""The driver of `sorter run --cluster` with simulated paths: rows a second, processor time and memory."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from benchmarks.figures import mebibytes
from benchmarks.harness import say
from benchmarks.process import timed
from benchmarks.ray_nodes import ray_nodes
from sorter.engines.choice import EngineOptions
from sorter.pipeline.pool import Pool
from sorter.progress import NoProgress
from sorter.types import ActionKind, Failure, Limits, Photo, Result, Scores

SAMPLES = 20  # of memory


@dataclass(frozen=True)
class Driver:
    """The driver's load.

    Attributes:
        rows: simulated paths.
        seconds: for all of them.
        processor: seconds of processor time that the driver's process took for them.
        memory: (rows, bytes that are the driver's own) as it went.
    """

    rows: int
    seconds: float
    processor: float
    memory: list[tuple[int, int]]


@dataclass(frozen=True)
class Stub:
    """Stage: scores without looking."""

    def start(self) -> Callable[[Photo], Scores | Failure]:
        def score(photo: Photo) -> Scores | Failure:
            share = (photo.size % 1000) / 1000
            return Scores((share, 1 - share), 4000, 3000)

        return score


class Watching(NoProgress):
    """Records the clock when the first row comes, and memory at every twentieth of the rows."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.done = 0
        self.memory: list[tuple[int, int]] = []
        self.began: tuple[float, float] | None = None  # clock and processor time, seconds
        self._process = psutil.Process()

    def advance(self, photos: int, /, **figures: float) -> None:
        if self.began is None:
            self.began = self.now()
        self.done += photos
        if self.done >= (len(self.memory) + 1) * self.rows // SAMPLES:
            self.memory.append((self.done, self._process.memory_full_info().uss))

    def now(self) -> tuple[float, float]:
        times = self._process.cpu_times()
        return time.monotonic(), times.user + times.system

    def driver(self) -> Driver:
        assert self.began is not None
        (start, before), (end, after) = self.began, self.now()
        return Driver(self.rows, end - start, after - before, self.memory)


def measure_driver(rows: int, work: Path, cores: int) -> Driver:
    """In a process of its own, so that nothing else is in its memory."""
    with ray_nodes((cores,)) as address, tempfile.TemporaryDirectory(dir=work) as out:
        say(f"the driver: {rows:,} simulated paths")
        # Not `-m`: the nodes could not import the classes of `__main__`.
        code = f"import benchmarks.driver as d; d.print_driven({address!r}, {rows}, {out!r})"
        answer = timed([sys.executable, "-c", code]).answer
    return Driver(**{**answer, "memory": [tuple(each) for each in answer["memory"]]})


def print_driven(address: str, rows: int, out: str) -> None:
    print(json.dumps(asdict(drive(address, rows, Path(out)))))


def drive(address: str, rows: int, out: Path) -> Driver:
    """`sorter run` with made-up paths and scores. No store is asked."""
    from sorter.address import Address
    from sorter.cluster.run import Cluster
    from sorter.cluster.stream import stream
    from sorter.sort.options import SortOptions
    from sorter.sort.run import sort_folder

    def simulated(_: SortOptions) -> Iterator[Photo]:
        for number in range(rows):
            name = f"memory://bucket/photos/{number // 1000:06}/IMG_{number:08}.jpg"
            yield Photo(Address(name), Path(), 3_000_000 + number, 1)

    def stubbed(self: Cluster, items: Any, *_: Any) -> Iterator[Result[Scores]]:
        yield from stream(items, partial(Pool, Stub()), self.plan, Limits())

    progress = Watching(rows)
    options = SortOptions(
        (out,),
        Address("memory://bucket/sorted"),
        action=ActionKind.COPY,
        dry_run=True,
        report=out / "rows.csv",
        cluster=address,
        engine=EngineOptions("onnx", "fp32"),
    )
    with patch("sorter.sort.run.scan_of", simulated), patch.object(Cluster, "predict", stubbed):
        sort_folder(options, progress)
    return progress.driver()


def driver_text(driver: Driver) -> str:
    _, early = driver.memory[len(driver.memory) // 4]
    _, late = driver.memory[-1]
    return (
        f"Driver, {driver.rows:,} simulated paths with inference stubbed out: "
        f"{driver.rows / driver.seconds:,.0f} rows/s with everything on this machine, "
        f"{driver.rows / driver.processor:,.0f} rows for each second of its own processor; "
        f"memory {mebibytes(early)} after a quarter of them, {mebibytes(late)} at the end."
    )
