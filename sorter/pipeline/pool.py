"""The only owner of worker processes: a bounded stream of one result per photo, in order.

Each worker does one photo at a time and says in shared memory which. So the parent knows whom to blame when a
worker dies or hangs, kills it if need be, starts another, and goes on: a bad file costs one row.
"""

from __future__ import annotations

import heapq
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from sorter.types import Failure, Limits, Outcome, Photo, Reason, Result, SorterError

Made = TypeVar("Made", covariant=True)

IDLE = -1.0
WINDOW = 4096
AHEAD_SECONDS = 0.25  # work handed to a worker in advance, so that the parent may do something else meanwhile
AHEAD_PHOTOS = (2, 64)
TRIES = 2  # a worker's death may be somebody else's doing (the system out of memory, say): try once more


class PipelineError(SorterError):
    """The workers themselves cannot work, whatever the photo."""


class Stage(Protocol[Made]):
    """What workers do. Pickled to each of them; `start` runs there once and returns the function for a photo.

    That function returns a `Failure` for a bad photo; anything it raises ends the run.
    """

    def start(self) -> Callable[[Photo], Made | Failure]: ...


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    connection: Connection
    slot: Any  # shared float64[2]: number of the task in hand, monotonic seconds when it was taken up
    given: deque[int] = field(default_factory=deque)
    ready: bool = False


