"""How a command shows its progress: a bar for a person, or lines of JSON for a program; and what goes to its log."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

from sorter.cli.command import print_error, print_note
from sorter.cli.log import Log
from sorter.cli.progress_bar import ProgressBar, TrainingProgressBar
from sorter.progress import Progress

EVERY = 0.2  # seconds between two lines of JSON
LOGGED_EVERY = 30.0  # seconds between two lines of the log


def add_progress(parser: argparse.ArgumentParser) -> None:
    """`--progress`."""
    group = parser.add_argument_group("progress")
    group.add_argument(
        "--progress",
        choices=("auto", "json"),
        default="auto",
        help="json prints an object a line on stderr, for a program. auto prints a bar on a terminal, and messages "
        "elsewhere. (default: auto)",
    )


@contextmanager
def photo_progress(arguments: argparse.Namespace, total: Callable[[], int]) -> Iterator[Progress]:
    """The progress of a command over photos. `total` counts them, in a thread beside the work; 0 for unknown."""
    if arguments.progress == "json":
        shown = JsonProgress(total)
        yield _logged(arguments, shown)
        shown.flush()
        return
    with ProgressBar(arguments.quiet, total) as bar:
        yield _logged(arguments, bar)


@contextmanager
def training_progress(arguments: argparse.Namespace) -> Iterator[Progress]:
    """The progress of a command in steps."""
    if arguments.progress == "json":
        shown = JsonProgress()
        yield _logged(arguments, shown)
        shown.flush()
        return
    with TrainingProgressBar(arguments.quiet) as bar:
        yield _logged(arguments, bar)


def tell_error(arguments: argparse.Namespace, message: str) -> None:
    """Print an error, as the flags ask, and log it."""
    if getattr(arguments, "progress", "auto") == "json":
        print_note(json.dumps({"event": "error", "message": message}))
    else:
        print_error(message)
    if arguments.log is not None:
        arguments.log.write("error", message)


def tell_note(arguments: argparse.Namespace, message: str) -> None:
    """Print a message, as the flags ask, and log it."""
    if getattr(arguments, "progress", "auto") == "json":
        print_note(json.dumps({"event": "message", "text": message}))
    else:
        print_note(message)
    if arguments.log is not None:
        arguments.log.write("info", message)


def tell_end(arguments: argparse.Namespace, exit_code: int, data: Any) -> None:
    """Say how the command ended, to a program and to the log."""
    if getattr(arguments, "progress", "auto") == "json":
        print_note(json.dumps({"event": "end", "exit_code": exit_code}))
    if arguments.log is not None:
        arguments.log.write("info", f"ended with exit code {exit_code}", exit_code=exit_code, result=data)


def _logged(arguments: argparse.Namespace, shown: Progress) -> Progress:
    return shown if arguments.log is None else LoggedProgress(shown, arguments.log)


class JsonProgress:
    """A `Progress` that prints JSON objects on stderr, a line each. `event` says what each is.

    Args:
        total: counts the photos, in a thread; None where steps say their number themselves.
    """

    def __init__(self, total: Callable[[], int] | None = None) -> None:
        self._lock = Lock()
        self._began = time.monotonic()
        self._printed = 0.0
        self._done = 0
        self._total: int | None = None
        self._waiting = False  # steps were done that no line has told
        if total is not None:
            Thread(target=self._count, args=(total,), daemon=True).start()

    def say(self, message: str) -> None:
        self._print("message", text=message)

    def begin(self, what: str, total: int | None) -> None:
        self.flush()
        self._done, self._total, self._printed = 0, total, 0.0
        self._print("step", what=what, total=total)

    def advance(self, steps: int, /, **figures: float) -> None:
        self._done += steps
        if time.monotonic() - self._printed >= EVERY:
            self._progress(**figures)
        else:
            self._waiting = True

    def epoch(self, row: dict[str, Any]) -> None:
        self.flush()
        self._print("epoch", **row)

    def flush(self) -> None:
        """Print the steps that came too soon after the last line."""
        if self._waiting:
            self._progress()

    def _progress(self, **figures: float) -> None:
        self._waiting, self._printed = False, time.monotonic()
        seconds = round(self._printed - self._began, 3)
        self._print("progress", done=self._done, total=self._total, seconds=seconds, **figures)

    def _print(self, event: str, **more: Any) -> None:
        with self._lock:
            print_note(json.dumps({"event": event, **more}))

    def _count(self, total: Callable[[], int]) -> None:
        from sorter.types import SorterError

        try:
            self._total = total() or None
        except SorterError:  # the command raises the same error
            return
        self._print("total", total=self._total)


class LoggedProgress:
    """A `Progress` that another one shows, and that a log keeps."""

    def __init__(self, shown: Progress, log: Log) -> None:
        self._shown = shown
        self._log = log
        self._done = 0
        self._written = time.monotonic()

    def say(self, message: str) -> None:
        self._log.write("info", message)
        self._shown.say(message)

    def begin(self, what: str, total: int | None) -> None:
        self._log.write("info", f"{what} ...", total=total)
        self._done = 0
        self._shown.begin(what, total)

    def advance(self, steps: int, /, **figures: float) -> None:
        self._done += steps
        if time.monotonic() - self._written >= LOGGED_EVERY:
            self._written = time.monotonic()
            self._log.write("info", f"{self._done:,} done", done=self._done, **figures)
        self._shown.advance(steps, **figures)

    def epoch(self, row: dict[str, Any]) -> None:
        self._log.write("info", f"epoch {row.get('epoch')}", row=row)
        self._shown.epoch(row)
