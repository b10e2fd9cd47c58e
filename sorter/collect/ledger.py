"""The memory of a collection: what was searched and found, and what became of it. One SQLite file in the dataset.

Every step is one transaction that is on the disk before the next is taken, so that a collection that was killed
goes on where it was, and no page is searched and no picture fetched a second time.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

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
    """Opened with `DatasetLedger.open` or, for a dry run, `DatasetLedger.copy`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[DatasetLedger]:
        """The ledger in this file, made if need be.

        Raises:
            SorterError: the file is no ledger, or a later version made it.
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
        """A ledger in memory that starts as the one in this file, where there is one."""
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
            raise SorterError(f"{path}: was made by a later version of sorter; use that one")
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
        """How many pages of a search are known already; None when there are no more."""
        key = (label, query, source)
        row = self._db.execute(
            "SELECT pages, done FROM searches WHERE (label, query, source) = (?, ?, ?)", key
        ).fetchone()
        if row is None:
            return 0
        return None if row[1] else int(row[0])

    def add_page(self, label: str, query: str, source: str, name: str, page: ResultPage) -> None:
        """Take in the next page of a search.

        Args:
            label: the class.
            query: likewise.
            source: with what it was told to leave out, which makes another search of it.
            name: of the source alone.
            page: likewise.
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
        """Lists and folders may have grown since: they cost nothing to read again."""
        self._db.execute("DELETE FROM searches WHERE source LIKE 'urls%' OR source LIKE 'folder%'")

    # -- pictures ----------------------------------------------------------------------------------------------

    def waiting(self, label: str) -> Iterator[PictureRow]:
        """The pictures of a class to fetch: the first of each search, then the second of each, and so on."""
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
        """Every picture that a source named, in the order of their classes and names."""
        cursor = self._db.execute(f"SELECT {COLUMNS} FROM pictures ORDER BY label, file IS NULL, id")
        return map(_row, cursor)

    def settle(self, row: int, status: PictureStatus, reason: str = "", **values: Any) -> None:
        """Write down what became of a picture.

        Args:
            row: its number.
            status: likewise.
            reason: likewise.
            values: of the columns file, sha256 and phash.
        """
        if values.get("phash") is not None:
            values["phash"] = (
                f"{values['phash']:016x}"  # 64 bits without a sign: more than SQLite's integers hold
            )
        values |= {"status": status.value, "reason": reason}
        columns = ", ".join(f"{name} = :{name}" for name in values)
        self._db.execute(f"UPDATE pictures SET {columns} WHERE id = :id", {**values, "id": row})

    def try_again(self) -> None:
        """What failed for a while has another chance."""
        self._db.execute(
            "UPDATE pictures SET status = ?, reason = '' WHERE status = ?",
            (PictureStatus.FOUND.value, PictureStatus.LATER.value),
        )

    def counts(self) -> dict[str, Counter[PictureStatus]]:
        """class -> status -> pictures."""
        found: dict[str, Counter[PictureStatus]] = {}
        for label, status, count in self._db.execute(
            "SELECT label, status, COUNT(*) FROM pictures GROUP BY label, status ORDER BY label"
        ):
            found.setdefault(label, Counter())[PictureStatus(status)] = count
        return found

    def fingerprints(self) -> Iterator[tuple[str, str, int]]:
        """file (or URL), sha256 and perceptual hash of every picture that is kept or was taken out by somebody."""
        for file, url, digest, phash in self._db.execute(
            "SELECT file, url, sha256, phash FROM pictures WHERE status IN (?, ?) AND sha256 IS NOT NULL ORDER BY id",
            (PictureStatus.KEPT.value, PictureStatus.REMOVED.value),
        ):
            yield file or url, digest, int(phash, 16)


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
