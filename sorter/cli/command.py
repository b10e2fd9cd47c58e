"""The result of a command, its exit codes, and the one place that prints."""

from __future__ import annotations

import argparse
import errno
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sorter.cli.streams import discard
from sorter.distribution import install_command

DONE, FAILED, WRONG_USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True)
class CommandResult:
    """What a command returns.

    Attributes:
        lines: the summary for a person, printed on stdout.
        data: the summary for a program. `--json` prints it instead of the lines.
        exit_code: of the process.
    """

    lines: Iterable[str] = ()
    data: Any = None
    exit_code: int = DONE


class ResultNotWrittenError(Exception):
    """Stdout is closed, or the disk that it goes to is full. The message says which."""


def print_result(result: CommandResult, arguments: argparse.Namespace) -> None:
    """Print JSON with `--json`, nothing with `--quiet`, and the lines otherwise.

    Raises:
        ResultNotWrittenError: stdout cannot be written to.
        BrokenPipeError: its reader has gone.
    """
    if getattr(arguments, "json", False):
        print_line(json.dumps(result.data))
    elif not getattr(arguments, "quiet", False):
        for line in result.lines:
            print_line(line)
    flush_result()


def flush_result() -> None:
    """Write what the buffer of stdout holds. Raises as `print_result`."""
    if sys.stdout is not None:
        with _not_written():
            sys.stdout.flush()


def print_line(line: str) -> None:
    """Print one line on stdout. Raises as `print_result`."""
    with _not_written():
        if sys.stdout is None:
            raise OSError(errno.EBADF, "it is closed")
        print(line)


@contextmanager
def _not_written() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ResultNotWrittenError(error.strerror or str(error)) from error


def print_error(message: str) -> None:
    """Print one line on stderr."""
    print_note(f"sorter: {message}")


def print_note(text: str) -> None:
    """Print on stderr. A terminal that is gone, or a log on a full disk, is no reason to stop a command."""
    try:
        print(text, file=sys.stderr)
    except OSError:
        discard(sys.stderr)


def ask(question: str) -> bool:
    """Ask on stderr. Only `y` and `yes` mean yes."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def reasons_text(reasons: Mapping[str, int]) -> str:
    """Text such as `3 corrupt, 1 empty`."""
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())


def require_extra(*modules: str, extra: str = "learn") -> None:
    """Raise SorterError where a module of an optional extra is not installed."""
    from importlib.util import find_spec

    from sorter.types import SorterError

    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise SorterError(f"{missing[0]} is not installed; run `{install_command(extra)}`")
