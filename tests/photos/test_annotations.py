"""Exports of annotation tools as tables of labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sorter.photos.rows import FileList, read_rows
from sorter.types import UsageError


def labels(folder: Path, data: Any) -> list[tuple[str, str | None]]:
    path = folder / "export.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return [(row.path, row.label) for row in read_rows(FileList(path))]


def test_coco(tmp_path: Path) -> None:
    boxes = [(1, 7), (1, 7), (2, 9), (3, 7), (3, 9)]
    data = {
        "images": [{"id": number, "file_name": f"a/{number}.jpg"} for number in (1, 2, 3, 4)],
        "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}],
        "annotations": [{"id": n, "image_id": i, "category_id": c} for n, (i, c) in enumerate(boxes)],
    }
    assert labels(tmp_path, data) == [
        ("a/1.jpg", "cat"),
        ("a/2.jpg", "dog"),
        ("a/3.jpg", ""),
        ("a/4.jpg", ""),
    ]


def task(image: str, *annotations: list[dict[str, Any]], cancelled: bool = False) -> dict[str, Any]:
    return {
        "data": {"image": image},
        "annotations": [{"result": result, "was_cancelled": cancelled} for result in annotations],
    }


def test_label_studio(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "0123abcd-5.jpg").touch()
    (tmp_path / "6.jpg").touch()

    def choice(*names: str) -> list[dict[str, Any]]:
        return [{"type": "choices", "value": {"choices": list(names)}}]

    box = [{"type": "rectanglelabels", "value": {"x": 1, "rectanglelabels": ["dog"]}}]
    data = [
        task("s3://bucket/1.jpg", choice("cat")),
        task("/data/local-files/?d=photos/2%20b.jpg", choice("cat"), choice("dog")),
        task("3.jpg", choice("cat", "dog")),
        task("4.jpg", choice("cat"), cancelled=True),
        task("/data/upload/1/0123abcd-5.jpg", box),
        task("/data/upload/1/89abcdef-6.jpg", box + box),
        task("7.jpg"),
    ]
    assert labels(tmp_path, data) == [
        ("s3://bucket/1.jpg", "cat"),
        ("photos/2 b.jpg", "dog"),
        ("3.jpg", ""),
        ("4.jpg", ""),
        ("images/0123abcd-5.jpg", "dog"),
        ("6.jpg", "dog"),
        ("7.jpg", ""),
    ]
    least = [
        {"image": "1.jpg", "choice": "cat"},
        {"image": "2.jpg", "choice": {"choices": ["cat", "dog"]}},
        {"image": "3.jpg", "label": [{"x": 1, "rectanglelabels": ["dog"]}]},
        {"image": "4.jpg"},
    ]
    assert labels(tmp_path, least) == [("1.jpg", "cat"), ("2.jpg", ""), ("3.jpg", "dog"), ("4.jpg", "")]


@pytest.mark.parametrize(
    "data", [{}, {"images": 3}, [1], 3, {"images": [], "annotations": [{}], "categories": []}]
)
def test_another_json_is_refused(tmp_path: Path, data: Any) -> None:
    with pytest.raises(UsageError, match="no export of COCO or Label Studio"):
        labels(tmp_path, data)
