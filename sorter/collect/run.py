"""`sorter collect`: search, download, decode and keep pictures in rounds, until every class is full."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sorter.collect.duplicates import KnownPicture, KnownPictures
from sorter.collect.fetch import Fetcher
from sorter.collect.filenames import picture_name
from sorter.collect.ledger import NAME, DatasetLedger
from sorter.collect.lists import PhotoFolder, copy_photo
from sorter.collect.manifest import ATTRIBUTION, MANIFEST, write_attribution, write_manifest
from sorter.collect.options import CollectOptions, CollectSummary, check_options
from sorter.collect.rate_limit import Clock
from sorter.collect.records import PictureRow, PictureStatus, Refusal, Source, SourceError
from sorter.collect.sources import make_sources
from sorter.collect.websearch import WebSearch, web_licence
from sorter.output.disk import FileIdentity, Filing, free_name, place, sync_folder, was_done
from sorter.output.journal import FOLDER, locked, sqlite_errors
from sorter.photos.fingerprint import Fingerprint, TakeFingerprint
from sorter.photos.scan import Scan
from sorter.pipeline.pool import Pool
from sorter.progress import NoProgress, Progress
from sorter.reports.ours import check_ours
from sorter.system import available_cores, worker_limits
from sorter.types import ActionKind, Failure, Photo, Reason, SorterError

ROUND = 64  # pictures downloaded before they are decoded
MANIFEST_EVERY = 15.0  # seconds between two writes of manifest.csv


def collect(
    options: CollectOptions,
    progress: Progress | None = None,
    sources: Callable[[CollectOptions, Fetcher], Sequence[Source]] = make_sources,
    clock: Clock | None = None,
) -> CollectSummary:
    """Fill every class up to the limit. The same call goes on where an earlier run stopped.

    Raises:
        UsageError: an option is wrong, or a query names a missing file.
        SorterError: the dataset folder cannot be used, or the disk is full.
    """
    began = time.monotonic()
    progress = progress or NoProgress()
    check_options(options)
    for name in (MANIFEST, *([ATTRIBUTION] if options.attribution else [])):
        check_ours(options.out / name, "--out")
    path = options.out.resolve() / FOLDER / NAME
    try:
        with ExitStack() as stack:
            if options.dry_run:
                ledger = stack.enter_context(DatasetLedger.copy(path))
            else:
                stack.enter_context(locked(options.out))
                ledger = stack.enter_context(DatasetLedger.open(path))
            stack.enter_context(sqlite_errors(path))
            collection = _Collection(options, ledger, progress)
            asyncio.run(collection.run(sources, clock or Clock()))
            return collection.summary(time.monotonic() - began)
    except OSError as error:
        where = error.filename or options.out
        raise SorterError(f"{where}: {error.strerror or error}; give the command again to go on") from error


@dataclass(eq=False)
class _Collection:
    """One run over one dataset folder."""

    options: CollectOptions
    ledger: DatasetLedger
    progress: Progress

    def __post_init__(self) -> None:
        self.out = self.options.out.resolve()
        self.incoming = self.out / FOLDER / "incoming"
        self.labels = [name for name, _ in self.options.classes]
        self.known = KnownPictures()
        self.new = 0
        self.source_errors: dict[str, str] = {}  # source -> message
        self.manifest_time = time.monotonic()

    async def run(self, make: Callable[[CollectOptions, Fetcher], Sequence[Source]], clock: Clock) -> None:
        self.ledger.search_again()
        self.ledger.retry_later()
        async with Fetcher(self.options.fetch, clock) as fetcher:
            sources = make(self.options, fetcher)
            if self.options.dry_run:
                await self._search_only(sources)
                return
            self.incoming.mkdir(parents=True, exist_ok=True)
            with self._pool() as pool:
                self._recover(pool)
                await self._fill(sources, fetcher, pool)
            self._write_manifest()
        shutil.rmtree(self.incoming, ignore_errors=True)

    async def _search_only(self, sources: Sequence[Source]) -> None:
        """Search until enough pictures are known for every class."""
        while short := [label for label in self.labels if self._missing(label) > len(self._next(label))]:
            if not await self._search(sources, short):
                return

    async def _fill(self, sources: Sequence[Source], fetcher: Fetcher, pool: Pool[Fingerprint]) -> None:
        """Download and decode in rounds until every class is full, or the sources are exhausted."""
        while short := [label for label in self.labels if self._missing(label) > 0]:
            share = max(1, ROUND // len(short))
            if rows := [row for label in short for row in self._next(label, share)]:
                await asyncio.gather(*(self._download(row, fetcher) for row in rows))
                self._keep_new(pool)
                if time.monotonic() - self.manifest_time >= MANIFEST_EVERY:
                    self._write_manifest()
            elif not await self._search(sources, short):
                return

    def summary(self, seconds: float) -> CollectSummary:
        counts = self.ledger.counts()
        want = self.options.limit
        short = [
            label
            for label in self.labels
            if (kept := counts.get(label, Counter())[PictureStatus.KEPT]) < (want or 1) or not kept
        ]
        return CollectSummary(
            self.out,
            counts,
            self.new,
            tuple(short),
            tuple(self.source_errors.values()),
            seconds,
            self.options.dry_run,
        )

    # -- earlier runs ------------------------------------------------------------------------------------------

    def _recover(self, pool: Pool[Fingerprint]) -> None:
        """Finish or drop the steps that a killed run left incomplete. A removed picture stays out."""
        self._recover_states()
        for picture in self.ledger.known_pictures():
            self.known.add(picture)
        self._add_foreign(pool)
        self._keep_new(pool)

    def _recover_states(self) -> None:
        for row in self.ledger.with_status(PictureStatus.PLACING):
            if was_done(self._filing(row), self._staging(row)):
                self.ledger.set_status(row.id, PictureStatus.KEPT)
            else:
                self.ledger.set_status(row.id, PictureStatus.FOUND, file=None, sha256=None, phash=None)
        for row in self.ledger.with_status(PictureStatus.FOUND, PictureStatus.FETCHED):
            here = self._incoming(row).exists()
            if here != (row.status is PictureStatus.FETCHED):
                self.ledger.set_status(row.id, PictureStatus.FETCHED if here else PictureStatus.FOUND)
        for row in self.ledger.with_status(PictureStatus.KEPT):
            if row.file and not (self.out / row.file).exists():
                self.ledger.set_status(row.id, PictureStatus.REMOVED, "was removed from the dataset")

    def _add_foreign(self, pool: Pool[Fingerprint]) -> None:
        """Add the pictures in the class folders that the user put there."""
        ours = {row.file for row in self.ledger.with_status(PictureStatus.KEPT)}
        folders = tuple(self.out / label for label in self.labels if (self.out / label).is_dir())
        photos = (
            photo
            for folder in folders
            for photo in Scan((folder,))
            if isinstance(photo, Photo) and self._below(photo.path) not in ours
        )
        for result in pool.run(photos):
            if isinstance(result.outcome, Fingerprint):
                self._add_known(self._below(result.photo.path), result.outcome)

    # -- searching ---------------------------------------------------------------------------------------------

    def _missing(self, label: str) -> int:
        """The number of pictures that a class still needs. Downloaded ones count."""
        if self.options.limit is None:
            return ROUND
        counts = self.ledger.counts().get(label, Counter())
        return self.options.limit - counts[PictureStatus.KEPT] - counts[PictureStatus.FETCHED]

    def _next(self, label: str, most: int = ROUND) -> list[PictureRow]:
        """The next pictures of a class to download, of those already found."""
        allowed = filter(self._allowed, self.ledger.waiting(label))
        return list(islice(allowed, max(0, min(self._missing(label), most))))

    def _allowed(self, row: PictureRow) -> bool:
        """Whether a picture's licence is accepted. An earlier run may have accepted others."""
        licences = self.options.licences
        if licences.codes is None or row.source != WebSearch.name:
            return licences.allow(row.candidate.licence)
        return row.candidate.licence == web_licence(licences)

    async def _search(self, sources: Sequence[Source], labels: Sequence[str]) -> bool:
        """Read the next page of every search of these classes; False where no pages are left."""
        searched = False
        for source, label, query in [
            (source, label, query)
            for label, queries in self.options.classes
            if label in labels
            for query in queries
            for source in sources
        ]:
            key = f"{source.name} {self.options.licences.openverse}".strip()
            pages = self.ledger.pages(label, query, key)
            if pages is None or source.name in self.source_errors:
                continue
            searched = True
            try:
                page = await source.page(query, pages + 1)
            except SourceError as error:
                self.source_errors[source.name] = str(error)
                self.progress.say(str(error))
            else:
                self.ledger.add_page(label, query, key, source.name, page)
        return searched

    # -- download ----------------------------------------------------------------------------------------------

    async def _download(self, row: PictureRow, fetcher: Fetcher) -> None:
        candidate, target, least = row.candidate, self._incoming(row), self.options.min_size
        refusal: Refusal | None
        if min(candidate.width or least, candidate.height or least) < least:
            size = f"{candidate.width} x {candidate.height} according to {row.source}"
            refusal = Refusal(PictureStatus.TOO_SMALL, size)
        elif row.source == PhotoFolder.name:
            refusal = copy_photo(Path(url2pathname(urlsplit(candidate.url).path)), target)
        else:
            refusal = await fetcher.picture(candidate.url, target)
        if refusal:
            self.ledger.set_status(row.id, refusal.status, refusal.reason)
        else:
            self.ledger.set_status(row.id, PictureStatus.FETCHED)

    # -- decoding ----------------------------------------------------------------------------------------------

    @contextmanager
    def _pool(self) -> Iterator[Pool[Fingerprint]]:
        workers = self.options.workers or available_cores()
        limits = worker_limits(self.options.limits, workers)
        with Pool(TakeFingerprint(limits, min_side=None), workers, limits) as pool:
            yield pool

    def _keep_new(self, pool: Pool[Fingerprint]) -> None:
        """Decode the downloaded files, and keep those that are new pictures."""
        rows = self.ledger.with_status(PictureStatus.FETCHED)
        for row, result in zip(rows, pool.run(map(self._photo, rows)), strict=True):
            outcome = self._checked(result.outcome)
            if isinstance(outcome, Fingerprint):
                self._keep(row, outcome)
            else:
                self.ledger.set_status(row.id, outcome.status, outcome.reason)
                self._incoming(row).unlink(missing_ok=True)

    def _checked(self, outcome: Fingerprint | Failure) -> Fingerprint | Refusal:
        """The fingerprint of a picture to keep, or why it is not kept."""
        if isinstance(outcome, Failure):
            no_image = outcome.reason in (Reason.NOT_AN_IMAGE, Reason.OTHER_FILE)
            return Refusal(PictureStatus.NOT_AN_IMAGE if no_image else PictureStatus.BROKEN, str(outcome))
        if min(outcome.width, outcome.height) < self.options.min_size:
            return Refusal(PictureStatus.TOO_SMALL, f"{outcome.width} x {outcome.height}")
        if name := self.known.exact(outcome.sha256):
            return Refusal(PictureStatus.DUPLICATE, f"the same file as {name}")
        if name := self.known.near(outcome.phash):
            return Refusal(PictureStatus.NEAR_DUPLICATE, f"looks like {name}")
        return outcome

    def _keep(self, row: PictureRow, found: Fingerprint) -> None:
        """Record the target, rename without replacing, record success. `_recover` finishes after a crash."""
        name = picture_name(
            row.query if row.source != PhotoFolder.name else "photo", found.sha256, found.format
        )
        target = free_name(self.out / row.label / name, lambda path: path.exists() or path.is_symlink())
        file = self._below(target)
        self.ledger.set_status(
            row.id, PictureStatus.PLACING, file=file, sha256=found.sha256, phash=found.phash
        )
        place(self._filing(row, target), self._staging(row))
        sync_folder(target.parent)
        self.ledger.set_status(row.id, PictureStatus.KEPT)
        self._add_known(file, found)
        self.new += 1
        self.progress.advance(1)

    # -- paths -------------------------------------------------------------------------------------------------

    def _incoming(self, row: PictureRow) -> Path:
        return self.incoming / str(row.id)

    def _staging(self, row: PictureRow) -> Path:
        return self.incoming / f"{row.id}.staging"

    def _photo(self, row: PictureRow) -> Photo:
        path = self._incoming(row)
        status = path.stat()
        return Photo(path, Path(path.name), status.st_size, status.st_mtime_ns)

    def _filing(self, row: PictureRow, place: Path | None = None) -> Filing:
        source = self._incoming(row)
        status = source.stat() if source.exists() else None
        return Filing(
            ActionKind.MOVE,
            source,
            place or self.out / (row.file or ""),
            FileIdentity.of(status) if status else None,
        )

    def _add_known(self, name: str, found: Fingerprint) -> None:
        self.known.add(KnownPicture(name, found.sha256, found.phash))

    def _below(self, path: Path) -> str:
        return path.relative_to(self.out).as_posix()

    def _write_manifest(self) -> None:
        write_manifest(self.out / MANIFEST, self.ledger.rows())
        if self.options.attribution:
            write_attribution(self.out / ATTRIBUTION, self.ledger.rows())
        self.manifest_time = time.monotonic()
