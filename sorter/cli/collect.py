"""`sorter collect`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.common import (
    DONE,
    SOME_FAILED,
    ProgressBar,
    add_limits,
    add_telling,
    add_workers,
    needs_extra,
)

if TYPE_CHECKING:
    from sorter.collect.options import CollectSummary

EXAMPLES = """examples:
  sorter collect --class car "red car" "parked car" --class not-car "empty street" --out dataset/
  sorter collect --class car cars.csv --class not-car others.txt --source urls --out dataset/"""


def add_collect(commands: Any) -> None:
    parser = commands.add_parser(
        "collect",
        help="find pictures on the web and bring them into class folders",
        description="Search for pictures, fetch them politely, keep those that decode and that are not there yet, in "
        "OUT/<class>/, and write down in OUT/manifest.csv where each came from and under which licence.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "--class",
        dest="classes",
        metavar=("NAME", "QUERY"),
        nargs="+",
        action="append",
        required=True,
        help="a class and what to search for; with --source urls or folder, which files or folders to take",
    )
    parser.add_argument(
        "-o", "--out", metavar="DIR", type=Path, required=True, help="the dataset; give it again to go on"
    )
    which = parser.add_argument_group("which pictures")
    which.add_argument(
        "--source",
        action="append",
        choices=("openverse", "web", "urls", "folder"),
        help="where to look; may be given several times (default: openverse)",
    )
    which.add_argument(
        "--licence",
        action="append",
        metavar="NAMES",
        help="any, public-domain, commercial, modification, or codes such as by,by-sa,cc0 (default: any)",
    )
    which.add_argument(
        "--limit", type=int, default=200, metavar="N", help="pictures of each class; 0 for all (default: 200)"
    )
    which.add_argument(
        "--min-size", type=int, default=128, metavar="PX", help="of the shorter side (default: 128)"
    )
    add_limits(which)
    _add_fetch(parser)
    parser.add_argument("--attribution", action="store_true", help="write OUT/ATTRIBUTION.md as well")
    parser.add_argument("--dry-run", action="store_true", help="search, and only say what would be fetched")
    add_workers(parser)
    add_telling(parser)
    parser.set_defaults(command=_collect)


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    how = parser.add_argument_group("how it fetches")
    how.add_argument(
        "--delay",
        type=float,
        default=0.5,
        metavar="SECONDS",
        help="between requests to a host (default: 0.5)",
    )
    how.add_argument(
        "--connections", type=int, default=16, metavar="N", help="at a time, two to a host (default: 16)"
    )
    how.add_argument(
        "--max-bytes", type=int, default=50 << 20, metavar="N", help="of a picture (default: 50 MiB)"
    )
    how.add_argument(
        "--contact", default="", metavar="TEXT", help="an address or a page that the user agent names"
    )
    how.add_argument(
        "--allow-private",
        action="store_true",
        help="connect to private and loopback addresses too: for tests and one's own network",
    )


def _collect(arguments: argparse.Namespace) -> int:
    needs_extra("aiohttp", "protego", "ddgs", extra="collect")
    from sorter.collect.licences import Licences
    from sorter.collect.options import CollectOptions
    from sorter.collect.rate_limit import FetchLimits
    from sorter.collect.run import collect
    from sorter.types import Limits

    options = CollectOptions(
        classes=tuple((name, tuple(queries)) for name, *queries in arguments.classes),
        out=arguments.out,
        sources=tuple(arguments.source or ["openverse"]),
        licences=Licences.parse(tuple(arguments.licence or [])),
        limit=None if arguments.limit == 0 else arguments.limit,
        min_size=arguments.min_size,
        attribution=arguments.attribution,
        dry_run=arguments.dry_run,
        workers=arguments.workers,
        limits=Limits(arguments.max_megapixels, arguments.timeout_per_file),
        fetch=FetchLimits(
            delay=arguments.delay,
            connections=arguments.connections,
            max_bytes=arguments.max_bytes,
            private=arguments.allow_private,
            contact=arguments.contact,
        ),
    )
    with ProgressBar(arguments.quiet, lambda: len(options.classes) * (options.limit or 0)) as progress:
        found = collect(options, progress)
    if arguments.json:
        print(json.dumps(found.to_json()))
    elif not arguments.quiet:
        _print(found)
    return SOME_FAILED if found.unfinished else DONE


def _print(found: CollectSummary) -> None:
    from sorter.collect.records import PictureStatus

    print(f"{'Would collect' if found.dry_run else 'Collected'} into {found.out}:")
    width = max(map(len, found.counts), default=0)
    for label, counts in found.counts.items():
        others = ", ".join(
            f"{count:,} {status.value}"
            for status, count in sorted(counts.items())
            if count and status is not PictureStatus.KEPT
        )
        print(f"  {label:<{width}}  {counts[PictureStatus.KEPT]:>7,}" + (f"  ({others})" if others else ""))
    if found.dry_run:
        return
    print(f"{found.new:,} pictures are new; done in {found.seconds:.1f} s")
    for label in found.short:
        print(f"Fewer than wanted for {label}: other queries, sources or licences may find more")
    if found.unfinished:
        print("Some could not be had for now; give the same command again later")
    print(f"Where each came from: {found.out / 'manifest.csv'}")
