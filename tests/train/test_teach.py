"""A model taught by a few photos of each class, without torch and without class folders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.photos import BLUE, RED, make_photo

from sorter.model.folder import ClassNameError, read_model
from sorter.progress import NoProgress
from sorter.train.teach import TaughtClass, TeachOptions, find_photos, teach
from sorter.types import UsageError

CALL = """
import json, sys
from pathlib import Path
from sorter.progress import NoProgress
from sorter.train.teach import TaughtClass, TeachOptions, teach

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    files = tuple(sorted((folder / "mixed").glob("blue*")))
    classes = (TaughtClass("Rot", (folder / "red",)), TaughtClass("Blau", files))
    taught = teach(TeachOptions(classes, folder / "models" / "Farben", workers=1), NoProgress())
    print(json.dumps([taught.classes, taught.photos, taught.tested, taught.right, "torch" in sys.modules]))
"""


def photos_in(folder: Path, name: str, colour: tuple[int, int, int], count: int) -> tuple[Path, ...]:
    # Stripes of another place each, so that the photos do not look alike.
    return tuple(
        make_photo(folder / f"{name}{n}.jpg", colour, (90 + 7 * n, 64 + 5 * (n % 3)), seed=n)
        for n in range(count)
    )


@pytest.mark.slow
def test_folders_and_files_become_a_model_without_torch(tmp_path: Path) -> None:
    photos_in(tmp_path / "red", "red", RED, 5)
    photos_in(tmp_path / "mixed", "blue", BLUE, 5)
    (tmp_path / "red" / "notes.txt").write_text("no photo")
    script = tmp_path / "call.py"
    script.write_text(CALL)
    done = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    classes, photos, tested, right, torch = json.loads(done.stdout)
    assert (classes, photos, tested, right) == (["Rot", "Blau"], 10, 10, 10)
    assert not torch
    model = read_model(tmp_path / "models" / "Farben")
    assert (model.name, model.classes) == ("Farben", ("Rot", "Blau"))
    assert model.positive == "Rot"


def test_what_cannot_be_taught_is_said_before_anything_is_written(tmp_path: Path) -> None:
    red = photos_in(tmp_path / "red", "red", RED, 5)
    blue = photos_in(tmp_path / "blue", "blue", BLUE, 3)
    model = tmp_path / "model"

    def learn(*classes: TaughtClass) -> None:
        teach(TeachOptions(classes, model, workers=1), NoProgress())

    with pytest.raises(UsageError, match="two classes or more"):
        learn(TaughtClass("red", red))
    with pytest.raises(UsageError, match="blue: has only 3 photos to train on, and needs at least 4"):
        learn(TaughtClass("red", red), TaughtClass("blue", blue))
    with pytest.raises(UsageError, match=r"red0\.jpg: is an example of red and of blue"):
        learn(TaughtClass("red", red), TaughtClass("blue", (*blue, red[0])))
    with pytest.raises(ClassNameError):
        learn(TaughtClass("red", red), TaughtClass("Red", blue))
    assert not model.exists()


def test_photos_are_found_once_among_files_and_folders(tmp_path: Path) -> None:
    red = photos_in(tmp_path / "red", "red", RED, 3)
    (tmp_path / "red" / "notes.txt").write_text("no photo")
    found = find_photos((tmp_path / "red", red[0]))
    assert {each.path for each in found} == set(red)
    with pytest.raises(UsageError, match="No such file"):
        find_photos((tmp_path / "nowhere",))
