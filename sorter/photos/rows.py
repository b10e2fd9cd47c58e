"""Lists of files and tables of labels, row by row: text, CSV, JSON lines, Parquet, and inventories of S3.

Memory: a few rows, or one batch of a Parquet file.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePath
from typing import IO, Any

from sorter.address import path_of
from sorter.distribution import install_command
from sorter.types import SorterError, UsageError

PATH = ("path", "file_name")  # the columns that may name the file; the first that a table has counts
LABEL = ("label", "class")
SPLIT = ("split", "part")
GROUP = ("group",)
LONGEST = 1 << 16  # bytes of a line of text, far above what any system allows for a path
ROWS = 10_000  # of Parquet that are in memory at once
PARQUET = frozenset({".parquet", ".pq"})
JSON_LINES = frozenset({".jsonl", ".ndjson"})
TABLES = frozenset({".csv", ".tsv"})
INVENTORY = "manifest.json"


@dataclass(frozen=True)
class FileList:
    """A list of files.

    Attributes:
        path: of the list; None for the standard input, which is read as text.
        nul: a NUL ends each path of a text, and not a line break.
    """

    path: Path | None
    nul: bool = False

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.path is None else str(self.path)

    def check(self) -> None:
        """Raise UsageError where the list is no file."""
        if self.path is None:
            return
        if not self.path.exists():
            raise UsageError(f"--from {self.path}: no such file; name a list of files")
        if self.path.is_dir():
            raise UsageError(f"--from {self.path}: is a folder; give it as PATH, or name a list of files")

    def absolute(self) -> FileList:
        return FileList(None if self.path is None else self.path.absolute(), self.nul)

    def to_json(self) -> dict[str, Any]:
        return {"path": None if self.path is None else str(self.path), "nul": self.nul}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FileList:
        return cls(None if data["path"] is None else path_of(data["path"]), data["nul"])


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list or a table. What the table does not say is empty.

    Attributes:
        number: of the line or record in the list, from 1.
        path: as written. Empty for a row that names no file.
        label: class of the photo; None where the table has no such column.
        split: part of the dataset, as written.
        group: photos of one group belong into one part.
    """

    number: int
    path: str
    label: str | None = None
    split: str = ""
    group: str = ""


def check_sources(word: str, inputs: Sequence[Path], listing: FileList | None) -> None:
    """Raise UsageError where files are named in two ways or not at all, or the list is no file.

    Args:
        word: what the command calls an input.
    """
    if listing is None:
        if not inputs:
            raise UsageError(f"{word}: none is given; name one, or a list with --from")
        return
    if inputs:
        raise UsageError(f"--from: {inputs[0]} is given, too; give either {word} or --from")
    listing.check()


def read_rows(files: FileList) -> Iterator[Row]:
    """The rows of a list, in its order. The name of the list tells its kind.

    `.csv`, `.tsv`, `.jsonl`, `.ndjson` and `.parquet` are tables. `manifest.json` is an inventory of S3, and any other
    `.json` an export of an annotation tool. Anything else is text with one path a line. `.gz` at the end of a name of
    text is allowed. Bytes that are not UTF-8 are kept, as `os.fsdecode` does.

    Raises:
        UsageError: the list is not what its name says, or has no column that names files.
        SorterError: a library is missing, or the list cannot be read.
    """
    try:
        yield from _rows(files)
    except OSError as error:
        raise SorterError(f"{files.name}: {error.strerror or error}; check the list") from error


def _rows(files: FileList) -> Iterator[Row]:
    if files.path is None:
        yield from _lines(sys.stdin.buffer, files)
        return
    kind = suffix_of(files.path)
    if kind == ".json" and files.path.name != INVENTORY:
        from sorter.photos.annotations import annotation_rows

        yield from annotation_rows(files.path)
    elif files.path.name == INVENTORY:
        from sorter.photos.inventory import inventory_rows

        yield from inventory_rows(files.path)
    elif kind in PARQUET:
        yield from map(_row, count(1), parquet_records(files.path, (*PATH, *LABEL, *SPLIT, *GROUP)))
    elif kind in JSON_LINES:
        yield from _json_rows(files.path)
    elif kind in TABLES:
        yield from _table_rows(files.path)
    else:
        with opened(files.path) as file:
            yield from _lines(file, files)


