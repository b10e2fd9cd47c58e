"""`sorter inspect`: what is in class folders, before anything learns from them."""

from __future__ import annotations

import json
import math
import time
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.evaluate import plots
from sorter.photos.dataset import Example, read_folders
from sorter.photos.fingerprint import MAX_DISTANCE, decoded_and_hashed, near_duplicates, perceptual_hash
from sorter.pipeline.pool import Limits, Pool
from sorter.pipeline.stages import Thumbnail
from sorter.progress import NoProgress, Progress
from sorter.reports.cards import THUMBNAIL, Card, make_cards, take_report_folder
from sorter.reports.csv import replaced
from sorter.reports.html import Thumbnails, write_page
from sorter.system import available_cores, memory_per_worker
from sorter.types import Failure, Photo, Result, SorterError, Status, UsageError, check_above_zero

if TYPE_CHECKING:
    from markupsafe import Markup
    from numpy.typing import NDArray

DATA, PAGE = "inspection.json", "report.html"
FILES = (DATA, PAGE)
ORDER = (None, "train", "val", "test")
MIN_SIDE = 64  # pixels to decode to at least: enough for colours and for the perceptual hash
LEVELS = 32  # bins of a channel's 256 intensities
BINS = 40
SAMPLES = 8  # photos of each class on the page
CARDS = 96
GROUPS = 30  # of duplicates named on the page
EXAMPLES = 50  # failed files named


@dataclass(frozen=True)
class InspectOptions:
    """What `sorter inspect` can be told.

    Attributes:
        data: class folders, or train/ val/ test/ of class folders.
        out: where the page goes; None for none.
        workers: processes; None for one per core.
        max_megapixels: larger photos fail before they are decoded.
        timeout_per_file: seconds.
    """

    data: Path
    out: Path | None = None
    workers: int | None = None
    max_megapixels: float = 250.0
    timeout_per_file: float = 60.0


@dataclass(frozen=True, slots=True)
class Look:
    """What is measured of one photo.

    Attributes:
        sha256: of the file, in hex.
        phash: 64 bits, as in `similar`.
        width: upright, pixels.
        height: likewise.
        format: as Pillow names it.
        mean: of R, G and B, 0..1.
        square: mean of their squares, likewise.
        levels: share of the pixels in each of 32 bins of intensity, of R, then G, then B.
    """

    sha256: str
    phash: int
    width: int
    height: int
    format: str
    mean: tuple[float, float, float]
    square: tuple[float, float, float]
    levels: tuple[float, ...]


@dataclass(frozen=True)
class TakeLook:
    """Pool stage: photo -> `Look`."""

    max_megapixels: float

    def start(self) -> Callable[[Photo], Look | Failure]:
        from sorter.photos.decode import Decoder

        decode = Decoder(MIN_SIDE, self.max_megapixels)

        def look(photo: Photo) -> Look | Failure:
            found = decoded_and_hashed(decode, photo.path)
            if isinstance(found, Failure):
                return found
            decoded, digest = found
            pixels = decoded.pixels
            counts = np.stack(
                [np.bincount(pixels[..., channel].ravel(), minlength=256) for channel in range(3)]
            )
            shares = counts / counts.sum(axis=1, keepdims=True)  # (3, 256)
            values = np.arange(256) / 255
            mean, square = shares @ values, shares @ values**2
            levels = shares.reshape(3, LEVELS, -1).sum(axis=2).ravel()
            return Look(
                digest,
                perceptual_hash(pixels),
                decoded.width,
                decoded.height,
                decoded.format,
                (float(mean[0]), float(mean[1]), float(mean[2])),
                (float(square[0]), float(square[1]), float(square[2])),
                tuple(map(float, levels)),
            )

        return look


@dataclass(frozen=True)
class Spread:
    """Five numbers that tell how values lie."""

    least: float
    quarter: float
    median: float
    three_quarters: float
    most: float


