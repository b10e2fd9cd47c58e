"""Put a new file in the place of another that has to be the one that was looked at: no byte is lost in between."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path

NOT_THERE = (
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
)  # the system or the disk lacks the call


def replace_if(staging: Path, target: Path, known: Callable[[Path], bool]) -> bool:
    """Put `staging` in the place of `target`, whose file goes. There is a file at `target` at every moment.

    The two names are exchanged in one step, and only then the older file is looked at. So even a change in the last
    moment is found, and taken back. Where the system cannot exchange names, it is looked at just before.

    Args:
        known: tells of a path whether the file there may go.

    Returns:
        False where it may not. Then both files are where they were.
    """
    if exchange(staging, target):
        if known(staging):
            staging.unlink()
            return True
        exchange(staging, target)
        return False
    if not known(target):
        return False
    staging.replace(target)
    return True


def exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step: Linux `RENAME_EXCHANGE`, macOS `RENAME_SWAP`.

    Returns:
        False where the system or the disk has no call for it.
    """
    native = _native_exchange()
    if native is None:
        return False
    code = native(os.fsencode(one), os.fsencode(other))
    if code and code not in NOT_THERE:
        raise OSError(code, os.strerror(code), str(one), None, str(other))
    return not code


@functools.cache
def _native_exchange() -> Callable[[bytes, bytes], int] | None:
    """The system's own call as a function that returns errno, or None."""
    if os.name == "nt":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    here, linux_exchange, macos_swap = -100, 2, 2  # AT_FDCWD, RENAME_EXCHANGE, RENAME_SWAP

    def on_macos(one: bytes, other: bytes) -> int:
        return ctypes.get_errno() if libc.renamex_np(one, other, macos_swap) else 0

    def on_linux(one: bytes, other: bytes) -> int:
        return ctypes.get_errno() if libc.renameat2(here, one, here, other, linux_exchange) else 0

    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        return on_macos
    return on_linux if hasattr(libc, "renameat2") else None
