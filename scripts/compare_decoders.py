"""Compare our pixels with those of two other decoders, over all files of a folder, and list where they differ.

Every file is decoded in full by sorter, by libvips and by imagecodecs. Two pictures are compared at a common size, at
most 256 x 256 pixels: the mean and the largest difference, in grey levels of 255. A decoder that crashes or hangs costs
one row. Nothing is written but the files that --csv and --markdown name.

    pip install pyvips pyvips-binary imagecodecs tifffile

Example:
    python scripts/compare_decoders.py ./photos --csv decoders.csv --markdown decoders.md
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.figures import table
from benchmarks.flags import positive
from numpy.typing import NDArray
from other_decoders import Pixels, Reader, readers
from PIL import Image

from sorter.photos.decode import Decoder
from sorter.pipeline.pool import Pool
from sorter.system import available_cores, worker_limits
from sorter.types import Decoded, Failure, Limits, Photo

COMMON = 256  # pixels, the most that either side is compared at
MEAN, LARGEST = 3.0, 96.0  # grey levels. Resampling of chroma alone moves sharp edges by some dozens.
SAME = "same"
DISPUTED = "same as one, not as the other"
DIFFERS = "differs"
ONLY_OURS = "only sorter reads it"
ONLY_OTHERS = "only others read it"
NONE = "none reads it"
CRASH = "a decoder crashed or hung"
VERDICTS = (SAME, DISPUTED, DIFFERS, ONLY_OURS, ONLY_OTHERS, NONE, CRASH)


@dataclass(frozen=True)
class Difference:
    """Our pixels against another decoder's.

    Attributes:
        decoder: the other's name.
        outcome: `width x height`, or why it does not read the file.
        mean: of the absolute differences at the common size, grey levels. None where one does not read the file.
        largest: of the same.
    """

    decoder: str
    outcome: str
    mean: float | None = None
    largest: float | None = None

    @property
    def read(self) -> bool:
        return self.outcome[:1].isdigit()

    def differs(self, mean: float, largest: float) -> bool:
        return (
            self.mean is not None
            and self.largest is not None
            and (self.mean > mean or self.largest > largest)
        )

    def __str__(self) -> str:
        return self.outcome if self.mean is None else f"{self.mean:.1f} / {self.largest:.0f}"


@dataclass(frozen=True)
class Comparison:
    """One file.

    Attributes:
        name: relative to the folder.
        ours: `width x height`, or our reason for not reading it.
        differences: one for each other decoder that is installed.
        verdict: one of `VERDICTS`.
    """

    name: str
    ours: str
    differences: tuple[Difference, ...]
    verdict: str


@dataclass(frozen=True)
class Compare:
    """Stage: decode a file with all decoders and compare their pixels."""

    mean: float
    largest: float

    def start(self) -> Callable[[Photo], Comparison | Failure]:
        decoder, others = Decoder(None), readers()

        def compare(photo: Photo) -> Comparison | Failure:
            decoded = decoder(photo.path)
            pixels = decoded.pixels if isinstance(decoded, Decoded) else None
            ours = str(decoded) if isinstance(decoded, Failure) else size_text(decoded.pixels)
            found = tuple(difference(name, read, photo.path, pixels) for name, read in others.items())
            return Comparison(str(photo.relative), ours, found, self.verdict(pixels is not None, found))

        return compare

    def verdict(self, read: bool, found: Sequence[Difference]) -> str:
        """One of `VERDICTS`. `read`: sorter reads the file."""
        others = [each for each in found if each.read]
        if not read:
            return ONLY_OTHERS if others else NONE
        if not others:
            return ONLY_OURS
        differ = [each.differs(self.mean, self.largest) for each in others]
        return DIFFERS if all(differ) else DISPUTED if any(differ) else SAME


def difference(name: str, read: Reader, path: Path, ours: Pixels | None) -> Difference:
    """Decode a file with another decoder and compare. Never raises for what the file contains."""
    if not path.stat().st_size:  # imagecodecs crashes
        return Difference(name, "no: the file has no bytes")
    try:
        theirs = read(path)
    except Exception as error:  # every decoder has errors of its own
        lines = str(error).strip().splitlines()
        return Difference(name, f"no: {lines[-1].strip()[:120] if lines else type(error).__name__}")
    if ours is None:
        return Difference(name, size_text(theirs))
    levels = grey_levels(ours, theirs)
    return Difference(name, size_text(theirs), float(levels.mean()), float(levels.max()))


def grey_levels(one: Pixels, other: Pixels) -> NDArray[np.float32]:
    """Absolute differences of two pictures at a common size, float32 (height, width, 3)."""
    height, width = (min(COMMON, *sides) for sides in zip(one.shape[:2], other.shape[:2], strict=True))
    small = [
        np.asarray(Image.fromarray(each).resize((width, height), Image.Resampling.BOX), np.float32)
        for each in (one, other)
    ]
    return np.abs(small[0] - small[1])


def size_text(pixels: Pixels) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"


def compare_folder(folder: Path, stage: Compare, workers: int) -> list[Comparison]:
    """Compare all files below a folder, in order of their names."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    photos = [Photo(path, path.relative_to(folder), path.stat().st_size, 0) for path in paths]
    limits = worker_limits(Limits(seconds=120), workers)
    with Pool(stage, workers, limits) as pool:
        results = list(pool.run(photos))
    found = []
    for result in results:
        outcome = result.outcome
        if isinstance(outcome, Failure):
            outcome = Comparison(str(result.photo.relative), str(outcome), (), CRASH)
        found.append(outcome)
    return sorted(found, key=lambda each: each.name)


