"""From a TOML file to a folder that can be trained on, all four steps, with local sources."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import build_dataset
import pytest
from support.commands import hashes
from support.misbehaving_server import picture

from sorter.photos.dataset import read_folders
from sorter.types import UsageError

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    for at in range(24):
        folder = tmp_path / "sources" / ("red" if at % 2 else "blue")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{at}.jpg").write_bytes(picture(at))
    (tmp_path / "sources" / "red" / "broken.jpg").write_bytes(picture(1)[:2000])
    (tmp_path / "sources" / "red" / "double.jpg").write_bytes(picture(1))
    path = tmp_path / "plan.toml"
    path.write_text(
        'sources = ["folder"]\n[classes]\nred = ["sources/red"]\nblue = ["sources/blue"]\n'
        "[split]\nval = 0.2\ntest = 0.2\nseed = 3\n"
    )
    return path


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(SCRIPTS / "build_dataset.py"), *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.slow
def test_one_command_gives_what_training_takes(plan: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(plan, "--out", out, "-j", "1", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["collected"]["classes"]["red"] == {"kept": 12, "broken": 1, "duplicate": 1}
    assert figures["split"]["photos"] == {
        "train": {"blue": 8, "red": 8},
        "val": {"blue": 2, "red": 2},
        "test": {"blue": 2, "red": 2},
    }
    classes, parts = read_folders(out / "split")
    assert classes == ("blue", "red")
    assert {part: len(some) for part, some in parts.items()} == {"train": 16, "val": 4, "test": 4}
    assert (out / "inspection" / "report.html").exists() and (out / "collected" / "ATTRIBUTION.md").exists()
    pictures = [digest for name, digest in hashes(out / "split").items() if name.endswith(".jpg")]
    assert len(set(pictures)) == len(pictures) == 24, "no picture is in two parts"

    # Somebody takes one out: the same command goes on, and leaves the rest as it was.
    next((out / "collected" / "red").iterdir()).unlink()
    again = run(plan, "--out", out, "-j", "1")
    assert again.returncode == 0, again.stderr
    assert "sorter train" in again.stdout
    assert len(list((out / "split").rglob("*.jpg"))) == 23


def test_a_split_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "split").mkdir()
    (tmp_path / "split" / "precious.txt").write_text("x")
    with pytest.raises(build_dataset.SorterError, match="move it away"):
        build_dataset.write_split(None, tmp_path / "split", None)
    assert (tmp_path / "split" / "precious.txt").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("classes = 3", "needs a table"),
        ("[classes]\na = ['x']", "two or more"),
        ("[classes]\na = [1]\nb = ['x']", "no text"),
        ("limt = 3\n[classes]\na = ['x']\nb = ['y']", "unknown keys: limt;"),
        ("[classes]\na = ['x']\nb = ['y']\n[split]\nvalue = 1", "unknown keys: split.value;"),
        ("limit = 'x'\n[classes]\na = ['x']\nb = ['y']", "no number"),
        ("[classes", "plan.toml"),
    ],
)
def test_a_plan_that_means_nothing(
    text: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(UsageError, match=expected):
        build_dataset.read_plan(tmp_path / "plan.toml")
    assert build_dataset.main([str(tmp_path / "plan.toml"), "--out", str(tmp_path / "out")]) == 2
    assert expected in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["car.toml", "crossing.toml"])
def test_the_examples_can_be_read(name: str) -> None:
    plan = build_dataset.read_plan(SCRIPTS / name)
    assert len(plan.classes) == 2 and all(len(queries) > 4 for _, queries in plan.classes)
    assert plan.sources == ("openverse",)
    assert build_dataset.Licences.parse(plan.licences).openverse == "by,by-sa,cc0,pdm"
    assert plan.val == plan.test == 0.15
