"""The GPU path beside what bounds it, and beside a DataLoader loop as most people write it.

For the shipped model and a ResNet50, on small and on 12-megapixel photos, in turns over several rounds: photos a second
that the decoders do with nobody to take their pixels, that the device does with pixels that are there already, and
that both do together; the same with nvJPEG; `sorter run` from the start of its process to its end; and how busy
nvidia-smi says the GPU was. `--device cpu` goes the same way without a GPU, to try the benchmark itself.
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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmark_run import sorter_command
from measure import (
    BenchmarkError,
    Spread,
    machine,
    machine_text,
    publish,
    ratios,
    say,
    table,
    timed,
    work_folder,
)
from photos import KINDS, make_set

from sorter.engines.choice import Choice
from sorter.model.folder import Model, read_model, shipped_model
from sorter.photos.decode import Decoder
from sorter.pipeline.device import IN_FLIGHT, Device, Encoded, Work, as_pixels
from sorter.pipeline.pool import Limits, Pool
from sorter.pipeline.ring import BATCH_SIZE, DECODING, DecodeToRing, Ring, Slotted
from sorter.system import available_cores
from sorter.types import Decoded, Failure, Photo, Result, Scores

NAME = "gpu"
ABOUT = "the GPU path beside its bounds, and beside a DataLoader loop"
EXAMPLE = """examples:
  python scripts/benchmark.py gpu --markdown table.md --json gpu.json
  python scripts/benchmark.py gpu --device cuda:0,1 --only large --precision fp16
