"""`sorter run` beside two programs that people write for the same job, on photo sets made here.

The programs take turns over several rounds: sorter, a plain torch loop, and timm's loader. The peers use a ResNet50
with random weights. Each run is timed from the start of its process to its end. Then it is checked: every photo must
be in a class folder and have a row in a CSV. In that time `sorter run` also keeps a journal, syncs to the disk and
writes an HTML report.
Four more measurements: the bound (workers / (decode + infer), each alone), start-up, a first run, peak memory.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.figures import Spread, figure
from benchmarks.flags import add_count, add_memory, add_parts, positive
from benchmarks.harness import PEERS, Benchmark, Program, Report, say, turns
from benchmarks.machine import machine
from benchmarks.process import (
    BenchmarkError,
    Finished,
    Peak,
    environment,
    sorter_command,
    sync_disk,
    timed,
)
from benchmarks.run_report import Bound, Figures, Run, markdown, to_json
from benchmarks.sets import KINDS, PhotoSet, link_set, make_sets
from sorter.engines.choice import Choice
from sorter.engines.load import load_engine
from sorter.model.folder import read_model, shipped_model
from sorter.photos.decode import Decoder
from sorter.system import available_cores
from sorter.types import Decoded

EXAMPLES = """examples:
  python scripts/benchmark.py run --markdown table.md --json run.json
  python scripts/benchmark.py run --only small --rounds 3 --small 1000 --peer 200
  python scripts/benchmark.py run --only startup,memory --model ./my-model
