"""The photos and scenes that the shipped model is trained on, decoded and embedded as `sorter train` does it."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from sorter.export.graph import onnx_runtime, to_onnx
from sorter.photos.dataset import Example, folds, group_alike
from sorter.photos.scan import Scan
from sorter.train.backbones import preprocess_of
from sorter.train.features import decode_examples, embed, onnx_features
from sorter.train.pretrained import WeightSource, make_network, weights_key
from sorter.train.recipes import FAST, find_recipe
from sorter.types import Limits, Result
from train_car.scenes import Made, Photo, make_scenes

SEED = 0
PHOTO = "photo"
CAR, NOT_CAR = 0, 1  # places in CLASSES
CLASSES = ("car", "not-car")
LABELS = {"car": True, "not-car": False, "small-car": None}
SOURCES = ("kaggle-cars", "natural-images", "tiny-imagenet", "camvid", "imagenet-samples", "coco")
GROUPS = {"imagenet-samples": "in the wild", "coco": "in the wild"}  # too few cars to hold either out alone
PASTED = 2000  # close-ups of cars, and as many of other things, pasted into scenes
FOLDS = 10  # the first is never trained on, only tested with
RECIPE = find_recipe(FAST)

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """Photos and then the scenes made of them, n in all, with what the trainer knows of them.

    Attributes:
        photos: the first m.
        made: the others.
        pixels: uint8 (n, s, s, 3).
        features: float32 (n, d).
        folds: int (m,): a random tenth each; near duplicates are in one.
    """

    photos: tuple[Photo, ...]
    made: tuple[Made, ...]
    pixels: NDArray[np.uint8]
    features: NDArray[np.float32]
    folds: Rows

    @property
    def labels(self) -> Rows:
        """CAR or NOT_CAR (n,); small cars, which are never learned from, count as cars."""
        return np.array([NOT_CAR if each.car is False else CAR for each in (*self.photos, *self.made)])

    @property
    def groups(self) -> NDArray[np.str_]:
        """What each photo is held out with (m,)."""
        return np.array([GROUPS.get(photo.source, photo.source) for photo in self.photos])

    @property
    def drives(self) -> NDArray[np.str_]:
        """The journey a CamVid frame was filmed on, else '' (m,)."""
        return np.array([p.path.name.split("_")[0] if p.source == "camvid" else "" for p in self.photos])

    @property
    def kinds(self) -> NDArray[np.str_]:
        """`PHOTO`, or how it was made (n,)."""
        return np.array([PHOTO] * len(self.photos) + [made.kind for made in self.made])

    @property
    def trainable(self) -> Mask:
        """(m,)"""
        return np.array([photo.car is not None for photo in self.photos])

    def of_photo(self, values: NDArray[Any]) -> NDArray[Any]:
        """(m,) -> (n,): what is made takes the value of the photo it was cut from, or that was pasted."""
        return np.concatenate([values, values[[made.parts[0] for made in self.made]]])

    def whole(self, allowed: Mask) -> Mask:
        """(m,) -> (n,): what is made is allowed where all its photos are (a small car may be its background)."""
        usable = np.array([all(allowed[part] for part in made.parts) for made in self.made], dtype=bool)
        return np.concatenate([allowed & self.trainable, usable])

    @property
    def measured(self) -> Mask:
        """Photos, and the thirds of frames that are streets without cars (n,)."""
        return np.isin(self.kinds, (PHOTO, "third"))


def read_study(data: Path, work: Path) -> Study:
    """Unpack the sources, make scenes of them, and decode and embed it all as `sorter train` does."""
    work.mkdir(parents=True, exist_ok=True)
    photos = unpack(data, work / "photos")
    made = make_scenes(photos, work / "scenes", PASTED, SEED)
    found = {file.path: file for file in Scan((work,)) if not isinstance(file, Result)}
    examples = [Example(found[each.path.resolve()], 0) for each in (*photos, *made)]
    spec = preprocess_of(RECIPE)
    with tqdm(desc="decoding", total=len(examples), disable=None) as bar:
        prepared = decode_examples(examples, spec, work, 2, Limits(memory=1 << 31), bar.update)
    if prepared.failures:
        raise SystemExit(f"{prepared.failures[0].photo.relative}: {prepared.failures[0].outcome}")
    prints = [prepared.fingerprints[example.photo.path] for example in examples]
    backbone = make_network(RECIPE, 1, WeightSource(), SEED).backbone
    with tqdm(desc="embedding", total=len(examples), disable=None) as bar:
        features = embed(
            lambda: onnx_features(
                onnx_runtime(to_onnx(backbone, spec.size)[0].SerializeToString(), threads=1), spec
            ),
            spec,
            prepared.pixels,
            [each.sha256 for each in prints],
            work / "features.npy",
            work / "cache",
            weights_key(backbone),
            bar.update,
        )
    alike = group_alike(prints[: len(photos)])
    labels = np.array([list(LABELS.values()).index(photo.car) for photo in photos])
    return Study(photos, tuple(made), prepared.pixels, features, folds(alike, labels, FOLDS, SEED))


def unpack(folder: Path, into: Path) -> tuple[Photo, ...]:
    """Unzip the sources and read their labels."""
    if not into.exists():
        for source in SOURCES:
            with zipfile.ZipFile(folder / f"{source}.zip") as archive:
                archive.extractall(into)
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            Photo(into / row["path"], row["source"], LABELS[row["label"]], float(row["car_area"] or "nan"))
            for row in csv.DictReader(file)
            if row["source"] in SOURCES
        )
