"""The card of the shipped model: its purpose, its data, and its accuracy on photos that it had not seen."""

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
    """Pictures, each with the probability of a car by a model that had not seen it. NaN where there is none.

    Attributes:
        car, other, small: masks (n,) of pictures with a car, without one, with one on under 2 % of the frame.
        thirds: those of `other` that are cut from street scenes.
        probabilities: (n,).
        threshold: a car is reported from this probability.
    """

    car: Mask
    other: Mask
    small: Mask
    thirds: Mask
    probabilities: Floats
    threshold: float

    def rate(self, rows: Mask) -> tuple[float, int]:
        """Share of the rows that are called cars, and the number of rows."""
        known = rows & ~np.isnan(self.probabilities)
        share = float(np.mean(self.probabilities[known] >= self.threshold)) if known.any() else np.nan
        return share, int(known.sum())

    def accuracy(self, rows: Mask) -> tuple[float, int]:
        known = rows & (self.car | self.other) & ~np.isnan(self.probabilities)
        right = (self.probabilities >= self.threshold) == self.car
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


@dataclass(frozen=True)
class Tests:
    """The shipped model's pictures, judged in three ways.

    Attributes:
        unseen: each by a head that was fitted without its source.
        journeys: CamVid's by heads that were fitted without their journey.
        tenth: the random tenth that the shipped head was fitted without.
    """

    unseen: Judged
    journeys: Judged
    tenth: Judged


def judge(model: Model, study: Study, by_source: Floats, by_drive: Floats, final: Floats) -> Tests:
    """Probabilities of the logits (n,), with the masks that the tables need. See `write_card`."""
    photos = len(study.photos)
    made = np.arange(len(study.labels)) >= photos
    small = np.concatenate([~study.trainable, np.zeros(len(study.made), bool)])
    car, other = (study.labels == 0) & ~small & ~made, (study.labels == 1) & ~made
    thirds = np.array([False] * photos + [each.kind == "third" for each in study.made])

    def judged(logits: Floats) -> Judged:
        probabilities = 1 / (1 + np.exp(-logits / model.temperature))
        return Judged(car, other | thirds, small, thirds, probabilities, model.threshold)

    in_tenth = study.of_photo(study.folds) == 0
    return Tests(judged(by_source), judged(by_drive), judged(np.where(in_tenth, final, np.nan)))


def write_card(model: Model, study: Study, by_source: Floats, by_drive: Floats, final: Floats) -> str:
    """Write README.md and its plot into the model's folder.

    Args:
        by_source: logits (n,) from heads that were fitted without a picture's source.
        by_drive: without its journey.
        final: of the shipped head, which was fitted without fold 0.
    """
    tests = judge(model, study, by_source, by_drive, final)
    unseen = tests.unseen
    found = calibrate(study, unseen)
    draw(found, model.folder / PLOT)
    card = TEMPLATE.read_text(encoding="utf-8").format(
        backbone=model.provenance["backbone_weights"],
        size=model.preprocess.size,
        threshold=model.threshold,
        temperature=model.temperature,
        **tables(study, tests),
        error=found.error,
        plot=PLOT,
        worst=worst(study, unseen),
        small=percent(unseen.rate(unseen.small)),
        made=", ".join(f"{n} {kind}" for kind, n in sorted(Counter(m.kind for m in study.made).items())),
        engines="\n".join(engine(row) for row in model.agreement),
        cpu=model.agreement[0]["cpu"],
        files="\n".join(f"- `{name}` sha256 `{digest}`" for name, digest in model.files.items()),
    )
    (model.folder / "README.md").write_text(card, encoding="utf-8")
    return card


def calibrate(study: Study, unseen: Judged) -> Calibration:
    known = (unseen.car | unseen.other) & ~np.isnan(unseen.probabilities)
    both = np.stack([unseen.probabilities, 1 - unseen.probabilities], 1)
    return calibration(study.labels[known], both[known], 0)


