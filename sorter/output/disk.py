"""Put photos in their places on a disk, and back again. No file is overwritten or lost, even when the process dies.

Every step is one system call, which happened or did not. `place` carries out a planned filing. `was_done` tells after
a crash whether it had happened. `revert` undoes it.
"""

from __future__ import annotations

import ctypes
import errno
import filecmp
import functools
import os
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sorter.files import open_regular
from sorter.types import ActionKind, SorterError

NAME_MAX = 255  # bytes, on every common filesystem


class CannotUndo(SorterError):
    """Why one file was left where it is."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What tells after a crash that a file on a disk is still the same one: `st_dev` and `st_ino` of `stat`."""

    device: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        return cls(status.st_dev, status.st_ino)


@dataclass(frozen=True, slots=True)
class ObjectIdentity:
    """What tells that an object in a store is still the same one, as stores have no inodes.

    Attributes:
        size: bytes.
        mtime_ns: when it was written, nanoseconds since the epoch.
    """

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> ObjectIdentity:
        return cls(status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Filing:
    """A photo that goes to a place in the output, or lies there already.

    Attributes:
        kind: how it goes there. It is never `NONE`.
        source: absolute path of the photo.
        destination: absolute path of its place in the output.
        identity: of the source when the filing was planned; None where nothing is compared with it.
        relative_link: a symbolic link names the source as seen from its own folder.
    """

    kind: ActionKind
    source: Path
    destination: Path
    identity: FileIdentity | ObjectIdentity | None = None
    relative_link: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """What `lstat` saw at the destination right after a filing. Undo compares it before it removes the file."""

    size: int
    mtime_ns: int


def make_folder(folder: Path) -> None:
    """Make a folder and its parents unless it is there, which is quicker to ask than to try. Raises OSError."""
    if not os.path.isdir(folder):  # noqa: PTH112
        folder.mkdir(parents=True, exist_ok=True)


def free_name(wanted: Path, taken: Callable[[Path], bool]) -> Path:
    """A path that nothing has: the wanted one, else `stem (2).ext`, `stem (3).ext` and so on, in at most 255 bytes.

    Args:
        taken: tells of a path whether it is in use. It is asked O(log n) times for n photos of one name. Numbers are
            given out without gaps, so the first free one is found by doubling, then bisecting.
    """
    folder, name = wanted.parent, wanted.name

    def numbered(number: int) -> Path:
        fits = fit_name(name, f" ({number})" if number > 1 else "")
        return wanted if fits == name else folder / fits

    return numbered(first_free(lambda number: taken(numbered(number))))


def first_free(taken: Callable[[int], bool]) -> int:
    """The first number from 1 on that is not in use, where numbers are given out without gaps."""
    if not taken(1):
        return 1
    high = 2
    while taken(high):
        high *= 2
    low = max(high // 2, 1)  # in use, while `high` is free
    while high - low > 1:
        middle = (low + high) // 2
        if taken(middle):
            low = middle
        else:
            high = middle
    return high


def fit_name(name: str, suffix: str) -> str:
    """`name` with `suffix` before its extension, its stem cut at a character where it would pass 255 bytes."""
    if not suffix and len(os.fsencode(name)) <= NAME_MAX:
        return name
    stem, extension = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    room = NAME_MAX - len(os.fsencode(suffix + extension))
    if room < 1:  # no extension is as long as that: a dot early in a long name
        stem, extension = name, ""
        room = NAME_MAX - len(os.fsencode(suffix))
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return stem + suffix + extension


def place(filing: Filing, staging: Path) -> Placed:
    """Carry out a planned filing. The photo appears at the destination whole or not at all.

    Args:
        staging: a path of this filing's own, on the output's filesystem, for bytes not yet in place.

    Raises:
        FileExistsError: something has appeared at the destination; it was not touched.
        FileNotFoundError: the photo is gone.
        OSError: anything else the system refused; the photo is where it was.
    """
    make_folder(filing.destination.parent)
    if filing.kind is ActionKind.COPY:
        _copy(filing.source, staging)
        publish(staging, filing.destination)
    elif filing.kind is ActionKind.MOVE:
        move(filing.source, filing.destination, staging)
    elif filing.kind is ActionKind.HARDLINK:
        # Not all systems follow a symbolic link here.
        source = filing.source.resolve() if filing.source.is_symlink() else filing.source
        os.link(source, filing.destination)
    else:
        os.symlink(_target(filing), filing.destination)  # noqa: PTH211 - arguments in the order of the others
    return placed_at(filing.destination)


def was_done(filing: Filing, staging: Path) -> bool:
    """After a crash: finish a filing that had reached its destination, or clear up. Returns whether it had."""
    _clear(staging, filing.destination)
    target = _stat(filing.destination, follow=False)
    if target is None:
        return False
    if filing.kind is ActionKind.HARDLINK:
        return _is_photo(target, filing)
    if filing.kind is ActionKind.SYMLINK:
        return _links_to(filing, target)
    source = _stat(filing.source)
    if source is None:
        return True  # a move removes the source last, and a copy without its source is still the photo
    if filing.kind is ActionKind.MOVE and _is_photo(target, filing):
        filing.source.unlink()  # stopped between link and unlink: both names are one file
        return True
    if not filecmp.cmp(filing.source, filing.destination, shallow=False):
        return False
    if filing.kind is ActionKind.MOVE:
        # Stopped between a verified copy across filesystems and the delete.
        sync_folder(filing.destination.parent)
        filing.source.unlink()
    return True


def revert(filing: Filing, placed: Placed, staging: Path) -> None:
    """Undo a filing.

    Raises:
        CannotUndo: why the file was left where it is.
        OSError: the system refused.
    """
    target = _stat(filing.destination, follow=False)
    if target is None:
        raise CannotUndo("is no longer in the output folder")
    if filing.kind is ActionKind.MOVE:
        filing.source.parent.mkdir(parents=True, exist_ok=True)
        try:
            move(filing.destination, filing.source, staging)
        except FileExistsError as error:
            raise CannotUndo(f"something else is now at {filing.source}") from error
        return
    if filing.kind is ActionKind.SYMLINK:
        if not _links_to(filing, target):
            raise CannotUndo("is no longer the link that was made")
        filing.destination.unlink()
        return
    source = _stat(filing.source)
    if source is None:
        raise CannotUndo(f"the original {filing.source} is gone, so this may be the last copy")
    if filing.kind is ActionKind.HARDLINK:
        if (target.st_dev, target.st_ino) != (source.st_dev, source.st_ino):
            raise CannotUndo("is no longer the same file as the original")
    elif Placed(target.st_size, target.st_mtime_ns) != placed:
        raise CannotUndo("was changed since it was copied")
    elif not filecmp.cmp(filing.source, filing.destination, shallow=False):
        raise CannotUndo("the original was changed since, so this is the only copy of the older photo")
    filing.destination.unlink()


def was_reverted(filing: Filing, staging: Path) -> bool:
    """After a crash: whether `revert` had ended. One that only lacked the last step is finished."""
    _clear(staging, filing.source)
    if _stat(filing.destination, follow=False) is None:
        return True
    source = _stat(filing.source, follow=False)
    if filing.kind is not ActionKind.MOVE or source is None:
        return False
    if not filecmp.cmp(filing.source, filing.destination, shallow=False):
        return False
    sync_folder(filing.source.parent)
    filing.destination.unlink()
    return True


def placed_at(path: Path) -> Placed:
    status = path.lstat()
    return Placed(status.st_size, status.st_mtime_ns)


def move(source: Path, destination: Path, staging: Path) -> None:
    """Rename without replacing. Across filesystems: copy, verify, then delete.

    Raises: as `place`.
    """
    try:
        rename_without_replacing(source, destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        staging = _staging_near(staging, destination)
        _copy(source, staging)
        if not filecmp.cmp(source, staging, shallow=False):
            staging.unlink()
            raise OSError(
                errno.EIO, "the copy differs from the photo; the photo was kept", str(source)
            ) from error
        publish(staging, destination)
        sync_folder(destination.parent)  # before the only other copy goes
        source.unlink()


def sync_folder(folder: Path) -> None:
    """Write a folder's renames to the disk, so that they survive a power cut. Windows has no call for it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename_without_replacing(source: Path, destination: Path) -> None:
    """Atomic rename that fails with FileExistsError where the destination exists.

    Linux `renameat2(RENAME_NOREPLACE)` and macOS `renamex_np(RENAME_EXCL)` where the filesystem has them; else
    link and unlink; else (exFAT on macOS) an exclusively created empty file reserves the name for a plain rename.
    """
    if os.name == "nt":
        source.rename(destination)  # never replaces on Windows
        return
    native = _native_rename()
    if native is not None:
        code = native(os.fsencode(source), os.fsencode(destination))
        if code == 0:
            return
        if code not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise OSError(code, os.strerror(code), str(source), None, str(destination))
    try:
        os.link(source, destination, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS):
            raise
        _rename_reserving(source, destination)
    else:
        source.unlink()


def _rename_reserving(source: Path, destination: Path) -> None:
    os.close(os.open(destination, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    try:
        source.replace(destination)
    except OSError:
        destination.unlink()
        raise


@functools.cache
def _native_rename() -> Callable[[bytes, bytes], int] | None:
    """The system's own no-replace rename as a function that returns errno, or None."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin" and hasattr(libc, "renamex_np"):
        rename_exclusively = 0x4  # RENAME_EXCL, <sys/stdio.h>

        def on_macos(source: bytes, destination: bytes) -> int:
            return ctypes.get_errno() if libc.renamex_np(source, destination, rename_exclusively) else 0

        return on_macos
    if sys.platform.startswith("linux") and hasattr(libc, "renameat2"):
        here, no_replace = -100, 1  # AT_FDCWD, RENAME_NOREPLACE, <linux/fs.h>

        def on_linux(source: bytes, destination: bytes) -> int:
            return ctypes.get_errno() if libc.renameat2(here, source, here, destination, no_replace) else 0

        return on_linux
    return None


def _copy(source: Path, staging: Path) -> None:
    """Copy bytes, times and mode, and sync them to the disk. A copy-on-write filesystem shares the blocks."""
    try:
        with open_regular(source) as reader, staging.open("wb") as writer:
            _copy_bytes(reader.fileno(), writer.fileno())
            writer.flush()
            os.fsync(writer.fileno())
            if os.fstat(reader.fileno()).st_size != os.fstat(writer.fileno()).st_size:
                raise OSError(errno.EIO, "the photo changed while it was copied", str(source))
        shutil.copystat(source, staging)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise


def _copy_bytes(reader: int, writer: int) -> None:
    if hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(reader, writer, 1 << 30):
                pass
            return
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
                raise
            os.lseek(reader, 0, os.SEEK_SET)
            os.lseek(writer, 0, os.SEEK_SET)
    while block := os.read(reader, 1 << 20):
        view = memoryview(block)
        while view:
            view = view[os.write(writer, view) :]


def publish(staging: Path, destination: Path) -> None:
    try:
        rename_without_replacing(staging, destination)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise


def _staging_near(staging: Path, destination: Path) -> Path:
    """The staging path, or one beside the destination where that is on another filesystem (putting back)."""
    here = _stat(staging.parent)
    if here is None or here.st_dev == destination.parent.stat().st_dev:
        return staging
    return destination.with_name(f".sorter-{staging.name}")


def _clear(staging: Path, destination: Path) -> None:
    staging.unlink(missing_ok=True)
    if destination.parent.exists():
        _staging_near(staging, destination).unlink(missing_ok=True)


def _stat(path: Path, follow: bool = True) -> os.stat_result | None:
    try:
        return path.stat() if follow else path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_photo(status: os.stat_result, filing: Filing) -> bool:
    return FileIdentity.of(status) == filing.identity


def _links_to(filing: Filing, status: os.stat_result) -> bool:
    if not stat.S_ISLNK(status.st_mode):
        return False
    target = filing.destination.parent.resolve() / filing.destination.readlink()
    return os.path.normpath(target) == os.path.normpath(filing.source)


def _target(filing: Filing) -> str:
    """What a symbolic link holds. Its folder may itself be reached by a link, which `..` does not know of."""
    if not filing.relative_link:
        return str(filing.source)
    return os.path.relpath(filing.source, filing.destination.parent.resolve())
