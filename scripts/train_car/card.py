"""The card of the model that ships: what it is for, what it was made of, how good it was on what it had not seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from timm.data import ImageNetInfo

from sorter.evaluate.calibration import Calibration, calibration
from sorter.model.folder import Model

if TYPE_CHECKING:
    from train_car.study import Study

PLOT = "reliability.png"
TEMPLATE = Path(__file__).with_name("card_template.txt")

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """Pictures and the probability of a car that a model that had not seen them gave; NaN where there is none.

    Attributes:
        car, other, small: which pictures (n,) show a car, show none, show a car on under 2 % of the frame.
        thirds: those of `other` that are cut from street scenes.
        said: (n,).
        threshold: a car is reported from here on.
    """

    car: Mask
    other: Mask
    small: Mask
    thirds: Mask
    said: Floats
    threshold: float

    def rate(self, rows: Mask) -> tuple[float, int]:
        """Share of the rows that are called cars, and how many rows there are."""
        known = rows & ~np.isnan(self.said)
        share = float(np.mean(self.said[known] >= self.threshold)) if known.any() else np.nan
        return share, int(known.sum())

    def accuracy(self, rows: Mask) -> tuple[float, int]:
        known = rows & (self.car | self.other) & ~np.isnan(self.said)
        right = (self.said >= self.threshold) == self.car
        return (float(np.mean(right[known])) if known.any() else np.nan), int(known.sum())

    def row(self, name: str, rows: Mask) -> str:
        """A line of a table: accuracy, recall, false positives on photos, on thirds of streets, small cars found."""
        photos = rows & ~self.thirds
        cells = [
            self.accuracy(photos),
            self.rate(photos & self.car),
            self.rate(photos & self.other),
            self.rate(rows & self.thirds),
            self.rate(rows & self.small),
        ]
        return f"| {name} | {' | '.join(map(percent, cells))} |"


def percent(found: tuple[float, int]) -> str:
    return f"{found[0]:.1%} of {found[1]}" if found[1] else "–"


def write_card(model: Model, study: Study, by_source: Floats, by_drive: Floats, final: Floats) -> str:
    """Write README.md and its plot into the model's folder.

    Args:
        by_source: logits (n,) from heads that saw nothing of a picture's source.
        by_drive: nothing of its journey.
        final: of the shipped head, which saw nothing of fold 0.
    """
    photos = len(study.photos)
    made = np.arange(len(study.labels)) >= photos
    small = np.concatenate([~study.trainable, np.zeros(len(study.made), bool)])
    car, other = (study.labels == 0) & ~small & ~made, (study.labels == 1) & ~made
    thirds = np.array([False] * photos + [each.kind == "third" for each in study.made])

    def judged(logits: Floats) -> Judged:
        said = 1 / (1 + np.exp(-logits / model.temperature))
        return Judged(car, other | thirds, small, thirds, said, model.threshold)

    sources = study.of_photo(np.array([photo.source for photo in study.photos]))
    drives, tenth = study.of_photo(study.drives), study.of_photo(study.folds) == 0
    unseen, journeys, shipped = judged(by_source), judged(by_drive), judged(np.where(tenth, final, np.nan))
    names = list(dict.fromkeys(sources.tolist()))
    known = (car | other | thirds) & ~np.isnan(by_source)
    found = calibration(study.labels[known], np.stack([unseen.said, 1 - unseen.said], 1)[known], 0)
    draw(found, model.folder / PLOT)
    closeups, empty = unseen.accuracy(sources == "kaggle-cars"), unseen.rate(other)
    goals = [
        ("close-ups (kaggle-cars), source held out: accuracy", 0.995, closeups, True),
        ("close-ups, random tenth: accuracy", 0.995, shipped.accuracy(sources == "kaggle-cars"), True),
        ("photos without cars, sources held out: false positives", 0.01, empty, False),
        ("photos without cars, random tenth: false positives", 0.01, shipped.rate(other), False),
        ("streets with cars, CamVid held out: recall", 0.95, unseen.rate(car & (sources == "camvid")), True),
        ("streets with cars, journeys held out: recall", 0.95, journeys.rate(car), True),
        ("streets with cars, random tenth: recall", 0.95, shipped.rate(car & (sources == "camvid")), True),
    ]
    card = TEMPLATE.read_text(encoding="utf-8").format(
        backbone=model.provenance["backbone_weights"],
        size=model.preprocess.size,
        threshold=model.threshold,
        temperature=model.temperature,
        counts="\n".join(counts(study, names)),
        goals="\n".join(goal(*each) for each in goals),
        sources="\n".join(unseen.row(name, sources == name) for name in names),
        drives="\n".join(journeys.row(name, drives == name) for name in sorted(set(drives.tolist()) - {""})),
        tenth="\n".join(shipped.row(name, sources == name) for name in names),
        areas="\n".join(areas(unseen, journeys, sources == "camvid")),
        error=found.error,
        plot=PLOT,
        worst=worst(study, unseen),
        small=percent(unseen.rate(small)),
        made=", ".join(f"{n} {kind}" for kind, n in sorted(Counter(m.kind for m in study.made).items())),
        engines="\n".join(engine(row) for row in model.agreement),
        cpu=model.agreement[0]["cpu"],
        files="\n".join(f"- `{name}` sha256 `{digest}`" for name, digest in model.files.items()),
    )
    (model.folder / "README.md").write_text(card, encoding="utf-8")
    return card


def goal(what: str, aim: float, found: tuple[float, int], least: bool) -> str:
    reached = found[0] >= aim if least else found[0] <= aim
    bound = f"{'≥' if least else '≤'} {aim:.1%}"
    missed = f"no, by {abs(found[0] - aim) * 100:.1f} points"
    return f"| {what} | {bound} | {percent(found)} | {'yes' if reached else missed} |"


def areas(unseen: Judged, journeys: Judged, camvid: Mask) -> list[str]:
    """How well streets with cars are told from streets without."""
    lines = []
    for name, judged in (("CamVid held out", unseen), ("journeys held out", journeys)):
        for what, others in (
            ("empty frames", judged.other & ~judged.thirds),
            ("thirds without cars", judged.thirds),
        ):
            rows = camvid & (judged.car | others) & ~np.isnan(judged.said)
            area = roc_auc_score(judged.car[rows], judged.said[rows])
            n = (camvid & others & ~np.isnan(judged.said)).sum()
            lines.append(f"| {name} | {what} ({n}) | {area:.3f} |")
    return lines


def counts(study: Study, names: Sequence[str]) -> list[str]:
    lines = []
    for name in names:
        found = Counter(photo.car for photo in study.photos if photo.source == name)
        lines.append(f"| {name} | {found[True]} | {found[False]} | {found[None]} | {LICENCES[name]} |")
    return lines


def worst(study: Study, judged: Judged, n: int = 6) -> str:
    """Which Tiny ImageNet classes are most often called cars; its file names start with the WordNet id."""
    names = ImageNetInfo()
    total: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for photo, said in zip(study.photos, judged.said, strict=False):
        if photo.source == "tiny-imagenet" and photo.car is False:
            wnid = photo.path.name.split("_")[0]
            total[wnid] += 1
            wrong[wnid] += bool(said >= judged.threshold)
    return ", ".join(
        f"{names.label_name_to_description(wnid).split(',')[0]} ({count} of {total[wnid]})"
        for wnid, count in sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:n]
    )


def engine(row: dict[str, object]) -> str:
    return (
        f"| {row['engine']} | {row['precision']} | {row['agree']:.2%} of {row['n']} | {row['mean_difference']:.4f} | "
        f"{row['max_difference']:.3f} | {'yes' if row['passed'] else 'no'} |"
    )


def draw(found: Calibration, target: Path) -> None:
    """The reliability diagram, as a picture that a card can show."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.4, 3.4), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], ":", color="grey", label="perfectly calibrated")
    axes.plot(found.predicted, found.observed, "o-", label="sources held out")
    axes.set(xlabel="probability said, of car", ylabel="share that were cars", xlim=(0, 1), ylim=(0, 1))
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
