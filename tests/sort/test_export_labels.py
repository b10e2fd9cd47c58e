"""`sorter export-labels`: each format is what other programs read, and what sorter reads back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from support.commands import Sorter
from support.sorted_folder import make_output

from sorter.photos.labelled import read_labelled
from sorter.sort.export_labels import FORMATS, NAMES, ExportLabelsOptions, export_labels
from sorter.sort.review import Review
from sorter.types import ActionKind, UsageError

SCORES = [0.9, 0.8, 0.2, 0.1, 0.95, 0.3]


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    """Six sorted photos. The first is corrected to blue, the third confirmed, the last set aside."""
    out = make_output(tmp_path / "sorted", SCORES)
    review = Review.open(out)
    try:
        ids = review.table.id.tolist()
        review.assign([ids[0], ids[2]], "blue")
        review.set_aside([ids[5]])
    finally:
        review.close()
    return out


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_read_back(reviewed: Path, form: str) -> None:
    done = export_labels(ExportLabelsOptions(reviewed, form))
    assert (done.out, done.photos, done.left_out) == (reviewed / NAMES[form], 5, 2)
    found = read_labelled(done.out, 0)
    assert found.classes == ("blue", "red")
    assert sorted(found.classes[each.label] for each in found.parts[None]) == ["blue"] * 3 + ["red"] * 2
    assert all(each.photo.size for each in found.parts[None])
    assert all(each.photo.relative.parts[0] in ("red", "blue") for each in found.parts[None])


def test_coco_holds_sizes_and_one_annotation_a_photo(reviewed: Path) -> None:
    data = json.loads(export_labels(ExportLabelsOptions(reviewed, "coco")).out.read_text())
    assert [each["name"] for each in data["categories"]] == ["red", "blue"]
    assert {(each["width"], each["height"]) for each in data["images"]} == {(48, 32)}
    assert [each["image_id"] for each in data["annotations"]] == [each["id"] for each in data["images"]]
    assert data["annotations"][0]["category_id"] == 2  # the person's, not the model's


def test_only_reviewed_photos_elsewhere(reviewed: Path, tmp_path: Path) -> None:
    done = export_labels(
        ExportLabelsOptions(reviewed, "csv", tmp_path / "lists" / "labels.csv", reviewed=True)
    )
    with done.out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["label"], row["reviewed"]) for row in rows] == [("blue", "yes")] * 2
    assert all(Path(row["path"]).is_absolute() for row in rows)


def test_nothing_is_replaced_and_what_cannot_be_named_is_refused(tmp_path: Path, sorter: Sorter) -> None:
    out = make_output(tmp_path / "sorted", SCORES, ActionKind.NONE)
    (tmp_path / "mine.csv").write_text("mine")
    for given, message in (
        (("--out", tmp_path / "mine.csv"), "exists already"),
        (("--format", "imagefolder"), "does not lie below"),
        (("--reviewed",), "no photo has a class to export"),
    ):
        done = sorter("export-labels", out, *given)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
    assert (tmp_path / "mine.csv").read_text() == "mine"
    done = sorter("export-labels", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"out": str(out / "labels.csv"), "photos": 6, "left_out": 1}
    with pytest.raises(UsageError):
        export_labels(ExportLabelsOptions(out, "yolo"))
