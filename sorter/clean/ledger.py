"""The rows of one run, in a temporary SQLite database: memory does not grow with the files."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from sorter.clean.records import (
    GRAVITY,
    Checked,
    Examined,
    Finding,
    GroupCounts,
    PictureGroup,
    Placement,
    findings_from,
    findings_text,
    from_text,
    to_text,
    verdict_of,
)
from sorter.types import Photo

SCHEMA = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path BLOB, relative BLOB, size INTEGER, mtime_ns INTEGER, is_link INTEGER,
    record TEXT, findings TEXT, verdict TEXT, sha256 TEXT, part TEXT, label TEXT,
    group_id INTEGER, duplicate_of INTEGER, action TEXT DEFAULT '', destination BLOB
);
CREATE INDEX files_sha256 ON files (sha256);
CREATE INDEX files_path ON files (path);
CREATE INDEX files_verdict ON files (verdict);
CREATE INDEX files_group ON files (group_id) WHERE group_id IS NOT NULL;
CREATE TABLE picture_groups (id INTEGER PRIMARY KEY, splits INTEGER, classes INTEGER, exact INTEGER,
    similar INTEGER)
"""
COLUMNS = (
    "f.id, f.path, f.relative, f.size, f.mtime_ns, f.is_link, f.record, f.findings, f.part, f.label, "
    "f.group_id, k.path, f.action, f.destination"
)