@dataclass(frozen=True)
class Duplicates:
    """Photos that are another one's double.

    Attributes:
        exact: photos with the very bytes of an earlier one.
        near: others that look like an earlier one.
        across_classes: photos in a group that has more than one class.
        across_splits: photos in a group that lies in more than one of train, val and test.
        groups: paths of what belongs together; the first ones, those across classes or splits ahead.
    """

    exact: int
    near: int
    across_classes: int
    across_splits: int
    groups: list[list[str]]


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        data: the folder.
        classes: names, in natural order.
        photos: part -> class -> photos that can be decoded; the part of plain class folders is `all`.
        formats: format -> photos.
        width: in pixels; None where no photo could be decoded, likewise below.
        height: likewise.
        aspect: width / height.
        brightness: of a photo, the mean luma (ITU-R BT.601) of its pixels, 0..1.
        mean: of R, G and B, 0..1; every photo counts the same.
        std: likewise, over pixels.
        duplicates: among all photos.
        failed: reason -> files that look like photos and cannot be decoded.
        skipped: reason -> files that are no photos.
        failures: path and fault of the first of both.
        seconds: all in all.
        page: report.html, or None.
    """

    data: Path
    classes: tuple[str, ...]
    photos: dict[str, dict[str, int]]
    formats: dict[str, int]
    width: Spread | None
    height: Spread | None
    aspect: Spread | None
    brightness: Spread | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    duplicates: Duplicates
    failed: dict[str, int]
    skipped: dict[str, int]
    failures: list[tuple[str, str]]
    seconds: float
    page: Path | None

    @property
    def total(self) -> int:
        """Photos that can be decoded."""
        return sum(self.formats.values())

    @property
    def imbalance(self) -> float:
        """Photos of the largest class for each one of the smallest; infinite where a class has none."""
        counts = [sum(part[name] for part in self.photos.values()) for name in self.classes]
        return max(counts) / min(counts) if min(counts) else math.inf

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        paths = {"data": str(self.data), "page": None if self.page is None else str(self.page)}
        imbalance = self.imbalance if math.isfinite(self.imbalance) else None
        return {
            **data,
            **paths,
            "total": self.total,
            "imbalance": imbalance,
            "seconds": round(self.seconds, 3),
        }


@dataclass
class _Tally:
    """What is kept of the photos: some 50 bytes each, and sums."""

    numbers: array[int] = field(default_factory=lambda: array("q"))  # of the example
    hashes: array[int] = field(default_factory=lambda: array("Q"))
    digests: array[int] = field(default_factory=lambda: array("Q"))  # the first 64 bits
    widths: array[int] = field(default_factory=lambda: array("l"))
    heights: array[int] = field(default_factory=lambda: array("l"))
    brightness: array[float] = field(default_factory=lambda: array("f"))
    formats: Counter[str] = field(default_factory=Counter)
    mean: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    square: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    levels: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3 * LEVELS))
    failed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def add(self, number: int, result: Result[Look]) -> None:
        look = result.outcome
        if isinstance(look, Failure):
            kind = self.failed if look.status is Status.FAILED else self.skipped
            kind[look.reason.value] += 1
            if len(self.failures) < EXAMPLES:
                self.failures.append((str(result.photo.path), str(look)))
            return
        self.numbers.append(number)
        self.hashes.append(look.phash)
        self.digests.append(int(look.sha256[:16], 16))
        self.widths.append(look.width)
        self.heights.append(look.height)
        red, green, blue = look.mean
        self.brightness.append(0.299 * red + 0.587 * green + 0.114 * blue)
        self.formats[look.format] += 1
        self.mean += look.mean
        self.square += look.square
        self.levels += look.levels


def inspect_folders(options: InspectOptions, progress: Progress | None = None) -> Inspection:
    """Decode every photo once, small, and count.

    Memory: the list of files, and some 50 bytes for each photo.

    Raises:
        UsageError: no class folders, nothing in them, or an `out` that holds something else.
    """
    began = time.monotonic()
    progress = progress or NoProgress()
    check_above_zero(
        workers=options.workers,
        max_megapixels=options.max_megapixels,
        timeout_per_file=options.timeout_per_file,
    )
    classes, found_parts = read_folders(options.data, least=0)
    parts = {part: found_parts[part] for part in ORDER if part in found_parts}
    examples = [example for some in parts.values() for example in some]
    part_of = [part or "all" for part, some in parts.items() for _ in some]
    if not examples:
        raise UsageError(f"{options.data}: its class folders hold no files; add photos")
    workers = options.workers or available_cores()
    limits = Limits(options.timeout_per_file, memory_per_worker(workers))
    take_report_folder(options.out, FILES)
    tally = _Tally()
    with Pool(TakeLook(options.max_megapixels), workers, limits) as pool:
        for number, result in enumerate(pool.run(example.photo for example in examples)):
            tally.add(number, result)
            progress.advance(1)
    found = _inspection(
        options, classes, examples, part_of, tuple(part or "all" for part in parts), tally, began
    )
    if options.out is not None:
        with Pool(Thumbnail(THUMBNAIL, options.max_megapixels), min(workers, 4), limits) as small:
            _write(options.out, found, examples, tally, small.run)
    return found


def _inspection(
    options: InspectOptions,
    classes: tuple[str, ...],
    examples: Sequence[Example],
    part_of: Sequence[str],
    parts: tuple[str, ...],
    tally: _Tally,
    began: float,
) -> Inspection:
    n = len(tally.numbers)
    counted = Counter((part_of[at], examples[at].label) for at in tally.numbers)
    width, height = np.array(tally.widths), np.array(tally.heights)
    mean = tally.mean / max(n, 1)
    std = np.sqrt(np.maximum(tally.square / max(n, 1) - mean**2, 0))
    return Inspection(
        data=options.data,
        classes=classes,
        photos={part: {name: counted[part, at] for at, name in enumerate(classes)} for part in parts},
        formats=dict(tally.formats.most_common()),
        width=_spread(width),
        height=_spread(height),
        aspect=_spread(width / np.maximum(height, 1)),
        brightness=_spread(np.array(tally.brightness)),
        mean=tuple(map(float, mean)) if n else None,
        std=tuple(map(float, std)) if n else None,
        duplicates=_duplicates(tally, examples, part_of),
        failed=dict(tally.failed.most_common()),
        skipped=dict(tally.skipped.most_common()),
        failures=tally.failures,
        seconds=time.monotonic() - began,
        page=None if options.out is None else options.out / PAGE,
    )


def _spread(values: NDArray[Any]) -> Spread | None:
    if not len(values):
        return None
    return Spread(*(float(each) for each in np.percentile(values, [0, 25, 50, 75, 100])))


def _duplicates(tally: _Tally, examples: Sequence[Example], part_of: Sequence[str]) -> Duplicates:
    n = len(tally.numbers)
    groups = near_duplicates(tally.hashes, MAX_DISTANCE) if n else []
    exact = n - len(set(tally.digests))
    near = sum(len(group) - 1 for group in groups) - exact
    ranked = []
    across_classes = across_splits = 0
    for group in groups:
        members = [tally.numbers[at] for at in group]
        classes = len({examples[number].label for number in members}) > 1
        splits = len({part_of[number] for number in members}) > 1
        across_classes += len(members) * classes
        across_splits += len(members) * splits
        ranked.append((-(classes + splits), members))
    ranked.sort(key=lambda pair: pair[0])
    named = [[str(examples[number].photo.path) for number in members[:10]] for _, members in ranked[:GROUPS]]
    return Duplicates(exact, near, across_classes, across_splits, named)


# -- the page --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Sheet:
    label: str
    photos: int
    cards: list[Card]


def _write(
    out: Path, found: Inspection, examples: Sequence[Example], tally: _Tally, thumbnails: Thumbnails
) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with replaced(out / DATA) as file:
            json.dump(found.to_json(), file, indent=2, allow_nan=False)
            file.write("\n")
    except OSError as error:
        raise SorterError(
            f"{error.filename or out}: {error.strerror or error}; name another folder"
        ) from error
    counts = {name: sum(part[name] for part in found.photos.values()) for name in found.classes}
    context = {
        "found": found,
        "counts": counts,
        "most": max(*counts.values(), 1),
        "spreads": [
            ("Width, px", found.width, "{:,.0f}"),
            ("Height, px", found.height, "{:,.0f}"),
            ("Width / height", found.aspect, "{:.2f}"),
            ("Brightness, 0 to 1", found.brightness, "{:.2f}"),
        ],
        "plots": _plots(tally) if found.total else [],
        "sheets": _samples(found, counts, examples, tally, thumbnails),
    }
    write_page(out / PAGE, "inspect.html", context)


def _samples(
    found: Inspection,
    counts: dict[str, int],
    examples: Sequence[Example],
    tally: _Tally,
    thumbnails: Thumbnails,
) -> list[_Sheet]:
    """Some photos of each class, drawn by chance and always the same."""
    random = np.random.default_rng(0)
    labels = np.array([examples[number].label for number in tally.numbers], dtype=np.int64)
    each = max(1, min(SAMPLES, CARDS // len(found.classes)))
    sheets = []
    for label, name in enumerate(found.classes[:CARDS]):
        members = np.flatnonzero(labels == label)
        drawn = np.sort(random.choice(members, min(each, len(members)), replace=False))
        photos = [examples[tally.numbers[at]].photo for at in drawn]
        captions = [f"{tally.widths[at]} x {tally.heights[at]}" for at in drawn]
        sheets.append(_Sheet(name, counts[name], make_cards(photos, captions, thumbnails)))
    return sheets


def _plots(tally: _Tally) -> list[tuple[str, Markup, str]]:
    """Each plot with its name and what it tells."""
    width, height = np.array(tally.widths, dtype=np.float64), np.array(tally.heights, dtype=np.float64)
    sizes, aspects = np.sqrt(width * height), width / height
    brightness = np.array(tally.brightness, dtype=np.float64)
    n = len(width)
    size_edges = np.geomspace(max(1.0, sizes.min() * 0.9), sizes.max() * 1.1, BINS + 1)
    # As far to either side of square.
    most = max(2.0, float(np.exp(np.abs(np.log(aspects)).max())) * 1.05)
    aspect_edges = np.geomspace(1 / most, most, BINS + 1)
    unit = np.linspace(0, 1, BINS + 1)
    levels = dict(zip(("red", "green", "blue"), tally.levels.reshape(3, LEVELS) / n, strict=True))
    return [
        (
            "Size",
            plots.histogram(
                "Size",
                {"all": _shares(sizes, size_edges)},
                size_edges,
                "side of a square of as many pixels",
                log=True,
            ),
            "Photos smaller than a model's input (often 224 pixels) are enlarged.",
        ),
        (
            "Aspect",
            plots.histogram(
                "Aspect", {"all": _shares(aspects, aspect_edges)}, aspect_edges, "width / height", log=True
            ),
            "Left of 1 is portrait, right of it landscape.",
        ),
        (
            "Brightness",
            plots.histogram(
                "Brightness", {"all": _shares(brightness, unit)}, unit, "mean luma of a photo, 0 to 1"
            ),
            "Near 0 a photo is black, near 1 white.",
        ),
        (
            "Intensity of each channel",
            plots.histogram(
                "Intensity of each channel",
                levels,
                np.linspace(0, 256, LEVELS + 1),
                "intensity, 0 to 255",
                y="share of pixels",
                colours=(5, 2, 0),
            ),
            "Of all pixels, each photo counting the same; peaks at the ends are clipped shadows and lights.",
        ),
    ]


def _shares(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.histogram(values, edges)[0] / max(len(values), 1)
