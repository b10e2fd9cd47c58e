"""Parsing, printing, exit codes. Nothing else in the package prints or exits."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys

from sorter.cli.clean import add_clean
from sorter.cli.collect import add_collect
from sorter.cli.common import FAILED, INTERRUPTED, Parser, complain
from sorter.cli.evaluate import add_evaluate, add_inspect
from sorter.cli.gui import add_gui
from sorter.cli.sort import add_run, add_status, add_undo
from sorter.cli.train import add_export, add_recipes, add_train


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not fit any encoding
    arguments = build_parser().parse_args(argv)
    # Ended by a service manager or a cluster's scheduler is ended as by Ctrl-C: the journal is in order.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code: int = arguments.command(arguments)
    except KeyboardInterrupt:
        complain("stopped; give the same command again to go on where it stopped")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`sorter status x | head`): nothing is left to tell them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        from sorter.types import SorterError

        if not isinstance(error, SorterError):
            raise
        complain(str(error))
        return error.exit_code
    return code


def build_parser() -> argparse.ArgumentParser:
    """Every command and flag, with an example each."""
    parser = Parser(
        prog="sorter",
        description="Sort a folder of photos by what is in them. Nothing is ever overwritten or lost, "
        "and everything can be undone.",
        epilog="examples:\n  sorter run ./photos --out ./sorted\n  sorter undo ./sorted",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_run(commands)
    add_undo(commands)
    add_status(commands)
    add_gui(commands)
    add_clean(commands)
    add_evaluate(commands)
    add_train(commands)
    add_recipes(commands)
    add_inspect(commands)
    add_export(commands)
    add_collect(commands)
    return parser


class _Version(argparse.Action):
    """Looked up only when asked for: reading package metadata takes longer than parsing."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"sorter {version('sorter')}")
        parser.exit()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
