"""`sorter run --cluster` beside the plain run on the same cores: what the engine costs, and what the driver bears.

1, 2 and 4 nodes of a Ray cluster on this machine share two cores, the same two that the plain run has. Every run is
timed from the start of its process to its end with a few photos and with many; the difference is what the photos
cost, start-up apart. Seconds of the two cores are told as well, whoever used them: leave the machine alone.
Then the driver alone: rows of simulated paths through Ray with inference stubbed out, planned and journalled as for
an output in a store, with the driver's memory as it goes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from measure import (
    BenchmarkError,
    Spread,
    figure,
    machine,
    machine_text,
    publish,
    ratios,
    say,
    table,
    timed,
    work_folder,
)
from photos import KINDS, link_set, make_set

from sorter.pipeline.pool import Limits, Pool
from sorter.types import ActionKind, Failure, Photo, Result, Scores

NAME = "cluster"
ABOUT = "a Ray cluster beside the plain run: overhead, and the driver's rows a second and memory"
EXAMPLE = """examples:
  python scripts/benchmark.py cluster --markdown table.md --json cluster.json
  python scripts/benchmark.py cluster --only driver --paths 1000000
"""
PARTS = ("overhead", "driver")
PACKAGES = ("sorter", "ray", "numpy", "simplejpeg", "onnxruntime", "openvino")
CORES = 2
LAYOUTS = {1: (2,), 2: (1, 1), 4: (1, 1, 1, 1)}  # nodes -> what Ray is told that each has
DISTINCT = 500  # photos that are made; the rest are links to them
FEW = 500  # by their end every actor has started, which costs what hundreds of photos do
IDLE = 15.0  # per cent of the processors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        choices=PARTS,
        action="append",
        metavar="PART",
        help=f"one of {', '.join(PARTS)} (default: all)",
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: 3")
    parser.add_argument("--photos", type=int, default=2000, metavar="N", help="in the larger run (2000)")
    parser.add_argument(
        "--paths", type=int, default=1_000_000, metavar="N", help="simulated paths for the driver (1000000)"
    )
    parser.add_argument("--engine", default="openvino", help="as for sorter (openvino)")
    parser.add_argument("--precision", default="int8", help="as for sorter (int8)")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep photos here for the next time")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")


def main(arguments: argparse.Namespace) -> None:
    parts = arguments.only or PARTS
    facts: dict[str, Any] = {"machine": machine(PACKAGES)}
    texts = [f"On {machine_text(facts['machine'])}."]
    with work_folder(arguments.work) as work:
        if "overhead" in parts:
            costs = measure_overhead(arguments, work)
            facts["overhead"] = [cost.to_json() for cost in costs]
            texts.append(overhead_table(costs))
        if "driver" in parts:
            driver = measure_driver(arguments.paths, work)
            facts["driver"] = asdict(driver)
            texts.append(driver_text(driver))
    publish(arguments, facts, "\n\n".join(texts) + "\n")


# -- overhead --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What one way of running costs, a value per round.

    Attributes:
        name: of the way.
        start: seconds of a run with few photos.
        wall: milliseconds of each further photo.
        processor: milliseconds of processors for each further photo, over all processes.
    """

    name: str
    start: Spread
    wall: Spread
    processor: Spread

    def to_json(self) -> dict[str, Any]:
        spreads = {"start": self.start, "wall": self.wall, "processor": self.processor}
        return {"name": self.name, **{name: spread.to_json() for name, spread in spreads.items()}}


def measure_overhead(arguments: argparse.Namespace, work: Path) -> list[Cost]:
    """The plain run and each layout of nodes, taking turns."""
    photos = make_set(work / "cluster-photos", KINDS["small"], min(DISTINCT, arguments.photos))
    sets = {n: work / f"cluster-{n}" for n in (FEW, arguments.photos)}
    for n, folder in sets.items():
        link_set(folder, photos, n)
    ways: list[int] = [0, *LAYOUTS]
    found: dict[int, list[tuple[float, float, float]]] = {way: [] for way in ways}
    with pinned(CORES):
        for number in range(arguments.rounds):
            for way in ways:
                say(f"round {number + 1} of {arguments.rounds}: {name_of(way)}")
                found[way].append(measured_once(way, sets, arguments, work))
    return [
        Cost(name_of(way), *(Spread.of(values) for values in zip(*found[way], strict=True))) for way in ways
    ]


def name_of(nodes: int) -> str:
    return f"{nodes} node{'s' * (nodes > 1)}" if nodes else "plain run"


def measured_once(
    nodes: int, sets: dict[int, Path], arguments: argparse.Namespace, work: Path
) -> tuple[float, float, float]:
    """Start-up in seconds; milliseconds of a photo by the clock and by the processors."""
    few, many = sets
    more = ["--engine", arguments.engine, "--precision", arguments.precision]
    seconds, spent = {}, {}
    with ray_nodes(LAYOUTS.get(nodes, ())) as address:
        more += ["--cluster", address, "-j", str(max(CORES, nodes))] if address else ["-j", str(CORES)]
        for n, folder in sets.items():
            with tempfile.TemporaryDirectory(dir=work) as out:
                before = processor_seconds()
                command = [sys.executable, "-m", "sorter", "run", str(folder), "--out", f"{out}/sorted"]
                done = timed([*command, "--action", "hardlink", "--quiet", *more])
                seconds[n] = done.seconds
                spent[n] = processor_seconds() - before
                rows = Path(out, "sorted", "report.csv").read_bytes().count(b"\n") - 1
                if rows != n:
                    raise BenchmarkError(f"{rows} rows for {n} photos")
    return (
        seconds[few],
        1000 * (seconds[many] - seconds[few]) / (many - few),
        1000 * (spent[many] - spent[few]) / (many - few),
    )


