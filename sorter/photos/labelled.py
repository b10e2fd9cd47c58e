"""Labelled photos from wherever they are: class folders, a table of labels, or a list of files in class folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sorter.photos.dataset import MIN_EXAMPLES, Example, Labelled, check_sizes, read_folders
from sorter.photos.groups import with_groups
from sorter.photos.listing import ListedFile, Listing
from sorter.photos.rows import FileList, read_rows
from sorter.photos.scan import natural_order
from sorter.types import PARTS, Photo, UsageError

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")  # of Hugging Face's imagefolder


def read_labelled(
    data: Path,
    least: int = MIN_EXAMPLES,
    include_protected: bool = False,
    say: Callable[[str], None] = lambda message: None,
    listing: FileList | None = None,
    group_by: str | None = None,
) -> Labelled:
    """The labelled photos of class folders, of a table, or of a list.

    A table has a column with paths, as in `sorter.photos.rows`, and a column `label` or `class`. It may have `split`
    and `group`. Without a label column, the class is the folder that holds the file, and a folder `train`, `val` or
    `test` above it is the part. Photos without a label are left out. A row without a split, where others have one,
    belongs to `train`.

    Args:
        data: class folders, or a table; a folder with `metadata.csv` or the like is read as Hugging Face does.
        least, include_protected, say: as for `read_folders`.
        listing: a list to read instead of `data`.
        group_by: as for `with_groups`.

    Raises:
        UsageError: as `read_folders`; or a split that has another name, or a photo with two labels.
        SorterError: as `sorter.photos.rows.read_rows`.
    """
    tables = [_Table(listing)] if listing is not None else _tables(data)
    if not tables:
        classes, parts = read_folders(data, least, include_protected, say)
        return Labelled(classes, with_groups(parts, group_by, in_class_folders=True))
    found = [each for table in tables for each in _labelled(table, say)]
    labelled = _in_parts(data, found)
    learning = "train" if "train" in labelled.parts else None
    if least and learning not in labelled.parts:
        raise UsageError(f"{data}: no row has the split train; name the photos to learn from")
    check_sizes(data, labelled.classes, labelled.parts.get(learning, ()), least)
    return replace(labelled, parts=with_groups(labelled.parts, group_by, in_class_folders=False))


@dataclass(frozen=True)
class _Table:
    """A table, and the part that its rows belong to where they do not say."""

    files: FileList
    part: str = ""


@dataclass(frozen=True, slots=True)
class _LabelledPhoto:
    photo: Photo
    label: str
    part: str
    group: str


def _tables(data: Path) -> list[_Table]:
    """The tables of `data`; none where it is class folders."""
    if not data.exists():
        return []
    if not data.is_dir():
        return [_Table(FileList(data.absolute()))]
    folders = [data, *sorted(each for each in data.iterdir() if each.name.lower() in PARTS and each.is_dir())]
    found = [(folder, folder / name) for folder in folders for name in METADATA if (folder / name).is_file()]
    return [
        _Table(FileList(path.absolute()), "" if folder == data else PARTS[folder.name.lower()])
        for folder, path in found
        if _has_labels(path)
    ]


def _has_labels(path: Path) -> bool:
    row = next(read_rows(FileList(path)), None)
    return row is not None and row.label is not None


def _labelled(table: _Table, say: Callable[[str], None]) -> Iterator[_LabelledPhoto]:
    """The photos of a table that have labels, each once."""
    labels: dict[Path, str] = {}
    unlabelled = 0
    by_column: bool | None = None
    for each in Listing(table.files).entries():
        row, photo = each.row, each.item if isinstance(each.item, Photo) else each.item.photo
        by_column = row.label is not None if by_column is None else by_column
        label = (row.label or "").strip() if by_column else photo.path.parent.name
        if not label or not row.path:
            unlabelled += 1
            continue
        if labels.setdefault(photo.path, label) != label:
            raise UsageError(
                f"{table.files.name}: row {row.number} gives {row.path} the label {label}, an earlier one "
                f"{labels[photo.path]}; keep one of them"
            )
        if not each.again:
            part = _part(table, each) if row.split or by_column else _part_above(photo.path)
            yield _LabelledPhoto(photo, label, part, row.group)
    if unlabelled:
        say(f"{table.files.name}: {unlabelled:,} rows have no label, or several, and are left out")


def _part(table: _Table, each: ListedFile) -> str:
    word = each.row.split.strip().lower()
    if not word:
        return table.part
    if word not in PARTS:
        raise UsageError(
            f"{table.files.name}: row {each.row.number} has the split {each.row.split!r}; name it train, val or test"
        )
    return PARTS[word]


def _part_above(path: Path) -> str:
    """The part that the folder above the class folder names, or nothing."""
    return PARTS.get(path.parent.parent.name.lower(), "")


def _in_parts(data: Path, found: Iterable[_LabelledPhoto]) -> Labelled:
    """Examples by part, those of a part class by class."""
    found = list(found)
    classes = tuple(sorted({each.label for each in found}, key=natural_order()))
    if len(classes) < 2:
        only = f"only {classes[0]}" if classes else "none"
        raise UsageError(f"{data}: two or more labels are needed, there is {only}; give each photo a label")
    code = {name: number for number, name in enumerate(classes)}
    named = any(each.part for each in found)
    parts: dict[str | None, list[Example]] = {}
    for each in sorted(found, key=lambda each: code[each.label]):
        part = (each.part or "train") if named else None
        parts.setdefault(part, []).append(Example(each.photo, code[each.label], each.group))
    return Labelled(classes, parts)
