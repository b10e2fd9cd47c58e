"""A photo and its companions on their way to the output: planned together, and placed together or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sorter.address import Address
from sorter.output import store
from sorter.output.disk import FileIdentity, Filing, ObjectIdentity, Placed
from sorter.output.execute import Step, attempt, take_back
from sorter.output.journal import KeptCompanion
from sorter.photos.shot import Shot
from sorter.types import Decision, Failure, Photo, Reason, Scores

FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Scored:
    """A photo on its way from the model to its folder.

    Attributes:
        filing: the filing that put it where it is now, or None.
        current: where it is now in the output, absolute, or None.
        wanted: the path to file it under instead of its label's folder, with the next free name. It may lie outside
            the output.
        shot: when it was taken, and by which camera; None to read it where the layout asks for it.
    """

    photo: Photo
    scores: Scores
    decision: Decision
    filing: int | None = None
    current: Path | None = None
    wanted: Path | None = None
    shot: Shot | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """A photo or a companion that is to get a place.

    Attributes:
        now: where it lies.
        wanted: the path that it gets if that is free.
        filing: the filing that put it where it is now in the output, or None.
        identity: of the file, where it is not in the output yet.
        companion: it is not the photo itself.
    """

    now: Path
    wanted: Path
    filing: int | None
    identity: FileIdentity | ObjectIdentity | None = None
    companion: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A filing in the journal.

    Attributes:
        filing: its id.
        entry: the photo's id.
        what: to carry out.
        staging: a path of the filing's own.
        again: the file is in the output already and goes to another place there.
        companion: it is not of the photo itself.
        of: the photo; None where a crash left only the journal to tell.
    """

    filing: int
    entry: int
    what: Filing
    staging: Path
    again: bool
    companion: bool
    of: Scored | None = None

    @property
    def step(self) -> Step:
        return Step(self.what, self.staging)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a planned filing."""

    of: Planned
    outcome: Placed | OSError

    @property
    def is_gone(self) -> bool:
        """A companion that is no longer there. Its photo goes without it."""
        gone = isinstance(self.outcome, FileNotFoundError) and not self.of.again
        return gone and self.of.companion and not _lies(self.of.what.source)

    @property
    def is_full(self) -> bool:
        """The disk had no room for it."""
        return isinstance(self.outcome, OSError) and self.outcome.errno in FULL


@dataclass(frozen=True, slots=True)
class PutAgain:
    """A file that an undo put back and that is in the output again, and why."""

    placed: Placed
    why: str


def by_set(done: Sequence[tuple[Planned, Placed | OSError]]) -> Iterator[list[Done]]:
    """What became of each set, in the order of the first file of each."""
    sets: dict[int, list[Done]] = {}
    for each, outcome in done:
        sets.setdefault(each.entry, []).append(Done(each, outcome))
    yield from sets.values()


def take_back_set(members: Sequence[Done]) -> dict[int, Placed]:
    """Take the placed files of a set back, as others could not be placed. Returns those for which that failed."""
    return {
        each.of.filing: each.outcome
        for each in members
        if isinstance(each.outcome, Placed) and take_back(each.of.step, each.outcome) is not None
    }


def put_again(pairs: Sequence[tuple[Planned, str | None]]) -> dict[int, PutAgain]:
    """After an undo: where a file of a set could not be put back, the others of the set go to the output again.

    Args:
        pairs: the files of sets, each with None where it was put back, else why it was not.

    Returns what lies in the output again, by the ids of the filings.
    """
    stuck = {
        each.entry: f"{each.what.destination.name}, which belongs to it: {problem}"
        for each, problem in pairs
        if problem is not None
    }
    found = {}
    for each, problem in pairs:
        if problem is None and each.entry in stuck:
            outcome = attempt(each.step)
            if isinstance(outcome, Placed):
                found[each.filing] = PutAgain(outcome, stuck[each.entry])
    return found


def failure_of_set(members: Sequence[Done]) -> Failure:
    """Why a set stays where it is: what became of the photo itself, if that failed, comes first."""
    failed = [(each.of, each.outcome) for each in members if isinstance(each.outcome, OSError)]
    first, error = min(failed, key=lambda each: each[0].companion)
    failure = _failure(error)
    return about_companion(first.what.source, failure) if first.companion else failure


def about_companion(companion: Path, failure: Failure) -> Failure:
    """A photo that is not filed, as its companion cannot be."""
    return Failure(Reason.NOT_FILED, f"{companion.name}, which belongs to it: {failure.message}")


def identity_of(photo: Photo) -> FileIdentity | ObjectIdentity | Failure:
    """What tells after a crash that it is still the same file. An object is looked at when it is copied."""
    if isinstance(photo.path, Address):
        return ObjectIdentity(photo.size, photo.mtime_ns)
    try:
        status = photo.path.stat()
    except OSError as error:
        return _failure(error)
    if (status.st_size, status.st_mtime_ns) != (photo.size, photo.mtime_ns):
        return Failure(Reason.NOT_FILED, store.CHANGED)
    return FileIdentity.of(status)


def identity_now(kept: KeptCompanion) -> FileIdentity | ObjectIdentity | Failure:
    """As `identity_of` for a companion. One on a disk may have changed since it was found: no scores depend on it."""
    if isinstance(kept.path, Address):
        return ObjectIdentity(kept.size, kept.mtime_ns)
    try:
        return FileIdentity.of(kept.path.stat())
    except OSError as error:
        return _failure(error)


def _lies(path: Path) -> bool:
    return path.holds_object() if isinstance(path, Address) else os.path.lexists(path)


def _failure(error: OSError) -> Failure:
    if isinstance(error, FileNotFoundError):
        return Failure(Reason.VANISHED, "the file is no longer there")
    return Failure(Reason.NOT_FILED, error.strerror or str(error))
