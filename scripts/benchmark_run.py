"""`sorter run` beside two programs that people write for the same job, on photo sets made here.

Ours, and a plain torch loop and timm's loader with a ResNet50 of random weights, take turns over several rounds; each
run is timed from the start of its process to its end, and checked: every photo must be in a class folder and have its
row in a CSV. `sorter run` also keeps a journal, syncs to the disk and writes an HTML report in that time.
Besides: the bound (workers / (decode + infer), each measured alone), start-up, a first run, peak memory.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
from photos import KINDS, Kind, link_set, make_set

from sorter.engines.choice import Choice
from sorter.engines.load import load_engine
from sorter.model.folder import read_model, shipped_model
from sorter.photos.decode import Decoder
from sorter.system import available_cores
from sorter.types import Decoded

NAME = "run"
ABOUT = "sort photo sets, beside a plain torch loop and timm; start-up; memory"
EXAMPLE = """examples:
  python scripts/benchmark.py run --markdown table.md --json run.json
  python scripts/benchmark.py run --only small --rounds 3 --small 1000 --peer 200
  python scripts/benchmark.py run --only startup,memory --model ./my-model
"""
PARTS = ("small", "large", "resnet50", "memory", "startup")
PACKAGES = (
    "sorter",
    "numpy",
    "pillow",
    "simplejpeg",
    "onnxruntime",
    "openvino",
    "torch",
    "torchvision",
    "timm",
)
PEERS = {"torch loop": "torch_loop.py", "timm": "timm_loader.py"}
FIRST_RUN_PHOTOS = 200  # enough for the choice of an engine
STARTUP_PHOTOS = 64
STARTUP_TIMES = 11
BOUND_PHOTOS = {"small": 300, "large": 60}
RESNET50_CALIBRATION = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        type=_parts,
        default=PARTS,
        metavar="PARTS",
        help=f"some of {','.join(PARTS)}, joined by commas; resnet50 alone takes both sets (default: all)",
    )
    parser.add_argument("--rounds", type=_positive, default=5, metavar="N", help="default: 5")
    parser.add_argument(
        "--small", type=_positive, default=4000, metavar="N", help="0.2-megapixel photos (4000)"
    )
    parser.add_argument("--large", type=_positive, default=400, metavar="N", help="12-megapixel photos (400)")
    parser.add_argument(
        "--peer", type=_positive, default=256, metavar="N", help="photos of a set that peers do (256)"
    )
    parser.add_argument(
        "--resnet", type=_positive, default=1000, metavar="N", help="photos of a set for our ResNet50 (1000)"
    )
    parser.add_argument(
        "--memory",
        type=_positive,
        nargs=2,
        default=(1000, 20000),
        metavar="N",
        help="photos in the two memory runs (1000 20000)",
    )
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="instead of the model that ships")
    parser.add_argument("-j", "--workers", type=_positive, metavar="N", help="as for sorter (one per core)")
    parser.add_argument("--engine", default="auto", help="as for sorter (auto)")
    parser.add_argument("--precision", default="auto", help="as for sorter, for the default model (auto)")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="keep photos and models here for the next time"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")


def main(arguments: argparse.Namespace) -> None:
    with work_folder(arguments.work) as work:
        _measure(arguments, work)


# -- records ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """Something that sorts photos.

    Attributes:
        name: what the tables call it.
        command: (folder with photos, output folder) -> command line.
        ours: it is `sorter run`.
    """

    name: str
    command: Callable[[Path, Path], list[str | Path]]
    ours: bool


@dataclass(frozen=True)
class Run:
    """One program on one set, once.

    Attributes:
        kind: the set.
        program: its name.
        engine: what `sorter run` says it used; None for peers.
        n: photos.
        seconds: from the start of the process to its end.
        first: seconds until the first photo was sorted; for a peer until it was ready to take the first, as
            its loader decodes ahead while that one is still in hand.
        first_n: photos sorted by then: 1, or a peer's 0.
        done: seconds until the work was done, just before the process ended.
    """

    kind: str
    program: str
    engine: str | None
    n: int
    seconds: float
    first: float
    first_n: int
    done: float

    @property
    def rate(self) -> float:
        """Photos a second, from the start of the process to its end."""
        return self.n / self.seconds

    @property
    def steady(self) -> float:
        """Photos a second, once it has started up."""
        return (self.n - self.first_n) / (self.done - self.first)


@dataclass(frozen=True)
class Bound:
    """What one photo costs at least.

    Attributes:
        kind: the set.
        program: ours that it bounds.
        engine: measured with.
        workers: processes.
        n: photos measured.
        decode: mean milliseconds for reading, decoding and preprocessing on one thread, nothing else running.
        infer: likewise for inference.
    """

    kind: str
    program: str
    engine: str
    workers: int
    n: int
    decode: float
    infer: float

    @property
    def rate(self) -> float:
        """Photos a second if nothing else took time and workers did not get into each other's way."""
        return 1e3 * self.workers / (self.decode + self.infer)


