"""`sorter clean` beside what people run today to find broken and similar photos.

Detection: a suite of damaged and of healthy files (`scripts/damage.py`). A format of which a tool refuses every healthy
file counts as not read, neither as found nor as a false alarm. Cost: what a worker of ours does with a photo, and what
Pillow's loops do, take turns photo by photo in one thread, by processor time, which says something on a busy machine,
too. Speed: photo sets made here, every program over the same files in turns, timed from the start of its process to its
end; `sorter clean` with an empty cache, its report and page in that time. Besides: a second run over an unchanged
folder, peak memory, and the search for near duplicates among many fingerprints.

The peers want environments of their own; name their Pythons:
    python -m venv peers && peers/bin/pip install cleanvision imagededup czkawka pillow-heif
The package `czkawka` is a binding of czkawka's similar-images search; its command with the broken-files search comes
in no package of Python, npm or Debian, so that is not compared.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import damage
import numpy as np
from benchmark_run import sorter_command
from measure import (
    BenchmarkError,
    Finished,
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
from PIL import Image

from sorter.system import available_cores

NAME = "clean"
ABOUT = (
    "find damaged files, beside Pillow, cleanvision, imagededup and czkawka; cache; memory; near duplicates"
)
EXAMPLE = """examples:
  python scripts/benchmark.py clean --cleanvision-python peers/bin/python --imagededup-python peers/bin/python
  python scripts/benchmark.py clean --only detection
  python scripts/benchmark.py clean --only speed,cache --small 500 --large 60 --markdown table.md --json clean.json
"""
PARTS = ("detection", "cost", "speed", "cache", "memory", "near")
PACKAGES = ("sorter", "numpy", "pillow", "pillow-heif", "simplejpeg")
OURS = "sorter clean"
QUICK = "sorter clean --quick"
# Peer -> its word for check_images.py, the package it needs, and whether it decodes in full.
PEERS = {
    "Pillow verify() loop": ("verify", "PIL", False),
    "Pillow load() loop": ("load", "PIL", True),
    "Pillow load(), all cores": ("load-pool", "PIL", True),
    "cleanvision": ("cleanvision", "cleanvision", True),
    "imagededup": ("imagededup", "imagededup", True),
    "czkawka, similar images": ("czkawka", "czkawka", True),
}
OWN_PYTHON = ("cleanvision", "imagededup", "czkawka")
NO_ALARM = frozenset({"ok", "duplicate", "near-duplicate", "conflict"})
COPIES = 0.2  # of the fingerprints are those of a picture that is there already, a few bits changed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        type=_parts,
        default=PARTS,
        metavar="PARTS",
        help=f"some of {','.join(PARTS)}, joined by commas (default: all)",
    )
    for name in OWN_PYTHON:
        parser.add_argument(
            f"--{name}-python",
            type=Path,
            metavar="PATH",
            help=f"a Python with {name} and pillow-heif (default: this one, if it has it)",
        )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: 3")
    parser.add_argument(
        "--small", type=int, default=1000, metavar="N", help="0.2-megapixel photos, 0 for none (1000)"
    )
    parser.add_argument(
        "--large", type=int, default=120, metavar="N", help="12-megapixel photos, 0 for none (120)"
    )
    parser.add_argument(
        "--peer",
        type=int,
        default=60,
        metavar="N",
        help="photos of a set that cleanvision, imagededup and czkawka do (60)",
    )
    parser.add_argument(
        "--memory",
        type=int,
        nargs="+",
        default=[1000, 5000, 20000],
        metavar="N",
        help="photos of the memory runs (1000 5000 20000)",
    )
    parser.add_argument(
        "--near", type=int, default=100_000, metavar="N", help="fingerprints that are compared (100000)"
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep photos here for the next time")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")


def main(arguments: argparse.Namespace) -> None:
    with work_folder(arguments.work) as work:
        work.mkdir(parents=True, exist_ok=True)
        figures = _Bench(arguments, work).go()
    publish(arguments, asdict(figures), markdown(figures))


# -- records ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """Something that looks for damaged photos.

    Attributes:
        name: what the tables call it.
        command: (folder with photos, folder for reports, one file at a time) -> command line.
        decodes: every pixel's bits are read.
        ours: it is `sorter clean`.
        slow: it takes fewer photos of a set.
    """

    name: str
    command: Callable[[Path, Path, bool], list[str | Path]]
    decodes: bool
    ours: bool = False
    slow: bool = False


@dataclass(frozen=True)
class Run:
    """One program on one set, once.

    Attributes:
        kind: the set.
        program: its name.
        n: photos.
        decodes: as in `Program`.
        seconds: from the start of the process to its end.
        working: seconds without start-up; of ours all.
        processor: seconds of all its processes together, by the system's account; without start-up, of ours all.
    """

    kind: str
    program: str
    n: int
    decodes: bool
    seconds: float
    working: float
    processor: float


@dataclass(frozen=True)
class Detection:
    """What one program said of the suite.

    Attributes:
        program: its name.
        refused: names of the files that it found fault with.
        unread: suffixes of which it refused every healthy file.
    """

    program: str
    refused: tuple[str, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processor time for each photo of a set, in its order."""

    kind: str
    program: str
    milliseconds: tuple[float, ...]


