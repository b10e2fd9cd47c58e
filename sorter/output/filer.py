"""Put photos in the folders of their labels, a batch at a time: planned in the journal, done, then marked done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sorter.address import Address
from sorter.output import disk
from sorter.output.disk import Filing, Placed
from sorter.output.execute import Executor, ThreadExecutor, move_inside
from sorter.output.journal import FOLDER, Filed, Journal, KeptCompanion, PhotoRow
from sorter.output.layout import FLAT, FolderLayout
from sorter.output.names import FreeNames, name_beside
from sorter.output.together import (
    Done,
    Going,
    Planned,
    Scored,
    about_companion,
    by_set,
    failure_of_set,
    identity_now,
    identity_of,
    put_again,
    take_back_set,
)
from sorter.photos.shot import read_shot
from sorter.types import ActionKind, Failure, Photo, Reason, Result, Scores, SorterError

__all__ = ["Filer", "Scored"]

TRIES = 3


class Filer:
    """Files photos in one output folder, each with its companions: all of a set or nothing of it.

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

        A photo that cannot be filed becomes a failed row and stays where it is, with its companions. Returns the ids
        in the journal.

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

    # -- after a crash -----------------------------------------------------------------------------------------

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
            steps = self._planned(unfinished)
            if self._dry:  # another run may be at work on them
                for step in steps:
                    self._leave(step)
                return
            outcomes = self._threads.recover(unfinished, [each.step for each in steps], go_on)
            told = [*zip(unfinished, steps, outcomes, strict=True)]
            self._recover_undo([(filed, outcome) for filed, _, outcome in told if filed.state == "undoing"])
            done = [(step, outcome) for filed, step, outcome in told if filed.state != "undoing"]
            for step, outcome in done:
                if outcome is None:
                    self._leave(step)
            for members in by_set([(step, outcome) for step, outcome in done if outcome is not None]):
                if not self._settled(members):  # a failed photo is tried again, under a new name
                    self._raise_full(members)
                    self._journal.not_filed(members[0].of.entry, failure_of_set(members))

    def _recover_undo(self, told: Sequence[tuple[Filed, Placed | OSError | None]]) -> None:
        """A set of which one file was put back is put back as a whole."""
        batch = [filed for filed, _ in told]
        of_sets = self._journal.set_filings([filed.entry for filed in batch])
        begun = {filed.entry for filed, outcome in told if outcome is None and filed.id in of_sets}
        problems: list[str | None] = [None if outcome is None else "stays" for _, outcome in told]
        rest = [
            at
            for at, filed in enumerate(batch)
            if problems[at] and filed.id in of_sets and filed.entry in begun
        ]
        tried = self._revert([batch[at] for at in rest])
        for at, problem in zip(rest, tried, strict=True):
            problems[at] = problem
        self._undone(batch, problems)

    # -- undo --------------------------------------------------------------------------------------------------

    def undo(self, batch: Sequence[Filed]) -> list[str | None]:
        """Undo filings. The outcomes are in their order: None, or why a file was left where it is.

        Args:
            batch: of each set all that is in the output.
        """
        with self._journal.transaction():
            for filed in batch:
                self._journal.plan_undo(filed.id)
        outcomes = self._revert(batch)
        for folder in {filed.filing.source.parent for filed in batch if filed.filing.kind is ActionKind.MOVE}:
            if not isinstance(folder, Address) and folder.exists():
                disk.sync_folder(folder)
        with self._journal.transaction():
            return self._undone(batch, outcomes)

    def _revert(self, batch: Sequence[Filed]) -> list[str | None]:
        return self._threads.revert(batch, [each.step for each in self._planned(batch)])

    def _undone(self, batch: Sequence[Filed], problems: Sequence[str | None]) -> list[str | None]:
        """Mark filings as undone or as left where they are. Returns the problems, those of a torn set's others, too."""
        of_sets = self._journal.set_filings([filed.entry for filed in batch])
        pairs = [*zip(self._planned(batch), problems, strict=True)]
        again = put_again([(each, problem) for each, problem in pairs if each.filing in of_sets])
        found: list[str | None] = []
        for filed, problem in zip(batch, problems, strict=True):
            if filed.id in again:
                problem = again[filed.id].why
                self._journal.filed({filed.id: again[filed.id].placed})
            elif problem is None:
                self._journal.unfiled(filed.id)
            else:
                self._journal.stays(filed.id)
            found.append(problem)
        return found

    # -- plans -------------------------------------------------------------------------------------------------

    def _plan(self, batch: Sequence[tuple[int, Scored]]) -> list[Planned]:
        """Give out names in the order of the batch, and write the plans down. A photo without a plan stays."""
        kept = self._journal.companions_of([entry for entry, scored in batch if scored.photo.companions])
        sets = [(entry, scored, self._going(entry, scored, kept.get(entry, []))) for entry, scored in batch]
        wanted = [each.wanted for *_, files in sets for each in files]
        names = FreeNames(self._journal, wanted, self._ask_store)
        if isinstance(self._out, Address):
            asked = [each.wanted for *_, files in sets if len(files) > 1 for each in files]
            names.looked_up(
                dict(zip(asked, self._threads.map(lambda path: path.exists(), asked), strict=True))
            )
        planned: list[Planned] = []
        for entry, scored, files in sets:
            own = {each.now for each in files}
            places = names.give_together([each.wanted for each in files], own)
            for each, place in zip(files, places, strict=True):
                if place == each.now:
                    continue
                again = each.filing is not None
                what = move_inside(each.now, place) if again else self._filing(each, place)
                planned.append(Planned(each.filing or 0, entry, what, Path(), again, each.companion, scored))
        return self._written(planned)

    def _written(self, planned: Sequence[Planned]) -> list[Planned]:
        """The plans with their ids, once they are in the journal."""
        new = iter(self._journal.plan([(each.entry, each.what) for each in planned if not each.again]))
        found = []
        for each in planned:
            number = each.filing if each.again else next(new)
            if each.again:
                self._journal.plan_again(number, each.what.destination)
            found.append(replace(each, filing=number, staging=self._staging_file(number)))
        self._journal.plan_companions(
            {each.what.source: each.filing for each in found if each.companion and not each.again}
        )
        return found

    def _filing(self, going: Going, place: Path) -> Filing:
        return Filing(self._kind, going.now, place, going.identity, self._relative_links)

    def _going(self, entry: int, scored: Scored, kept: Sequence[KeptCompanion]) -> list[Going]:
        """The files of a set that get a new place, the photo first. None of them where one cannot go."""
        wanted, goes = self._wanted(scored), self._goes(scored)
        files: list[Going | Failure] = []
        if goes:
            files.append(self._photo(scored, wanted))
        elif scored.current is None or self._kind is ActionKind.NONE:
            return []
        else:  # what became its companion after it was filed follows it
            wanted, kept = scored.current, [each for each in kept if each.filing is None]
        companions = (self._companion(scored.photo, wanted, each) for each in kept)
        files += [each for each in companions if each is not None]
        failure = next((each for each in files if isinstance(each, Failure)), None)
        if failure is not None and goes:
            self._journal.not_filed(entry, failure)
        return [] if failure is not None else [each for each in files if isinstance(each, Going)]

    def _photo(self, scored: Scored, wanted: Path) -> Going | Failure:
        if scored.current is not None and scored.filing is not None:
            return Going(scored.current, wanted, scored.filing)
        identity = identity_of(scored.photo)
        return identity if isinstance(identity, Failure) else Going(scored.photo.path, wanted, None, identity)

    def _companion(self, photo: Photo, wanted: Path, kept: KeptCompanion) -> Going | Failure | None:
        """None for one that is no longer there."""
        place = wanted.with_name(name_beside(kept.path.name, photo.path.name, wanted.name))
        if kept.filing is not None:
            return Going(kept.now, place, kept.filing, companion=True)
        identity = identity_now(kept)
        if not isinstance(identity, Failure):
            return Going(kept.path, place, None, identity, companion=True)
        if identity.reason is not Reason.VANISHED:
            return about_companion(kept.path, identity)
        self._journal.forget_companion(kept.path)
        return None

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

    # -- one step each -----------------------------------------------------------------------------------------

    def _do(self, steps: list[Planned]) -> list[Planned]:
        """Carry out plans. Returns those to do again under another name."""
        outcomes = self._apply(steps)
        if not self._dry:
            for folder in {step.what.destination.parent for step in steps}:
                if not isinstance(folder, Address) and folder.exists():
                    disk.sync_folder(folder)
        failed: list[list[Done]] = []
        again: list[Planned] = []
        with self._journal.transaction():
            placed: dict[int, Placed] = {}
            for members in by_set([*zip(steps, outcomes, strict=True)]):
                if all(isinstance(each.outcome, Placed) for each in members):
                    placed |= {
                        each.of.filing: each.outcome for each in members if isinstance(each.outcome, Placed)
                    }
                else:
                    failed.append(members)
            self._journal.filed(placed)  # which may have left a name that is now free
            for members in failed:
                if self._settled(members) or any(each.is_full for each in members):
                    continue  # what the disk had no room for stays planned, and is done with the next command
                if any(isinstance(each.outcome, FileExistsError) for each in members):
                    again += self._plan_again(members[0].of)
                else:
                    self._journal.not_filed(members[0].of.entry, failure_of_set(members))
        for members in failed:
            self._raise_full(members)
        return again

    def _settled(self, members: Sequence[Done]) -> bool:
        """Mark the files of a set as placed if all are. Else nothing of it stays, unless the disk was full.

        A companion that is gone does not count.
        """
        for each in members:
            if each.is_gone:
                self._leave(each.of)
                self._journal.forget_companion(each.of.what.source)
        members = [each for each in members if not each.is_gone]
        placed = {each.of.filing: each.outcome for each in members if isinstance(each.outcome, Placed)}
        if len(placed) < len(members) and not any(each.is_full for each in members):
            placed = take_back_set(members)
            for each in members:
                if each.of.filing not in placed:
                    self._leave(each.of)
            self._journal.filed(placed)
            return False
        self._journal.filed(placed)
        return len(placed) == len(members)

    def _plan_again(self, step: Planned) -> list[Planned]:
        """Plan a set under another name, as one of its names was taken in the meantime."""
        assert step.of is not None, "only what was just planned is planned again"
        self._ask_store = True
        try:
            return self._plan([(step.entry, step.of)])
        finally:
            self._ask_store = False

    def _raise_full(self, members: Sequence[Done]) -> None:
        """Raise SorterError where the disk had no room for a file."""
        for each in members:
            if isinstance(each.outcome, OSError) and each.is_full:
                raise SorterError(
                    f"{self._out}: {each.outcome.strerror}; free some space and give the same command again, "
                    "it goes on where it stopped"
                )

    def _apply(self, steps: list[Planned]) -> list[Placed | OSError]:
        if self._dry:
            return [Placed(0, 0)] * len(steps)
        return self._executor.apply([each.step for each in steps])

    def _leave(self, step: Planned) -> None:
        if step.again:
            self._journal.stays(step.filing)
        else:
            self._journal.unfiled(step.filing)

    def _planned(self, batch: Sequence[Filed]) -> list[Planned]:
        """Filings of the journal as they were planned."""
        companions = self._journal.companion_filings([filed.id for filed in batch])
        return [
            Planned(
                filed.id,
                filed.entry,
                self._rest_of(filed),
                self._staging_file(filed.id),
                filed.state != "planned",
                filed.id in companions,
            )
            for filed in batch
        ]

    def _rest_of(self, filed: Filed) -> Filing:
        if filed.pending is not None:
            return move_inside(filed.filing.destination, filed.pending)
        return replace(filed.filing, relative_link=self._relative_links)

    def _staging_file(self, filing: int) -> Path:
        return self._staging / f"{filing}.part"


def _row(item: Scored | Result[Scores]) -> PhotoRow:
    if isinstance(item, Scored):
        return PhotoRow(item.photo, (item.scores, item.decision), item.filing, item.shot)
    if not isinstance(item.outcome, Failure):
        raise TypeError(f"{item.photo.path}: has scores, and nobody decided on them")
    return PhotoRow(item.photo, item.outcome)
