"""The journal's tables: how they are made, and how an older journal is upgraded."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sorter.output.journal.location import JournalError

VERSION = 2
WITH_COMPANIONS = (
    3  # a journal has it from its first companion on, as a sorter that knows none would tear sets
)

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
"""
# Made at the end of a run. Kept up to date meanwhile, the index costs as much as all other writes.
LABELS = "CREATE INDEX IF NOT EXISTS photos_label ON photos (label, probability)"
# Since version 2: corrections by a person. A step is one action. Undone steps can be redone.
CORRECTIONS = """
CREATE TABLE {schema}corrections (
    step INTEGER NOT NULL,
    photo INTEGER NOT NULL,
    label TEXT,                      -- a class; NULL withdraws the correction
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
# Of photos that a run with --reject scored. It is made by the first such run, whatever the version.
UNFAMILIAR = """
CREATE TABLE IF NOT EXISTS unfamiliar (
    photo INTEGER PRIMARY KEY,
    score REAL NOT NULL
)"""
# Companions go where their photo goes. The table is made with the first.
COMPANIONS = """
CREATE TABLE companions (
    path BLOB PRIMARY KEY,           -- absolute, as it was found
    photo INTEGER NOT NULL,          -- whose companion it is
    place INTEGER NOT NULL,          -- among its companions
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    filing INTEGER                   -- planned or done
);
CREATE INDEX companions_photo ON companions (photo);
CREATE INDEX companions_filing ON companions (filing) WHERE filing IS NOT NULL;
"""
CORRECTION = (
    "(SELECT c.label FROM corrections c WHERE c.photo = p.id AND NOT c.undone ORDER BY c.step DESC LIMIT 1)"
)


def prepare(db: sqlite3.Connection) -> None:
    """Make the tables in a new file, or add what an older journal lacks; in the caller's transaction."""
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        _run(db, SCHEMA + CORRECTIONS.format(schema=""))
    elif version(db) == 1:
        _run(db, CORRECTIONS.format(schema=""))
    else:
        return
    db.execute(f"PRAGMA user_version = {VERSION}")


def add_empty_corrections(db: sqlite3.Connection) -> None:
    """Give a journal of version 1 empty tables of corrections, in memory. The file stays as it is."""
    _run(db, CORRECTIONS.format(schema="temp."))


def add_companions(db: sqlite3.Connection) -> None:
    """Make the table of companions; in the caller's transaction."""
    _run(db, COMPANIONS)
    db.execute(f"PRAGMA user_version = {WITH_COMPANIONS}")


def remove_companions(db: sqlite3.Connection) -> None:
    """As if there had never been any; in the caller's transaction."""
    db.execute("DROP TABLE IF EXISTS companions")
    db.execute(f"PRAGMA user_version = {VERSION}")


def version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check_version(db: sqlite3.Connection, path: Path) -> None:
    """Raises JournalError for one that a newer sorter made."""
    if version(db) not in (VERSION, WITH_COMPANIONS):
        raise JournalError(
            f"{path}: has version {version(db)}, this sorter reads {WITH_COMPANIONS}; upgrade sorter"
        )


def _run(db: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        db.execute(statement)
