"""Put photos in the folders of their labels, a batch at a time: planned in the journal, done, then marked done."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sorter.address import Address
from sorter.output import disk, store
from sorter.output.disk import FileIdentity, Filing, ObjectIdentity, Placed
from sorter.output.execute import Executor, Step, ThreadExecutor, move_inside
from sorter.output.journal import FOLDER, Filed, Journal, PhotoRow
from sorter.output.layout import FLAT, FolderLayout
from sorter.output.names import FreeNames
from sorter.photos.shot import Shot, read_shot
from sorter.types import ActionKind, Decision, Failure, Photo, Reason, Result, Scores, SorterError

FULL = (errno.ENOSPC, errno.EDQUOT)
TRIES = 3


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
class _Planned:
    filing: int
    entry: int
    of: Scored
    what: Filing
    again: bool  # the photo is in the output already and goes to another folder there


class Filer:
    """Files photos in one output folder.

    Args:
        journal: of that folder.
        kind: what to do with the photos.
        layout: which folder a photo goes to.
        by_label: give each label a folder. Else all photos go into the output itself.
        dry: plan only. The journal, a temporary one, then holds where photos would have gone.
        executor: what carries out the filings; None for threads of this process.
        relative_links: symbolic links name the photo as seen from the link.
    """

    def __init__(
        self,
        journal: Journal,
        kind: ActionKind,
        layout: FolderLayout = FLAT,
        dry: bool = False,
        by_label: bool = True,
        executor: Executor | None = None,
        relative_links: bool = False,
    ) -> None:
        self._journal = journal
        self._out = journal.out
        self._kind = kind
        self._layout = layout
        self._relative_links = relative_links
        self._by_label = by_label
        self._dry = dry
        self._staging = self._out / FOLDER / "staging"
        self._ask_store = False  # for names, before one was in use
        self._threads = ThreadExecutor(self._out)
        self._executor: Executor = executor or self._threads

    def close(self) -> None:
        self._threads.close()

    def file(self, batch: Sequence[Scored | Result[Scores]]) -> list[int]:
        """Write a batch to the journal in its order, failures too, and put its scored photos in their folders.

        A photo that cannot be filed becomes a failed row and stays where it is. Returns the ids in the journal.

        Raises:
            SorterError: the disk is full.
            JournalError: the journal cannot be written.
        """
        batch = self._with_shots(batch)
        rows = [_row(item) for item in batch]
        with self._journal.transaction():
            entries = self._journal.write(rows)
            pairs = zip(entries, batch, strict=True)
            steps = self._plan([(entry, item) for entry, item in pairs if isinstance(item, Scored)])
        for _ in range(TRIES):
            if not steps:
                return entries
            steps = self._do(steps)
        with self._journal.transaction():
            for step in steps:
                self._leave(step)
                message = "every name that was tried was taken in the meantime"
                self._journal.not_filed(step.entry, Failure(Reason.NOT_FILED, message))
        return entries

    def recover(self, go_on: bool) -> None:
        """Finish or drop the filings that a crash or a full disk stopped halfway.

        Args:
            go_on: carry out what was planned, under the name that was given out then. The run then ends as it would
                have without the stop. Else drop what was not done.

        Raises:
            SorterError: the disk is (still) full.
        """
        with self._journal.transaction():
            unfinished = self._journal.unfinished()
            if self._dry:  # another run may be at work on them
                for filed in unfinished:
                    self._forget(filed)
                return
            outcomes = self._threads.recover(unfinished, [*map(self._step, unfinished)], go_on)
            for filed, outcome in zip(unfinished, outcomes, strict=True):
                if filed.state != "undoing":
                    self._recover_filing(filed, outcome)
                elif outcome is None:
                    self._journal.unfiled(filed.id)
                else:
                    self._journal.stays(filed.id)

    def _recover_filing(self, filed: Filed, outcome: Placed | OSError | None) -> None:
        if isinstance(outcome, Placed):
            self._journal.filed({filed.id: outcome})
            return
        if outcome is not None and outcome.errno in FULL:
            raise self._full(outcome)
        self._forget(filed)
        if outcome is not None:  # a failed photo is tried again, under a new name
            self._journal.not_filed(filed.entry, _failure(outcome))

    def _forget(self, filed: Filed) -> None:
        if filed.state == "planned":
            self._journal.unfiled(filed.id)
        else:
            self._journal.stays(filed.id)

    def undo(self, batch: Sequence[Filed]) -> list[str | None]:
        """Undo filings. The outcomes are in their order: None, or why a file was left where it is."""
        with self._journal.transaction():
            for filed in batch:
                self._journal.plan_undo(filed.id)
        outcomes = self._threads.revert(batch, [*map(self._step, batch)])
        for folder in {filed.filing.source.parent for filed in batch if filed.filing.kind is ActionKind.MOVE}:
            if not isinstance(folder, Address) and folder.exists():
                disk.sync_folder(folder)
        with self._journal.transaction():
            for filed, problem in zip(batch, outcomes, strict=True):
                if problem is None:
                    self._journal.unfiled(filed.id)
                else:
                    self._journal.stays(filed.id)
        return outcomes

    # -- one step each -----------------------------------------------------------------------------------------

    def _plan(self, batch: Sequence[tuple[int, Scored]]) -> list[_Planned]:
        """Give out names in the order of the batch, and write the plans down. A photo without a plan stays."""
        going = [(entry, scored, self._wanted(scored)) for entry, scored in batch if self._goes(scored)]
        names = FreeNames(self._journal, [wanted for *_, wanted in going], self._ask_store)
        planned: list[tuple[int, Scored, Filing, int | None]] = []
        for entry, scored, wanted in going:
            if scored.current is not None and scored.filing is not None:
                destination = names.give(wanted)
                self._journal.plan_again(scored.filing, destination)
                planned.append((entry, scored, move_inside(scored.current, destination), scored.filing))
                continue
            identity = _identity(scored.photo)
            if isinstance(identity, Failure):
                self._journal.not_filed(entry, identity)
                continue
            what = Filing(self._kind, scored.photo.path, names.give(wanted), identity, self._relative_links)
            planned.append((entry, scored, what, None))
        new = iter(
            self._journal.plan([(entry, what) for entry, _, what, filing in planned if filing is None])
        )
        return [
            _Planned(next(new) if filing is None else filing, entry, scored, what, again=filing is not None)
            for entry, scored, what, filing in planned
        ]

    def _goes(self, scored: Scored) -> bool:
        if scored.current is not None and scored.filing is not None:
            return scored.current.parent != self._wanted(scored).parent
        return self._kind is not ActionKind.NONE

    def _wanted(self, scored: Scored) -> Path:
        if scored.wanted is not None:
            return scored.wanted
        label = scored.decision.label if self._by_label else ""
        folder = self._layout.folder(label, scored.photo.relative, scored.shot)
        return self._out / folder / scored.photo.path.name

    def _with_shots(self, batch: Sequence[Scored | Result[Scores]]) -> list[Scored | Result[Scores]]:
        """The batch, with what the layout asks for."""
        if not self._layout.needs_shot:
            return [*batch]

        def with_shot(item: Scored | Result[Scores]) -> Scored | Result[Scores]:
            if isinstance(item, Result) or item.shot is not None:
                return item
            lies = item.photo if item.current is None else replace(item.photo, path=item.current)
            return replace(item, shot=read_shot(lies))

        return self._threads.map(with_shot, batch)

    def _do(self, steps: list[_Planned]) -> list[_Planned]:
        """Carry out plans. Returns those to do again under another name."""
        outcomes = self._apply(steps)
        placed: dict[int, Placed] = {}
        if not self._dry:
            for folder in {step.what.destination.parent for step in steps}:
                if not isinstance(folder, Address) and folder.exists():
                    disk.sync_folder(folder)
        full, again = None, []
        with self._journal.transaction():
            for step, outcome in zip(steps, outcomes, strict=True):
                if isinstance(outcome, Placed):
                    placed[step.filing] = outcome
                    continue
                if outcome.errno in FULL:
                    full = outcome  # stays planned, and is done when the command is given again
                    continue
                self._journal.filed(placed)  # which may have left a name that is now free
                placed.clear()
                self._leave(step)
                if isinstance(outcome, FileExistsError):
                    self._ask_store = True
                    again += self._plan([(step.entry, step.of)])
                    self._ask_store = False
                else:
                    self._journal.not_filed(step.entry, _failure(outcome))
            self._journal.filed(placed)
        if full is not None:
            raise self._full(full)
        return again

    def _full(self, error: OSError) -> SorterError:
        return SorterError(
            f"{self._out}: {error.strerror}; free some space and give the same command again, "
            "it goes on where it stopped"
        )

    def _apply(self, steps: list[_Planned]) -> list[Placed | OSError]:
        if self._dry:
            return [Placed(0, 0)] * len(steps)
        return self._executor.apply([Step(step.what, self._staging_file(step.filing)) for step in steps])

    def _leave(self, step: _Planned) -> None:
        if step.again:
            self._journal.stays(step.filing)
        else:
            self._journal.unfiled(step.filing)

    def _step(self, filed: Filed) -> Step:
        filing = replace(filed.filing, relative_link=self._relative_links)
        return Step(filing, self._staging_file(filed.id))

    def _staging_file(self, filing: int) -> Path:
        return self._staging / f"{filing}.part"


def _row(item: Scored | Result[Scores]) -> PhotoRow:
    if isinstance(item, Scored):
        return PhotoRow(item.photo, (item.scores, item.decision), item.filing, item.shot)
    if not isinstance(item.outcome, Failure):
        raise TypeError(f"{item.photo.path}: has scores, and nobody decided on them")
    return PhotoRow(item.photo, item.outcome)


def _identity(photo: Photo) -> FileIdentity | ObjectIdentity | Failure:
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


def _failure(error: OSError) -> Failure:
    if isinstance(error, FileNotFoundError):
        return Failure(Reason.VANISHED, "the file is no longer there")
    return Failure(Reason.NOT_FILED, error.strerror or str(error))
