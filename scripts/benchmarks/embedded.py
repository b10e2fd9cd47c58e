"""Photos of 12 megapixels that hold a smaller picture of themselves: by that picture, and in full.

Three kinds of photos are made: HEIC of tiles with a thumbnail of 320 x 240 as phones write them, JPEGs with a preview
of 1600 x 1200 (MPF), and JPEGs with a thumbnail of 512 x 384 in EXIF. Decoding is measured as processor time of one
process, both ways in turns. `sorter run` is measured from its start to its end, with `--decode full`, `preview`, and
as it comes. With `--from`, HEIC are made of photos of yours, and the labels of both ways are compared.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image
from previews import heif, with_preview, with_thumbnail

from benchmarks.figures import Spread, figure, joined, ratios, table
from benchmarks.flags import add_count
from benchmarks.harness import Benchmark, Report, say, turns
from benchmarks.machine import load_average, machine
from benchmarks.process import BenchmarkError, sorter_command, timed
from benchmarks.sets import make_sets
from sorter.engines.choice import Choice
from sorter.model.folder import Embedded, read_model, shipped_model
from sorter.model.rule import Rule
from sorter.photos.decode import Decoder
from sorter.pipeline.embedded import MeasureEmbedded
from sorter.types import Decoded

EXAMPLES = """examples:
  python scripts/benchmark.py embedded --markdown table.md
  python scripts/benchmark.py embedded --from ./photos --labels 500
"""
PACKAGES = ("sorter-photos", "pillow", "pillow-heif", "simplejpeg", "onnxruntime", "openvino")
LEAST_SIDE, MOST_SIDE = 300, 1024  # pixels of a photo for a comparison of labels; a larger one is reduced
KINDS: dict[str, Callable[[Image.Image], bytes]] = {
    "HEIC, thumb 320 x 240": lambda image: heif(image, 320, quality=50, tile=512),
    "JPEG, MPF 1600 x 1200": lambda image: with_preview(image, image.resize((1600, 1200))),
    "JPEG, EXIF 512 x 384": lambda image: with_thumbnail(image, image.resize((512, 384))),
}


@dataclass(frozen=True)
class Decoding:
    """Processor time of decoding one photo to the model's input, in milliseconds."""

    kind: str
    kilobytes: float
    full: Spread
    embedded: Spread


@dataclass(frozen=True)
class Sorting:
    """Runs over the photos of one kind with one value of `--decode`."""

    kind: str
    decode: str
    photos: int
    rate: Spread
    processor: Spread


@dataclass(frozen=True)
class Figures:
    """All measurements."""

    machine: dict[str, object]
    decoding: list[Decoding]
    sorting: list[Sorting]
    labels: list[Embedded]


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_count(parser, "--originals", 6, "photos of each kind that are decoded")
    add_count(parser, "--photos", 60, "photos of each kind that are sorted; links to the originals")
    add_count(parser, "--rounds", 3, "of decoding and of runs")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="photos to compare labels on")
    add_count(parser, "--labels", 500, "photos of --from")


def measure(arguments: argparse.Namespace, work: Path) -> Report:
    here = machine(PACKAGES) | {"load": load_average()}
    folders = {kind: make_photos(work, kind, arguments.originals) for kind in KINDS}
    decoding = [decode(kind, folder, arguments.rounds) for kind, folder in folders.items()]
    sorting = [found for kind, folder in folders.items() for found in sort(kind, folder, work, arguments)]
    labels = [compare_labels(arguments.source, arguments.labels, work)] if arguments.source else []
    figures = Figures(here, decoding, sorting, labels)
    return Report(asdict(figures), markdown(figures))


BENCHMARK = Benchmark(
    name="embedded",
    about="photos that hold a smaller picture of themselves, decoded by it and in full",
    description=__doc__ or "",
    examples=EXAMPLES,
    add_flags=add_flags,
    measure=measure,
)


def make_photos(work: Path, kind: str, originals: int) -> Path:
    folder = work / kind.replace(" ", "-").replace(",", "")
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".heic" if kind.startswith("HEIC") else ".jpg"
    for number, path in enumerate(make_sets(work, {"large": originals})["large"].paths):
        target = folder / f"{number}{suffix}"
        if not target.exists():
            say(f"making {target.name}: {kind}")
            target.write_bytes(KINDS[kind](Image.open(path)))
    return folder


