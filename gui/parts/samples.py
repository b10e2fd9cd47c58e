"""Pictures that the app draws, so that it can be tried without photos: forests, seas and sunsets."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE = (640, 480)  # pixels
SCENES = ("forest", "sea", "sunset")
EXAMPLES, PHOTOS = 10, 20  # of each scene
QUALITY = 88  # of the JPEGs
FIRST = 1000  # seed of the pictures to sort: none of them is an example


@dataclass(frozen=True, slots=True)
class Samples:
    """Folders of drawn pictures.

    Attributes:
        examples: scene -> the folder of its examples.
        photos: the folder of pictures to sort.
    """

    examples: dict[str, Path]
    photos: Path


def draw_samples(folder: Path) -> Samples:
    """Draw examples of each scene, and other pictures to sort. What an earlier call drew is drawn anew."""
    shutil.rmtree(folder, ignore_errors=True)
    samples = Samples({scene: folder / "examples" / scene for scene in SCENES}, folder / "photos")
    samples.photos.mkdir(parents=True)
    for scene, examples in samples.examples.items():
        examples.mkdir(parents=True)
        for number in range(EXAMPLES):
            draw(scene, number).save(examples / f"{number}.jpg", quality=QUALITY)
    for number in range(PHOTOS):
        for place, scene in enumerate(SCENES):
            name = f"IMG_{2001 + number * len(SCENES) + place}.jpg"
            draw(scene, FIRST + number).save(samples.photos / name, quality=QUALITY)
    return samples


def draw(scene: str, seed: int, dusk: float = 0.0) -> Image.Image:
    """A scene that a child could have drawn, on noise like a camera's.

    Args:
        dusk: how much of a sunset's light falls on it, 0 to 1.
    """
    random = np.random.default_rng([SCENES.index(scene), seed])
    width, height = SIZE
    day = np.array([(120, 175, 225), (205, 225, 240)], float)
    evening = np.array([(70, 40, 110), (250, 140, 60)], float)
    light = 1.0 if scene == "sunset" else dusk
    top, bottom = day * (1 - light) + evening * light + random.normal(0, 10, (2, 3))
    rise = np.linspace(0, 1, height)[:, None, None]
    pixels = (
        np.broadcast_to(top * (1 - rise) + bottom * rise, (height, width, 3)).clip(0, 255).astype(np.uint8)
    )
    image = Image.fromarray(pixels.copy())
    brush = ImageDraw.Draw(image)
    horizon = int(height * random.uniform(0.45, 0.65))
    if light > 0.5:
        x, y, r = random.uniform(80, width - 80), horizon - random.uniform(0, 90), random.uniform(28, 48)
        brush.ellipse((x - r, y - r, x + r, y + r), fill=(255, 225, 150))
    _hills(brush, random, horizon, (35, 30, 45) if light > 0.5 else (110, 140, 120))
    if scene == "forest":
        _trees(brush, random, horizon, 1 - 0.6 * light)
    elif scene == "sea":
        _waves(brush, random, horizon, light)
    noise = random.normal(0, 5, (height, width, 1))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def _hills(
    brush: ImageDraw.ImageDraw, random: np.random.Generator, horizon: int, colour: tuple[int, int, int]
) -> None:
    width, height = SIZE
    x = np.arange(0, width + 1, 8)
    y = np.full(len(x), float(horizon))
    for _ in range(3):
        y += random.uniform(4, 26) * np.sin(x / random.uniform(40, 160) + random.uniform(0, 6))
    line = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    brush.polygon([(0, height), *line, (width, height)], fill=colour)


def _trees(brush: ImageDraw.ImageDraw, random: np.random.Generator, horizon: int, light: float) -> None:
    width, height = SIZE
    for y in np.sort(random.uniform(horizon - 10, height + 40, 90)):
        x, h = random.uniform(-20, width + 20), random.uniform(60, 130) * (0.5 + y / height)
        green = tuple(int(c * light * random.uniform(0.7, 1.1)) for c in (45, 110, 50))
        for part in (1.0, 0.75, 0.5):
            w = h * 0.28 * part
            brush.polygon([(x - w, y - h * (1 - part)), (x + w, y - h * (1 - part)), (x, y - h)], fill=green)


def _waves(brush: ImageDraw.ImageDraw, random: np.random.Generator, horizon: int, light: float) -> None:
    width, height = SIZE
    deep = np.array((30, 90, 140)) * (1 - light) + np.array((70, 50, 90)) * light
    brush.rectangle((0, horizon, width, height), fill=tuple(int(c) for c in deep))
    for y in range(horizon + 6, height, 12):
        x = np.arange(0, width + 1, 10)
        wave = y + 3 * np.sin(x / random.uniform(14, 40) + random.uniform(0, 6))
        tint = tuple(int(c + random.uniform(15, 60)) for c in deep)
        brush.line([(float(a), float(b)) for a, b in zip(x, wave, strict=True)], fill=tint, width=2)
    left, top = random.uniform(80, width - 80), horizon + random.uniform(20, 90)
    sail = ((0, -60), (0, 0), (34, 0))
    hull = ((-30, 4), (40, 4), (26, 16), (-18, 16))
    for shape, fill in ((sail, (240, 240, 235)), (hull, (90, 50, 40))):
        brush.polygon([(left + dx, top + dy) for dx, dy in shape], fill=fill)
