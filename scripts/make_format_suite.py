"""Write a suite of healthy pictures: every format and kind that sorter meets, each from a picture of its own.

As the picture is known, so is what a decoder has to show. `--check` decodes each file and compares. It also cuts each
file in half, which must be told as damage. `scripts/damage.py` makes many more kinds of damage.

Example:
    python scripts/make_format_suite.py ./suite --check
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.figures import table
from benchmarks.flags import positive
from format_suite import newer, other, unread, web
from format_suite.kinds import Kind, Made, picture

from sorter.photos.decode import Decoder
from sorter.types import Decoded, Failure, Reason

COPIES = 7
BROKEN = (Reason.TRUNCATED, Reason.CORRUPT)
RIGHT, UNSUPPORTED, NO_TRUTH = "as drawn", "unsupported", "decoded, viewers differ"


@dataclass(frozen=True)
class Row:
    """What sorter makes of one file.

    Attributes:
        kind: `format`, then its name.
        outcome: `RIGHT`, `UNSUPPORTED`, `NO_TRUTH`, or what is wrong.
        half: what it makes of the first half of the file: empty where it is told as damage, else what is wrong.
    """

    kind: str
    outcome: str
    half: str


def kinds() -> Iterator[Kind]:
    for make in (web.jpegs, web.pngs, web.gifs_and_webps, other.tiffs, other.bmps, other.avifs):
        yield from make()
    yield from other.heics()
    yield from other.raws()
    for make in (newer.jxls, newer.jp2s, newer.pnms):
        yield from make()
    yield from unread.unread()


def write(folder: Path, copies: int) -> Iterator[tuple[Kind, Path, Made]]:
    """Write `copies` files of each kind to `folder/FORMAT/KIND/`, always the same ones."""
    for kind in kinds():
        place = folder / kind.format / kind.name.replace(":", "").replace("/", "")
        place.mkdir(parents=True, exist_ok=True)
        for seed in range(copies):
            path = place / f"{seed + 1:02}{kind.suffix}"
            made = kind.make(picture(seed))
            path.write_bytes(made.data)
            yield kind, path, made


def judge(found: Decoded | Failure, made: Made) -> str:
    """What is to be said of a decoded file."""
    if isinstance(found, Failure):
        return UNSUPPORTED if found.reason is Reason.UNSUPPORTED else str(found)
    if made.shown is None:
        return NO_TRUTH
    if found.pixels.shape != made.shown.shape:
        return f"of the shape {found.pixels.shape} in place of {made.shown.shape}"
    away = float(np.abs(found.pixels.astype(np.float32) - made.shown).mean())
    return RIGHT if away <= made.within else f"{away:.1f} grey levels away"


def judge_half(found: Decoded | Failure, made: Made) -> str:
    """What is wrong with an answer to half a file; empty where nothing is."""
    if isinstance(found, Decoded):
        return "" if made.first_in_half else "half of it is decoded"
    return "" if found.reason in BROKEN else f"half of it is {found.reason.value}"


def check(written: Iterable[tuple[Kind, Path, Made]]) -> Iterator[Row]:
    """Decode each file, and half of it."""
    decode = Decoder(None)
    for kind, path, made in written:
        found = decode(path)
        half = judge_half(decode(path, made.data[: len(made.data) // 2]), made) if kind.read else ""
        yield Row(f"{kind.format} {kind.name}", judge(found, made), half)


def as_table(rows: Iterable[Row]) -> str:
    """A row for each kind of file."""
    by_kind: dict[str, list[Row]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    lines = [
        [kind, f"{len(each)}", "; ".join(sorted({row.outcome for row in each})), _halves(each)]
        for kind, each in by_kind.items()
    ]
    return table(("kind", "files", "sorter shows it", "cut in half"), lines)


def _halves(rows: list[Row]) -> str:
    return "; ".join(sorted({row.half for row in rows if row.half})) or "told as damage"


def main(argv: list[str] | None = None) -> int:
    about, _, example = (__doc__ or "").partition("Example:")
    parser = argparse.ArgumentParser(
        description=about, epilog=f"Example:{example}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where the files go, in a folder for each format and kind")
    parser.add_argument(
        "-n", "--copies", type=positive, default=COPIES, help=f"files of each kind ({COPIES})"
    )
    parser.add_argument(
        "--check", action="store_true", help="decode each file, and compare it with its picture"
    )
    given = parser.parse_args(argv)
    written = write(given.folder, given.copies)
    if not given.check:
        print(f"{sum(1 for _ in written):,} files in {given.folder}")
        return 0
    rows = list(check(written))
    print(as_table(rows))
    wrong = [row for row in rows if row.outcome not in (RIGHT, UNSUPPORTED, NO_TRUTH)]
    print(f"\n{len(rows):,} files of {len({row.kind for row in rows})} kinds; {len(wrong):,} shown wrongly")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