def decode(kind: str, folder: Path, rounds: int) -> Decoding:
    """Raises BenchmarkError: a photo's smaller picture is not taken."""
    spec = read_model(shipped_model()).preprocess
    ways = (Decoder(spec.min_side), Decoder(spec.min_side, embedded=spec.size))
    paths = sorted(folder.iterdir())
    spent: dict[Decoder, list[float]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for path in paths:
            for way in ways:
                began = time.process_time()
                decoded = way(path)
                milliseconds = (time.process_time() - began) * 1e3
                if not isinstance(decoded, Decoded) or decoded.embedded is not (way.embedded is not None):
                    raise BenchmarkError(f"{path}: is not decoded as it should be: {decoded}")
                if number:  # the first round loads libraries
                    spent[way].append(milliseconds)
    size = statistics.mean(path.stat().st_size for path in paths) / 1e3
    return Decoding(kind, size, *(Spread.of(spent[way]) for way in ways))


def sort(kind: str, folder: Path, work: Path, arguments: argparse.Namespace) -> list[Sorting]:
    linked = work / f"{folder.name}-{arguments.photos}"
    linked.mkdir(exist_ok=True)
    originals = sorted(folder.iterdir())
    for number in range(arguments.photos):
        path = originals[number % len(originals)]
        if not (linked / f"{number:05}{path.suffix}").exists():
            (linked / f"{number:05}{path.suffix}").hardlink_to(path)
    ways = ("full", "preview", "auto")
    runs: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for order in turns(ways, arguments.rounds):
        for way in order:
            out = work / "out"
            flags = ["--action", "none", "--device", "cpu", "--engine", "openvino", "--precision", "int8"]
            command = [*sorter_command(), "run", linked, "--out", out, *flags, "--fresh", "--json", "--quiet"]
            finished = timed([*command, "--decode", way])
            runs[way].append(
                (
                    arguments.photos / finished.seconds,
                    finished.processor_seconds / arguments.photos * 1e3,
                )
            )
    return [
        Sorting(kind, way, arguments.photos, *(Spread.of(values) for values in zip(*found, strict=True)))
        for way, found in runs.items()
    ]


def compare_labels(source: Path, count: int, work: Path) -> Embedded:
    """Make a HEIC with a thumbnail of 240 pixels of each photo, and score it both ways."""
    folder = work / "labels"
    folder.mkdir(parents=True, exist_ok=True)
    decode_whole, made = Decoder(None), []
    paths = sorted(source.rglob("*"))
    random.Random(0).shuffle(paths)
    for path in paths:
        whole = decode_whole(path) if path.is_file() else None
        if not isinstance(whole, Decoded) or min(whole.width, whole.height) < LEAST_SIDE:
            continue
        target = folder / f"{len(made):05}.heic"
        if not target.exists():
            sides = sorted((whole.width, whole.height))
            target.write_bytes(
                heif(Image.fromarray(whole.pixels), -(-240 * sides[1] // sides[0]), quality=75)
            )
        made.append(target)
        if len(made) == count:
            break
    model = read_model(shipped_model())
    return MeasureEmbedded(model, Rule.of(model), Choice("openvino", "int8"), tuple(made), count)()


def markdown(figures: Figures) -> str:
    decoding = table(
        [
            "12 MP, processor time to decode one",
            "file",
            "in full",
            "its smaller picture",
            "times as fast",
            "n",
        ],
        (
            [
                each.kind,
                f"{figure(each.kilobytes)} kB",
                each.full.text(" ms"),
                each.embedded.text(" ms"),
                figure(ratios(each.full, each.embedded).median),
                str(len(each.full.values)),
            ]
            for each in figures.decoding
        ),
    )
    sorting = table(
        ["`sorter run --action none`", "`--decode`", "photos", "photos/s", "processor time a photo"],
        (
            [each.kind, each.decode, str(each.photos), each.rate.text(), each.processor.text(" ms")]
            for each in figures.sorting
        ),
    )
    labels = table(
        ["labels", "photos", "the same", "decoded in full to be sure"],
        (
            ["HEIC, thumb 240 high", str(each.photos), f"{each.agreement:.1%}", f"{each.decoded_again:.1%}"]
            for each in figures.labels
        ),
    )
    return joined([decoding, sorting, labels if figures.labels else ""])
