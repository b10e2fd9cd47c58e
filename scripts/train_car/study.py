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
from sorter.train.features import embed, onnx_features
from sorter.train.pretrained import WeightSource, make_network, weights_key
from sorter.train.recipes import FAST, find_recipe
from sorter.train.training_set import decode_examples
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
FOLDS = 10  # the first is only tested with
RECIPE = find_recipe(FAST)

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """Photos and the scenes made of them, n in all, with their pixels, features and folds.

    Attributes:
        photos: the first m.
        made: the n - m others.
        pixels: uint8 (n, s, s, 3).
        features: float32 (n, d).
        folds: int (m,), a random tenth each. Near duplicates share one.
    """

    photos: tuple[Photo, ...]
    made: tuple[Made, ...]
    pixels: NDArray[np.uint8]
    features: NDArray[np.float32]
    folds: Rows

    @property
    def labels(self) -> Rows:
        """CAR or NOT_CAR (n,). Small cars are never trained on, and count as cars."""
        return np.array([NOT_CAR if each.car is False else CAR for each in (*self.photos, *self.made)])

    @property
    def groups(self) -> NDArray[np.str_]:
        """The group that each photo is held out with (m,)."""
        return np.array([GROUPS.get(photo.source, photo.source) for photo in self.photos])

    @property
    def drives(self) -> NDArray[np.str_]:
        """The journey that a CamVid frame was filmed on (m,). '' for other photos."""
        return np.array([p.path.name.split("_")[0] if p.source == "camvid" else "" for p in self.photos])

    @property
    def kinds(self) -> NDArray[np.str_]:
        """`PHOTO`, or the kind of scene (n,)."""
        return np.array([PHOTO] * len(self.photos) + [made.kind for made in self.made])

    @property
    def trainable(self) -> Mask:
        """All but street scenes with small cars (m,)."""
        return np.array([photo.car is not None for photo in self.photos])

    def of_photo(self, values: NDArray[Any]) -> NDArray[Any]:
        """(m,) -> (n,). A scene takes the value of the photo it was cut from, or of the one that was pasted."""
        return np.concatenate([values, values[[made.parts[0] for made in self.made]]])

    def whole(self, allowed: Mask) -> Mask:
        """(m,) -> (n,). A scene is allowed where all its photos are. A small car may be its background."""
        usable = np.array([all(allowed[part] for part in made.parts) for made in self.made], dtype=bool)
        return np.concatenate([allowed & self.trainable, usable])

    @property
    def measured(self) -> Mask:
        """The pictures that are tested with: photos, and thirds of frames without cars (n,)."""
        return np.isin(self.kinds, (PHOTO, "third"))


def read_study(data: Path, work: Path) -> Study:
    """Unpack the sources, make scenes of them, and decode and embed all as `sorter train` does."""
    work.mkdir(parents=True, exist_ok=True)
    photos = unpack(data, work / "photos")
    made = make_scenes(photos, work / "scenes", PASTED, SEED)
    found = {file.path: file for file in Scan((work,)) if not isinstance(file, Result)}
    examples = [Example(found[each.path.resolve()], 0) for each in (*photos, *made)]
    spec = preprocess_of(RECIPE)
    with tqdm(desc="decoding", total=len(examples), disable=None) as bar:
        data_set = decode_examples(examples, spec, work, 2, Limits(memory=1 << 31), bar.update)
    if data_set.failures:
        raise SystemExit(f"{data_set.failures[0].photo.relative}: {data_set.failures[0].outcome}")
    prints = [data_set.fingerprints[example.photo.path] for example in examples]
    backbone = make_network(RECIPE, 1, WeightSource(), SEED).backbone
    with tqdm(desc="embedding", total=len(examples), disable=None) as bar:
        data_set = embed(
            data_set,
            lambda: onnx_features(onnx_runtime(to_onnx(backbone, spec.size)[0], threads=1), spec),
            weights_key(backbone),
            work / "features.npy",
            work / "cache",
            bar.update,
        )
    assert data_set.features is not None
    alike = group_alike(prints[: len(photos)])
    labels = np.array([list(LABELS.values()).index(photo.car) for photo in photos])
    groups = folds(alike, labels, FOLDS, SEED)
    return Study(photos, tuple(made), data_set.pixels, data_set.features, groups)


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
