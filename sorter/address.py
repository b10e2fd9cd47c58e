"""Paths in stores, such as `s3://bucket/key` and whatever else fsspec knows."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path, PosixPath
from typing import IO, Any

from sorter.distribution import install_command
from sorter.types import SorterError

URL = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
READ_AHEAD = 1 << 20  # bytes: a photo takes one request or two, and only the start of a film is read
WRITE_BUFFER = 8 << 20  # bytes
SORTED_NAMES = 100_000  # a folder with more entries keeps the store's own order, so that memory is bounded
CONNECTIONS = 64
# In these an object appears whole or not at all. Elsewhere it is written under another name first.
OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oci", "oss", "memory"})


class Address(PosixPath):
    """A path in a store, with the methods of `Path` that sorter needs.

    Stores have no symbolic links and no inodes. `st_ino` is a hash of the address.
    """

    __slots__ = ("_url",)
    _url: str

    # -- the name ----------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        try:
            return self._url
        except AttributeError:
            self._url = super().__str__().replace(":/", "://", 1)
            return self._url

    def __fspath__(self) -> str:
        return str(self)

    def as_uri(self) -> str:
        return str(self)

    def is_absolute(self) -> bool:
        return True

    def absolute(self) -> Address:
        return self

    def resolve(self, strict: bool = False) -> Address:
        return self

    def relative_to(self, *other: Any, **more: Any) -> Path:  # type: ignore[override]
        """A plain path, as the result is no address any more."""
        return Path(*super().relative_to(*other, **more).parts)

    @property
    def store(self) -> str:
        """The protocol and the bucket or host, such as `s3://photos`."""
        return "/".join(str(self).split("/", 3)[:3])

    @property
    def in_object_store(self) -> bool:
        return str(self).partition(":")[0] in OBJECT_STORES

    @property
    def filesystem(self) -> Any:
        """Of fsspec. Raises SorterError where nothing installed knows this kind of store."""
        return _filesystem(self.store)

    @property
    def key(self) -> str:
        """The path as fsspec wants it."""
        return str(self.filesystem._strip_protocol(str(self)))

    # -- questions ---------------------------------------------------------------------------------------------

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Size, time and kind. Raises FileNotFoundError, or OSError with the store's message."""
        return _status(self, self.info())

    def info(self) -> dict[str, Any]:
        """Everything that the store knows of the object. Raises as `stat`."""
        with store_errors(self):
            known: dict[str, Any] = self.filesystem.info(self.key)
        return known

    def lstat(self) -> os.stat_result:
        return self.stat()

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        try:
            self.info()
        except FileNotFoundError:
            return False
        return True

    def holds_object(self) -> bool:
        """Whether an object has exactly this name. On S3 this is one request; `exists` also looks for a folder."""
        if not hasattr(self.filesystem, "call_s3"):
            return self.exists()
        bucket, _, key = self.key.partition("/")
        try:
            with store_errors(self):
                self.filesystem.call_s3("head_object", Bucket=bucket, Key=key)
        except FileNotFoundError:
            return False
        return True

    def is_dir(self, **_: Any) -> bool:
        return self.exists() and stat.S_ISDIR(self.stat().st_mode)

    def is_file(self, **_: Any) -> bool:
        return self.exists() and stat.S_ISREG(self.stat().st_mode)

    def is_symlink(self) -> bool:
        return False

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """The names in this folder with their status, in the store's order. Raises as `stat`.

        A key with an empty part or a dot for a part has no path. Its name is then empty, or the dot.
        """
        with store_errors(self):
            key = self.key.rstrip("/")
            for known in _listing(self):
                name = known["name"].removeprefix(key).lstrip("/") if key else known["name"]
                if known["name"].endswith("//"):
                    yield "", _status(self, known)
                elif name.rstrip("/"):  # else the folder's own placeholder
                    yield name.rstrip("/"), _status(self / name, known)

    # -- reading and writing -----------------------------------------------------------------------------------

    def open(  # type: ignore[override]
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        with store_errors(self):
            block = READ_AHEAD if "r" in mode else WRITE_BUFFER
            binary = mode.replace("t", "").replace("b", "") + "b"
            file: IO[Any] = self.filesystem.open(self.key, binary, block_size=block)
        return file if "b" in mode else io.TextIOWrapper(file, encoding, errors, newline)

    def unlink(self, missing_ok: bool = False) -> None:
        try:
            with store_errors(self):
                self.filesystem.rm_file(self.key)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def replace(self, target: os.PathLike[str] | str) -> Address:
        to = Address(target)
        with store_errors(self):
            self.filesystem.mv(self.key, to.key)
        return to

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        if not self.in_object_store:  # which have no folders
            with store_errors(self):
                self.filesystem.makedirs(self.key, exist_ok=exist_ok)

    def rmdir(self) -> None:
        if not self.in_object_store:
            with store_errors(self):
                self.filesystem.rmdir(self.key)


def path_of(text: str | os.PathLike[str]) -> Path:
    """The path that a user named: an `Address` where it begins with a protocol, else a path of this machine."""
    text = os.fspath(text)
    match = URL.match(text)
    if match is None:
        return Path(text)
    if match[1].lower() == "file":
        return Path(text[len(match[0]) :])
    return Address(text)


def prefix(folder: Path) -> str:
    """The text that every path in a folder begins with. Joining and cutting texts is far quicker than pathlib."""
    slash = "/" if isinstance(folder, Address) else os.sep
    return f"{str(folder).rstrip(slash)}{slash}"


class store_errors:
    """Turns whatever a store's library raises into an OSError that names the address."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        if error is None or isinstance(error, (OSError, SorterError)) or not isinstance(error, Exception):
            return
        raise OSError(
            errno.EIO, " ".join(str(error).split()) or type(error).__name__, str(self._address)
        ) from error


@lru_cache(maxsize=64)
def _filesystem(store: str) -> Any:
    try:
        import fsspec
    except ImportError as error:
        raise SorterError(
            f"{store}: fsspec is not installed; `{install_command('cluster')}` brings it"
        ) from error

    options: dict[str, Any] = {"use_listings_cache": False}
    if store.startswith(("s3:", "s3a:")):
        options["config_kwargs"] = {"max_pool_connections": CONNECTIONS}
    try:
        return fsspec.core.url_to_fs(store, **options)[0]
    except (ImportError, ValueError) as error:
        raise SorterError(f"{store}: {error}") from error


def _listing(folder: Address) -> Iterator[dict[str, Any]]:
    """The entries of a folder: on S3 in pages of a thousand, elsewhere all at once."""
    filesystem, key = folder.filesystem, folder.key
    if not hasattr(filesystem, "call_s3"):
        yield from filesystem.ls(key, detail=True)
        return
    bucket, _, prefix = key.partition("/")
    request = {"Bucket": bucket, "Prefix": prefix and prefix.rstrip("/") + "/", "Delimiter": "/"}
    while True:
        page = filesystem.call_s3("list_objects_v2", **request)
        for each in page.get("CommonPrefixes", ()):
            yield {"name": f"{bucket}/{each['Prefix']}", "type": "directory"}
        for each in page.get("Contents", ()):
            yield {
                "name": f"{bucket}/{each['Key']}",
                "type": "file",
                "size": each["Size"],
                "LastModified": each["LastModified"],
            }
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def in_order(
    entries: Iterator[tuple[str, os.stat_result]], order: Any
) -> Iterator[tuple[str, os.stat_result]]:
    """Entries sorted by name. A folder of more than `SORTED_NAMES` keeps the store's order."""
    head = list(islice(entries, SORTED_NAMES + 1))
    if len(head) <= SORTED_NAMES:
        head.sort(key=lambda entry: order(entry[0]))
    return chain(head, entries)


def _status(address: Address, known: dict[str, Any]) -> os.stat_result:
    folder = known.get("type") == "directory"
    mode = (stat.S_IFDIR | 0o755) if folder else (stat.S_IFREG | 0o644)
    inode = int.from_bytes(
        hashlib.blake2b(str(address).encode("utf-8", "replace"), digest_size=7).digest(), "big"
    )
    nanoseconds = _modified(known)
    seconds = nanoseconds // 1_000_000_000
    size = int(known.get("size") or 0)
    return os.stat_result(
        (mode, inode, 0, 1, 0, 0, size, seconds, seconds, seconds),
        {"st_atime_ns": nanoseconds, "st_mtime_ns": nanoseconds, "st_ctime_ns": nanoseconds},
    )


def _modified(known: dict[str, Any]) -> int:
    """When the object was written, nanoseconds since the epoch. Each library names it differently."""
    for word in ("LastModified", "mtime", "last_modified", "updated", "created"):
        value = known.get(word)
        if isinstance(value, str):
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        if isinstance(value, datetime):
            value = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
            # S3 gives milliseconds in a listing and whole seconds for a single object.
            return int(value.timestamp()) * 1_000_000_000
        if isinstance(value, (int, float)):
            return int(value) * 1_000_000_000
    return 0
