"""`--log-file`: what a command said and how it ended, a line each, added to a file."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

# The first line of a file that may be added to.
OURS = re.compile(rb'(\{"time": ")?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d')


def add_log(parser: argparse.ArgumentParser) -> None:
    """`--log-file` and `--log-format`."""
    group = parser.add_argument_group("log")
    group.add_argument(
        "--log-file",
        metavar="FILE",
        type=Path,
        help="Add messages, steps, errors and the result to FILE, a line each with its time.",
    )
    group.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="Form of the lines. (default: text)"
    )


class Log:
    """A file of lines. One that cannot be written to any more, as on a full disk, stops no command."""

    def __init__(self, file: IO[str], as_json: bool) -> None:
        self._file = file
        self._as_json = as_json

    def write(self, level: str, message: str, **more: Any) -> None:
        """Add a line.

        Args:
            level: `info` or `error`.
            more: what a program may want, for JSON.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        if self._as_json:
            line = json.dumps({"time": now, "level": level, "message": message, **more})
        else:
            text = " ".join(message.encode("utf-8", "backslashreplace").decode().split())
            line = f"{now} {level.upper():<5} {text}"
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError:
            pass


@contextmanager
def opened_log(path: Path | None, form: str, words: Sequence[str]) -> Iterator[Log | None]:
    """The log of a command; None where there is no file.

    Args:
        words: the command line, for the first line.

    Raises:
        UsageError: the file cannot be written to, or is somebody's.
    """
    if path is None:
        yield None
        return
    import shlex

    from sorter.distribution import installed_version
    from sorter.types import UsageError

    try:
        if path.exists():
            with path.open("rb") as old:
                head = old.read(64)
            if head and not OURS.match(head):
                raise UsageError(f"--log-file {path}: is no log of sorter; name another file")
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--log-file {path}: {error.strerror}; name another file") from error
    with file:
        log = Log(file, form == "json")
        log.write("info", f"sorter {installed_version()}: {shlex.join(words)}", command=list(words))
        yield log
