"""Files to clean, and what the command says of them."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path

from damage import encode, picture

from sorter.clean.options import CleanOptions, CleanSummary
from sorter.clean.run import clean

Rows = dict[str, dict[str, str]]


def look(root: Path, **options: object) -> tuple[CleanSummary, Rows]:
    """Clean a folder with one worker, as each costs its start; the rows by names below it."""
    given = CleanOptions((root,), workers=1, cache=False)
    summary = clean(replace(given, **options))  # type: ignore[arg-type]
    return summary, rows_of(summary, root)


def rows_of(summary: CleanSummary, root: Path) -> Rows:
    assert summary.report is not None
    with summary.report.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {os.path.relpath(row["path"], root): row for row in rows}
    assert len(found) == len(rows), "a file has two rows"
    return found


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def jpeg(seed: int, quality: int = 90, **save: object) -> bytes:
    return encode(picture(seed), "JPEG", quality=quality, **save)
