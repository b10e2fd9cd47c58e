"""The companions of photos in a journal: a raw, a sidecar or a film that goes where its photo goes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sorter.address import path_of
from sorter.output.journal import schema
from sorter.types import Companion, Photo


@dataclass(frozen=True, slots=True)
class KeptCompanion:
    """A companion as the journal holds it.

    Attributes:
        path: absolute, as it was found.
        size: bytes, when it was found.
        mtime_ns: likewise.
        filing: what put it, or is to put it, where it is; None where it is not in the output.
        destination: absolute path of its place in the output, or None.
    """

    path: Path
    size: int
    mtime_ns: int
    filing: int | None
    destination: Path | None

    @property
    def companion(self) -> Companion:
        return Companion(self.path.name, self.size, self.mtime_ns)

    @property
    def now(self) -> Path:
        """Where it lies."""
        return self.destination or self.path


def marks(values: Collection[Any]) -> str:
    """A question mark for each value, as SQL wants them."""
    return ", ".join("?" * len(values))


class CompanionReader:
    """Answers what can be asked of companions. A part of `Reader`."""

    out: Path
    _db: sqlite3.Connection

    def has_companions(self) -> bool:
        """Whether a photo ever had any. The table is made with the first."""
        asked = "SELECT count(*) FROM sqlite_master WHERE name = 'companions'"
        return bool(self._db.execute(asked).fetchone()[0])

    def companions_of(self, entries: Sequence[int]) -> dict[int, list[KeptCompanion]]:
        """Photo's id -> its companions in the order in which they were found, of those photos that have some."""
        found: dict[int, list[KeptCompanion]] = {}
        if not entries or not self.has_companions():
            return found
        rows = self._db.execute(
            "SELECT c.photo, c.path, c.size, c.mtime_ns, c.filing, f.destination FROM companions c "
            f"LEFT JOIN filings f ON f.id = c.filing WHERE c.photo IN ({marks(entries)}) ORDER BY c.photo, c.place",
            tuple(entries),
        )
        for photo, path, size, mtime_ns, filing, destination in rows:
            at = None if destination is None else self.out / os.fsdecode(destination)
            kept = KeptCompanion(path_of(os.fsdecode(path)), size, mtime_ns, filing, at)
            found.setdefault(photo, []).append(kept)
        return found

    def known_companions(self, paths: Collection[Path]) -> dict[str, Companion]:
        """Those of these paths that belong to a photo of the journal, as they were found; at most some thousands."""
        if not self.has_companions():
            return {}
        rows = self._db.execute(
            f"SELECT path, size, mtime_ns FROM companions WHERE path IN ({marks(paths)})",
            tuple(map(os.fsencode, paths)),
        )
        found = ((path_of(os.fsdecode(path)), size, mtime_ns) for path, size, mtime_ns in rows)
        return {str(path): Companion(path.name, size, mtime_ns) for path, size, mtime_ns in found}

    def filed_companions(self, paths: Collection[Path]) -> set[str]:
        """Those of these paths that are in the output with a photo; at most some thousands at once."""
        if not self.has_companions():
            return set()
        rows = self._db.execute(
            f"SELECT path FROM companions WHERE filing IS NOT NULL AND path IN ({marks(paths)})",
            tuple(map(os.fsencode, paths)),
        )
        return {os.fsdecode(path) for (path,) in rows}

    def companion_counts(self) -> dict[int, int]:
        """Photo's id -> how many companions it has, of those that have some."""
        if not self.has_companions():
            return {}
        return dict(
            self._db.execute(
                "SELECT photo, count(*) FROM companions GROUP BY photo ORDER BY photo"
            ).fetchall()
        )

    def companion_filings(self, filings: Collection[int]) -> set[int]:
        """Those of these filings that are of a companion, and not of a photo itself."""
        if not self.has_companions():
            return set()
        asked = f"SELECT filing FROM companions WHERE filing IN ({marks(filings)})"
        return {filing for (filing,) in self._db.execute(asked, tuple(filings))}

    def set_filings(self, entries: Collection[int]) -> set[int]:
        """The filings of all that is in the output of the sets of these photos."""
        if not self.has_companions():
            return set()
        asked = marks(entries)
        rows = self._db.execute(
            f"SELECT filing FROM companions WHERE photo IN ({asked}) AND filing IS NOT NULL "
            f"UNION SELECT filing FROM photos WHERE id IN ({asked}) AND filing IS NOT NULL",
            (*entries, *entries),
        )
        return {filing for (filing,) in rows}

    def companion_filing_count(self) -> int:
        """How many companions are in the output."""
        if not self.has_companions():
            return 0
        asked = "SELECT count(*) FROM companions c JOIN filings f ON f.id = c.filing WHERE f.state = 'filed'"
        return int(self._db.execute(asked).fetchone()[0])

    def companion_count(self) -> int:
        """How many companions the photos have."""
        if not self.has_companions():
            return 0
        return int(self._db.execute("SELECT count(*) FROM companions").fetchone()[0])

    def with_late_companions(self) -> list[int]:
        """Photos in the output that have a companion which is not, in the order found."""
        if not self.has_companions():
            return []
        rows = self._db.execute(
            "SELECT DISTINCT c.photo FROM companions c JOIN photos p ON p.id = c.photo "
            "WHERE c.filing IS NULL AND p.filing IS NOT NULL ORDER BY c.photo"
        )
        return [photo for (photo,) in rows]


