"""One SQLite file per output folder: what was seen, decided and done. Resume, undo, reports and the GUI read it."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sorter.actions import Filing, Placed
from sorter.address import Address, path_of
from sorter.types import ActionKind, Decision, Failure, Photo, Reason, Scores, SorterError, Status

FOLDER = ".sorter"
FILE = "journal.db"
VERSION = 2

# Paths are BLOBs: file names are bytes, and not always UTF-8. Those inside the output folder are relative to it,
# so that the folder can be moved as a whole.
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE photos (
    id INTEGER PRIMARY KEY,          -- the order in which they were found
    path BLOB NOT NULL UNIQUE,
    relative BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    is_link INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    message TEXT,
    label TEXT,
    probability REAL,
    probabilities BLOB,              -- float64, one per class
    width INTEGER,
    height INTEGER,
    filing INTEGER REFERENCES filings (id)
);
CREATE TABLE filings (
    id INTEGER PRIMARY KEY,
    photo INTEGER NOT NULL REFERENCES photos (id),
    kind TEXT NOT NULL,
    source BLOB NOT NULL,
    destination BLOB NOT NULL,
    pending BLOB,                    -- where it is being moved to inside the output, on a changed decision
    device BLOB NOT NULL,            -- text: Windows has device and inode numbers past 63 bits
    inode BLOB NOT NULL,
    size INTEGER,
    mtime_ns INTEGER,
    state TEXT NOT NULL              -- planned, filed, refiling or undoing
);
CREATE INDEX filings_open ON filings (state) WHERE state != 'filed';
CREATE INDEX filings_destination ON filings (destination);
CREATE INDEX filings_pending ON filings (pending) WHERE pending IS NOT NULL;
CREATE INDEX photos_label ON photos (label, probability);
"""
# Since version 2: what a person said of photos. A step is what was said at once; undone steps wait to be redone.
CORRECTIONS = """
CREATE TABLE {schema}corrections (
    step INTEGER NOT NULL,
    photo INTEGER NOT NULL,
    label TEXT,                      -- a class; NULL takes back what was said before
    undone INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (step, photo)
) WITHOUT ROWID;
CREATE INDEX {schema}corrections_photo ON corrections (photo, step) WHERE NOT undone;
CREATE INDEX {schema}corrections_undone ON corrections (step) WHERE undone;
CREATE TABLE {schema}remembered (    -- of photos that a run with --fresh forgot and will meet again
    path BLOB PRIMARY KEY,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    label TEXT NOT NULL
) WITHOUT ROWID;
"""
CORRECTION = (
    "(SELECT c.label FROM corrections c WHERE c.photo = p.id AND NOT c.undone ORDER BY c.step DESC LIMIT 1)"
)


def home(out: Path) -> Path:
    """The folder that an output's journal, its lock and other notes lie in: in the output itself, where that is on
    a disk; for one in a store, a folder of this machine's (`XDG_STATE_HOME` moves it), as no database lives there.
    """
    if not isinstance(out, Address):
        return out / FOLDER
    from platformdirs import user_state_path

    return user_state_path("sorter") / hashlib.sha256(os.fsencode(out)).hexdigest()[:32]


