"""`sorter clean`: scan, examine, compare, report, and take away what is to go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from sorter.clean import removal
from sorter.clean.cache import Cache
from sorter.clean.duplicates import mark
from sorter.clean.examine import BROKEN, Examine
from sorter.clean.ledger import CleanLedger
from sorter.clean.names import junk
from sorter.clean.options import CleanOptions, CleanSummary, csv_path, resolved, scan_of
from sorter.clean.quality import poor
from sorter.clean.records import REMOVABLE, Checked, Examined, Finding, Kind
from sorter.clean.report import check_ours, write_csv, write_html
from sorter.files import sha256_of
from sorter.pipeline.pool import Limits, Pool
from sorter.pipeline.stages import Thumbnail
from sorter.progress import NoProgress, Progress
from sorter.reports.html import Thumbnails
from sorter.system import available_cores, memory_per_worker
from sorter.types import PARTS, Failure, Photo, Reason, Result, SorterError

THUMBNAIL = 160  # pixels


def clean(
    options: CleanOptions,
    progress: Progress | None = None,
    confirm: Callable[[int], bool] | None = None,
    show: Callable[[CleanLedger], None] | None = None,
) -> CleanSummary:
    """Find what cannot or should not be used, and take away what is to go.

    Args:
        confirm: asked with the number of files before anything is deleted for good; without it nothing is.
        show: is given all that was found, before anything goes.

    Raises:
        UsageError: options that contradict each other or the disk.
        SorterError: it cannot go on; the same call later goes on where it stopped.
    """
    began = time.monotonic()
    options = resolved(options)
    assert options.quarantine is not None
    check_ours(csv_path(options))
    settings = f"megapixels {options.max_megapixels:g} quick {options.quick}"
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

    def go(self, began: float) -> CleanSummary:
        options, ledger = self.options, self.ledger
        assert options.quarantine is not None
        if removal.has_journal(options.quarantine) and not options.dry_run:
            self._take_in_earlier(options.quarantine)
        self._examine()
        kinds = frozenset(REMOVABLE[word] for word in options.remove)
        mark(ledger, options.similarity, kinds, options.prefer)
        if self.show is not None:
            self.show(ledger)
        going = sum(1 for _ in self._going(kinds))
        csv, page = csv_path(options), csv_path(options).with_suffix(".html")
        writes = not options.dry_run or options.report is not None
        acts = not options.dry_run and (going > 0 or options.fix_extensions)
        before = sha256_of(csv) if writes and csv.exists() else None
        try:
            if acts and options.action != "quarantine":  # what goes for good is written down before
                write_csv(ledger, csv)
            if acts:
                self._act(kinds, going)
        finally:
            if writes:
                write_csv(ledger, csv)
        changed = writes and sha256_of(csv) != before
        if writes and (changed or not page.exists()):
            with self._thumbnails() as thumbnails:
                write_html(ledger, page, options.inputs, thumbnails)
        groups, splits, classes = ledger.team_counts()
        return CleanSummary(
            counts=ledger.counts(),
            reasons=ledger.reasons(),
            groups=groups,
            across_splits=splits,
            across_classes=classes,
            actions=ledger.actions(),
            would_remove=going,
            examined=self.examined,
            cached=self.cached,
            seconds=time.monotonic() - began,
            quarantine=options.quarantine if removal.has_journal(options.quarantine) else None,
            report=csv if writes else None,
            page=page if writes else None,
            dry_run=options.dry_run,
        )

    @contextmanager
    def _thumbnails(self) -> Iterator[Thumbnails]:
        """Workers that start when there is a first picture to show."""
        limits = Limits(self.options.timeout_per_file, memory_per_worker(self.workers))
        pools: list[Pool[bytes]] = []

        def make(photos: Iterable[Photo]) -> Iterable[Result[bytes]]:
            wanted = list(photos)
            if wanted and not pools:
                stage = Thumbnail(THUMBNAIL, self.options.max_megapixels)
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

    def _take_in_earlier(self, quarantine: Path) -> None:
        """Finish what was stopped, and give what lies in the quarantine its rows."""
        for photo, verdict, place in removal.finish(quarantine):
            if not any(root == photo.path or root in photo.path.parents for root in self.options.inputs):
                continue
            known = self.cache.get(photo) if self.cache else None
            findings = self._findings(known) if known else ()
            if not any(each.kind.value == verdict for each in findings):
                findings = (Finding(Kind(verdict), "earlier", "found by an earlier run"), *findings)
            self.ledger.add(photo, known, findings, *self._place(photo), destination=place)

    def _examine(self) -> None:
        limits = Limits(self.options.timeout_per_file, memory_per_worker(self.workers))
        stage = Examine(self.options.max_megapixels, self.options.quick)
        for photo, outcome in self._outcomes(stage, limits):
            if isinstance(outcome, Failure):
                self.ledger.add(photo, None, (_failed(photo, outcome),), *self._place(photo))
            else:
                self.ledger.add(photo, outcome, self._findings(outcome), *self._place(photo))
            self.progress.advance(1)

    def _outcomes(self, stage: Examine, limits: Limits) -> Iterator[tuple[Photo, Examined | Failure]]:
        """In the order of the scan. Workers start only where something is not known yet."""
        items = self._known_or_not()
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

    def _known_or_not(self) -> Iterator[Photo | Result[Examined]]:
        self._new: set[Photo] = set()  # on their way through the pool: as many as its window at most
        for item in scan_of(self.options):
            if isinstance(item, Result):
                yield item
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

    def _place(self, photo: Photo) -> tuple[str, str]:
        """Split and class, by the folders below the input."""
        for root in self.options.inputs:
            if root in photo.path.parents:
                folders = photo.path.relative_to(root).parts[:-1]
                split = PARTS.get(folders[0].lower(), "") if folders else ""
                if split:
                    return split, folders[1] if len(folders) > 1 else ""
                if root.name.lower() in PARTS:
                    return PARTS[root.name.lower()], folders[0] if folders else ""
                return "", folders[0] if folders and self.options.classes else ""
        return "", ""

    def _going(self, kinds: frozenset[Kind]) -> Iterator[Checked]:
        return removal.chosen(self.ledger, kinds, self.options.only)

    def _act(self, kinds: frozenset[Kind], going: int) -> None:
        options, ledger = self.options, self.ledger
        assert options.quarantine is not None
        if going and options.action == "quarantine":
            removal.quarantine_files(ledger, self._going(kinds), options.quarantine)
        elif going and options.action == "trash":
            removal.trash_files(ledger, self._going(kinds))
        elif going and self.confirm is not None and self.confirm(going):
            removal.delete_files(ledger, self._going(kinds))
        if options.fix_extensions and any(map(_renamed, ledger.found())):
            removal.rename_files(ledger, filter(_renamed, ledger.found()), options.quarantine)


def _renamed(file: Checked) -> bool:
    kinds = {each.kind for each in file.findings}
    return Kind.MISNAMED in kinds and Kind.BROKEN not in kinds and not file.is_link


def _failed(photo: Photo, failure: Failure) -> Finding:
    """What was passed over, or could not be examined."""
    if found := junk(photo.path.name):
        return found
    if failure.reason in BROKEN:
        return Finding(Kind.BROKEN, failure.reason.value, failure.message)
    if failure.reason in (Reason.UNREADABLE, Reason.VANISHED, Reason.OUT_OF_MEMORY):
        return Finding(Kind.UNREADABLE, failure.reason.value, failure.message)
    return Finding(Kind.SKIPPED, failure.reason.value, failure.message)
