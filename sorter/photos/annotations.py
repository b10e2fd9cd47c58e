"""Exports of annotation tools as rows: COCO, and Label Studio's JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sorter.photos.rows import Row
from sorter.types import UsageError

LOCAL, UPLOAD = "/data/local-files/", "/data/upload/"  # how Label Studio names its own files
UPLOADED = re.compile(r"[0-9a-f]{8}-")  # what it puts before the name of a file that was uploaded


def annotation_rows(path: Path) -> Iterator[Row]:
    """The photos of an export with their labels. A photo with several labels, or none, has an empty one.

    COCO: the label is the category of the photo's annotations. https://cocodataset.org/#format-data
    Label Studio, JSON or JSON-MIN: the choice of an annotation, or the label of its regions.
    https://labelstud.io/guide/export

    Memory: the whole file.

    Raises:
        UsageError: it is neither.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = json.load(file)
        rows = list(_coco_rows(data) if isinstance(data, dict) else _label_studio_rows(path, data))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path}: is no export of COCO or Label Studio ({error!r}); export it anew, or name a table as CSV"
        ) from error
    yield from rows


def _coco_rows(data: Mapping[str, Any]) -> Iterator[Row]:
    names = {each["id"]: each["name"] for each in data["categories"]}
    labels: dict[Any, list[str]] = {}
    for each in data["annotations"]:
        labels.setdefault(each["image_id"], []).append(names[each["category_id"]])
    for number, image in enumerate(data["images"], 1):
        yield Row(number, image["file_name"], _only(labels.get(image["id"], ())))


def _label_studio_rows(path: Path, tasks: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    for number, task in enumerate(tasks, 1):
        if "data" in task:
            source = next(value for value in task["data"].values() if isinstance(value, str))
            image, labels = task["data"].get("image", source), _chosen(task)
        else:  # JSON-MIN
            image, labels = task["image"], [*_names(task.get("choice") or task.get("label") or ())]
        yield Row(number, _file(path.parent, image), _only(labels))


def _chosen(task: Mapping[str, Any]) -> list[str]:
    """The labels of the last annotation that was not cancelled."""
    done = [each for each in task["annotations"] if not each.get("was_cancelled")]
    values = [result.get("value", {}) for result in done[-1]["result"]] if done else []
    return [
        name
        for value in values
        for key, names in value.items()
        if key == "choices" or key.endswith("labels")
        for name in names
    ]


def _names(labels: Any) -> Iterator[str]:
    """The names in what JSON-MIN holds: a name, choices, or regions."""
    if isinstance(labels, str):
        yield labels
    elif isinstance(labels, Mapping):
        for key, names in labels.items():
            if key == "choices" or key.endswith("labels"):
                yield from _names(names)
    else:
        for each in labels:
            yield from _names(each)


def _only(labels: Iterable[str]) -> str:
    """The label of all annotations, or nothing where they differ."""
    names = set(labels)
    return names.pop() if len(names) == 1 else ""


def _file(folder: Path, image: str) -> str:
    """Where the file of a task lies. Label Studio's own addresses become names beside the export."""
    parts = urlsplit(image)
    if parts.path.startswith(LOCAL):
        return parse_qs(parts.query).get("d", [""])[0]
    if not parts.path.startswith(UPLOAD):
        return image
    name = unquote(parts.path).rpartition("/")[2]
    plain = UPLOADED.sub("", name, count=1) if UPLOADED.match(name) else name
    tried = (name, f"images/{name}", plain, f"images/{plain}")
    return next((each for each in tried if (folder / each).exists()), plain)
