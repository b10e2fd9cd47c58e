"""Going on where an earlier run into the same folder stopped: its journal, its settings, and which files are new."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from sorter.address import Address
from sorter.model.folder import Model
from sorter.model.rule import Rule
from sorter.output.execute import STORE_THREADS
from sorter.output.journal import Entry, Journal, Known, RunSettings, copy_journal, locked, settle
from sorter.output.journal.location import forget_journal_of_deleted_output
from sorter.output.journal.reserve import keep_room
from sorter.output.remote import download, uploaded
from sorter.output.tags import TagSettings
from sorter.photos.sets import left_by_itself
from sorter.progress import Progress
from sorter.sort.options import SortOptions
from sorter.sort.undo import undo_filings
from sorter.types import ActionKind, Failure, Photo, Reason, Result, Scores, UsageError

# These faults are in the bytes and stay until the file changes. A file with any other fault is tried again.
FINAL = frozenset({Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.TRUNCATED, Reason.CORRUPT, Reason.OTHER_FILE})


@contextmanager
def open_journal(options: SortOptions, say: Callable[[str], None]) -> Iterator[Journal]:
    """Open the output folder's journal and lock it. A dry run gets a temporary copy.

    Raises:
        JournalError: it cannot be opened, or another process is at work on the folder.
    """
    if options.dry_run:
        with tempfile.TemporaryDirectory(prefix="sorter-") as folder:
            copy = Path(folder) / "journal.db"
            if not options.fresh:
                copy_journal(options.out, copy)
            with closing(Journal.open(options.out, copy)) as journal:
                yield journal
        return
    forget_journal_of_deleted_output(options.out, options.journal)
    settle(options.out, options.journal)
    with locked(options.out):
        download(options.out, options.fresh)
        with closing(Journal.open(options.out)) as journal:
            if options.fresh:
                _start_anew(journal, say)
            keep_room(options.out)
            with uploaded(journal):
                yield journal


def _start_anew(journal: Journal, say: Callable[[str], None]) -> None:
    for problem in undo_filings(journal):
        if problem is not None:
            say(f"left where it is: {problem.path}: {problem.message}")
    with journal.transaction():
        journal.clear()


# -- settings --------------------------------------------------------------------------------------------------


def settings_of(options: SortOptions, model: Model, rule: Rule) -> RunSettings:
    """What the journal keeps of a run with these options."""
    return RunSettings(
        model=model.name,
        model_folder=model.folder,
        fingerprint=model.fingerprint,
        action=options.action,
        layout=options.layout,
        rule=rule,
        inputs=options.inputs,
        exclude=options.exclude,
        hidden=options.hidden,
        follow_symlinks=options.follow_symlinks,
        include_protected=options.include_protected,
        listing=options.listing,
        links=options.links,
        companions=options.companions,
        tags=TagSettings.parse(options.tag_prefix, options.rating),
    )


def configure(journal: Journal, new: RunSettings) -> bool:
    """Write down a run's settings. Returns whether photos of earlier runs may now belong elsewhere.

    Raises:
        UsageError: two models, or two ways of filing, would be mixed in one output folder.
    """
    old = journal.run_settings()
    stopped = journal.setting("state") == "running"
    if old is not None:
        filings = journal.filing_count()
        _check_same(journal.out, old, new, filings)
        if new.action is ActionKind.NONE and filings:
            new = replace(new, action=old.action)
    with journal.transaction():
        journal.set_run(new, "running")
        if not stopped:
            journal.set(first_filing=journal.next_filing())
    return old is None or stopped or old.rule != new.rule or old.action is not new.action


def _check_same(out: Path, old: RunSettings, new: RunSettings, filings: int) -> None:
    instead = "choose another --out, or give --fresh to take that back and start anew"
    if old.fingerprint != new.fingerprint:
        raise UsageError(f"{out}: was sorted with another model ({old.model}, not {new.model}); {instead}")
    if ActionKind.NONE not in (old.action, new.action) and old.action is not new.action:
        raise UsageError(f"{out}: was sorted with --action {old.action.value}; go on with that, {instead}")
    if old.layout != new.layout and filings:
        raise UsageError(f"{out}: was sorted with --layout {old.layout!r}; go on with that, {instead}")
    if old.links != new.links and filings and new.action is ActionKind.SYMLINK:
        raise UsageError(f"{out}: was sorted with --links {old.links}; go on with that, {instead}")


# -- files -----------------------------------------------------------------------------------------------------


class NewFiles:
    """Iterates over what a scan finds and the journal does not know yet.

    Args:
        found: the scan.
        batch: files that the journal is asked about at once.
        moves: photos will be moved, so that links to photos are skipped.
        progress: advances for each photo that is known already.
        stopped: the run before this one was stopped, and this one goes on.
    """

    def __init__(
        self,
        journal: Journal,
        found: Iterable[Photo | Result[Scores]],
        batch: int,
        moves: bool,
        progress: Progress,
        stopped: bool = False,
    ) -> None:
        self._stopped = stopped
        self._journal = journal
        self._found = found
        self._batch = batch
        self._moves = moves
        self._progress = progress
        self._pending: set[str] = set()  # paths that were given out and are not in the journal yet

    def __iter__(self) -> Iterator[Photo | Result[Scores]]:
        found = iter(self._found)
        while items := list(islice(found, self._batch)):
            yield from self._new(items)

    def written(self, results: Sequence[Result[Scores]]) -> None:
        """These are in the journal now."""
        self._pending.difference_update(str(result.photo.path) for result in results)

    def _new(self, items: list[Photo | Result[Scores]]) -> list[Photo | Result[Scores]]:
        """Those of a batch that are new. The journal is asked once for all of them."""
        new: list[Photo | Result[Scores]] = []
        photos = [item.photo if isinstance(item, Result) else item for item in items]
        paths = [photo.path for photo in photos]
        known, filed = self._journal.known(paths), self._journal.filed_companions(paths)
        if self._stopped:
            items = self._as_before(items)
        late = []
        for item, photo in zip(items, photos, strict=True):
            path = str(photo.path)
            if path in filed:  # with its photo, by an earlier run with --companions auto
                continue
            if path in self._pending or (path in known and not _is_new(known[path], item)):
                self._progress.advance(int(isinstance(item, Photo)))
                late += [photo] if photo.companions else []
                continue
            if self._moves and photo.is_link and isinstance(item, Photo):
                message = "a symbolic link, which --action move would break; move the photo it points to"
                item = Result(photo, Failure(Reason.SYMLINK, message))
            self._pending.add(path)
            new.append(item)
        self._add_companions(late)
        return new

    def _as_before(self, items: list[Photo | Result[Scores]]) -> list[Photo | Result[Scores]]:
        """The items as the run saw them that was stopped: what it left by itself stays so.

        A photo that it moved is gone by now. What could belong to that photo or to another one is no companion of
        the other one for that.
        """
        paths = [path for item in items if isinstance(item, Photo) for path in _companion_paths(item)]
        rows = self._journal.known(paths)
        alone = {path for path in paths if str(path) in rows and left_by_itself(rows[str(path)].failure)}
        return [_without(item, alone) if isinstance(item, Photo) else item for item in items]

    def _add_companions(self, photos: Sequence[Photo]) -> None:
        """Write down what became a companion of photos that the journal knows, or changed."""
        found = {photo.path.with_name(each.name): each for photo in photos for each in photo.companions}
        known = self._journal.known_companions(found)
        if all(known.get(str(path)) == each for path, each in found.items()):
            return
        with self._journal.transaction():
            for photo in photos:
                self._journal.add_companions(photo)


def _companion_paths(photo: Photo) -> list[Path]:
    return [photo.path.with_name(each.name) for each in photo.companions]


def _without(photo: Photo, alone: Collection[Path]) -> Photo:
    pairs = zip(photo.companions, _companion_paths(photo), strict=True)
    left = tuple(each for each, path in pairs if path not in alone)
    return photo if len(left) == len(photo.companions) else replace(photo, companions=left)


def _is_new(known: Known, item: Photo | Result[Scores]) -> bool:
    """Whether a file has to be decoded, given what the journal holds of it."""
    if isinstance(item, Result):
        return not known.scored and known.failure != item.outcome
    if (known.size, known.mtime_ns) != (item.size, item.mtime_ns):
        return True
    if known.scored:
        return False  # where it is not filed, that is done from the journal
    return known.failure is None or known.failure.reason not in FINAL


def forget_the_gone(journal: Journal) -> None:
    """Drop the failures of files that are no longer there, and of folders that can be read by now."""
    with journal.transaction():
        failures = journal.failures()
        with ThreadPoolExecutor(STORE_THREADS) as threads:
            while page := list(islice(failures, 1000)):
                for entry, gone in zip(page, threads.map(_is_gone, page), strict=True):
                    if gone:
                        journal.forget(entry.id)


def _is_gone(entry: Entry) -> bool:
    path = entry.photo.path
    if isinstance(path, Address):
        return not path.exists()
    readable = path.is_dir() and os.access(path, os.R_OK | os.X_OK)
    return readable or not os.path.lexists(path)
