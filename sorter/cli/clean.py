"""`sorter clean`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.common import DONE, SOME_FAILED, ProgressBar, add_limits, add_telling, add_workers

if TYPE_CHECKING:
    from sorter.clean.options import CleanSummary


def add_clean(commands: Any) -> None:
    parser = commands.add_parser(
        "clean",
        help="find broken, misnamed, duplicate and poor photos",
        description="Find what cannot or should not be used. Broken files are moved to PATH-quarantine, in the folders "
        "they came in; everything else is only reported, unless --remove names it. `sorter undo PATH-quarantine` puts "
        "all back. The same command again goes on, and looks anew only at what has changed.",
        epilog="examples:\n"
        "  sorter clean ./photos --dry-run\n"
        "  sorter clean ./photos --remove broken,duplicates\n"
        "  sorter clean ./dataset --remove none --check        # for continuous integration\n"
        "  sorter clean ./photos --remove poor --blur 0.03 --action trash",
    )
    parser.add_argument("inputs", nargs="+", metavar="PATH", type=Path, help="folders and files")

    what = parser.add_argument_group("what is done")
    what.add_argument(
        "--remove",
        default="broken",
        metavar="KINDS",
        help="of broken, damaged, misnamed, unsupported, duplicates, near-duplicates, poor and junk, with commas; "
        "or none (default: broken)",
    )
    what.add_argument(
        "--action",
        choices=("quarantine", "trash", "delete"),
        default="quarantine",
        help="what removing is (default: quarantine; delete asks first)",
    )
    what.add_argument(
        "--quarantine", metavar="DIR", type=Path, help="where files go (default: PATH-quarantine)"
    )
    what.add_argument("--yes", action="store_true", help="delete without asking")
    what.add_argument("--dry-run", action="store_true", help="only say what would be done")
    what.add_argument(
        "--fix-extensions",
        action="store_true",
        help="rename misnamed files to the extension of their content",
    )

    find = parser.add_argument_group("what is found")
    find.add_argument("--quick", action="store_true", help="headers, structure and checksums only, no pixels")
    find.add_argument(
        "--similarity",
        type=int,
        default=4,
        metavar="BITS",
        help="of 64, in which near duplicates may differ, 0 to 16 (default: 4)",
    )
    find.add_argument("--classes", action="store_true", help="the folders in PATH are classes")
    for flag, kind, default, text in (
        ("--min-size", int, 32, "too small: pixels on the short side"),
        ("--max-aspect", float, 5.0, "extreme aspect: the long side over the short one"),
        ("--blank", float, 0.01, "blank: standard deviation of the brightness, 0 to 1"),
        ("--entropy", float, 1.0, "low information: bits of brightness"),
        ("--dark", float, 0.2, "dark: 99 %% of the pixels are below"),
        ("--bright", float, 0.9, "bright: 99 %% of the pixels are above"),
        ("--blur", float, 0.015, "blurry: relative variance of the Laplacian"),
    ):
        find.add_argument(flag, type=kind, default=default, metavar="N", help=f"{text} (default: {default})")

    which = parser.add_argument_group("which files")
    which.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out what matches, as in a .gitignore; may be given again",
    )
    which.add_argument("--hidden", action="store_true", help="also names that begin with a dot")
    which.add_argument("--follow-symlinks", action="store_true", help="enter linked folders")
    add_limits(which)

    how = parser.add_argument_group("how it runs")
    add_workers(how)
    how.add_argument("--no-cache", action="store_true", help="examine every file anew")
    how.add_argument(
        "--report",
        metavar="FILE",
        type=Path,
        help="the CSV, with a page of the same name beside it (default: clean.csv beside the quarantine)",
    )
    how.add_argument("--check", action="store_true", help="exit with 3 when anything was found")
    add_telling(parser)
    parser.set_defaults(command=_clean)


def _clean(arguments: argparse.Namespace) -> int:
    from sorter.clean.options import CleanOptions, resolved, scan_of
    from sorter.clean.quality import Thresholds
    from sorter.clean.run import clean
    from sorter.types import Limits

    options = CleanOptions(
        inputs=tuple(arguments.inputs),
        remove=()
        if arguments.remove in ("none", "")
        else tuple(arguments.remove.replace(" ", "").split(",")),
        action=arguments.action,
        quarantine=arguments.quarantine,
        report=arguments.report,
        dry_run=arguments.dry_run,
        fix_extensions=arguments.fix_extensions,
        quick=arguments.quick,
        similarity=arguments.similarity,
        classes=arguments.classes,
        thresholds=Thresholds(
            arguments.min_size,
            arguments.max_aspect,
            arguments.blank,
            arguments.entropy,
            arguments.dark,
            arguments.bright,
            arguments.blur,
        ),
        exclude=tuple(arguments.exclude),
        hidden=arguments.hidden,
        follow_symlinks=arguments.follow_symlinks,
        workers=arguments.workers,
        limits=Limits(arguments.max_megapixels, arguments.timeout_per_file),
        cache=not arguments.no_cache,
    )
    _refuse_silent_delete(arguments)
    with ProgressBar(arguments.quiet, lambda: sum(1 for _ in scan_of(resolved(options)))) as progress:
        summary = clean(options, progress, lambda count: arguments.yes or _asked(count))
    if arguments.json:
        print(json.dumps(summary.to_json()))
    elif not arguments.quiet:
        _print_summary(summary)
    return SOME_FAILED if summary.failed or (arguments.check and summary.faults) else DONE


def _refuse_silent_delete(arguments: argparse.Namespace) -> None:
    from sorter.types import UsageError

    asks = arguments.action == "delete" and not (arguments.yes or arguments.dry_run)
    if asks and not sys.stdin.isatty():
        raise UsageError(
            "--action delete: there is no terminal to ask on; give --yes to delete without asking"
        )


def _asked(count: int) -> bool:
    print(f"Delete {count:,} files for good? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _print_summary(summary: CleanSummary) -> None:
    import shlex

    from sorter.clean.records import Kind

    width = max((len(name) for name in summary.counts), default=0)
    for kind in Kind:
        count = summary.counts.get(kind.value)
        if count:
            reasons = summary.reasons.get(kind.value, {})
            listed = ", ".join(f"{number:,} {reason}" for reason, number in reasons.items())
            alone = list(reasons) in ([], [kind.value])
            print(f"  {kind.value:<{width}}  {count:>9,}" + ("" if alone else f"  ({listed})"))
    if summary.groups:
        print(
            f"{summary.groups:,} groups of duplicates, {summary.across_classes:,} across classes, "
            f"{summary.across_splits:,} across splits"
        )
    done = summary.examined + summary.cached
    print(
        f"{done:,} files in {summary.seconds:.1f} s: {done / max(summary.seconds, 1e-9):,.1f} files/s, "
        f"{summary.cached:,} of them known and unchanged"
    )
    if summary.dry_run:
        print(f"Would remove {summary.would_remove:,} files; nothing was touched")
    for action, count in summary.actions.items():
        print(f"{count:,} {action}")
    if summary.report:
        print(f"Every file has its row in {summary.report}")
    if summary.page:
        print(f"Look at {summary.page}")
    if summary.quarantine and {"quarantined", "renamed"} & summary.actions.keys():
        print(f"To put everything back: sorter undo {shlex.quote(str(summary.quarantine))}")
