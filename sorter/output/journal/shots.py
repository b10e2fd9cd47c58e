"""When and by which camera photos were taken: kept by runs whose layout asks for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from sorter.photos.shot import Shot

# Made by the first such run, whatever the journal's version.
TABLE = """
CREATE TABLE IF NOT EXISTS shots (
    photo INTEGER PRIMARY KEY,
    shot TEXT NOT NULL               -- as of `Shot.to_json`
)"""


def knows_shots(db: sqlite3.Connection) -> bool:
    """Whether a run has kept any."""
    return bool(db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'shots'").fetchone()[0])


def shot_column(db: sqlite3.Connection) -> str:
    """The shot of a photo `p`, as a column."""
    return "(SELECT s.shot FROM shots s WHERE s.photo = p.id)" if knows_shots(db) else "NULL"


def write_shots(db: sqlite3.Connection, shots: Mapping[int, Shot]) -> None:
    """Keep shots, by the ids of their photos."""
    if shots:
        db.execute(TABLE)
        rows: Iterable[tuple[int, str]] = ((photo, shot.to_json()) for photo, shot in shots.items())
        db.executemany("INSERT OR REPLACE INTO shots VALUES (?, ?)", rows)
