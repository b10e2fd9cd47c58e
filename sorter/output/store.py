"""Put photos in their places, and back again, where one end is in a store. The functions are those of `disk`.

An object appears whole or not at all. Stores have no rename that refuses to replace. On S3 the copy itself is
conditional. Elsewhere an object is overwritten if another program writes it just after we looked.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import IO

from sorter.address import Address, store_errors
from sorter.files import BLOCK, open_regular
from sorter.output.disk import CannotUndo, Filing, ObjectIdentity, Placed, placed_at, publish
from sorter.types import ActionKind

CHANGED = "changed since it was looked at; give the same command again"


def concerns(filing: Filing) -> bool:
    """Whether one end of a filing is in a store."""
    return isinstance(filing.source, Address) or isinstance(filing.destination, Address)


def place(filing: Filing, staging: Path) -> Placed:
    """As `disk.place`, for copies and moves. An object that changed since it was looked at is not copied."""
    source, destination = filing.source, filing.destination
    if isinstance(filing.identity, ObjectIdentity) and ObjectIdentity.of(source.stat()) != filing.identity:
        raise OSError(errno.ESTALE, CHANGED, str(source))
    _copy(source, destination, staging)
    if filing.kind is ActionKind.MOVE:
        if not same_bytes(source, destination):
            raise OSError(errno.EIO, "the copy differs from the photo; the photo was kept", str(source))
        source.unlink()
    return placed_at(destination)


def was_done(filing: Filing, staging: Path) -> bool:
    """As `disk.was_done`."""
    _near(staging, filing.destination).unlink(missing_ok=True)
    if not _is_there(filing.destination):
        return False
    if not _is_there(filing.source):
        return True  # a move removes the source last, and a copy without its source is still the photo
    if not same_bytes(filing.source, filing.destination):
        return False
    if filing.kind is ActionKind.MOVE:
        filing.source.unlink()
    return True


def revert(filing: Filing, placed: Placed, staging: Path) -> None:
    """As `disk.revert`."""
    source, destination = filing.source, filing.destination
    if not _is_there(destination):
        raise CannotUndo("is no longer in the output folder")
    if filing.kind is ActionKind.MOVE:
        try:
            _copy(destination, source, staging)
        except FileExistsError as error:
            raise CannotUndo(f"something else is now at {source}") from error
        if not same_bytes(source, destination):
            raise OSError(errno.EIO, "the copy differs from the photo; both were kept", str(destination))
    elif not _is_there(source):
        raise CannotUndo(f"the original {source} is gone, so this may be the last copy")
    elif placed_at(destination) != placed:
        raise CannotUndo("was changed since it was copied")
    elif not same_bytes(source, destination):
        raise CannotUndo("the original was changed since, so this is the only copy of the older photo")
    destination.unlink()


def was_reverted(filing: Filing, staging: Path) -> bool:
    """As `disk.was_reverted`."""
    _near(staging, filing.source).unlink(missing_ok=True)
    if not _is_there(filing.destination):
        return True
    if filing.kind is not ActionKind.MOVE or not _is_there(filing.source):
        return False
    if not same_bytes(filing.source, filing.destination):
        return False
    filing.destination.unlink()
    return True


def same_bytes(one: Path, other: Path) -> bool:
    """Whether two files are equal. The store's checksums are compared where both have one, else every byte."""
    if one.stat().st_size != other.stat().st_size:
        return False
    if isinstance(one, Address) and isinstance(other, Address) and one.store.split(":")[0] == "s3":
        tags = {str(each.info().get("ETag", "")) for each in (one, other)}
        if len(tags) == 1 and tags != {""}:
            return True
    with open_regular(one) as first, open_regular(other) as second:
        while block := first.read(BLOCK):
            if block != second.read(len(block)):
                return False
        return not second.read(1)


def _copy(source: Path, destination: Path, staging: Path) -> None:
    """Copy. Raises FileExistsError where something is at the destination, which stays as it is."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    staging = _near(staging, destination)
    if not isinstance(destination, Address):
        _download(source, staging, destination)
        return
    if destination.holds_object():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(destination))
    if isinstance(source, Address) and source.filesystem is destination.filesystem:
        _within(source, destination)
    elif destination.in_object_store:
        _upload(source, destination)
    else:
        _upload(source, Address(staging))
        with store_errors(destination):
            destination.filesystem.mv(Address(staging).key, destination.key)


def _near(staging: Path, destination: Path) -> Path:
    """The staging file, or one beside the destination where only one of them is in a store, as in an undo."""
    if isinstance(staging, Address) == isinstance(destination, Address):
        return staging
    return destination.with_name(f".sorter-{staging.name}")


def _within(source: Address, destination: Address) -> None:
    """The store copies by itself. No byte comes here."""
    conditional = {"IfNoneMatch": "*"} if destination.store.startswith(("s3:", "s3a:")) else {}
    with _refused(destination), store_errors(destination):
        destination.filesystem.cp_file(source.key, destination.key, **conditional)


def _upload(source: Path, destination: Address) -> None:
    mode = "xb" if destination.store.startswith(("s3:", "s3a:")) else "wb"
    with (
        _refused(destination),
        store_errors(destination),
        open_regular(source) as reader,
        destination.open(mode) as writer,
    ):
        _pour(reader, writer)


def _download(source: Path, staging: Path, destination: Path) -> None:
    status = source.stat()
    staging.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open_regular(source) as reader, staging.open("wb") as writer:
            _pour(reader, writer)
            writer.flush()
            os.fsync(writer.fileno())
        os.utime(staging, ns=(status.st_atime_ns, status.st_mtime_ns))
        publish(staging, destination)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise


def _pour(reader: IO[bytes], writer: IO[bytes]) -> None:
    shutil.copyfileobj(reader, writer, BLOCK)


class _refused:
    """Turns the 412 or 409 of a store that refuses to overwrite into FileExistsError, whatever the library."""

    def __init__(self, destination: Address) -> None:
        self._destination = destination

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        if isinstance(error, OSError) and _is_precondition(error):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self._destination)) from error


def _is_precondition(error: OSError) -> bool:
    chain: BaseException | None = error
    while chain is not None:
        if "PreconditionFailed" in str(chain) or "ConditionalRequestConflict" in str(chain):
            return True
        chain = chain.__cause__
    return "pre-conditions you specified did not hold" in str(error)


def _is_there(path: Path) -> bool:
    return path.holds_object() if isinstance(path, Address) else os.path.lexists(path)