@dataclass(frozen=True)
class Again:
    """Seconds of a first run and of a second one over the unchanged folder; of whole processes."""

    kind: str
    n: int
    first: float
    second: float


@dataclass(frozen=True)
class Figures:
    """All that was measured, and where.

    Attributes:
        machine: hardware and software.
        load: the system's load average of the last minute, before and after.
        rounds: how often each program had its turn.
        sets: set -> how its photos were made.
        suite: name of each damaged or healthy file -> is it healthy?
        detections: one for every program.
        left_out: peers that are not installed.
        costs: of one photo in one thread, for each set and program.
        runs: every timed run, in order of time.
        again: pairs of runs with one cache.
        memory: (photos, peak bytes over all processes, those of them that no file stands behind, seconds).
        near: (fingerprints, seconds, groups) of the search alone.
    """

    machine: dict[str, Any]
    load: tuple[float, float]
    rounds: int
    sets: dict[str, str]
    suite: dict[str, bool]
    detections: list[Detection]
    left_out: list[str]
    costs: list[Cost]
    runs: list[Run]
    again: list[Again]
    memory: list[tuple[int, int, int, float]]
    near: tuple[int, float, int] | None


# -- the programs ----------------------------------------------------------------------------------------------


def ours(name: str, *flags: str) -> Program:
    def command(photos: Path, out: Path, one_by_one: bool) -> list[str | Path]:
        keep = ["--remove", "none", "--quiet", "--json", "--report", out / "clean.csv"]
        return [*sorter_command(), "clean", photos, *keep, *flags]

    return Program(name, command, "--quick" not in flags, ours=True)


def peers(pythons: dict[str, Path | None]) -> tuple[list[Program], list[str]]:
    """Those that are installed, and the names of the others."""
    found, missing = [], []
    for name, (tool, package, decodes) in PEERS.items():
        python = pythons.get(tool) or (Path(sys.executable) if importlib.util.find_spec(package) else None)
        if python is None:
            missing.append(name)
            say(f"{name} is left out: it is not installed here; --{tool}-python names a Python that has it")
        else:
            found.append(_peer(name, python.absolute(), tool, decodes))
    return found, missing


def versions(pythons: dict[str, Path | None]) -> dict[str, str]:
    """Of the peers that have a Python of their own."""
    found = {}
    for name, python in pythons.items():
        if python is not None:
            code = f"from importlib.metadata import version; print(version({name!r}), version('pillow'))"
            said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
            if said.returncode:
                raise BenchmarkError(f"--{name}-python {python}: has no {name}; see --help how to make one")
            found[name] = "{} (with pillow {})".format(*said.stdout.split())
    return found


def _peer(name: str, python: Path, tool: str, decodes: bool) -> Program:
    script = Path(__file__).parent / "peers" / "check_images.py"

    def command(photos: Path, out: Path, one_by_one: bool) -> list[str | Path]:
        return [python, "-W", "ignore", script, tool, photos, *(["--one-by-one"] if one_by_one else [])]

    return Program(name, command, decodes, slow=tool in OWN_PYTHON)


