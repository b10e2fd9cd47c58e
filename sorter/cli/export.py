"""`sorter export`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.arguments import options_from
from sorter.cli.command import DONE, SOME_FAILED, CommandResult, require_extra
from sorter.cli.flags import add_command, add_limits, add_output_flags, add_workers
from sorter.cli.progress import photo_progress

if TYPE_CHECKING:
    from sorter.export.export import ExportResult


def add_export(commands: Any) -> None:
    parser = add_command(
        commands,
        "export",
        "write the ONNX files of a model folder again",
        "Write model.onnx from model.safetensors. The command fails where its outputs differ from torch's. With "
        "--calibrate, write model.int8.onnx as well. It is kept where its labels equal float32's on at least 99 % of "
        "other photos. Where the photos have labels, it must also lose less than half a point of accuracy.",
        ("sorter export ./my-model", "sorter export ./my-model --calibrate ./labelled"),
    )
    parser.add_argument("model", metavar="MODEL", type=Path, help="Model folder with model.safetensors.")
    parser.add_argument(
        "--calibrate",
        metavar="DATA",
        type=Path,
        help="Photos like those you will sort, in one folder or in class folders.",
    )
    speed = parser.add_argument_group("speed and limits")
    add_workers(speed)
    add_limits(speed)
    add_output_flags(parser)
    parser.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> CommandResult:
    require_extra("torch", "timm", "onnxscript", extra="train")
    from sorter.export.export import ExportOptions, export_folder
    from sorter.types import UsageError

    options = options_from(ExportOptions, arguments)
    if options.calibrate is not None and not options.calibrate.is_dir():
        raise UsageError(f"--calibrate {options.calibrate}: no such folder; name a folder of photos")
    with photo_progress(arguments, lambda: 0) as progress:
        exported = export_folder(options, progress)
    code = SOME_FAILED if exported.failed else DONE
    return CommandResult(_summary_lines(exported), exported.to_json(), code)


def _summary_lines(exported: ExportResult) -> Iterator[str]:
    model = exported.model
    yield f"{model.folder}: the logits of model.onnx are within {exported.difference:.1e} of torch's"
    if model.agreement:
        yield "  engine    precision  photos  agreement  mean and greatest difference"
    for row in model.agreement:
        lost = f", loses {100 * row['accuracy_lost']:.2f} points" if "accuracy_lost" in row else ""
        yield (
            f"  {row['engine']:<8}  {row['precision']:<9}  {row['n']:>6,}  {row['agree']:>9.2%}  "
            f"{row['mean_difference']:.4f}, {row['max_difference']:.4f}{lost}"
            + ("" if row["passed"] else ": not used")
        )
    if not exported.compared_on:
        yield "model.int8.onnx is unchanged. --calibrate DATA writes it again."
    elif model.has("model.int8.onnx"):
        yield f"model.int8.onnx is calibrated on {exported.calibrated_on:,} photos"
    else:
        yield "model.int8.onnx does not agree with float32 and was removed"
    if exported.failed:
        yield f"{exported.failed:,} files could not be decoded and were left out"
    yield "bfloat16 needs no file: engines convert model.onnx on processors that have bfloat16"
