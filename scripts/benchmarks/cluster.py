"""`sorter run --cluster` beside the plain run on the same cores: the overhead of the engine, and the driver's load.

1, 2 and 4 nodes of a Ray cluster on this machine share two cores, the same two that the plain run has. Every run is
timed from the start of its process to its end, with few photos and with many. The difference is the cost of the
photos without start-up. The processor time of the two cores counts all processes: leave the machine alone.
Then the driver alone: rows of simulated paths through Ray, with inference stubbed out, planned and journalled as for
an output in a store. The driver's memory is recorded as it goes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from photos import KINDS, link_set, make_set

from benchmarks.driver import driver_text, measure_driver
from benchmarks.figures import Spread, joined, ratios, table
from benchmarks.flags import add_count
from benchmarks.harness import Benchmark, Report, say
from benchmarks.machine import machine, machine_text
from benchmarks.process import BenchmarkError, sorter_command, timed
from benchmarks.ray_nodes import ray_nodes

EXAMPLES = """examples:
  python scripts/benchmark.py cluster --markdown table.md --json cluster.json
  python scripts/benchmark.py cluster --only driver --paths 1000000
"""
PARTS = ("overhead", "driver")
PACKAGES = ("sorter-photos", "ray", "numpy", "simplejpeg", "onnxruntime", "openvino")
CORES = 2
LAYOUTS = {1: (2,), 2: (1, 1), 4: (1, 1, 1, 1)}  # nodes -> cores that Ray assigns to each
DISTINCT = 500  # photos that are made. The rest are links to them.
FEW = 500  # by their end every actor has started, which costs what hundreds of photos do
PLAIN = 0  # nodes of the plain run


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        choices=PARTS,
        action="append",
        metavar="PART",
        help=f"one of {', '.join(PARTS)} (default: all)",
    )
    add_count(parser, "--rounds", 3, "turns of each layout")
    add_count(parser, "--photos", 2000, "in the larger run")
    add_count(parser, "--paths", 1_000_000, "simulated paths for the driver")
    parser.add_argument("--engine", default="openvino", help="as for sorter (openvino)")
    parser.add_argument("--precision", default="int8", help="as for sorter (int8)")


def measure(arguments: argparse.Namespace, work: Path) -> Report:
    parts = arguments.only or PARTS
    facts: dict[str, Any] = {"machine": machine(PACKAGES)}
    texts = [f"On {machine_text(facts['machine'])}."]
    if "overhead" in parts:
        costs = measure_overhead(arguments, work)
        facts["overhead"] = [cost.to_json() for cost in costs]
        texts.append(overhead_table(costs))
    if "driver" in parts:
        driver = measure_driver(arguments.paths, work, CORES)
        facts["driver"] = asdict(driver)
        texts.append(driver_text(driver))
    return Report(facts, joined(texts))


BENCHMARK = Benchmark(
    name="cluster",
    about="a Ray cluster beside the plain run: overhead, and the driver's rows a second and memory",
    description=__doc__ or "",
    examples=EXAMPLES,
    add_flags=add_flags,
    measure=measure,
)


@dataclass(frozen=True)
class Sample:
    """One round of one layout: seconds of the small run, and milliseconds of each further photo."""

    start: float
    wall: float
    processor: float


@dataclass(frozen=True)
class Cost:
    """The cost of one layout, a value per round.

    Attributes:
        name: of the layout.
        start: seconds of a run with few photos.
        wall: milliseconds of each further photo.
        processor: milliseconds of processor time for each further photo, over all processes.
    """

    name: str
    start: Spread
    wall: Spread
    processor: Spread

    @classmethod
    def of(cls, name: str, samples: Sequence[Sample]) -> Cost:
        names = ("start", "wall", "processor")
        return cls(name, *(Spread.of(getattr(sample, each) for sample in samples) for each in names))

    def to_json(self) -> dict[str, Any]:
        spreads = {"start": self.start, "wall": self.wall, "processor": self.processor}
        return {"name": self.name, **{name: spread.to_json() for name, spread in spreads.items()}}


def measure_overhead(arguments: argparse.Namespace, work: Path) -> list[Cost]:
    """The plain run and each layout of nodes, taking turns."""
    photos = make_set(work / "cluster-photos", KINDS["small"], min(DISTINCT, arguments.photos))
    sets = {n: work / f"cluster-{n}" for n in (FEW, arguments.photos)}
    for n, folder in sets.items():
        link_set(folder, photos, n)
    found: dict[int, list[Sample]] = {nodes: [] for nodes in (PLAIN, *LAYOUTS)}
    with pinned(CORES):
        for number in range(arguments.rounds):
            for nodes, samples in found.items():
                say(f"round {number + 1} of {arguments.rounds}: {name_of(nodes)}")
                samples.append(measured_once(nodes, sets, arguments, work))
    return [Cost.of(name_of(nodes), samples) for nodes, samples in found.items()]


def name_of(nodes: int) -> str:
    return f"{nodes} node{'s' * (nodes > 1)}" if nodes else "plain run"


def measured_once(nodes: int, sets: Mapping[int, Path], arguments: argparse.Namespace, work: Path) -> Sample:
    few, many = sets
    flags = ["--engine", arguments.engine, "--precision", arguments.precision]
    seconds, spent = {}, {}
    with ray_nodes(LAYOUTS.get(nodes, ())) as address:
        flags += ["--cluster", address, "-j", str(max(CORES, nodes))] if address else ["-j", str(CORES)]
        for n, folder in sets.items():
            before = processor_seconds()
            seconds[n] = run_seconds(folder, n, flags, work)
            spent[n] = processor_seconds() - before
    each = 1000 / (many - few)
    return Sample(seconds[few], (seconds[many] - seconds[few]) * each, (spent[many] - spent[few]) * each)


def run_seconds(photos: Path, n: int, flags: Sequence[str], work: Path) -> float:
    """Time `sorter run` once. Raises BenchmarkError: the report has another number of rows."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        out = Path(folder) / "sorted"
        command = [*sorter_command(), "run", photos, "--out", out, "--action", "hardlink", "--quiet", *flags]
        finished = timed(command)
        rows = (out / "report.csv").read_bytes().count(b"\n") - 1
    if rows != n:
        raise BenchmarkError(f"{photos}: {n} photos were to be sorted; the report has {rows} rows")
    return finished.seconds


@contextmanager
def pinned(cores: int) -> Iterator[None]:
    """This process and all that it starts on so many cores. Raises BenchmarkError: the system cannot do that."""
    if not hasattr(os, "sched_setaffinity"):
        raise BenchmarkError("pinning processes to cores needs Linux")
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def processor_seconds() -> float:
    """Of the cores that this process may use, for any process. The time of Ray's workers is lost when they end."""
    every = psutil.cpu_times(percpu=True)
    mine = [every[core] for core in os.sched_getaffinity(0)]
    return sum(times.user + times.nice + times.system for times in mine)


def overhead_table(costs: Sequence[Cost]) -> str:
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
