"""Photos in class folders, as `sorter train` and its peers take them."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from photos import SMALL, make_set
from PIL import Image, ImageDraw

from benchmarks.process import BenchmarkError

SHARES = {"train": 0.6, "val": 0.15, "test": 0.25}
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def draw_classes(folder: Path, n: int) -> Path:
    """Class folders `car` and `not-car` of `n` photos in all. Every other made photo gets a car drawn into it."""
    made = make_set(folder.with_name(f"{folder.name}-plain"), replace(SMALL, originals=n), n)
    shutil.rmtree(folder, ignore_errors=True)
    for label in ("car", "not-car"):
        (folder / label).mkdir(parents=True)
    for index, path in enumerate(made):
        if index % 2:
            shutil.copy2(path, folder / "not-car")
        else:
            with Image.open(path) as image:
                draw_car(image, np.random.default_rng([SMALL.width, index]))
                image.save(folder / "car" / path.name, quality=90)
    return folder


def draw_car(image: Image.Image, rng: np.random.Generator) -> None:
    """A side view: body, cabin, two wheels. Colour, size and place are random."""
    draw = ImageDraw.Draw(image)
    width = rng.uniform(0.4, 0.8) * image.width
    height = width * rng.uniform(0.22, 0.3)
    x = rng.uniform(0, image.width - width)
    y = rng.uniform(height, image.height - 1.6 * height)
    colour = tuple(int(value) for value in rng.integers(30, 250, 3))
    draw.rounded_rectangle((x, y, x + width, y + height), height / 4, colour)
    roof = [(0.18, 0.0), (0.3, -0.8), (0.65, -0.8), (0.82, 0.0)]
    draw.polygon([(x + u * width, y + v * height) for u, v in roof], colour)
    window = [(0.24, 0.0), (0.33, -0.65), (0.62, -0.65), (0.74, 0.0)]
    draw.polygon([(x + u * width, y + v * height) for u, v in window], (40, 50, 60))
    for u in (0.22, 0.78):
        for radius, grey in ((0.45, 20), (0.22, 170)):
            at = (x + u * width, y + height)
            draw.circle(at, radius * height, (grey, grey, grey))


def divide(data: Path, target: Path, n: int, seed: int) -> dict[str, int]:
    """Copy `n` photos, equally many of each class folder, into train/, val/ and test/ of class folders.

    Returns:
        How many photos each part has.

    Raises:
        BenchmarkError: fewer than two class folders, or too few photos in one.
    """
    classes = sorted(path for path in data.iterdir() if path.is_dir() and not path.name.startswith("."))
    each = n // max(len(classes), 1)
    counts = dict.fromkeys(SHARES, 0)
    if len(classes) < 2 or each < 10:
        raise BenchmarkError(f"{data}: two class folders or more, and ten photos of each, are needed")
    shutil.rmtree(target, ignore_errors=True)
    for folder in classes:
        photos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        if len(photos) < each:
            raise BenchmarkError(f"{folder}: has {len(photos)} photos, {each} are needed; lower --photos")
        chosen = random.Random(seed).sample(photos, each)
        first, second = round(each * SHARES["train"]), round(each * (SHARES["train"] + SHARES["val"]))
        parts = zip(SHARES, (chosen[:first], chosen[first:second], chosen[second:]), strict=True)
        for name, some in parts:
            (target / name / folder.name).mkdir(parents=True)
            counts[name] += len(some)
            for number, photo in enumerate(some):
                # Numbered, as photos of several folders below the class may have the same name.
                shutil.copy2(photo, target / name / folder.name / f"{number:05}{photo.suffix.lower()}")
    return counts


def multiply(parts: Path, target: Path, n: int) -> None:
    """Write `n` photos into class folders: those of `parts`, repeated, no two files with the same bytes."""
    shutil.rmtree(target, ignore_errors=True)
    photos = sorted(path for path in parts.rglob("*") if path.is_file())
    for index in range(n):
        photo = photos[index % len(photos)]
        folder = target / photo.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        # Decoders stop at the end of the picture. What follows changes only the file's hash.
        (folder / f"{index:06}{photo.suffix}").write_bytes(photo.read_bytes() + index.to_bytes(4, "big"))
