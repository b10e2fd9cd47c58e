"""Code that runs in a worker process, and what its parent needs to start and end one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, Generic, Protocol, TypeVar

from sorter.types import Failure, Limits, Outcome, Photo, Reason, SorterError

Made = TypeVar("Made", covariant=True)
Answer = TypeVar("Answer")

# What stops a command: Ctrl-C, a service manager, and on most systems a terminal that is closed.
STOPPING = tuple(getattr(signal, each) for each in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, each))
IDLE = -1.0
TRIES = 2  # another program may have caused a worker's death, for example by using up the memory
OUT_OF_MEMORY = "needs more memory than one worker may use"


class PipelineError(SorterError):
    """Worker processes cannot start, keep dying, or their stage raised an exception."""


class Stage(Protocol[Made]):
    """The work of a pool. It is pickled to each worker, where `start` runs once and returns the function for a photo.

    That function returns a `Failure` for a bad photo. An exception from it ends the run.
    """

    def start(self) -> Callable[[Photo], Made | Failure]: ...


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Defer Ctrl-C, SIGTERM and SIGHUP while a process starts: one that is half started would print a traceback.

    The new process inherits the signal mask of this thread until `prepare_process` lifts it. In this process a signal
    may reach any thread, but Python handles it in the main thread. So the handlers there are replaced, too.
    """
    received: list[tuple[int, Any]] = []
    handlers: dict[signal.Signals, Any] = {}
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # started along with the process, it would lift the mask
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        if threading.current_thread() is threading.main_thread():
            for each in STOPPING:
                if callable(signal.getsignal(each)):
                    handlers[each] = signal.signal(each, lambda *what: received.append(what))
        yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, frame in received:
            handlers[signal.Signals(number)](number, frame)


def describe_exit(code: int | None) -> str:
    """How a process ended, as the predicate of a sentence: `was killed by SIGKILL`."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"was killed by {name}"
    return f"ended with exit code {code}"


@dataclass(frozen=True)
class _Returned(Generic[Answer]):
    """The value that a call in a process returned."""

    value: Answer


def call_in_process(call: Callable[[], Answer], limits: Limits) -> Answer | Failure:
    """Run one call in a process of its own, which may crash, hang or run out of memory.

    Args:
        call: pickled to the process, as its return value is to this one.
        limits: seconds from the start of the process, and memory of the call.

    Returns:
        The return value; or a `Failure`: `TIMEOUT`, `OUT_OF_MEMORY`, or `DECODER_CRASHED` where the process died
        `TRIES` times.

    Raises:
        PipelineError: the process could not start, or the call raised an exception.
    """
    failure = Failure(Reason.DECODER_CRASHED)
    for _ in range(TRIES):
        outcome = _try_call(call, limits)
        if not isinstance(outcome, Failure) or outcome.reason is not Reason.DECODER_CRASHED:
            return outcome
        failure = outcome
    return failure


def _try_call(call: Callable[[], Answer], limits: Limits) -> Answer | Failure:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run_call, args=(call, limits, theirs), name="sorter-call", daemon=True)
    with signals_deferred():
        process.start()
    theirs.close()
    started = False
    deadline = time.monotonic() + limits.seconds
    try:
        while ours.poll(max(0.0, deadline - time.monotonic())):
            message = ours.recv()
            if isinstance(message, str):
                raise PipelineError(message)
            if isinstance(message, _Returned):
                answer: Answer | Failure = message.value
                return answer
            started = True
        return Failure(Reason.TIMEOUT, f"took longer than {limits.seconds:g} s")
    except (EOFError, OSError) as error:
        process.join()
        code = process.exitcode
        if not started and code is not None and code >= 0:
            raise PipelineError(
                f"a worker process could not start ({describe_exit(code)}); its message is above"
            ) from error
        return Failure(Reason.DECODER_CRASHED, f"its process {describe_exit(code)}")
    finally:
        process.kill()
        process.join()
        ours.close()


def _run_call(call: Callable[[], Answer], limits: Limits, connection: Connection) -> None:
    prepare_process()
    connection.send(None)
    _silence_stderr()
    _limit_memory(limits.memory)
    try:
        connection.send(_Returned(call()))
    except MemoryError:
        connection.send(_Returned(Failure(Reason.OUT_OF_MEMORY, OUT_OF_MEMORY)))
    except SorterError as error:
        connection.send(str(error))
    except Exception:
        connection.send(f"a call in a worker process failed:\n{traceback.format_exc()}")


def run_worker(stage: Stage[Outcome], limits: Limits, connection: Connection, slot: Any) -> None:
    """Process photos until the parent closes the connection. The target of a pool's worker processes."""
    prepare_process()
    try:
        process_photo = stage.start()
    except SorterError as error:
        connection.send(str(error))
        return
    except Exception:
        connection.send(f"a worker process could not start:\n{traceback.format_exc()}")
        return
    connection.send(None)
    _silence_stderr()
    _limit_memory(limits.memory)
    try:
        _serve(process_photo, connection, slot)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def prepare_process() -> None:
    """The first step of each process: leave what stops a command to the parent, and end when the parent ends."""
    for each in STOPPING:
        if each is not signal.SIGTERM:  # the others reach the whole process group; the parent decides
            signal.signal(each, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    _end_with_parent()


def _serve(process_photo: Callable[[Photo], Outcome | Failure], connection: Connection, slot: Any) -> None:
    last_sent = 0.0
    while True:
        chunk = connection.recv()
        report: list[tuple[int, Outcome | Failure, float]] = []
        for at, (number, photo) in enumerate(chunk):
            began = time.monotonic()
            slot[1] = began
            slot[0] = number
            try:
                outcome = process_photo(photo)
            except MemoryError:
                outcome = Failure(Reason.OUT_OF_MEMORY, OUT_OF_MEMORY)
            except SorterError as error:
                connection.send(str(error))
                return
            except Exception:
                connection.send(f"{photo.path}: the engine failed:\n{traceback.format_exc()}")
                return
            slot[0] = IDLE
            now = time.monotonic()
            report.append((number, outcome, now - began))
            if now - last_sent > 0.05 or at == len(chunk) - 1:
                connection.send(report)
                report, last_sent = [], now


def _end_with_parent() -> None:
    """End this process when its parent was killed, even while a decoder hangs in C code."""
    parent = multiprocessing.parent_process()
    if parent is not None and hasattr(os, "O_ASYNC"):
        import fcntl

        # When the parent's end of this pipe closes, the kernel sends SIGIO, which ends the process. A thread
        # could not do so while C code holds the interpreter's lock.
        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, os.O_ASYNC | fcntl.fcntl(parent.sentinel, fcntl.F_GETFL))

    def exit_after_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=exit_after_parent, daemon=True).start()


def _silence_stderr() -> None:
    """Discard what C libraries write to standard error: it would break the progress bar."""
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