@dataclass(frozen=True)
class Figures:
    """All that was measured, and where.

    Attributes:
        machine: hardware and software.
        rounds: how often each program had its turn.
        workers: processes of ours.
        sets: set -> how its photos were made.
        runs: every run of every program, in order of time.
        bounds: one for every run of ours.
        first_runs: pairs of runs of the same program: without and with what the first leaves in the user's cache.
        startup: what -> seconds.
        memory: photos -> peak bytes over all processes.
    """

    machine: dict[str, Any]
    rounds: int
    workers: int
    sets: dict[str, str]
    runs: list[Run]
    bounds: list[Bound]
    first_runs: list[Run]
    startup: dict[str, Spread]
    memory: dict[int, int]


# -- the programs ----------------------------------------------------------------------------------------------


def sorter_command() -> list[str | Path]:
    """The installed command, or the module where it is not installed beside this Python."""
    script = shutil.which("sorter", path=Path(sys.executable).parent)
    return [script] if script else [sys.executable, "-m", "sorter"]


def ours(name: str, arguments: argparse.Namespace, model: Path | None, precision: str) -> Program:
    flags: list[str | Path] = ["--action", "copy", "--device", "cpu", "--engine", arguments.engine]
    flags += ["--precision", precision, "--quiet", "--json"]
    if model:
        flags += ["--model", model]
    if arguments.workers:
        flags += ["--workers", str(arguments.workers)]
    return Program(name, lambda photos, out: [*sorter_command(), "run", photos, "--out", out, *flags], True)


def peers() -> list[Program]:
    folder = Path(__file__).parent / "peers"
    return [_peer(name, folder / script) for name, script in PEERS.items()]


def _peer(name: str, script: Path) -> Program:
    return Program(name, lambda photos, out: [sys.executable, script, photos, out], False)


def run_once(program: Program, kind: str, photos: Path, out: Path) -> Run:
    """Time one program on one folder, and check that it did the work.

    Raises:
        BenchmarkError: it failed, or photos are missing from its class folders or its CSV.
    """
    shutil.rmtree(out, ignore_errors=True)
    # The disk's cache still has what the run before wrote; that one should not be paid for now.
    if hasattr(os, "sync"):
        os.sync()
    n = sum(1 for _ in photos.iterdir())
    finished = timed(program.command(photos, out))
    run = (
        _ours_ran(program, kind, n, out, finished) if program.ours else _peer_ran(program, kind, n, finished)
    )
    _check(out, n)
    shutil.rmtree(out)
    say(f"{program.name}, {n} {kind} photos: {figure(run.seconds)} s, {figure(run.rate)} photos/s")
    return run


def _ours_ran(program: Program, kind: str, n: int, out: Path, finished: Finished) -> Run:
    summary = json.loads(finished.stdout)
    # A file's inode changes last when it gets its final name. This costs the run nothing; watching it would.
    first = min(path.stat().st_ctime for path in _sorted_photos(out))
    return Run(
        kind,
        program.name,
        summary["engine"],
        n,
        finished.seconds,
        first - finished.started,
        1,
        finished.seconds,
    )


def _peer_ran(program: Program, kind: str, n: int, finished: Finished) -> Run:
    told = json.loads(finished.stdout.strip().splitlines()[-1])
    ready, done = told["ready"] - finished.started, told["done"] - finished.started
    return Run(kind, program.name, None, n, finished.seconds, ready, 0, done)


def _check(out: Path, n: int) -> None:
    (report,) = out.glob("*.csv")
    with report.open(newline="", encoding="utf-8") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    filed = sum(1 for _ in _sorted_photos(out))
    if rows != n or filed != n:
        raise BenchmarkError(
            f"{out}: {n} photos were to be sorted; {filed} are in folders, {rows} in {report.name}"
        )


