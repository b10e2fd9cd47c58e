"""The calls that a job's process makes, and the records it sends to the window. Nothing here needs Qt."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from sorter.pipeline.process import prepare_process
from sorter.types import SorterError

if TYPE_CHECKING:
    from pathlib import Path

    from sorter.clean import options as clean_options
    from sorter.clean.ledger import CleanLedger
    from sorter.clean.records import Checked
    from sorter.sort import apply as refile
    from sorter.sort import options as run_options
    from sorter.sort import summary, undo
    from sorter.train import doubtful
    from sorter.train import retrain as retraining
    from sorter.train import teach as teaching

SEND_SECONDS = 0.1  # progress is sent no more often than this
SHOWN = 2000  # groups, and broken files, that are sent to the window
PACE_SECONDS = 5.0  # the speed shown is that of the last so many


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for a person."""

    text: str


@dataclass(frozen=True, slots=True)
class Began:
    """A stretch of work begins.

    Attributes:
        what: such as `embedding`.
        total: steps; None while they are still being counted.
    """

    what: str
    total: int | None


@dataclass(frozen=True, slots=True)
class Advanced:
    """How far a stretch of work is.

    Attributes:
        done: steps.
        total: of how many; None while they are still being counted.
        rate: recent steps a second, without pauses; 0 while unknown.
        left: seconds to the end at that rate, or None.
    """

    done: int
    total: int | None
    rate: float
    left: float | None


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """A row of the history of a training."""

    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """The call returned this record."""

    record: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The call failed; why, and what to do."""

    message: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The call was stopped by the user."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Files that show the same picture, the one that should stay first.

    Attributes:
        exact: of the very same bytes.
    """

    exact: bool
    members: tuple[Checked, ...]


@dataclass(frozen=True)
class CleanFindings:
    """Broken files and duplicates in a folder.

    Attributes:
        options: as they were; the folders absolute.
        summary: all of it, in sums.
        groups: the first of them: across classes and splits, then exact, then near duplicates.
        broken: the first files that cannot be used.
    """

    options: clean_options.CleanOptions
    summary: clean_options.CleanSummary
    groups: tuple[DuplicateGroup, ...]
    broken: tuple[Checked, ...]


@dataclass(frozen=True)
class Cleaned:
    """Files that were moved to the quarantine, and the findings after that."""

    summary: clean_options.CleanSummary
    findings: CleanFindings


@dataclass(frozen=True)
class Restored:
    """Files that were put back, and the findings after that."""

    undone: undo.Undone
    findings: CleanFindings


# Commands of the window to the process.
PAUSE, RESUME, CANCEL = "pause", "resume", "cancel"


class Channel:
    """The connection to the window: sends records, receives the commands to pause, resume and cancel."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._running = threading.Event()
        self._running.set()
        self._busy = False  # may be interrupted
        self._stopping = False

    def send(self, record: object) -> None:
        """Send a picklable record, whole even where a stop comes in between. From any thread."""
        main = threading.current_thread() is threading.main_thread()
        busy = self._busy
        if main:
            self._busy = False
        try:
            with self._lock:
                self._connection.send(record)
        finally:
            if main:
                self._busy = busy
        if main and busy and self._stopping:
            raise KeyboardInterrupt

    def wait_while_paused(self) -> None:
        """Return when no pause is wanted."""
        while not self._running.wait(0.2):  # a wait without end cannot be interrupted everywhere
            pass

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    def listen(self) -> None:
        """Receive the window's commands until it closes the connection."""
        try:
            while True:
                command = self._connection.recv()
                if command == PAUSE:
                    self._running.clear()
                else:
                    self._running.set()
                if command == CANCEL:
                    self._stopping = True
                    _thread.interrupt_main()
        except (EOFError, OSError):
            return

    def call(self, call: Callable[..., Any], arguments: tuple[Any, ...]) -> Finished | Failed | Cancelled:
        """Make the call; its outcome as a record."""
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self._interrupt)
        try:
            try:
                self._busy = True
                if self._stopping:  # before anything had begun
                    raise KeyboardInterrupt
                record = call(self, *arguments)
            finally:
                self._busy = False
        except KeyboardInterrupt:
            return Cancelled()
        except SorterError as error:
            return Failed(str(error))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return Failed(
                f"Something went wrong that sorter did not expect: {type(error).__name__}: {error}. "
                "Nothing on disk is lost; start it again, and if this comes back, report it with this message."
            )
        return Finished(record)

    def _interrupt(self, *_: object) -> None:
        self._stopping = True
        if self._busy:
            raise KeyboardInterrupt


