"""The GPU path beside what bounds it, and beside a DataLoader loop as most people write it.

For the shipped model and a ResNet50, on small and on 12-megapixel photos, in turns over several rounds, it measures
photos a second: of the decoders alone, with no device to take their pixels; of the device alone, with pixels that are
there already; of both together; the same with nvJPEG; and of `sorter run` from the start of its process to its end.
nvidia-smi reports how busy the GPU was. `--device cpu` does the same without a GPU, to try the benchmark itself.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.flags import add_count, positive
from benchmarks.gpu_report import BOTH, DECODE, DEVICE, RUN, Row, markdown
from benchmarks.harness import PEERS, Benchmark, Report, say, turns
from benchmarks.machine import machine
from benchmarks.process import BenchmarkError, sorter_command, timed
from benchmarks.sets import KINDS, PhotoSet, make_sets
from sorter.engines.choice import Choice
from sorter.model.folder import Model, read_model, shipped_model
from sorter.photos.decode import Decoder
from sorter.pipeline.device import IN_FLIGHT, Device, Encoded, Work, as_pixels
from sorter.pipeline.pool import Pool
from sorter.pipeline.ring import BATCH_SIZE, DECODING, DecodeToRing, Ring, Slotted
from sorter.system import available_cores
from sorter.types import Decoded, Failure, Limits, Photo, Result, Scores

EXAMPLES = """examples:
  python scripts/benchmark.py gpu --markdown table.md --json gpu.json
  python scripts/benchmark.py gpu --device cuda:0,1 --only large --precision fp16
"""
MODELS = ("shipped", "resnet50")
CALIBRATION = 100  # photos to make the ResNet50 by
BOUND_BATCHES = 20
PACKAGES = ("sorter-photos", "numpy", "pillow", "simplejpeg", "torch", "torchvision", "timm")


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", choices=(*KINDS, *MODELS), action="append", help="one set or model; may be repeated"
    )
    parser.add_argument("--device", default="cuda:0", help="as for sorter: cuda:0, cuda:0,1 or cpu (cuda:0)")
    parser.add_argument("--precision", default="fp16", choices=("fp32", "fp16", "bf16"), help="(fp16)")
    add_count(parser, "--batch-size", BATCH_SIZE, "photos of a batch")
    add_count(parser, "--rounds", 3, "turns of each row")
    add_count(parser, "--small", 20000, "0.2-megapixel photos")
    add_count(parser, "--large", 3000, "12-megapixel photos")
    add_count(parser, "--peer", 512, "photos of a set for the peer")
    parser.add_argument(
        "-j", "--workers", type=positive, metavar="N", help="decoder processes (one per core)"
    )


def measure(arguments: argparse.Namespace, work: Path) -> Report:
    rows = Measurement(arguments, work).rows()
    facts = {
        "machine": machine(PACKAGES) | {"gpu": gpu_name(arguments.device)},
        "rows": [asdict(row) for row in rows],
    }
    return Report(facts, markdown(facts["machine"], rows, arguments.rounds))


BENCHMARK = Benchmark(
    name="gpu",
    about="the GPU path beside its bounds, and beside a DataLoader loop",
    description=__doc__ or "",
    examples=EXAMPLES,
    add_flags=add_flags,
    measure=measure,
)


class Measurement:
    """One call of the benchmark."""

    def __init__(self, arguments: argparse.Namespace, work: Path) -> None:
        self.arguments = arguments
        self.work = work
        self.out = work / "out"
        self.workers = arguments.workers or available_cores()
        only = arguments.only or [*KINDS, *MODELS]
        self.kinds = [name for name in KINDS if name in only] or list(KINDS)
        models = [name for name in MODELS if name in only] or list(MODELS)
        sizes = {"small": arguments.small, "large": arguments.large}
        counts = {name: sizes[name] for name in self.kinds}
        if "resnet50" in models and "small" not in counts:
            counts = {"small": CALIBRATION, **counts}
        self.sets = make_sets(work, counts)
        self.models = {name: read_model(self._folder(name)) for name in models}

    def _folder(self, name: str) -> Path:
        if name == "shipped":
            return shipped_model()
        from benchmarks.resnet50 import make_resnet50  # imports torch, which the rest does without

        say("making the ResNet50")
        return make_resnet50(self.work / "resnet50", self.sets["small"].paths[:CALIBRATION])

    def rows(self) -> list[Row]:
        rows = [
            Row(name, kind, decode, len(self.sets[kind].paths))
            for name in self.models
            for kind in self.kinds
            for decode in ("cpu", "gpu")
            if not (kind == "small" and decode == "gpu")  # small photos never go to the device
        ]
        for turn in turns(rows, self.arguments.rounds):
            for row in turn:
                say(f"{row.model}, {row.kind}, --decode {row.decode}")
                self._measure(row)
        return rows

    def _measure(self, row: Row) -> None:
        arguments, model, photos = self.arguments, self.models[row.model], self.sets[row.kind]
        choice = Choice("torch", arguments.precision, arguments.device, available_cores(), row.decode)
        if row.decode == "cpu":
            row.add(DECODE, decode_bound(model, photos.paths, self.workers))
        row.add(DEVICE, device_bound(model, choice, photos.paths, arguments.batch_size))
        with gpu_busy(choice.kind == "cuda", row.busy):
            row.add(BOTH, together(model, choice, photos.paths, self.workers, arguments.batch_size))
        row.add(RUN, self._run(model, photos, choice))
        if row.model == "resnet50" and row.decode == "cpu":
            row.peer.append(self._peer(photos.first(arguments.peer)))

    def _run(self, model: Model, photos: PhotoSet, choice: Choice) -> float:
        """Photos a second of `sorter run`, start-up included."""
        shutil.rmtree(self.out, ignore_errors=True)
        flags = ["--engine", "torch", "--device", choice.device, "--precision", choice.precision]
        flags += ["--decode", choice.decode, "--batch-size", str(self.arguments.batch_size)]
        flags += ["--workers", str(self.workers), "--quiet", "--json"]
        places = [photos.folder, "--out", self.out, "--model", model.folder]
        finished = timed([*sorter_command(), "run", *places, *flags])
        failed = json.loads(finished.stdout)["failed"]
        if failed:
            raise BenchmarkError(f"{photos.folder}: {failed} photos failed")
        shutil.rmtree(self.out)
        return len(photos.paths) / finished.seconds

    def _peer(self, photos: PhotoSet) -> float:
        """Photos a second of the DataLoader loop, without start-up."""
        shutil.rmtree(self.out, ignore_errors=True)
        device = self.arguments.device.partition(",")[0]
        answer = timed([sys.executable, PEERS / "dataloader.py", photos.folder, self.out, device]).answer
        shutil.rmtree(self.out)
        return len(photos.paths) / float(answer["done"] - answer["ready"])


# -- what is timed ---------------------------------------------------------------------------------------------


def as_items(paths: Iterable[Path]) -> list[Photo | Result[Scores]]:
    return [Photo(path, Path(path.name), 0, 0) for path in paths]


def steady(results: Iterator[Result[Any]], batch: int = 1) -> float:
    """Results a second, from the moment the first batch is there."""
    count, began = 0, 0.0
    for result in results:
        if isinstance(result.outcome, Failure):
            raise BenchmarkError(f"{result.photo.path}: {result.outcome}")
        count += 1
        if count == batch:
            began = time.perf_counter()
    if count <= batch:
        raise BenchmarkError(f"{count} photos are too few for batches of {batch}")
    return (count - batch) / (time.perf_counter() - began)


def decode_bound(model: Model, paths: Sequence[Path], workers: int) -> float:
    """Photos a second that decoders put into the ring while no device takes them out."""
    size, slots = model.preprocess.size, DECODING * 2
    memory = multiprocessing.get_context("spawn").RawArray("B", slots * size * size * 3)
    photos = [Slotted(p, Path(p.name), 0, 0, slot=n % slots) for n, p in enumerate(paths)]
    with Pool(DecodeToRing(model.preprocess, Limits(), memory), workers, Limits(), DECODING) as pool:
        return steady(pool.run(photos), workers)


def device_bound(model: Model, choice: Choice, paths: Sequence[Path], batch_size: int) -> float:
    """Photos a second of the devices, with pixels in the ring already, or with files in the disk's cache."""
    size = model.preprocess.size
    memory = multiprocessing.get_context("spawn").RawArray("B", batch_size * size * size * 3)
    work = device_work(model, choice, paths, batch_size, memory)
    devices = [Device(model, each, memory, batch_size) for each in choice.per_device]
    try:
        for device in devices:
            device.send(work)
            device.receive()
        began = time.perf_counter()
        for device in devices:
            for _ in range(IN_FLIGHT):
                device.send(work)
        for number in range(BOUND_BATCHES):
            for device in devices:
                device.receive()
                if number < BOUND_BATCHES - IN_FLIGHT:
                    device.send(work)
        return BOUND_BATCHES * len(devices) * len(work) / (time.perf_counter() - began)
    finally:
        for device in devices:
            device.close()


