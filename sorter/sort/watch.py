"""`sorter watch`: new photos in folders are sorted when they are complete, in batches that are ordinary runs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from sorter.address import Address
from sorter.output.journal import Journal, JournalError, JournalInUseError, journal_folder, lock_file, settle
from sorter.progress import NoProgress, Progress
from sorter.sort.options import SortOptions, resolved, scan_of
from sorter.sort.run import sort_folder
from sorter.sort.summary import SortSummary
from sorter.types import Photo, Result, UsageError, check_above_zero

UNFINISHED = frozenset(
    {".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp", ".temp", ".opdownload"}
)
PAGE = 256  # files that the journal is asked about at once
RECENT = 3600.0  # seconds after which nobody still writes to a file
POLL_WITH_EVENTS = 60.0  # seconds; a network share tells nothing of what other machines write


@dataclass(frozen=True)
class WatchOptions:
    """The options of `sorter watch`. The defaults are those of the command line.

    Attributes:
        sort: of each batch. Its inputs are folders on a disk.
        settle: seconds for which a file must not have changed to be complete.
        poll: seconds between two looks where the system tells of no changes.
    """

    sort: SortOptions
    settle: float = 5.0
    poll: float = 10.0


@dataclass(frozen=True)
class WatchSummary:
    """The result of a watch.

    Attributes:
        out: the output folder.
        batches: runs that were made.
        decoded: photos that they decoded and scored.
        last: the summary of the last run; None where none was made.
    """

    out: Path
    batches: int
    decoded: int
    last: SortSummary | None

    def to_json(self) -> dict[str, Any]:
        last = None if self.last is None else self.last.to_json()
        return {"out": str(self.out), "batches": self.batches, "decoded": self.decoded, "last": last}


def watch(
    options: WatchOptions, stop: threading.Event | None = None, progress: Progress | None = None
) -> WatchSummary:
    """Sort what is in the folders and what comes into them, until `stop` is set or a signal comes.

    What a batch had begun when a signal came is gone on with by the next watch or run.

    Raises:
        UsageError: an option is wrong.
        JournalError: another watch is at work on the output folder.
        SorterError: a run cannot go on.
    """
    sort = resolved(options.sort)
    check_above_zero(settle=options.settle, poll=options.poll)
    for given, path in zip(options.sort.inputs, sort.inputs, strict=True):
        if isinstance(path, Address) or not path.is_dir():
            raise UsageError(f"{given}: is no folder on a disk; name the folders to watch")
    if isinstance(sort.out, Address):
        raise UsageError(f"--out {sort.out}: lies in a store; name a folder on a disk")
    stop, progress = stop or threading.Event(), progress or NoProgress()
    watching = _Watch(replace(options, sort=sort), stop, progress)
    with _only_one(sort), suppress(KeyboardInterrupt):
        watching.go()
    return watching.summary()


@dataclass
class Settled:
    """Tells which files are complete: nothing changed them for a while, and nobody has them open for writing.

    Attributes:
        seconds: the while.
        waiting: the last look found files that are not complete.
    """

    seconds: float
    waiting: bool = False
    _seen: dict[str, tuple[int, int, float]] = field(default_factory=dict)

    def __call__(self, item: Photo | Result[Any]) -> bool:
        """Whether a file, with its companions, may be sorted."""
        if isinstance(item, Result):
            return item.photo.path.suffix.lower() not in UNFINISHED
        paths = (item.path, *(item.path.with_name(each.name) for each in item.companions))
        incomplete = [path for path in paths if not self._is_complete(path)]
        self.waiting = self.waiting or bool(incomplete)
        return not incomplete

    def _is_complete(self, path: Path) -> bool:
        if path.suffix.lower() in UNFINISHED:
            return False
        try:
            status = path.stat()
        except OSError:
            return True  # the run says what is wrong with it
        age = time.time() - max(status.st_mtime, status.st_ctime)
        if age > RECENT:
            return True
        if quiet := age >= self.seconds:
            self._seen.pop(str(path), None)
        else:
            quiet = self._stayed(path, status)
        return quiet and not is_being_written(path)

    def _stayed(self, path: Path, status: os.stat_result) -> bool:
        """Whether a file is as it was some time ago. The clock of a network share may be wrong."""
        size, mtime_ns, since = self._seen.get(str(path), (-1, 0, 0.0))
        now = time.monotonic()
        if (size, mtime_ns) != (status.st_size, status.st_mtime_ns):
            self._seen[str(path)] = (status.st_size, status.st_mtime_ns, now)
            return False
        return now - since >= self.seconds


def is_being_written(path: Path) -> bool:
    """Whether a process has a file open for writing. False where the system does not tell; only Linux does.

    A read lease is granted only while nobody has the file open for writing (fcntl(2), F_SETLEASE).
    """
    try:
        import fcntl
        import signal

        set_lease, set_signal = fcntl.F_SETLEASE, fcntl.F_SETSIG
    except (ImportError, AttributeError):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Who opens it meanwhile makes the system send a signal. This one is ignored unless somebody asks for it.
        fcntl.fcntl(descriptor, set_signal, signal.SIGURG)
        fcntl.fcntl(descriptor, set_lease, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, set_lease, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:  # another user's file, or a disk without leases
        return False
    finally:
        os.close(descriptor)
    return False


class _Watch:
    def __init__(self, options: WatchOptions, stop: threading.Event, progress: Progress) -> None:
        self._options = options
        self._stop = stop
        self._progress = progress
        self._wake = threading.Event()
        self._settled = Settled(options.settle)
        self._tried: frozenset[Photo] = frozenset()  # no run takes them, whatever the reason
        self._batches = 0
        self._decoded = 0
        self._last: SortSummary | None = None

    def go(self) -> None:
        with _events(self._options.sort.inputs, self._wake.set) as told:
            self._progress.say("watching; stop with Ctrl-C")
            while not self._stop.is_set():
                self._wake.clear()
                self._settled.waiting = False
                if news := self._news():
                    self._sort()
                    self._tried = news
                    continue
                rest = POLL_WITH_EVENTS if told else self._options.poll
                self._sleep(min(self._options.settle, rest) if self._settled.waiting else rest)

    def _sort(self) -> None:
        try:
            self._last = sort_folder(self._options.sort, self._progress, self._settled)
        except JournalInUseError as error:  # a run or a review is at work on the folder; its turn comes first
            self._progress.say(f"{error}; trying again")
            self._sleep(self._options.poll)
            return
        self._batches += 1
        self._decoded += self._last.decoded
        self._progress.say(f"{self._last.decoded:,} photos sorted, {self._decoded:,} since the start")

    def _news(self) -> frozenset[Photo]:
        """Complete files that the journal does not know as they are now; those of one page. None that was tried."""
        photos = (item for item in scan_of(self._options.sort) if isinstance(item, Photo))
        try:
            journal = Journal.read(self._options.sort.out)
        except JournalError:  # there is none yet
            return frozenset(islice(filter(self._settled, photos), 1))
        with closing(journal):
            for page in _paged(photos):
                news = frozenset(filter(self._settled, _unknown(journal, page))) - self._tried
                if news:
                    return news
        return frozenset()

    def _sleep(self, seconds: float) -> None:
        """Until something happens in the folders, or the time is over."""
        until = time.monotonic() + seconds
        while not (self._stop.is_set() or self._wake.is_set()) and time.monotonic() < until:
            self._wake.wait(min(0.2, seconds))
        if self._wake.is_set():  # give it time to end, as each byte is an event
            self._stop.wait(min(0.5, self._options.settle))

    def summary(self) -> WatchSummary:
        return WatchSummary(self._options.sort.out, self._batches, self._decoded, self._last)


def _unknown(journal: Journal, page: Sequence[Photo]) -> list[Photo]:
    """Photos of a page that are new or have changed."""
    paths = [photo.path for photo in page]
    known, filed = journal.known(paths), journal.filed_companions(paths)
    now = {str(photo.path): (photo.size, photo.mtime_ns) for photo in page}
    same = {path for path, before in known.items() if (before.size, before.mtime_ns) == now[path]}
    return [photo for photo in page if str(photo.path) not in same and str(photo.path) not in filed]


def _paged(photos: Iterable[Photo]) -> Iterator[list[Photo]]:
    photos = iter(photos)
    while page := list(islice(photos, PAGE)):
        yield page


@contextmanager
def _events(folders: Iterable[Path], changed: Callable[[], None]) -> Iterator[bool]:
    """Have the system call `changed` when something happens in the folders. Gives whether it does.

    By watchdog: inotify, FSEvents, kqueue or ReadDirectoryChangesW.
    """
    try:
        from watchdog.events import EVENT_TYPE_CLOSED_NO_WRITE, EVENT_TYPE_OPENED, FileSystemEvent
        from watchdog.observers import Observer
    except ImportError:
        yield False
        return

    class Changed:
        def dispatch(self, event: FileSystemEvent) -> None:
            # Our own looking opens files, too.
            if event.event_type not in (EVENT_TYPE_OPENED, EVENT_TYPE_CLOSED_NO_WRITE):
                changed()

    observer = Observer()
    try:
        for folder in folders:
            observer.schedule(Changed(), str(folder), recursive=True)
        observer.start()
    except OSError:  # no more watches than the system's limit
        yield False
        return
    try:
        yield True
    finally:
        observer.stop()
        observer.join()


@contextmanager
def _only_one(sort: SortOptions) -> Iterator[None]:
    """One watch of an output folder at a time."""
    settle(sort.out, sort.journal)
    busy = "another `sorter watch` sorts into this folder; stop it first"
    with lock_file(sort.out, journal_folder(sort.out) / "watch.lock", busy):
        yield
