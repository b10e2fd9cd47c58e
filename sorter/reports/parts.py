"""Reports of millions of rows, and in stores where a file cannot be added to: CSV in parts, and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from sorter.address import Address
from sorter.distribution import install_command
from sorter.files import atomic_text, atomic_write
from sorter.output.journal import Line
from sorter.reports.csv import COLUMNS, TEXT_COLUMNS, CsvReport, MoreColumns
from sorter.reports.ours import check_ours, is_ours
from sorter.types import SorterError

PART = 100_000  # rows
GROUP = 20_000  # rows of Parquet that are in memory at once


class PartsReport:
    """`report-parts/part-00001.csv` and so on, each of which appears whole, and report.csv at the end.

    During a run the parts hold its new rows. At the end they hold all rows, in the order of the journal.

    Args: as for `CsvReport`.
    """

    def __init__(
        self, path: Path, out: Path, classes: tuple[str, ...], more: MoreColumns | None = None
    ) -> None:
        self.path = path
        self._rows = CsvReport(path, out, classes, more)
        self._folder = parts_folder(path)
        self._part = ExitStack()  # the file that is being written
        self._writer: Any = None
        self._rows_in_part = 0
        self._parts = 0

    def begin(self, lines: Iterable[Line]) -> None:
        """Remove the parts of an earlier run. Its report.csv stays until the new one replaces it."""
        del lines
        self.close()
        remove_parts(self.path)
        self._parts = 0

    def add(self, lines: Iterable[Line]) -> None:
        """Take rows. They are in a part when it is full, or at `close`."""
        for line in lines:
            self._add(self._rows.row(line))

    def close(self) -> None:
        self._part.close()
        self._writer, self._rows_in_part = None, 0

    def finish(self, lines: Iterable[Line]) -> None:
        """Write the parts and report.csv anew."""
        self.begin(())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_text(self.path) as whole:
            writer = csv.writer(whole)
            writer.writerow(self._rows.columns)
            for line in lines:
                row = self._rows.row(line)
                writer.writerow(row)
                self._add(row)
        self.close()

    def _add(self, row: list[Any]) -> None:
        if self._writer is None:
            self._parts += 1
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._part.enter_context(atomic_text(self._folder / f"part-{self._parts:05}.csv"))
            self._writer = csv.writer(file)
            self._writer.writerow(self._rows.columns)
        self._writer.writerow(row)
        self._rows_in_part += 1
        if self._rows_in_part == PART:
            self.close()


class ParquetReport:
    """The same rows as a Parquet file, written when the run ends.

    Args: as for `CsvReport`.

    Raises:
        SorterError: pyarrow is not installed.
    """

    def __init__(
        self, path: Path, out: Path, classes: tuple[str, ...], more: MoreColumns | None = None
    ) -> None:
        try:
            import pyarrow
        except ImportError as error:
            raise SorterError(
                f"--report {path}: pyarrow is not installed; `{install_command('cluster')}` brings it"
            ) from error
        self.path = path
        self._rows = CsvReport(path, out, classes, more)
        numbers = {"probability": pyarrow.float64(), "bytes": pyarrow.int64()}
        numbers |= dict.fromkeys(("width", "height"), pyarrow.int32())
        numbers |= {
            name: pyarrow.float64() for name in self._rows.columns[len(COLUMNS) :] if name not in TEXT_COLUMNS
        }
        self._schema = pyarrow.schema(
            [(name, numbers.get(name, pyarrow.string())) for name in self._rows.columns]
        )

    def begin(self, lines: Iterable[Line]) -> None:
        pass

    def add(self, lines: Iterable[Line]) -> None:
        pass

    def close(self) -> None:
        pass

    def finish(self, lines: Iterable[Line]) -> None:
        """Write the whole file. It is replaced in one step."""
        from pyarrow.parquet import ParquetWriter

        self.path.parent.mkdir(parents=True, exist_ok=True)
        coming = iter(lines)
        with (
            atomic_write(self.path) as part,
            part.open("wb") as file,
            ParquetWriter(file, self._schema) as writer,
        ):
            while group := list(islice(coming, GROUP)):
                writer.write_table(self._table(group))

    def _table(self, group: list[Line]) -> Any:
        import pyarrow
        import pyarrow.compute

        rows = [self._rows.row(line) for line in group]
        columns = []
        for at, field in enumerate(self._schema):
            texts = [_text(row[at]) if at < len(row) else None for row in rows]
            columns.append(pyarrow.compute.cast(pyarrow.array(texts, pyarrow.string()), field.type))
        return pyarrow.Table.from_arrays(columns, schema=self._schema)


Report = CsvReport | PartsReport | ParquetReport


def report_at(
    path: Path, out: Path, classes: tuple[str, ...], in_parts: bool, more: MoreColumns | None = None
) -> Report:
    """The report for a path: Parquet by its name, in parts in a store or on a cluster, else CSV.

    Args:
        more: columns after all others.
    """
    if path.suffix.lower() in (".parquet", ".pq"):
        return ParquetReport(path, out, classes, more)
    if in_parts or isinstance(path, Address):
        return PartsReport(path, out, classes, more)
    return CsvReport(path, out, classes, more)


def parts_folder(path: Path) -> Path:
    return path.with_name(f"{path.stem}-parts")


def check_report(path: Path, in_parts: bool) -> None:
    """Refuse to replace a user's file by a report or a part of it. Raises UsageError."""
    check_ours(path, "--report")
    if in_parts or isinstance(path, Address):
        folder = parts_folder(path)
        for name in _part_names(folder):
            check_ours(folder / name, "--report")


def remove_parts(path: Path) -> None:
    """Remove the parts of a report, where it has any."""
    folder = parts_folder(path)
    for name in _part_names(folder):
        if is_ours(folder / name):
            (folder / name).unlink(missing_ok=True)
    with suppress(OSError):  # there is none, or it holds other files
        folder.rmdir()


def _part_names(folder: Path) -> list[str]:
    try:
        if isinstance(folder, Address):
            names = [name for name, _ in folder.entries()]
        else:
            names = [part.name for part in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in names if name.startswith("part-")]


def _text(value: Any) -> str | None:
    text = str(value).encode("utf-8", "backslashreplace").decode()
    return text or None
