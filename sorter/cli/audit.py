"""`sorter audit`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.arguments import options_from
from sorter.cli.command import CommandResult, require_extra
from sorter.cli.flags import (
    add_class_folders,
    add_command,
    add_limits,
    add_output_flags,
    add_workers,
    labelled_source,
)
from sorter.cli.progress import training_progress

if TYPE_CHECKING:
    from sorter.train.audit import Audit

SHOWN = 10  # photos that are printed


def add_audit(commands: Any) -> None:
    parser = add_command(
        commands,
        "audit",
        "find wrong labels, outliers and leaks in labelled photos",
        "Judge each labelled photo by models that did not learn from it, and compare it with all others. List labels "
        "that are probably wrong, photos that look like one of another class or part, and photos like no other. "
        "No photo is changed.",
        ("sorter audit ./labelled --out ./audit", "sorter audit labels.csv --json"),
    )
    add_class_folders(parser, or_list=True)
    parser.add_argument(
        "--model",
        metavar="FOLDER",
        type=Path,
        help="Model folder whose network describes the photos. (default: EfficientNet-Lite0)",
    )
    speed = parser.add_argument_group("speed and limits")
    add_workers(speed)
    add_limits(speed)
    output = add_output_flags(parser)
    output.add_argument(
        "-o",
        "--out",
        metavar="DIR",
        type=Path,
        help="Folder for report.html, audit.csv and audit.json. (default: none)",
    )
    parser.set_defaults(command=_audit)


def _audit(arguments: argparse.Namespace) -> CommandResult:
    require_extra("sklearn", "scipy", "safetensors", "onnx")
    from sorter.train.audit import AuditOptions, audit

    options = options_from(AuditOptions, arguments, **labelled_source(arguments))
    with training_progress(arguments) as progress:
        found = audit(options, progress)
    return CommandResult(_lines(found), found.to_json())


def _lines(found: Audit) -> Iterator[str]:
    counts = found.counts()
    yield f"{found.data}: {found.checked:,} photos in {len(found.classes)} classes, {found.failed:,} cannot be decoded"
    yield f"  {counts['label']:>6,} labels are probably wrong"
    yield f"  {counts['conflict']:>6,} photos look like one of another class"
    yield f"  {counts['leak']:>6,} photos look like one of another part, or are of its group"
    yield f"  {counts['outlier']:>6,} photos are like no other"
    doubtful = [each for each in found.photos if "label" in each.issues]
    for each in doubtful[:SHOWN]:
        yield f"  {each.photo.path}: {each.label} {each.probability:.1%}, rather {each.suggested}"
    if len(doubtful) > SHOWN:
        yield f"  and {len(doubtful) - SHOWN:,} more"
    yield f"Done in {found.seconds:.1f} s"
    if found.page:
        yield f"Page: {found.page}"
