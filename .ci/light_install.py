"""Prove the light install, with its own Python, from a directory that holds nothing of the checkout."""

from __future__ import annotations

import csv
import subprocess
import sys
import zipfile
from importlib import metadata, util
from pathlib import Path

from PIL import Image, ImageDraw

COUNT = 24


def draw(path: Path, number: int) -> None:
    """A flat picture; what the model says of it does not matter here, that it says something does."""
    image = Image.new("RGB", (320, 240), (number * 10 % 255, 90, 160))
    ImageDraw.Draw(image).rectangle((40 + number, 60, 200, 180), fill=(200, number * 7 % 255, 40))
    image.save(path)


def main() -> None:
    names = {Path(name).parts[0] for name in zipfile.ZipFile(sys.argv[1]).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"sorter"}, names
    for absent in ("torch", "PySide6", "ray"):
        assert util.find_spec(absent) is None, f"the light install brought {absent}"

    photos = Path("photos")
    photos.mkdir()
    for number in range(COUNT):
        draw(photos / f"{number}.{('jpg', 'png', 'webp', 'gif')[number % 4]}", number)
    command = [str(Path(sys.executable).with_name("sorter"))]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    assert version == f"sorter {metadata.version('sorter-photos')}\n", version
    subprocess.run([*command, "run", "photos", "--out", "sorted"], check=True, timeout=300)
    with Path("sorted/report.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["sorted"] * COUNT, rows
    assert all(Path(row["destination"]).is_file() for row in rows)
    subprocess.run([*command, "undo", "sorted"], check=True, timeout=60)
    assert not list(Path("sorted").glob("*car"))
    print(f"wheel: {COUNT} photos sorted and put back without torch")


if __name__ == "__main__":
    main()