def _sorted_photos(out: Path) -> Iterator[Path]:
    return out.glob("[!.]*/*.jpg")


# -- measuring -------------------------------------------------------------------------------------------------


def _measure(arguments: argparse.Namespace, work: Path) -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    shutil.rmtree(work / "cache", ignore_errors=True)
    figures = _Bench(arguments, work).go()
    publish(arguments, to_json(figures), markdown(figures))


class _Bench:
    """One invocation of the benchmark."""

    def __init__(self, arguments: argparse.Namespace, work: Path) -> None:
        self.arguments = arguments
        self.work = work
        self.out = work / "out"
        self.parts = arguments.only
        self.workers = arguments.workers or available_cores()
        asked = [name for name in KINDS if name in self.parts]
        self.kinds = asked or (list(KINDS) if "resnet50" in self.parts else [])
        counts = {"small": arguments.small, "large": arguments.large}
        self.photos: dict[str, list[Path]] = {}
        # Small ones are always needed, for the first run and to make the ResNet50 by.
        for name in dict.fromkeys(["small", *self.kinds]):
            say(f"making {counts[name]} {name} photos in {work}")
            self.photos[name] = make_set(work / name, KINDS[name], counts[name])

    def go(self) -> Figures:
        default = ours("sorter", self.arguments, self.arguments.model, self.arguments.precision)
        contenders = {default: self._model_folder()} if {"small", "large"} & set(self.parts) else {}
        if "resnet50" in self.parts:
            from random_resnet50 import make_resnet50  # imports torch, which the rest does without

            say("making the ResNet50")
            model = make_resnet50(self.work / "resnet50", self.photos["small"][:RESNET50_CALIBRATION])
            contenders[ours("sorter, ResNet50", self.arguments, model, "auto")] = model
            contenders[ours("sorter, ResNet50 float32", self.arguments, model, "fp32")] = model
        first_runs = [run for program in contenders or [default] for run in self._first_runs(program)]
        runs: list[Run] = []
        bounds: list[Bound] = []
        for number in range(self.arguments.rounds if contenders else 0):
            say(f"round {number + 1} of {self.arguments.rounds}")
            for kind in self.kinds:
                # There and back again, so that none always comes after the same other.
                for program in [*contenders, *peers()][:: -1 if number % 2 else 1]:
                    run = self._run(program, kind, self._share(program, default))
                    runs.append(run)
                    if run.engine:
                        bounds.append(self._bound(run, contenders[program]))
        return Figures(
            machine=machine(PACKAGES),
            rounds=self.arguments.rounds,
            workers=self.workers,
            sets={name: _describe(KINDS[name], paths) for name, paths in self.photos.items()},
            runs=runs,
            bounds=bounds,
            first_runs=first_runs,
            startup=self._startup(default) if "startup" in self.parts else {},
            memory=self._memory(default) if "memory" in self.parts else {},
        )

    def _share(self, program: Program, default: Program) -> int | None:
        """How many photos of a set a program does; None for all."""
        if program is default:
            return None
        return self.arguments.resnet if program.ours else self.arguments.peer

    def _own_cache(self, program: Program) -> None:
        """A first run is then one, whatever ran before it, and the user's own cache stays as it is."""
        os.environ["XDG_CACHE_HOME"] = str(self.work / "cache" / program.name)

    def _run(self, program: Program, kind: str, n: int | None) -> Run:
        self._own_cache(program)
        photos = self.photos[kind]
        folder = self.work / kind
        if n is not None and n < len(photos):
            folder = self.work / f"{kind}-{n}"
            if not folder.exists():
                link_set(folder, photos, n)
        return run_once(program, kind, folder, self.out)

    def _first_runs(self, program: Program) -> list[Run]:
        """Without and with the engine choice and the compiled network that the first run keeps."""
        return [self._run(program, "small", FIRST_RUN_PHOTOS) for _ in range(2)]

    def _bound(self, run: Run, model: Path) -> Bound:
        photos = self.photos[run.kind][: BOUND_PHOTOS[run.kind]]
        assert run.engine
        decode, infer = cost(model, run.engine, photos)
        return Bound(run.kind, run.program, run.engine, self.workers, len(photos), decode, infer)

    def _startup(self, program: Program) -> dict[str, Spread]:
        say("start-up")
        commands = {
            "sorter --help": [*sorter_command(), "--help"],
            "python -c pass": [sys.executable, "-c", "pass"],
        }
        seconds = {
            name: Spread.of(timed(command).seconds for _ in range(STARTUP_TIMES))
            for name, command in commands.items()
        }
        first = Spread.of(self._run(program, "small", STARTUP_PHOTOS).first for _ in range(STARTUP_TIMES))
        return {**seconds, "first photo sorted": first}

    def _memory(self, program: Program) -> dict[int, int]:
        self._own_cache(program)
        peaks = {}
        for n in self.arguments.memory:
            say(f"peak memory at {n} photos")
            folder = self.work / "many"
            link_set(folder, self.photos["small"], n)
            shutil.rmtree(self.out, ignore_errors=True)
            finished = timed(program.command(folder, self.out), watch_memory=True)
            _check(self.out, n)
            assert finished.peak_memory
            peaks[n] = finished.peak_memory
            shutil.rmtree(self.out)
            shutil.rmtree(folder)
        return peaks

    def _model_folder(self) -> Path:
        return self.arguments.model or shipped_model()


