"""A process for one device. It receives rows of the ring in batches and returns logits in the same order."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import traceback
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.engines.choice import Choice, EngineError
from sorter.model.folder import Model
from sorter.pipeline.process import describe_exit, prepare_process, signals_deferred

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STARTED = 2  # batches: one computing, one uploading
IN_FLIGHT = STARTED + 1  # and one whose files are being read
READERS = 16  # threads that read files, for a device that decodes


@dataclass(frozen=True, slots=True)
class Encoded:
    """A JPEG that the device's process reads and decodes.

    Attributes:
        path: the file.
        width: of the photo, upright, in pixels.
        height: likewise.
        orientation: EXIF orientation, 1 to 8.
    """

    path: Path
    width: int
    height: int
    orientation: int


Work = int | Encoded  # one photo of a batch: its slot of the ring, or the file


@dataclass(frozen=True)
class Answered:
    """Logits of one batch.

    Attributes:
        logits: one row of outputs for each photo.
        refused: photos of the batch that the device could not decode. Their logits are meaningless.
        batch_size: photos that the device now computes at once.
    """

    logits: list[list[float]]
    refused: tuple[int, ...]
    batch_size: int


class DeviceLostError(Exception):
    """The device's process died or does not answer."""


class Device:
    """The parent's side of a device's process.

    Args:
        choice: of one device.
        memory: the ring: a multiprocessing.RawArray of uint8.
        batch_size: photos computed at once, at most.
    """

    def __init__(self, model: Model, choice: Choice, memory: Any, batch_size: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.choice = choice
        self.batch_size = batch_size
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(model, choice, memory, batch_size, theirs), name="sorter-device", daemon=True
        )
        with signals_deferred():
            self._process.start()
        theirs.close()

    def close(self) -> None:
        """Kill the process. It holds nothing that could be lost."""
        self._process.kill()
        self._process.join()
        self.connection.close()

    def send(self, work: Sequence[Work]) -> None:
        with suppress(OSError):  # `receive` raises the reason
            self.connection.send(list(work))

    def receive(self) -> Answered:
        """The answer to the oldest batch without one.

        Raises:
            DeviceLostError: the process died.
            EngineError: the engine reported an error.
        """
        try:
            answer = self.connection.recv()
        except (EOFError, OSError) as error:
            self._process.join()
            raise DeviceLostError(describe_exit(self._process.exitcode)) from error
        if isinstance(answer, str):
            raise EngineError(answer)
        assert isinstance(answer, Answered)
        return answer


# -- in the device's process -----------------------------------------------------------------------------------


def _serve(model: Model, choice: Choice, memory: Any, batch_size: int, connection: Connection) -> None:
    prepare_process()
    try:
        from sorter.engines.load import load_device_engine

        engine = load_device_engine(model, choice, as_pixels(memory, model.preprocess.size), batch_size)
        inbox = _inbox(connection)
        begun: deque[Any] = deque()
        while True:
            # Start the batches that have arrived before waiting for one, so that the device is never idle.
            while len(begun) < STARTED and (not begun or not inbox.empty()):
                rows = inbox.get()
                if rows is None:
                    return
                begun.append(engine.submit(rows))
            answer = begun.popleft()()
            connection.send(Answered(answer.logits.tolist(), answer.refused, engine.batch_size))
    except (BrokenPipeError, ConnectionResetError):
        return
    except EngineError as error:
        connection.send(str(error))
    except Exception as error:
        connection.send(f"{choice}: {error or type(error).__name__}\n{traceback.format_exc()}")


def _inbox(connection: Connection) -> queue.SimpleQueue[Any]:
    """Batches as they arrive, with their files being read. None when the parent has closed the connection."""
    from sorter.engines.jpeg import Jpeg, read_file

    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    readers = ThreadPoolExecutor(READERS, "sorter-reader")

    def take(work: Work) -> int | Jpeg:
        if isinstance(work, int):
            return work
        return Jpeg(readers.submit(read_file, work.path).result, work.orientation)

    def listen() -> None:
        with suppress(EOFError, OSError):
            while True:
                inbox.put([take(work) for work in connection.recv()])
        inbox.put(None)

    threading.Thread(target=listen, name="sorter-inbox", daemon=True).start()
    return inbox


def as_pixels(memory: Any, size: int) -> NDArray[np.uint8]:
    """The ring as an array: uint8 (slots, size, size, 3)."""
    import numpy as np

    pixels: NDArray[np.uint8] = np.frombuffer(memory, np.uint8).reshape(-1, size, size, 3)
    return pixels
