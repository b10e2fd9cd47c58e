"""Write clean.csv and clean.html from the ledger."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sorter.clean.ledger import CleanLedger
from sorter.clean.records import COPIES, NO_FAULT, Checked, Kind
from sorter.files import atomic_text
from sorter.reports.cards import Sheet, Subject, Thumbnails, make_cards
from sorter.reports.page import write_page
from sorter.types import Photo, UsageError

COLUMNS = (
    *("path", "verdict", "reasons", "format", "width", "height", "bytes", "sha256", "duplicate_of", "group"),
    *("split", "class", "action", "destination"),
    *("luma_p1", "luma_p99", "luma_mean", "luma_std", "entropy", "sharpness"),
)
GROUPS = 60  # on the page
MEMBERS = 8  # of each of them
EXAMPLES = 24  # files of each other verdict


def write_csv(ledger: CleanLedger, path: Path) -> None:
    """Write one row for each file, duplicates across classes and splits first. Replaces atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_text(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(map(_row, ledger.all()))


def check_ours(path: Path) -> None:
    """Raise UsageError where a file that is not our report would be replaced."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name another file with --report")
    if path.exists():
        with path.open("rb") as file:
            if not file.read(64).startswith(",".join(COLUMNS[:4]).encode()):
                raise UsageError(
                    f"{path}: is not a report of `sorter clean`; name another file with --report"
                )


def _row(file: Checked) -> list[Any]:
    examined = file.examined
    known = examined is not None and bool(examined.width)
    quality = examined.quality if examined else None
    measured: tuple[Any, ...] = ("",) * 6
    if quality:
        measured = (
            quality.low,
            quality.high,
            quality.mean,
            quality.spread,
            quality.entropy,
            quality.sharpness,
        )
    return [
        file.path,
        file.verdict.value,
        "; ".join(map(str, file.findings)),
        examined.format if examined else "",
        examined.width if examined and known else "",
        examined.height if examined and known else "",
        file.size,
        examined.sha256 if examined else "",
        file.duplicate_of or "",
        file.group or "",
        file.part,
        file.label,
        file.action,
        file.destination or "",
        *measured,
    ]


def write_html(ledger: CleanLedger, target: Path, roots: Iterable[Path], thumbnails: Thumbnails) -> None:
    """Write the page: counts, groups of duplicates with thumbnails, examples of every other verdict.

    Raises:
        SorterError: the page cannot be written.
    """
    counts = ledger.counts()
    total = max(sum(counts.values()), 1)
    verdicts: list[str] = [kind.value for kind in Kind if kind.value in counts]
    context: dict[str, Any] = {
        "roots": [str(root) for root in roots],
        "finished": datetime.now().astimezone(),
        "tallies": [(name, counts[name], counts[name] / total) for name in verdicts],
        "groups": _groups(ledger, thumbnails),
        "group_counts": ledger.group_counts(),
        "shown": GROUPS,
        "sheets": _sheets(ledger, verdicts, thumbnails),
    }
    write_page(target, "clean.html", context)


def _groups(ledger: CleanLedger, thumbnails: Thumbnails) -> Iterator[Sheet]:
    for number, group in enumerate(ledger.groups(GROUPS), 1):
        pairs = (("classes", group.across_classes), ("splits", group.across_splits))
        across = " and ".join(name for name, does in pairs if does)
        alike = "Exact copies" if group.exact else "Similar" if group.similar else "Looks the same"
        title = f"Across {across}" if across else alike
        note = f"group {number}, {len(group.members)} files"
        yield Sheet(title, note, make_cards([*map(_subject, group.members[:MEMBERS])], thumbnails))


def _sheets(ledger: CleanLedger, verdicts: list[str], thumbnails: Thumbnails) -> Iterator[Sheet]:
    grouped = {kind.value for kind in (*COPIES, Kind.CONFLICT)}
    for name in verdicts:
        if Kind(name) in NO_FAULT or name in grouped:
            continue
        files = ledger.with_verdict(name, EXAMPLES)
        yield Sheet(name, f"the first {len(files)}", make_cards([*map(_subject, files)], thumbnails))


def _subject(file: Checked) -> Subject:
    kept = file.duplicate_of is None and file.group is not None
    size = _size(file)
    return Subject(
        Photo(_current_path(file), file.relative, file.size, file.mtime_ns),
        caption=", ".join(each for each in (file.part, file.label, size) if each),
        name=file.path.name,
        path=str(file.path),
        note="kept" if kept and not file.findings else "; ".join(map(str, file.findings)),
        # A file that a decoder crashed or hung on has no size, and is not decoded again.
        decode=bool(size) and file.action not in ("deleted", "trashed"),
    )


def _current_path(file: Checked) -> Path:
    return file.destination or file.path


def _size(file: Checked) -> str:
    """Width and height for a person; empty where unknown."""
    known = file.examined is not None and file.examined.width
    return f"{file.examined.width} x {file.examined.height}" if known and file.examined else ""