class JournalError(SorterError):
    """The journal cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal holds of one photo.

    Attributes:
        id: rises in the order in which photos were found.
        photo: as it was when it was last looked at.
        scores: None unless it was scored.
        failure: why it was not scored, or scored and not filed; None where all is well.
        decision: None unless it was scored.
        destination: relative to the output folder; None where it was not filed.
        filing: the id of the filing that put it there, or None.
        correction: the class that a person says it is, or None.
    """

    id: int
    photo: Photo
    scores: Scores | None
    failure: Failure | None
    decision: Decision | None
    status: Status
    destination: Path | None
    filing: int | None
    correction: str | None = None

    @property
    def applied(self) -> bool:
        """It lies where a person said, whatever a rule says of it."""
        return (
            self.filing is not None and self.decision is not None and self.decision.label == self.correction
        )


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing and its state in the journal."""

    id: int
    entry: int
    filing: Filing
    pending: Path | None
    placed: Placed
    state: str


class Journal:
    """The journal of one output folder, for one process at a time to write and any to read."""

    def __init__(self, out: Path, connection: sqlite3.Connection) -> None:
        self.out = out
        self._db = connection
        slash = "/" if isinstance(out, Address) else os.sep
        self._within = os.fsencode(f"{str(out).rstrip(slash)}{slash}")
        self._remembers: bool | None = None  # not known before the first photo is written

    @classmethod
    def open(cls, out: Path, at: Path | None = None) -> Journal:
        """Open the journal of the output folder `out`, or make it.

        Args:
            at: where the file lies, when not in the output folder (a dry run leaves that untouched).

        Raises:
            JournalError: the file is damaged, from a newer sorter, or its disk is full.
        """
        path = at or home(out) / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        with translated(path):
            connection = sqlite3.connect(path, isolation_level=None)
            # Each commit reaches the disk before the files it speaks of are touched.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            journal = cls(out, connection)
            if new or not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                with journal.transaction():
                    journal._run(SCHEMA + CORRECTIONS.format(schema=""))
                    connection.execute(f"PRAGMA user_version = {VERSION}")
            elif journal._version() == 1:
                with journal.transaction():
                    journal._run(CORRECTIONS.format(schema=""))
                    connection.execute(f"PRAGMA user_version = {VERSION}")
            journal._check_version(path)
        return journal

    @classmethod
    def read(cls, out: Path) -> Journal:
        """Open an existing journal for reading. Raises JournalError where there is none."""
        path = home(out) / FILE
        if not path.exists():
            name = path if isinstance(out, Address) else f"{FOLDER}/{FILE}"
            raise JournalError(f"{out}: holds no journal ({name}); name a folder that `sorter run` wrote to")
        with translated(path):
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
            journal = cls(out, connection)
            if journal._version() == 1:  # which has no corrections, and must not be written to here
                journal._run(CORRECTIONS.format(schema="temp."))
            else:
                journal._check_version(path)
        return journal

    def _run(self, statements: str) -> None:
        for statement in statements.split(";\n"):
            self._db.execute(statement)

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _check_version(self, path: Path) -> None:
        version = self._version()
        if version != VERSION:
            raise JournalError(f"{path}: has version {version}, this sorter reads {VERSION}; upgrade sorter")

    def close(self) -> None:
        self._db.close()

    def backup(self, target: sqlite3.Connection) -> None:
        self._db.backup(target)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on the disk when the block ends."""
        with translated(home(self.out) / FILE):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                # The system may have rolled back already (a full disk does); then there is nothing to do.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # -- what the run is ---------------------------------------------------------------------------------------

    def setting(self, key: str) -> Any:
        """A value kept with `set`, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def set(self, **values: Any) -> None:
        for key, value in values.items():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    # -- photos ------------------------------------------------------------------------------------------------

    def lookup(self, path: Path) -> Entry | None:
        for entry in self._entries("WHERE p.path = ?", (os.fsencode(path),)):
            return entry
        return None

    def scored(self, photo: Photo, scores: Scores, decision: Decision, filing: int | None) -> int:
        """Write down a photo's scores; `filing` is what put it where it is now, if anything. Returns its id."""
        return self._write(
            photo,
            status=decision.status.value,
            label=decision.label,
            probability=decision.probability,
            probabilities=array("d", scores.probabilities).tobytes(),
            width=scores.width,
            height=scores.height,
            filing=filing,
        )

    def failed(self, photo: Photo, failure: Failure) -> int:
        """Write down why a file has no scores. Returns its id."""
        return self._write(
            photo, status=failure.status.value, reason=failure.reason.value, message=_text(failure.message)
        )

    def not_filed(self, entry: int, failure: Failure) -> None:
        """A scored photo could not be filed; its scores stay, so that it need not be decoded again."""
        self._db.execute(
            "UPDATE photos SET status = ?, reason = ?, message = ? WHERE id = ?",
            (failure.status.value, failure.reason.value, _text(failure.message), entry),
        )

    def forget(self, entry: int) -> None:
        """Drop the row of something that is not in the output."""
        self._db.execute("DELETE FROM photos WHERE id = ? AND filing IS NULL", (entry,))

    def _write(self, photo: Photo, **values: Any) -> int:
        """Insert or replace all that is known of a photo; it keeps its id."""
        self._db.execute(  # what was said of another picture does not hold for this one
            "DELETE FROM corrections WHERE photo IN "
            "(SELECT id FROM photos WHERE path = ? AND (size, mtime_ns) != (?, ?))",
            (os.fsencode(photo.path), photo.size, photo.mtime_ns),
        )
        row = dict.fromkeys(PHOTO_COLUMNS)
        row |= {
            "path": os.fsencode(photo.path),
            "relative": os.fsencode(photo.relative),
            "size": photo.size,
            "mtime_ns": photo.mtime_ns,
            "is_link": photo.is_link,
            **values,
        }
        cursor = self._db.execute(
            f"INSERT INTO photos ({', '.join(PHOTO_COLUMNS)}) VALUES ({', '.join('?' for _ in PHOTO_COLUMNS)}) "
            f"ON CONFLICT (path) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in PHOTO_COLUMNS)} "
            "RETURNING id",
            tuple(row.values()),
        )
        entry = int(cursor.fetchone()[0])
        if self._remembers is None:
            self._remembers = bool(self._db.execute("SELECT EXISTS (SELECT 1 FROM remembered)").fetchone()[0])
        if self._remembers:
            self._recall(entry, photo)
        return entry

    def _recall(self, entry: int, photo: Photo) -> None:
        """What was said of a photo before it was forgotten still holds, if it is the same photo."""
        key = (os.fsencode(photo.path), photo.size, photo.mtime_ns)
        self._db.execute(
            "INSERT OR IGNORE INTO corrections (step, photo, label) "
            "SELECT 0, ?, label FROM remembered WHERE path = ? AND size = ? AND mtime_ns = ?",
            (entry, *key),
        )
        self._db.execute("DELETE FROM remembered WHERE path = ?", key[:1])

    def entries(self) -> Iterator[Entry]:
        """Every photo, in the order found, a page at a time."""
        return self._paged("1")

    def of(self, ids: Sequence[int]) -> list[Entry]:
        """The photos with these ids, in the order found; at most some hundreds at once."""
        return list(self._entries(f"WHERE p.id IN ({', '.join('?' * len(ids))}) ORDER BY p.id", tuple(ids)))

    def failures(self) -> Iterator[Entry]:
        """Files that failed and are not in the output."""
        return self._paged("p.status = 'failed' AND p.filing IS NULL")

    def unsettled(self, everything: bool) -> Iterator[Entry]:
        """Scored photos that are not filed; with `everything`, all scored ones."""
        return self._paged("p.probabilities IS NOT NULL" + ("" if everything else " AND p.filing IS NULL"))

    def extremes(self, label: str, most_certain: bool, count: int, positive: str | None) -> list[Entry]:
        """The photos of one class that the model is most, or least, certain of."""
        falling = most_certain == (positive is None or label == positive)
        order = "DESC" if falling else "ASC"
        return list(
            self._entries(
                f"WHERE p.label = ? AND p.status IN ('sorted', 'unsure') "
                f"ORDER BY p.probability {order}, p.id LIMIT {int(count)}",
                (label,),
            )
        )

    def _paged(self, condition: str, page: int = 1000) -> Iterator[Entry]:
        # A page at a time, as the rows may be written to between two of them.
        last = 0
        while True:
            rows = list(self._entries(f"WHERE {condition} AND p.id > ? ORDER BY p.id LIMIT {page}", (last,)))
            yield from rows
            if len(rows) < page:
                return
            last = rows[-1].id

    def _entries(self, clause: str, values: tuple[Any, ...]) -> Iterator[Entry]:
        rows = self._db.execute(
            "SELECT p.id, p.path, p.relative, p.size, p.mtime_ns, p.is_link, p.status, p.reason, p.message, "
            "p.label, p.probability, p.probabilities, p.width, p.height, p.filing, f.destination, "
            f"{CORRECTION} FROM photos p LEFT JOIN filings f ON f.id = p.filing {clause}",
            values,
        )
        return map(_entry, rows)

    # -- filings -----------------------------------------------------------------------------------------------

    def plan(self, entry: int, filing: Filing) -> int:
        """Write down what is about to be done; returns the filing's id, which also names its staging file."""
        cursor = self._db.execute(
            "INSERT INTO filings (photo, kind, source, destination, device, inode, state) "
            "VALUES (?, ?, ?, ?, ?, ?, 'planned')",
            (
                entry,
                filing.kind.value,
                os.fsencode(filing.source),
                self._inside(filing.destination),
                str(filing.device),
                str(filing.inode),
            ),
        )
        return int(cursor.lastrowid or 0)

    def plan_again(self, filing: int, pending: Path) -> None:
        """A filed photo is about to go from where it is to `pending`."""
        self._db.execute(
            "UPDATE filings SET state = 'refiling', pending = ? WHERE id = ?", (self._inside(pending), filing)
        )

    def plan_undo(self, filing: int) -> None:
        self._db.execute("UPDATE filings SET state = 'undoing' WHERE id = ?", (filing,))

    def filed(self, filing: int, placed: Placed) -> None:
        """It is in its place; the photo it belongs to knows from now on."""
        self._db.execute(
            "UPDATE filings SET state = 'filed', size = ?, mtime_ns = ?, destination = coalesce(pending, destination), "
            "pending = NULL WHERE id = ?",
            (placed.size, placed.mtime_ns, filing),
        )
        self._db.execute(
            "UPDATE photos SET filing = ? WHERE id = (SELECT photo FROM filings WHERE id = ?)",
            (filing, filing),
        )

    def stays(self, filing: int) -> None:
        """A filed photo did not go anywhere after all."""
        self._db.execute("UPDATE filings SET state = 'filed', pending = NULL WHERE id = ?", (filing,))

    def unfiled(self, filing: int) -> None:
        """It is not, or no longer, in the output."""
        self._db.execute("UPDATE photos SET filing = NULL WHERE filing = ?", (filing,))
        self._db.execute("DELETE FROM filings WHERE id = ?", (filing,))

    def holds(self, path: Path) -> bool:
        """Is this place in the output given to a photo, or promised to one?"""
        inside = self._inside(path)
        row = self._db.execute(
            "SELECT 1 FROM filings WHERE destination = ?1 UNION ALL SELECT 1 FROM filings WHERE pending = ?1 LIMIT 1",
            (inside,),
        ).fetchone()
        return row is not None

    def unfinished(self) -> list[Filed]:
        """Filings that a crash may have stopped halfway; at most a batch of them."""
        rows = self._db.execute(f"SELECT {FILED_COLUMNS} FROM filings WHERE state != 'filed' ORDER BY id")
        return [self._filed(row) for row in rows]

    def filings_backwards(self, page: int = 500) -> Iterator[Filed]:
        """Everything in the output, the latest first."""
        last = 1 << 62
        while True:
            rows = self._db.execute(
                f"SELECT {FILED_COLUMNS} FROM filings WHERE id < ? ORDER BY id DESC LIMIT {page}", (last,)
            ).fetchall()
            yield from map(self._filed, rows)
            if len(rows) < page:
                return
            last = rows[-1][0]

    def _filed(self, row: tuple[Any, ...]) -> Filed:
        number, entry, kind, source, destination, pending, device, inode, size, mtime_ns, state = row
        filing = Filing(
            ActionKind(kind),
            path_of(os.fsdecode(source)),
            self.out / os.fsdecode(destination),
            int(device),
            int(inode),
        )
        placed = Placed(size or 0, mtime_ns or 0)
        return Filed(
            number, entry, filing, self.out / os.fsdecode(pending) if pending else None, placed, state
        )

    def _inside(self, path: Path) -> bytes:
        """Relative where it lies in the output folder; a file that was renamed where it is has its whole path."""
        return os.fsencode(path).removeprefix(self._within)  # pathlib takes ten times as long

    def clear(self) -> None:
        """Forget every photo, and what the run was. Only for an output that holds nothing filed.

        What a person said is remembered for when the same photos are found again.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO remembered SELECT path, size, mtime_ns, label FROM "
            f"(SELECT p.path, p.size, p.mtime_ns, {CORRECTION} AS label FROM photos p) WHERE label IS NOT NULL"
        )
        self._remembers = None
        for table in ("photos", "filings", "meta", "corrections"):
            self._db.execute(f"DELETE FROM {table}")

    # -- what a person says of photos --------------------------------------------------------------------------

    def correct(self, labels: Mapping[int, str | None]) -> None:
        """One step: photo's id -> the class it is, None to take back what was said. Undone steps are forgotten."""
        self._db.execute("DELETE FROM corrections WHERE undone")
        step = self._db.execute("SELECT coalesce(max(step), 0) + 1 FROM corrections").fetchone()[0]
        self._db.executemany(
            "INSERT INTO corrections (step, photo, label) VALUES (?, ?, ?)",
            ((step, photo, label) for photo, label in labels.items()),
        )

    def undo_correction(self) -> dict[int, str | None]:
        """Take back the latest step; returns what now holds for its photos. Empty where there is none."""
        return self._flip("SELECT max(step) FROM corrections WHERE NOT undone", True)

    def redo_correction(self) -> dict[int, str | None]:
        """Say again what was taken back last. Returns as `undo_correction`."""
        return self._flip("SELECT min(step) FROM corrections WHERE undone", False)

    def correction_steps(self) -> tuple[int, int]:
        """How many photos the step is about that would be undone next, and the one that would be redone."""
        undo, redo = self._db.execute(
            "SELECT (SELECT count(*) FROM corrections WHERE step = "
            "(SELECT max(step) FROM corrections WHERE NOT undone)), (SELECT count(*) FROM corrections WHERE step = "
            "(SELECT min(step) FROM corrections WHERE undone))"
        ).fetchone()
        return undo, redo

    def corrections(self) -> dict[int, str | None]:
        """Photo's id -> what a person says it is."""
        rows = self._db.execute(
            "SELECT photo, label, max(step) FROM corrections WHERE NOT undone GROUP BY photo ORDER BY photo"
        )
        return {photo: label for photo, label, _ in rows}

    def _flip(self, which: str, undone: bool) -> dict[int, str | None]:
        (step,) = self._db.execute(which).fetchone()
        if step is None:
            return {}
        self._db.execute("UPDATE corrections SET undone = ? WHERE step = ?", (undone, step))
        return dict(
            self._db.execute(
                f"SELECT p.id, {CORRECTION} FROM photos p WHERE p.id IN "
                "(SELECT photo FROM corrections WHERE step = ?)",
                (step,),
            ).fetchall()
        )

    def columns(self, probabilities: bool, page: int = 10_000) -> Iterator[list[tuple[Any, ...]]]:
        """Every photo as a plain row, pages of them, for whoever keeps a hundred thousand in arrays.

        A row is id, path, size, mtime_ns, failure's reason and message, probability, probabilities (None unless
        asked for), width, height, destination; paths are bytes, the destination relative.
        """
        rows = self._db.execute(
            "SELECT p.id, p.path, p.size, p.mtime_ns, p.reason, p.message, p.probability, "
            f"{'p.probabilities' if probabilities else 'NULL'}, p.width, p.height, f.destination "
            "FROM photos p LEFT JOIN filings f ON f.id = p.filing ORDER BY p.id"
        )
        while batch := rows.fetchmany(page):
            yield batch

    # -- sums --------------------------------------------------------------------------------------------------

    def counts(self) -> dict[tuple[str, str], int]:
        """(status, label or reason) -> how many photos."""
        rows = self._db.execute(
            "SELECT status, CASE WHEN status IN ('sorted', 'unsure') THEN label ELSE reason END AS what, count(*) "
            "FROM photos GROUP BY 1, 2 ORDER BY 1 DESC, 2"
        )
        return {(status, what): count for status, what, count in rows}

    def filing_count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM filings WHERE state = 'filed'").fetchone()[0])

    def histogram(self, bins: int) -> list[int]:
        """How many scored photos have a probability in each of `bins` equal parts of 0..1."""
        counts = [0] * bins
        rows = self._db.execute(
            f"SELECT min(cast(probability * {int(bins)} AS INTEGER), {int(bins) - 1}), count(*) "
            "FROM photos WHERE probability IS NOT NULL GROUP BY 1"
        )
        for part, count in rows:
            counts[part] = count
        return counts

    def with_reason(self, reason: Reason, count: int) -> list[Entry]:
        """The first `count` files that were not sorted for this reason, in the order found."""
        return list(self._entries(f"WHERE p.reason = ? ORDER BY p.id LIMIT {int(count)}", (reason.value,)))


