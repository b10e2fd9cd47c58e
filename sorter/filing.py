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
    """

    photo: Photo
    scores: Scores
    decision: Decision
    filing: int | None = None
    current: Path | None = None


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
        dry: plan only; the journal (a throw-away one) then holds where photos would have gone.
    """

    def __init__(self, journal: Journal, kind: ActionKind, tree: bool = False, dry: bool = False) -> None:
        self._journal = journal
        self._out = journal.out
        self._kind = kind
        self._tree = tree
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

    def recover(self) -> None:
        """Bring what a crash stopped halfway to one end or the other."""
        with self._journal.transaction():
            for filed in self._journal.unfinished():
                staging = self._staging_file(filed.id)
                if filed.state == "planned":
                    done = actions.was_done(filed.filing, staging)
                elif filed.state == "undoing":
                    done = not actions.was_reverted(filed.filing, staging)
                elif filed.pending is not None and actions.was_done(_refiling(filed), staging):
                    self._journal.filed(filed.id, filed.placed)
                    continue
                else:
                    self._journal.stays(filed.id)
                    continue
                if not done:
                    self._journal.unfiled(filed.id)
                elif filed.state == "planned":
                    self._journal.filed(filed.id, actions.placed_at(filed.filing.destination))
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
        folder = self._out / scored.decision.label
        if self._tree:
            folder = folder / scored.photo.relative.parent
        if scored.current is not None and scored.filing is not None:
            if scored.current.parent == folder:
                return None
            destination = self._free(folder, scored.photo)
            self._journal.plan_again(scored.filing, destination)
            # Inside the output a photo, or the link to it, is simply renamed.
            what = Filing(ActionKind.MOVE, scored.current, destination, 0, 0)
            return _Step(scored.filing, entry, scored, what, again=True)
        if self._kind is ActionKind.NONE:
            return None
        try:
            status = scored.photo.path.stat()
        except OSError as error:
            self._journal.not_filed(entry, _failure(error))
            return None
        destination = self._free(folder, scored.photo)
        what = Filing(self._kind, scored.photo.path, destination, status.st_dev, status.st_ino)
        return _Step(self._journal.plan(entry, what), entry, scored, what, again=False)

    def _free(self, folder: Path, photo: Photo) -> Path:
        return actions.free_name(folder, photo.path.name, self._taken)

    def _taken(self, path: Path) -> bool:
        return self._journal.holds(path) or path.is_symlink() or path.exists()

    def _do(self, steps: list[_Step]) -> list[_Step]:
        """Carry out planned steps; returns those to do again under another name."""
        outcomes = list(self._threads.map(self._apply, steps))
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
                self._leave(step)
                if isinstance(outcome, FileExistsError):
                    if new := self._plan(step.entry, step.of):
                        again.append(new)
                elif outcome.errno in FULL:
                    full = outcome  # stays unfiled, and is filed when the command is given again
                else:
                    self._journal.not_filed(step.entry, _failure(outcome))
        if full is not None:
            raise SorterError(
                f"{self._out}: {full.strerror}; free some space and give the same command again, "
                "it goes on where it stopped"
            )
        return again

    def _apply(self, step: _Step) -> Placed | OSError:
        if self._dry:
            return Placed(0, 0)
        staging = self._staging_file(step.filing)
        try:
            staging.parent.mkdir(parents=True, exist_ok=True)
            return actions.apply(step.what, staging)
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


def _refiling(filed: Filed) -> Filing:
    destination = filed.pending or filed.filing.destination
    return Filing(ActionKind.MOVE, filed.filing.destination, destination, 0, 0)


def _failure(error: OSError) -> Failure:
    if isinstance(error, FileNotFoundError):
        return Failure(Reason.VANISHED, "the file is no longer there")
    return Failure(Reason.NOT_FILED, error.strerror or str(error))