def cost(model_folder: Path, engine_name: str, photos: Sequence[Path]) -> tuple[float, float]:
    """Mean milliseconds a photo for decoding and for inference, one after the other on one thread.

    Args:
        engine_name: `<engine> <precision>`, as `sorter run --json` says it.

    Raises:
        BenchmarkError: a photo cannot be decoded.
    """
    model = read_model(model_folder)
    engine, precision = engine_name.split()
    infer = load_engine(model, Choice(engine, precision))
    spec = model.preprocess
    decode = Decoder(spec.min_side)
    inputs = []
    began = time.perf_counter()
    for path in photos:
        decoded = decode(path)
        if not isinstance(decoded, Decoded):
            raise BenchmarkError(f"{path}: {decoded}")
        inputs.append(spec.normalise(spec(decoded.pixels)[None]))
    decoded_at = time.perf_counter()
    infer(inputs[0])  # the first allocates and selects kernels
    infer_from = time.perf_counter()
    for one in inputs:
        infer(one)
    milliseconds = 1e3 / len(photos)
    return (decoded_at - began) * milliseconds, (time.perf_counter() - infer_from) * milliseconds


def _describe(kind: Kind, paths: Sequence[Path]) -> str:
    total = sum(path.stat().st_size for path in paths)
    return f"{kind.recipe}; {len(paths)} files, {figure(total / len(paths) / 1e3)} kB on average"


# -- tables ----------------------------------------------------------------------------------------------------


def markdown(figures: Figures) -> str:
    """All figures as a reader of the README wants them."""
    sections = [_conditions(figures)]
    if figures.runs:
        sections += [_rate_table(figures), _ratio_table(figures), _bound_table(figures)]
    sections += [_first_run_table(figures)]
    if figures.startup:
        sections.append(_startup_table(figures))
    if figures.memory:
        sections.append(_memory_table(figures))
    return "\n\n".join(sections) + "\n"


def _conditions(figures: Figures) -> str:
    sets = "\n".join(f"- {_size(name)}: {recipe}." for name, recipe in figures.sets.items())
    rounds = f"{figures.rounds} rounds" if figures.rounds > 1 else "1 round"
    return (
        f"Measured on {machine_text(figures.machine)}. {rounds}, programs taking turns, {figures.workers} workers "
        f"of ours; median (least–most). The photos, fresh in the disk's cache:\n\n{sets}"
    )


def _rate_table(figures: Figures) -> str:
    rows = [
        (
            f"{_title(runs)}, {_size(runs[0].kind)}",
            f"{runs[0].n:,}",
            Spread.of(run.rate for run in runs).text(),
            Spread.of(run.steady for run in runs).text(),
        )
        for runs in _by_program(figures.runs)
    ]
    return table(("photos/s", "photos", "start to end", "start-up left out"), rows)


