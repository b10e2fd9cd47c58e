"""The one owner of processes and of the thread pool. Only plain records and images cross to the window."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, QTimer, Signal, Slot

from sorter.pipeline.process import describe_exit, signals_deferred
from sorter.types import SorterError

from .tasks import CANCEL, PAUSE, RESUME, Cancelled, Failed, Finished, serve

GRACE_SECONDS = 10.0  # for a process that was asked to stop, until it is made to
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Ended:
    """The process is gone."""

    code: int | None


class Job(QObject):
    """A call in a process of its own. Exactly one of `finished`, `failed` and `cancelled` comes, then `ended`.

    Signals:
        progress: a record of `sorter.gui.tasks`: what it does, how far it is.
        finished: the record that the call returned.
        failed: a sentence that says what is wrong and what to do; also where the process died.
        cancelled: it was stopped.
        ended: the process is gone.
    """

    progress = Signal(object)
    finished = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    ended = Signal()
    _received = Signal(object)

    def __init__(self, call: Callable[..., Any], arguments: tuple[Any, ...], parent: QObject) -> None:
        super().__init__(parent)
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        # Not a daemon: it has workers of its own. `prepare_process` sees to it that it does not outlive the window.
        self._process = context.Process(target=serve, args=(theirs, call, arguments), name="sorter-job")
        self._outcome: Finished | Failed | Cancelled | None = None
        self._cancelling = False
        self._closed = False
        self._paused = False
        self._received.connect(self._receive, Qt.ConnectionType.QueuedConnection)
        with signals_deferred():
            self._process.start()
        theirs.close()
        self._thread = threading.Thread(target=self._listen, args=(self._connection,), daemon=True)
        self._thread.start()

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def process_id(self) -> int | None:
        return self._process.pid

    @Slot()
    def pause(self) -> None:
        """Stop where it is, until `resume`; photos in hand are finished."""
        self._paused = True
        self._send(PAUSE)

    @Slot()
    def resume(self) -> None:
        self._paused = False
        self._send(RESUME)

    @Slot()
    def cancel(self) -> None:
        """Stop for good, as Ctrl-C does; a process that does not is killed after a while."""
        if not self._cancelling:
            self._cancelling = True
            self._send(CANCEL)
            QTimer.singleShot(int(GRACE_SECONDS * 1000), self, self._process.kill)

    def close(self) -> None:
        """Stop it and wait until it has. Sends no more signals."""
        self._closed = True
        self._cancelling = True
        self._send(CANCEL)
        self._process.join(GRACE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._thread.join()
        self._connection.close()

    def _send(self, word: str) -> None:
        with suppress(OSError):  # it is gone already
            self._connection.send(word)

    def _listen(self, connection: Connection) -> None:
        """In a thread: pass on the process's records until it is gone."""
        with suppress(EOFError, OSError):
            while True:
                self._received.emit(connection.recv())
        self._process.join()
        self._received.emit(_Ended(self._process.exitcode))

    @Slot(object)
    def _receive(self, record: object) -> None:
        """In the window's thread."""
        if self._closed:
            return
        if isinstance(record, _Ended):
            self._end(record.code)
        elif isinstance(record, (Finished, Failed, Cancelled)):
            self._outcome = record
        else:
            self.progress.emit(record)

    def _end(self, code: int | None) -> None:
        self._thread.join()
        self._connection.close()
        outcome = self._outcome
        if isinstance(outcome, Finished):
            self.finished.emit(outcome.record)
        elif isinstance(outcome, Cancelled) or self._cancelling:
            self.cancelled.emit()
        elif outcome is not None:
            self.failed.emit(outcome.message)
        else:
            self.failed.emit(
                self.tr(
                    "The process that did the work {how}. Nothing on disk is lost; start it again, and it goes on "
                    "where it stopped."
                ).format(how=describe_exit(code))
            )
        self.ended.emit()


class _Answer(QObject):
    """Carries an answer from a thread of the pool to the window's thread."""

    arrived = Signal(object)

    def __init__(self, then: Callable[[Any], None], parent: QObject) -> None:
        super().__init__(parent)
        self._then = then
        self.arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def forget(self) -> None:
        """Nobody waits for it any more."""
        self._then = _ignore

    @Slot(object)
    def _deliver(self, answer: object) -> None:
        then, self._then = self._then, _ignore
        self.deleteLater()
        then(answer)


class _Question(QRunnable):
    def __init__(self, call: Callable[[], object], answer: _Answer) -> None:
        super().__init__()
        self._call = call
        self._answer = answer

    def run(self) -> None:
        try:
            found: object = self._call()
        except (SorterError, OSError) as error:
            found = error
        with suppress(RuntimeError):  # the window was closed meanwhile
            self._answer.arrived.emit(found)


class Jobs(QObject):
    """Every process and thread of the window.

    Signals:
        closed: nothing runs any more, and nothing will.
    """

    closed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[Job] = []
        self._pool = QThreadPool(self)
        self._closed = False

    def start(self, call: Callable[..., Any], *arguments: Any) -> Job:
        """Begin `call(channel, *arguments)`, a top-level function as in `sorter.gui.tasks`, in a new process."""
        job = Job(call, arguments, self)
        self._jobs.append(job)
        job.ended.connect(self._forget)
        return job

    def pool(self) -> QThreadPool:
        """For what takes milliseconds, such as a thumbnail."""
        return self._pool

    def later(
        self, call: Callable[[], Answer], then: Callable[[Answer | SorterError | OSError], None]
    ) -> None:
        """Ask something in a thread that may take a moment, such as the disk; `then` gets the answer, or the error."""
        if not self._closed:
            self._pool.start(_Question(call, _Answer(then, self)))

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def close(self) -> None:
        """Stop everything and wait until it has stopped. What was stopped can be gone on with."""
        self._closed = True
        self._pool.clear()
        for job in self._jobs:
            job.cancel()  # all at once, then wait for each
        for job in self._jobs:
            job.close()
        self._jobs = []
        self._pool.waitForDone()
        for answer in self.findChildren(_Answer):
            answer.forget()
        self.closed.emit()

    @Slot()
    def _forget(self) -> None:
        job = self.sender()
        assert isinstance(job, Job)
        self._jobs.remove(job)
        job.deleteLater()


def _ignore(answer: object) -> None:
    pass
