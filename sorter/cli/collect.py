"""`sorter collect`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.arguments import options_from
from sorter.cli.command import DONE, SOME_FAILED, CommandResult, require_extra
from sorter.cli.flags import (
    add_command,
    add_include_protected,
    add_limits,
    add_output_flags,
    add_workers,
)
from sorter.cli.progress import photo_progress

if TYPE_CHECKING:
    from sorter.collect.options import CollectSummary


def add_collect(commands: Any) -> None:
    parser = add_command(
        commands,
        "collect",
        "download pictures from the web into class folders",
        "Search for pictures and download them to OUT/<class>/. Files that do not decode and duplicates are dropped. "
        "OUT/manifest.csv names the source and the licence of each picture.",
        (
            'sorter collect --class car "red car" "parked car" --class not-car "empty street" --out dataset/',
            "sorter collect --class car cars.csv --class not-car others.txt --source urls --out dataset/",
        ),
    )
    parser.add_argument(
        "--class",
        dest="classes",
        metavar=("NAME", "QUERY"),
        nargs="+",
        action="append",
        required=True,
        help="A class and its search terms. With --source urls or folder, the terms are files or folders.",
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="DIR",
        type=Path,
        required=True,
        help="Folder of the dataset. The same folder again goes on.",
    )
    _add_pictures(parser.add_argument_group("pictures"))
    _add_download(parser.add_argument_group("download"))
    output = add_output_flags(parser)
    output.add_argument("--attribution", action="store_true", help="Also write OUT/ATTRIBUTION.md.")
    output.add_argument("--dry-run", action="store_true", help="Search and report, but download nothing.")
    parser.set_defaults(command=_collect)


def _add_pictures(group: Any) -> None:
    group.add_argument(
        "--source",
        dest="sources",
        action="append",
        choices=("openverse", "web", "urls", "folder"),
        help="Where to search. May be repeated. (default: openverse)",
    )
    group.add_argument(
        "--licence",
        action="append",
        metavar="NAMES",
        help="any, public-domain, commercial, modification, or codes such as by,by-sa,cc0. (default: any)",
    )
    group.add_argument(
        "--limit",
        type=int,
        default=200,
        metavar="N",
        help="Pictures of each class. 0 means no limit. (default: 200)",
    )
    group.add_argument(
        "--min-size",
        type=int,
        default=128,
        metavar="PX",
        help="Least pixels on the short side. (default: 128)",
    )
    add_include_protected(group)
    add_limits(group)
    add_workers(group)


def _add_download(group: Any) -> None:
    group.add_argument(
        "--delay",
        dest="fetch.delay",
        type=float,
        default=0.5,
        metavar="SECONDS",
        help="Pause between requests to one host. (default: 0.5)",
    )
    group.add_argument(
        "--connections",
        dest="fetch.connections",
        type=int,
        default=16,
        metavar="N",
        help="Connections at once, at most two to one host. (default: 16)",
    )
    group.add_argument(
        "--max-bytes",
        dest="fetch.max_bytes",
        type=int,
        default=50 << 20,
        metavar="N",
        help="Largest download, in bytes. (default: 52428800)",
    )
    group.add_argument(
        "--contact",
        dest="fetch.contact",
        default="",
        metavar="TEXT",
        help="Address or page to name in the user agent.",
    )
    group.add_argument(
        "--allow-private",
        dest="fetch.private",
        action="store_true",
        help="Allow private and loopback addresses, for tests and for your own network.",
    )


def _collect(arguments: argparse.Namespace) -> CommandResult:
    require_extra("aiohttp", "protego", "ddgs", extra="collect")
    from sorter.collect.licences import Licences
    from sorter.collect.options import CollectOptions
    from sorter.collect.run import collect

    options = options_from(
        CollectOptions,
        arguments,
        classes=tuple((name, tuple(queries)) for name, *queries in arguments.classes),
        sources=tuple(arguments.sources or ["openverse"]),
        licences=Licences.parse(tuple(arguments.licence or [])),
        limit=None if arguments.limit == 0 else arguments.limit,
    )
    with photo_progress(arguments, lambda: len(options.classes) * (options.limit or 0)) as progress:
        found = collect(options, progress)
    code = SOME_FAILED if found.unfinished else DONE
    return CommandResult(_summary_lines(found), found.to_json(), code)


def _summary_lines(found: CollectSummary) -> Iterator[str]:
    from sorter.collect.records import PictureStatus

    yield f"{'Would collect' if found.dry_run else 'Collected'} into {found.out}:"
    width = max(map(len, found.counts), default=0)
    for label, counts in found.counts.items():
        others = ", ".join(
            f"{count:,} {status.value}"
            for status, count in sorted(counts.items())
            if count and status is not PictureStatus.KEPT
        )
        yield f"  {label:<{width}}  {counts[PictureStatus.KEPT]:>7,}" + (f"  ({others})" if others else "")
    if found.dry_run:
        return
    yield f"{found.new:,} new pictures in {found.seconds:.1f} s"
    for label in found.short:
        yield f"{label} has fewer pictures than asked for. Try other queries, sources or licences."
    if found.unfinished:
        yield "Some downloads failed for now. Give the same command again later."
    yield f"Sources and licences: {found.out / 'manifest.csv'}"
