"""Opening and writing the journal of an output folder."""

from __future__ import annotations

import json
import os
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sorter.address import Address
from sorter.output.disk import FileIdentity, Filing, ObjectIdentity, Placed
from sorter.output.journal import schema
from sorter.output.journal.companions import CompanionWriter, marks
from sorter.output.journal.location import FILE, FOLDER, JournalError, journal_folder, sqlite_errors
from sorter.output.journal.place import digest_of
from sorter.output.journal.reading import Reader
from sorter.output.journal.reserve import WAL_PAGES
from sorter.output.journal.schema import CORRECTION
from sorter.output.journal.settings import RunSettings
from sorter.output.journal.shots import write_shots
from sorter.output.journal.steps import HistoryWriter
from sorter.photos.shot import Shot
from sorter.types import Decision, Failure, Photo, Scores

COLUMNS = (
    *("path", "relative", "size", "mtime_ns", "is_link", "status", "reason", "message"),
    *("label", "probability", "probabilities", "width", "height", "filing"),
)
INSERT = f"INSERT INTO photos (id, {', '.join(COLUMNS)}) VALUES (?, {marks(COLUMNS)})"
UPDATE = f"UPDATE photos SET {', '.join(f'{name} = ?' for name in COLUMNS[1:])} WHERE id = ?"


class PhotoRow(NamedTuple):
    """A photo to write to the journal.

    Attributes:
        outcome: its scores and the decision, or why it has none.
        filing: what put it where it is now, if anything.
        shot: when it was taken, and by which camera; None to leave what is known.
    """

    photo: Photo
    outcome: tuple[Scores, Decision] | Failure
    filing: int | None = None
    shot: Shot | None = None


