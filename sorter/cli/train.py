"""`sorter train` and `recipes`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.arguments import options_from
from sorter.cli.command import DONE, SOME_FAILED, CommandResult, require_extra
from sorter.cli.flags import (
    add_class_folders,
    add_command,
    add_limits,
    add_output_flags,
    add_workers,
    device,
)
from sorter.cli.progress import training_progress

if TYPE_CHECKING:
    from sorter.progress import Progress
    from sorter.train.result import TrainResult

STOPPED = "stopped; add --resume to the same command to go on where it stopped"


def add_train(commands: Any) -> None:
    parser = add_command(
        commands,
        "train",
        "train a model on your own photos",
        "Fine-tune a pretrained network on DATA, which holds a folder of photos for each class, or is a table of "
        "labels. Write a model folder "
        "for `sorter run --model`, with a report. Without train/, val/ and test/ folders, photos are split at random. "
        "Duplicates stay in one part.",
        (
            "sorter train ./my-folders --out ./my-model --recipe fast",
            "sorter train ./my-folders --out ./my-model --epochs 10 --augment strong --optimize precision=0.99",
            "sorter train ./my-folders --out ./my-model --recipe fast --folds 5",
            "sorter train labels.csv --out ./my-model --recipe fast --group-by 'patient-[0-9]+'",
        ),
    )
    add_class_folders(parser)
    parser.add_argument("-o", "--out", required=True, metavar="DIR", type=Path, help="Model folder to write.")
    _add_network(parser.add_argument_group("network"))
    _add_learning(parser.add_argument_group("learning (defaults come from the recipe)"))
    _add_validation(parser.add_argument_group("validation and length"))
    speed = parser.add_argument_group("speed and limits")
    add_workers(speed)
    speed.add_argument(
        "--device",
        default="auto",
        type=device,
        metavar="DEVICE",
        help="auto, cpu, cuda or cuda:N. (default: auto)",
    )
    add_limits(speed)
    output = add_output_flags(parser)
    output.add_argument(
        "--tensorboard",
        action="store_true",
        help="Write loss, metrics and learning rate of each epoch to OUT/tensorboard.",
    )
    parser.set_defaults(command=_train, stopped=STOPPED)


def _add_network(group: Any) -> None:
    group.add_argument(
        "--recipe",
        metavar="NAME",
        help="A name from `sorter recipes`. With --backbone efficientnet-lite0 the default is fast. "
        "(default: resnet50-sigmoid)",
    )
    group.add_argument(
        "--backbone",
        metavar="NAME",
        help="efficientnet-lite0 or efficientnet-lite2, whose weights are installed, or a name from timm. "
        "(default: the recipe's)",
    )
    group.add_argument(
        "--weights", metavar="FILE", type=Path, help="Weights of the backbone, as .safetensors or .pth."
    )
    group.add_argument(
        "--no-pretrained", dest="pretrained", action="store_false", help="Start from random weights."
    )
    group.add_argument(
        "--size", type=int, metavar="PIXELS", help="Side of the square input. (default: the recipe's)"
    )


def _add_learning(group: Any) -> None:
    group.add_argument(
        "--epochs", type=int, metavar="N", help="Epochs of fine-tuning. 0 trains the head only."
    )
    group.add_argument(
        "--patience", type=int, metavar="N", help="Epochs without improvement before a phase ends."
    )
    group.add_argument("--batch-size", type=int, metavar="N", help="Photos in one step.")
    group.add_argument("--lr", type=float, metavar="RATE", help="Peak learning rate of the last phase.")
    group.add_argument(
        "--augment",
        choices=("none", "light", "standard", "strong"),
        help="Strength of random changes to the photos during fine-tuning.",
    )
    group.add_argument(
        "--balance",
        choices=("auto", "none", "weights", "sampling"),
        help="How uneven classes are balanced. auto uses weights where one class has 1.5 times the photos of another.",
    )
    group.add_argument(
        "--optimize",
        dest="optimise",
        metavar="AIM",
        help="Aim of the threshold: f1, balanced-accuracy, precision=0.99 or recall=0.99. (default: f1)",
    )
    group.add_argument(
        "--positive",
        metavar="CLASS",
        help="The class to find, of two classes. (default: the one not named like not-..., or the first)",
    )


def _add_validation(group: Any) -> None:
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="Seed of all random numbers. (default: 0)"
    )
    group.add_argument(
        "--folds", type=int, default=1, metavar="K", help="Cross-validate first, with K folds. (default: 1)"
    )
    group.add_argument(
        "--repeats",
        type=int,
        default=1,
        metavar="K",
        help="Repeat the cross-validation, or the random split, with other seeds. (default: 1)",
    )
    group.add_argument(
        "--val",
        type=float,
        metavar="SHARE",
        help="Share of the photos to validate on, where DATA names none. (default: 0.15)",
    )
    group.add_argument(
        "--test",
        type=float,
        metavar="SHARE",
        help="Share of the photos to test on, where DATA names no parts. (default: 0.15)",
    )
    group.add_argument(
        "--group-by",
        metavar="HOW",
        help="Keep photos of one group on one side of every split: folder (below the class), column (group, in a "
        "table) or a regular expression for the path. (default: the column, if there is one)",
    )
    group.add_argument(
        "--time-budget",
        type=float,
        metavar="MINUTES",
        help="Stop after this time, and keep the best epoch so far.",
    )
    group.add_argument("--resume", action="store_true", help="Go on where the same command was stopped.")


def _train(arguments: argparse.Namespace) -> CommandResult:
    require_extra("sklearn", "matplotlib", "onnx", "safetensors")
    if arguments.tensorboard:
        require_extra("tensorboard", "torch", extra="train")
    from sorter.train.fit import train_model
    from sorter.train.options import TrainOptions

    options = options_from(TrainOptions, arguments)
    with training_progress(arguments) as bar, _with_tensorboard(arguments, bar) as progress:
        trained = train_model(options, progress)
    return CommandResult(_summary_lines(trained), trained.to_json(), SOME_FAILED if trained.failed else DONE)


def _with_tensorboard(arguments: argparse.Namespace, progress: Progress) -> AbstractContextManager[Progress]:
    """The progress bar, with TensorBoard events where they are asked for."""
    if not arguments.tensorboard:
        return nullcontext(progress)
    from sorter.train.tensorboard import FOLDER, TensorBoardProgress

    return TensorBoardProgress(progress, arguments.out / FOLDER)


def _summary_lines(trained: TrainResult) -> Iterator[str]:
    import shlex

    metrics, model = trained.metrics, trained.model
    yield f"{model.folder}: {metrics.errors:,} of {metrics.photos:,} photos wrong in {trained.part}"
    for name, estimate in metrics.estimates().items():
        if estimate.value == estimate.value:
            interval = f"{estimate.low:.4f} to {estimate.high:.4f}"
            yield f"  {name.replace('_', ' '):<18} {estimate.value:.4f}  (95 %: {interval})"
    for name, (mean, std) in trained.spread.items():
        yield f"  {name.replace('_', ' '):<18} {mean:.4f} ± {std:.4f} over {len(trained.trials)} trials"
    if model.positive is not None:
        yield f"  threshold {model.threshold:.4f} for {model.positive}"
    yield (
        f"{trained.length} in {trained.training_seconds:.1f} s, {trained.waiting:.0%} of it waiting for photos; "
        f"{trained.seconds:.1f} s in all"
    )
    yield f"Page: {trained.page}"
    yield f"Sort with: sorter run PHOTOS --out DIR --model {shlex.quote(str(model.folder))}"


def add_recipes(commands: Any) -> None:
    parser = add_command(
        commands,
        "recipes",
        "list the recipes for training",
        "List the recipes that `sorter train --recipe` knows. Those that follow a published system name the results "
        "that its authors report.",
        (
            "sorter recipes --json",
            "sorter train ./my-folders --out ./my-model --recipe small-cnn",
        ),
    )
    add_output_flags(parser, quiet=False)
    parser.set_defaults(command=_recipes)


def _recipes(arguments: argparse.Namespace) -> CommandResult:
    from sorter.train.recipes import RECIPES

    return CommandResult(_recipe_lines(), [recipe.to_json() for recipe in RECIPES])


def _recipe_lines() -> Iterator[str]:
    from sorter.train.recipes import RECIPES

    for recipe in RECIPES:
        yield f"{recipe.name}\n  {recipe.summary}"
        if recipe.published:
            yield f"  published: {recipe.published}"
