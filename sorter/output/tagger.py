"""Keywords of classes, written into the sidecars of photos that stay where they are."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sorter.address import Address
from sorter.files import open_regular
from sorter.output.disk import CannotUndo, publish, rename_without_replacing
from sorter.output.exchange import replace_if
from sorter.output.filer import Filer, Scored
from sorter.output.journal import Journal
from sorter.output.journal.companions import marks
from sorter.output.sidecar import sidecar_of
from sorter.output.tags import SidecarError, Tag, TagSettings, add_tags, remove_tags
from sorter.types import Failure, Reason, Result, Scores

# Made by the first run with --action tag, whatever the journal's version.
TABLE = """
CREATE TABLE IF NOT EXISTS tags (
    photo BLOB PRIMARY KEY,
    sidecar BLOB NOT NULL,
    wanted TEXT NOT NULL,            -- the tags of its class, as JSON
    added TEXT NOT NULL,             -- those that were not there before
    before BLOB,                     -- the sidecar's bytes before; NULL where there was none
    before_ns INTEGER,               -- when it was last changed by then
    after TEXT NOT NULL,             -- SHA-256 of its bytes since
    state TEXT NOT NULL              -- planned or written
) WITHOUT ROWID"""
COLUMNS = "photo, sidecar, wanted, added, before, before_ns, after, state"


@dataclass(frozen=True, slots=True)
class _Row:
    photo: Path
    sidecar: Path
    wanted: tuple[Tag, ...]
    added: tuple[Tag, ...]
    before: bytes | None
    before_ns: int | None
    after: str
    state: str


@dataclass(frozen=True, slots=True)
class _Change:
    """A sidecar that is to be written.

    Attributes:
        seen: its bytes now; None where there is none.
        data: its bytes then; None to remove it.
    """

    sidecar: Path
    seen: bytes | None
    data: bytes | None
    mtime_ns: int | None = None


class Tagger:
    """Writes tags, once each, and takes them away. The journal knows each sidecar before it is touched.

    Args:
        journal: of the output folder.
        settings: what is written for a class.
    """

    def __init__(self, journal: Journal, settings: TagSettings) -> None:
        self._journal = journal
        self._settings = settings

    def is_tagged(self, photo: Path, label: str) -> bool:
        """Whether a photo's sidecar was written for this class."""
        rows = self._rows(f"WHERE photo IN ({marks([photo])})", (os.fsencode(photo),))
        return any(row.state == "written" and row.wanted == self._settings.tags(label) for row in rows)

    def tag(self, labels: dict[Path, str]) -> dict[Path, Failure]:
        """Write the tags of photos, by their classes. Returns the photos whose sidecar could not be written."""
        failures: dict[Path, Failure] = {}
        known = {row.photo: row for row in self._rows_of([*labels])}
        plans: list[tuple[_Row, _Change]] = []
        for photo, label in labels.items():
            wanted, row = self._settings.tags(label), known.get(photo)
            if row is not None and row.state == "written" and row.wanted == wanted:
                continue
            try:
                plans.append(_plan(photo, wanted, row))
            except (OSError, ValueError) as error:
                failures[photo] = _failure(sidecar_of(photo), error)
        with self._journal.transaction():
            self._journal.tables.execute(TABLE)
            for row, _ in plans:
                self._write(row)
        for row, change in plans:
            try:
                _carry_out(change)
            except OSError as error:
                failures[row.photo] = _failure(row.sidecar, error)
        with self._journal.transaction():
            for row, _ in plans:
                if row.photo not in failures:
                    self._write(replace(row, state="written"))
                elif (old := known.get(row.photo)) is not None:
                    self._write(old)
                else:
                    self._forget(row.photo)
        return failures

    def recover(self) -> None:
        """Find out which sidecars an earlier process wrote before it ended. The others are written by this run."""
        with self._journal.transaction():
            for row in self._rows("WHERE state = 'planned'"):
                _staging(row.sidecar).unlink(missing_ok=True)
                if _digest(_read(row.sidecar)) == row.after:
                    self._write(replace(row, state="written"))
                elif row.before is None or _read(row.sidecar) == row.before:
                    self._forget(row.photo)

    def undo(self) -> Iterator[tuple[Path, str | None]]:
        """Take the tags away. Yields each sidecar with None, or why its tags stay."""
        self.recover()
        for row in self._rows("ORDER BY photo DESC"):
            problem = None
            try:
                _carry_out(_back(row))
            except (CannotUndo, SidecarError) as error:
                problem = str(error)
            except OSError as error:
                problem = error.strerror or str(error)
            if problem is None:
                with self._journal.transaction():
                    self._forget(row.photo)
            yield row.sidecar, problem

    def _rows_of(self, photos: Sequence[Path]) -> list[_Row]:
        return self._rows(f"WHERE photo IN ({marks(photos)})", tuple(map(os.fsencode, photos)))

    def _rows(self, clause: str, values: tuple[bytes, ...] = ()) -> list[_Row]:
        if not count_tags(self._journal):
            return []
        rows = self._journal.tables.execute(f"SELECT {COLUMNS} FROM tags {clause}", values).fetchall()
        return [
            _Row(Path(os.fsdecode(photo)), Path(os.fsdecode(sidecar)), _tags(wanted), _tags(added), *rest)
            for photo, sidecar, wanted, added, *rest in rows
        ]

    def _write(self, row: _Row) -> None:
        values = (os.fsencode(row.photo), os.fsencode(row.sidecar), _text(row.wanted), _text(row.added))
        self._journal.tables.execute(
            f"INSERT OR REPLACE INTO tags ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, row.before, row.before_ns, row.after, row.state),
        )

    def _forget(self, photo: Path) -> None:
        self._journal.tables.execute("DELETE FROM tags WHERE photo = ?", (os.fsencode(photo),))


