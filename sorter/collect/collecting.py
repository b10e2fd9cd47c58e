"""`sorter collect`: search, fetch, look, keep; in rounds, until every class has what it should."""

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

from sorter.collect.fetch import Fetcher
from sorter.collect.ledger import NAME, DatasetLedger
from sorter.collect.listed import Folder, copy_photo
from sorter.collect.manifest import ATTRIBUTION, MANIFEST, write_attribution, write_manifest
from sorter.collect.names import picture_name
from sorter.collect.options import Collected, CollectOptions, check_options
from sorter.collect.pacing import Clock
from sorter.collect.records import PictureRow, PictureStatus, Refusal, Source, SourceError
from sorter.collect.seen import Seen
from sorter.collect.sources import make_sources
from sorter.collect.websearch import WebSearch, web_licence
from sorter.output.disk import Filing, free_name, place, sync_folder, was_done
from sorter.output.journal import FOLDER, locked, sqlite_errors
from sorter.photos.fingerprint import Fingerprint, TakeFingerprint
from sorter.photos.scan import Scan
from sorter.pipeline.pool import Limits, Pool
from sorter.progress import NoProgress, Progress
from sorter.system import available_cores, memory_per_worker
from sorter.types import ActionKind, Failure, Photo, Reason, SorterError

ROUND = 64  # pictures fetched before they are looked at
MANIFEST_EVERY = 15.0  # seconds


