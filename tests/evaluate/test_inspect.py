"""`sorter inspect`: what it counts and measures, against values known beforehand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.commands import Sorter
from support.pages import check_page
from support.photos import BLUE, RED, make_photo

pytest.importorskip("matplotlib")

from sorter.evaluate.inspect import InspectOptions, inspect_folders
from sorter.evaluate.photo_statistics import MeasurePhoto
from sorter.types import Limits, Photo, UsageError


def flat(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (80, 40)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def scene(path: Path, seed: int, size: tuple[int, int] = (96, 64), **save: object) -> Path:
    """Coarse random patches: every seed looks different to a perceptual hash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    patches = np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC).save(path, **save)  # type: ignore[arg-type]
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parts with an exact duplicate, a near one across classes and parts, damaged files and an empty class."""
    root = tmp_path_factory.mktemp("data")
    for number in range(5):
        scene(root / "train" / "cat" / f"{number}.png", number)
        scene(root / "train" / "dog" / f"{number}.jpg", 100 + number, (64, 96))
    scene(root / "test" / "dog" / "near.jpg", 0, (192, 128), quality=80)  # cat/0 again, larger
    scene(root / "test" / "cat" / "own.png", 300)
    shutil.copy(root / "train" / "cat" / "1.png", root / "train" / "cat" / "copy.png")
    (root / "train" / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (root / "train" / "dog" / "notes.txt").write_text("x")
    return root


def test_it_finds_what_is_there(data: Path, sorter: Sorter, tmp_path: Path) -> None:
    done = sorter("inspect", data, "--out", tmp_path / "out", "--json", "-j", "2")
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert found["photos"] == {"train": {"cat": 6, "dog": 5}, "test": {"cat": 1, "dog": 1}}
    assert found["total"] == 13
    assert found["formats"] == {"PNG": 7, "JPEG": 6}
    assert found["imbalance"] == pytest.approx(7 / 6)
    assert (found["width"]["least"], found["width"]["most"]) == (64, 192)
    assert found["aspect"]["median"] == pytest.approx(1.5)
    doubles = found["duplicates"]
    assert (doubles["exact"], doubles["near"]) == (1, 1)
    assert (doubles["across_classes"], doubles["across_splits"]) == (2, 2)
    assert {Path(path).name for path in doubles["groups"][0]} == {"0.png", "near.jpg"}
    assert sum(found["failed"].values()) == 1
    assert found["skipped"] == {"other-file": 1}
    assert {Path(path).name for path, _ in found["failures"]} == {"broken.png", "notes.txt"}
    assert json.loads((tmp_path / "out" / "inspection.json").read_text()) == found
    page = check_page(tmp_path / "out" / "report.html")
    assert page.tags.count("svg") == 4
    assert page.tags.count("img") == 13


def test_the_terminal_summary_names_what_matters(data: Path, sorter: Sorter) -> None:
    done = sorter("inspect", data, "-j", "2")
    for text in (
        "13 photos in 2 classes",
        "6 train, 1 test",
        "1 exact, 1 near",
        "broken.png",
        "another class",
    ):
        assert text in done.stdout


def test_colours_are_measured_right(tmp_path: Path) -> None:
    """Half of the photos black, half of one colour: mean and spread can be told beforehand."""
    for number in range(2):
        flat(tmp_path / "dark" / f"{number}.png", (0, 0, 0))
        flat(tmp_path / "light" / f"{number}.png", (255, 102, 51), (40, 40))
    found = inspect_folders(InspectOptions(tmp_path, workers=1))
    assert found.mean == pytest.approx((0.5, 0.2, 0.1))
    assert found.std == pytest.approx((0.5, 0.2, 0.1))
    assert found.brightness is not None
    assert found.brightness.most == pytest.approx(0.299 + 0.587 * 0.4 + 0.114 * 0.2)
    assert found.brightness.least == 0
    assert found.failed == {}
    assert found.page is None


def test_a_look_is_that_of_the_pixels(tmp_path: Path) -> None:
    path = make_photo(tmp_path / "a.png", RED)
    look = MeasurePhoto(Limits()).start()(Photo(path, Path("a.png"), 1, 1))
    pixels = np.asarray(Image.open(path)) / 255
    assert look.mean == pytest.approx(pixels.mean(axis=(0, 1)))
    assert look.square == pytest.approx((pixels**2).mean(axis=(0, 1)))
    levels = np.array(look.levels).reshape(3, 32)
    expected = [
        np.histogram(pixels[..., c] * 255, np.linspace(0, 256, 33))[0] / pixels[..., c].size for c in range(3)
    ]
    np.testing.assert_allclose(levels, expected)
    assert (look.width, look.height, look.format) == (96, 64, "PNG")


def test_folders_that_hold_no_photo_are_told_of(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="hold no files"):
        inspect_folders(InspectOptions(tmp_path))
    (tmp_path / "a" / "x.jpg").write_bytes(b"")
    found = inspect_folders(InspectOptions(tmp_path, out=tmp_path.parent / f"{tmp_path.name}-out", workers=1))
    assert (found.total, found.failed, found.width, found.mean) == (0, {"empty": 1}, None, None)
    assert found.to_json()["imbalance"] is None
    assert found.page is not None
    check_page(found.page)
    with pytest.raises(UsageError, match="workers"):
        inspect_folders(InspectOptions(tmp_path, workers=0))
    make_photo(tmp_path / "b" / "one.png", BLUE)
    assert inspect_folders(InspectOptions(tmp_path, workers=1)).photos == {"all": {"a": 0, "b": 1}}


def test_a_table_of_labels_is_inspected(tmp_path: Path, sorter: Sorter) -> None:
    for number in range(4):
        make_photo(tmp_path / f"{number}.jpg", RED if number % 2 else BLUE, seed=number)
    rows = [
        f"{number}.jpg,{'red' if number % 2 else 'blue'},{'train' if number < 2 else 'test'}"
        for number in range(4)
    ]
    (tmp_path / "labels.csv").write_text("\n".join(("path,label,split", *rows)), encoding="utf-8")
    for given in ((tmp_path / "labels.csv",), ("--from", tmp_path / "labels.csv")):
        done = sorter("inspect", *given, "--json", "-j", "1")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["photos"] == {
            "train": {"blue": 1, "red": 1},
            "test": {"blue": 1, "red": 1},
        }