class CompanionWriter(CompanionReader):
    """Writes companions. A part of `Journal`."""

    def write_companions(self, photos: Sequence[tuple[int, Photo]], filed_anew: Collection[int] = ()) -> None:
        """Keep the companions of photos with these ids. Those that were kept and are gone are forgotten.

        Args:
            filed_anew: ids of photos that will be filed again, with their companions, because they changed.
        """
        given = [(entry, each) for entry, photo in photos for each in _with_paths(photo)]
        if not self.has_companions():
            if not given:
                return
            schema.add_companions(self._db)
        self._stand_alone([photo for _, photo in photos])
        entries = [entry for entry, _ in photos]
        if filed_anew:
            self._db.execute(
                f"UPDATE companions SET filing = NULL WHERE photo IN ({marks(filed_anew)})", tuple(filed_anew)
            )
        self._db.execute(
            f"DELETE FROM companions WHERE photo IN ({marks(entries)}) AND filing IS NULL", tuple(entries)
        )
        self._add(given)

    def add_companions(self, photo: Photo) -> None:
        """Keep companions that appeared after their photo was written."""
        if not self.has_companions():
            schema.add_companions(self._db)
        asked = "SELECT id FROM photos WHERE path = ?"
        for (entry,) in self._db.execute(asked, (os.fsencode(photo.path),)).fetchall():
            self._add([(entry, each) for each in _with_paths(photo)])

    def _add(self, given: Sequence[tuple[int, tuple[bytes, Companion]]]) -> None:
        filed = self._rows_of_their_own([path for _, (path, _) in given])
        self._db.executemany(
            "INSERT INTO companions (path, photo, place, size, mtime_ns) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (path) DO UPDATE SET photo = excluded.photo, place = excluded.place, "
            "size = excluded.size, mtime_ns = excluded.mtime_ns",
            (
                (path, entry, place, each.size, each.mtime_ns)
                for place, (entry, (path, each)) in enumerate(given)
                if path not in filed
            ),
        )

    def _rows_of_their_own(self, paths: Sequence[bytes]) -> set[bytes]:
        """Those that an earlier run filed by themselves. Other rows of them go: they are their photos' now."""
        asked = marks(paths)
        rows = self._db.execute(
            f"SELECT id, path, filing FROM photos WHERE path IN ({asked})", paths
        ).fetchall()
        for entry, _, filing in rows:
            if filing is None:
                self._db.execute("DELETE FROM corrections WHERE photo = ?", (entry,))
                self._db.execute("DELETE FROM photos WHERE id = ?", (entry,))
        return {path for _, path, filing in rows if filing is not None}

    def _stand_alone(self, photos: Iterable[Photo]) -> None:
        """These are photos of their own now, whatever they belonged to."""
        self._db.executemany(
            "DELETE FROM companions WHERE path = ? AND filing IS NULL",
            ((os.fsencode(photo.path),) for photo in photos),
        )

    def plan_companions(self, filings: Mapping[Path, int]) -> None:
        """These filings are of companions, by the paths at which they were found."""
        if not filings:
            return
        self._db.executemany(
            "UPDATE companions SET filing = ? WHERE path = ?",
            ((filing, os.fsencode(path)) for path, filing in filings.items()),
        )

    def forget_companion(self, path: Path) -> None:
        """It is no longer there."""
        self._db.execute("DELETE FROM companions WHERE path = ?", (os.fsencode(path),))

    def _forget_companions(self, entry: int) -> None:
        if self.has_companions():
            self._db.execute("DELETE FROM companions WHERE photo = ?", (entry,))

    def _companion_unfiled(self, filing: int) -> None:
        if self.has_companions():
            self._db.execute("UPDATE companions SET filing = NULL WHERE filing = ?", (filing,))


def _with_paths(photo: Photo) -> list[tuple[bytes, Companion]]:
    return [(os.fsencode(photo.path.with_name(each.name)), each) for each in photo.companions]