PHOTO_COLUMNS = (
    *("path", "relative", "size", "mtime_ns", "is_link", "status", "reason", "message"),
    *("label", "probability", "probabilities", "width", "height", "filing"),
)
FILED_COLUMNS = "id, photo, kind, source, destination, pending, device, inode, size, mtime_ns, state"


def _text(message: str) -> str:
    """A message may name a file whose name is not valid UTF-8; TEXT must be."""
    return message.encode("utf-8", "backslashreplace").decode()


def _entry(row: tuple[Any, ...]) -> Entry:
    (number, path, relative, size, mtime_ns, is_link, status, reason, message) = row[:9]
    (label, probability, probabilities, width, height, filing, destination, correction) = row[9:]
    photo = Photo(path_of(os.fsdecode(path)), Path(os.fsdecode(relative)), size, mtime_ns, bool(is_link))
    scores, decision = None, None
    if probabilities is not None:
        values = array("d")
        values.frombytes(probabilities)
        scores = Scores(tuple(values), width, height)
        known = Status(status) if status in ("sorted", "unsure") else Status.SORTED
        decision = Decision(label, probability, known)
    failure = Failure(Reason(reason), message) if reason is not None else None
    return Entry(
        number,
        photo,
        scores,
        failure,
        decision,
        Status(status),
        Path(os.fsdecode(destination)) if destination is not None else None,
        filing,
        correction,
    )


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with the process, however that ends.

    Raises:
        JournalError: another process holds it, or the folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    folder = home(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", blocking=False)
        lock.acquire()
    except Timeout as error:
        raise JournalError(f"{out}: another sorter is at work on this folder; wait for it to end") from error
    except OSError as error:
        raise JournalError(
            f"{out}: cannot be written to ({error.strerror}); choose another folder"
        ) from error
    try:
        yield
    finally:
        lock.release()


def copy_journal(out: Path, target: Path) -> None:
    """A snapshot of an output folder's journal, if it has one."""
    source = home(out) / FILE
    if source.exists():
        with closing(Journal.read(out)) as journal, closing(sqlite3.connect(target)) as copy:
            journal.backup(copy)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors -> sentences with a way out."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise JournalError(
                f"{path}: {error}; free some space and give the same command again, it goes on where it stopped"
            ) from error
        raise JournalError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise JournalError(
            f"{path}: is damaged ({error}); move it away to start anew (photos already sorted stay where they are)"
        ) from error
