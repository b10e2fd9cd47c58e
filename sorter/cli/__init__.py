"""The command line: it parses, calls a command, prints its result and returns an exit code."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys

from sorter.cli.clean import add_clean
from sorter.cli.collect import add_collect
from sorter.cli.command import FAILED, INTERRUPTED, print_error, print_result
from sorter.cli.evaluate import add_evaluate, add_inspect
from sorter.cli.export import add_export
from sorter.cli.flags import Parser
from sorter.cli.gui import add_gui
from sorter.cli.overview import OverviewParser
from sorter.cli.sort import add_run, add_status, add_undo
from sorter.cli.train import add_recipes, add_train

STOPPED = "stopped; give the same command again to go on where it stopped"


def main(argv: list[str] | None = None) -> int:
    """Run a command. Returns its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not fit any encoding
    arguments = build_parser().parse_args(argv)
    # Service managers and cluster schedulers stop a process with SIGTERM. It stops like Ctrl-C.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        result = arguments.command(arguments)
        print_result(result, arguments)
    except KeyboardInterrupt:
        print_error(arguments.stopped)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, as in `sorter status x | head`. There is no one to print an error for.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        from sorter.types import SorterError

        if not isinstance(error, SorterError):
            raise
        print_error(str(error))
        return error.exit_code
    code: int = result.exit_code
    return code


def build_parser() -> OverviewParser:
    """The parser of all commands and flags."""
    parser = OverviewParser(
        prog="sorter",
        description="Sort a folder of photos by what is in them. Sorting overwrites and loses nothing, and "
        "`sorter undo` puts everything back.",
        epilog="examples:\n  sorter run ./photos --out ./sorted\n  sorter undo ./sorted",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="Print the version and exit.")
    parser.set_defaults(stopped=STOPPED)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for add in (
        add_run,
        add_status,
        add_undo,
        add_gui,
        add_clean,
        add_collect,
        add_inspect,
        add_train,
        add_recipes,
        add_evaluate,
        add_export,
    ):
        add(commands)
    return parser


class _Version(argparse.Action):
    """Reads the version only when asked for: package metadata takes longer to read than the arguments."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"sorter {version('sorter')}")
        parser.exit()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
