"""The photos of each experiment in `reproduce`, as folders that `sorter train` takes."""

from __future__ import annotations

import csv
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import say

VEHICLES = ("airplane", "automobile", "ship", "truck")

Prepare = Callable[[Path, Path], None]


def cifar10(source: Path, folder: Path) -> None:
    """Ten classes, 50,000 photos to learn from and 10,000 to test with."""
    with zipfile.ZipFile(source / "cifar10.zip") as archive:
        archive.extractall(folder.parent)  # the archive holds a folder of the wanted name


def vehicles_animals(source: Path, folder: Path) -> None:
    """The same photos in two classes: four kinds of vehicle, six of animal."""
    ten = prepared("cifar10", source, folder.parent)
    for photo in sorted(ten.glob("*/*/*.jpg")):
        part, name = photo.parts[-3:-1]
        into = folder / part / ("vehicle" if name in VEHICLES else "animal")
        into.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo, into / f"{name}-{photo.name}")


def car(source: Path, folder: Path) -> None:
    """The 200 close-ups of a published car / not-car project."""
    with (source / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "kaggle-cars"]
    with zipfile.ZipFile(source / "kaggle-cars.zip") as archive:
        for row in rows:
            into = folder / row["label"] / Path(row["path"]).name
            into.parent.mkdir(parents=True, exist_ok=True)
            into.write_bytes(archive.read(row["path"]))


def crossing(source: Path, folder: Path) -> None:
    """Streets with people, and roads with nobody on them."""
    with (source / "crossing.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with zipfile.ZipFile(source / "streets.zip") as archive:
        for row in rows:
            into = folder / row["label"] / "-".join(Path(row["path"]).parts[1:])
            into.parent.mkdir(parents=True, exist_ok=True)
            into.write_bytes(archive.read(row["path"]))


PREPARED: dict[str, Prepare] = {
    "cifar10": cifar10,
    "vehicles-animals": vehicles_animals,
    "car": car,
    "crossing": crossing,
}


def prepared(name: str, source: Path, work: Path) -> Path:
    """The folder of examples. It is made where it is not complete."""
    folder, done = work / name, work / f"{name}.done"
    if not done.exists():
        say(f"preparing {name}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        PREPARED[name](source, folder)
        done.touch()
    return folder
