"""Standard streams that are closed, full, or of a terminal that is gone."""

from __future__ import annotations

import os
import stat
import sys
from typing import TextIO


def open_closed_streams() -> None:
    """Open the null device for each standard stream that the caller has closed.

    Else the next file that is opened gets the stream's number, and what a library prints goes into that file.
    `sys.stdout` stays None, so that a result that nobody can read is not taken for one that was written.
    """
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is None:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def discard(stream: TextIO | None) -> None:
    """Send what is left in a stream's buffer, and all that follows, to the null device."""
    if stream is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def discard_if_hung_up(stream: TextIO) -> None:
    """Discard a stream whose terminal was closed. Each write to it would fail."""
    number = stream.fileno()
    if stat.S_ISCHR(os.fstat(number).st_mode) and not os.isatty(number):
        discard(stream)
