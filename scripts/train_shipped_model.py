"""Make the model that ships: `python scripts/train_shipped_model.py DATA_DIR [--out weights/car]`.

DATA_DIR holds labels.csv (path,label,source,car_area) and one zip per source. Pictures are decoded, embedded, trained
on and exported by the rooms of `sorter train`; what is here is which pictures, and who is held out. What there is to
choose is chosen by holding out whole sources, never random rows: photos of one source resemble each other, and
users' photos resemble none of them.

The same data and package versions give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shipped_model_card import write_card
from street_scenes import Made, Photo, make_scenes
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from sorter.evaluate.metrics import fit_temperature
from sorter.export.files import export_model
from sorter.export.graph import onnx_runtime, to_onnx
from sorter.model.folder import Model
from sorter.photos.dataset import Example, folds, group_alike
from sorter.photos.scan import Scan
from sorter.pipeline.pool import Limits
from sorter.train.backbones import PACKAGED, describe, preprocess_of
from sorter.train.features import by_engine, embed, prepare
from sorter.train.linear import LinearHead, fit_linear
from sorter.train.networks import WeightSource, make_network, put_head, weights_key
from sorter.train.recipes import FAST, find_recipe
from sorter.types import Result

SEED = 0
PHOTO = "photo"
CAR, NOT_CAR = 0, 1  # places in CLASSES
CLASSES = ("car", "not-car")
LABELS = {"car": True, "not-car": False, "small-car": None}
SOURCES = ("kaggle-cars", "natural-images", "tiny-imagenet", "camvid", "imagenet-samples", "coco")
GROUPS = {"imagenet-samples": "in the wild", "coco": "in the wild"}  # too few cars to hold either out alone
PASTED = 2000  # close-ups of cars, and as many of other things, pasted into scenes
FOLDS = 10  # the first is never trained on, only tested with
# Weight of each kind of scene made, beside 1 for all photos of its class.
SHARES = {"third": 0.2, "upper": 0.1, "band": 1.1, "pasted": 0.75}
MIN_CELL = 20  # a (group, class) with fewer photos has no say in the threshold
MOST_REPEATS = 8
FALSE_POSITIVES = 0.01  # at most, of held-out photos without cars: of all, and averaged over groups
PER_GROUP = (32, 160)  # photos of each group for int8 calibration, and for measuring agreement
RECIPE = find_recipe(FAST)
PACKAGES = ("torch", "timm", "onnx", "onnxscript", "onnxruntime", "openvino", "numpy", "pillow")

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


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the model that ships with sorter.")
    parser.add_argument("data_dir", type=Path, help="folder with labels.csv and one zip per source")
    parser.add_argument("--out", type=Path, default=Path("weights/car"), help="the model folder to write")
    parser.add_argument("--work", type=Path, help="keep photos and features here, for quicker second runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(limits=1, user_api="blas"):
        study = read_study(options.data_dir, options.work or Path(temporary))
        by_source = held_out(study, study.groups)
        by_drive = held_out(study, study.drives)
        head = fit(study, study.folds != 0)
        model = export(study, head, by_source, options.out)
        write_card(model, study, by_source, by_drive, head(study.features)[:, 0])


# --- pictures -----------------------------------------------------------------------------------------------------


def read_study(data: Path, work: Path) -> Study:
    """Unpack the sources, make scenes of them, and decode and embed it all as `sorter train` does."""
    work.mkdir(parents=True, exist_ok=True)
    photos = unpack(data, work / "photos")
    made = make_scenes(photos, work / "scenes", PASTED, SEED)
    found = {file.path: file for file in Scan((work,)) if not isinstance(file, Result)}
    examples = [Example(found[each.path.resolve()], 0) for each in (*photos, *made)]
    spec = preprocess_of(RECIPE)
    with tqdm(desc="decoding", total=len(examples), disable=None) as bar:
        prepared = prepare(examples, spec, work, 2, Limits(60, 1 << 31), 250, bar.update)
    if prepared.failures:
        raise SystemExit(f"{prepared.failures[0].photo.relative}: {prepared.failures[0].outcome}")
    prints = [prepared.fingerprints[example.photo.path] for example in examples]
    backbone = make_network(RECIPE, 1, WeightSource(), SEED).backbone
    with tqdm(desc="embedding", total=len(examples), disable=None) as bar:
        features = embed(
            lambda: by_engine(
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


# --- training -----------------------------------------------------------------------------------------------------


def fit(study: Study, allowed: Mask) -> LinearHead:
    """Learned from the photos that are allowed (m,) and what was made of them."""
    rows = np.flatnonzero(study.whole(allowed))
    l2 = RECIPE.phases[0].l2
    return fit_linear(study.features[rows], study.labels[rows], weights(study, rows), l2, CAR)


def weights(study: Study, rows: Rows) -> Floats:
    """Both classes weigh the same; in a class each group weighs the same, and scenes weigh as `SHARES` has it.

    Returns:
        (len(rows),), their mean 1.
    """
    kinds, groups = study.kinds[rows], study.of_photo(study.groups)[rows]
    labels = study.labels[rows]
    found = np.zeros(len(rows))
    for label in (CAR, NOT_CAR):
        photos = (kinds == PHOTO) & (labels == label)
        for group in np.unique(groups[photos]):
            cell = photos & (groups == group)
            found[cell] = 1 / cell.sum()
        found[photos] /= found[photos].sum()
        for kind, share in SHARES.items():
            made = (kinds == kind) & (labels == label)
            found[made] = share / max(made.sum(), 1)
        found[labels == label] /= found[labels == label].sum()
    return np.asarray(found * len(rows) / found.sum())


def repeated(study: Study, rows: Rows) -> Rows:
    """Pictures of a (group, class) that has few of them come more often."""
    cells = np.char.add(study.of_photo(study.groups), study.labels.astype(np.str_))[rows]
    _, cell, counts = np.unique(cells, return_inverse=True, return_counts=True)
    times = np.minimum(counts.max() / counts, MOST_REPEATS)
    return np.repeat(rows, times.round().astype(np.int64)[cell])


def held_out(study: Study, parts: NDArray[np.str_]) -> Floats:
    """Each picture's logit (n,) from a head that saw nothing of its part; NaN where that is ''."""
    logits = np.full(len(study.labels), np.nan)
    for part in sorted(set(parts.tolist()) - {""}):
        rows = np.flatnonzero(study.measured & (study.of_photo(parts) == part))
        logits[rows] = fit(study, parts != part)(study.features[rows])[:, 0]
    return logits


