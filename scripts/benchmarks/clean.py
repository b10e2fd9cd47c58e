"""`sorter clean` beside what people run today to find broken and similar photos.

Detection: a suite of damaged and of healthy files (`scripts/damage.py`). Where a tool refuses every healthy file of a
format, that format counts as not read, neither as found nor as a false alarm.
Cost: the work of one of our workers and of Pillow's loops, in turns photo by photo in one thread. It is counted in
processor time, which holds on a busy machine, too.
Speed: photo sets made here, every program over the same files in turns, from the start of its process to its end.
`sorter clean` starts with an empty cache, and writes its report and page in that time.
Four more measurements: a second run over an unchanged folder, peak memory, and the search for near duplicates.

The peers need environments of their own. Name their Pythons:
    python -m venv peers && peers/bin/pip install cleanvision imagededup czkawka pillow-heif
The package `czkawka` binds czkawka's similar-images search. No package of Python, npm or Debian has its broken-files
search, so that is not compared.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import damage
import numpy as np
from PIL import Image

from benchmarks import harness
from benchmarks.clean_report import (
    OURS,
    PEERS,
    QUICK,
    Again,
    Cost,
    Detection,
    Figures,
    Near,
    Run,
    markdown,
    unread,
)
from benchmarks.figures import figure, mebibytes
from benchmarks.flags import add_count, add_memory, add_parts
from benchmarks.harness import Benchmark, Report, say, turns
from benchmarks.machine import load_average, machine
from benchmarks.process import BenchmarkError, Finished, Peak, empty_cache, sorter_command, timed
from benchmarks.sets import PhotoSet, make_sets
from sorter.clean.duplicates import HASHES, mark_duplicates
from sorter.clean.examine import Examine
from sorter.clean.ledger import CleanLedger
from sorter.clean.records import Examined, Placement
from sorter.clean.signature import SIZES
from sorter.system import available_cores
from sorter.types import Limits, Photo

EXAMPLES = """examples:
  python scripts/benchmark.py clean --cleanvision-python peers/bin/python --imagededup-python peers/bin/python
  python scripts/benchmark.py clean --only detection
  python scripts/benchmark.py clean --only speed,cache --small 500 --large 60 --markdown table.md --json clean.json