def run_once(program: Program, kind: str, photos: Path, n: int) -> Run:
    """Time one program on one folder. Raises BenchmarkError where it fails or has not looked at every photo."""
    with _fresh() as out:
        finished = timed(program.command(photos, out, False))
        working, processor = finished.seconds, finished.processor_seconds
        if program.ours:
            _check(finished, n)
        else:
            told = json.loads(finished.stdout.strip().splitlines()[-1])
            if told["refused"]:
                raise BenchmarkError(f"{program.name}: cannot read {told['refused'][0]} of the {kind} photos")
            working, processor = told["done"] - told["ready"], told["processor"]
    say(f"{program.name}, {n} {kind} photos: {figure(finished.seconds)} s, {figure(n / finished.seconds)}/s")
    return Run(kind, program.name, n, program.decodes, finished.seconds, working, processor)


def _check(finished: Finished, n: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(finished.stdout)
    looked = told["examined"] + told["cached"]
    if looked != n:
        raise BenchmarkError(f"sorter clean looked at {looked} of {n} photos")
    return told


@contextmanager
def _fresh() -> Iterator[Path]:
    """A folder for reports; caches of whatever runs meanwhile are new and go with it."""
    before = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory(prefix="sorter-benchmark-") as out:
        os.environ["XDG_CACHE_HOME"] = str(Path(out) / "cache")
        try:
            yield Path(out)
        finally:
            if before is None:
                del os.environ["XDG_CACHE_HOME"]
            else:
                os.environ["XDG_CACHE_HOME"] = before


# -- detection -------------------------------------------------------------------------------------------------


def detect(program: Program, suite: Path) -> Detection:
    """Let a program loose on the suite, file by file where it would give up at the first damaged one."""
    say(f"{program.name} on the suite")
    with _fresh() as out:
        finished = timed(program.command(suite, out, True))
        if program.ours:
            with (out / "clean.csv").open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            refused = [
                Path(row["path"]).relative_to(suite).as_posix()
                for row in rows
                if row["verdict"] not in NO_ALARM
            ]
        else:
            refused = json.loads(finished.stdout.strip().splitlines()[-1])["refused"]
    healthy = [path.relative_to(suite).as_posix() for path in sorted((suite / "healthy").iterdir())]
    return Detection(program.name, tuple(refused), unread(healthy, refused))


def unread(healthy: Sequence[str], refused: Sequence[str]) -> tuple[str, ...]:
    """Suffixes of which every healthy file was refused."""
    suffixes = {Path(name).suffix for name in healthy}
    read = {Path(name).suffix for name in healthy if name not in set(refused)}
    return tuple(sorted(suffixes - read))


def found(detection: Detection, names: Sequence[str]) -> list[str]:
    """Those of these files that were refused for themselves, not for a format that is not read."""
    refused = set(detection.refused)
    return [name for name in names if name in refused and Path(name).suffix not in detection.unread]


# -- measuring -------------------------------------------------------------------------------------------------


class _Bench:
    """One invocation of the benchmark."""

    def __init__(self, arguments: argparse.Namespace, work: Path) -> None:
        self.arguments = arguments
        self.work = work
        self.machine = machine(PACKAGES)
        others, self.left_out = [], []
        if {"detection", "speed"} & set(arguments.only):
            pythons = {name: getattr(arguments, f"{name}_python") for name in OWN_PYTHON}
            others, self.left_out = peers(pythons)
            self.machine["packages"] |= versions(pythons)
        self.programs = [ours(OURS), ours(QUICK, "--quick"), *others]
        self.counts = {
            name: count
            for name, count in (("small", arguments.small), ("large", arguments.large))
            if count and {"cost", "speed", "cache"} & set(arguments.only)
        }

    def go(self) -> Figures:
        only = self.arguments.only
        load = _load()
        suite: dict[str, bool] = {}
        detections = []
        if "detection" in only:
            folder = self.work.resolve() / "suite"
            shutil.rmtree(folder, ignore_errors=True)
            suite = {
                path.relative_to(folder).as_posix(): "ok" in right
                for path, right in damage.write(folder).items()
            }
            detections = [detect(program, folder) for program in self.programs]
        sets = {}
        for name, count in self.counts.items():
            say(f"making {count} {name} photos in {self.work}")
            # As many originals as photos: were they alike, the page's groups of them would cost what no folder's do.
            kind = replace(KINDS[name], originals=count)
            paths = make_set(self.work / name, kind, count)
            size = sum(path.stat().st_size for path in paths) / count / 1e3
            sets[name] = f"{KINDS[name]}: {count:,} files, {size:,.1f} kB on average; {kind.recipe}"
        costs = [each for name in sets for each in weigh(name, self.work / name)] if "cost" in only else []
        runs, again = [], []
        for number in range(self.arguments.rounds if sets and {"speed", "cache"} & set(only) else 0):
            say(f"round {number + 1} of {self.arguments.rounds}")
            for name, count in self.counts.items():
                # There and back again, so that none always comes after the same other.
                turns = self.programs[:: -1 if number % 2 else 1] if "speed" in only else []
                runs += [self._run(program, name, count) for program in turns]
                if "cache" in only:
                    again.append(self._again(name, count))
        return Figures(
            machine=self.machine,
            load=(load, _load()),
            rounds=self.arguments.rounds,
            sets=sets,
            suite=suite,
            detections=detections,
            left_out=self.left_out,
            costs=costs,
            runs=runs,
            again=again,
            memory=[self._memory(n) for n in self.arguments.memory] if "memory" in only else [],
            near=compare_many(self.arguments.near) if "near" in only else None,
        )

    def _run(self, program: Program, kind: str, n: int) -> Run:
        folder, fewer = self.work / kind, min(n, self.arguments.peer)
        if program.slow and fewer < n:
            folder, n = self.work / f"{kind}-{fewer}", fewer
            if not folder.exists():
                link_set(folder, sorted((self.work / kind).iterdir()), n)
        return run_once(program, kind, folder, n)

    def _again(self, kind: str, n: int) -> Again:
        with _fresh() as out:
            command = self.programs[0].command(self.work / kind, out, False)
            first, second = timed(command), timed(command)
            if _check(second, n)["cached"] != n:
                raise BenchmarkError("a second run over an unchanged folder examined photos anew")
        say(f"again, {n} {kind} photos: {figure(first.seconds)} s, then {figure(second.seconds)} s")
        return Again(kind, n, first.seconds, second.seconds)

    def _memory(self, n: int) -> tuple[int, int, int, float]:
        folder = self.work / "many"
        say(f"peak memory at {n} photos")
        draw_many(folder, n)
        with _fresh() as out:
            finished = timed(self.programs[0].command(folder, out, False), watch_memory=True)
            _check(finished, n)
        assert finished.peak_memory is not None and finished.peak_anonymous is not None
        shutil.rmtree(folder)
        say(f"{figure(finished.peak_memory / 2**20)} MiB after {figure(finished.seconds)} s")
        return n, finished.peak_memory, finished.peak_anonymous, finished.seconds


def weigh(kind: str, folder: Path) -> list[Cost]:
    """What each photo of a folder costs us and the two Pillow loops, in turns."""
    from sorter.clean.examine import Examine
    from sorter.types import Photo

    say(f"what one of the {kind} photos costs")
    examine = Examine(250.0).start()

    def ours_on(path: Path) -> None:
        status = path.stat()
        examine(Photo(path, Path(path.name), status.st_size, status.st_mtime_ns))

    def load(path: Path) -> None:
        with Image.open(path) as image:
            image.load()

    def verify(path: Path) -> None:
        with Image.open(path) as image:
            image.verify()

    steps = {OURS: ours_on, "Pillow load() loop": load, "Pillow verify() loop": verify}
    spent: dict[str, list[float]] = {name: [] for name in steps}
    paths = sorted(folder.iterdir())
    for step in steps.values():
        step(paths[0])  # what is loaded on first use
    for number, path in enumerate(paths):
        order = list(steps)
        for name in order[number % 3 :] + order[: number % 3]:
            began = time.process_time()
            steps[name](path)
            spent[name].append((time.process_time() - began) * 1e3)
    return [Cost(kind, name, tuple(values)) for name, values in spent.items()]


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


def compare_many(n: int) -> tuple[int, float, int]:
    """Time `sorter clean`'s search for duplicates in a ledger of `n` made-up photos, a fifth of them near another.

    Raises:
        BenchmarkError: it did not find the groups that were put in.
    """
    from contextlib import closing

    from sorter.clean.duplicates import mark
    from sorter.clean.ledger import CleanLedger
    from sorter.clean.records import Examined
    from sorter.types import Photo

    say(f"near duplicates among {n} fingerprints")
    rng = np.random.default_rng(0)
    originals = n - int(n * COPIES)
    with closing(CleanLedger()) as ledger:
        for number in range(n):
            seed = number if number < originals else int(rng.integers(originals))
            own = np.random.default_rng([1, seed])
            hashes = [int(each) for each in own.integers(0, 1 << 64, 4, np.uint64)]
            if number >= originals:
                hashes[0] ^= 1 << int(rng.integers(64)) | 1 << int(rng.integers(64))
            signature = own.integers(0, 256, 192, np.uint8).tobytes()
            seen = Examined("JPEG", 400, 300, f"{number:064x}", tuple(hashes), signature, None, ())
            ledger.add(Photo(Path(f"/{number}.jpg"), Path(f"{number}.jpg"), 1, 1), seen, (), "", "")
        began = time.monotonic()
        mark(ledger, 4, frozenset())
        seconds = time.monotonic() - began
        groups = ledger.team_counts()[0]
        near = ledger.counts().get("near-duplicate", 0)
    if near != n - originals:
        raise BenchmarkError(f"{near} near duplicates were found, {n - originals} were put in")
    return n, seconds, groups


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


# -- telling ---------------------------------------------------------------------------------------------------


def markdown(figures: Figures) -> str:
    """All tables, and what they were measured on."""
    before, after = figures.load
    blocks = [
        f"Measured on {machine_text(figures.machine)}. Load average {before:.2f} before, {after:.2f} after."
        + (f" Not installed and so left out: {', '.join(figures.left_out)}." if figures.left_out else ""),
    ]
    if figures.detections:
        blocks += [_detection_table(figures), _missed(figures), _kinds_table(figures)]
    if figures.sets:
        blocks.append("\n".join(f"- {text}" for text in figures.sets.values()))
    if figures.costs:
        blocks.append(_cost_table(figures))
    if figures.runs:
        blocks += [
            f"{figures.rounds} rounds, programs taking turns; median (least–most).",
            _speed_table(figures),
        ]
        blocks.append(
            "In bold: per photo, ours from the start of the process to its end, against theirs without their start-up; "
            "so no program loses by doing fewer photos. Processor time likewise."
        )
    if figures.again:
        blocks.append(_again_table(figures))
    if figures.memory:
        blocks.append(_memory_table(figures))
    if figures.near:
        n, seconds, groups = figures.near
        blocks.append(
            f"The search for near duplicates among {n:,} fingerprints took {figure(seconds)} s "
            f"and found {groups:,} groups."
        )
    return "\n\n".join(block for block in blocks if block) + "\n"


def _detection_table(figures: Figures) -> str:
    damaged = [name for name, healthy in figures.suite.items() if not healthy]
    healthy = [name for name, healthy in figures.suite.items() if healthy]
    rows = [
        (
            each.program,
            f"{len(found(each, damaged))} of {len(damaged)}",
            f"{len(found(each, healthy))} of {len(healthy)}",
            ", ".join(each.unread) or "–",
        )
        for each in figures.detections
    ]
    return table(("the suite", "damaged files found", "false alarms", "not read at all"), rows)


def _missed(figures: Figures) -> str:
    """The goal: every damaged file that any of them finds."""
    damaged = [name for name, healthy in figures.suite.items() if not healthy]
    mine = next(set(each.refused) for each in figures.detections if each.program == OURS)
    missed = {name for each in figures.detections for name in found(each, damaged)} - mine
    listed = ", ".join(sorted(missed)) or "none"
    return f"Damaged files that another program finds and `sorter clean` does not: {listed}."


def _kinds_table(figures: Figures) -> str:
    """Kind of damage -> how many of its files each program finds."""
    kinds: dict[str, list[str]] = {}
    for name, healthy in figures.suite.items():
        if not healthy:
            kinds.setdefault(kind_of_damage(name), []).append(name)
    rows = [
        (f"{kind} ({len(names)})", *(str(len(found(each, names))) for each in figures.detections))
        for kind, names in kinds.items()
    ]
    return table(("files found", *(each.program for each in figures.detections)), rows)


def kind_of_damage(name: str) -> str:
    """`damaged/tiff-lzw-cut-50.tif` -> `cut-50`; what is damaged in one way only has its own name."""
    stem = Path(name).stem
    for format in sorted(damage.FORMATS, key=len, reverse=True):
        stem = re.sub(f"^{format}-(?=cut-|no-pixels|zeros|empty)", "", stem)
    return stem


def _cost_table(figures: Figures) -> str:
    """Medians over the photos with the quartiles, which a busy machine moves less than the ends."""
    rows = []
    for kind in figures.sets:
        costs = {each.program: np.array(each.milliseconds) for each in figures.costs if each.kind == kind}
        for name, spent in costs.items():
            rows.append(
                (
                    f"{name}, {KINDS[kind]}",
                    f"{len(spent):,}",
                    _quartiles(spent, " ms"),
                    "" if name == OURS else f"**{_quartiles(spent / costs[OURS], '×')}**",
                )
            )
    return table(
        ("in one thread", "photos", "processor time a photo (quartiles)", "times sorter clean's"), rows
    )


def _quartiles(values: Any, unit: str) -> str:
    low, middle, high = (figure(float(each)) for each in np.percentile(values, (25, 50, 75)))
    return f"{middle}{unit} ({low}–{high})"


def _speed_table(figures: Figures) -> str:
    rows = []
    for kind in figures.sets:
        runs = [run for run in figures.runs if run.kind == kind]
        mine = [run for run in runs if run.program == OURS]
        for name in dict.fromkeys(run.program for run in sorted(runs, key=lambda run: _rank(run.program))):
            theirs = [run for run in runs if run.program == name]
            own = name == OURS
            rows.append(
                (
                    f"{name}, {KINDS[kind]}",
                    f"{theirs[0].n:,}",
                    "yes" if theirs[0].decodes else "no",
                    Spread.of(run.n / run.working for run in theirs).text(),
                    Spread.of(run.processor / run.n * 1e3 for run in theirs).text(" ms"),
                    "" if own else f"**{_ratio(theirs, mine, lambda run: run.working / run.n)}**",
                    "" if own else _ratio(theirs, mine, lambda run: run.processor / run.n),
                )
            )
    header = ("program", "photos", "decodes in full", "photos/s", "processor time a photo")
    return table((*header, "sorter clean is faster by", "less processor time"), rows)


def _rank(program: str) -> int:
    return [OURS, QUICK, *PEERS].index(program)


def _ratio(theirs: Sequence[Run], mine: Sequence[Run], of: Callable[[Run], float]) -> str:
    return ratios(Spread.of(map(of, theirs)), Spread.of(map(of, mine))).text("×")


def _again_table(figures: Figures) -> str:
    rows = []
    for kind in dict.fromkeys(each.kind for each in figures.again):
        pairs = [each for each in figures.again if each.kind == kind]
        first, second = Spread.of(each.first for each in pairs), Spread.of(each.second for each in pairs)
        rows.append(
            (
                f"{pairs[0].n:,} photos, {KINDS[kind]}",
                first.text(" s"),
                second.text(" s"),
                f"**{ratios(first, second).text('×')}**",
            )
        )
    return table(("an unchanged folder", "first run", "second run", "faster by"), rows)


def _memory_table(figures: Figures) -> str:
    _, base, least, _ = figures.memory[0]
    rows = [
        (
            f"{n:,} photos",
            f"{figure(peak / 2**20)} MiB",
            f"{peak / base:.3f}",
            f"{figure(anonymous / 2**20)} MiB",
            f"{anonymous / max(least, 1):.3f}",
            f"{figure(seconds)} s",
        )
        for n, peak, anonymous, seconds in figures.memory
    ]
    header = ("peak memory of all processes (PSS)", "all", "ratio", "without mapped files", "ratio", "took")
    return table(header, rows)


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    for each in parts:
        if each not in PARTS:
            raise argparse.ArgumentTypeError(f"{each!r} is none of {', '.join(PARTS)}")
    return parts
