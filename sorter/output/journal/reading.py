"""Reading the journal of an output folder."""

from __future__ import annotations

import json
import os
import sqlite3
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sorter.address import Address, path_of, prefix
from sorter.output.disk import FileIdentity, Filing, ObjectIdentity, Placed
from sorter.output.journal.companions import CompanionReader, KeptCompanion, marks
from sorter.output.journal.location import FILE, JournalError, journal_folder
from sorter.output.journal.schema import CORRECTION
from sorter.output.journal.settings import RunSettings
from sorter.output.journal.shots import knows_shots, shot_column
from sorter.output.journal.steps import HistoryReader
from sorter.photos.shot import Shot
from sorter.types import ActionKind, Decision, Failure, Photo, Reason, Scores, Status

FILED_COLUMNS = "id, photo, kind, source, destination, pending, device, inode, size, mtime_ns, state"


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
        correction: the class that a person gave it, or None.
        shot: when it was taken, and by which camera; None unless a layout asked for it.
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
    shot: Shot | None = None

    @property
    def applied(self) -> bool:
        """The photo lies in the folder of its correction, whatever the rule gives it."""
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


# NamedTuples, as a run makes millions: a tuple takes a fifth of the time of a frozen record.
class Known(NamedTuple):
    """What tells whether a file is new or changed.

    Attributes:
        size: bytes, when it was last looked at.
        mtime_ns: likewise.
        scored: it has scores.
        failure: as in `Entry`.
    """

    size: int
    mtime_ns: int
    scored: bool
    failure: Failure | None


class Line(NamedTuple):
    """A photo's row of a report. Paths are bytes, as making `Path` objects takes most of the time.

    Attributes:
        path: absolute.
        destination: relative to the output folder; None where it was not filed.
        reason: why it was not scored, or scored and not filed; None where all is well. So the message.
        size: bytes.
        probabilities: float64, one per class; None unless it was scored.
        companions: their names.
    """

    id: int
    path: bytes
    label: str | None
    probability: float | None
    status: str
    reason: str | None
    message: str | None
    destination: bytes | None
    width: int | None
    height: int | None
    size: int
    probabilities: bytes | None
    unfamiliar: float | None = None
    shot: str | None = None  # as of `Shot.to_json`
    companions: tuple[str, ...] = ()

    @property
    def scores(self) -> Scores | None:
        return scores_of(self.probabilities, self.width, self.height, self.unfamiliar)


@dataclass(frozen=True, slots=True)
class PhotoColumns:
    """A page of photos, a tuple for each column. All are of one length.

    Attributes:
        path: absolute, in the system's bytes.
        reason: of the failure; None where all is well. So the message.
        probability: what the photo was decided by; None where not scored.
        probabilities: float64, one per class; None where not scored, or not asked for.
        width: pixels; None where not scored. So the height.
        destination: relative to the output folder, in the system's bytes; None where not filed.
    """

    id: tuple[int, ...]
    path: tuple[bytes, ...]
    size: tuple[int, ...]
    mtime_ns: tuple[int, ...]
    reason: tuple[str | None, ...]
    message: tuple[str | None, ...]
    probability: tuple[float | None, ...]
    probabilities: tuple[bytes | None, ...]
    width: tuple[int | None, ...]
    height: tuple[int | None, ...]
    destination: tuple[bytes | None, ...]