class Journal(HistoryWriter, CompanionWriter, Reader):
    """The journal of one output folder. One process at a time writes it, any number read it.

    A batch is written with a few statements for all of it, as a statement costs more than what it writes.
    """

    _path: Path = Path()
    _remembers: bool | None = None  # not known before the first photo is written

    @classmethod
    def open(cls, out: Path, at: Path | None = None) -> Journal:
        """Open the journal of the output folder `out`, or make it.

        Args:
            at: where the file lies, when not in the output folder (a dry run leaves that untouched).

        Raises:
            JournalError: the file is damaged, from a newer sorter, or its disk is full.
        """
        path = at or journal_folder(out) / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        with sqlite_errors(path):
            connection = sqlite3.connect(path, isolation_level=None)
            # Each commit reaches the disk before the files it speaks of are touched.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            journal = cls(out, connection)
            journal._path = path
            if schema.version(connection) < schema.VERSION:
                with journal.transaction():
                    schema.prepare(connection)
            schema.check_version(connection, path)
        return journal

    @classmethod
    def read(cls, out: Path, chosen: Path | None = None) -> Journal:
        """Open an existing journal for reading. Raises JournalError where there is none.

        Args:
            chosen: as for `settle`.
        """
        path = (journal_folder(out) if chosen is None else chosen.resolve() / digest_of(out)) / FILE
        if not path.exists() and chosen is None and not isinstance(out, Address):
            path = out / FOLDER / FILE  # on another machine: the copy
        if not path.exists():
            name = path if isinstance(out, Address) else f"{FOLDER}/{FILE}"
            raise JournalError(f"{out}: holds no journal ({name}); name a folder that `sorter run` wrote to")
        with sqlite_errors(path):
            connection = _connect_to_read(path)
            journal = cls(out, connection)
            if schema.version(connection) == 1:
                schema.add_empty_corrections(connection)
            else:
                schema.check_version(connection, path)
        return journal

    def close(self) -> None:
        self._db.close()

    def keep_log_short(self) -> None:
        """Take the write-ahead log in early from now on, so that writing needs little room on the disk."""
        self._db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")

    def data_version(self) -> int:
        """Another number once another connection has written. What this one writes leaves it as it is."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def backup(self, target: sqlite3.Connection) -> None:
        self._db.backup(target)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on the disk when the block ends."""
        with sqlite_errors(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                # The system may have rolled back already (a full disk does); then there is nothing to do.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # -- the run -----------------------------------------------------------------------------------------------

    def set(self, **values: Any) -> None:
        for key, value in values.items():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def set_run(self, settings: RunSettings, state: str | None = None) -> None:
        """Keep what a run is configured with; `state` is `running`, `done` or `undone`, None to leave it."""
        self.set(run=settings.to_json(), **({} if state is None else {"state": state}))

    # -- photos ------------------------------------------------------------------------------------------------

    def write(self, rows: Sequence[PhotoRow]) -> list[int]:
        """Write photos, at most some thousands at once. A photo that the journal knows keeps its id.

        Returns their ids, in their order.
        """
        paths = [os.fsencode(row.photo.path) for row in rows]
        known = {
            path: (entry, size, mtime_ns)
            for path, entry, size, mtime_ns in self._db.execute(
                f"SELECT path, id, size, mtime_ns FROM photos WHERE path IN ({marks(paths)})", paths
            )
        }
        last = self._last("photos")
        ids, new, old, others = [], [], [], []
        for path, row in zip(paths, rows, strict=True):
            photo = row.photo
            if path in known:
                entry, *seen = known[path]
                old.append((*_values(path, row)[1:], entry))
                if seen != [photo.size, photo.mtime_ns]:
                    others.append((entry,))
            else:
                entry = last = last + 1
                new.append((entry, *_values(path, row)))
                known[path] = (entry, photo.size, photo.mtime_ns)
            ids.append(entry)
        if others:  # the file changed, and a correction of the old picture does not hold for the new one
            self._db.executemany("DELETE FROM corrections WHERE photo = ?", others)
        self._db.executemany(INSERT, new)
        self._db.executemany(UPDATE, old)
        self._write_unfamiliar(ids, rows)
        write_shots(self._db, {entry: row.shot for entry, row in zip(ids, rows, strict=True) if row.shot})
        anew = {entry for entry, row in zip(ids, rows, strict=True) if row.filing is None}
        self.write_companions([(entry, row.photo) for entry, row in zip(ids, rows, strict=True)], anew)
        if self._remembers is None:
            self._remembers = bool(self._db.execute("SELECT EXISTS (SELECT 1 FROM remembered)").fetchone()[0])
        if self._remembers:
            for entry, row in zip(ids, rows, strict=True):
                self._recall(entry, row.photo)
        return ids

    def _write_unfamiliar(self, ids: Sequence[int], rows: Sequence[PhotoRow]) -> None:
        outcomes = [row.outcome for row in rows]
        scores = [None if isinstance(each, Failure) else each[0].unfamiliar for each in outcomes]
        if any(score is not None for score in scores):
            self._db.execute(schema.UNFAMILIAR)
            self._db.executemany(
                "INSERT OR REPLACE INTO unfamiliar VALUES (?, ?)",
                [pair for pair in zip(ids, scores, strict=True) if pair[1] is not None],
            )
        if None in scores and self.knows_unfamiliar():
            gone = [(entry,) for entry, score in zip(ids, scores, strict=True) if score is None]
            self._db.executemany("DELETE FROM unfamiliar WHERE photo = ?", gone)

    def scored(self, photo: Photo, scores: Scores, decision: Decision, filing: int | None) -> int:
        """Write down one photo's scores. Returns its id."""
        return self.write([PhotoRow(photo, (scores, decision), filing)])[0]

    def failed(self, photo: Photo, failure: Failure) -> int:
        """Write down why one file has no scores. Returns its id."""
        return self.write([PhotoRow(photo, failure)])[0]

    def index_labels(self) -> None:
        """So that `extremes` need not look at every photo."""
        self._db.execute(schema.LABELS)

    def not_filed(self, entry: int, failure: Failure) -> None:
        """A scored photo could not be filed; its scores stay, so that it need not be decoded again."""
        self._db.execute(
            "UPDATE photos SET status = ?, reason = ?, message = ? WHERE id = ?",
            (failure.status.value, failure.reason.value, _text(failure.message), entry),
        )

    def forget(self, entry: int) -> None:
        """Drop the row of something that is not in the output, and those of its companions."""
        self._forget_companions(entry)
        self._db.execute("DELETE FROM photos WHERE id = ? AND filing IS NULL", (entry,))

    def _recall(self, entry: int, photo: Photo) -> None:
        """Restore the correction that a photo had before `clear`, if the file is the same."""
        key = (os.fsencode(photo.path), photo.size, photo.mtime_ns)
        self._db.execute(
            "INSERT OR IGNORE INTO corrections (step, photo, label) "
            "SELECT ?, ?, label FROM remembered WHERE path = ? AND size = ? AND mtime_ns = ?",
            # A step of its own, before all later ones: an undo takes back one photo, not all that were remembered.
            (-entry, entry, *key),
        )
        self._db.execute("DELETE FROM remembered WHERE path = ?", key[:1])

    # -- filings -----------------------------------------------------------------------------------------------

    def plan(self, filings: Sequence[tuple[int, Filing]]) -> list[int]:
        """Write down filings that are about to be carried out, with the ids of their photos.

        Returns the filings' ids, in their order; they also name the staging files.
        """
        first = self._last("filings") + 1
        self._db.executemany(
            "INSERT INTO filings (id, photo, kind, source, destination, device, inode, state) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 'planned')",
            (
                (
                    number,
                    entry,
                    filing.kind.value,
                    os.fsencode(filing.source),
                    self._inside(filing.destination),
                    *_identity(filing),
                )
                for number, (entry, filing) in enumerate(filings, first)
            ),
        )
        return list(range(first, first + len(filings)))

    def plan_again(self, filing: int, pending: Path) -> None:
        """A filed photo is about to go from where it is to `pending`."""
        self._db.execute(
            "UPDATE filings SET state = 'refiling', pending = ? WHERE id = ?", (self._inside(pending), filing)
        )

    def plan_undo(self, filing: int) -> None:
        self._db.execute("UPDATE filings SET state = 'undoing' WHERE id = ?", (filing,))

    def filed(self, placed: Mapping[int, Placed]) -> None:
        """These filings, by their ids, are done: write down what lies at each destination."""
        self._db.executemany(
            "UPDATE filings SET state = 'filed', size = ?, mtime_ns = ? WHERE id = ?",
            ((what.size, what.mtime_ns, filing) for filing, what in placed.items()),
        )
        self._db.execute(
            "UPDATE filings INDEXED BY filings_pending SET destination = pending, pending = NULL "
            "WHERE pending IS NOT NULL AND state = 'filed'"
        )
        companions = self.companion_filings(placed)
        self._db.executemany(
            "UPDATE photos SET filing = ? WHERE id = (SELECT photo FROM filings WHERE id = ?)",
            ((filing, filing) for filing in placed if filing not in companions),
        )

    def stays(self, filing: int) -> None:
        """A filed photo stays where it was."""
        self._db.execute("UPDATE filings SET state = 'filed', pending = NULL WHERE id = ?", (filing,))

    def unfiled(self, filing: int) -> None:
        """The photo is not, or no longer, in the output: drop the filing."""
        self._db.execute(  # by its id, as no index knows a photo by its filing
            "UPDATE photos SET filing = NULL WHERE id = (SELECT photo FROM filings WHERE id = ?) AND filing = ?",
            (filing, filing),
        )
        self._companion_unfiled(filing)
        self._db.execute("DELETE FROM filings WHERE id = ?", (filing,))

    def clear(self) -> None:
        """Forget every photo and the run's settings. Only for an output that holds nothing filed.

        Corrections are kept for when the same photos are found again.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO remembered SELECT path, size, mtime_ns, label FROM "
            f"(SELECT p.path, p.size, p.mtime_ns, {CORRECTION} AS label FROM photos p) WHERE label IS NOT NULL"
        )
        self._remembers = None
        self._db.execute("DROP INDEX IF EXISTS photos_label")
        for table in ("unfamiliar", "shots"):
            self._db.execute(f"DROP TABLE IF EXISTS {table}")
        schema.remove_companions(self._db)
        for table in ("photos", "filings", "meta", "corrections"):
            self._db.execute(f"DELETE FROM {table}")

    def next_filing(self) -> int:
        """The id that the next filing will get."""
        return self._last("filings") + 1

    def _last(self, table: str) -> int:
        """The highest id given out; SQLite itself would go on from there, too."""
        return int(self._db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """SQLite makes a file beside the journal to read it, and cannot on a full or read-only disk.

    Then the file is read as it lies, where its write-ahead log holds nothing more.
    """
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    try:
        schema.version(connection)
    except sqlite3.OperationalError:
        connection.close()
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise
        connection = sqlite3.connect(f"{address}&immutable=1", uri=True, isolation_level=None)
    return connection


def _values(path: bytes, row: PhotoRow) -> tuple[Any, ...]:
    """In the order of `COLUMNS`."""
    photo, outcome, filing, _ = row
    seen = (path, os.fsencode(photo.relative), photo.size, photo.mtime_ns, photo.is_link)
    if isinstance(outcome, Failure):
        what = (outcome.status.value, outcome.reason.value, _text(outcome.message))
        return (*seen, *what, None, None, None, None, None, None)
    scores, decision = outcome
    decided = (decision.label, decision.probability, array("d", scores.probabilities).tobytes())
    return (*seen, decision.status.value, None, None, *decided, scores.width, scores.height, filing)


def _identity(filing: Filing) -> tuple[str, str]:
    """The columns `device` and `inode`, which hold size and time of an object in a store."""
    match filing.identity:
        case FileIdentity(device, inode):
            return str(device), str(inode)
        case ObjectIdentity(size, mtime_ns):
            return str(size), str(mtime_ns)
        case None:
            return "0", "0"


def _text(message: str) -> str:
    """A message may name a file whose name is not valid UTF-8; TEXT must be."""
    return message.encode("utf-8", "backslashreplace").decode()


def copy_journal(out: Path, target: Path) -> None:
    """A snapshot of an output folder's journal, if it has one."""
    source = journal_folder(out) / FILE
    if source.exists():
        with closing(Journal.read(out)) as journal, closing(sqlite3.connect(target)) as copy:
            journal.backup(copy)