"""
MODELS = ("shipped", "resnet50")
CALIBRATION = 100  # photos to make the ResNet50 by
BOUND_BATCHES = 20
PACKAGES = ("sorter", "numpy", "pillow", "simplejpeg", "torch", "torchvision", "timm")
DECODE, DEVICE, BOTH, RUN = "decoders alone", "device alone", "together", "sorter run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", choices=(*KINDS, *MODELS), action="append", help="one set or model; may be repeated"
    )
    parser.add_argument(
        "--device", default="cuda:0", help="as Choice has it: cuda:0, cuda:0,1 or cpu (cuda:0)"
    )
    parser.add_argument("--precision", default="fp16", choices=("fp32", "fp16", "bf16"), help="(fp16)")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE, metavar="N", help=f"({BATCH_SIZE})")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(3)")
    parser.add_argument("--small", type=int, default=20000, metavar="N", help="0.2-megapixel photos (20000)")
    parser.add_argument("--large", type=int, default=3000, metavar="N", help="12-megapixel photos (3000)")
    parser.add_argument(
        "--peer", type=int, default=512, metavar="N", help="photos of a set for the peer (512)"
    )
    parser.add_argument("-j", "--workers", type=int, metavar="N", help="decoder processes (one per core)")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="keep photos and models here for the next time"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")


def main(arguments: argparse.Namespace) -> None:
    with work_folder(arguments.work) as work:
        found = _Bench(arguments, work).go()
    facts = {
        "machine": machine(PACKAGES) | {"gpu": gpu_name(arguments.device)},
        "rows": [asdict(row) for row in found],
    }
    publish(arguments, facts, markdown(facts["machine"], found, arguments.rounds))


@dataclass
class Row:
    """One model on one set with one way of decoding: photos a second, a value per round.

    Attributes:
        model: its name.
        kind: the set.
        decode: `cpu` or `gpu`.
        n: photos.
        rates: what was measured -> photos a second.
        busy: the share of the time that the GPU worked while both went on together, 0 to 1; empty without a GPU.
        peer: photos a second of the DataLoader loop, its start-up left out; empty where it did not run.
    """

    model: str
    kind: str
    decode: str
    n: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    busy: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)

    def add(self, what: str, rate: float) -> None:
        self.rates.setdefault(what, []).append(rate)

    def spread(self, what: str) -> Spread:
        return Spread.of(self.rates[what])

    @property
    def bound(self) -> Spread:
        """The smaller of the two, round by round. A device that decodes has but its own."""
        if self.decode == "gpu":
            return self.spread(DEVICE)
        return Spread.of(map(min, self.rates[DECODE], self.rates[DEVICE]))


class _Bench:
    """One invocation."""

    def __init__(self, arguments: argparse.Namespace, work: Path) -> None:
        self.arguments = arguments
        self.work = work
        self.workers = arguments.workers or available_cores()
        only = arguments.only or [*KINDS, *MODELS]
        self.kinds = [name for name in KINDS if name in only] or list(KINDS)
        models = [name for name in MODELS if name in only] or list(MODELS)
        counts = {"small": arguments.small, "large": arguments.large}
        self.photos = {}
        for name in dict.fromkeys(["small", *self.kinds] if "resnet50" in models else self.kinds):
            n = counts[name] if name in self.kinds else CALIBRATION
            say(f"making {n} {name} photos in {work}")
            self.photos[name] = make_set(work / name, KINDS[name], n)
        self.models = {name: read_model(self._folder(name)) for name in models}

    def _folder(self, name: str) -> Path:
        if name == "shipped":
            return shipped_model()
        from random_resnet50 import make_resnet50  # imports torch, which the rest does without

        say("making the ResNet50")
        return make_resnet50(self.work / "resnet50", self.photos["small"][:CALIBRATION])

    def go(self) -> list[Row]:
        rows = [
            Row(name, kind, decode, len(self.photos[kind]))
            for name in self.models
            for kind in self.kinds
            for decode in ("cpu", "gpu")
            if not (kind == "small" and decode == "gpu")  # small photos never go to the device
        ]
        for number in range(self.arguments.rounds):
            for row in rows[:: -1 if number % 2 else 1]:
                say(
                    f"round {number + 1} of {self.arguments.rounds}: {row.model}, {row.kind}, --decode {row.decode}"
                )
                self._measure(row)
        return rows

    def _measure(self, row: Row) -> None:
        arguments = self.arguments
        model, paths = self.models[row.model], self.photos[row.kind]
        choice = Choice("torch", arguments.precision, arguments.device, available_cores(), row.decode)
        if row.decode == "cpu":
            row.add(DECODE, decode_bound(model, paths, self.workers))
        row.add(DEVICE, device_bound(model, choice, paths, arguments.batch_size))
        with gpu_busy(choice.kind == "cuda", row.busy):
            row.add(BOTH, together(model, choice, paths, self.workers, arguments.batch_size))
        row.add(RUN, self._run(row, choice))
        if row.model == "resnet50" and row.decode == "cpu":
            row.peer.append(self._peer(row.kind))

    def _run(self, row: Row, choice: Choice) -> float:
        out = self.work / "out"
        shutil.rmtree(out, ignore_errors=True)
        flags = [
            "--device",
            choice.device,
            "--engine",
            "torch",
            "--precision",
            choice.precision,
            "--decode",
            choice.decode,
        ]
        flags += [
            "--batch-size",
            str(self.arguments.batch_size),
            "--workers",
            str(self.workers),
            "--quiet",
            "--json",
        ]
        model = self.models[row.model].folder
        finished = timed(
            [*sorter_command(), "run", self.work / row.kind, "--out", out, "--model", model, *flags]
        )
        summary = json.loads(finished.stdout)
        if summary["failed"]:
            raise BenchmarkError(f"{self.work / row.kind}: {summary['failed']} photos failed")
        shutil.rmtree(out)
        return row.n / finished.seconds

    def _peer(self, kind: str) -> float:
        out, some = self.work / "out", self.work / f"{kind}-peer"
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(some, ignore_errors=True)
        some.mkdir()
        chosen = self.photos[kind][: self.arguments.peer]
        for path in chosen:
            (some / path.name).hardlink_to(path)
        script = Path(__file__).parent / "peers" / "dataloader.py"
        device = self.arguments.device.partition(",")[0]
        finished = timed([sys.executable, script, some, out, device])
        told = json.loads(finished.stdout.strip().splitlines()[-1])
        shutil.rmtree(out)
        return len(chosen) / (told["done"] - told["ready"])


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
    """Photos a second that decoders put into the ring with nobody to take them out."""
    size, slots = model.preprocess.size, DECODING * 2
    memory = multiprocessing.get_context("spawn").RawArray("B", slots * size * size * 3)
    photos = [Slotted(p, Path(p.name), 0, 0, slot=n % slots) for n, p in enumerate(paths)]
    with Pool(DecodeToRing(model.preprocess, 250, memory), workers, Limits(), DECODING) as pool:
        return steady(pool.run(photos), workers)


def device_bound(model: Model, choice: Choice, paths: Sequence[Path], batch_size: int) -> float:
    """Photos a second of the devices with pixels that are in the ring already, or with files in the disk's cache."""
    size = model.preprocess.size
    memory = multiprocessing.get_context("spawn").RawArray("B", batch_size * size * size * 3)
    work = device_work(model, choice, paths, batch_size, memory)
    devices = [Device(model, each, memory, batch_size) for each in choice.each]
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
    """A batch: its pixels are put into the ring, unless the device decodes."""
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
    with Ring(model, choice, workers, Limits(), 250, batch_size) as ring:
        return steady(ring.run(as_items(paths)), batch_size)