class Reader(HistoryReader, CompanionReader):
    """Answers what can be asked of a journal."""

    def __init__(self, out: Path, connection: sqlite3.Connection) -> None:
        self.out = out
        self._db = connection
        self._within = os.fsencode(prefix(out))

    @property
    def tables(self) -> sqlite3.Connection:
        """For modules that keep a table of their own in the journal."""
        return self._db

    def setting(self, key: str) -> Any:
        """A value kept with `set`, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def run_settings(self) -> RunSettings | None:
        """What the last run was configured with; None before the first.

        Raises:
            JournalError: something else wrote them.
        """
        data = self.setting("run")
        if data is None:
            return None
        try:
            return RunSettings.from_json(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise JournalError(
                f"{journal_folder(self.out) / FILE}: holds settings that cannot be read ({error!r}); "
                "choose another folder, or give --fresh to start anew"
            ) from error

    # -- photos ------------------------------------------------------------------------------------------------

    def knows_unfamiliar(self) -> bool:
        """Whether a run with --reject has scored photos."""
        asked = "SELECT count(*) FROM sqlite_master WHERE name = 'unfamiliar'"
        return bool(self._db.execute(asked).fetchone()[0])

    def unfamiliar(self) -> dict[int, float]:
        """Photo's id -> how unlike the model's training photos it is, of those that a run with --reject scored."""
        if not self.knows_unfamiliar():
            return {}
        return dict(self._db.execute("SELECT photo, score FROM unfamiliar ORDER BY photo").fetchall())

    def knows_shots(self) -> bool:
        """Whether a run has kept when photos were taken."""
        return knows_shots(self._db)

    def _unfamiliar_column(self) -> str:
        found = "(SELECT u.score FROM unfamiliar u WHERE u.photo = p.id)"
        return found if self.knows_unfamiliar() else "NULL"

    def lookup(self, path: Path) -> Entry | None:
        for entry in self._entries("WHERE p.path = ?", (os.fsencode(path),)):
            return entry
        return None

    def known(self, paths: Collection[Path]) -> dict[str, Known]:
        """What is known of files with these paths, by the text of the path; at most some thousands at once."""
        rows = self._db.execute(
            "SELECT path, size, mtime_ns, probabilities IS NOT NULL, reason, message FROM photos "
            f"WHERE path IN ({marks(paths)})",
            tuple(map(os.fsencode, paths)),
        )
        return {
            os.fsdecode(path): Known(size, mtime_ns, bool(scored), failure_of(reason, message))
            for path, size, mtime_ns, scored, reason, message in rows
        }

    def entries(self) -> Iterator[Entry]:
        """Every photo, in the order found, a page at a time."""
        return self._paged("1")

    def of(self, ids: Sequence[int]) -> list[Entry]:
        """The photos with these ids, in the order found; at most some hundreds at once."""
        return list(self._entries(f"WHERE p.id IN ({marks(ids)}) ORDER BY p.id", tuple(ids)))

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
            f"{CORRECTION}, {self._unfamiliar_column()}, {shot_column(self._db)} "
            f"FROM photos p LEFT JOIN filings f ON f.id = p.filing {clause}",
            values,
        ).fetchall()
        companions = self.companions_of([row[0] for row in rows])
        return (_entry(row, companions.get(row[0], ())) for row in rows)

    def columns(self, probabilities: bool, page: int = 10_000) -> Iterator[PhotoColumns]:
        """Every photo in columns, in the order found, a page at a time.

        Args:
            probabilities: read those of all classes, too.
        """
        rows = self._db.execute(
            "SELECT p.id, p.path, p.size, p.mtime_ns, p.reason, p.message, p.probability, "
            f"{'p.probabilities' if probabilities else 'NULL'}, p.width, p.height, f.destination "
            "FROM photos p LEFT JOIN filings f ON f.id = p.filing ORDER BY p.id"
        )
        while batch := rows.fetchmany(page):
            yield PhotoColumns(*zip(*batch, strict=True))

    def lines(self, ids: Sequence[int] | None = None) -> Iterator[Line]:
        """Every photo, or those with these ids, in the order found, for a report."""
        if ids is not None:
            yield from self._lines(f"WHERE p.id IN ({marks(ids)}) ORDER BY p.id", tuple(ids))
            return
        last = 0
        while page := list(self._lines("WHERE p.id > ? ORDER BY p.id LIMIT 1000", (last,))):
            yield from page
            last = page[-1].id

    def _lines(self, clause: str, values: tuple[Any, ...]) -> Iterator[Line]:
        rows = self._db.execute(
            "SELECT p.id, p.path, p.label, p.probability, p.status, p.reason, p.message, f.destination, "
            f"p.width, p.height, p.size, p.probabilities, {self._unfamiliar_column()}, {shot_column(self._db)} "
            f"FROM photos p LEFT JOIN filings f ON f.id = p.filing {clause}",
            values,
        ).fetchall()
        companions = self.companions_of([row[0] for row in rows])
        names = ((row, tuple(each.path.name for each in companions.get(row[0], ()))) for row in rows)
        return (Line._make((*row, its)) for row, its in names)

    # -- filings -----------------------------------------------------------------------------------------------

    def holds(self, path: Path) -> bool:
        """Whether this place in the output is given to a photo, or promised to one."""
        inside = self._inside(path)
        row = self._db.execute(
            "SELECT 1 FROM filings WHERE destination = ?1 UNION ALL SELECT 1 FROM filings WHERE pending = ?1 LIMIT 1",
            (inside,),
        ).fetchone()
        return row is not None

    def held(self, paths: Collection[Path]) -> set[Path]:
        """Those of these places that are given or promised to a photo, as `holds` tells."""
        asked = {self._inside(path): path for path in paths}
        rows = self._db.execute(
            f"SELECT destination FROM filings WHERE destination IN ({marks(asked)}) "
            f"UNION ALL SELECT pending FROM filings WHERE pending IN ({marks(asked)})",
            (*asked, *asked),
        )
        return {asked[inside] for (inside,) in rows}

    def unfinished(self) -> list[Filed]:
        """Filings that a crash may have stopped halfway; at most a batch of them."""
        rows = self._db.execute(f"SELECT {FILED_COLUMNS} FROM filings WHERE state != 'filed' ORDER BY id")
        return [self._filed(row) for row in rows]

    def whole_sets(self, batch: Sequence[Filed]) -> list[Filed]:
        """A batch of filings with the other files of their sets that are in the output."""
        more = self.set_filings([each.entry for each in batch]) - {each.id for each in batch}
        asked = f"SELECT {FILED_COLUMNS} FROM filings WHERE id IN ({marks(more)}) AND state = 'filed'"
        return [*batch, *map(self._filed, self._db.execute(asked, tuple(more)))]

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
        at = path_of(os.fsdecode(source))
        # The two columns hold size and time of an object in a store.
        identity = (ObjectIdentity if isinstance(at, Address) else FileIdentity)(int(device), int(inode))
        filing = Filing(ActionKind(kind), at, self.out / os.fsdecode(destination), identity)
        placed = Placed(size or 0, mtime_ns or 0)
        return Filed(
            number, entry, filing, self.out / os.fsdecode(pending) if pending else None, placed, state
        )

    def _inside(self, path: Path) -> bytes:
        """Relative to the output folder. A file outside it, which was renamed in place, has its whole path."""
        return os.fsencode(path).removeprefix(self._within)

    # -- counts ------------------------------------------------------------------------------------------------

    def counts(self, marked: bool = False) -> dict[tuple[str, str], int]:
        """(status, label or reason) -> how many photos. With `marked`, a person's class goes before the label."""
        label = f"coalesce({CORRECTION}, label)" if marked else "label"
        rows = self._db.execute(
            f"SELECT status, CASE WHEN status IN ('sorted', 'unsure') THEN {label} ELSE reason END AS what, count(*) "
            "FROM photos p GROUP BY 1, 2 ORDER BY 1 DESC, 2"
        )
        return {(status, what): count for status, what, count in rows}

    def filing_count(self) -> int:
        """How many photos are in the output, without their companions."""
        files = self._db.execute("SELECT count(*) FROM filings WHERE state = 'filed'").fetchone()[0]
        return int(files) - self.companion_filing_count()

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