# --- the model ----------------------------------------------------------------------------------------------------


def export(study: Study, head: LinearHead, by_source: NDArray[np.float64], folder: Path) -> Model:
    """Choose the temperature and the threshold on held-out sources, and write the model folder but for its card."""
    rows = np.flatnonzero(study.measured & study.whole(np.ones_like(study.trainable)))
    rows = repeated(study, rows)
    truth = (study.labels[rows] == CAR).astype(np.int64)
    temperature = round(fit_temperature(by_source[rows], truth), 4)
    said = 1 / (1 + np.exp(-by_source[: len(study.photos)] / temperature))
    draft = Model(
        folder=folder,
        name="car",
        classes=CLASSES,
        positive=CLASSES[CAR],
        threshold=choose_threshold(study, said),
        temperature=temperature,
        preprocess=preprocess_of(RECIPE),
        backbone=describe(RECIPE),
        provenance=provenance(study),
    )
    folder.mkdir(parents=True, exist_ok=True)
    calibration, agreement = pick(study, *PER_GROUP)
    network = make_network(RECIPE, 1, WeightSource(), SEED)
    put_head(network, head)
    return export_model(
        network, draft, inputs(study, calibration), inputs(study, agreement), study.labels[agreement].tolist()
    )


def choose_threshold(study: Study, said: Floats) -> float:
    """The lowest, and so with the highest recall, at which photos without cars are called cars seldom enough.

    Args:
        said: probabilities of a car for the photos (m,), from heads that saw nothing of their groups.
    """
    others = (study.labels[: len(study.photos)] == NOT_CAR) & study.trainable
    groups = [others & (study.groups == group) for group in np.unique(study.groups)]
    for threshold in np.arange(0.01, 1, 0.005).round(4).tolist():
        rates = [float(np.mean(said[rows] >= threshold)) for rows in groups if rows.sum() >= MIN_CELL]
        if max(np.mean(rates), np.mean(said[others] >= threshold)) <= FALSE_POSITIVES:
            return float(threshold)
    raise SystemExit("no threshold calls few enough photos without cars cars")


def pick(study: Study, first: int, second: int) -> tuple[Rows, Rows]:
    """Up to `first` photos of each group, and up to `second` others, in an order that mixes the groups."""
    random = np.random.default_rng(SEED)
    chosen: tuple[list[Rows], list[Rows]] = ([], [])
    for group in np.unique(study.groups):
        rows = random.permutation(np.flatnonzero((study.groups == group) & study.trainable))
        chosen[0].append(rows[:first])
        chosen[1].append(rows[first : first + second])
    return random.permutation(np.concatenate(chosen[0])), random.permutation(np.concatenate(chosen[1]))


def inputs(study: Study, rows: Rows, batch: int = 16) -> list[NDArray[np.float32]]:
    spec = preprocess_of(RECIPE)
    return [
        spec.normalise(np.asarray(study.pixels[rows[at : at + batch]])) for at in range(0, len(rows), batch)
    ]


def provenance(study: Study) -> dict[str, Any]:
    package = PACKAGED[RECIPE.backbone].package
    return {
        "script": "scripts/train_shipped_model.py",
        "seed": SEED,
        "recipe": RECIPE.to_json(),
        "backbone_weights": f"{package} {version(package)}",
        "sources": {
            source: {
                label: sum(photo.source == source and photo.car is car for photo in study.photos)
                for label, car in LABELS.items()
            }
            for source in SOURCES
        },
        "scenes_made": len(study.made),
        "not_trained_on": "small-car; a random tenth of all",
        "packages": {name: version(name) for name in PACKAGES},
    }


if __name__ == "__main__":
    main()
