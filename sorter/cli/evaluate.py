"""`sorter evaluate`, `explain` and `inspect`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.arguments import options_from
from sorter.cli.command import DONE, SOME_FAILED, CommandResult, reasons_text, require_extra
from sorter.cli.flags import (
    add_class_folders,
    add_command,
    add_engine,
    add_explain_flag,
    add_include_protected,
    add_limits,
    add_listing,
    add_output_flags,
    add_workers,
    labelled_source,
    listing_of,
)
from sorter.cli.progress import photo_progress

if TYPE_CHECKING:
    from sorter.evaluate.evaluate import EvaluateOptions, Evaluation
    from sorter.evaluate.explain import Explained, Explanations
    from sorter.evaluate.inspect import Inspection, InspectOptions
    from sorter.photos.dataset import Example


def add_evaluate(commands: Any) -> None:
    parser = add_command(
        commands,
        "evaluate",
        "measure a model on labelled photos",
        "Run a model over labelled photos, as `sorter run` does, and compare its labels with the folder names. The "
        "folders are named like the model's classes. Of train/, val/ and test/ folders, test/ is used. Files that "
        "cannot be decoded are listed and do not count.",
        (
            "sorter evaluate ./my-model ./labelled --out ./evaluation",
            "sorter evaluate car ./labelled --json",
        ),
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        help="Model folder, or `car` for the model that comes with sorter.",
    )
    add_class_folders(parser, or_list=True)
    engine = parser.add_argument_group("engine")
    add_workers(engine)
    add_engine(engine)
    add_limits(engine)
    output = add_output_flags(parser)
    _add_report_folder(output, "report.html, metrics.json and misclassified.csv")
    add_explain_flag(output)
    parser.set_defaults(command=_evaluate)


def _add_report_folder(group: Any, files: str) -> None:
    group.add_argument("-o", "--out", metavar="DIR", type=Path, help=f"Folder for {files}. (default: none)")


def _evaluate(arguments: argparse.Namespace) -> CommandResult:
    require_extra("sklearn", "matplotlib")
    from sorter.evaluate.evaluate import EvaluateOptions, evaluate

    options = options_from(EvaluateOptions, arguments, **labelled_source(arguments))

    def total() -> int:
        parts = _parts(options)
        return len(parts.get("test") or parts.get(None) or ())

    with photo_progress(arguments, total) as progress:
        found = evaluate(options, progress)
    return CommandResult(_evaluation_lines(found), found.to_json(), SOME_FAILED if found.failed else DONE)


def _parts(options: EvaluateOptions | InspectOptions) -> dict[str | None, list[Example]]:
    """The photos to count. None for the standard input, which can be read only once."""
    from sorter.photos.labelled import read_labelled

    if options.listing is not None and options.listing.path is None:
        return {}
    return read_labelled(options.data, 0, options.include_protected, listing=options.listing).parts


def _evaluation_lines(found: Evaluation) -> Iterator[str]:
    metrics = found.metrics
    where = f"{found.data}" + (f", {found.part}" if found.part else "")
    yield f"{found.model} on {where}: {metrics.photos:,} photos, {metrics.errors:,} wrong"
    for name, estimate in metrics.estimates().items():
        interval = f"{estimate.low:.4f} to {estimate.high:.4f}"
        defined = estimate.value == estimate.value
        shown = f"{estimate.value:.4f}  (95 %: {interval})" if defined else "not defined on these photos"
        yield f"  {name.replace('_', ' '):<18} {shown}"
    yield f"  {'calibration error':<18} {metrics.ece:.4f}"
    width = max(len(each.label) for each in metrics.per_class)
    yield f"  {'class':<{width}}  {'photos':>8}  precision  recall  F1"
    for each in metrics.per_class:
        scores = f"{each.precision:>9.4f}  {each.recall:.4f}  {each.f1:.4f}"
        yield f"  {each.label:<{width}}  {each.photos:>8,}  {scores}"
    for pair in metrics.most_confused:
        yield f"  {pair.photos:,} of {pair.label} taken for {pair.predicted} ({pair.share:.1%})"
    for name, reasons in (("failed", found.failed), ("skipped", found.skipped)):
        if reasons:
            yield f"  {name}: {sum(reasons.values()):,} files ({reasons_text(reasons)})"
    yield f"Done in {found.seconds:.1f} s with {found.engine}"
    if found.page:
        yield f"Page: {found.page}"


def add_explain(commands: Any) -> None:
    parser = add_command(
        commands,
        "explain",
        "show where a model looked in photos",
        "Show which places of a photo speak for a class. Each photo gets a picture with a heat map over it, and boxes "
        "around the hottest places, in pixels of the upright photo.",
        (
            "sorter explain car ./photo.jpg --out ./looked",
            "sorter explain ./my-model ./photos --class flower --json",
        ),
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        help="Model folder, or `car` for the model that comes with sorter.",
    )
    parser.add_argument("photos", metavar="PHOTO", type=Path, nargs="*", help="Photos and folders of photos.")
    add_listing(parser)
    parser.add_argument(
        "--class",
        dest="label",
        metavar="NAME",
        help="Class to explain. (default: the one that the model decides on)",
    )
    add_include_protected(parser)
    add_limits(parser.add_argument_group("limits"))
    _add_report_folder(add_output_flags(parser), "a PNG for each photo and explanations.json")
    parser.set_defaults(command=_explain)


def _explain(arguments: argparse.Namespace) -> CommandResult:
    from sorter.evaluate.explain import ExplainOptions, explain, scan_of
    from sorter.photos.listing import Listing
    from sorter.types import Photo

    options = options_from(ExplainOptions, arguments, listing=listing_of(arguments))

    def total() -> int:
        found = scan_of(options)
        return found.count() if isinstance(found, Listing) else sum(isinstance(item, Photo) for item in found)

    with photo_progress(arguments, total) as progress:
        found = explain(options, progress)
    return CommandResult(_explained_lines(found), found.to_json(), SOME_FAILED if found.failed else DONE)


def _explained_lines(found: Explanations) -> Iterator[str]:
    for each in found.photos:
        yield from _photo_lines(each)


def _photo_lines(each: Explained) -> Iterator[str]:
    from sorter.types import Failure

    if isinstance(each.outcome, Failure):
        yield f"{each.path}: {each.outcome}"
        return
    yield f"{each.path}: {each.outcome.label} {each.outcome.probability:.3f}"
    if not each.outcome.regions:
        yield f"  no place speaks for {each.outcome.label}"
    for box in each.outcome.regions:
        place = f"{box.width} x {box.height} at {box.left}, {box.top}"
        yield f"  {place}: score {box.score:.2f}, {box.share:.0%} of what speaks for it"
    if each.picture:
        yield f"  {each.picture}"


def add_inspect(commands: Any) -> None:
    parser = add_command(
        commands,
        "inspect",
        "describe the photos in class folders",
        "Describe class folders: balance, formats, sizes, colours, damaged files and duplicates. Duplicates across "
        "classes and across train/, val/ and test/ are counted as well.",
        ("sorter inspect ./labelled", "sorter inspect ./labelled --out ./inspection"),
    )
    add_class_folders(parser, or_list=True)
    speed = parser.add_argument_group("speed and limits")
    add_workers(speed)
    add_limits(speed)
    _add_report_folder(add_output_flags(parser), "report.html and inspection.json")
    parser.set_defaults(command=_inspect)


def _inspect(arguments: argparse.Namespace) -> CommandResult:
    require_extra("matplotlib")
    from sorter.evaluate.inspect import InspectOptions, inspect_folders

    options = options_from(InspectOptions, arguments, **labelled_source(arguments))

    def total() -> int:
        return sum(map(len, _parts(options).values()))

    with photo_progress(arguments, total) as progress:
        found = inspect_folders(options, progress)
    return CommandResult(_inspection_lines(found), found.to_json(), SOME_FAILED if found.failed else DONE)


def _inspection_lines(found: Inspection) -> Iterator[str]:
    yield f"{found.data}: {found.total:,} photos in {len(found.classes)} classes"
    width = max(len(name) for name in (*found.classes, "channel mean"))
    for name in found.classes:
        counts = {part: classes[name] for part, classes in found.photos.items()}
        parts = f"  ({reasons_text(counts)})" if len(counts) > 1 else ""
        yield f"  {name:<{width}}  {sum(counts.values()):>9,}{parts}"
    yield f"  {'formats':<{width}}  {reasons_text(found.formats) or 'none'}"
    yield from _measurement_lines(found, width)
    yield from _duplicate_lines(found, width)
    for name, reasons in (("failed", found.failed), ("skipped", found.skipped)):
        if reasons:
            yield f"  {name:<{width}}  {sum(reasons.values()):,} ({reasons_text(reasons)})"
    for path, reason in found.failures[:5]:
        yield f"    {path}: {reason}"
    yield f"Done in {found.seconds:.1f} s"
    if found.page:
        yield f"Page: {found.page}"


def _measurement_lines(found: Inspection, width: int) -> Iterator[str]:
    for name, spread, digits in (
        ("width", found.width, 0),
        ("height", found.height, 0),
        ("aspect", found.aspect, 2),
        ("brightness", found.brightness, 2),
    ):
        if spread:
            shown = f"{spread.median:.{digits}f}  ({spread.least:.{digits}f} to {spread.most:.{digits}f})"
            yield f"  {name:<{width}}  median {shown}"
    if found.mean and found.std:
        for name, values in (("channel mean", found.mean), ("channel std", found.std)):
            yield f"  {name:<{width}}  {', '.join(f'{value:.4f}' for value in values)}"


def _duplicate_lines(found: Inspection, width: int) -> Iterator[str]:
    duplicates = found.duplicates
    yield f"  {'duplicates':<{width}}  {duplicates.exact:,} exact, {duplicates.near:,} near"
    if duplicates.across_classes:
        yield f"  {'':<{width}}  {duplicates.across_classes:,} photos look like one of another class"
    if duplicates.across_splits:
        yield f"  {'':<{width}}  {duplicates.across_splits:,} photos look like one of another part"
