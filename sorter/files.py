"""Files that users own are opened here, and files that we own are replaced here."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

from sorter.address import Address

BLOCK = 1 << 20  # bytes read at a time


class NotRegularError(OSError):
    """A folder, a FIFO, a device or a socket lies where a file should."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "not a regular file", str(path))


def open_regular(path: Path) -> IO[bytes]:
    """Open a file for reading, without blocking where a FIFO has taken its place.

    Raises:
        NotRegularError: it is no regular file.
        OSError: the system refused.
    """
    if isinstance(path, Address):
        return path.open("rb")
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        if error.errno == errno.ENXIO:  # what opening a socket gives
            raise NotRegularError(path) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularError(path)
    return os.fdopen(descriptor, "rb")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex. Raises as `open_regular`."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def part_path(path: Path, unique: str = "") -> Path:
    """The hidden file that `atomic_write` fills, and leaves behind when the process is killed."""
    return path.with_name(f".{path.name}{unique}.part")


@contextmanager
def atomic_write(path: Path, *, sync: bool = False, shared: bool = False) -> Iterator[Path]:
    """Replace a file in one step: readers see the old bytes or all of the new ones.

    The block writes to the path that it is given, a hidden file beside the target. When the block ends well, that file
    takes the target's name. When it raises, that file is removed and the target stays as it was. A process that is
    killed leaves the hidden file behind; the next write of the same target overwrites it.

    Args:
        path: the target, on a disk or in a store. Its folder exists.
        sync: the bytes are on the disk before the target is replaced. A store does that by itself.
        shared: other processes may write the same target at this moment. Each then has a hidden file of its own, and
            one that is left behind stays.

    Raises:
        OSError: the system refused.
    """
    part = part_path(path, f".{uuid.uuid4().hex}" if shared else "")
    try:
        yield part
        if sync and not isinstance(part, Address):
            with part.open("r+b") as file:
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_text(path: Path, *, sync: bool = False) -> Iterator[TextIO]:
    """A text file, in UTF-8, that replaces `path` in one step when the block ends well. Raises as `atomic_write`.

    Line ends are written as they are. A lone surrogate, as in a file name that is no valid UTF-8, becomes `\\udcXX`.
    """
    with atomic_write(path, sync=sync) as part, open_text(part, "w") as file:
        yield file


def open_text(path: Path, mode: str) -> TextIO:
    """Open for writing as `atomic_text` does; `mode` is `w` or `a`. Raises OSError."""
    return path.open(mode, encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[return-value]