def serve(connection: Connection, call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """The process: one call, its progress and its outcome."""
    prepare_process()
    channel = Channel(connection)
    threading.Thread(target=channel.listen, daemon=True).start()
    outcome = channel.call(call, arguments)
    try:
        channel.send(outcome)
    except OSError:
        return  # the window is gone


class StepRate:
    """Steps a second over the last few seconds.

    Args:
        clock: seconds; for tests.
        done: steps that were done before.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, done: int = 0) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque([(clock(), done)])

    def at(self, done: int) -> float:
        """Note that so many steps are done. Returns steps a second over the last seconds."""
        now = self._clock()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= PACE_SECONDS:
            self._seen.popleft()
        (before, had), elapsed = self._seen[0], now - self._seen[0][0]
        return (done - had) / elapsed if elapsed > 0 and before < now else 0.0

    def skip(self, seconds: float) -> None:
        """Leave out a pause of so many seconds."""
        self._seen = deque((at + seconds, done) for at, done in self._seen)


class ProgressReporter:
    """A `Progress` that sends to the window.

    Args:
        done: steps that an earlier call did.
    """

    def __init__(self, channel: Channel, done: int = 0) -> None:
        self._channel = channel
        self._total: int | None = None
        self._done = done
        self._last_sent = 0.0
        self._pace = StepRate(done=done)

    def say(self, message: str) -> None:
        self._wait_while_paused()
        self._channel.send(Message(message))

    def begin(self, what: str, total: int | None) -> None:
        self._wait_while_paused()
        self._total, self._done, self._last_sent, self._pace = total, 0, 0.0, StepRate()
        self._channel.send(Began(what, total))

    def advance(self, steps: int, /, **figures: float) -> None:
        self._wait_while_paused()
        self._done += steps
        now = time.monotonic()
        if now - self._last_sent < SEND_SECONDS and self._done != self._total:
            return
        self._last_sent = now
        rate = self._pace.at(self._done)
        total = self._total
        left = None if total is None or not rate else max(total - self._done, 0) / rate
        self._channel.send(Advanced(self._done, total, rate, left))

    def epoch(self, row: dict[str, Any]) -> None:
        self._wait_while_paused()
        self._channel.send(EpochEnded(row))

    def count(self, total: Callable[[], int]) -> None:
        """Find out how many steps there are while the first are already being done."""

        def count() -> None:
            try:
                self._total = total()
            except SorterError:
                return  # the call itself says so

        threading.Thread(target=count, daemon=True).start()

    def _wait_while_paused(self) -> None:
        if self._channel.paused:
            began = time.monotonic()
            self._channel.wait_while_paused()
            self._pace.skip(time.monotonic() - began)


# -- the calls -------------------------------------------------------------------------------------------------


def sort(channel: Channel, options: run_options.SortOptions) -> summary.SortSummary:
    """`sorter run`."""
    from sorter.sort.options import resolved, scan_of
    from sorter.sort.run import sort_folder

    options = resolved(options)
    moved = _moved_before(options)
    reporter = ProgressReporter(channel, moved)
    reporter.count(lambda: moved + sum(1 for _ in scan_of(options)))
    return sort_folder(options, reporter)


def _moved_before(options: run_options.SortOptions) -> int:
    """Photos that a stopped run has moved. They are not found again where they were."""
    from sorter.sort.status import read_status

    try:
        return 0 if options.fresh else read_status(options.out).moved_so_far
    except (SorterError, OSError):
        return 0  # nothing was sorted there yet


def retrain(channel: Channel, options: retraining.RetrainOptions) -> retraining.RetrainResult:
    """A model that learns from corrections."""
    from sorter.train.retrain import retrain

    return retrain(options, ProgressReporter(channel))


def teach(channel: Channel, options: teaching.TeachOptions) -> teaching.TeachResult:
    """A model that learns classes from their examples."""
    from sorter.train.teach import teach

    return teach(options, ProgressReporter(channel))


def find_doubtful_marks(channel: Channel, options: doubtful.CheckOptions) -> doubtful.DoubtfulMarks:
    """Marks of a review that look wrong."""
    from sorter.train.doubtful import find_doubtful_marks

    return find_doubtful_marks(options, ProgressReporter(channel))


def undo_run(channel: Channel, out: Path) -> undo.Undone:
    """`sorter undo`."""
    from sorter.sort.undo import undo

    return undo(out, ProgressReporter(channel))


def apply_review(channel: Channel, out: Path, photos: int) -> refile.Applied:
    """Move so many photos to the folders of their classes."""
    from sorter.sort.apply import apply_review

    reporter = ProgressReporter(channel)
    reporter.begin("moving photos", photos)
    return apply_review(out, reporter)


def undo_apply(channel: Channel, out: Path) -> refile.Applied:
    """Move photos back to where the run had put them."""
    from sorter.sort.apply import undo_apply

    reporter = ProgressReporter(channel)
    reporter.begin("moving photos back", None)
    return undo_apply(out, reporter)


def export(
    channel: Channel, out: Path, target: Path, photos: int, only_reviewed: bool = False
) -> refile.Applied:
    """Copy the corrected set, or the part of it that a person checked."""
    from sorter.sort.apply import export

    reporter = ProgressReporter(channel)
    reporter.begin("copying photos", photos)
    return export(out, target, reporter, only_reviewed)


def find_faults(channel: Channel, options: clean_options.CleanOptions) -> CleanFindings:
    """`sorter clean --dry-run`: find broken files and duplicates."""
    from sorter.clean.options import resolved, scan_of
    from sorter.clean.records import Kind
    from sorter.clean.run import clean

    options = resolved(options)
    groups: list[DuplicateGroup] = []
    broken: list[Checked] = []

    def show(ledger: CleanLedger) -> None:
        groups.extend(DuplicateGroup(each.exact, each.members) for each in ledger.groups(SHOWN))
        broken.extend(ledger.with_verdict(Kind.BROKEN.value, SHOWN))

    reporter = ProgressReporter(channel)
    reporter.begin("looking at every file", None)
    reporter.count(lambda: sum(1 for _ in scan_of(options)))
    dry = replace(options, dry_run=True, only=None, prefer=frozenset(), report=None)
    return CleanFindings(options, clean(dry, reporter, show=show), tuple(groups), tuple(broken))


def quarantine(channel: Channel, options: clean_options.CleanOptions) -> Cleaned:
    """`sorter clean`: move the chosen files to the quarantine; then find faults again."""
    from sorter.clean.run import clean

    reporter = ProgressReporter(channel)
    reporter.begin("moving files to the quarantine", None)
    summary = clean(options, reporter)
    return Cleaned(summary, find_faults(channel, options))


def undo_quarantine(channel: Channel, options: clean_options.CleanOptions) -> Restored:
    """`sorter undo` of the quarantine; then find faults again."""
    from sorter.clean.emptied import remove_emptied

    assert options.quarantine is not None
    undone = undo_run(channel, options.quarantine)
    if not undone.left:
        remove_emptied(options.quarantine)
    return Restored(undone, find_faults(channel, options))
