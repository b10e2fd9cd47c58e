"""`sorter run`, `undo` and `status`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.arguments import options_from
from sorter.cli.command import DONE, SOME_FAILED, CommandResult, reasons_text
from sorter.cli.flags import (
    add_batch_size,
    add_command,
    add_companions,
    add_engine,
    add_explain_flag,
    add_filters,
    add_limits,
    add_listing,
    add_output_flags,
    add_workers,
    listing_of,
    location,
)
from sorter.cli.progress import photo_progress

if TYPE_CHECKING:
    from sorter.sort.options import SortOptions
    from sorter.sort.status import FolderStatus
    from sorter.sort.summary import SortSummary
    from sorter.sort.undo import Undone


def add_run(commands: Any) -> None:
    parser = add_command(
        commands,
        "run",
        "sort photos into folders",
        "Sort photos into DIR/<class>/, and write DIR/report.csv and DIR/report.html. The same command goes on where "
        "a stopped run left off, and adds new photos. `sorter undo DIR` puts everything back.",
        (
            "sorter run ./photos --out ./sorted",
            "sorter run ./photos --out ./sorted --action move --layout tree",
            "sorter run ./photos --out ./sorted --layout '{class}/{taken:%Y}/{taken:%m}'",
            "sorter run ./photos --out ./sorted --action tag --tag-prefix sorter --rating car=3",
            "sorter run ./photos --out ./sorted --unsure 0.3 0.7 --exclude 'screenshots/'",
            "sorter run ./photos --out ./sorted --model ./my-model --dry-run",
            "find . -name '*.jpg' -print0 | sorter run --from - -0 --out ./sorted",
            "sorter run s3://bucket/photos --out s3://bucket/sorted --cluster auto",
        ),
    )
    parser.add_argument(
        "inputs", nargs="*", metavar="PATH", type=location, help="Photos, and folders with all they contain."
    )
    parser.add_argument(
        "-o", "--out", required=True, metavar="DIR", type=location, help="Folder for the class folders."
    )
    sorting = parser.add_argument_group("sorting")
    add_sorting(sorting)
    _add_modes(sorting)
    files = parser.add_argument_group("files")
    add_listing(files)
    add_filters(files)
    add_companions(files)
    add_limits(files)
    engine = parser.add_argument_group("engine")
    add_workers(engine)
    add_engine(engine)
    add_batch_size(engine)
    engine.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="Run on Ray: local (this machine), auto (the cluster of this machine) or HOST:PORT of a head node.",
    )
    output = add_output_flags(parser)
    output.add_argument(
        "--report",
        metavar="PATH",
        type=location,
        help="Path of the report, as CSV, or as Parquet where it ends in .parquet. (default: DIR/report.csv)",
    )
    add_explain_flag(output)
    add_journal(output)
    parser.set_defaults(command=_run)


def add_sorting(group: Any) -> None:
    """How photos are decided on and filed."""
    group.add_argument(
        "--model", metavar="FOLDER", type=Path, help="Model folder. (default: the car / not-car model)"
    )
    group.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="Least probability of the positive class. (default: the threshold in the model folder)",
    )
    group.add_argument(
        "--unsure",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="Put photos with a probability from LOW to HIGH into DIR/unsure/.",
    )
    _add_reject(group)
    group.add_argument(
        "--action",
        choices=("copy", "move", "hardlink", "symlink", "tag", "none"),
        default="copy",
        help="How a photo gets into its folder. tag moves nothing and writes the class into an XMP sidecar. "
        "none only writes the reports. (default: copy)",
    )
    group.add_argument(
        "--layout",
        metavar="LAYOUT",
        default="flat",
        help="flat puts the photos of a class into one folder. tree keeps their folders. A template names the folders "
        "by {class}, {taken:%%Y-%%m-%%d} and {camera}. (default: flat)",
    )
    group.add_argument(
        "--links",
        choices=("absolute", "relative"),
        default="absolute",
        help="What the links of --action symlink hold: the photo's whole path, or its path from the link. "
        "(default: absolute)",
    )
    group.add_argument(
        "--tag-prefix",
        metavar="KEYWORDS",
        default="",
        help="Keywords above that of the class, with / between, for --action tag.",
    )
    group.add_argument(
        "--rating",
        metavar="CLASS=STARS",
        action="append",
        default=[],
        help="Stars, -1 to 5, that --action tag gives photos of a class without a rating. May be repeated.",
    )
    group.add_argument(
        "--prune-empty",
        action="store_true",
        help="Remove folders below PATH that --action move left empty. Undo makes them again.",
    )


def _add_modes(group: Any) -> None:
    group.add_argument(
        "--dry-run", action="store_true", help="Decide and report, but change no file and no output folder."
    )
    group.add_argument(
        "--resume", action="store_true", help="Has no effect. A run always goes on where it stopped."
    )
    group.add_argument(
        "--fresh", action="store_true", help="Undo the earlier runs in DIR, forget them, and start again."
    )


def _add_reject(group: Any) -> None:
    group.add_argument(
        "--reject",
        action="store_true",
        help="Put photos that are unlike the model's training photos into DIR/unsure. (default: off)",
    )


def add_journal(group: Any) -> None:
    """Where the journal lies."""
    group.add_argument(
        "--journal",
        metavar="FOLDER",
        type=Path,
        help="Folder for the journal. A note in DIR names it for later commands. (default: DIR/.sorter, or the state "
        "folder where DIR's disk cannot lock files)",
    )


def _run(arguments: argparse.Namespace) -> CommandResult:
    from sorter.sort.options import SortOptions
    from sorter.sort.run import sort_folder

    options = options_from(SortOptions, arguments, listing=listing_of(arguments))
    with photo_progress(arguments, lambda: _count(options)) as progress:
        summary = sort_folder(options, progress)
    code = SOME_FAILED if summary.failed else DONE
    return CommandResult(_summary_lines(summary), summary.to_json(), code)


def _count(options: SortOptions) -> int:
    """The number of files; 0 for a store, which takes too long to list twice."""
    from sorter.address import Address
    from sorter.photos.listing import Listing
    from sorter.sort.options import resolved, scan_of

    found = scan_of(resolved(options))
    if isinstance(found, Listing):
        return found.count()
    local = not any(isinstance(path, Address) for path in options.inputs)
    return sum(1 for _ in found) if local else 0


def _summary_lines(summary: SortSummary) -> Iterator[str]:
    import shlex

    yield f"{'Would sort' if summary.dry_run else 'Sorted'} into {summary.out}:"
    width = max(len(label) for label in (*summary.counts, "skipped"))
    for label, count in summary.counts.items():
        yield f"  {label:<{width}}  {count:>9,}"
    for name, reasons in (("failed", summary.failed), ("skipped", summary.skipped)):
        if reasons:
            text = reasons_text(dict(sorted(reasons.items())))
            yield f"  {name:<{width}}  {sum(reasons.values()):>9,}  ({text})"
    if summary.companions:
        yield f"{summary.companions:,} companions go with their photos"
    speed = f": {summary.rate:.1f} photos/s with {summary.engine}" if summary.decoded else ""
    yield f"{summary.decoded:,} photos decoded in {summary.seconds:.1f} s{speed}"
    if summary.refiled:
        yield f"{summary.refiled:,} photos moved to another class without decoding"
    if summary.pruned:
        yield f"{summary.pruned:,} folders removed that this run left empty"
    if summary.report:
        yield f"Report: {summary.report}"
    if summary.page:
        yield f"Page: {summary.page}"
    if not summary.dry_run:
        yield f"Undo with: sorter undo {shlex.quote(str(summary.out))}"


def add_undo(commands: Any) -> None:
    parser = add_command(
        commands,
        "undo",
        "put every photo back",
        "Undo what `sorter run` or `sorter clean` did in DIR: move photos back, and remove copies and links. Files "
        "that were changed since, or whose old place is taken, stay. Each is listed with the reason.",
        ("sorter undo ./sorted",),
    )
    parser.add_argument(
        "out",
        metavar="DIR",
        type=location,
        help="Output folder of `sorter run`, or quarantine of `sorter clean`.",
    )
    add_journal(add_output_flags(parser, quiet=False))
    parser.set_defaults(command=_undo)


def _undo(arguments: argparse.Namespace) -> CommandResult:
    from sorter.sort.undo import undo

    undone = undo(arguments.out, journal_at=arguments.journal)
    left = [{"path": str(each.path), "reason": each.message} for each in undone.left]
    data = {"out": str(undone.out), "restored": undone.restored, "left": left}
    return CommandResult(_undone_lines(undone), data, SOME_FAILED if undone.left else DONE)


def _undone_lines(undone: Undone) -> Iterator[str]:
    yield f"{undone.restored:,} files put back or removed from {undone.out}"
    for each in undone.left:
        yield f"left: {each.path}: {each.message}"


def add_status(commands: Any) -> None:
    parser = add_command(
        commands,
        "status",
        "show what an output folder holds",
        "Show from the journal in DIR how many photos were sorted, by which model, and whether the run finished.",
        ("sorter status ./sorted",),
    )
    parser.add_argument("out", metavar="DIR", type=location, help="Output folder of `sorter run`.")
    add_journal(add_output_flags(parser, quiet=False))
    parser.set_defaults(command=_status)


def _status(arguments: argparse.Namespace) -> CommandResult:
    from sorter.sort.status import read_status

    status = read_status(arguments.out, arguments.journal)
    return CommandResult(_status_lines(status), status.to_json())


def _status_lines(status: FolderStatus) -> Iterator[str]:
    yield f"{status.out}: {status.sentence}"
    yield f"  model    {status.model}"
    yield f"  action   {status.action}, layout {status.layout}"
    yield f"  photos   {status.photos:,} known, {status.filed:,} filed here"
    for (kind, what), count in status.counts.items():
        yield f"  {kind:<8} {count:>9,}  {what}"
