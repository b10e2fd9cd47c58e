"""What the other process does: a call of the library, told of in plain records. Nothing here knows of Qt."""

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

from sorter.pipeline.pool import settle_in
from sorter.types import SorterError

if TYPE_CHECKING:
    from pathlib import Path

    from sorter.clean import options as clean_options
    from sorter.clean.ledger import CleanLedger
    from sorter.clean.records import Checked
    from sorter.sort import apply as refile
    from sorter.sort import options as run_options
    from sorter.sort import run, undo
    from sorter.train import retrain as retraining

TELL_SECONDS = 0.1  # the window is told no more often than this
SHOWN = 2000  # groups, and broken files, that the window is given to show
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
        rate: steps a second of late, pauses left out; 0 while nothing can be said.
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
    """The call came to its end; this is its record."""

    record: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not, and why: a sentence with a next step."""

    message: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """It was stopped, as it had been asked to."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Files that show the same picture, the one that should stay first.

    Attributes:
        exact: of the very same bytes.
    """

    exact: bool
    members: tuple[Checked, ...]


@dataclass(frozen=True)
class Found:
    """What `sorter clean` found in a folder.

    Attributes:
        options: as they were; the folders absolute.
        summary: all of it, in sums.
        groups: the first of them: across classes and splits, then exact, then near duplicates.
        broken: the first files that cannot be used.
    """

    options: clean_options.CleanOptions
    summary: clean_options.CleanSummary
    groups: tuple[Alike, ...]
    broken: tuple[Checked, ...]


@dataclass(frozen=True)
class Cleaned:
    """What was set apart, and what is found now."""

    summary: clean_options.CleanSummary
    found: Found


@dataclass(frozen=True)
class PutBack:
    """What was put back, and what is found now."""

    undone: undo.Undone
    found: Found


# What the window says to the process.
PAUSE, RESUME, CANCEL = "pause", "resume", "cancel"


class Channel:
    """The way back to the window, and what the window wants: to pause, to go on, to stop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._running = threading.Event()
        self._running.set()
        self._busy = False  # may be interrupted
        self._stopping = False

    def tell(self, record: object) -> None:
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

    def hold(self) -> None:
        """Come back when nobody wants a pause."""
        while not self._running.wait(0.2):  # a wait without end cannot be interrupted everywhere
            pass

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    def listen(self) -> None:
        """Take in what the window says until it hangs up."""
        try:
            while True:
                said = self._connection.recv()
                if said == PAUSE:
                    self._running.clear()
                else:
                    self._running.set()
                if said == CANCEL:
                    self._stopping = True
                    _thread.interrupt_main()
        except (EOFError, OSError):
            return

    def call(self, call: Callable[..., Any], arguments: tuple[Any, ...]) -> Finished | Failed | Cancelled:
        """Do it, and say what came of it."""
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
    """The process: one call, its progress and what came of it."""
    settle_in()
    channel = Channel(connection)
    threading.Thread(target=channel.listen, daemon=True).start()
    outcome = channel.call(call, arguments)
    try:
        channel.tell(outcome)
    except OSError:
        return  # the window is gone


class StepRate:
    """How fast it goes: steps a second over the last few seconds.

    Args:
        clock: seconds; for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque([(clock(), 0)])

    def at(self, done: int) -> float:
        """Note that so many are done; steps a second of late."""
        now = self._clock()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= PACE_SECONDS:
            self._seen.popleft()
        (before, had), elapsed = self._seen[0], now - self._seen[0][0]
        return (done - had) / elapsed if elapsed > 0 and before < now else 0.0

    def skip(self, seconds: float) -> None:
        """So long nothing was to happen."""
        self._seen = deque((at + seconds, done) for at, done in self._seen)


class ProgressReporter:
    """A watch of sorting, cleaning and training that tells the window."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._total: int | None = None
        self._done = 0
        self._told = 0.0
        self._pace = StepRate()

    def say(self, message: str) -> None:
        self._hold()
        self._channel.tell(Message(message))

    def begin(self, what: str, total: int | None) -> None:
        self._hold()
        self._total, self._done, self._told, self._pace = total, 0, 0.0, StepRate()
        self._channel.tell(Began(what, total))

    def advance(self, steps: int, /, **figures: float) -> None:
        self._hold()
        self._done += steps
        now = time.monotonic()
        if now - self._told < TELL_SECONDS and self._done != self._total:
            return
        self._told = now
        rate = self._pace.at(self._done)
        total = self._total
        left = None if total is None or not rate else max(total - self._done, 0) / rate
        self._channel.tell(Advanced(self._done, total, rate, left))

    def epoch(self, row: dict[str, Any]) -> None:
        self._hold()
        self._channel.tell(EpochEnded(row))

    def count(self, total: Callable[[], int]) -> None:
        """Find out how many steps there are while the first are already being done."""

        def count() -> None:
            try:
                self._total = total()
            except SorterError:
                return  # the call itself says so

        threading.Thread(target=count, daemon=True).start()

    def _hold(self) -> None:
        if self._channel.paused:
            began = time.monotonic()
            self._channel.hold()
            self._pace.skip(time.monotonic() - began)


