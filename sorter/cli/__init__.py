"""The command line: it parses, calls a command, prints its result and returns an exit code."""

from __future__ import annotations

import argparse
import io
import signal
import sys

from sorter.cli.clean import add_clean
from sorter.cli.collect import add_collect
from sorter.cli.command import (
    FAILED,
    INTERRUPTED,
    ResultNotWrittenError,
    flush_result,
    print_error,
    print_line,
    print_result,
)
from sorter.cli.evaluate import add_evaluate, add_explain, add_inspect
from sorter.cli.export import add_export
from sorter.cli.flags import Parser
from sorter.cli.gui import add_gui
from sorter.cli.labels import add_export_labels
from sorter.cli.overview import OverviewParser
from sorter.cli.sort import add_run, add_status, add_undo
from sorter.cli.streams import discard, discard_if_hung_up, open_closed_streams
from sorter.cli.train import add_recipes, add_train
from sorter.distribution import installed_version

STOPPED = "stopped; give the same command again to go on where it stopped"


def main(argv: list[str] | None = None) -> int:
    """Run a command. Returns its exit code."""
    open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not fit any encoding
    try:
        return _run(argv)
    except BrokenPipeError:
        # The reader of our output has gone, as in `sorter status x | head`. There is no one to print an error for.
        discard(sys.stdout)
        return FAILED
    except ResultNotWrittenError as error:
        print_error(f"the command is done, but its result could not be printed: stdout: {error}")
        discard(sys.stdout)
        return FAILED


def _run(argv: list[str] | None) -> int:
    """Parse, run and print. Raises as `print_result`."""
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit:  # after --help, --version or a wrong flag
        flush_result()
        raise
    _stop_on_signals()
    try:
        result = arguments.command(arguments)
        print_result(result, arguments)
    except KeyboardInterrupt:
        print_error(arguments.stopped)
        return INTERRUPTED
    except (BrokenPipeError, ResultNotWrittenError):
        raise
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
        add_export_labels,
        add_gui,
        add_clean,
        add_collect,
        add_inspect,
        add_train,
        add_recipes,
        add_evaluate,
        add_explain,
        add_export,
    ):
        add(commands)
    return parser


class _Version(argparse.Action):
    """Reads the version only when asked for: package metadata takes longer to read than the arguments."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print_line(f"sorter {installed_version()}")
        parser.exit()


def _stop_on_signals() -> None:
    """Stop on SIGTERM and SIGHUP as on Ctrl-C.

    Service managers and cluster schedulers send SIGTERM. A terminal that is closed sends SIGHUP, which `nohup` ignores.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        signal.signal(hang_up, _interrupt)


def _interrupt(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one would stop what the first one has begun
    if number != signal.SIGTERM and sys.stderr is not None:
        discard_if_hung_up(sys.stderr)
    raise KeyboardInterrupt