class CleanLedger:
    """The files of one run, with their findings, groups and actions."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        for statement in SCHEMA.split(";\n"):
            self._db.execute(statement)
        self._db.execute("BEGIN")

    def close(self) -> None:
        self._db.close()

    def add(
        self,
        photo: Photo,
        examined: Examined | None,
        findings: tuple[Finding, ...],
        placement: Placement,
        destination: Path | None = None,
    ) -> None:
        """Add a file. One with a `destination` was quarantined by an earlier run."""
        self._db.execute(
            "INSERT INTO files (path, relative, size, mtime_ns, is_link, record, findings, verdict, sha256, "
            "part, label, action, destination) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                os.fsencode(photo.path),
                os.fsencode(photo.relative),
                photo.size,
                photo.mtime_ns,
                photo.is_link,
                to_text(examined) if examined else None,
                findings_text(findings),
                verdict_of(findings).value,
                examined.sha256 if examined else "",
                placement.part,
                placement.label,
                "quarantined" if destination else "",
                os.fsencode(destination) if destination else None,
            ),
        )

    def add_finding(self, file: int, finding: Finding, duplicate_of: int | None) -> None:
        """Add a finding to a file, and the copy that is kept."""
        row = self._db.execute("SELECT findings FROM files WHERE id = ?", (file,)).fetchone()
        findings = (*findings_from(json.loads(row[0])), finding)
        findings = tuple(sorted(findings, key=lambda each: GRAVITY[each.kind]))
        self._db.execute(
            "UPDATE files SET findings = ?, verdict = ?, duplicate_of = coalesce(?, duplicate_of) WHERE id = ?",
            (findings_text(findings), verdict_of(findings).value, duplicate_of, file),
        )

    def add_group(
        self, members: Iterable[int], splits: bool, classes: bool, exact: bool, similar: bool
    ) -> None:
        """Add a group of files that show the same picture, or the same scene."""
        cursor = self._db.execute(
            "INSERT INTO picture_groups (splits, classes, exact, similar) VALUES (?, ?, ?, ?)",
            (splits, classes, exact, similar),
        )
        self._db.executemany(
            "UPDATE files SET group_id = ? WHERE id = ?", ((cursor.lastrowid, member) for member in members)
        )

    def set_action(self, file: int, action: str, destination: Path | None = None) -> None:
        self._db.execute(
            "UPDATE files SET action = ?, destination = ? WHERE id = ?",
            (action, os.fsencode(destination) if destination else None, file),
        )

    def get(self, file: int) -> Checked:
        return next(self._rows("WHERE f.id = ?", (file,)))

    def at(self, path: Path) -> Checked | None:
        """The file that was found under a path."""
        return next(self._rows("WHERE f.path = ?", (os.fsencode(path),)), None)

    def names_from(self, start: Path) -> list[str]:
        """Names of the files in a folder that begin as this path does."""
        first = os.fsencode(start)
        rows = self._db.execute(
            "SELECT path FROM files WHERE path >= ? AND path < ?", (first, first + b"\xff")
        )
        paths = (Path(os.fsdecode(path)) for (path,) in rows)
        return [path.name for path in paths if path.parent == start.parent]

    def kept_copy(self, file: int) -> Checked | None:
        """The copy that is kept instead of this file."""
        return next(self._rows("WHERE f.id = (SELECT duplicate_of FROM files WHERE id = ?)", (file,)), None)

    def all(self) -> Iterator[Checked]:
        """All files: duplicates across classes, then those across splits, then the rest in the order found."""
        return self._rows(
            "LEFT JOIN picture_groups g ON g.id = f.group_id "
            "ORDER BY coalesce(g.classes, 0) DESC, coalesce(g.splits, 0) DESC, "
            "CASE WHEN g.classes OR g.splits THEN f.group_id END, f.id"
        )

    def with_findings(self) -> Iterator[Checked]:
        """Files with a finding and without an action, in the order found."""
        ids = [
            row[0] for row in self._db.execute("SELECT id FROM files WHERE findings != '[]' AND action = ''")
        ]
        return map(self.get, ids)

    def with_verdict(self, verdict: str, count: int) -> list[Checked]:
        return list(self._rows("WHERE f.verdict = ? ORDER BY f.id LIMIT ?", (verdict, count)))

    def exact_copies(self) -> Iterator[list[Checked]]:
        """Each set of two or more files of the same bytes."""
        shared = self._db.execute(
            "SELECT sha256 FROM files WHERE sha256 != '' AND NOT is_link GROUP BY sha256 HAVING count(*) > 1 "
            "ORDER BY min(id)"
        ).fetchall()
        for (digest,) in shared:
            yield list(self._rows("WHERE f.sha256 = ? AND NOT f.is_link ORDER BY f.id", (digest,)))

    def records(self) -> Iterator[tuple[int, Examined]]:
        """Id and record of one file of each content."""
        rows = self._db.execute(
            "SELECT min(id), record FROM files WHERE sha256 != '' AND NOT is_link GROUP BY sha256 ORDER BY min(id)"
        )
        return ((number, from_text(record)) for number, record in rows if record)

    def copies(self, file: int) -> list[Checked]:
        """All files with the same bytes as this one."""
        return list(
            self._rows(
                "WHERE f.sha256 = (SELECT sha256 FROM files WHERE id = ?) AND NOT f.is_link ORDER BY f.id",
                (file,),
            )
        )

    def counts(self) -> dict[str, int]:
        """Verdict -> files."""
        return dict(self._db.execute("SELECT verdict, count(*) FROM files GROUP BY 1").fetchall())

    def reasons(self) -> dict[str, dict[str, int]]:
        """Verdict -> first reason -> files."""
        tally: dict[str, dict[str, int]] = {}
        rows = self._db.execute(
            "SELECT verdict, json_extract(findings, '$[0][1]'), count(*) FROM files "
            "WHERE findings != '[]' GROUP BY 1, 2 ORDER BY 3 DESC"
        )
        for verdict, reason, count in rows:
            tally.setdefault(verdict, {})[reason] = count
        return tally

    def actions(self) -> dict[str, int]:
        rows = self._db.execute("SELECT action, count(*) FROM files WHERE action != '' GROUP BY 1 ORDER BY 1")
        return dict(rows.fetchall())

    def groups(self, count: int) -> Iterator[PictureGroup]:
        """The first groups: those across classes, then those across splits, then exact copies; similar last."""
        rows = self._db.execute(
            "SELECT id, classes, splits, exact, similar FROM picture_groups "
            "ORDER BY classes DESC, splits DESC, exact DESC, similar, id LIMIT ?",
            (count,),
        ).fetchall()
        for number, classes, splits, exact, similar in rows:
            members = self._rows("WHERE f.group_id = ? ORDER BY f.duplicate_of IS NOT NULL, f.id", (number,))
            yield PictureGroup(bool(classes), bool(splits), bool(exact), bool(similar), tuple(members))

    def group_counts(self) -> GroupCounts:
        row = self._db.execute(
            "SELECT count(*), coalesce(sum(splits), 0), coalesce(sum(classes), 0), "
            "coalesce(sum(similar), 0) FROM picture_groups"
        ).fetchone()
        return GroupCounts(*map(int, row))

    def _rows(self, clause: str, values: tuple[Any, ...] = ()) -> Iterator[Checked]:
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM files f LEFT JOIN files k ON k.id = f.duplicate_of {clause}", values
        )
        return map(_checked, rows)


@lru_cache(maxsize=64)
def _examined(record: str) -> Examined:
    """A record, read once for all copies of a file, of which there may be 100,000."""
    return from_text(record)


def _checked(row: tuple[Any, ...]) -> Checked:
    (number, path, relative, size, mtime_ns, is_link, record, findings) = row[:8]
    part, label, group, kept, action, destination = row[8:]
    return Checked(
        id=number,
        path=Path(os.fsdecode(path)),
        relative=Path(os.fsdecode(relative)),
        size=size,
        mtime_ns=mtime_ns,
        is_link=bool(is_link),
        examined=_examined(record) if record else None,
        findings=findings_from(json.loads(findings)),
        part=part,
        label=label,
        group=group,
        duplicate_of=Path(os.fsdecode(kept)) if kept is not None else None,
        action=action,
        destination=Path(os.fsdecode(destination)) if destination is not None else None,
    )