@contextmanager
def pinned(cores: int) -> Iterator[None]:
    """This process and all below it on so many cores."""
    if not hasattr(os, "sched_setaffinity"):
        raise BenchmarkError("needs a system where processes can be pinned to cores, which is Linux")
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def ray_nodes(cores: tuple[int, ...]) -> Iterator[str]:
    """The address of a cluster on this machine whose nodes say that they have so many cores; none of no nodes."""
    if not cores:
        yield ""
        return
    from ray.cluster_utils import Cluster

    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *sys.path[1:2]])
    node = {"object_store_memory": 200 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "num_cpus": 0})
    try:
        for each in cores:
            cluster.add_node(num_cpus=each, **node)
        cluster.wait_for_nodes()
        settle()
        yield cluster.address
    finally:
        cluster.shutdown()


def processor_seconds() -> float:
    """Of the cores that this process may use, whoever used them: what Ray's workers spent is lost when they end."""
    every = psutil.cpu_times(percpu=True)
    mine = [every[core] for core in os.sched_getaffinity(0)]
    return sum(times.user + times.nice + times.system for times in mine)


def settle(patience: float = 60.0) -> None:
    """Wait until the daemons of the nodes have started: their first seconds are not the engine's."""
    until = time.monotonic() + patience
    while psutil.cpu_percent(2.0) > IDLE and time.monotonic() < until:
        pass


def overhead_table(costs: list[Cost]) -> str:
    plain = costs[0]
    rows = []
    for cost in costs:
        wall, processor = ratios(cost.wall, plain.wall), ratios(cost.processor, plain.processor)
        rows.append(
            [
                cost.name,
                cost.start.text(" s"),
                cost.wall.text(" ms"),
                "" if cost is plain else f"{wall.median - 1:+.0%}",
                cost.processor.text(" ms"),
                "" if cost is plain else f"{processor.median - 1:+.0%}",
            ]
        )
    header = [f"{CORES} cores, 0.2 MP", f"run of {FEW} photos", "each photo", "more", "processors", "more"]
    return table(header, rows) + f"\n\nMedians (and the least and most) of {len(plain.wall.values)} rounds."


# -- the driver ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Driver:
    """What the driver bears.

    Attributes:
        rows: simulated paths.
        seconds: for all of them.
        processor: seconds of processor that the driver's process took for them.
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


def measure_driver(rows: int, work: Path) -> Driver:
    """In a process of its own, so that nothing else is in its memory."""
    with ray_nodes((CORES,)) as address, tempfile.TemporaryDirectory(dir=work) as out:
        say(f"the driver: {rows:,} simulated paths")
        result = Path(out) / "driver.json"
        # Not as a program, whose classes the nodes could not import.
        code = f"import benchmark_cluster as b; b.drive_to({address!r}, {rows}, {out!r}, {str(result)!r})"
        timed([sys.executable, "-c", code])
        said = json.loads(result.read_text(encoding="utf-8"))
    return Driver(**{**said, "memory": [tuple(each) for each in said["memory"]]})


def drive_to(address: str, rows: int, out: str, result: str) -> None:
    Path(result).write_text(json.dumps(asdict(drive(address, rows, Path(out)))), encoding="utf-8")


def drive(address: str, rows: int, out: Path) -> Driver:
    """`sorter run` with paths and scores that are made up; nothing is asked of any store."""
    import sorter.sort.run
    from sorter.address import Address
    from sorter.cluster.machine import Cluster
    from sorter.cluster.stream import stream
    from sorter.progress import NoProgress
    from sorter.sort.options import SortOptions
    from sorter.sort.run import sort_folder

    me = psutil.Process()
    memory: list[tuple[int, int]] = []
    began: list[tuple[float, float]] = []

    class Watching(NoProgress):
        done = 0

        def advance(self, photos: int, /, **figures: float) -> None:
            if not began:
                began.append((time.monotonic(), processor_of(me)))
            self.done += photos
            if self.done >= (len(memory) + 1) * rows // 20:
                memory.append((self.done, me.memory_full_info().uss))

    def simulated(_: SortOptions) -> Iterator[Photo]:
        for number in range(rows):
            name = f"memory://bucket/photos/{number // 1000:06}/IMG_{number:08}.jpg"
            yield Photo(Address(name), Path(), 3_000_000 + number, 1)

    def stubbed(self: Cluster, items: Any, *_: Any) -> Iterator[Result[Scores]]:
        yield from stream(items, partial(Pool, Stub()), self.crew, Limits())

    sorter.sort.run.scan_of = simulated  # type: ignore[assignment]
    Cluster.predict = stubbed  # type: ignore[method-assign,assignment]
    options = SortOptions(
        (out,),
        Address("memory://bucket/sorted"),
        action=ActionKind.COPY,
        dry_run=True,
        report=out / "rows.csv",
        cluster=address,
        engine="onnx",
        precision="fp32",
    )
    sort_folder(options, Watching())
    start, processor = began[0]
    return Driver(rows, time.monotonic() - start, processor_of(me) - processor, memory)


def processor_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def driver_text(driver: Driver) -> str:
    capacity = driver.rows / driver.processor
    early = driver.memory[len(driver.memory) // 4][1] / 2**20
    late = driver.memory[-1][1] / 2**20
    return (
        f"Driver, {driver.rows:,} simulated paths with inference stubbed out: "
        f"{driver.rows / driver.seconds:,.0f} rows/s with everything on this machine, "
        f"{capacity:,.0f} rows for each second of its own processor; "
        f"memory {figure(early)} MiB after a quarter of them, {figure(late)} MiB at the end."
    )
