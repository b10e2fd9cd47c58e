"""How many labels that were flipped on purpose `sorter audit` finds.

python scripts/flipped_labels.py ./labelled --share 0.05 0.1 --seeds 3 --markdown table.md

DATA are class folders whose labels are taken to be right. For each share and seed, so many labels are given another
class at random. Of n flipped labels the table says how many are among the first n, the first 2n and all that the audit
lists, and how many of those listed were not flipped.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sorter.photos.labelled import read_labelled
from sorter.progress import NoProgress
from sorter.train.audit import AuditOptions, audit


@dataclass(frozen=True)
class Found:
    """What one audit found.

    Attributes:
        flipped: labels that were flipped.
        first: of them among the first `flipped` photos of the list.
        twice: of them among the first `2 * flipped`.
        listed: of them in the whole list.
        wrongly: photos in the list whose label was not flipped.
    """

    flipped: int
    first: int
    twice: int
    listed: int
    wrongly: int


def flip(data: Path, share: float, seed: int, table: Path) -> set[Path]:
    """Write a table with some labels flipped. Returns the photos with a flipped label."""
    labelled = read_labelled(data, 0)
    examples = [each for some in labelled.parts.values() for each in some]
    random = np.random.default_rng(seed)
    rows = set(random.permutation(len(examples))[: round(share * len(examples))].tolist())
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label"))
        for row, each in enumerate(examples):
            others = [name for at, name in enumerate(labelled.classes) if at != each.label]
            label = others[random.integers(len(others))] if row in rows else labelled.classes[each.label]
            writer.writerow((each.photo.path, label))
    return {examples[row].photo.path for row in rows}


def measure(data: Path, share: float, seed: int) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "labels.csv"
        flipped = flip(data.resolve(), share, seed, table)
        photos = audit(AuditOptions(table), NoProgress()).photos
    listed = [each.photo.path in flipped for each in photos if "label" in each.issues]
    n = len(flipped)
    return Found(n, sum(listed[:n]), sum(listed[: 2 * n]), sum(listed), len(listed) - sum(listed))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure `sorter audit` on labels flipped on purpose.")
    parser.add_argument("data", type=Path, nargs="+", metavar="DATA", help="Class folders with right labels.")
    parser.add_argument(
        "--share", type=float, nargs="+", default=[0.05, 0.1], help="Shares of labels to flip."
    )
    parser.add_argument("--seeds", type=int, default=3, help="Repetitions with other seeds.")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="Write the table there, too.")
    arguments = parser.parse_args()
    lines = [
        "| photos | flipped | n | in the first n | in the first 2n | in the list | wrongly listed |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for data in arguments.data:
        for share in arguments.share:
            found = [measure(data, share, seed) for seed in range(arguments.seeds)]
            n = found[0].flipped
            parts = [
                np.mean([getattr(each, name) for each in found]) / n for name in ("first", "twice", "listed")
            ]
            shares = " | ".join(f"{part:.1%}" for part in parts)
            wrongly = np.mean([each.wrongly for each in found])
            lines.append(f"| {data.name} | {share:.0%} | {n:,} | {shares} | {wrongly:,.1f} |")
            print(lines[-1], flush=True)
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
