"""clean.csv and its page: views of the ledger."""

from __future__ import annotations

import base64
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sorter.clean.ledger import CleanLedger
from sorter.clean.records import NO_FAULT, Checked, Kind
from sorter.reports.csv import replaced
from sorter.reports.html import Thumbnails, write_page
from sorter.types import Failure, Photo, UsageError

COLUMNS = (
    *("path", "verdict", "reasons", "format", "width", "height", "bytes", "sha256", "duplicate_of", "group"),
    *("split", "class", "action", "destination"),
    *("luma_p1", "luma_p99", "luma_mean", "luma_std", "entropy", "sharpness"),
)
GROUPS = 60  # on the page
MEMBERS = 8  # of each of them
EXAMPLES = 24  # files of each other verdict


def write_csv(ledger: CleanLedger, path: Path) -> None:
    """One row for each file, duplicates across classes and splits first; replaced in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(map(_row, ledger.all()))


def check_ours(path: Path) -> None:
    """Raise UsageError where something else than a report of ours would be replaced."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name another file with --report")
    if path.exists():
        with path.open("rb") as file:
            if not file.read(64).startswith(",".join(COLUMNS[:4]).encode()):
                raise UsageError(f"{path}: is no report of `sorter clean`; name another file with --report")


def _row(file: Checked) -> list[Any]:
    seen = file.examined
    known = seen is not None and bool(seen.width)
    quality = seen.quality if seen else None
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
        seen.format if seen else "",
        seen.width if seen and known else "",
        seen.height if seen and known else "",
        file.size,
        seen.sha256 if seen else "",
        file.duplicate_of or "",
        file.group or "",
        file.part,
        file.label,
        file.action,
        file.destination or "",
        *measured,
    ]


@dataclass(frozen=True, slots=True)
class _Card:
    """A photo on the page; `image` is a data: URI, or None."""

    name: str
    path: str
    link: str
    image: str | None
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class _Sheet:
    title: str
    note: str
    cards: list[_Card]


def write_html(ledger: CleanLedger, target: Path, roots: Iterable[Path], thumbnails: Thumbnails) -> None:
    """The page: sums, groups of duplicates with thumbnails, examples of every other verdict.

    Raises:
        SorterError: it cannot be written.
    """
    counts = ledger.counts()
    total = max(sum(counts.values()), 1)
    verdicts: list[str] = [kind.value for kind in Kind if kind.value in counts]
    context: dict[str, Any] = {
        "roots": [str(root) for root in roots],
        "finished": datetime.now().astimezone(),
        "tallies": [(name, counts[name], counts[name] / total) for name in verdicts],
        "groups": _groups(ledger, thumbnails),
        "group_counts": ledger.team_counts(),
        "shown": GROUPS,
        "sheets": _sheets(ledger, verdicts, thumbnails),
    }
    write_page(target, "clean.html", context)


def _groups(ledger: CleanLedger, thumbnails: Thumbnails) -> Iterator[_Sheet]:
    for number, (classes, splits, exact, members) in enumerate(ledger.teams(GROUPS), 1):
        across = [name for name, does in (("classes", classes), ("splits", splits)) if does]
        title = f"Across {' and '.join(across)}" if across else "Exact copies" if exact else "Looks the same"
        note = f"group {number}, {len(members)} files"
        yield _Sheet(title, note, list(_cards(members[:MEMBERS], thumbnails)))


def _sheets(ledger: CleanLedger, verdicts: list[str], thumbnails: Thumbnails) -> Iterator[_Sheet]:
    grouped = {Kind.DUPLICATE.value, Kind.NEAR_DUPLICATE.value, Kind.CONFLICT.value}
    for name in verdicts:
        if Kind(name) in NO_FAULT or name in grouped:
            continue
        files = ledger.with_verdict(name, EXAMPLES)
        yield _Sheet(name, f"the first {len(files)}", list(_cards(files, thumbnails)))


def _cards(files: list[Checked], thumbnails: Thumbnails) -> Iterator[_Card]:
    places = [file.destination or file.path for file in files]
    photos = [
        Photo(place, file.relative, file.size, file.mtime_ns)
        for file, place in zip(files, places, strict=True)
    ]
    # What ended or held up a worker once is not given to one again.
    safe = [photo for file, photo in zip(files, photos, strict=True) if _shows(file)]
    images = {result.photo.path: result.outcome for result in thumbnails(safe)}
    for file, place in zip(files, places, strict=True):
        made = images.get(place)
        image = None
        if made is not None and not isinstance(made, Failure):
            image = f"data:image/jpeg;base64,{base64.b64encode(made).decode()}"
        kept = file.duplicate_of is None and file.group is not None
        text = "kept" if kept and not file.findings else "; ".join(map(str, file.findings))
        size = (
            f"{file.examined.width} x {file.examined.height}" if file.examined and file.examined.width else ""
        )
        title = ", ".join(each for each in (file.part, file.label, size) if each)
        yield _Card(file.path.name, str(file.path), place.as_uri(), image, title, text)


def _shows(file: Checked) -> bool:
    return (
        file.examined is not None and bool(file.examined.width) and file.action not in ("deleted", "trashed")
    )
