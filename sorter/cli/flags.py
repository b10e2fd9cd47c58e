"""Flags and flag groups that commands share.

The flag of a nested record's field is stored as `record.field`: see `arguments.options_from`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

CLASS_FOLDERS = (
    "A folder for each class, train/, val/ and test/ folders of class folders, or a table of labels."
)


class HelpFormatter(argparse.HelpFormatter):
    """Wraps descriptions, and leaves examples as they are written."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return "".join(indent + line for line in text.splitlines(keepends=True))
        return super()._fill_text(text, width, indent)


class Parser(argparse.ArgumentParser):
    """A parser whose help uses `HelpFormatter`."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**{"formatter_class": HelpFormatter, **keywords})


def add_command(
    commands: Any, name: str, summary: str, description: str, examples: tuple[str, ...]
) -> argparse.ArgumentParser:
    """Add a command.

    Args:
        summary: one line for the list of commands.
        examples: whole command lines.
    """
    text = "\n".join(("examples:" if len(examples) > 1 else "example:", *(f"  {each}" for each in examples)))
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=description, epilog=text
    )
    return parser


def add_class_folders(parser: Any, or_list: bool = False) -> None:
    """`DATA`, for commands that read labelled photos.

    Args:
        or_list: `--from` may take its place.
    """
    parser.add_argument(
        "data", metavar="DATA", type=Path, help=CLASS_FOLDERS, **({"nargs": "?"} if or_list else {})
    )
    if or_list:
        add_listing(parser)
    add_include_protected(parser)


def labelled_source(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options' fields `data` and `listing`. `data` then names the list. Raises UsageError for both or none."""
    from sorter.photos.rows import check_sources

    listing = listing_of(arguments)
    check_sources("DATA", () if arguments.data is None else (arguments.data,), listing)
    return {"data": arguments.data or Path(listing.name), "listing": listing}


def add_listing(group: Any) -> None:
    """`--from`, for commands that read photos."""
    group.add_argument(
        "--from",
        dest="listing",
        metavar="FILE",
        type=file_list,
        help="Take the files that a list names, and look through no folder: one path a line, or CSV, JSON lines, "
        "Parquet or manifest.json of an S3 inventory. - reads paths from stdin.",
    )
    group.add_argument(
        "-0",
        "--null",
        dest="nul",
        action="store_true",
        help="With --from, a NUL ends each path, as of `find -print0`.",
    )


def file_list(text: str) -> Any:
    """A `FileList`; `-` is the standard input."""
    from sorter.photos.rows import FileList

    return FileList(None if text == "-" else location(text))


def listing_of(arguments: argparse.Namespace) -> Any:
    """The `FileList` that the flags name, or None. Raises UsageError for `-0` alone."""
    from dataclasses import replace

    from sorter.types import UsageError

    if arguments.listing is None:
        if arguments.nul:
            raise UsageError("-0: there is no list; name it with --from, or - for stdin")
        return None
    return replace(arguments.listing, nul=arguments.nul)


def add_include_protected(group: Any) -> None:
    """Whether folders of other programs are entered."""
    group.add_argument(
        "--include-protected",
        action="store_true",
        help="Enter photo libraries, trash, thumbnails and other folders that are left alone.",
    )


def add_filters(group: Any) -> None:
    """Which files of a folder a command reads."""
    group.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="Skip files that match, as in a .gitignore. May be repeated.",
    )
    group.add_argument("--hidden", action="store_true", help="Include files whose name starts with a dot.")
    group.add_argument("--follow-symlinks", action="store_true", help="Enter linked folders.")
    add_include_protected(group)


def add_companions(group: Any) -> None:
    """Whether files that belong to a photo go where it goes."""
    group.add_argument(
        "--companions",
        choices=("auto", "none"),
        default="auto",
        help="auto takes a photo's raw, edits, sidecars, film and audio note along with it. none takes each file by "
        "itself. (default: auto)",
    )


def add_limits(group: Any) -> None:
    """What one photo may cost, for every command that decodes."""
    group.add_argument(
        "--max-megapixels",
        dest="limits.megapixels",
        type=float,
        default=250.0,
        metavar="N",
        help="Larger photos fail before they are decoded. (default: 250)",
    )
    group.add_argument(
        "--timeout-per-file",
        dest="limits.seconds",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="Photos that take longer fail. (default: 60)",
    )


def add_workers(group: Any) -> None:
    """The number of processes."""
    group.add_argument(
        "-j", "--workers", type=int, metavar="N", help="Number of processes. (default: one per core)"
    )


def add_engine(group: Any) -> None:
    """What runs the model."""
    group.add_argument(
        "--device",
        dest="engine.device",
        default="auto",
        type=device,
        metavar="DEVICE",
        help="auto, cpu, cuda, cuda:0,1 (a process for each), all, tensorrt, directml or coreml. (default: auto)",
    )
    group.add_argument(
        "--engine",
        dest="engine.engine",
        choices=("auto", "onnx", "openvino", "torch"),
        default="auto",
        help="auto tries the installed engines on your first photos. It takes the fastest that agrees with fp32. "
        "(default: auto)",
    )
    group.add_argument(
        "--precision",
        dest="engine.precision",
        choices=("auto", "fp32", "fp16", "bf16", "int8"),
        default="auto",
        help="auto takes a lower precision only where it agrees with fp32 on your photos. (default: auto)",
    )
    group.add_argument(
        "--decode",
        dest="engine.decode",
        choices=("auto", "full", "preview", "gpu", "cpu"),
        help="full decodes every photo itself. preview takes the smaller picture that HEIC files and many JPEGs hold. "
        "gpu decodes large JPEGs on a GPU. auto takes preview and gpu where labels agree with full on your photos. "
        "cpu is the older word for full. (default: auto without gpu)",
    )


def add_explain_flag(group: Any) -> None:
    """Heat maps in a report."""
    group.add_argument(
        "--explain",
        action="store_true",
        help="The photos in report.html can also show where the model looked. They are decoded once more.",
    )


def add_batch_size(group: Any) -> None:
    """The batch size of a GPU."""
    group.add_argument(
        "--batch-size",
        dest="engine.batch_size",
        type=int,
        metavar="N",
        help="Photos in one inference on a GPU. It is halved where memory runs out. (default: 64)",
    )


def add_output_flags(parser: Any, quiet: bool = True) -> Any:
    """What a command prints. Returns the group, for flags of its own."""
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="Print the result as JSON.")
    if quiet:
        group.add_argument("-q", "--quiet", action="store_true", help="Print only errors, and JSON if asked.")
    return group


def location(text: str) -> Path:
    """A local path, or an address in a store such as s3://bucket/photos."""
    from sorter.address import path_of

    return path_of(text)


def device(text: str) -> str:
    """Check the name of a device."""
    from sorter.engines.devices import FORMS, is_device

    if is_device(text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is none of {FORMS}")
