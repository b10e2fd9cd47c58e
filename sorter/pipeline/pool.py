"""A pool of worker processes: a bounded stream of one result per photo, in order.

Each worker processes one photo at a time and notes its number in shared memory. When a worker dies or hangs, the
parent thus knows the photo. It kills the worker if needed, starts another and goes on. A bad file costs one row.
"""

from __future__ import annotations

import heapq
import multiprocessing
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Generic

from sorter.pipeline.process import (
    IDLE,
    TRIES,
    PipelineError,
    Stage,
    describe_exit,
    run_worker,
    signals_deferred,
)
from sorter.types import Failure, Limits, Outcome, Photo, Reason, Result

WINDOW = 4096
PREFETCH_SECONDS = 0.25  # of work queued at a worker, so that it has work while the parent is busy
PREFETCH_PHOTOS = (2, 64)  # bounds of the same


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    connection: Connection
    slot: Any  # shared float64[2]: number of the current photo, monotonic seconds of its start
    assigned: deque[int] = field(default_factory=deque)
    ready: bool = False


class Pool(Generic[Outcome]):
    """Worker processes for one stage.

    Args:
        stage: the work of each process.
        workers: number of processes.
        limits: per photo.
        window: items in flight at most. It bounds memory when one slow photo delays the results after it.
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
        self._requeued: list[int] = []  # a heap: photos of dead workers, in order
        self._suspects: set[int] = set()
        self._done: dict[int, Result[Outcome]] = {}
        self._seconds_per_photo = 0.05  # running mean of a photo
        self._restarts = 0
        self._workers = [self._start_worker() for _ in range(workers)]

    def __enter__(self) -> Pool[Outcome]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill every worker at once. They hold nothing that could be lost."""
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
            while not exhausted and taken - yielded < self._window and (worker := self._idle_worker()):
                chunk: list[int] = []
                while (
                    len(chunk) < self._queue_size() - len(worker.assigned) and taken - yielded < self._window
                ):
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
                self._assign(worker, chunk)
            self._assign_again()
            while yielded in self._done:
                yield self._done.pop(yielded)
                yielded += 1
            if exhausted and yielded == taken:
                return
            if self._tasks and yielded not in self._done:
                self._wait()

    # -- assigning photos --------------------------------------------------------------------------------------

    def _queue_size(self) -> int:
        least, most = PREFETCH_PHOTOS
        return max(least, min(most, int(PREFETCH_SECONDS / self._seconds_per_photo)))

    def _idle_worker(self) -> _Worker | None:
        """The worker with the fewest photos, if its queue is less than half full."""
        worker = min(self._workers, key=lambda each: len(each.assigned))
        if self._requeued or len(worker.assigned) > self._queue_size() // 2:
            return None
        return worker

    def _assign(self, worker: _Worker, chunk: list[int]) -> None:
        if not chunk:
            return
        worker.assigned.extend(chunk)
        with suppress(OSError):  # it died; its sentinel reports that, and its photos are queued again
            worker.connection.send([(number, self._tasks[number]) for number in chunk])

    def _assign_again(self) -> None:
        """Assign photos of dead workers. A suspect goes alone to an idle worker, so that no other photo is lost."""
        while self._requeued:
            worker = min(self._workers, key=lambda each: len(each.assigned))
            alone = self._requeued[0] in self._suspects
            if any(number in self._suspects for number in worker.assigned) or (alone and worker.assigned):
                return
            if len(worker.assigned) >= self._queue_size():
                return
            self._assign(worker, [heapq.heappop(self._requeued)])

    # -- receiving results -------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Wait until a worker reports, dies or exceeds the time limit, and handle that."""
        by_handle: dict[Any, _Worker] = {}
        for worker in self._workers:
            by_handle[worker.connection] = worker
            by_handle[worker.process.sentinel] = worker
        ready = wait(list(by_handle), timeout=min(0.5, self._limits.seconds / 2))
        for worker in {id(by_handle[each]): by_handle[each] for each in ready}.values():
            alive = self._receive(worker)
            if not alive:
                self._replace(worker)
        now = time.monotonic()
        for worker in list(self._workers):
            number, since = worker.slot[0], worker.slot[1]
            if number != IDLE and now - since > self._limits.seconds and int(number) in worker.assigned:
                self._receive(worker)  # it may have finished just now
                if int(number) in worker.assigned:
                    self._stop_overrun(worker, int(number))

    def _receive(self, worker: _Worker) -> bool:
        """Read all messages of a worker. Return False when it is dead."""
        try:
            while worker.connection.poll():
                message = worker.connection.recv()
                if isinstance(message, str):
                    raise PipelineError(message)
                if message is None:
                    worker.ready = True
                    continue
                for number, outcome, seconds in message:
                    worker.assigned.remove(number)
                    self._seconds_per_photo += 0.05 * (seconds - self._seconds_per_photo)
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
        worker.assigned.remove(number)
        message = f"took longer than {self._limits.seconds:g} s (--timeout-per-file)"
        self._finish(number, Failure(Reason.TIMEOUT, message))
        worker.slot[0] = IDLE
        self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        """Replace a dead worker: blame its current photo, and queue its other photos again."""
        self._receive(worker)  # results sent before its death count
        worker.process.join()
        code = worker.process.exitcode
        worker.connection.close()
        current = int(worker.slot[0])
        killed = code is not None and code < 0  # perhaps by the system, so it is tried again
        if not worker.ready and current == IDLE and not killed:
            raise PipelineError(
                f"a worker process could not start ({describe_exit(code)}); its message is above"
            )
        if current in worker.assigned:
            self._tries[current] = self._tries.get(current, 0) + 1
            self._suspects.add(current)
            if self._tries[current] >= TRIES:
                worker.assigned.remove(current)
                self._finish(current, Failure(Reason.DECODER_CRASHED, f"its decoder {describe_exit(code)}"))
        else:
            self._restarts += 1
            if self._restarts > TRIES * 2:
                raise PipelineError(f"worker processes keep dying ({describe_exit(code)}) without a photo")
        for number in worker.assigned:
            heapq.heappush(self._requeued, number)
        self._workers[self._workers.index(worker)] = self._start_worker()

    def _start_worker(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        slot = self._context.RawArray("d", [IDLE, 0.0])
        process = self._context.Process(
            target=run_worker,
            args=(self._stage, self._limits, theirs, slot),
            name="sorter-worker",
            daemon=True,
        )
        with signals_deferred():
            process.start()
        theirs.close()
        return _Worker(process, ours, slot)
