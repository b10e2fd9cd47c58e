"""Decisions -> photos in folders, a batch at a time: planned in the journal, done, then marked done."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sorter import actions
from sorter.actions import CannotUndo, Filing, Placed
from sorter.journal import FOLDER, Filed, Journal
from sorter.types import ActionKind, Decision, Failure, Photo, Reason, Result, Scores, SorterError

FULL = (errno.ENOSPC, errno.EDQUOT)
TRIES = 3


@dataclass(frozen=True, slots=True)
class Scored:
    """A photo on its way from the model to its folder.

    Attributes:
        filing: the filing that put it where it is now, or None.
        current: where it is now in the output, absolute, or None.
        wanted: a path to file it under, or beside under the next free name, instead of its label's folder; it may
            lie outside the output.
    """

    photo: Photo
    scores: Scores
    decision: Decision
    filing: int | None = None
    current: Path | None = None
    wanted: Path | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    filing: int
    entry: int
    of: Scored
    what: Filing
    again: bool  # it is in the output already and goes to another folder there


class Filer:
    """Files photos in one output folder.

    Args:
        journal: of that folder.
        kind: what to do with the photos.
        tree: keep the folders that the photos came in.
        by_label: give each label a folder; else all go into the output itself.
        dry: plan only; the journal (a throw-away one) then holds where photos would have gone.
    """

    def __init__(
        self,
        journal: Journal,
        kind: ActionKind,
        tree: bool = False,
        dry: bool = False,
        by_label: bool = True,
    ) -> None:
        self._journal = journal
        self._out = journal.out
        self._kind = kind
        self._tree = tree
        self._by_label = by_label
        self._dry = dry
        self._staging = self._out / FOLDER / "staging"
        # Copies wait for the disk, not for the processor.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="sorter-filing")

    def close(self) -> None:
        self._threads.shutdown()

    def file(self, batch: Sequence[Scored | Result[Scores]]) -> None:
        """Write down a batch in its order, failures too, and put its scored photos in their folders.

        A photo that cannot be filed becomes a failed row and stays where it is.

        Raises:
            SorterError: the disk is full.
            JournalError: the journal cannot be written.
        """
        steps = []
        with self._journal.transaction():
            for item in batch:
                if isinstance(item, Scored):
                    entry = self._journal.scored(item.photo, item.scores, item.decision, item.filing)
                    if step := self._plan(entry, item):
                        steps.append(step)
                elif isinstance(item.outcome, Failure):
                    self._journal.failed(item.photo, item.outcome)
        for _ in range(TRIES):
            steps = self._do(steps)
            if not steps:
                return
        with self._journal.transaction():
            for step in steps:
                self._leave(step)
                message = "every name tried was taken at the last moment"
                self._journal.not_filed(step.entry, Failure(Reason.NOT_FILED, message))

    def recover(self, go_on: bool) -> None:
        """Bring what a crash or a full disk stopped halfway to one end or the other.

        Args:
            go_on: do what was planned, under the name that was given out then, so that a run that goes on ends
                as it would have; else leave undone what was not done.

        Raises:
            SorterError: the disk is (still) full.
        """
        with self._journal.transaction():
            for filed in self._journal.unfinished():
                if self._dry:  # another run may be at work on them
                    self._forget(filed)
                elif filed.state == "undoing":
                    if actions.was_reverted(filed.filing, self._staging_file(filed.id)):
                        self._journal.unfiled(filed.id)
                    else:
                        self._journal.stays(filed.id)
                else:
                    self._recover_filing(filed, go_on)

    def _recover_filing(self, filed: Filed, go_on: bool) -> None:
        what, staging = filed.filing, self._staging_file(filed.id)
        if filed.pending is not None:
            what = _move_inside(what.destination, filed.pending)
        outcome: Placed | OSError | None = None
        if actions.was_done(what, staging):
            outcome = actions.placed_at(what.destination)
        elif go_on:
            outcome = self._apply(what, staging)
        if isinstance(outcome, Placed):
            self._journal.filed(filed.id, outcome)
            return
        if outcome is not None and outcome.errno in FULL:
            raise self._full(outcome)
        self._forget(filed)
        if outcome is not None:  # what is left as failed is tried again, and then under a new name
            self._journal.not_filed(filed.entry, _failure(outcome))

    def _forget(self, filed: Filed) -> None:
        if filed.state == "planned":
            self._journal.unfiled(filed.id)
        else:
            self._journal.stays(filed.id)

    def undo(self, batch: Sequence[Filed]) -> Iterator[tuple[Filed, str | None]]:
        """Take filings back; yields each with None, or with why it was left."""
        with self._journal.transaction():
            for filed in batch:
                self._journal.plan_undo(filed.id)
        outcomes = list(self._threads.map(self._revert, batch))
        for folder in {filed.filing.source.parent for filed in batch if filed.filing.kind is ActionKind.MOVE}:
            if folder.exists():
                actions.sync_folder(folder)
        with self._journal.transaction():
            for filed, problem in zip(batch, outcomes, strict=True):
                if problem is None:
                    self._journal.unfiled(filed.id)
                else:
                    self._journal.stays(filed.id)
        yield from zip(batch, outcomes, strict=True)

    # -- one step each -----------------------------------------------------------------------------------------

    def _plan(self, entry: int, scored: Scored) -> _Step | None:
        folder = self._out / scored.decision.label if self._by_label else self._out
        if self._tree:
            folder = folder / scored.photo.relative.parent
        wanted = scored.wanted or folder / scored.photo.path.name
        if scored.current is not None and scored.filing is not None:
            if scored.current.parent == wanted.parent:
                return None
            destination = self._free(wanted)
            self._journal.plan_again(scored.filing, destination)
            what = _move_inside(scored.current, destination)
            return _Step(scored.filing, entry, scored, what, again=True)
        if self._kind is ActionKind.NONE:
            return None
        try:
            status = scored.photo.path.stat()
        except OSError as error:
            self._journal.not_filed(entry, _failure(error))
            return None
        if (status.st_size, status.st_mtime_ns) != (scored.photo.size, scored.photo.mtime_ns):
            message = "changed since it was looked at; the same command again looks anew"
            self._journal.not_filed(entry, Failure(Reason.NOT_FILED, message))
            return None
        destination = self._free(wanted)
        what = Filing(self._kind, scored.photo.path, destination, status.st_dev, status.st_ino)
        return _Step(self._journal.plan(entry, what), entry, scored, what, again=False)

    def _free(self, wanted: Path) -> Path:
        return actions.free_name(wanted.parent, wanted.name, self._taken)

    def _taken(self, path: Path) -> bool:
        return self._journal.holds(path) or path.is_symlink() or path.exists()

    def _do(self, steps: list[_Step]) -> list[_Step]:
        """Carry out planned steps; returns those to do again under another name."""
        outcomes = list(self._threads.map(self._apply_step, steps))
        if not self._dry:
            for folder in {step.what.destination.parent for step in steps}:
                if folder.exists():
                    actions.sync_folder(folder)
        full, again = None, []
        with self._journal.transaction():
            for step, outcome in zip(steps, outcomes, strict=True):
                if isinstance(outcome, Placed):
                    self._journal.filed(step.filing, outcome)
                    continue
                if outcome.errno in FULL:
                    full = outcome  # stays planned, and is done when the command is given again
                    continue
                self._leave(step)
                if isinstance(outcome, FileExistsError):
                    if new := self._plan(step.entry, step.of):
                        again.append(new)
                else:
                    self._journal.not_filed(step.entry, _failure(outcome))
        if full is not None:
            raise self._full(full)
        return again

    def _full(self, error: OSError) -> SorterError:
        return SorterError(
            f"{self._out}: {error.strerror}; free some space and give the same command again, "
            "it goes on where it stopped"
        )

    def _apply_step(self, step: _Step) -> Placed | OSError:
        return Placed(0, 0) if self._dry else self._apply(step.what, self._staging_file(step.filing))

    def _apply(self, what: Filing, staging: Path) -> Placed | OSError:
        try:
            staging.parent.mkdir(parents=True, exist_ok=True)
            return actions.apply(what, staging)
        except OSError as error:
            return error

    def _revert(self, filed: Filed) -> str | None:
        try:
            actions.revert(filed.filing, filed.placed, self._staging_file(filed.id))
        except CannotUndo as error:
            return str(error)
        except OSError as error:
            return error.strerror or str(error)
        return None

    def _leave(self, step: _Step) -> None:
        if step.again:
            self._journal.stays(step.filing)
        else:
            self._journal.unfiled(step.filing)

    def _staging_file(self, filing: int) -> Path:
        return self._staging / f"{filing}.part"


def _move_inside(current: Path, destination: Path) -> Filing:
    """Inside the output a photo, or the link to it, is simply renamed."""
    return Filing(ActionKind.MOVE, current, destination, 0, 0)


def _failure(error: OSError) -> Failure:
    if isinstance(error, FileNotFoundError):
        return Failure(Reason.VANISHED, "the file is no longer there")
    return Failure(Reason.NOT_FILED, error.strerror or str(error))
