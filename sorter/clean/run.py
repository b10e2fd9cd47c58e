"""`sorter clean`: scan, examine, compare, report and remove."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sorter.clean import remove
from sorter.clean.cache import Cache
from sorter.clean.duplicates import mark_duplicates
from sorter.clean.examine import FILE_FAULTS, Examine
from sorter.clean.filenames import junk
from sorter.clean.keep import KeptFolders
from sorter.clean.ledger import CleanLedger
from sorter.clean.options import CleanOptions, CleanSummary, csv_path, resolved, scan_of
from sorter.clean.quality import poor
from sorter.clean.records import REMOVABLE, Checked, Examined, Finding, Kind, Placement
from sorter.clean.removals import Removal, RemovalRule, companions_of, removable
from sorter.clean.report import check_ours, write_csv, write_html
from sorter.clean.unsupported import why_unsupported
from sorter.files import sha256_of
from sorter.photos.companions import COMPANIONS
from sorter.photos.protected import protected_name
from sorter.photos.sets import Families
from sorter.pipeline.pool import Pool
from sorter.pipeline.stages import Thumbnail
from sorter.progress import NoProgress, Progress
from sorter.reports import ours
from sorter.reports.cards import THUMBNAIL, Thumbnails
from sorter.system import available_cores, worker_limits
from sorter.types import PARTS, Failure, Limits, Photo, Reason, Result, SorterError


def clean(
    options: CleanOptions,
    progress: Progress | None = None,
    confirm: Callable[[int], bool] | None = None,
    show: Callable[[CleanLedger], None] | None = None,
) -> CleanSummary:
    """Find files that cannot or should not be used, and remove the chosen kinds.

    Args:
        confirm: called with the number of files before they are deleted. Without it no file is deleted.
        show: called with the findings before any file is removed.

    Raises:
        UsageError: an option is wrong, or a path does not fit it.
        SorterError: the run cannot go on. The same call goes on later.
    """
    began = time.monotonic()
    options = resolved(options)
    assert options.quarantine is not None
    check_ours(csv_path(options))
    ours.check_ours(csv_path(options).with_suffix(".html"), "--report")
    settings = f"megapixels {options.limits.megapixels:g} quick {options.quick}"
    try:
        with (
            closing(CleanLedger()) as ledger,
            closing(Cache(settings, options.cache_file)) if options.cache else nullcontext() as cache,
        ):
            return _Clean(options, ledger, cache, progress or NoProgress(), confirm, show).go(began)
    except OSError as error:
        raise SorterError(f"{error.filename or options.quarantine}: {error.strerror or error}") from error


@dataclass
class _Clean:
    options: CleanOptions
    ledger: CleanLedger
    cache: Cache | None
    progress: Progress
    confirm: Callable[[int], bool] | None
    show: Callable[[CleanLedger], None] | None
    examined: int = 0
    cached: int = 0
    _removed_earlier: dict[Path, remove.Quarantined] = field(default_factory=dict)

    def go(self, began: float) -> CleanSummary:
        options, ledger = self.options, self.ledger
        assert options.quarantine is not None
        if remove.has_journal(options.quarantine) and not options.dry_run:
            self._add_quarantined(options.quarantine)
        self._examine()
        kinds = frozenset(REMOVABLE[word] for word in options.remove)
        mark_duplicates(ledger, options.similarity, kinds, options.prefer, self.keep, self._sets)
        if self.show is not None:
            self.show(ledger)
        removed = sum(each.count for each in self._removable(kinds))
        self._remove_and_report(kinds, removed)
        return self._summary(removed, time.monotonic() - began)

    @cached_property
    def keep(self) -> KeptFolders:
        return KeptFolders(self.options.keep)

    @property
    def writes_report(self) -> bool:
        return not self.options.dry_run or self.options.report is not None

    def _remove_and_report(self, kinds: frozenset[Kind], removed: int) -> None:
        options, csv = self.options, csv_path(self.options)
        acts = not options.dry_run and (removed > 0 or options.fix_extensions)
        before = sha256_of(csv) if self.writes_report and csv.exists() else None
        try:
            if acts and options.action not in (
                "quarantine",
                "hardlink",
            ):  # a report has to exist before files are gone for good
                write_csv(self.ledger, csv)
            if acts:
                self._act(kinds, removed)
        finally:
            if self.writes_report:
                write_csv(self.ledger, csv)
        page = csv.with_suffix(".html")
        if self.writes_report and (sha256_of(csv) != before or not page.exists()):
            with self._thumbnails() as thumbnails:
                write_html(self.ledger, page, options.roots, thumbnails)

    def _summary(self, removed: int, seconds: float) -> CleanSummary:
        options, ledger = self.options, self.ledger
        assert options.quarantine is not None
        csv, groups = csv_path(options), ledger.group_counts()
        return CleanSummary(
            counts=ledger.counts(),
            reasons=ledger.reasons(),
            groups=groups.groups,
            across_splits=groups.across_splits,
            across_classes=groups.across_classes,
            similar_groups=groups.similar,
            actions=ledger.actions(),
            would_remove=removed,
            examined=self.examined,
            cached=self.cached,
            seconds=seconds,
            quarantine=options.quarantine if remove.has_journal(options.quarantine) else None,
            report=csv if self.writes_report else None,
            page=csv.with_suffix(".html") if self.writes_report else None,
            dry_run=options.dry_run,
        )

    @contextmanager
    def _thumbnails(self) -> Iterator[Thumbnails]:
        """Make thumbnails in workers that start with the first picture."""
        limits = worker_limits(self.options.limits, self.workers)
        pools: list[Pool[bytes]] = []

        def make(photos: Iterable[Photo]) -> Iterable[Result[bytes]]:
            wanted = list(photos)
            if wanted and not pools:
                stage = Thumbnail(THUMBNAIL, limits)
                pools.append(Pool(stage, self.workers, limits))
            return pools[0].run(wanted) if wanted else ()

        try:
            yield make
        finally:
            for pool in pools:
                pool.close()

    @property
    def workers(self) -> int:
        return self.options.workers or available_cores()

    def _add_quarantined(self, quarantine: Path) -> None:
        """Finish the moves of a stopped run, and add the files in the quarantine to the ledger."""
        for each in remove.recover(quarantine):
            path = each.photo.path
            if self.options.listing is not None:
                self._removed_earlier[path] = each  # a row, if the list names it
            elif any(root == path or root in path.parents for root in self.options.inputs):
                self._add_removed(each)

    def _add_removed(self, each: remove.Quarantined) -> None:
        known = self.cache.get(each.photo) if self.cache else None
        findings = self._findings(known) if known else ()
        if not any(finding.kind.value == each.verdict for finding in findings):
            findings = (Finding(Kind(each.verdict), "earlier", "found by an earlier run"), *findings)
        self.ledger.add(each.photo, known, findings, self._placement(each.photo), each.destination)

    def _examine(self) -> None:
        limits = worker_limits(self.options.limits, self.workers)
        stage = Examine(limits, self.options.quick)
        for photo, outcome in self._outcomes(stage, limits):
            if isinstance(outcome, Failure):
                self.ledger.add(photo, None, (_failed(photo, outcome),), self._placement(photo))
            else:
                self.ledger.add(photo, outcome, self._findings(outcome), self._placement(photo))
            self.progress.advance(1)

    def _outcomes(self, stage: Examine, limits: Limits) -> Iterator[tuple[Photo, Examined | Failure]]:
        """In the order of the scan. Workers start with the first file that is not in the cache."""
        items = self._scanned()
        for item in items:
            if isinstance(item, Photo):
                break
            yield item.photo, item.outcome
        else:
            return

        def rest() -> Iterator[Photo | Result[Examined]]:
            yield item
            yield from items

        with Pool(stage, self.workers, limits) as pool:
            for result in pool.run(rest()):
                outcome = result.outcome
                if isinstance(outcome, Examined) and result.photo in self._new:
                    self._new.discard(result.photo)
                    if self.cache is not None:
                        self.cache.put(result.photo, outcome)
                yield result.photo, outcome

    def _scanned(self) -> Iterator[Photo | Result[Examined]]:
        self._new: set[Photo] = set()  # in the pool, at most as many as its window
        for item in scan_of(self.options):
            if isinstance(item, Result):
                removed = self._removed_earlier.get(item.photo.path)
                if removed is None or os.path.lexists(removed.photo.path):
                    yield item
                else:
                    self._add_removed(removed)
                continue
            known = self.cache.get(item) if self.cache else None
            if known is not None:
                self.cached += 1
                yield Result(item, known)
            else:
                self.examined += 1
                if self.cache is not None:
                    self._new.add(item)
                yield item

    def _findings(self, examined: Examined) -> tuple[Finding, ...]:
        return (*examined.findings, *poor(examined, self.options.thresholds))

    def _placement(self, photo: Photo) -> Placement:
        """Part and class of a file, by the folders below the input."""
        for root in self.options.roots:
            if root in photo.path.parents:
                folders = photo.path.relative_to(root).parts[:-1]
                split = PARTS.get(folders[0].lower(), "") if folders else ""
                if split:
                    return Placement(split, folders[1] if len(folders) > 1 else "")
                if root.name.lower() in PARTS:
                    return Placement(PARTS[root.name.lower()], folders[0] if folders else "")
                return Placement("", folders[0] if folders and self.options.classes else "")
        return Placement()

    def _removable(self, kinds: frozenset[Kind]) -> Iterator[Removal]:
        # A copy that becomes a link stays where it is, and so does all that belongs to it.
        sets = self._sets and self.options.action != "hardlink"
        return removable(self.ledger, RemovalRule(kinds, self.options.only, self.keep, sets))

    @property
    def _sets(self) -> bool:
        return self.options.companions == COMPANIONS[0]

    def _misnamed(self) -> Iterator[Removal]:
        families = Families()
        for file in filter(_renamed, self.ledger.with_findings()):
            others = companions_of(file, self.ledger, families) if self._sets else ()
            yield Removal(file, others)

    def _act(self, kinds: frozenset[Kind], removed: int) -> None:
        options, ledger = self.options, self.ledger
        assert options.quarantine is not None
        if removed and options.action == "quarantine":
            remove.quarantine_files(ledger, self._removable(kinds), options.quarantine)
        elif removed and options.action == "hardlink":
            remove.link_files(ledger, self._removable(kinds), options.quarantine)
        elif removed and options.action == "trash":
            remove.trash_files(ledger, self._removable(kinds))
        elif removed and self.confirm is not None and self.confirm(removed):
            remove.delete_files(ledger, self._removable(kinds))
        if options.fix_extensions and any(map(_renamed, ledger.with_findings())):
            remove.rename_files(ledger, self._misnamed(), options.quarantine)


def _renamed(file: Checked) -> bool:
    kinds = {each.kind for each in file.findings}
    return Kind.MISNAMED in kinds and Kind.BROKEN not in kinds and not file.is_link


def _failed(photo: Photo, failure: Failure) -> Finding:
    """The finding of a file that was skipped or could not be examined."""
    left_alone = failure.reason is Reason.PROTECTED or protected_name(photo.path.name)
    if not left_alone and (found := junk(photo.path.name)):
        return found
    # A crash or a time-out says nothing of the file: another decoder, or more time, may read it.
    if why := why_unsupported(failure, b"", "", opened=False):
        return Finding(Kind.UNSUPPORTED, failure.reason.value, why)
    if failure.reason in FILE_FAULTS:
        return Finding(Kind.BROKEN, failure.reason.value, failure.message)
    if failure.reason in (Reason.UNREADABLE, Reason.VANISHED, Reason.OUT_OF_MEMORY):
        return Finding(Kind.UNREADABLE, failure.reason.value, failure.message)
    return Finding(Kind.SKIPPED, failure.reason.value, failure.message)