"""
PARTS = ("detection", "cost", "speed", "cache", "memory", "near")
PACKAGES = ("sorter-photos", "numpy", "pillow", "pillow-heif", "simplejpeg")
OWN_PYTHON = ("cleanvision", "imagededup", "czkawka")
NO_ALARM = frozenset({"ok", "duplicate", "near-duplicate", "similar", "conflict"})
COPIES = 0.2  # share of the fingerprints that are near another: the same with a few bits changed


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_parts(parser, PARTS)
    for name in OWN_PYTHON:
        parser.add_argument(
            f"--{name}-python",
            type=Path,
            metavar="PATH",
            help=f"a Python with {name} and pillow-heif (default: this one, if it has it)",
        )
    add_count(parser, "--rounds", 3, "turns of each program")
    add_count(parser, "--small", 1000, "0.2-megapixel photos, 0 for none", least=0)
    add_count(parser, "--large", 120, "12-megapixel photos, 0 for none", least=0)
    add_count(parser, "--peer", 60, "photos of a set for cleanvision, imagededup and czkawka")
    add_memory(parser, (1000, 5000, 20000))
    add_count(parser, "--near", 100_000, "fingerprints that are compared")


def measure(arguments: argparse.Namespace, work: Path) -> Report:
    figures = Measurement(arguments, work).figures()
    return Report(asdict(figures), markdown(figures))


BENCHMARK = Benchmark(
    name="clean",
    about="find damaged files, beside Pillow, cleanvision, imagededup and czkawka; cache; memory; near duplicates",
    description=__doc__ or "",
    examples=EXAMPLES,
    add_flags=add_flags,
    measure=measure,
)


# -- programs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program(harness.Program):
    """Something that looks for damaged photos. Its command: (photos, reports, one file at a time).

    Attributes:
        decodes: it reads every pixel's bits.
        slow: it takes fewer photos of a set.
    """

    decodes: bool
    slow: bool = False


def ours(name: str, *flags: str) -> Program:
    def command(photos: Path, out: Path, one_by_one: bool) -> list[str | Path]:
        keep = ["--remove", "none", "--quiet", "--json", "--report", out / "clean.csv"]
        return [*sorter_command(), "clean", photos, *keep, *flags]

    return Program(name, command, True, decodes="--quick" not in flags)


def peer(name: str, python: Path) -> Program:
    tool, _, decodes = PEERS[name]
    script = [python, "-W", "ignore", harness.PEERS / "check_images.py", tool]

    def command(photos: Path, out: Path, one_by_one: bool) -> list[str | Path]:
        return [*script, photos, *(["--one-by-one"] if one_by_one else [])]

    return Program(name, command, False, decodes, slow=tool in OWN_PYTHON)


def peers(pythons: dict[str, Path | None]) -> tuple[list[Program], list[str]]:
    """Those that are installed, and the names of the others."""
    found, missing = [], []
    for name, (tool, package, _) in PEERS.items():
        python = harness.peer_python(package, pythons.get(tool), f"--{tool}-python")
        if python is None:
            missing.append(name)
        else:
            found.append(peer(name, python))
    return found, missing


def versions(pythons: dict[str, Path | None]) -> dict[str, str]:
    """Of the peers that have a Python of their own. Raises BenchmarkError: a peer is not installed there."""
    found = {}
    for name, python in pythons.items():
        if python is not None:
            own, pillow = harness.peer_versions(python, (name, "pillow"), f"--{name}-python")
            found[name] = f"{own} (with pillow {pillow})"
    return found


def run_once(program: Program, photos: PhotoSet) -> Run:
    """Time one program on one set. Raises BenchmarkError: it failed, or has not looked at every photo."""
    kind, n = photos.kind.name, len(photos.paths)
    with empty_cache() as out:
        finished = timed(program.command(photos.folder, out, False))
    working, processor = finished.seconds, finished.processor_seconds
    if program.ours:
        check(finished, n)
    else:
        answer = finished.answer
        if answer["refused"]:
            raise BenchmarkError(f"{program.name}: cannot read {answer['refused'][0]} of the {kind} photos")
        working, processor = answer["done"] - answer["ready"], answer["processor"]
    say(f"{program.name}, {n} {kind} photos: {figure(finished.seconds)} s, {figure(n / finished.seconds)}/s")
    return Run(kind, program.name, n, program.decodes, finished.seconds, working, processor)


def check(finished: Finished, n: int) -> dict[str, Any]:
    """The summary of `sorter clean`. Raises BenchmarkError: it has not looked at `n` photos."""
    summary: dict[str, Any] = json.loads(finished.stdout)
    examined = summary["examined"] + summary["cached"]
    if examined != n:
        raise BenchmarkError(f"sorter clean looked at {examined} of {n} photos")
    return summary


# -- detection -------------------------------------------------------------------------------------------------


def detect(program: Program, suite: Path) -> Detection:
    """Run a program on the suite, file by file where it would give up at the first damaged one."""
    say(f"{program.name} on the suite")
    with empty_cache() as out:
        finished = timed(program.command(suite, out, True))
        refused = refused_rows(out / "clean.csv", suite) if program.ours else finished.answer["refused"]
    healthy = [path.relative_to(suite).as_posix() for path in sorted((suite / "healthy").iterdir())]
    return Detection(program.name, tuple(refused), unread(healthy, refused))


def refused_rows(report: Path, suite: Path) -> list[str]:
    with report.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Path(row["path"]).relative_to(suite).as_posix() for row in rows if row["verdict"] not in NO_ALARM]


# -- measuring -------------------------------------------------------------------------------------------------


class Measurement:
    """One call of the benchmark."""

    def __init__(self, arguments: argparse.Namespace, work: Path) -> None:
        self.arguments = arguments
        self.only = set(arguments.only)
        self.work = work
        self.machine = machine(PACKAGES)
        self.sorter = ours(OURS)
        self.programs, self.left_out = [self.sorter, ours(QUICK, "--quick")], []
        if {"detection", "speed"} & self.only:
            pythons = {name: getattr(arguments, f"{name}_python") for name in OWN_PYTHON}
            others, self.left_out = peers(pythons)
            self.programs += others
            self.machine["packages"] |= versions(pythons)

    def figures(self) -> Figures:
        load = load_average()
        suite, detections = self._detections() if "detection" in self.only else ({}, [])
        sets = self._sets()
        costs = [cost for photos in sets.values() for cost in costs_of(photos)] if "cost" in self.only else []
        runs, again = self._rounds(sets)
        return Figures(
            machine=self.machine,
            load=(load, load_average()),
            rounds=self.arguments.rounds,
            sets={name: describe(photos) for name, photos in sets.items()},
            suite=suite,
            detections=detections,
            left_out=self.left_out,
            costs=costs,
            runs=runs,
            again=again,
            memory=[self._memory(n) for n in self.arguments.memory] if "memory" in self.only else [],
            near=compare_many(self.arguments.near) if "near" in self.only else None,
        )

    def _detections(self) -> tuple[dict[str, bool], list[Detection]]:
        folder = self.work.resolve() / "suite"
        shutil.rmtree(folder, ignore_errors=True)
        wanted = damage.write(folder)
        suite = {path.relative_to(folder).as_posix(): "ok" in right for path, right in wanted.items()}
        return suite, [detect(program, folder) for program in self.programs]

    def _sets(self) -> dict[str, PhotoSet]:
        """As many originals as photos. Alike ones would make the page's groups costlier than any real folder's."""
        counts = {"small": self.arguments.small, "large": self.arguments.large}
        wanted = {name: n for name, n in counts.items() if n and {"cost", "speed", "cache"} & self.only}
        return make_sets(self.work, wanted, all_different=True)

    def _rounds(self, sets: dict[str, PhotoSet]) -> tuple[list[Run], list[Again]]:
        runs: list[Run] = []
        again: list[Again] = []
        wanted = sets and {"speed", "cache"} & self.only
        for turn in turns(self.programs, self.arguments.rounds if wanted else 0):
            for photos in sets.values():
                if "speed" in self.only:
                    fewer = photos.first(self.arguments.peer)
                    runs += [run_once(program, fewer if program.slow else photos) for program in turn]
                if "cache" in self.only:
                    again.append(self._again(photos))
        return runs, again

    def _again(self, photos: PhotoSet) -> Again:
        kind, n = photos.kind.name, len(photos.paths)
        with empty_cache() as out:
            command = self.sorter.command(photos.folder, out, False)
            first, second = timed(command), timed(command)
        if check(second, n)["cached"] != n:
            raise BenchmarkError("a second run over an unchanged folder examined photos again")
        say(f"again, {n} {kind} photos: {figure(first.seconds)} s, then {figure(second.seconds)} s")
        return Again(kind, n, first.seconds, second.seconds)

    def _memory(self, n: int) -> Peak:
        folder = self.work / "many"
        say(f"peak memory at {n} photos")
        draw_many(folder, n)
        with empty_cache() as out:
            finished = timed(self.sorter.command(folder, out, False), watch_memory=True)
        check(finished, n)
        shutil.rmtree(folder)
        peak = Peak.of(n, finished)
        say(f"{mebibytes(peak.total)} after {figure(peak.seconds)} s")
        return peak


def describe(photos: PhotoSet) -> str:
    n = len(photos.paths)
    return f"{photos.kind}: {n:,} files, {photos.kilobytes:,.1f} kB on average; {photos.kind.recipe}"


def costs_of(photos: PhotoSet) -> list[Cost]:
    """Processor time of each photo for us and the two Pillow loops, in turns."""
    say(f"the cost of one of the {photos.kind.name} photos")
    steps = {OURS: examine_one(), "Pillow load() loop": load, "Pillow verify() loop": verify}
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step(photos.paths[0])  # loads what is loaded on first use
    for number, path in enumerate(photos.paths):
        order = list(steps)
        for name in order[number % 3 :] + order[: number % 3]:
            began = time.process_time()
            steps[name](path)
            spent[name].append((time.process_time() - began) * 1e3)
    return [Cost(photos.kind.name, name, tuple(values)) for name, values in spent.items()]


def examine_one() -> Callable[[Path], None]:
    examine = Examine(Limits()).start()

    def step(path: Path) -> None:
        status = path.stat()
        examine(Photo(path, Path(path.name), status.st_size, status.st_mtime_ns))

    return step


def load(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def verify(path: Path) -> None:
    with Image.open(path) as image:
        image.verify()


def draw_many(folder: Path, n: int) -> None:
    """Small photos, quickly made and all different: clouds of colour, 160 x 120."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def draw(number: int) -> None:
        cloud = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        image = Image.fromarray(cloud).resize((160, 120), Image.Resampling.BICUBIC)
        image.save(folder / f"{number:06}.jpg", quality=85)

    with ThreadPoolExecutor(available_cores()) as threads:
        list(threads.map(draw, range(n)))


