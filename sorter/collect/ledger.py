"""The state of a collection: searches and pictures, in one SQLite file in the dataset.

Each step is one transaction, synced before the next begins. A killed run goes on where it stopped, and no page is
searched and no picture downloaded twice.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

from sorter.collect.duplicates import KnownPicture
from sorter.collect.records import Candidate, PictureRow, PictureStatus, ResultPage
from sorter.types import SorterError

NAME = "collect.db"
VERSION = 1
SCHEMA = """
CREATE TABLE searches (
    label TEXT NOT NULL, query TEXT NOT NULL, source TEXT NOT NULL,
    pages INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (label, query, source)
);
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY, label TEXT NOT NULL, query TEXT NOT NULL, source TEXT NOT NULL,
    url TEXT NOT NULL UNIQUE, page TEXT, title TEXT, creator TEXT, licence TEXT, licence_url TEXT,
    width INTEGER, height INTEGER,
    status TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', file TEXT, sha256 TEXT, phash TEXT
);
CREATE INDEX by_status ON pictures (status, label);
"""
COLUMNS = (
    "id, label, query, source, url, page, title, creator, licence, licence_url, width, height, "
    "status, reason, file, sha256, phash"
)


class DatasetLedger:
    """The ledger of a dataset. `DatasetLedger.open` opens it, `DatasetLedger.copy` copies it for a dry run."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[DatasetLedger]:
        """Open a ledger, or create it.

        Raises:
            SorterError: the file is not a ledger, or is of a later version.
        """
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                ledger = cls(connection)
                ledger._prepare(path)
            except sqlite3.DatabaseError as error:
                raise SorterError(f"{path}: {error}; move it away to start anew") from error
            yield ledger

    @classmethod
    @contextmanager
    def copy(cls, path: Path) -> Iterator[DatasetLedger]:
        """Copy a ledger into memory; empty where the file does not exist."""
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            if path.exists():
                with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as there:
                    there.backup(connection)
            ledger = cls(connection)
            ledger._prepare(path)
            yield ledger

    def _prepare(self, path: Path) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise SorterError(f"{path}: was written by a later version of sorter; update sorter")
        if version == 0:
            self._db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # -- searches ----------------------------------------------------------------------------------------------

    def pages(self, label: str, query: str, source: str) -> int | None:
        """The number of pages read of a search; None where no more follow."""
        key = (label, query, source)
        row = self._db.execute(
            "SELECT pages, done FROM searches WHERE (label, query, source) = (?, ?, ?)", key
        ).fetchone()
        if row is None:
            return 0
        return None if row[1] else int(row[0])

    def add_page(self, label: str, query: str, source: str, name: str, page: ResultPage) -> None:
        """Add the next page of a search.

        Args:
            label: the class.
            query: the query.
            source: the source's name and its licence filter, which together identify a search.
            name: the source's name alone.
            page: the results.
        """
        with self._transaction():
            for each in page.candidates:
                self._db.execute(
                    "INSERT OR IGNORE INTO pictures (label, query, source, url, page, title, creator, licence, "
                    "licence_url, width, height, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (label, query, name, *astuple(each), PictureStatus.FOUND.value),
                )
            self._db.execute(
                "INSERT INTO searches (label, query, source, pages, done) VALUES (?, ?, ?, 1, ?) "
                "ON CONFLICT DO UPDATE SET pages = pages + 1, done = excluded.done",
                (label, query, source, page.last),
            )

    def search_again(self) -> None:
        """Forget the searches of lists and folders. They may have grown, and reading them again is cheap."""
        self._db.execute("DELETE FROM searches WHERE source LIKE 'urls%' OR source LIKE 'folder%'")

    # -- pictures ----------------------------------------------------------------------------------------------

    def waiting(self, label: str) -> Iterator[PictureRow]:
        """The pictures of a class to download: the first of each search, then the second of each, and so on."""
        return map(
            _row,
            self._db.execute(
                f"SELECT {COLUMNS} FROM pictures WHERE status = ? AND label = ? "
                "ORDER BY ROW_NUMBER() OVER (PARTITION BY query, source ORDER BY id), id",
                (PictureStatus.FOUND.value, label),
            ),
        )

    def with_status(self, *statuses: PictureStatus) -> list[PictureRow]:
        marks = ", ".join("?" * len(statuses))
        values = tuple(each.value for each in statuses)
        found = self._db.execute(
            f"SELECT {COLUMNS} FROM pictures WHERE status IN ({marks}) ORDER BY id", values
        )
        return list(map(_row, found))

    def rows(self) -> Iterator[PictureRow]:
        """All pictures, by class and file name."""
        cursor = self._db.execute(f"SELECT {COLUMNS} FROM pictures ORDER BY label, file IS NULL, id")
        return map(_row, cursor)

    def set_status(self, row: int, status: PictureStatus, reason: str = "", **values: Any) -> None:
        """Update a picture.

        Args:
            row: its id.
            status: the new state.
            reason: why, where it was not kept.
            values: of the columns file, sha256 and phash.
        """
        if values.get("phash") is not None:
            values["phash"] = f"{values['phash']:016x}"  # unsigned 64 bits do not fit in SQLite's integers
        values |= {"status": status.value, "reason": reason}
        columns = ", ".join(f"{name} = :{name}" for name in values)
        self._db.execute(f"UPDATE pictures SET {columns} WHERE id = :id", {**values, "id": row})

    def retry_later(self) -> None:
        """Queue the pictures whose download failed temporarily."""
        self._db.execute(
            "UPDATE pictures SET status = ?, reason = '' WHERE status = ?",
            (PictureStatus.FOUND.value, PictureStatus.LATER.value),
        )

    def counts(self) -> dict[str, Counter[PictureStatus]]:
        """Class -> status -> number of pictures."""
        found: dict[str, Counter[PictureStatus]] = {}
        for label, status, count in self._db.execute(
            "SELECT label, status, COUNT(*) FROM pictures GROUP BY label, status ORDER BY label"
        ):
            found.setdefault(label, Counter())[PictureStatus(status)] = count
        return found

    def known_pictures(self) -> Iterator[KnownPicture]:
        """Every picture that was kept, also where a person removed it since."""
        for file, url, digest, phash in self._db.execute(
            "SELECT file, url, sha256, phash FROM pictures WHERE status IN (?, ?) AND sha256 IS NOT NULL ORDER BY id",
            (PictureStatus.KEPT.value, PictureStatus.REMOVED.value),
        ):
            yield KnownPicture(file or url, digest, int(phash, 16))


def _row(values: tuple[Any, ...]) -> PictureRow:
    number, label, query, source, *named, status, reason, file, digest, phash = values
    return PictureRow(
        number,
        label,
        query,
        source,
        Candidate(*named),
        PictureStatus(status),
        reason,
        file,
        digest,
        None if phash is None else int(phash, 16),
    )
