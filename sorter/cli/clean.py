"""`sorter clean`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.arguments import options_from
from sorter.cli.command import DONE, SOME_FAILED, CommandResult, ask, reasons_text
from sorter.cli.flags import (
    add_command,
    add_companions,
    add_filters,
    add_limits,
    add_listing,
    add_output_flags,
    add_workers,
    listing_of,
)
from sorter.cli.progress import photo_progress

if TYPE_CHECKING:
    from sorter.clean.options import CleanSummary

THRESHOLDS = (
    ("--min-size", int, 32, "Least pixels on the short side."),
    ("--max-aspect", float, 5.0, "Greatest ratio of the long side to the short one."),
    ("--blank", float, 0.01, "Least standard deviation of the brightness, 0 to 1."),
    ("--entropy", float, 1.0, "Least entropy of the brightness, in bits."),
    ("--dark", float, 0.2, "Least 99th percentile of the brightness, 0 to 1."),
    ("--bright", float, 0.9, "Greatest 1st percentile of the brightness, 0 to 1."),
    ("--blur", float, 0.015, "Least relative variance of the Laplacian, a measure of sharpness."),
)


def add_clean(commands: Any) -> None:
    parser = add_command(
        commands,
        "clean",
        "find broken, misnamed, duplicate and poor photos",
        "Find files that cannot or should not be used. By default, broken files move to PATH-quarantine, and other "
        "findings are only reported. `--remove` chooses what to remove. `sorter undo PATH-quarantine` puts the files "
        "back. The same command again examines only files that changed.",
        (
            "sorter clean ./photos --dry-run",
            "sorter clean ./photos --remove broken,duplicates",
            "sorter clean ./photos --remove duplicates,near-duplicates --keep ./photos/albums",
            "sorter clean ./photos --remove duplicates --action hardlink",
            "sorter clean ./dataset --remove none --check        # for continuous integration",
            "sorter clean ./photos --remove poor --blur 0.03 --action trash",
        ),
    )
    parser.add_argument("inputs", nargs="*", metavar="PATH", type=Path, help="Folders and files.")
    _add_removal(parser.add_argument_group("removal"))
    _add_findings(parser.add_argument_group("findings"))
    _add_thresholds(parser.add_argument_group("thresholds of poor photos"))
    files = parser.add_argument_group("files")
    add_listing(files)
    add_filters(files)
    add_companions(files)
    add_limits(files)
    add_workers(files)
    files.add_argument("--no-cache", dest="cache", action="store_false", help="Examine every file again.")
    output = add_output_flags(parser)
    output.add_argument(
        "--report",
        metavar="FILE",
        type=Path,
        help="Path of the CSV. An HTML page lies beside it. (default: clean.csv beside the quarantine)",
    )
    output.add_argument("--check", action="store_true", help="Exit with code 3 where anything was found.")
    parser.set_defaults(command=_clean)


def _add_removal(group: Any) -> None:
    group.add_argument(
        "--remove",
        default="broken",
        metavar="KINDS",
        help="Kinds to remove, with commas between: broken, damaged, misnamed, unsupported, duplicates, "
        "near-duplicates, similar, poor, junk, or none. (default: broken)",
    )
    group.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="DIR",
        type=Path,
        help="Folder within PATH whose copies are never removed. May be given again.",
    )
    group.add_argument(
        "--action",
        choices=("quarantine", "hardlink", "trash", "delete"),
        default="quarantine",
        help="How a file is removed. hardlink replaces exact copies by links to the kept copy. delete asks first. "
        "(default: quarantine)",
    )
    group.add_argument(
        "--quarantine", metavar="DIR", type=Path, help="Folder for removed files. (default: PATH-quarantine)"
    )
    group.add_argument("--yes", action="store_true", help="Delete without asking.")
    group.add_argument("--dry-run", action="store_true", help="Report only, and change no file.")
    group.add_argument(
        "--fix-extensions",
        action="store_true",
        help="Rename misnamed files to the extension of their format.",
    )


def _add_findings(group: Any) -> None:
    group.add_argument(
        "--quick", action="store_true", help="Read headers, structure and checksums, but decode no pixels."
    )
    group.add_argument(
        "--similarity",
        type=int,
        default=4,
        metavar="BITS",
        help="Bits of 64 in which the hashes of near duplicates may differ, 0 to 16. (default: 4)",
    )
    group.add_argument("--classes", action="store_true", help="The folders in PATH are classes.")


def _add_thresholds(group: Any) -> None:
    for flag, kind, default, text in THRESHOLDS:
        group.add_argument(
            flag,
            dest=f"thresholds.{flag[2:].replace('-', '_')}",
            type=kind,
            default=default,
            metavar="N",
            help=f"{text} (default: {default:g})",
        )


def _clean(arguments: argparse.Namespace) -> CommandResult:
    from sorter.clean.options import CleanOptions, resolved, scan_of
    from sorter.clean.run import clean
    from sorter.photos.listing import Listing

    words = arguments.remove.replace(" ", "")
    remove = () if words in ("none", "") else tuple(words.split(","))
    options = options_from(CleanOptions, arguments, remove=remove, listing=listing_of(arguments))
    _refuse_silent_delete(arguments)

    def total() -> int:
        found = scan_of(resolved(options))
        return found.count() if isinstance(found, Listing) else sum(1 for _ in found)

    with photo_progress(arguments, total) as progress:
        summary = clean(options, progress, lambda count: arguments.yes or _confirmed(count))
    code = SOME_FAILED if summary.failed or (arguments.check and summary.faults) else DONE
    return CommandResult(_summary_lines(summary), summary.to_json(), code)


def _refuse_silent_delete(arguments: argparse.Namespace) -> None:
    from sorter.types import UsageError

    asks = arguments.action == "delete" and not (arguments.yes or arguments.dry_run)
    if asks and not sys.stdin.isatty():
        raise UsageError("--action delete: cannot ask without a terminal; add --yes to delete without asking")


def _confirmed(count: int) -> bool:
    return ask(f"Delete {count:,} files for good?")


def _summary_lines(summary: CleanSummary) -> Iterator[str]:
    import shlex

    yield from _count_lines(summary)
    if summary.groups:
        yield (
            f"{summary.groups:,} groups of duplicates, {summary.across_classes:,} across classes, "
            f"{summary.across_splits:,} across splits, {summary.similar_groups:,} of similar photos"
        )
    done = summary.examined + summary.cached
    speed = done / max(summary.seconds, 1e-9)
    yield f"{done:,} files in {summary.seconds:.1f} s: {speed:,.1f} files/s, {summary.cached:,} from the cache"
    if summary.dry_run:
        yield f"Would remove {summary.would_remove:,} files. Nothing was changed."
    for action, count in summary.actions.items():
        yield f"{count:,} {action}"
    if summary.report:
        yield f"Report: {summary.report}"
    if summary.page:
        yield f"Page: {summary.page}"
    if summary.quarantine and {"quarantined", "renamed", "linked"} & summary.actions.keys():
        yield f"Undo with: sorter undo {shlex.quote(str(summary.quarantine))}"


def _count_lines(summary: CleanSummary) -> Iterator[str]:
    """A line for each kind of finding, with its reasons where they say more than the kind."""
    from sorter.clean.records import Kind

    width = max((len(name) for name in summary.counts), default=0)
    for kind in Kind:
        count = summary.counts.get(kind.value)
        if count:
            reasons = summary.reasons.get(kind.value, {})
            same = list(reasons) in ([], [kind.value])
            yield f"  {kind.value:<{width}}  {count:>9,}" + ("" if same else f"  ({reasons_text(reasons)})")
