"""`sorter evaluate` and `inspect`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.common import (
    DONE,
    SOME_FAILED,
    ProgressBar,
    add_engine,
    add_limits,
    add_telling,
    add_workers,
    needs_extra,
)

if TYPE_CHECKING:
    from sorter.evaluate.evaluate import Evaluation
    from sorter.evaluate.inspect import Inspection


def add_evaluate(commands: Any) -> None:
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
    add_engine(how)
    add_limits(how)
    add_telling(parser)
    parser.set_defaults(command=_evaluate)


def _evaluate(arguments: argparse.Namespace) -> int:
    needs_extra("sklearn", "matplotlib")
    from sorter.engines.choice import EngineOptions
    from sorter.evaluate.evaluate import EvaluateOptions, evaluate
    from sorter.photos.dataset import read_folders
    from sorter.types import Limits

    options = EvaluateOptions(
        model=arguments.model,
        data=arguments.data,
        out=arguments.out,
        engine=EngineOptions(arguments.engine, arguments.precision, arguments.device, arguments.decode),
        workers=arguments.workers,
        limits=Limits(arguments.max_megapixels, arguments.timeout_per_file),
    )

    def total() -> int:
        parts = read_folders(options.data, least=0)[1]
        return len(parts.get("test") or parts.get(None) or ())

    with ProgressBar(arguments.quiet, total) as progress:
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


def add_inspect(commands: Any) -> None:
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
    add_workers(how)
    add_limits(how)
    add_telling(parser)
    parser.set_defaults(command=_inspect)


def _inspect(arguments: argparse.Namespace) -> int:
    needs_extra("matplotlib")
    from sorter.evaluate.inspect import InspectOptions, inspect_folders
    from sorter.photos.dataset import read_folders
    from sorter.types import Limits

    options = InspectOptions(
        data=arguments.data,
        out=arguments.out,
        workers=arguments.workers,
        limits=Limits(arguments.max_megapixels, arguments.timeout_per_file),
    )

    def total() -> int:
        return sum(map(len, read_folders(options.data, least=0)[1].values()))

    with ProgressBar(arguments.quiet, total) as progress:
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