"""
PARTS = ("small", "large", "resnet50", "memory", "startup")
PACKAGES = (
    "sorter-photos",
    "numpy",
    "pillow",
    "simplejpeg",
    "onnxruntime",
    "openvino",
    "torch",
    "torchvision",
    "timm",
)
SCRIPTS = {"torch loop": "torch_loop.py", "timm": "timm_loader.py"}
FIRST_RUN_PHOTOS = 200  # enough for the choice of an engine
STARTUP_PHOTOS = 64
STARTUP_TIMES = 11
BOUND_PHOTOS = {"small": 300, "large": 60}
CALIBRATION = 100  # photos by which the ResNet50 is made


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_parts(parser, PARTS, "; resnet50 alone takes both sets")
    add_count(parser, "--rounds", 5, "turns of each program")
    add_count(parser, "--small", 4000, "0.2-megapixel photos")
    add_count(parser, "--large", 400, "12-megapixel photos")
    add_count(parser, "--peer", 256, "photos of a set for each peer")
    add_count(parser, "--resnet", 1000, "photos of a set for our ResNet50")
    add_memory(parser, (1000, 20000))
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="instead of the model that ships")
    parser.add_argument("-j", "--workers", type=positive, metavar="N", help="as for sorter (one per core)")
    parser.add_argument("--engine", default="auto", help="as for sorter (auto)")
    parser.add_argument("--precision", default="auto", help="as for sorter, for the default model (auto)")


def measure(arguments: argparse.Namespace, work: Path) -> Report:
    shutil.rmtree(work / "cache", ignore_errors=True)
    with environment(CUDA_VISIBLE_DEVICES=""):
        figures = Measurement(arguments, work).figures()
    return Report(to_json(figures), markdown(figures))


BENCHMARK = Benchmark(
    name="run",
    about="sort photo sets, beside a plain torch loop and timm; start-up; memory",
    description=__doc__ or "",
    examples=EXAMPLES,
    add_flags=add_flags,
    measure=measure,
)


# -- programs --------------------------------------------------------------------------------------------------


def ours(name: str, arguments: argparse.Namespace, model: Path | None, precision: str) -> Program:
    flags: list[str | Path] = ["--action", "copy", "--device", "cpu", "--engine", arguments.engine]
    flags += ["--precision", precision, "--quiet", "--json"]
    if model:
        flags += ["--model", model]
    if arguments.workers:
        flags += ["--workers", str(arguments.workers)]
    return Program(name, lambda photos, out: [*sorter_command(), "run", photos, "--out", out, *flags], True)


def peer(name: str) -> Program:
    return Program(name, lambda photos, out: [sys.executable, PEERS / SCRIPTS[name], photos, out], False)


def run_once(program: Program, photos: PhotoSet, out: Path) -> Run:
    """Time one program on one set, and check that it did the work.

    Raises:
        BenchmarkError: it failed, or photos are missing from its class folders or its CSV.
    """
    shutil.rmtree(out, ignore_errors=True)
    sync_disk()
    n = len(photos.paths)
    finished = timed(program.command(photos.folder, out))
    run = read_run(program, photos.kind.name, n, out, finished)
    check(out, n)
    shutil.rmtree(out)
    say(f"{program.name}, {n} {run.kind} photos: {figure(run.seconds)} s, {figure(run.rate)} photos/s")
    return run


def read_run(program: Program, kind: str, n: int, out: Path, finished: Finished) -> Run:
    """The times of one run, from its output folder (ours) or its last line (a peer's)."""
    seconds = finished.seconds
    if program.ours:
        engine = json.loads(finished.stdout)["engine"]
        # A file's inode changes last when it gets its final name. Reading that costs the run nothing.
        first = min(path.stat().st_ctime for path in sorted_photos(out)) - finished.started
        return Run(kind, program.name, engine, n, seconds, first, 1, seconds)
    answer = finished.answer
    ready, done = answer["ready"] - finished.started, answer["done"] - finished.started
    return Run(kind, program.name, None, n, seconds, ready, 0, done)


def check(out: Path, n: int) -> None:
    """Raises BenchmarkError: the folders or the CSV do not hold `n` photos."""
    (report,) = out.glob("*.csv")
    with report.open(newline="", encoding="utf-8") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    filed = sum(1 for _ in sorted_photos(out))
    if rows != n or filed != n:
        raise BenchmarkError(
            f"{out}: {n} photos were to be sorted; {filed} are in folders, {rows} in {report.name}"
        )


def sorted_photos(out: Path) -> Iterator[Path]:
    return out.glob("[!.]*/*.jpg")


# -- measuring -------------------------------------------------------------------------------------------------


class Measurement:
    """One call of the benchmark."""

    def __init__(self, arguments: argparse.Namespace, work: Path) -> None:
        self.arguments = arguments
        self.work = work
        self.out = work / "out"
        self.parts = arguments.only
        self.workers = arguments.workers or available_cores()
        asked = [name for name in KINDS if name in self.parts]
        self.kinds = asked or (list(KINDS) if "resnet50" in self.parts else [])
        counts = {"small": arguments.small, "large": arguments.large}
        # The first run needs small ones in any case, and so does the ResNet50.
        self.sets = make_sets(work, {name: counts[name] for name in dict.fromkeys(["small", *self.kinds])})
        self.default = ours("sorter", arguments, arguments.model, arguments.precision)

    def figures(self) -> Figures:
        contenders = self._contenders()
        first_runs = [run for program in contenders or [self.default] for run in self._first_runs(program)]
        runs, bounds = self._rounds(contenders)
        return Figures(
            machine=machine(PACKAGES),
            rounds=self.arguments.rounds,
            workers=self.workers,
            sets={name: str(photos) for name, photos in self.sets.items()},
            runs=runs,
            bounds=bounds,
            first_runs=first_runs,
            startup=self._startup() if "startup" in self.parts else {},
            memory=[self._memory(n) for n in self.arguments.memory] if "memory" in self.parts else [],
        )

    def _contenders(self) -> dict[Program, Path]:
        """Our programs that take turns with the peers, each with its model folder."""
        found: dict[Program, Path] = {}
        if {"small", "large"} & set(self.parts):
            found[self.default] = self.arguments.model or shipped_model()
        if "resnet50" in self.parts:
            from benchmarks.resnet50 import make_resnet50  # imports torch, which the rest does without

            say("making the ResNet50")
            model = make_resnet50(self.work / "resnet50", self.sets["small"].paths[:CALIBRATION])
            found[ours("sorter, ResNet50", self.arguments, model, "auto")] = model
            found[ours("sorter, ResNet50 float32", self.arguments, model, "fp32")] = model
        return found

    def _rounds(self, contenders: dict[Program, Path]) -> tuple[list[Run], list[Bound]]:
        runs: list[Run] = []
        bounds: list[Bound] = []
        programs = [*contenders, *map(peer, SCRIPTS)]
        for turn in turns(programs, self.arguments.rounds if contenders else 0):
            for kind in self.kinds:
                for program in turn:
                    run = self._run(program, self.sets[kind].first(self._share(program)))
                    runs.append(run)
                    if run.engine:
                        bounds.append(self._bound(run, contenders[program]))
        return runs, bounds

    def _share(self, program: Program) -> int | None:
        """How many photos of a set a program does. None for all."""
        if program is self.default:
            return None
        return int(self.arguments.resnet if program.ours else self.arguments.peer)

    def _run(self, program: Program, photos: PhotoSet) -> Run:
        with self._own_cache(program):
            return run_once(program, photos, self.out)

    def _own_cache(self, program: Program) -> AbstractContextManager[None]:
        """A cache that no other program fills. The user's own cache stays as it is."""
        return environment(XDG_CACHE_HOME=self.work / "cache" / program.name)

    def _first_runs(self, program: Program) -> list[Run]:
        """Without and with the engine choice and the compiled network that the first run keeps."""
        photos = self.sets["small"].first(FIRST_RUN_PHOTOS)
        return [self._run(program, photos) for _ in range(2)]

    def _bound(self, run: Run, model: Path) -> Bound:
        photos = self.sets[run.kind].paths[: BOUND_PHOTOS[run.kind]]
        assert run.engine
        decode, infer = cost(model, run.engine, photos)
        return Bound(run.kind, run.program, run.engine, self.workers, len(photos), decode, infer)

    def _startup(self) -> dict[str, Spread]:
        say("start-up")
        commands = {
            "sorter --help": [*sorter_command(), "--help"],
            "python -c pass": [sys.executable, "-c", "pass"],
        }
        seconds = {
            name: Spread.of(timed(command).seconds for _ in range(STARTUP_TIMES))
            for name, command in commands.items()
        }
        photos = self.sets["small"].first(STARTUP_PHOTOS)
        first = Spread.of(self._run(self.default, photos).first for _ in range(STARTUP_TIMES))
        return {**seconds, "first photo sorted": first}

    def _memory(self, n: int) -> Peak:
        say(f"peak memory at {n} photos")
        folder = self.work / "many"
        link_set(folder, list(self.sets["small"].paths), n)
        shutil.rmtree(self.out, ignore_errors=True)
        with self._own_cache(self.default):
            finished = timed(self.default.command(folder, self.out), watch_memory=True)
        check(self.out, n)
        shutil.rmtree(self.out)
        shutil.rmtree(folder)
        return Peak.of(n, finished)


def cost(model_folder: Path, engine_name: str, photos: Sequence[Path]) -> tuple[float, float]:
    """Mean milliseconds a photo for decoding and for inference, one after the other on one thread.

    Args:
        engine_name: `<engine> <precision>`, as `sorter run --json` prints it.

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