class Pool(Generic[Outcome]):
    """Worker processes for one stage.

    Args:
        stage: what each of them does.
        workers: how many.
        limits: per photo.
        window: items on their way at most; bounds memory when one photo holds up the order.
    """

    def __init__(
        self, stage: Stage[Outcome], workers: int, limits: Limits | None = None, window: int = WINDOW
    ) -> None:
        self._stage = stage
        self._window = window
        self._limits = limits or Limits()
        # Spawned, never forked: engines hold threads and locks that do not survive a fork.
        self._context = multiprocessing.get_context("spawn")
        self._tasks: dict[int, Photo] = {}
        self._tries: dict[int, int] = {}
        self._again: list[int] = []  # a heap: what a dead worker left, first come first served
        self._suspects: set[int] = set()
        self._done: dict[int, Result[Outcome]] = {}
        self._pace = 0.05  # seconds a photo takes, a running mean
        self._restarts = 0
        self._workers = [self._hire() for _ in range(workers)]

    def __enter__(self) -> Pool[Outcome]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every worker at once: they hold nothing that could be lost."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()
        self._workers = []

    def run(self, items: Iterable[Photo | Result[Outcome]]) -> Iterator[Result[Outcome]]:
        """Yield one result per item, in their order; items that are results already pass through.

        Memory: `window` results and photos at most, however many items there are.

        Raises:
            PipelineError: workers cannot start, or their stage raised.
        """
        source = iter(items)
        taken, yielded, exhausted = 0, 0, False
        while True:
            while not exhausted and taken - yielded < self._window and (worker := self._hungry()):
                chunk: list[int] = []
                while len(chunk) < self._ahead() - len(worker.given) and taken - yielded < self._window:
                    item = next(source, None)
                    if item is None:
                        exhausted = True
                        break
                    if isinstance(item, Result):
                        self._done[taken] = item
                    else:
                        self._tasks[taken] = item
                        chunk.append(taken)
                    taken += 1
                self._give(worker, chunk)
            self._give_again()
            while yielded in self._done:
                yield self._done.pop(yielded)
                yielded += 1
            if exhausted and yielded == taken:
                return
            if self._tasks and yielded not in self._done:
                self._listen()

    # -- giving ------------------------------------------------------------------------------------------------

    def _ahead(self) -> int:
        least, most = AHEAD_PHOTOS
        return max(least, min(most, int(AHEAD_SECONDS / self._pace)))

    def _hungry(self) -> _Worker | None:
        """The worker with the least to do, if it has less than half of what it should have."""
        worker = min(self._workers, key=lambda each: len(each.given))
        if self._again or len(worker.given) > self._ahead() // 2:
            return None
        return worker

    def _give(self, worker: _Worker, chunk: list[int]) -> None:
        if not chunk:
            return
        worker.given.extend(chunk)
        with suppress(OSError):  # it died; its sentinel will tell, and what it was given is given again
            worker.connection.send([(number, self._tasks[number]) for number in chunk])

    def _give_again(self) -> None:
        """What a dead worker left: a suspect goes alone to an idle worker, so that it harms nobody else."""
        while self._again:
            worker = min(self._workers, key=lambda each: len(each.given))
            alone = self._again[0] in self._suspects
            if any(number in self._suspects for number in worker.given) or (alone and worker.given):
                return
            if len(worker.given) >= self._ahead():
                return
            self._give(worker, [heapq.heappop(self._again)])

    # -- listening ---------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Wait for any worker to report, die or overrun its time, and take that in."""
        by_handle: dict[Any, _Worker] = {}
        for worker in self._workers:
            by_handle[worker.connection] = worker
            by_handle[worker.process.sentinel] = worker
        ready = wait(list(by_handle), timeout=min(0.5, self._limits.seconds / 2))
        for worker in {id(by_handle[each]): by_handle[each] for each in ready}.values():
            alive = self._hear(worker)
            if not alive:
                self._bury(worker)
        now = time.monotonic()
        for worker in list(self._workers):
            number, since = worker.slot[0], worker.slot[1]
            if number != IDLE and now - since > self._limits.seconds and int(number) in worker.given:
                self._hear(worker)  # it may have come through just now
                if int(number) in worker.given:
                    self._stop_overrun(worker, int(number))

    def _hear(self, worker: _Worker) -> bool:
        """Take in all that a worker has said; False when it is dead."""
        try:
            while worker.connection.poll():
                message = worker.connection.recv()
                if isinstance(message, str):
                    raise PipelineError(message)
                if message is None:
                    worker.ready = True
                    continue
                for number, outcome, seconds in message:
                    worker.given.remove(number)
                    self._pace += 0.05 * (seconds - self._pace)
                    self._restarts = 0
                    self._finish(number, outcome)
        except (EOFError, OSError):
            return False
        return worker.process.is_alive()

    def _finish(self, number: int, outcome: Outcome | Failure) -> None:
        self._done[number] = Result(self._tasks.pop(number), outcome)
        self._tries.pop(number, None)
        self._suspects.discard(number)

    def _stop_overrun(self, worker: _Worker, number: int) -> None:
        worker.process.kill()
        worker.given.remove(number)
        message = f"took longer than {self._limits.seconds:g} s (--timeout-per-file)"
        self._finish(number, Failure(Reason.TIMEOUT, message))
        worker.slot[0] = IDLE
        self._bury(worker)

    def _bury(self, worker: _Worker) -> None:
        """A worker is dead: find out whose fault it was, start another, give its other photos again."""
        self._hear(worker)  # what it sent before it died still counts
        worker.process.join()
        code = worker.process.exitcode
        worker.connection.close()
        current = int(worker.slot[0])
        killed = code is not None and code < 0  # by the system, perhaps: that is worth another try
        if not worker.ready and current == IDLE and not killed:
            raise PipelineError(f"a worker process could not start ({died(code)}); its message is above")
        if current in worker.given:
            self._tries[current] = self._tries.get(current, 0) + 1
            self._suspects.add(current)
            if self._tries[current] >= TRIES:
                worker.given.remove(current)
                self._finish(current, Failure(Reason.DECODER_CRASHED, f"its decoder {died(code)}"))
        else:
            self._restarts += 1
            if self._restarts > TRIES * 2:
                raise PipelineError(f"worker processes keep dying ({died(code)}) without a photo in hand")
        for number in worker.given:
            heapq.heappush(self._again, number)
        self._workers[self._workers.index(worker)] = self._hire()

    def _hire(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        slot = self._context.RawArray("d", [IDLE, 0.0])
        process = self._context.Process(
            target=_work, args=(self._stage, self._limits, theirs, slot), name="sorter-worker", daemon=True
        )
        with undisturbed():
            process.start()
        theirs.close()
        return _Worker(process, ours, slot)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put off Ctrl-C and SIGTERM: a process that is half started would complain at length.

    It inherits the mask of this thread, until `settle_in` lifts it. Here a signal may reach any thread, and it is
    always the main one that handles it; so there the handlers only take note.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    noted: list[tuple[int, Any]] = []
    handlers: dict[signal.Signals, Any] = {}
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # it would lift the mask, were it started along with the process
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        if threading.current_thread() is threading.main_thread():
            for each in signals:
                if callable(signal.getsignal(each)):
                    handlers[each] = signal.signal(each, lambda *what: noted.append(what))
        yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, frame in noted:
            handlers[signal.Signals(number)](number, frame)


def died(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"was killed by {name}"
    return f"ended with exit code {code}"


# -- in the worker process -------------------------------------------------------------------------------------


def _work(stage: Stage[Outcome], limits: Limits, connection: Connection, slot: Any) -> None:
    """Do photos until the parent hangs up."""
    settle_in()
    try:
        do = stage.start()
    except SorterError as error:
        connection.send(str(error))
        return
    except Exception:
        connection.send(f"a worker process could not start:\n{traceback.format_exc()}")
        return
    connection.send(None)
    _quieten()
    _limit_memory(limits.memory)
    try:
        _serve(do, connection, slot)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def settle_in() -> None:
    """What each process of ours does first: leave Ctrl-C to the parent, and never outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches the whole group; the parent decides
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    _end_with_parent()


def _serve(do: Callable[[Photo], Outcome | Failure], connection: Connection, slot: Any) -> None:
    said_last = 0.0
    while True:
        chunk = connection.recv()
        report: list[tuple[int, Outcome | Failure, float]] = []
        for at, (number, photo) in enumerate(chunk):
            began = time.monotonic()
            slot[1] = began
            slot[0] = number
            try:
                outcome = do(photo)
            except MemoryError:
                outcome = Failure(Reason.OUT_OF_MEMORY, "needs more memory than one worker may use")
            except SorterError as error:
                connection.send(str(error))
                return
            except Exception:
                connection.send(f"{photo.path}: the engine failed:\n{traceback.format_exc()}")
                return
            slot[0] = IDLE
            now = time.monotonic()
            report.append((number, outcome, now - began))
            if now - said_last > 0.05 or at == len(chunk) - 1:
                connection.send(report)
                report, said_last = [], now


def _end_with_parent() -> None:
    """Workers never outlive a parent that was killed, even while a decoder hangs in C code."""
    parent = multiprocessing.parent_process()
    if parent is not None and hasattr(os, "O_ASYNC"):
        import fcntl

        # When the parent's end of this pipe closes, the kernel sends SIGIO, which ends a process: no thread of
        # ours could while C code holds the interpreter's lock.
        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, os.O_ASYNC | fcntl.fcntl(parent.sentinel, fcntl.F_GETFL))

    def progress() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=progress, daemon=True).start()


def _quieten() -> None:
    """C libraries write warnings straight to the terminal, through the progress bar; failures have rows."""
    sys.stderr.flush()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def _limit_memory(extra: int | None) -> None:
    if extra is None or not sys.platform.startswith("linux"):
        return
    import resource

    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - a kernel interface
        data = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))
    limit = data + extra
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
