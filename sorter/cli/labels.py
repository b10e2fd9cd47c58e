"""`sorter export-labels`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sorter.cli.arguments import options_from
from sorter.cli.command import CommandResult
from sorter.cli.flags import add_command, add_output_flags


def add_export_labels(commands: Any) -> None:
    parser = add_command(
        commands,
        "export-labels",
        "write the labels of sorted photos for other programs",
        "Write the class of each photo in an output folder: the one that a person gave it in the review, else the one "
        "of the model. Photos that are unsure, set aside or failed are left out. `sorter train` reads each format.",
        (
            "sorter export-labels ./sorted --format coco --out labels.json",
            "sorter export-labels ./sorted --reviewed --out labels.csv",
        ),
    )
    parser.add_argument("sorted", metavar="DIR", type=Path, help="Output folder of `sorter run`.")
    parser.add_argument(
        "--format",
        choices=("csv", "coco", "imagefolder"),
        default="csv",
        help="csv has path, label and reviewed. coco is JSON. imagefolder is the metadata.csv of Hugging Face. "
        "(default: csv)",
    )
    parser.add_argument("--reviewed", action="store_true", help="Only photos that a person has marked.")
    parser.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        type=Path,
        help="File to write. (default: labels.csv, labels.json or metadata.csv in DIR)",
    )
    add_output_flags(parser, quiet=False)
    parser.set_defaults(command=_export_labels)


def _export_labels(arguments: argparse.Namespace) -> CommandResult:
    from sorter.sort.export_labels import ExportLabelsOptions, export_labels

    done = export_labels(options_from(ExportLabelsOptions, arguments))
    left = f", {done.left_out:,} without a class left out" if done.left_out else ""
    return CommandResult((f"{done.out}: {done.photos:,} photos{left}",), done.to_json())
