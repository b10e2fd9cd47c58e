"""Parsing, printing, exit codes. Nothing else in the package prints or exits."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sorter.run import Summary
    from sorter.train.evaluation import Evaluation
    from sorter.train.fit import Trained
    from sorter.train.inspection import Inspection
    from sorter.train.reexport import Exported

DONE, FAILED, WRONG_USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not fit any encoding
    arguments = build_parser().parse_args(argv)
    # Ended by a service manager or a cluster's scheduler is ended as by Ctrl-C: the journal is in order.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code: int = arguments.command(arguments)
    except KeyboardInterrupt:
        _complain("stopped; give the same command again to go on where it stopped")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`sorter status x | head`): nothing is left to tell them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        from sorter.types import SorterError

        if not isinstance(error, SorterError):
            raise
        _complain(str(error))
        return error.exit_code
    return code


def build_parser() -> argparse.ArgumentParser:
    """Every command and flag, with an example each."""
    parser = _Parser(
        prog="sorter",
        description="Sort a folder of photos by what is in them. Nothing is ever overwritten or lost, "
        "and everything can be undone.",
        epilog="examples:\n  sorter run ./photos --out ./sorted\n  sorter undo ./sorted",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_undo(commands)
    _add_status(commands)
    _add_evaluate(commands)
    _add_train(commands)
    _add_recipes(commands)
    _add_inspect(commands)
    _add_export(commands)
    return parser


# -- sorter run ------------------------------------------------------------------------------------------------


def _add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="sort photos into folders",
        description="Sort photos into DIR/<class>/, with DIR/report.csv and DIR/report.html. Stopped or not, the "
        "same command again goes on where it was and picks up what is new. `sorter undo DIR` puts all back.",
        epilog="examples:\n"
        "  sorter run ./photos --out ./sorted\n"
        "  sorter run ./photos --out ./sorted --action move --layout tree\n"
        "  sorter run ./photos --out ./sorted --unsure 0.3 0.7 --exclude 'screenshots/'\n"
        "  sorter run ./photos --out ./sorted --model ./my-model --dry-run",
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="PATH", type=Path, help="folders (all that is in them) and photos"
    )
    parser.add_argument(
        "-o", "--out", required=True, metavar="DIR", type=Path, help="where the class folders go"
    )

    what = parser.add_argument_group("what goes where")
    what.add_argument("--model", metavar="FOLDER", type=Path, help="a model folder (default: car / not-car)")
    what.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="probability from which a photo is positive (default: the model's own)",
    )
    what.add_argument(
        "--unsure",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="photos with a probability from LOW to HIGH go to DIR/unsure/",
    )
    what.add_argument(
        "--action",
        choices=("copy", "move", "hardlink", "symlink", "none"),
        default="copy",
        help="what to do with each photo (default: copy)",
    )
    what.add_argument(
        "--layout",
        choices=("flat", "tree"),
        default="flat",
        help="all photos of a class side by side, or in the folders they came in (default: flat)",
    )
    what.add_argument("--dry-run", action="store_true", help="decide and report, but touch no file")
    what.add_argument(
        "--resume",
        action="store_true",
        help="accepted for habit's sake: a run always goes on where it stopped",
    )
    what.add_argument(
        "--fresh",
        action="store_true",
        help="take back what earlier runs filed in DIR, forget them and start anew",
    )

    which = parser.add_argument_group("which files")
    which.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out what matches, as in a .gitignore; may be given again",
    )
    which.add_argument("--hidden", action="store_true", help="also names that begin with a dot")
    which.add_argument("--follow-symlinks", action="store_true", help="enter linked folders")
    _add_limits(which)

    how = parser.add_argument_group("how it runs")
    how.add_argument(
        "--batch-size", type=int, metavar="N", help="photos in one inference on a GPU (default: 64)"
    )
    _add_engine(how)

    tell = parser.add_argument_group("what it tells")
    tell.add_argument(
        "--report", metavar="PATH", type=Path, help="where the CSV goes (default: DIR/report.csv)"
    )
    tell.add_argument("--json", action="store_true", help="print the summary as JSON")
    tell.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors (and JSON)")
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from sorter.run import Options, resolved, scan_of, sort_folder
    from sorter.types import ActionKind

    options = Options(
        inputs=tuple(arguments.inputs),
        out=arguments.out,
        model=arguments.model,
        action=ActionKind(arguments.action),
        layout=arguments.layout,
        threshold=arguments.threshold,
        unsure=tuple(arguments.unsure) if arguments.unsure else None,
        exclude=tuple(arguments.exclude),
        hidden=arguments.hidden,
        follow_symlinks=arguments.follow_symlinks,
        workers=arguments.workers,
        batch_size=arguments.batch_size,
        device=arguments.device,
        engine=arguments.engine,
        precision=arguments.precision,
        max_megapixels=arguments.max_megapixels,
        timeout_per_file=arguments.timeout_per_file,
        dry_run=arguments.dry_run,
        fresh=arguments.fresh,
        report=arguments.report,
    )
    with _Progress(arguments.quiet, lambda: sum(1 for _ in scan_of(resolved(options)))) as progress:
        summary = sort_folder(options, progress)
    if arguments.json:
        print(json.dumps(summary.to_json()))
    elif not arguments.quiet:
        _print_summary(summary)
    return SOME_FAILED if summary.failed else DONE


def _print_summary(summary: Summary) -> None:
    import shlex

    print(f"Would sort into {summary.out}:" if summary.dry_run else f"Sorted into {summary.out}:")
    width = max(len(label) for label in (*summary.counts, "skipped"))
    for label, count in summary.counts.items():
        print(f"  {label:<{width}}  {count:>9,}")
    for name, reasons in (("failed", summary.failed), ("skipped", summary.skipped)):
        if reasons:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
            print(f"  {name:<{width}}  {sum(reasons.values()):>9,}  ({listed})")
    done = f"{summary.decoded:,} photos decoded in {summary.seconds:.1f} s"
    if summary.decoded:
        done += f": {summary.rate:.1f} photos/s with {summary.engine}"
    if summary.refiled:
        done += f"; {summary.refiled:,} filed without decoding"
    print(done)
    if summary.report:
        print(f"Every file has its row in {summary.report}")
    if summary.page:
        print(f"Look at {summary.page}")
    if not summary.dry_run:
        print(f"To put everything back: sorter undo {shlex.quote(str(summary.out))}")


class _Progress:
    """A `Watch` on stderr: a bar on a terminal, silent elsewhere."""

    def __init__(self, quiet: bool, total: Callable[[], int]) -> None:
        self._quiet = quiet
        self._total = total
        self._bar: Any = None

    def __enter__(self) -> _Progress:
        if not self._quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(unit=" photos", dynamic_ncols=True, smoothing=0.05)
            self._count()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def say(self, message: str) -> None:
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.write(message, file=sys.stderr)
        else:
            print(message, file=sys.stderr)

    def advance(self, photos: int) -> None:
        if self._bar is not None:
            self._bar.update(photos)

    def _count(self) -> None:
        """Find out how many photos there are while the first are already being done."""
        import threading

        from sorter.types import SorterError

        def count() -> None:
            try:
                total = self._total()
            except SorterError:
                return  # the run itself says so
            self._bar.total = total
            self._bar.refresh()

        threading.Thread(target=count, daemon=True).start()


# -- sorter undo -----------------------------------------------------------------------------------------------


def _add_undo(commands: Any) -> None:
    parser = commands.add_parser(
        "undo",
        help="put back what was sorted",
        description="Put back every photo that was moved to DIR and remove every copy and link that was made there, "
        "as its journal says. What was changed since, or cannot go back without overwriting, stays and is named.",
        epilog="example:\n  sorter undo ./sorted",
    )
    parser.add_argument("out", metavar="DIR", type=Path, help="a folder that `sorter run` wrote to")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    parser.set_defaults(command=_undo)


def _undo(arguments: argparse.Namespace) -> int:
    from sorter.undo import undo

    undone = undo(arguments.out)
    if arguments.json:
        left = [{"path": str(each.path), "reason": each.message} for each in undone.left]
        print(json.dumps({"out": str(undone.out), "restored": undone.restored, "left": left}))
    else:
        print(f"{undone.restored:,} files put back or removed from {undone.out}")
        for each in undone.left:
            print(f"left: {each.path}: {each.message}")
    return SOME_FAILED if undone.left else DONE


# -- sorter status ---------------------------------------------------------------------------------------------


def _add_status(commands: Any) -> None:
    parser = commands.add_parser(
        "status",
        help="tell what an output folder holds",
        description="Tell from the journal of DIR what was sorted there, with which model, and whether the run ended.",
        epilog="example:\n  sorter status ./sorted",
    )
    parser.add_argument("out", metavar="DIR", type=Path, help="a folder that `sorter run` wrote to")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(command=_status)


def _status(arguments: argparse.Namespace) -> int:
    from sorter.status import read_status

    status = read_status(arguments.out)
    if arguments.json:
        print(json.dumps(status.to_json()))
        return DONE
    print(f"{status.out}: {status.sentence}")
    print(f"  model    {status.model}")
    print(f"  action   {status.action}, layout {status.layout}")
    print(f"  photos   {status.photos:,} known, {status.filed:,} filed here")
    for (kind, what), count in status.counts.items():
        print(f"  {kind:<8} {count:>9,}  {what}")
    return DONE


# -- sorter evaluate -------------------------------------------------------------------------------------------


def _add_evaluate(commands: Any) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="tell how good a model is on labelled photos",
        description="Run a model, just as `sorter run` does, over photos in folders named as its classes (or the "
        "test/ of train/ val/ test/ folders), and compare. Files that cannot be decoded are counted and named, and "
        "are in none of the figures.",
        epilog="examples:\n"
        "  sorter evaluate ./my-model ./labelled --out ./evaluation\n"
        "  sorter evaluate car ./labelled --json",
    )
    parser.add_argument(
        "model", metavar="MODEL", type=Path, help="a model folder; `car` is the one that ships"
    )
    parser.add_argument(
        "data", metavar="DATA", type=Path, help="class folders, or train/ val/ test/ of class folders"
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="DIR",
        type=Path,
        help="where report.html, metrics.json and misclassified.csv go (default: nowhere)",
    )
    how = parser.add_argument_group("how it runs")
    _add_engine(how)
    _add_limits(how)
    _add_telling(parser)
    parser.set_defaults(command=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    _needs_extra("sklearn", "matplotlib")
    from sorter.train.data import read_folders
    from sorter.train.evaluation import Options, evaluate

    options = Options(
        model=arguments.model,
        data=arguments.data,
        out=arguments.out,
        engine=arguments.engine,
        precision=arguments.precision,
        device=arguments.device,
        workers=arguments.workers,
        max_megapixels=arguments.max_megapixels,
        timeout_per_file=arguments.timeout_per_file,
    )

    def total() -> int:
        parts = read_folders(options.data, least=0)[1]
        return len(parts.get("test") or parts.get(None) or ())

    with _Progress(arguments.quiet, total) as progress:
        found = evaluate(options, progress)
    if arguments.json:
        print(json.dumps(found.to_json()))
    elif not arguments.quiet:
        _print_evaluation(found)
    return SOME_FAILED if found.failed else DONE


def _print_evaluation(found: Evaluation) -> None:
    metrics = found.metrics
    where = f"{found.data}" + (f", {found.part}" if found.part else "")
    print(f"{found.model} on {where}: {metrics.photos:,} photos, {metrics.errors:,} wrong")
    for name, estimate in metrics.estimates().items():
        interval = f"{estimate.low:.4f} to {estimate.high:.4f}"
        defined = estimate.value == estimate.value
        shown = f"{estimate.value:.4f}  (95 %: {interval})" if defined else "not defined on these photos"
        print(f"  {name.replace('_', ' '):<18} {shown}")
    print(f"  {'calibration error':<18} {metrics.ece:.4f}")
    width = max(len(each.label) for each in metrics.per_class)
    print(f"  {'class':<{width}}  {'photos':>8}  precision  recall  F1")
    for each in metrics.per_class:
        print(
            f"  {each.label:<{width}}  {each.photos:>8,}  {each.precision:>9.4f}  {each.recall:.4f}  {each.f1:.4f}"
        )
    for pair in metrics.most_confused:
        print(f"  {pair.photos:,} of {pair.label} taken for {pair.predicted} ({pair.share:.1%})")
    for name, reasons in (("failed", found.failed), ("skipped", found.skipped)):
        if reasons:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
            print(f"  {name}: {sum(reasons.values()):,} files ({listed})")
    print(f"Done in {found.seconds:.1f} s with {found.engine}")
    if found.page:
        print(f"Look at {found.page}")


# -- sorter inspect --------------------------------------------------------------------------------------------


def _add_inspect(commands: Any) -> None:
    parser = commands.add_parser(
        "inspect",
        help="tell what is in class folders",
        description="Look at every photo in class folders (or train/ val/ test/ of class folders): balance, formats, "
        "sizes, colours, damaged files and duplicates, also those across classes and parts.",
        epilog="examples:\n  sorter inspect ./labelled\n  sorter inspect ./labelled --out ./inspection",
    )
    parser.add_argument(
        "data", metavar="DATA", type=Path, help="class folders, or train/ val/ test/ of class folders"
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="DIR",
        type=Path,
        help="where report.html and inspection.json go (default: nowhere)",
    )
    how = parser.add_argument_group("how it runs")
    _add_workers(how)
    _add_limits(how)
    _add_telling(parser)
    parser.set_defaults(command=_inspect)


def _inspect(arguments: argparse.Namespace) -> int:
    _needs_extra("matplotlib")
    from sorter.train.data import read_folders
    from sorter.train.inspection import Options, inspect_folders

    options = Options(
        data=arguments.data,
        out=arguments.out,
        workers=arguments.workers,
        max_megapixels=arguments.max_megapixels,
        timeout_per_file=arguments.timeout_per_file,
    )

    def total() -> int:
        return sum(map(len, read_folders(options.data, least=0)[1].values()))

    with _Progress(arguments.quiet, total) as progress:
        found = inspect_folders(options, progress)
    if arguments.json:
        print(json.dumps(found.to_json()))
    elif not arguments.quiet:
        _print_inspection(found)
    return SOME_FAILED if found.failed else DONE


def _print_inspection(found: Inspection) -> None:
    print(f"{found.data}: {found.total:,} photos in {len(found.classes)} classes")
    width = max(len(name) for name in (*found.classes, "channel mean"))
    for name in found.classes:
        counts = {part: classes[name] for part, classes in found.photos.items()}
        parts = ", ".join(f"{count:,} {part}" for part, count in counts.items()) if len(counts) > 1 else ""
        print(f"  {name:<{width}}  {sum(counts.values()):>9,}" + (f"  ({parts})" if parts else ""))
    print(
        f"  {'formats':<{width}}  {', '.join(f'{n:,} {name}' for name, n in found.formats.items()) or 'none'}"
    )
    for name, spread, digits in (
        ("width", found.width, 0),
        ("height", found.height, 0),
        ("aspect", found.aspect, 2),
        ("brightness", found.brightness, 2),
    ):
        if spread:
            shown = f"{spread.median:.{digits}f}  ({spread.least:.{digits}f} to {spread.most:.{digits}f})"
            print(f"  {name:<{width}}  median {shown}")
    if found.mean and found.std:
        for name, values in (("channel mean", found.mean), ("channel std", found.std)):
            print(f"  {name:<{width}}  {', '.join(f'{value:.4f}' for value in values)}")
    doubles = found.duplicates
    print(f"  {'duplicates':<{width}}  {doubles.exact:,} exact, {doubles.near:,} near")
    if doubles.across_classes:
        print(f"  {'':<{width}}  {doubles.across_classes:,} photos look like one of another class")
    if doubles.across_splits:
        print(f"  {'':<{width}}  {doubles.across_splits:,} photos look like one of another part")
    for name, reasons in (("failed", found.failed), ("skipped", found.skipped)):
        if reasons:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
            print(f"  {name:<{width}}  {sum(reasons.values()):,} ({listed})")
    for path, fault in found.failures[:5]:
        print(f"    {path}: {fault}")
    print(f"Done in {found.seconds:.1f} s")
    if found.page:
        print(f"Look at {found.page}")


# -- sorter train ----------------------------------------------------------------------------------------------


def _add_train(commands: Any) -> None:
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
        help="efficientnet-lite0 (its weights are installed), resnet50, mobilenetv2_100 or another of timm's",
    )
    what.add_argument(
        "--weights", metavar="FILE", type=Path, help="the backbone's weights, .safetensors or .pth"
    )
    what.add_argument("--no-pretrained", action="store_true", help="start the backbone from random weights")

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

    where = parser.add_argument_group("how it runs")
    _add_workers(where)
    where.add_argument(
        "--device", default="auto", type=_device, metavar="DEVICE", help="auto, cpu, cuda or cuda:N"
    )
    _add_limits(where)
    _add_telling(parser)
    parser.set_defaults(command=_train)


def _train(arguments: argparse.Namespace) -> int:
    _needs_extra("torch", "torchvision", "timm", "sklearn", "matplotlib")
    from sorter.train.fit import Options, train_model

    options = Options(
        data=arguments.data,
        out=arguments.out,
        recipe=arguments.recipe,
        backbone=arguments.backbone,
        weights=arguments.weights,
        pretrained=not arguments.no_pretrained,
        epochs=arguments.epochs,
        patience=arguments.patience,
        batch_size=arguments.batch_size,
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
        max_megapixels=arguments.max_megapixels,
        timeout_per_file=arguments.timeout_per_file,
    )
    try:
        with _TrainingProgress(arguments.quiet) as progress:
            trained = train_model(options, progress)
    except KeyboardInterrupt:
        _complain("stopped; add --resume to the same command to go on where it stopped")
        return INTERRUPTED
    if arguments.json:
        print(json.dumps(trained.to_json()))
    elif not arguments.quiet:
        _print_trained(trained)
    return SOME_FAILED if trained.failed else DONE


def _print_trained(trained: Trained) -> None:
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
        f"{trained.epochs} epochs in {trained.training_seconds:.1f} s, {trained.waiting:.0%} of it waiting for photos; "
        f"{trained.seconds:.1f} s in all"
    )
    print(f"Look at {trained.page}")
    print(f"Sort with it: sorter run PHOTOS --out DIR --model {shlex.quote(str(trained.model.folder))}")


class _TrainingProgress:
    """A training `Watch` on stderr: a bar for each stretch of work on a terminal, a line for each elsewhere."""

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

    def begin(self, what: str, total: int) -> None:
        self._end()
        if self._quiet:
            return
        if not sys.stderr.isatty():
            print(f"{what} ...", file=sys.stderr)
            return
        from tqdm import tqdm

        self._figures = {}
        self._bar = tqdm(total=total, desc=what, dynamic_ncols=True, smoothing=0.05)

    def advance(self, steps: int, **figures: float) -> None:
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


# -- sorter recipes --------------------------------------------------------------------------------------------


def _add_recipes(commands: Any) -> None:
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


# -- sorter export ---------------------------------------------------------------------------------------------


def _add_export(commands: Any) -> None:
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
    _add_workers(how)
    _add_limits(how)
    _add_telling(parser)
    parser.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> int:
    _needs_extra("torch", "timm", "onnxscript")
    from sorter.train.reexport import Options, export_folder
    from sorter.types import UsageError

    options = Options(
        model=arguments.model,
        calibrate=arguments.calibrate,
        workers=arguments.workers,
        max_megapixels=arguments.max_megapixels,
        timeout_per_file=arguments.timeout_per_file,
    )
    if options.calibrate is not None and not options.calibrate.is_dir():
        raise UsageError(f"--calibrate {options.calibrate}: no such folder; name a folder of photos")
    with _Progress(arguments.quiet, lambda: 0) as progress:
        exported = export_folder(options, progress)
    if arguments.json:
        print(json.dumps(exported.to_json()))
    elif not arguments.quiet:
        _print_exported(exported)
    return SOME_FAILED if exported.failed else DONE


def _print_exported(exported: Exported) -> None:
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


# -- pieces ----------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Shows the examples as they are written."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**{"formatter_class": argparse.RawDescriptionHelpFormatter, **keywords})


class _Version(argparse.Action):
    """Looked up only when asked for: reading package metadata takes longer than parsing."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"sorter {version('sorter')}")
        parser.exit()


