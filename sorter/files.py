"""Reading files safely: whoever opens a path of a user's does it here."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import IO

from sorter.address import Address

BLOCK = 1 << 20  # bytes read at a time


class NotRegularError(OSError):
    """A folder, a FIFO, a device or a socket lies where a file should."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "not a regular file", str(path))


def open_regular(path: Path) -> IO[bytes]:
    """Open for reading without ever blocking: a FIFO may have taken a photo's place. In a store there is none.

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
    """The hash of a file's bytes, in hex. Raises as `open_regular`."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