def failure_of(reason: str | None, message: str | None) -> Failure | None:
    return None if reason is None else Failure(Reason(reason), message or "")


def scores_of(
    probabilities: bytes | None, width: int | None, height: int | None, unfamiliar: float | None = None
) -> Scores | None:
    if probabilities is None:
        return None
    values = array("d")
    values.frombytes(probabilities)
    return Scores(tuple(values), width or 0, height or 0, unfamiliar)


def _entry(row: tuple[Any, ...], companions: Sequence[KeptCompanion]) -> Entry:
    (number, path, relative, size, mtime_ns, is_link, status, reason, message) = row[:9]
    (label, probability, probabilities, width, height, filing, destination, correction, unfamiliar, shot) = (
        row[9:]
    )
    photo = Photo(
        path_of(os.fsdecode(path)),
        Path(os.fsdecode(relative)),
        size,
        mtime_ns,
        bool(is_link),
        tuple(each.companion for each in companions),
    )
    scores = scores_of(probabilities, width, height, unfamiliar)
    decision = None
    if scores is not None:
        known = Status(status) if status in ("sorted", "unsure") else Status.SORTED
        decision = Decision(label, probability, known)
    return Entry(
        number,
        photo,
        scores,
        failure_of(reason, message),
        decision,
        Status(status),
        Path(os.fsdecode(destination)) if destination is not None else None,
        filing,
        correction,
        Shot.from_json(shot) if shot else None,
    )