# -- tables ----------------------------------------------------------------------------------------------------


def markdown(found: Sequence[Comparison], names: Iterable[str], stage: Compare) -> str:
    """Counts for each suffix, and a row for each file that is not the same everywhere."""
    suffixes: dict[str, Counter[str]] = {}
    for each in found:
        suffixes.setdefault(Path(each.name).suffix.lower() or "(none)", Counter())[each.verdict] += 1
    counts = [
        [suffix, f"{sum(counter.values()):,}", *(f"{counter[verdict]:,}" for verdict in VERDICTS)]
        for suffix, counter in sorted(suffixes.items())
    ]
    rows = [
        [each.name, each.verdict, each.ours, *map(str, each.differences)]
        for each in found
        if each.verdict != SAME
    ]
    note = (
        f"A file differs where the mean is over {stage.mean:g} grey levels or the largest over {stage.largest:g}. "
        "Beside the file: mean / largest difference, or the reason why a decoder does not read it."
    )
    blocks = [table(("suffix", "files", *VERDICTS), counts), note]
    blocks.append(table(("file", "verdict", "sorter", *names), rows) if rows else "No file differs.")
    return "\n\n".join(blocks) + "\n"


def write_csv(target: Path, found: Iterable[Comparison], names: Sequence[str]) -> None:
    """A row for each file, the same ones included."""
    header = ["file", "verdict", "sorter"]
    header += [f"{name}_{column}" for name in names for column in ("outcome", "mean", "largest")]
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for each in found:
            cells = [(d.outcome, rounded(d.mean), rounded(d.largest)) for d in each.differences]
            writer.writerow([each.name, each.verdict, each.ours, *(cell for row in cells for cell in row)])


def rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def build_parser() -> argparse.ArgumentParser:
    about, _, example = (__doc__ or "").partition("Example:")
    parser = argparse.ArgumentParser(
        description=about, epilog=f"Example:{example}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="files of any format, subfolders included")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each file to this file")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables to this file")
    parser.add_argument(
        "--mean", type=float, default=MEAN, metavar="LEVELS", help=f"mean that differs ({MEAN:g})"
    )
    parser.add_argument(
        "--largest", type=float, default=LARGEST, metavar="LEVELS", help=f"largest that differs ({LARGEST:g})"
    )
    parser.add_argument("-j", "--workers", type=positive, metavar="N", help="processes (one per core)")
    return parser


def main(argv: list[str] | None = None) -> int:
    given = build_parser().parse_args(argv)
    names = list(readers())
    if not given.folder.is_dir():
        print(f"compare_decoders: {given.folder}: is no folder; name a folder of photos", file=sys.stderr)
        return 2
    if not names:
        print(
            "compare_decoders: no other decoder is installed; pip install pyvips pyvips-binary imagecodecs tifffile",
            file=sys.stderr,
        )
        return 2
    stage = Compare(given.mean, given.largest)
    found = compare_folder(given.folder, stage, given.workers or available_cores())
    text = markdown(found, names, stage)
    if given.csv:
        write_csv(given.csv, found, names)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
