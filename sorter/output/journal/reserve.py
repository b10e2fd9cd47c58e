"""Room on the disk that is kept for undo: on a full disk, too, photos can be put back.

To undo a filing the journal writes first, and a write needs room. So a run keeps a file beside the journal, and undo
removes it before it writes.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from sorter.output.journal.location import journal_folder

RESERVE = "reserve"
SIZE = 4 << 20  # bytes: SQLite's write-ahead log grows to 1,000 pages of 4 KiB before it is taken in
WAL_PAGES = 100  # while undo works; each batch then needs less than a tenth of the room


def keep_room(out: Path) -> None:
    """Take the room, where the disk has twice as much.

    The bytes are random, as some file systems keep no room for zeros.
    """
    path = journal_folder(out) / RESERVE
    with suppress(OSError):
        if path.exists() or shutil.disk_usage(path.parent).free < 2 * SIZE:
            return
        try:
            with path.open("xb") as file:
                file.write(os.urandom(SIZE))
        except OSError:
            path.unlink(missing_ok=True)


def release_room(out: Path) -> None:
    """Give the room back to the disk."""
    with suppress(OSError):
        (journal_folder(out) / RESERVE).unlink(missing_ok=True)
