"""Decoders on the CPU, inference on a device: uint8 pixels go through a ring in shared memory.

Decoder processes fill slots; one process drains them in batches, normalises on the device and infers. No pixel
is ever pickled: through the pipes go slot numbers and scores.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from sorter.infer import Choice, EngineError
from sorter.model import Model
from sorter.pipeline import Limits, Pool, settle_in, undisturbed
from sorter.preprocess import Preprocess
from sorter.types import Failure, Photo, Result, Scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH_SIZE = 64
IN_FLIGHT = 2  # batches with the device at once: one computing, one uploading
DECODING = 512  # photos with the decoders at once


@dataclass(frozen=True, slots=True)
class Slotted(Photo):
    """A photo and the slot of the ring that its pixels go to."""

    slot: int = 0


@dataclass(frozen=True)
class Sized:
    """What a decoder says of a photo whose pixels are in its slot: upright width and height."""

    width: int
    height: int


@dataclass(frozen=True)
class DecodeToRing:
    """Pool stage: photo -> preprocessed pixels in its slot."""

    spec: Preprocess
    max_megapixels: float
    memory: Any  # multiprocessing.RawArray of uint8

    def start(self) -> Callable[[Photo], Sized | Failure]:
        from sorter.decode import Decoder

        decode = Decoder(self.spec.min_side, self.max_megapixels)
        ring = _as_pixels(self.memory, self.spec.size)

        def decode_to_ring(photo: Photo) -> Sized | Failure:
            decoded = decode(photo.path)
            if isinstance(decoded, Failure):
                return decoded
            assert isinstance(photo, Slotted)
            ring[photo.slot] = self.spec(decoded.pixels)
            return Sized(decoded.width, decoded.height)

        return decode_to_ring


def classify_on_device(
    items: Iterable[Photo | Result[Scores]],
    model: Model,
    choice: Choice,
    workers: int,
    limits: Limits,
    max_megapixels: float,
    batch_size: int | None = None,
) -> Iterator[Result[Scores]]:
    """As `Pool.run` with `Classify`: one result per item, in order.

    Args:
        workers: decoder processes.
        batch_size: photos in one inference; the last one may be smaller.

    Raises:
        EngineError: the device's process could not start, or died.
        PipelineError: the decoders could not start.
    """
    batch_size = batch_size or BATCH_SIZE
    size = model.preprocess.size
    # A slot is used again only after its photo has left both the decoders and the device.
    slots = DECODING + (IN_FLIGHT + 1) * batch_size
    memory = multiprocessing.get_context("spawn").RawArray("B", slots * size * size * 3)
    stage = DecodeToRing(model.preprocess, max_megapixels, memory)
    sent: deque[list[Result[Any]]] = deque()
    batch: list[Result[Any]] = []
    with _Device(model, choice, memory) as device, Pool(stage, workers, limits, DECODING) as pool:
        for result in pool.run(_slotted(items, slots)):
            batch.append(result)
            if len(batch) == batch_size:
                device.send(batch)
                sent.append(batch)
                batch = []
            if len(sent) == IN_FLIGHT + (not batch):
                yield from _scored(sent.popleft(), device, model)
        device.send(batch)
        sent.append(batch)
        while sent:
            yield from _scored(sent.popleft(), device, model)


def _slotted(items: Iterable[Photo | Result[Scores]], slots: int) -> Iterator[Photo | Result[Any]]:
    for number, item in enumerate(items):
        if isinstance(item, Result):
            yield item
        else:
            yield Slotted(item.path, item.relative, item.size, item.mtime_ns, item.is_link, number % slots)


def _scored(batch: list[Result[Any]], device: _Device, model: Model) -> Iterator[Result[Scores]]:
    """Match a batch with the device's answer to it."""
    logits = iter(device.receive())
    for result in batch:
        if isinstance(result.outcome, Sized):
            probabilities = model.probabilities(tuple(next(logits)))
            yield Result(result.photo, Scores(probabilities, result.outcome.width, result.outcome.height))
        else:
            yield result


class _Device:
    """The one process that owns the device."""

    def __init__(self, model: Model, choice: Choice, memory: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._choice = choice
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_infer, args=(model, choice, memory, theirs), name="sorter-device", daemon=True
        )
        with undisturbed():
            self._process.start()
        theirs.close()

    def __enter__(self) -> _Device:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def send(self, batch: list[Result[Any]]) -> None:
        slots = [
            each.photo.slot
            for each in batch
            if isinstance(each.outcome, Sized) and isinstance(each.photo, Slotted)
        ]
        with suppress(OSError):  # `receive` tells why
            self._connection.send(slots)

    def receive(self) -> list[list[float]]:
        try:
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            self._process.join()
            raise EngineError(
                f"{self._choice}: its process died (exit code {self._process.exitcode}); give the same command again, "
                "it goes on where it stopped, perhaps with a smaller --batch-size"
            ) from error
        if isinstance(answer, str):
            raise EngineError(answer)
        logits: list[list[float]] = answer
        return logits


# -- in the device's process -----------------------------------------------------------------------------------


def _infer(model: Model, choice: Choice, memory: Any, connection: Connection) -> None:
    settle_in()
    try:
        from sorter.infer import TorchEngine

        engine = TorchEngine(model, choice)
        ring = _as_pixels(memory, model.preprocess.size)
        while True:
            slots = connection.recv()
            connection.send(engine.from_pixels(ring[slots]).tolist() if slots else [])
    except EOFError:
        return
    except EngineError as error:
        connection.send(str(error))
    except Exception as error:
        connection.send(f"{choice}: {error or type(error).__name__}\n{traceback.format_exc()}")


def _as_pixels(memory: Any, size: int) -> NDArray[np.uint8]:
    """The ring as an array: uint8 (slots, size, size, 3)."""
    import numpy as np

    pixels: NDArray[np.uint8] = np.frombuffer(memory, np.uint8).reshape(-1, size, size, 3)
    return pixels