class TaggingFiler(Filer):
    """A filer of `--action tag`: photos stay where they are, and their sidecars are written.

    Args: as for `Filer` and `Tagger`.
    """

    def __init__(self, journal: Journal, settings: TagSettings, dry: bool = False) -> None:
        from sorter.types import ActionKind

        super().__init__(journal, ActionKind.NONE, dry=dry)
        self.tagger = Tagger(journal, settings)

    def file(self, batch: Sequence[Scored | Result[Scores]]) -> list[int]:
        """As `Filer.file`."""
        entries = super().file(batch)
        if self._dry:
            return entries
        scored = {
            item.photo.path: (entry, item.decision.label)
            for entry, item in zip(entries, batch, strict=True)
            if isinstance(item, Scored)
        }
        failures = self.tagger.tag({photo: label for photo, (_, label) in scored.items()})
        if failures:
            with self._journal.transaction():
                for photo, failure in failures.items():
                    self._journal.not_filed(scored[photo][0], failure)
        return entries

    def recover(self, go_on: bool) -> None:
        """As `Filer.recover`."""
        super().recover(go_on)
        if not self._dry:
            self.tagger.recover()


def count_tags(journal: Journal) -> int:
    """How many sidecars have tags by now."""
    known = "SELECT count(*) FROM sqlite_master WHERE name = 'tags'"
    if not journal.tables.execute(known).fetchone()[0]:
        return 0
    return int(journal.tables.execute("SELECT count(*) FROM tags").fetchone()[0])


def _plan(photo: Path, wanted: tuple[Tag, ...], row: _Row | None) -> tuple[_Row, _Change]:
    if isinstance(photo, Address):
        raise OSError(errno.EINVAL, "the photo lies in a store, and sidecars are written on disks only")
    photo.lstat()  # raises where it is gone
    sidecar = sidecar_of(photo) if row is None else row.sidecar
    seen = _read(sidecar)
    before, before_ns = seen, None if seen is None else sidecar.stat().st_mtime_ns
    if row is not None and _digest(seen) == row.after:
        before, before_ns = row.before, row.before_ns
    elif row is not None and seen is not None:  # another program wrote to it meanwhile
        before = remove_tags(seen, row.added)
    tagged = add_tags(before, wanted)
    planned = _Row(photo, sidecar, wanted, tagged.added, before, before_ns, _digest(tagged.data), "planned")
    return planned, _Change(sidecar, seen, tagged.data)


def _back(row: _Row) -> _Change:
    """What undoes a sidecar's tags."""
    seen = _read(row.sidecar)
    if seen is None:
        raise CannotUndo("is no longer there")
    if _digest(seen) == row.after:
        return _Change(row.sidecar, seen, row.before, row.before_ns)
    return _Change(row.sidecar, seen, remove_tags(seen, row.added))


def _carry_out(change: _Change) -> None:
    """Write or remove a sidecar, if it is still what was seen. Raises OSError; then it is as it was."""
    if change.seen == change.data:
        return
    staging = _staging(change.sidecar)

    def as_seen(path: Path) -> bool:
        return _read(path) == change.seen

    changed = OSError(errno.EAGAIN, "was changed in this moment; give the same command again")
    if change.data is None:
        rename_without_replacing(change.sidecar, staging)
        if not as_seen(staging):
            rename_without_replacing(staging, change.sidecar)
            raise changed
        staging.unlink()
        return
    with staging.open("xb") as file:
        file.write(change.data)
        file.flush()
        os.fsync(file.fileno())
    if change.seen is None:
        publish(staging, change.sidecar)
        return
    try:
        shutil.copymode(change.sidecar, staging)
        if change.mtime_ns is not None:
            os.utime(staging, ns=(change.mtime_ns, change.mtime_ns))
        if not replace_if(staging, change.sidecar, as_seen):
            raise changed
    finally:
        staging.unlink(missing_ok=True)


def _staging(sidecar: Path) -> Path:
    return sidecar.with_name(f".sorter-{hashlib.sha256(os.fsencode(sidecar.name)).hexdigest()[:16]}.part")


def _read(path: Path) -> bytes | None:
    try:
        with open_regular(path) as file:
            return bytes(file.read())
    except FileNotFoundError:
        return None


def _digest(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _failure(sidecar: Path, error: OSError | ValueError) -> Failure:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Failure(Reason.NOT_FILED, f"the sidecar {sidecar.name} was left as it is: {why}")


def _text(tags: tuple[Tag, ...]) -> str:
    return json.dumps([[tag.name, tag.value] for tag in tags])


def _tags(text: str) -> tuple[Tag, ...]:
    return tuple(Tag(name, value) for name, value in json.loads(text))