def compare_many(n: int) -> Near:
    """Time the search for duplicates in a ledger of `n` made-up photos, a fifth of them near another.

    Raises:
        BenchmarkError: the search did not find the groups that were put in.
    """
    say(f"near duplicates among {n} fingerprints")
    copies = int(n * COPIES)
    with closing(CleanLedger()) as ledger:
        add_made_up(ledger, n, n - copies)
        began = time.monotonic()
        mark_duplicates(ledger, 4, frozenset())
        seconds = time.monotonic() - began
        groups = ledger.group_counts().groups
        found = ledger.counts().get("near-duplicate", 0)
    if found != copies:
        raise BenchmarkError(f"{found} near duplicates were found, {copies} were put in")
    return Near(n, seconds, groups)


def add_made_up(ledger: CleanLedger, n: int, originals: int) -> None:
    """Fingerprints of `n` photos. Those after the originals differ from one of them by two bits."""
    rng = np.random.default_rng(0)
    for number in range(n):
        seed = number if number < originals else int(rng.integers(originals))
        own = np.random.default_rng([1, seed])
        hashes = [int(each) for each in own.integers(0, 1 << 64, HASHES, np.uint64)]
        if number >= originals:
            hashes[0] ^= 1 << int(rng.integers(64)) | 1 << int(rng.integers(64))
        signature = own.integers(0, 256, sum(SIZES), np.uint8).tobytes()
        seen = Examined("JPEG", 400, 300, f"{number:064x}", tuple(hashes), signature, None, ())
        ledger.add(Photo(Path(f"/{number}.jpg"), Path(f"{number}.jpg"), 1, 1), seen, (), Placement())