# -- the calls -------------------------------------------------------------------------------------------------


def sort(channel: Channel, options: run_options.SortOptions) -> run.SortSummary:
    """`sorter run`."""
    from sorter.sort.options import resolved, scan_of
    from sorter.sort.run import sort_folder

    teller = ProgressReporter(channel)
    options = resolved(options)
    teller.count(lambda: sum(1 for _ in scan_of(options)))
    return sort_folder(options, teller)


def retrain(channel: Channel, options: retraining.RetrainOptions) -> retraining.Retrained:
    """A model that learns from corrections."""
    from sorter.train.retrain import retrain

    return retrain(options, ProgressReporter(channel))


def put_back(channel: Channel, out: Path) -> undo.Undone:
    """`sorter undo`."""
    from sorter.sort.undo import undo

    return undo(out)


def apply_review(channel: Channel, out: Path, photos: int) -> refile.Applied:
    """Move photos to the folders where they belong; so many are to go."""
    from sorter.sort.apply import apply_review

    teller = ProgressReporter(channel)
    teller.begin("moving photos", photos)
    return apply_review(out, teller.advance)


def undo_apply(channel: Channel, out: Path) -> refile.Applied:
    """Move photos back to where the run had put them."""
    from sorter.sort.apply import undo_apply

    teller = ProgressReporter(channel)
    teller.begin("moving photos back", None)
    return undo_apply(out, teller.advance)


def export(channel: Channel, out: Path, target: Path, photos: int) -> refile.Applied:
    """Copy the corrected set."""
    from sorter.sort.apply import export

    teller = ProgressReporter(channel)
    teller.begin("copying photos", photos)
    return export(out, target, teller.advance)


def look(channel: Channel, options: clean_options.CleanOptions) -> Found:
    """`sorter clean --dry-run`: what there is to clean."""
    from sorter.clean.options import resolved, scan_of
    from sorter.clean.records import Kind
    from sorter.clean.run import clean

    options = resolved(options)
    groups: list[Alike] = []
    broken: list[Checked] = []

    def show(ledger: CleanLedger) -> None:
        groups.extend(Alike(exact, tuple(members)) for _, _, exact, members in ledger.teams(SHOWN))
        broken.extend(ledger.with_verdict(Kind.BROKEN.value, SHOWN))

    teller = ProgressReporter(channel)
    teller.begin("looking at every file", None)
    teller.count(lambda: sum(1 for _ in scan_of(options)))
    dry = replace(options, dry_run=True, only=None, prefer=frozenset())
    return Found(options, clean(dry, teller, show=show), tuple(groups), tuple(broken))


def set_apart(channel: Channel, options: clean_options.CleanOptions) -> Cleaned:
    """`sorter clean`: move what was chosen to the quarantine; then look again."""
    from sorter.clean.run import clean

    teller = ProgressReporter(channel)
    teller.begin("moving files to the quarantine", None)
    summary = clean(options, teller)
    return Cleaned(summary, look(channel, options))


def put_back_and_look(channel: Channel, options: clean_options.CleanOptions) -> PutBack:
    """`sorter undo` of the quarantine; then look again."""
    assert options.quarantine is not None
    return PutBack(put_back(channel, options.quarantine), look(channel, options))
