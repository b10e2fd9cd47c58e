"""Street scenes to train on that are made of photos: parts of annotated frames, and close-ups pasted into scenes.

CamVid's annotations give the share of a frame that is car, not the place. But cars stand on the road, so the upper part
of a frame shows none. Where a frame has almost no car, neither do its left and right thirds, beside the far end of the
road. Such crops are streets without a car. Close-ups are pasted small into scenes, as cars of a size that few photos
have. As many other things are pasted, so that a pasted edge gives nothing away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

NEXT_TO_NONE = 0.0066  # of the frame, which is at most 2 % of a third of it
BUSY = 0.05  # of the frame is car. The band that holds the road then shows cars.
THIRDS = {"left": (0.0, 0.0, 0.38, 1.0), "right": (0.62, 0.0, 1.0, 1.0)}  # left, top, right, bottom
UPPER, BAND = (0.0, 0.0, 1.0, 0.4), (0.0, 0.3, 1.0, 0.9)
ON_STREETS = 0.35  # share of the pasted close-ups whose scene is a street
PASTED_AREA = (0.04, 0.4)  # share of the scene that a close-up covers
SIDE = 288  # pixels, the scene's shorter one
SOURCES = {
    "kaggle-cars": 0.3,
    "natural-images": 0.2,
    "tiny-imagenet": 0.5,
}  # share of the close-ups from each

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Photo:
    """A row of labels.csv.

    Attributes:
        path: the file.
        source: the collection it came from.
        car: None for a street scene with cars that cover less than 2 % of it. It is neither trained on nor counted.
        car_area: share of the frame that is car; NaN where nobody measured it.
    """

    path: Path
    source: str
    car: bool | None
    car_area: float


@dataclass(frozen=True)
class Made:
    """A picture made of photos.

    Attributes:
        path: the file.
        car: its label.
        parts: rows of the photos it was made of. It is trained on only where all of them are.
        kind: `third`, `upper`, `band` or `pasted`.
    """

    path: Path
    car: bool
    parts: tuple[int, ...]
    kind: str


def make_scenes(photos: Sequence[Photo], folder: Path, pasted: int, seed: int) -> list[Made]:
    """Write the crops of all frames, and so many pasted close-ups of cars and of other things each."""
    folder.mkdir(exist_ok=True)
    made = list(_crops(photos, folder))
    streets = [scene for scene in made if scene.kind == "third"]
    return made + _pasted(photos, streets, folder, pasted, np.random.default_rng(seed))


def _crops(photos: Sequence[Photo], folder: Path) -> list[Made]:
    made = []
    for row, photo in enumerate(photos):
        if photo.source != "camvid":
            continue
        boxes: list[tuple[str, Box, bool]] = [("upper", UPPER, False)]
        if photo.car_area < NEXT_TO_NONE:
            boxes += [("third", box, False) for box in THIRDS.values()]
        if photo.car_area > BUSY:
            boxes += [("band", BAND, True)]
        with Image.open(photo.path) as frame:
            for number, (kind, box, car) in enumerate(boxes):
                scale = np.array(frame.size * 2)
                part = frame.convert("RGB").crop(tuple((scale * box).astype(int).tolist()))
                made.append(Made(_save(part, folder / f"{kind}-{row}-{number}.png"), car, (row,), kind))
    return made


def _pasted(
    photos: Sequence[Photo], streets: Sequence[Made], folder: Path, each: int, random: np.random.Generator
) -> list[Made]:
    scenes = [
        (photo.path, row)
        for row, photo in enumerate(photos)
        if photo.car is False and photo.source in ("imagenet-samples", "coco", "kaggle-cars")
    ]
    made = []
    for car in (True, False):
        close_ups = [
            [row for row, photo in enumerate(photos) if photo.source == source and photo.car is car]
            for source in SOURCES
        ]
        for number in range(each):
            if random.random() < ON_STREETS:
                street = streets[random.integers(len(streets))]
                behind, scene = street.path, street.parts[0]
            else:
                behind, scene = scenes[random.integers(len(scenes))]
            of_source = close_ups[random.choice(len(close_ups), p=list(SOURCES.values()))]
            close_up = of_source[random.integers(len(of_source))]
            picture = _paste(behind, photos[close_up].path, random)
            target = folder / f"pasted-{'car' if car else 'other'}-{number}.png"
            made.append(Made(_save(picture, target), car, (close_up, scene), "pasted"))
    return made


def _paste(scene: Path, close_up: Path, random: np.random.Generator) -> Image.Image:
    """The close-up somewhere in the lower part of the scene, its edges blurred."""
    with Image.open(scene) as file, Image.open(close_up) as other:
        behind, thing = file.convert("RGB"), other.convert("RGB")
    grow = SIDE / min(behind.size)
    size = round(behind.width * grow), round(behind.height * grow)
    behind = behind.resize(size, Image.Resampling.BILINEAR)
    area = np.exp(random.uniform(*np.log(PASTED_AREA)))
    shrink = min(
        (area * behind.width * behind.height / (thing.width * thing.height)) ** 0.5,
        0.9 * behind.width / thing.width,
        0.9 * behind.height / thing.height,
    )
    width, height = max(8, round(thing.width * shrink)), max(8, round(thing.height * shrink))
    thing = thing.resize((width, height), Image.Resampling.BICUBIC)
    if random.random() < 0.5:
        thing = thing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    edge = max(1, min(width, height) // 12)
    mask = Image.new("L", (width, height), 0)
    ImageDraw.Draw(mask).rounded_rectangle((edge, edge, width - edge, height - edge), 2 * edge, fill=255)
    left, top = random.random(), random.uniform(0.3, 0.9)
    place = (round(left * (behind.width - width)), round(top * (behind.height - height)))
    behind.paste(thing, place, mask.filter(ImageFilter.GaussianBlur(edge / 1.5)))
    return behind


def _save(picture: Image.Image, target: Path) -> Path:
    picture.save(target, compress_level=1)
    return target
