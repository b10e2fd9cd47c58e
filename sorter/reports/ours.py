"""Which files are reports of ours. Only those are replaced or removed; a user's file of the same name never is."""

from __future__ import annotations

from pathlib import Path

from sorter.types import UsageError

HEAD = 2048  # bytes that are looked at
CSV_STARTS = (
    b"path,label,probability,status,",  # sorter run
    b"path,verdict,reasons,",  # sorter clean
    b"file,class,query,source,",  # sorter collect
    b"path,label,suggested,",  # sorter audit
    b"path,label,predicted,",  # sorter evaluate
    b"path,status,error",
)
HTML_MARK = b'<meta name="generator" content="sorter">'
ATTRIBUTION_START = b"# Attribution\n"
PARQUET_MAGIC = b"PAR1"


def is_ours(path: Path) -> bool:
    """Whether the file may be replaced: a report of ours, an empty file, or none at all.

    Raises:
        OSError: it cannot be read.
    """
    if not path.exists() and not path.is_symlink():
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(PARQUET_MAGIC):
        return _is_our_parquet(path)
    return not head or head.startswith((*CSV_STARTS, ATTRIBUTION_START)) or HTML_MARK in head


def check_ours(path: Path, flag: str) -> None:
    """Refuse to replace a file that is not ours, before anything is done.

    Args:
        flag: that names another place, such as `--report`.

    Raises:
        UsageError: the file is somebody's, a folder, or cannot be read.
    """
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name another file with {flag}")
    try:
        ours = is_ours(path)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror}); name another place with {flag}"
        ) from error
    if not ours:
        raise UsageError(
            f"{path}: is a file that sorter did not write; move it away or name another place with {flag}"
        )


def remove_ours(path: Path) -> None:
    """Remove a report of ours. A user's file stays."""
    if is_ours(path):
        path.unlink(missing_ok=True)


def _is_our_parquet(path: Path) -> bool:
    try:
        from pyarrow.parquet import read_schema
    except ImportError:
        return False
    with path.open("rb") as file:
        try:
            names = read_schema(file).names
        except (OSError, ValueError):
            return False
    return ",".join(names).encode().startswith(CSV_STARTS[0])