def _add_limits(which: Any) -> None:
    """What a photo may cost, for every command that decodes."""
    which.add_argument(
        "--max-megapixels",
        type=float,
        default=250.0,
        metavar="N",
        help="larger photos fail before they are decoded (default: 250)",
    )
    which.add_argument(
        "--timeout-per-file",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="a photo that takes longer fails (default: 60)",
    )


def _add_workers(how: Any) -> None:
    how.add_argument("-j", "--workers", type=int, metavar="N", help="processes (default: one per core)")


def _add_engine(how: Any) -> None:
    """What runs the model, for every command that does."""
    _add_workers(how)
    how.add_argument(
        "--device", default="auto", type=_device, metavar="DEVICE", help="auto, cpu, cuda or cuda:N"
    )
    how.add_argument(
        "--engine",
        choices=("auto", "onnx", "openvino", "torch"),
        default="auto",
        help="auto tries those installed on your first photos and takes the fastest that agrees",
    )
    how.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16", "int8"),
        default="auto",
        help="auto takes a reduced one only if it agrees with fp32 on your photos",
    )


def _device(text: str) -> str:
    if text in ("auto", "cpu", "cuda") or (text.startswith("cuda:") and text[5:].isdigit()):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is none of auto, cpu, cuda, cuda:N")


def _add_telling(parser: Any) -> None:
    tell = parser.add_argument_group("what it tells")
    tell.add_argument("--json", action="store_true", help="print the outcome as JSON")
    tell.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors (and JSON)")


def _needs_extra(*modules: str) -> None:
    """What these commands need comes with an extra: say so before anything is read."""
    from importlib.util import find_spec

    from sorter.types import SorterError

    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise SorterError(f'{missing[0]} is not installed; `pip install "sorter[train]"` brings it')


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _complain(message: str) -> None:
    print(f"sorter: {message}", file=sys.stderr)
