"""The command line: it parses, calls a command, prints its result and returns an exit code."""

from __future__ import annotations

import argparse
import io
import signal
import sys
from collections.abc import Callable

from sorter.cli.audit import add_audit
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
from sorter.cli.completion import add_completion
from sorter.cli.doctor import add_doctor
from sorter.cli.evaluate import add_evaluate, add_explain, add_inspect
from sorter.cli.export import add_export
from sorter.cli.flags import Parser
from sorter.cli.gui import add_gui
from sorter.cli.labels import add_export_labels
from sorter.cli.log import add_log, opened_log
from sorter.cli.overview import OverviewParser
from sorter.cli.progress import add_progress, tell_end, tell_error, tell_note
from sorter.cli.settings import add_settings, read_settings
from sorter.cli.sort import add_run, add_status, add_undo
from sorter.cli.streams import discard, discard_if_hung_up, open_closed_streams
from sorter.cli.train import add_recipes, add_train
from sorter.cli.watch import add_watch
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
    words = list(sys.argv[1:] if argv is None else argv)
    parser = build_parser()
    try:
        settings = read_settings(words, {name: each.parser for name, each in parser.commands().items()})
        at = next((at for at, word in enumerate(words, 1) if not word.startswith("-")), 0)
        arguments = parser.parse_args([*words[:at], *settings.words, *words[at:]])
        if getattr(arguments, "config", None) and settings.path is None:
            parser.error("--config: write the flag out, as --config FILE")
        with opened_log(arguments.log_file, arguments.log_format, words) as log:
            arguments.log = log
            if settings.words and not getattr(arguments, "quiet", False):
                tell_note(arguments, str(settings))
            return _carry_out(arguments)
    except SystemExit:  # after --help, --version or a wrong flag
        flush_result()
        raise
    except (BrokenPipeError, ResultNotWrittenError):
        raise
    except Exception as error:
        return _exit_code_of(error, print_error)


def _carry_out(arguments: argparse.Namespace) -> int:
    """Run a command, print its result and say how it ended. Raises as `print_result`."""
    _stop_on_signals()
    data = None
    try:
        result = arguments.command(arguments)
        code, data = result.exit_code, result.data
        print_result(result, arguments)
    except KeyboardInterrupt:
        tell_error(arguments, arguments.stopped)
        code = INTERRUPTED
    except (BrokenPipeError, ResultNotWrittenError):
        raise
    except Exception as error:
        code = _exit_code_of(error, lambda message: tell_error(arguments, message))
    tell_end(arguments, code, data)
    return int(code)


def _exit_code_of(error: Exception, tell: Callable[[str], None]) -> int:
    """Tell an error that the user can fix. Raises any other again."""
    from sorter.types import SorterError

    if not isinstance(error, SorterError):
        raise error
    tell(str(error))
    return error.exit_code


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
        add_watch,
        add_status,
        add_undo,
        add_export_labels,
        add_gui,
        add_clean,
        add_collect,
        add_inspect,
        add_audit,
        add_train,
        add_recipes,
        add_evaluate,
        add_explain,
        add_export,
        add_doctor,
    ):
        add(commands)
    add_completion(commands, build_parser)
    for each in parser.commands().values():
        if each.parser.get_default("quiet") is not None:
            add_progress(each.parser)
        add_log(each.parser)
        add_settings(each.parser)
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
