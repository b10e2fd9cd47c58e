"""`sorter train`, `recipes` and `export`."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.common import (
    DONE,
    INTERRUPTED,
    SOME_FAILED,
    ProgressBar,
    add_limits,
    add_telling,
    add_workers,
    complain,
    device,
    needs_extra,
)

if TYPE_CHECKING:
    from sorter.export.export import ExportResult
    from sorter.progress import Progress
    from sorter.train.result import TrainResult


def add_train(commands: Any) -> None:
    parser = commands.add_parser(
        "train",
        help="make a model of your own from folders of examples",
        description="Fine-tune a pretrained network on DATA, which holds a folder of photos for each class (or "
        "train/ val/ test/ folders of them), and write a model folder that `sorter run --model` uses, with a report "
        "of how good it is. Without parts of your own, photos are parted at random, duplicates together.",
        epilog="examples:\n"
        "  sorter train ./my-folders --out ./my-model --recipe fast\n"
        "  sorter train ./my-folders --out ./my-model --epochs 10 --augment strong --optimize precision=0.99\n"
        "  sorter train ./my-folders --out ./my-model --recipe fast --folds 5",
    )
    parser.add_argument(
        "data", metavar="DATA", type=Path, help="class folders, or train/ val/ test/ of class folders"
    )
    parser.add_argument(
        "-o", "--out", required=True, metavar="DIR", type=Path, help="the model folder to make"
    )

    what = parser.add_argument_group("the network")
    what.add_argument(
        "--recipe",
        metavar="NAME",
        help="one of `sorter recipes` (default: resnet50-sigmoid; fast with --backbone efficientnet-lite0)",
    )
    what.add_argument(
        "--backbone",
        metavar="NAME",
        help="efficientnet-lite0 or -lite2 (their weights are installed), resnet50 or another of timm's",
    )
    what.add_argument(
        "--weights", metavar="FILE", type=Path, help="the backbone's weights, .safetensors or .pth"
    )
    what.add_argument("--no-pretrained", action="store_true", help="start the backbone from random weights")

    what.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help="side of the square that photos are shrunk to (default: 224)",
    )

    how = parser.add_argument_group("how it learns (default: as the recipe says)")
    how.add_argument("--epochs", type=int, metavar="N", help="of fine-tuning; 0 trains the head only")
    how.add_argument("--patience", type=int, metavar="N", help="epochs without gain before a phase ends")
    how.add_argument("--batch-size", type=int, metavar="N", help="photos in a step")
    how.add_argument("--lr", type=float, metavar="RATE", help="peak learning rate of the last phase")
    how.add_argument(
        "--augment",
        choices=("none", "light", "standard", "strong"),
        help="random changes of the photos while fine-tuning",
    )
    how.add_argument(
        "--balance",
        choices=("auto", "none", "weights", "sampling"),
        help="what to do about uneven classes; auto weighs them where one has 1.5 times the photos of another",
    )
    how.add_argument(
        "--optimize",
        metavar="AIM",
        help="choose the threshold for f1, balanced-accuracy, precision=0.99 or recall=0.99 (default: f1)",
    )
    how.add_argument(
        "--positive",
        metavar="CLASS",
        help="of two classes, the one to find (default: the one not named `not-...`, or the first)",
    )
    how.add_argument(
        "--seed", type=int, default=0, metavar="N", help="decides everything random (default: 0)"
    )
    how.add_argument(
        "--folds", type=int, default=1, metavar="K", help="first a cross-validation with so many folds"
    )
    how.add_argument(
        "--repeats", type=int, default=1, metavar="K", help="repeat that (or a random split) with other seeds"
    )
    how.add_argument(
        "--time-budget",
        type=float,
        metavar="MINUTES",
        help="end training after so long, with the best so far",
    )
    how.add_argument("--resume", action="store_true", help="go on where the same command was stopped")

    how.add_argument(
        "--tensorboard",
        action="store_true",
        help="write loss, metrics and learning rate of every epoch to OUT/tensorboard, for `tensorboard --logdir`",
    )

    where = parser.add_argument_group("how it runs")
    add_workers(where)
    where.add_argument(
        "--device", default="auto", type=device, metavar="DEVICE", help="auto, cpu, cuda or cuda:N"
    )
    add_limits(where)
    add_telling(parser)
    parser.set_defaults(command=_train)


def _train(arguments: argparse.Namespace) -> int:
    needs_extra("sklearn", "matplotlib", "onnx", "safetensors")
    if arguments.tensorboard:
        needs_extra("tensorboard", "torch", extra="train")
    from sorter.train.fit import train_model
    from sorter.train.options import TrainOptions
    from sorter.types import Limits

    options = TrainOptions(
        data=arguments.data,
        out=arguments.out,
        recipe=arguments.recipe,
        backbone=arguments.backbone,
        weights=arguments.weights,
        pretrained=not arguments.no_pretrained,
        epochs=arguments.epochs,
        patience=arguments.patience,
        batch_size=arguments.batch_size,
        size=arguments.size,
        lr=arguments.lr,
        augment=arguments.augment,
        balance=arguments.balance,
        optimise=arguments.optimize,
        positive=arguments.positive,
        seed=arguments.seed,
        folds=arguments.folds,
        repeats=arguments.repeats,
        time_budget=arguments.time_budget,
        resume=arguments.resume,
        device=arguments.device,
        workers=arguments.workers,
        limits=Limits(arguments.max_megapixels, arguments.timeout_per_file),
    )
    try:
        with _TrainingProgress(arguments.quiet) as bar, _with_events(arguments, bar) as progress:
            trained = train_model(options, progress)
    except KeyboardInterrupt:
        complain("stopped; add --resume to the same command to go on where it stopped")
        return INTERRUPTED
    if arguments.json:
        print(json.dumps(trained.to_json()))
    elif not arguments.quiet:
        _print_trained(trained)
    return SOME_FAILED if trained.failed else DONE


def _with_events(
    arguments: argparse.Namespace, progress: _TrainingProgress
) -> AbstractContextManager[Progress]:
    """The progress, with TensorBoard events beside it where they are asked for."""
    if not arguments.tensorboard:
        return nullcontext(progress)
    from sorter.train.tensorboard import FOLDER, TensorBoardProgress

    return TensorBoardProgress(progress, arguments.out / FOLDER)


def _print_trained(trained: TrainResult) -> None:
    import shlex

    metrics = trained.metrics
    print(f"{trained.model.folder}: on {metrics.photos:,} photos of {trained.part}, {metrics.errors:,} wrong")
    for name, estimate in metrics.estimates().items():
        if estimate.value == estimate.value:
            interval = f"{estimate.low:.4f} to {estimate.high:.4f}"
            print(f"  {name.replace('_', ' '):<18} {estimate.value:.4f}  (95 %: {interval})")
    for name, (mean, std) in trained.spread.items():
        print(f"  {name.replace('_', ' '):<18} {mean:.4f} ± {std:.4f} over {len(trained.trials)} trials")
    if trained.model.positive is not None:
        print(f"  threshold {trained.model.threshold:.4f} for {trained.model.positive}")
    print(
        f"{trained.length} in {trained.training_seconds:.1f} s, {trained.waiting:.0%} of it waiting for photos; "
        f"{trained.seconds:.1f} s in all"
    )
    print(f"Look at {trained.page}")
    print(f"Sort with it: sorter run PHOTOS --out DIR --model {shlex.quote(str(trained.model.folder))}")


class _TrainingProgress:
    """A training `Progress` on stderr: a bar for each stretch of work on a terminal, a line for each elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None
        self._figures: dict[str, float] = {}

    def __enter__(self) -> _TrainingProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def say(self, message: str) -> None:
        if not self._quiet:
            self._end()
            print(message, file=sys.stderr)

    def begin(self, what: str, total: int | None) -> None:
        self._end()
        if self._quiet:
            return
        if not sys.stderr.isatty():
            print(f"{what} ...", file=sys.stderr)
            return
        from tqdm import tqdm

        self._figures = {}
        self._bar = tqdm(total=total, desc=what, dynamic_ncols=True, smoothing=0.05)

    def advance(self, steps: int, /, **figures: float) -> None:
        if self._bar is not None:
            self._show(figures)
            self._bar.update(steps)

    def epoch(self, row: dict[str, Any]) -> None:
        if self._bar is not None:
            self._show({"val_loss": row["val_loss"], "val_acc": row["val_balanced_accuracy"]})

    def _show(self, figures: dict[str, float]) -> None:
        if figures:
            self._figures |= figures
            self._bar.set_postfix(self._figures, refresh=False)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def add_recipes(commands: Any) -> None:
    parser = commands.add_parser(
        "recipes",
        help="list the ways to train",
        description="List what `sorter train --recipe` can follow: published systems, with the results their authors "
        "report, and our own.",
        epilog="examples:\n  sorter recipes --json\n  sorter train ./my-folders --out ./my-model --recipe small-cnn",
    )
    parser.add_argument("--json", action="store_true", help="print every detail as JSON")
    parser.set_defaults(command=_recipes)