@contextmanager
def gpu_busy(there: bool, found: list[float]) -> Iterator[None]:
    """Add to `found` the mean of what nvidia-smi says, five times a second, of the first GPU, 0 to 1."""
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
            said, _ = process.communicate()
    values = [float(line) for line in said.splitlines() if line.strip().isdigit()]
    working = values[next((at for at, value in enumerate(values) if value), 0) :]  # before that it started up
    if working:
        found.append(sum(working) / len(working) / 100)


def gpu_name(device: str) -> str:
    if not device.startswith("cuda"):
        return "no GPU"
    asked = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise BenchmarkError(f"--device {device}: nvidia-smi tells of no GPU ({error})") from error
    return "; ".join(said.splitlines())


# -- the tables ------------------------------------------------------------------------------------------------


def markdown(facts: dict[str, Any], rows: Sequence[Row], rounds: int) -> str:
    header = (
        "photos/s",
        "n",
        DECODE,
        DEVICE,
        BOTH,
        "of the smaller bound",
        "GPU busy",
        RUN,
        "DataLoader loop",
    )
    plural = "s" if rounds > 1 else ""
    return "\n".join(
        [
            f"On {machine_text(facts)}; {facts['gpu']}. {rounds} round{plural}; median (least–most).",
            "",
            table(header, map(cells, rows)),
            "",
            *comparisons(rows),
            "",
        ]
    )


def cells(row: Row) -> list[str]:
    return [
        f"{row.model}, {KINDS[row.kind]}, --decode {row.decode}",
        f"{row.n:,}",
        row.spread(DECODE).text() if DECODE in row.rates else "–",
        row.spread(DEVICE).text(),
        row.spread(BOTH).text(),
        percent(ratios(row.spread(BOTH), row.bound)),
        percent(Spread.of(row.busy)) if row.busy else "–",
        row.spread(RUN).text(),
        Spread.of(row.peer).text() if row.peer else "–",
    ]


def comparisons(rows: Sequence[Row]) -> list[str]:
    """What is claimed, round by round."""
    found = []
    for row in rows:
        if row.peer:
            faster = ratios(row.spread(BOTH), Spread.of(row.peer)).text("x")
            found.append(
                f"- {row.model}, {KINDS[row.kind]}: {faster} the DataLoader loop, start-up left out on both sides"
            )
        other = next((r for r in rows if (r.model, r.kind) == (row.model, row.kind) and r is not row), None)
        if row.decode == "gpu" and other is not None:
            faster = ratios(row.spread(BOTH), other.spread(BOTH)).text("x")
            found.append(f"- {row.model}, {KINDS[row.kind]}: {faster} with --decode gpu")
    return found


def percent(spread: Spread) -> str:
    return Spread.of(100 * value for value in spread.values).text(" %")