def tables(study: Study, tests: Tests) -> dict[str, str]:
    """The rows of the card's tables, by their names in the template."""
    sources = study.of_photo(np.array([photo.source for photo in study.photos]))
    drives = study.of_photo(study.drives)
    names = list(dict.fromkeys(sources.tolist()))
    journeys = sorted(set(drives.tolist()) - {""})
    rows = {
        "counts": counts(study, names),
        "goals": goals(sources, tests),
        "sources": [tests.unseen.row(name, sources == name) for name in names],
        "drives": [tests.journeys.row(name, drives == name) for name in journeys],
        "tenth": [tests.tenth.row(name, sources == name) for name in names],
        "areas": areas(tests.unseen, tests.journeys, sources == "camvid"),
    }
    return {name: "\n".join(lines) for name, lines in rows.items()}


def goals(sources: NDArray[np.str_], tests: Tests) -> list[str]:
    closeups, camvid = sources == "kaggle-cars", sources == "camvid"
    unseen, journeys, tenth = tests.unseen, tests.journeys, tests.tenth
    at_least = [
        ("close-ups (kaggle-cars), source held out: accuracy", 0.995, unseen.accuracy(closeups)),
        ("close-ups, random tenth: accuracy", 0.995, tenth.accuracy(closeups)),
        ("streets with cars, CamVid held out: recall", 0.95, unseen.rate(unseen.car & camvid)),
        ("streets with cars, journeys held out: recall", 0.95, journeys.rate(journeys.car)),
        ("streets with cars, random tenth: recall", 0.95, tenth.rate(tenth.car & camvid)),
    ]
    photos = unseen.other & ~unseen.thirds
    at_most = [
        ("photos without cars, sources held out: false positives", 0.01, unseen.rate(photos)),
        ("photos without cars, random tenth: false positives", 0.01, tenth.rate(photos)),
    ]
    lines = [goal(*each, True) for each in at_least]
    return lines[:2] + [goal(*each, False) for each in at_most] + lines[2:]


def goal(what: str, aim: float, found: tuple[float, int], least: bool) -> str:
    """A row: the goal, what was measured, and whether it was reached. `least`: higher is better."""
    reached = found[0] >= aim if least else found[0] <= aim
    bound = f"{'≥' if least else '≤'} {aim:.1%}"
    missed = f"no, by {abs(found[0] - aim) * 100:.1f} points"
    return f"| {what} | {bound} | {percent(found)} | {'yes' if reached else missed} |"


def areas(unseen: Judged, journeys: Judged, camvid: Mask) -> list[str]:
    """How well the probabilities separate streets with cars from streets without."""
    lines = []
    for name, judged in (("CamVid held out", unseen), ("journeys held out", journeys)):
        for what, others in (
            ("empty frames", judged.other & ~judged.thirds),
            ("thirds without cars", judged.thirds),
        ):
            rows = camvid & (judged.car | others) & ~np.isnan(judged.probabilities)
            area = roc_auc_score(judged.car[rows], judged.probabilities[rows])
            n = (camvid & others & ~np.isnan(judged.probabilities)).sum()
            lines.append(f"| {name} | {what} ({n}) | {area:.3f} |")
    return lines


def counts(study: Study, names: Sequence[str]) -> list[str]:
    lines = []
    for name in names:
        found = Counter(photo.car for photo in study.photos if photo.source == name)
        lines.append(f"| {name} | {found[True]} | {found[False]} | {found[None]} | {LICENCES[name]} |")
    return lines


def worst(study: Study, judged: Judged, n: int = 6) -> str:
    """The Tiny ImageNet classes that are most often called cars. File names start with the WordNet id."""
    names = ImageNetInfo()
    total: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for photo, probability in zip(study.photos, judged.probabilities, strict=False):
        if photo.source == "tiny-imagenet" and photo.car is False:
            wnid = photo.path.name.split("_")[0]
            total[wnid] += 1
            wrong[wnid] += bool(probability >= judged.threshold)
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
