"""`sorter export-labels`: what a review says of each photo, as other programs read it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sorter.address import Address
from sorter.files import atomic_text
from sorter.sort.table import Table, read_table
from sorter.types import UsageError

FORMATS = ("csv", "coco", "imagefolder")
NAMES = {"csv": "labels.csv", "coco": "labels.json", "imagefolder": "metadata.csv"}


@dataclass(frozen=True)
class ExportLabelsOptions:
    """The options of `sorter export-labels`.

    Attributes:
        sorted: the output folder of `sorter run`.
        format: one of `FORMATS`.
        out: the file to write; None for a name of `NAMES` in the output folder.
        reviewed: only photos that a person has marked.
    """

    sorted: Path
    format: str = "csv"
    out: Path | None = None
    reviewed: bool = False


@dataclass(frozen=True)
class ExportedLabels:
    """The result: the file, the photos in it, and those without a class, which are left out."""

    out: Path
    photos: int
    left_out: int

    def to_json(self) -> dict[str, Any]:
        return {"out": str(self.out), "photos": self.photos, "left_out": self.left_out}


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A photo as the file names it."""

    path: str
    label: str
    reviewed: bool
    width: int
    height: int


def export_labels(options: ExportLabelsOptions) -> ExportedLabels:
    """Write the labels of a folder's photos: the class that a person gave each, else the one of the model.

    Photos that are unsure, set aside or failed have no class and are left out. Paths are relative to the file's folder
    where they lie below it, and absolute elsewhere.

    Raises:
        UsageError: no photos were sorted there, a file of that name exists, or the format cannot name a photo.
        JournalError: the journal cannot be read.
        SorterError: the file cannot be written.
    """
    if options.format not in FORMATS:
        raise UsageError(f"--format: {options.format!r} is none of {', '.join(FORMATS)}")
    target = (options.out or options.sorted / NAMES[options.format]).absolute()
    if os.path.lexists(target):
        raise UsageError(f"{target}: exists already; move it away, or name another file with --out")
    table = read_table(options.sorted)
    photos = list(_labelled(table, target.parent.resolve(), options.reviewed))
    if not photos:
        raise UsageError(f"{options.sorted}: no photo has a class to export; sort or review some first")
    if options.format == "imagefolder":
        _check_below(photos, target.parent)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_text(target) as file:
            if options.format == "coco":
                json.dump(_coco(photos, table.labels[:-1]), file, indent=1)
            else:
                csv.writer(file).writerows(_rows(photos, options.format))
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror or error}; name another file with --out") from error
    return ExportedLabels(target, len(photos), len(table) - len(photos))


def _labelled(table: Table, folder: Path, reviewed: bool) -> Iterator[_Labelled]:
    classes = len(table.labels) - 1  # the last label is `unsure`
    wanted, checked = table.wanted, table.checked
    for row in range(len(table)):
        code = int(wanted[row])
        if (
            table.failed[row]
            or table.aside[row]
            or not 0 <= code < classes
            or (reviewed and not checked[row])
        ):
            continue
        yield _Labelled(
            _name(table.path(row), folder),
            table.labels[code],
            bool(checked[row]),
            int(table.width[row]),
            int(table.height[row]),
        )


def _name(path: Path, folder: Path) -> str:
    if folder in path.parents and not isinstance(path, Address):
        return path.relative_to(folder).as_posix()
    return str(path)


def _check_below(photos: list[_Labelled], folder: Path) -> None:
    away = next((each for each in photos if Path(each.path).is_absolute()), None)
    if away is not None:
        raise UsageError(
            f"--format imagefolder: {away.path} does not lie below {folder}, as the format asks; take --format csv"
        )


def _rows(photos: list[_Labelled], form: str) -> Iterator[list[str]]:
    if form == "imagefolder":
        yield ["file_name", "label"]
        yield from ([each.path, each.label] for each in photos)
        return
    yield ["path", "label", "reviewed"]
    yield from ([each.path, each.label, "yes" if each.reviewed else "no"] for each in photos)


def _coco(photos: list[_Labelled], classes: tuple[str, ...]) -> dict[str, Any]:
    """One annotation a photo. Its box is the whole photo. Source: https://cocodataset.org/#format-data"""
    codes = {name: number for number, name in enumerate(classes, 1)}
    return {
        "info": {"description": "labels of sorter"},
        "images": [
            {"id": number, "file_name": each.path, "width": each.width, "height": each.height}
            for number, each in enumerate(photos, 1)
        ],
        "categories": [{"id": code, "name": name} for name, code in codes.items()],
        "annotations": [
            {
                "id": number,
                "image_id": number,
                "category_id": codes[each.label],
                "bbox": [0, 0, each.width, each.height],
                "area": each.width * each.height,
                "iscrowd": 0,
            }
            for number, each in enumerate(photos, 1)
        ],
    }