def suffix_of(path: PurePath) -> str:
    """The suffix that tells the kind of a list, without `.gz`."""
    name = path.name.lower()
    return PurePath(name.removesuffix(".gz")).suffix


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A list as bytes, unpacked where its name ends in `.gz`. Raises UsageError where it is not packed so."""
    try:
        with path.open("rb") as file:
            if path.name.lower().endswith(".gz"):
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield unpacked  # type: ignore[misc]
            else:
                yield file
    except (gzip.BadGzipFile, EOFError) as error:
        raise UsageError(f"{path}: {error}; pack the list anew with gzip") from error


def _lines(file: IO[bytes], files: FileList) -> Iterator[Row]:
    """One path a line, or between NULs. Empty lines are passed over."""
    pieces = _between_nuls(file, files) if files.nul else _between_breaks(file, files)
    for number, piece in enumerate(pieces, 1):
        text = piece.removeprefix(b"\xef\xbb\xbf") if number == 1 else piece
        if text:
            yield Row(number, os.fsdecode(text))


def _between_breaks(file: IO[bytes], files: FileList) -> Iterator[bytes]:
    while line := file.readline(LONGEST):
        _check_length(line.endswith(b"\n"), line, files)
        yield line.rstrip(b"\r\n")


def _between_nuls(file: IO[bytes], files: FileList) -> Iterator[bytes]:
    rest = b""
    while chunk := file.read(LONGEST):
        *whole, rest = (rest + chunk).split(b"\0")
        _check_length(False, rest, files)
        yield from whole
    yield rest


def _check_length(ended: bool, piece: bytes, files: FileList) -> None:
    if not ended and len(piece) >= LONGEST:
        between = "a NUL" if files.nul else "a line break"
        raise UsageError(f"{files.name}: holds {LONGEST:,} bytes without {between}; name a list of paths")


def _table_rows(path: Path) -> Iterator[Row]:
    with text_of(path) as text:
        head = text.readline()
        delimiter, names = _columns(head)
        if not any(name in names for name in PATH):
            raise _no_column(path, names)
        records = csv.reader(text, delimiter=delimiter)
        try:
            for cells in records:
                if cells:
                    yield _row(records.line_num + 1, dict(zip(names, cells, strict=False)))
        except csv.Error as error:
            raise UsageError(f"{path}: line {records.line_num + 1}: {error}; write it as CSV") from error


@contextmanager
def text_of(path: Path) -> Iterator[io.TextIOWrapper]:
    """A table as text. Bytes that are not UTF-8 become surrogates, as in the names of files."""
    with opened(path) as file:
        yield io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")


def _columns(head: str) -> tuple[str, list[str]]:
    """The delimiter of a table, and the names of its columns: those among which one names files."""
    names: list[str] = []
    for delimiter in ",;\t":
        names = [name.strip() for name in next(csv.reader([head], delimiter=delimiter), [])]
        if any(name in names for name in PATH):
            return delimiter, names
    return ",", [name.strip() for name in next(csv.reader([head]), [])]


def _no_column(path: Path, names: Sequence[str]) -> UsageError:
    has = f"its columns are {', '.join(names[:10])}" if names else "it is empty"
    return UsageError(
        f"{path}: no column is named path or file_name, {has}; name the column with the files path"
    )


def _json_rows(path: Path) -> Iterator[Row]:
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                raise UsageError(
                    f"{path}: line {number} is no JSON ({error}); write one object a line"
                ) from error
            record = {"path": record} if isinstance(record, str) else record
            record = record if isinstance(record, dict) else {}
            if number == 1 and not any(name in record for name in PATH):
                raise _no_column(path, list(record))
            yield _row(number, record)


def parquet_records(path: Path, wanted: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file, in batches, with those of the wanted columns that it has.

    Raises:
        SorterError: pyarrow is not installed.
        UsageError: the file is no Parquet, or has no column that names files.
    """
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise SorterError(f"pyarrow is not installed; `{install_command('cluster')}` brings it") from error
    from pyarrow import ArrowException

    try:
        with path.open("rb") as file, parquet.ParquetFile(file) as table:
            names = table.schema_arrow.names
            columns = [name for name in wanted if name in names]
            if not any(name in columns for name in (*PATH, "key")):
                raise _no_column(path, names)
            for batch in table.iter_batches(ROWS, columns=columns):
                yield from batch.to_pylist()
    except ArrowException as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())}; name a Parquet file") from error


def _row(number: int, record: Mapping[str, Any]) -> Row:
    label = _cell(record, LABEL) if any(name in record for name in LABEL) else None
    return Row(number, _cell(record, PATH), label, _cell(record, SPLIT), _cell(record, GROUP))


def _cell(record: Mapping[str, Any], names: Sequence[str]) -> str:
    """The text of the first of some columns that a record has."""
    value = next((record[name] for name in names if name in record), None)
    return "" if value is None else str(value)