def _ratio_table(figures: Figures) -> str:
    rows = []
    for mine in _by_program(figures.runs):
        if not mine[0].engine:
            continue
        rate = Spread.of(run.rate for run in mine)
        cells = []
        for name in PEERS:
            theirs = [run for run in figures.runs if run.program == name and run.kind == mine[0].kind]
            cells.append(f"**{ratios(rate, Spread.of(run.steady for run in theirs)).text('×')}**")
            cells.append(ratios(rate, Spread.of(run.rate for run in theirs)).text("×"))
        rows.append((f"{_title(mine)}, {_size(mine[0].kind)}", *cells))
    header = ["times as fast as"]
    for name in PEERS:
        header += [name, f"{name}, with its start-up"]
    explained = (
        "The peers (ResNet50, float32) are slow, so they do fewer photos of the same set, and their start-up would "
        "weigh more. So that this is no advantage of ours, the ratios in bold set our photos/s from start to end "
        "against theirs with start-up left out; the other ratios are start to end on both sides. A peer's start-up "
        "ends when it is ready to take its first photo."
    )
    return f"{table(header, rows)}\n\n{explained}"


def _bound_table(figures: Figures) -> str:
    rows = []
    for mine in _by_program(figures.runs):
        first = mine[0]
        bounds = [each for each in figures.bounds if (each.program, each.kind) == (first.program, first.kind)]
        if not bounds:
            continue
        bound = Spread.of(each.rate for each in bounds)
        rows.append(
            (
                f"{_title(mine)}, {_size(first.kind)}",
                Spread.of(each.decode for each in bounds).text(" ms"),
                Spread.of(each.infer for each in bounds).text(" ms"),
                bound.text(),
                ratios(Spread.of(100 * run.rate for run in mine), bound).text(" %"),
                ratios(Spread.of(100 * run.steady for run in mine), bound).text(" %"),
            )
        )
    header = (
        f"bound: {figures.workers} / (decode + infer)",
        "decode",
        "infer",
        "photos/s",
        "reached, start to end",
        "reached, start-up left out",
    )
    return table(header, rows)


def _first_run_table(figures: Figures) -> str:
    rows = []
    for first, again in zip(figures.first_runs[::2], figures.first_runs[1::2], strict=True):
        for label, run in (("first run", first), ("again", again)):
            rows.append(
                (
                    f"{_title([run])}, {label}",
                    f"{run.n:,}",
                    f"{figure(run.first)} s",
                    f"{figure(run.seconds)} s",
                )
            )
    return table(("a first run chooses an engine", "photos", "to the first photo", "to the end"), rows)


def _startup_table(figures: Figures) -> str:
    rows = [(what, str(len(spread.values)), spread.text(" s")) for what, spread in figures.startup.items()]
    return table(("from the start of the process", "times", "median (least–most)"), rows)


def _memory_table(figures: Figures) -> str:
    base = next(iter(figures.memory.values()))
    rows = [
        (f"{n:,} photos", f"{figure(peak / 2**20)} MiB", f"{peak / base:.3f}")
        for n, peak in figures.memory.items()
    ]
    return table(("peak memory of all processes (PSS)", "peak", "ratio"), rows)


def _by_program(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs of the same program on the same set, sets together, programs in order of appearance."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.kind, run.program), []).append(run)
    return [groups[key] for kind in KINDS for key in groups if key[0] == kind]


def _title(runs: Sequence[Run]) -> str:
    engines = ", ".join(sorted({run.engine for run in runs if run.engine}))
    return f"{runs[0].program} ({engines})" if engines else runs[0].program


def _size(kind: str) -> str:
    return str(KINDS[kind])


def to_json(figures: Figures) -> dict[str, Any]:
    """Every single measurement, for whoever wants to reckon otherwise."""
    return {
        "machine": figures.machine,
        "rounds": figures.rounds,
        "workers": figures.workers,
        "sets": figures.sets,
        "runs": [{**asdict(run), "rate": run.rate, "steady": run.steady} for run in figures.runs],
        "bounds": [{**asdict(bound), "rate": bound.rate} for bound in figures.bounds],
        "first_runs": [asdict(run) for run in figures.first_runs],
        "startup_seconds": {what: spread.to_json() for what, spread in figures.startup.items()},
        "peak_memory_bytes": {str(n): peak for n, peak in figures.memory.items()},
    }


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    for part in parts:
        if part not in PARTS:
            raise argparse.ArgumentTypeError(f"{part!r} is none of {', '.join(PARTS)}")
    return parts


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)
