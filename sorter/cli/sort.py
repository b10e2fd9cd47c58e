"""`sorter run`, `undo` and `status`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.cli.common import DONE, SOME_FAILED, ProgressBar, add_engine, add_limits, location

if TYPE_CHECKING:
    from sorter.sort.run import SortSummary


def add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="sort photos into folders",
        description="Sort photos into DIR/<class>/, with DIR/report.csv and DIR/report.html. Stopped or not, the "
        "same command again goes on where it was and picks up what is new. `sorter undo DIR` puts all back.",
        epilog="examples:\n"
        "  sorter run ./photos --out ./sorted\n"
        "  sorter run ./photos --out ./sorted --action move --layout tree\n"
        "  sorter run ./photos --out ./sorted --unsure 0.3 0.7 --exclude 'screenshots/'\n"
        "  sorter run ./photos --out ./sorted --model ./my-model --dry-run\n"
        "  sorter run s3://bucket/photos --out s3://bucket/sorted --cluster auto",
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="PATH", type=location, help="folders (all that is in them) and photos"
    )
    parser.add_argument(
        "-o", "--out", required=True, metavar="DIR", type=location, help="where the class folders go"
    )

    what = parser.add_argument_group("what goes where")
    what.add_argument("--model", metavar="FOLDER", type=Path, help="a model folder (default: car / not-car)")
    what.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="probability from which a photo is positive (default: the model's own)",
    )
    what.add_argument(
        "--unsure",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="photos with a probability from LOW to HIGH go to DIR/unsure/",
    )
    what.add_argument(
        "--action",
        choices=("copy", "move", "hardlink", "symlink", "none"),
        default="copy",
        help="what to do with each photo (default: copy)",
    )
    what.add_argument(
        "--layout",
        choices=("flat", "tree"),
        default="flat",
        help="all photos of a class side by side, or in the folders they came in (default: flat)",
    )
    what.add_argument("--dry-run", action="store_true", help="decide and report, but touch no file")
    what.add_argument(
        "--resume",
        action="store_true",
        help="accepted for habit's sake: a run always goes on where it stopped",
    )
    what.add_argument(
        "--fresh",
        action="store_true",
        help="take back what earlier runs filed in DIR, forget them and start anew",
    )

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
    how.add_argument(
        "--batch-size",
        type=int,
        metavar="N",
        help="photos in one inference on a GPU (default: 64, halved if memory runs out)",
    )
    add_engine(how)
    how.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="on Ray: `local` (this machine), `auto` (the cluster it belongs to), or a head's HOST:PORT",
    )

    tell = parser.add_argument_group("what it tells")
    tell.add_argument(
        "--report",
        metavar="PATH",
        type=location,
        help="where the CSV goes (default: DIR/report.csv); as Parquet where it ends in .parquet",
    )
    tell.add_argument("--json", action="store_true", help="print the summary as JSON")
    tell.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors (and JSON)")
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from sorter.address import Address
    from sorter.engines.choice import EngineOptions
    from sorter.sort.options import SortOptions, resolved, scan_of
    from sorter.sort.run import sort_folder
    from sorter.types import ActionKind, Limits

    options = SortOptions(
        inputs=tuple(arguments.inputs),
        out=arguments.out,
        model=arguments.model,
        action=ActionKind(arguments.action),
        layout=arguments.layout,
        threshold=arguments.threshold,
        unsure=tuple(arguments.unsure) if arguments.unsure else None,
        exclude=tuple(arguments.exclude),
        hidden=arguments.hidden,
        follow_symlinks=arguments.follow_symlinks,
        workers=arguments.workers,
        engine=EngineOptions(
            arguments.engine,
            arguments.precision,
            arguments.device,
            arguments.decode,
            arguments.batch_size,
        ),
        limits=Limits(arguments.max_megapixels, arguments.timeout_per_file),
        dry_run=arguments.dry_run,
        fresh=arguments.fresh,
        report=arguments.report,
        cluster=arguments.cluster,
    )

    def count() -> int:
        """Nobody lists a store twice only to show how far it is."""
        near = not any(isinstance(path, Address) for path in options.inputs)
        return sum(1 for _ in scan_of(resolved(options))) if near else 0

    with ProgressBar(arguments.quiet, count) as progress:
        summary = sort_folder(options, progress)
    if arguments.json:
        print(json.dumps(summary.to_json()))
    elif not arguments.quiet:
        _print_summary(summary)
    return SOME_FAILED if summary.failed else DONE


def _print_summary(summary: SortSummary) -> None:
    import shlex

    print(f"Would sort into {summary.out}:" if summary.dry_run else f"Sorted into {summary.out}:")
    width = max(len(label) for label in (*summary.counts, "skipped"))
    for label, count in summary.counts.items():
        print(f"  {label:<{width}}  {count:>9,}")
    for name, reasons in (("failed", summary.failed), ("skipped", summary.skipped)):
        if reasons:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))
            print(f"  {name:<{width}}  {sum(reasons.values()):>9,}  ({listed})")
    done = f"{summary.decoded:,} photos decoded in {summary.seconds:.1f} s"
    if summary.decoded:
        done += f": {summary.rate:.1f} photos/s with {summary.engine}"
    if summary.refiled:
        done += f"; {summary.refiled:,} filed without decoding"
    print(done)
    if summary.report:
        print(f"Every file has its row in {summary.report}")
    if summary.page:
        print(f"Look at {summary.page}")
    if not summary.dry_run:
        print(f"To put everything back: sorter undo {shlex.quote(str(summary.out))}")


def add_undo(commands: Any) -> None:
    parser = commands.add_parser(
        "undo",
        help="put back what was sorted",
        description="Put back every photo that was moved to DIR and remove every copy and link that was made there, "
        "as its journal says. What was changed since, or cannot go back without overwriting, stays and is named.",
        epilog="example:\n  sorter undo ./sorted",
    )
    parser.add_argument("out", metavar="DIR", type=location, help="a folder that `sorter run` wrote to")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    parser.set_defaults(command=_undo)


def _undo(arguments: argparse.Namespace) -> int:
    from sorter.sort.undo import undo

    undone = undo(arguments.out)
    if arguments.json:
        left = [{"path": str(each.path), "reason": each.message} for each in undone.left]
        print(json.dumps({"out": str(undone.out), "restored": undone.restored, "left": left}))
    else:
        print(f"{undone.restored:,} files put back or removed from {undone.out}")
        for each in undone.left:
            print(f"left: {each.path}: {each.message}")
    return SOME_FAILED if undone.left else DONE


def add_status(commands: Any) -> None:
    parser = commands.add_parser(
        "status",
        help="tell what an output folder holds",
        description="Tell from the journal of DIR what was sorted there, with which model, and whether the run ended.",
        epilog="example:\n  sorter status ./sorted",
    )
    parser.add_argument("out", metavar="DIR", type=location, help="a folder that `sorter run` wrote to")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(command=_status)


def _status(arguments: argparse.Namespace) -> int:
    from sorter.sort.status import read_status

    status = read_status(arguments.out)
    if arguments.json:
        print(json.dumps(status.to_json()))
        return DONE
    print(f"{status.out}: {status.sentence}")
    print(f"  model    {status.model}")
    print(f"  action   {status.action}, layout {status.layout}")
    print(f"  photos   {status.photos:,} known, {status.filed:,} filed here")
    for (kind, what), count in status.counts.items():
        print(f"  {kind:<8} {count:>9,}  {what}")
    return DONE
