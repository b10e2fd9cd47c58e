"""`sorter watch`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sorter.cli.arguments import options_from
from sorter.cli.command import DONE, SOME_FAILED, CommandResult
from sorter.cli.flags import (
    add_batch_size,
    add_command,
    add_companions,
    add_engine,
    add_filters,
    add_limits,
    add_output_flags,
    add_workers,
    location,
)
from sorter.cli.progress import photo_progress
from sorter.cli.sort import add_journal, add_sorting

if TYPE_CHECKING:
    from sorter.sort.watch import WatchSummary


def add_watch(commands: Any) -> None:
    parser = add_command(
        commands,
        "watch",
        "sort new photos as they come",
        "Sort what is in the folders, then wait, and sort each new photo when it is complete. Each batch is a run into "
        "DIR, so `sorter undo DIR` puts everything back. Ctrl-C or SIGTERM stops it.",
        (
            "sorter watch ./incoming --out ./sorted --action move",
            "sorter watch ./camera ./phone --out ./sorted --settle 10",
        ),
    )
    parser.add_argument("inputs", nargs="+", metavar="PATH", type=location, help="Folders to watch.")
    parser.add_argument(
        "-o", "--out", required=True, metavar="DIR", type=location, help="Folder for the class folders."
    )
    watching = parser.add_argument_group("watching")
    watching.add_argument(
        "--settle",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="A file is complete when nothing changed it for so long. (default: 5)",
    )
    watching.add_argument(
        "--poll",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="Time between two looks where the system tells of no changes. (default: 10)",
    )
    add_sorting(parser.add_argument_group("sorting"))
    files = parser.add_argument_group("files")
    add_filters(files)
    add_companions(files)
    add_limits(files)
    engine = parser.add_argument_group("engine")
    add_workers(engine)
    add_engine(engine)
    add_batch_size(engine)
    add_journal(add_output_flags(parser))
    parser.set_defaults(command=_watch)


def _watch(arguments: argparse.Namespace) -> CommandResult:
    from sorter.sort.options import SortOptions
    from sorter.sort.watch import WatchOptions, watch

    options = WatchOptions(options_from(SortOptions, arguments), arguments.settle, arguments.poll)
    with photo_progress(arguments, lambda: 0) as progress:
        summary = watch(options, progress=progress)
    failed = summary.last is not None and summary.last.failed
    return CommandResult(_lines(summary), summary.to_json(), SOME_FAILED if failed else DONE)


def _lines(summary: WatchSummary) -> Iterator[str]:
    import shlex

    yield f"{summary.decoded:,} photos sorted into {summary.out} in {summary.batches:,} batches"
    yield f"Undo with: sorter undo {shlex.quote(str(summary.out))}"
