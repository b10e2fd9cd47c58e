"""The options of `sorter train`, and what they change in a recipe."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sorter.evaluate.threshold import choose_threshold
from sorter.train.recipes import AUGMENTATIONS, DEFAULT, FAST, LITE0, Phase, Recipe, find_recipe
from sorter.types import Limits, UsageError, check_above_zero

MOST_HELD_OUT = 0.9  # of the photos
BALANCES = ("auto", "none", "weights", "sampling")
NEGATIONS = ("not-", "not_", "not ", "no-", "no_", "no ", "non-", "non_", "without")


@dataclass(frozen=True)
class TrainOptions:
    """The options of `sorter train`. None leaves a value to the recipe.

    Attributes:
        data: class folders, train/, val/ and test/ folders of class folders, or a table of labels.
        out: the model folder to write.
        recipe: a name; None for `fast` with EfficientNet-Lite0, and for `resnet50-sigmoid` with any other backbone.
        backbone: `efficientnet-lite0`, `efficientnet-lite2`, `small-cnn` or a name from timm.
        weights: a local file with the backbone's weights.
        pretrained: False starts from random weights.
        epochs: of the last phase, the fine-tuning; 0 leaves the phase out.
        patience: epochs without improvement before a phase ends.
        batch_size: photos in one step.
        size: side of the square input, in pixels.
        lr: peak learning rate of the last phase that runs.
        augment: `none`, `light`, `standard` or `strong`.
        balance: `auto`, `none`, `weights` or `sampling`.
        optimise: aim of the threshold of a two-class model, as for `choose_threshold`.
        positive: of two classes, the one whose probability the model gives; None chooses as `positive_class` does.
        seed: of all random numbers.
        folds: of a cross-validation before the final training; 1 for none.
        repeats: of the cross-validation, or of the random split, with other seeds.
        time_budget: minutes of one training, after which its best epoch is taken.
        resume: go on where the same command was stopped.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        workers: processes; None for one per core.
        limits: what a photo may cost.
        include_protected: read folders of other programs too, as in `sorter.photos.protected`.
        group_by: what keeps photos on one side of a split: `folder`, `column` or a regular expression; None for the
            table's column `group`, if it has one.
        val: share of the photos to validate on; None for the usual one.
        test: share of the photos to test on; None for the usual one.
    """

    data: Path
    out: Path
    recipe: str | None = None
    backbone: str | None = None
    weights: Path | None = None
    pretrained: bool = True
    epochs: int | None = None
    patience: int | None = None
    batch_size: int | None = None
    size: int | None = None
    lr: float | None = None
    augment: str | None = None
    balance: str | None = None
    optimise: str | None = None
    positive: str | None = None
    seed: int = 0
    folds: int = 1
    repeats: int = 1
    time_budget: float | None = None
    resume: bool = False
    device: str = "auto"
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    include_protected: bool = False
    group_by: str | None = None
    val: float | None = None
    test: float | None = None


def check_shares(options: TrainOptions, parts: Collection[str | None]) -> None:
    """Raise UsageError for `--val` or `--test` where the data name that part themselves.

    Args:
        parts: names of the parts that the data give; None for no parts.
    """
    for flag, share, part in (("--val", options.val, "val"), ("--test", options.test, "test")):
        if share is not None and (part in parts or (part == "test" and None not in parts)):
            raise UsageError(f"{flag}: {options.data} names its own parts; leave the flag out")


def resolve_recipe(options: TrainOptions) -> Recipe:
    """The recipe, changed by the options. Raises UsageError for values that cannot be used."""
    _check_numbers(options)
    if options.weights is not None and not options.pretrained:
        raise UsageError("--no-pretrained: cannot be combined with --weights; give one of them")
    recipe = find_recipe(options.recipe or (FAST if options.backbone == LITE0 else DEFAULT))
    changed: dict[str, Any] = {
        "backbone": options.backbone,
        "batch_size": options.batch_size,
        "size": options.size,
        "augment": options.augment,
        "balance": options.balance,
        "optimise": options.optimise,
    }
    changed = {key: value for key, value in changed.items() if value is not None}
    recipe = replace(recipe, phases=_changed_phases(recipe, options), **changed)
    if recipe.augment not in AUGMENTATIONS:
        raise UsageError(f"--augment {recipe.augment}: is none of {', '.join(AUGMENTATIONS)}")
    choose_threshold([0, 1], [0.25, 0.75], recipe.optimise)  # raises UsageError for an unknown aim
    if recipe.balance not in BALANCES:
        raise UsageError(f"--balance {recipe.balance}: is none of {', '.join(BALANCES)}")
    return recipe


def _check_numbers(options: TrainOptions) -> None:
    for flag, value, least in (
        ("--epochs", options.epochs, 0),
        ("--patience", options.patience, 1),
        ("--batch-size", options.batch_size, 1),
        ("--size", options.size, 8),
        ("--folds", options.folds, 1),
        ("--repeats", options.repeats, 1),
        ("--seed", options.seed, 0),
        ("--workers", options.workers, 1),
    ):
        if value is not None and value < least:
            raise UsageError(f"{flag}: {value} is below {least}")
    val, test = options.val or 0.0, options.test or 0.0
    if options.val is not None and not 0 < val < 1:
        raise UsageError(f"--val: {val:g} is not a share above 0 and below 1")
    if not 0 <= test < 1 or val + test > MOST_HELD_OUT:
        raise UsageError(f"--val and --test: hold out more than {MOST_HELD_OUT:.0%} of the photos; take less")
    check_above_zero(lr=options.lr, time_budget=options.time_budget)
    options.limits.check()


def _changed_phases(recipe: Recipe, options: TrainOptions) -> tuple[Phase, ...]:
    """The phases of a recipe with the epochs, patience and learning rate of the options."""
    phases = list(recipe.phases)
    if options.epochs is not None:
        phases[-1] = replace(phases[-1], epochs=options.epochs)
    phases = [phase for phase in phases if phase.epochs]
    if not phases:
        raise UsageError(f"--epochs 0: leaves {recipe.name} without a phase; give one or more")
    if options.patience is not None:
        phases = [replace(phase, patience=options.patience) for phase in phases]
    if options.lr is not None:
        phases[-1] = replace(phases[-1], lr=options.lr)
    return tuple(phases)


def positive_class(classes: Sequence[str], asked: str | None) -> str | None:
    """The positive class of two: the one asked for, or the first without a name such as `not-car`, or the first.

    None for other numbers of classes. Raises UsageError where `asked` is not one of two classes.
    """
    if asked is not None and (len(classes) != 2 or asked not in classes):
        raise UsageError(
            f"--positive {asked}: must be one of exactly two classes; these are {', '.join(classes)}"
        )
    if len(classes) != 2:
        return None
    plain = [name for name in classes if not name.lower().startswith(NEGATIONS)]
    return asked or (plain[0] if plain else classes[0])