def device_work(
    model: Model, choice: Choice, paths: Sequence[Path], batch_size: int, memory: Any
) -> list[Work]:
    """A batch. Its pixels are put into the ring, unless the device decodes."""
    spec = model.preprocess
    ring, decode = as_pixels(memory, spec.size), Decoder(spec.min_side)
    work: list[Work] = []
    for slot, path in enumerate(paths[:batch_size]):
        plain = decode.plain_jpeg(path) if choice.decode == "gpu" else None
        if plain:
            work.append(Encoded(path, plain.width, plain.height, plain.orientation))
            continue
        decoded = decode(path)
        if not isinstance(decoded, Decoded):
            raise BenchmarkError(f"{path}: {decoded}")
        ring[slot] = spec(decoded.pixels)
        work.append(slot)
    return work


def together(model: Model, choice: Choice, paths: Sequence[Path], workers: int, batch_size: int) -> float:
    """Photos a second from files to scores, once the first batch has come through."""
    with Ring(model, choice, workers, Limits(), batch_size) as ring:
        return steady(ring.run(as_items(paths)), batch_size)


@contextmanager
def gpu_busy(there: bool, found: list[float]) -> Iterator[None]:
    """Add the mean utilisation of the first GPU to `found`, 0 to 1. nvidia-smi is read five times a second."""
    if not there:
        yield
        return
    query = [
        "nvidia-smi",
        "--id=0",
        "--query-gpu=utilization.gpu",
        "--format=csv,noheader,nounits",
        "-lms",
        "200",
    ]
    with subprocess.Popen(query, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield
        finally:
            process.terminate()
            printed, _ = process.communicate()
    values = [float(line) for line in printed.splitlines() if line.strip().isdigit()]
    working = values[next((at for at, value in enumerate(values) if value), 0) :]  # without start-up
    if working:
        found.append(sum(working) / len(working) / 100)


def gpu_name(device: str) -> str:
    """Names of the GPUs with their memory. Raises BenchmarkError: nvidia-smi finds none."""
    if not device.startswith("cuda"):
        return "no GPU"
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        printed = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise BenchmarkError(f"--device {device}: nvidia-smi finds no GPU ({error})") from error
    return "; ".join(printed.splitlines())