def collect(
    options: CollectOptions,
    progress: Progress | None = None,
    sources: Callable[[CollectOptions, Fetcher], Sequence[Source]] = make_sources,
    clock: Clock | None = None,
) -> Collected:
    """Bring every class to its limit, going on where an earlier run stopped.

    Raises:
        UsageError: options that make no sense, or queries that name no file.
        SorterError: the dataset folder cannot be used, or the disk is full.
    """
    began = time.monotonic()
    progress = progress or NoProgress()
    check_options(options)
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
        self.seen = Seen()
        self.new = 0
        self.troubles: dict[str, str] = {}  # source -> what it could not do
        self.written = time.monotonic()

    async def run(self, make: Callable[[CollectOptions, Fetcher], Sequence[Source]], clock: Clock) -> None:
        self.ledger.search_again()
        self.ledger.try_again()
        async with Fetcher(self.options.manners, clock) as fetcher:
            sources = make(self.options, fetcher)
            if self.options.dry_run:
                while hungry := [each for each in self.labels if self._missing(each) > len(self._next(each))]:
                    if not await self._search(sources, hungry):
                        break
                return
            self.incoming.mkdir(parents=True, exist_ok=True)
            with self._pool() as pool:
                self._settle_earlier(pool)
                while hungry := [label for label in self.labels if self._missing(label) > 0]:
                    share = max(1, ROUND // len(hungry))
                    if rows := [row for label in hungry for row in self._next(label, share)]:
                        await asyncio.gather(*(self._fetch(row, fetcher) for row in rows))
                        self._look(pool)
                        self._write(at_once=False)
                    elif not await self._search(sources, hungry):
                        break
            self._write(at_once=True)
        shutil.rmtree(self.incoming, ignore_errors=True)

    def summary(self, seconds: float) -> Collected:
        counts = self.ledger.counts()
        want = self.options.limit
        short = [
            label
            for label in self.labels
            if (kept := counts.get(label, Counter())[PictureStatus.KEPT]) < (want or 1) or not kept
        ]
        return Collected(
            self.out,
            counts,
            self.new,
            tuple(short),
            tuple(self.troubles.values()),
            seconds,
            self.options.dry_run,
        )

    # -- what was there before ---------------------------------------------------------------------------------

    def _settle_earlier(self, pool: Pool[Fingerprint]) -> None:
        """What a killed run left half done is finished or dropped; what somebody took out stays out."""
        for row in self.ledger.with_status(PictureStatus.PLACING):
            if was_done(self._filing(row), self._staging(row)):
                self.ledger.settle(row.id, PictureStatus.KEPT)
            else:
                self.ledger.settle(row.id, PictureStatus.FOUND, file=None, sha256=None, phash=None)
        for row in self.ledger.with_status(PictureStatus.FOUND, PictureStatus.FETCHED):
            here = self._incoming(row).exists()
            if here != (row.status is PictureStatus.FETCHED):
                self.ledger.settle(row.id, PictureStatus.FETCHED if here else PictureStatus.FOUND)
        for row in self.ledger.with_status(PictureStatus.KEPT):
            if row.file and not (self.out / row.file).exists():
                self.ledger.settle(row.id, PictureStatus.REMOVED, "was taken out of the dataset")
        for name, digest, phash in self.ledger.fingerprints():
            self.seen.add(name, digest, phash)
        self._see_others(pool)
        self._look(pool)

    def _see_others(self, pool: Pool[Fingerprint]) -> None:
        """Pictures in the class folders that did not come from here."""
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
                self.seen.add(self._below(result.photo.path), result.outcome.sha256, result.outcome.phash)

    # -- searching ---------------------------------------------------------------------------------------------

    def _missing(self, label: str) -> int:
        """Pictures that a class still needs; what is fetched already will count."""
        if self.options.limit is None:
            return ROUND
        counts = self.ledger.counts().get(label, Counter())
        return self.options.limit - counts[PictureStatus.KEPT] - counts[PictureStatus.FETCHED]

    def _next(self, label: str, most: int = ROUND) -> list[PictureRow]:
        """The pictures of a class that are fetched next, of those that are known."""
        allowed = filter(self._allowed, self.ledger.waiting(label))
        return list(islice(allowed, max(0, min(self._missing(label), most))))

    def _allowed(self, row: PictureRow) -> bool:
        """An earlier run may have asked for other licences."""
        licences = self.options.licences
        if licences.codes is None or row.source != WebSearch.name:
            return licences.allow(row.candidate.licence)
        return row.candidate.licence == web_licence(licences)

    async def _search(self, sources: Sequence[Source], labels: Sequence[str]) -> bool:
        """The next page of every search of these classes; False when there are none left."""
        asked = False
        for source, label, query in [
            (source, label, query)
            for label, queries in self.options.classes
            if label in labels
            for query in queries
            for source in sources
        ]:
            key = f"{source.name} {self.options.licences.openverse}".strip()
            pages = self.ledger.pages(label, query, key)
            if pages is None or source.name in self.troubles:
                continue
            asked = True
            try:
                page = await source.page(query, pages + 1)
            except SourceError as error:
                self.troubles[source.name] = str(error)
                self.progress.say(str(error))
            else:
                self.ledger.add_page(label, query, key, source.name, page)
        return asked

    # -- fetching ----------------------------------------------------------------------------------------------

    async def _fetch(self, row: PictureRow, fetcher: Fetcher) -> None:
        it, target = row.candidate, self._incoming(row)
        side = min(it.width or self.options.min_size, it.height or self.options.min_size)
        if side < self.options.min_size:
            refusal: Refusal | None = Refusal(
                PictureStatus.TOO_SMALL, f"{it.width} x {it.height}, says {row.source}"
            )
        elif row.source == Folder.name:
            refusal = copy_photo(Path(url2pathname(urlsplit(it.url).path)), target)
        else:
            refusal = await fetcher.picture(it.url, target)
        if refusal:
            self.ledger.settle(row.id, refusal.status, refusal.reason)
        else:
            self.ledger.settle(row.id, PictureStatus.FETCHED)

    # -- looking -----------------------------------------------------------------------------------------------

    @contextmanager
    def _pool(self) -> Iterator[Pool[Fingerprint]]:
        workers = self.options.workers or available_cores()
        limits = Limits(self.options.timeout_per_file, memory_per_worker(workers))
        with Pool(TakeFingerprint(self.options.max_megapixels, min_side=None), workers, limits) as pool:
            yield pool

    def _look(self, pool: Pool[Fingerprint]) -> None:
        """Decode all that was fetched, and keep what is a picture that is not there yet."""
        rows = self.ledger.with_status(PictureStatus.FETCHED)
        for row, result in zip(rows, pool.run(map(self._photo, rows)), strict=True):
            status, reason = self._judge(result.outcome)
            if status is PictureStatus.KEPT and isinstance(result.outcome, Fingerprint):
                self._keep(row, result.outcome)
            else:
                self.ledger.settle(row.id, status, reason)
                self._incoming(row).unlink(missing_ok=True)

    def _judge(self, outcome: Fingerprint | Failure) -> tuple[PictureStatus, str]:
        if isinstance(outcome, Failure):
            no_image = outcome.reason in (Reason.NOT_AN_IMAGE, Reason.OTHER_FILE)
            return PictureStatus.NOT_AN_IMAGE if no_image else PictureStatus.BROKEN, str(outcome)
        if min(outcome.width, outcome.height) < self.options.min_size:
            return PictureStatus.TOO_SMALL, f"{outcome.width} x {outcome.height}"
        if name := self.seen.exact(outcome.sha256):
            return PictureStatus.DUPLICATE, f"the same file as {name}"
        if name := self.seen.near(outcome.phash):
            return PictureStatus.NEAR_DUPLICATE, f"looks like {name}"
        return PictureStatus.KEPT, ""

    def _keep(self, row: PictureRow, found: Fingerprint) -> None:
        """Plan, rename without replacing, write down: after a crash between any two, `_settle_earlier` knows."""
        name = picture_name(row.query if row.source != Folder.name else "photo", found.sha256, found.format)
        target = free_name(self.out / row.label / name, lambda path: path.exists() or path.is_symlink())
        file = self._below(target)
        self.ledger.settle(row.id, PictureStatus.PLACING, file=file, sha256=found.sha256, phash=found.phash)
        place(self._filing(row, target), self._staging(row))
        sync_folder(target.parent)
        self.ledger.settle(row.id, PictureStatus.KEPT)
        self.seen.add(file, found.sha256, found.phash)
        self.new += 1
        self.progress.advance(1)

    # -- places ------------------------------------------------------------------------------------------------

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
            status.st_dev if status else 0,
            status.st_ino if status else 0,
        )

    def _below(self, path: Path) -> str:
        return path.relative_to(self.out).as_posix()

    def _write(self, at_once: bool) -> None:
        if not at_once and time.monotonic() - self.written < MANIFEST_EVERY:
            return
        write_manifest(self.out / MANIFEST, self.ledger.rows())
        if self.options.attribution:
            write_attribution(self.out / ATTRIBUTION, self.ledger.rows())
        self.written = time.monotonic()
