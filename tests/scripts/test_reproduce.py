"""The page of results: what was measured, what is missing, and commands that `sorter train` takes."""

import zipfile
from pathlib import Path

import pytest

pytest.importorskip("psutil")

import reproduce
from support.machines import MACHINE

from sorter.cli import build_parser

RUN = {"accuracy": 0.96, "precision": 0.9, "n": 100, "minutes": 3.0, "waiting": 0.01, "machine": MACHINE}


@pytest.mark.parametrize("experiment", reproduce.EXPERIMENTS, ids=lambda each: each.name)
def test_commands_parse_and_name_their_data(experiment: reproduce.Experiment) -> None:
    command = experiment.command(Path("data"), Path("out"), 3)
    arguments = build_parser().parse_args(command[1:])
    assert (arguments.recipe, arguments.seed) == (experiment.recipe, 3)
    assert experiment.data in reproduce.PREPARED


def test_page_gives_mean_and_deviation_of_seeds_and_names_what_is_missing() -> None:
    kept = {
        "small-cnn": {"0": RUN, "1": RUN | {"accuracy": 0.98}},
        "resnet50-sigmoid": {"0": {"error": "no network", "machine": MACHINE}},
    }
    page = reproduce.page(kept)
    (measured,) = [line for line in page.splitlines() if line.startswith("| `small-cnn`")]
    assert "97.00 % ± 1.41" in measured and "95.37 %" in measured
    (missing,) = [line for line in page.splitlines() if line.startswith("| `resnet50-sigmoid`")]
    assert "not measured" in missing
    assert "- `resnet50-sigmoid`: ImageNet weights of resnet50" in page
    assert "- `fast-cifar10`: not run yet" in page
    assert "- `small-cnn`" not in page


def test_vehicles_and_animals_are_the_ten_classes_in_two(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "cifar10.zip", "w") as archive:
        for part in ("train", "test"):
            for name in ("ship", "frog", "cat"):
                archive.writestr(f"cifar10/{part}/{name}/0001.jpg", f"{part} {name}")
    folder = reproduce.prepared("vehicles-animals", tmp_path, tmp_path / "work")
    found = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.jpg")}
    assert found == {
        "train/vehicle/ship-0001.jpg": "train ship",
        "train/animal/frog-0001.jpg": "train frog",
        "train/animal/cat-0001.jpg": "train cat",
        "test/vehicle/ship-0001.jpg": "test ship",
        "test/animal/frog-0001.jpg": "test frog",
        "test/animal/cat-0001.jpg": "test cat",
    }


def test_the_page_in_the_documents_is_the_one_that_the_kept_figures_make() -> None:
    assert reproduce.RESULTS.read_text(encoding="utf-8") == reproduce.page(reproduce.read_figures())