def _recipes(arguments: argparse.Namespace) -> int:
    from sorter.train.recipes import RECIPES

    if arguments.json:
        print(json.dumps([recipe.to_json() for recipe in RECIPES]))
        return DONE
    for recipe in RECIPES:
        print(f"{recipe.name}\n  {recipe.summary}")
        if recipe.published:
            print(f"  published: {recipe.published}")
    return DONE


def add_export(commands: Any) -> None:
    parser = commands.add_parser(
        "export",
        help="make a model folder's ONNX files anew",
        description="Make model.onnx from model.safetensors, and refuse it where it differs from torch. With "
        "--calibrate also model.int8.onnx, kept only if it gives at least 99 %% of other photos the label that "
        "float32 gives, and, where they have labels, loses less than half a point. bfloat16 needs no file.",
        epilog="examples:\n  sorter export ./my-model\n  sorter export ./my-model --calibrate ./labelled",
    )
    parser.add_argument("model", metavar="MODEL", type=Path, help="a model folder with model.safetensors")
    parser.add_argument(
        "--calibrate",
        metavar="DATA",
        type=Path,
        help="photos like those to be sorted, in one folder or in folders named as the classes",
    )
    how = parser.add_argument_group("how it runs")
    add_workers(how)
    add_limits(how)
    add_telling(parser)
    parser.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> int:
    needs_extra("torch", "timm", "onnxscript", extra="train")
    from sorter.export.export import ExportOptions, export_folder
    from sorter.types import Limits, UsageError

    options = ExportOptions(
        model=arguments.model,
        calibrate=arguments.calibrate,
        workers=arguments.workers,
        limits=Limits(arguments.max_megapixels, arguments.timeout_per_file),
    )
    if options.calibrate is not None and not options.calibrate.is_dir():
        raise UsageError(f"--calibrate {options.calibrate}: no such folder; name a folder of photos")
    with ProgressBar(arguments.quiet, lambda: 0) as progress:
        exported = export_folder(options, progress)
    if arguments.json:
        print(json.dumps(exported.to_json()))
    elif not arguments.quiet:
        _print_exported(exported)
    return SOME_FAILED if exported.failed else DONE


def _print_exported(exported: ExportResult) -> None:
    model = exported.model
    print(f"{model.folder}: model.onnx, its logits within {exported.difference:.1e} of torch's")
    if model.agreement:
        print("  engine    precision  photos  agreement  mean and greatest difference")
    for row in model.agreement:
        lost = f", loses {100 * row['accuracy_lost']:.2f} points" if "accuracy_lost" in row else ""
        print(
            f"  {row['engine']:<8}  {row['precision']:<9}  {row['n']:>6,}  {row['agree']:>9.2%}  "
            f"{row['mean_difference']:.4f}, {row['max_difference']:.4f}{lost}"
            + ("" if row["passed"] else ": not to be used")
        )
    if not exported.compared_on:
        print("int8 is as it was; --calibrate DATA makes it anew")
    elif model.has("model.int8.onnx"):
        print(f"model.int8.onnx, calibrated on {exported.calibrated_on:,} photos, is kept")
    else:
        print("model.int8.onnx is not kept: it does not agree with float32")
    if exported.failed:
        print(f"{exported.failed:,} files could not be decoded and were left out")
    print("bfloat16 needs no file: engines make it of model.onnx on processors that have it")
