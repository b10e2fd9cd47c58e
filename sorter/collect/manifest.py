"""manifest.csv and ATTRIBUTION.md: views of the ledger."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from sorter.collect.records import PictureRow, PictureStatus
from sorter.files import atomic_text

MANIFEST, ATTRIBUTION = "manifest.csv", "ATTRIBUTION.md"
COLUMNS = (
    "file",
    "class",
    "query",
    "source",
    "page",
    "image_url",
    "licence",
    "licence_url",
    "creator",
    "title",
    "sha256",
    "status",
    "reason",
)


def write_manifest(path: Path, rows: Iterable[PictureRow]) -> None:
    """Write one row for each picture that a source listed. The old file is replaced atomically."""
    with atomic_text(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            it = row.candidate
            known = (it.page, it.url, it.licence, it.licence_url, it.creator, it.title)
            outcome = (row.sha256 or "", row.status.value, row.reason)
            writer.writerow((row.file or "", row.label, row.query, row.source, *known, *outcome))


def write_attribution(path: Path, rows: Iterable[PictureRow]) -> None:
    """Write title, author, source and licence of each picture that was kept.

    Source: Creative Commons, Recommended practices for attribution.
    """
    with atomic_text(path) as file:
        file.write("# Attribution\n")
        label = None
        for row in rows:
            if row.status is not PictureStatus.KEPT:
                continue
            if row.label != label:
                label = row.label
                file.write(f"\n## {_escaped(label)}\n\n")
            it = row.candidate
            title = f"“{_escaped(it.title)}”" if it.title else "untitled"
            licence = _licence_name(it.licence) if it.licence else "licence unknown"
            file.write(
                f"- `{row.file}`: {_link(title, it.page or it.url)} by {_escaped(it.creator) or 'an unknown author'}, "
                f"{_link(_escaped(licence), it.licence_url)}\n"
            )


def _licence_name(licence: str) -> str:
    code, _, version = licence.partition(" ")
    if code == "pdm":
        return f"Public Domain Mark {version}".strip()
    if code == "cc0":
        return f"CC0 {version}".strip()
    return f"CC {licence.upper()}" if code == "by" or code.startswith("by-") else licence


def _link(text: str, url: str) -> str:
    """Only web addresses become links, because the text is foreign."""
    if not re.fullmatch(r"https?://[^\s<>]+", url):
        return text
    return f"[{text}](<{url}>)"


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#!|])", r"\\\1", text)
