"""Decode on the CPU and infer on devices. Pixels go through a ring in shared memory.

Decoder processes fill slots. A process for each device takes them in batches, normalises and infers. Pipes carry only
slot numbers and scores, never pixels. A large JPEG may go to the device as a path.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import wait
from typing import Any

from sorter.engines.choice import Choice, EngineError
from sorter.model.folder import Model
from sorter.photos.preprocess import Preprocess
from sorter.pipeline.device import IN_FLIGHT, Answered, Device, DeviceLostError, Encoded, Work, as_pixels
from sorter.pipeline.pool import Pool
from sorter.pipeline.stages import scores_of
from sorter.system import physical_memory
from sorter.types import Failure, Limits, Photo, Result, Scores

BATCH_SIZE = 64
DECODING = 512  # photos with the decoders at once
SHARE = 16  # the ring takes at most 1 / SHARE of the machine's memory
PATIENCE = 600.0  # seconds without an answer after which a device is lost
LIVES = 2  # processes of one device: an error of a driver may not repeat


@dataclass(frozen=True, slots=True)
class Slotted(Photo):
    """A photo and the slot of the ring that its pixels go to."""

    slot: int = 0


@dataclass(frozen=True)
class Sized:
    """The upright width and height of a photo whose pixels are in its slot."""

    width: int
    height: int


Ready = Sized | Encoded


@dataclass(frozen=True)
class DecodeToRing:
    """Pool stage that writes preprocessed pixels to a slot, or leaves a JPEG to a device that decodes.

    Attributes:
        memory: a multiprocessing.RawArray of uint8.
        leave: leave large JPEGs to the device.
        embedded: decode a smaller picture that a photo holds of itself in its place.
    """

    spec: Preprocess
    limits: Limits
    memory: Any
    leave: bool = False
    embedded: bool = False

    def start(self) -> Callable[[Photo], Ready | Failure]:
        from sorter.photos.decode import Decoder

        least = self.spec.size if self.embedded else None
        decode = Decoder(self.spec.min_side, self.limits, embedded=least)
        ring = as_pixels(self.memory, self.spec.size)

        def decode_to_ring(photo: Photo) -> Ready | Failure:
            if self.leave and (plain := decode.plain_jpeg(photo.path)):
                return Encoded(photo.path, plain.width, plain.height, plain.orientation)
            decoded = decode(photo.path)
            if isinstance(decoded, Failure):
                return decoded
            assert isinstance(photo, Slotted)
            ring[photo.slot] = self.spec(decoded.pixels)
            return Sized(decoded.width, decoded.height)

        return decode_to_ring


@dataclass(frozen=True)
class Layout:
    """The size of the ring and of its parts.

    Attributes:
        slots: photos that it holds.
        window: photos with the decoders at once.
        batch_size: photos in one inference.
    """

    slots: int
    window: int
    batch_size: int

    @classmethod
    def of(cls, size: int, devices: int, workers: int, batch_size: int, memory: int | None) -> Layout:
        """The largest useful ring within a share of the memory, and at least what the decoders need.

        A slot is reused only after its photo has left the decoders and the device. So there are slots for the photos
        in decoding, for all batches in flight, and for the batch that is being collected.

        Args:
            size: side of a photo's pixels in the ring.
            memory: of the machine, in bytes. None for no bound.
        """
        fits = memory // SHARE // (size * size * 3) if memory else 1 << 30
        batches = IN_FLIGHT * devices + 2  # `most`, one above it, and the one that is being collected
        batch_size = max(1, min(batch_size, fits // 2 // batches))
        window = max(2 * workers, min(DECODING, fits - batches * batch_size))
        return cls(window + batches * batch_size, window, batch_size)


@dataclass(eq=False)
class _Batch:
    """Results of decoding, in order, some of which a device has to score."""

    results: list[Result[Any]] = field(default_factory=list)
    answer: Answered | None = None

    def places(self) -> list[int]:
        """Positions of the photos that the device has to score."""
        return [at for at, each in enumerate(self.results) if isinstance(each.outcome, (Sized, Encoded))]

    def work(self) -> list[Work]:
        def of(result: Result[Any]) -> Work:
            if isinstance(result.outcome, Encoded):
                return result.outcome
            assert isinstance(result.photo, Slotted)
            return result.photo.slot

        return [of(self.results[at]) for at in self.places()]

    def take(self, answer: Answered, model: Model) -> list[int]:
        """Replace sent photos by their scores. Return the positions of photos that the device refused."""
        places = self.places()
        refused = {places[row] for row in answer.refused}
        for at, logits in zip(places, answer.logits, strict=True):
            if at not in refused:
                photo, sent = self.results[at].photo, self.results[at].outcome
                assert isinstance(sent, (Sized, Encoded))
                scores = scores_of(model, logits, sent.width, sent.height)
                self.results[at] = Result(photo, scores)
        return sorted(refused)


class Ring:
    """Decoders and devices with a ring between them. It has the interface of a `Pool` of `Classify`.

    Args:
        choice: of one device or several.
        workers: decoder processes.
        batch_size: photos in one inference. The last batch may be smaller, and a device short of memory takes fewer.
        say: receives messages about devices.

    Raises:
        PipelineError: the decoders could not start.
    """

    def __init__(
        self,
        model: Model,
        choice: Choice,
        workers: int,
        limits: Limits,
        batch_size: int | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        size = model.preprocess.size
        self._model = model
        self._layout = Layout.of(
            size, len(choice.per_device), workers, batch_size or BATCH_SIZE, physical_memory()
        )
        self._taken = 0
        memory = multiprocessing.get_context("spawn").RawArray("B", self._layout.slots * size * size * 3)
        stage = DecodeToRing(model.preprocess, limits, memory, embedded=choice.embedded is not None)
        leaving = replace(stage, leave=choice.decode == "gpu")
        with ExitStack() as opened:
            self._devices = _Devices(model, choice, memory, self._layout.batch_size, say)
            opened.callback(self._devices.close)
            self._second = _SecondLook(stage, limits)
            opened.callback(self._second.close)
            self._pool: Pool[Ready] = opened.enter_context(
                Pool(leaving, workers, limits, self._layout.window)
            )
            self._opened = opened.pop_all()

    def __enter__(self) -> Ring:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill every process. They hold nothing that could be lost."""
        self._opened.close()

    def run(self, items: Iterable[Photo | Result[Scores]]) -> Iterator[Result[Scores]]:
        """Yield one result per item, in their order. Items that are results pass through.

        Raises:
            EngineError: a device reported an error, or no device is left.
            PipelineError: the decoders failed.
        """
        devices = self._devices
        under_way: deque[_Batch] = deque()
        batch = _Batch()
        for result in self._pool.run(self._slotted(items)):
            batch.results.append(result)
            if len(batch.results) < self._layout.batch_size:
                continue
            devices.send(batch)
            under_way.append(batch)
            batch = _Batch()
            devices.listen(0)
            while under_way and (under_way[0].answer or len(under_way) > devices.most):
                yield from self._scored(under_way.popleft())
        devices.send(batch)
        under_way.append(batch)
        while under_way:
            yield from self._scored(under_way.popleft())

    def _scored(self, batch: _Batch) -> list[Result[Scores]]:
        refused = batch.take(self._devices.wait_for(batch), self._model)
        if refused:
            again = _Batch(self._second.look(batch.results[at].photo for at in refused))
            self._devices.send(again)
            again.take(self._devices.wait_for(again), self._model)
            for at, result in zip(refused, again.results, strict=True):
                batch.results[at] = result
        return batch.results

    def _slotted(self, items: Iterable[Photo | Result[Scores]]) -> Iterator[Photo | Result[Any]]:
        for item in items:
            if isinstance(item, Result):
                yield item
            else:
                slot = self._taken % self._layout.slots
                self._taken += 1
                yield Slotted(
                    item.path, item.relative, item.size, item.mtime_ns, item.is_link, item.companions, slot
                )


class _SecondLook:
    """A decoder on the CPU for photos that a device refused. It decodes them or gives the reason."""

    def __init__(self, stage: DecodeToRing, limits: Limits) -> None:
        self._stage = stage
        self._limits = limits
        self._pool: Pool[Ready] | None = None  # most runs never need it

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()

    def look(self, photos: Iterable[Photo]) -> list[Result[Any]]:
        self._pool = self._pool or Pool(self._stage, 1, self._limits)
        return list(self._pool.run(photos))


class _Devices:
    """The processes of all devices. The least busy one gets the next batch.

    A process that dies is started once more. If it dies again, the other devices go on without it.
    """

    def __init__(
        self, model: Model, choice: Choice, memory: Any, batch_size: int, say: Callable[[str], None]
    ) -> None:
        self._begin = partial(Device, model, memory=memory, batch_size=batch_size)
        self._say = say
        self._lives = dict.fromkeys(choice.per_device, LIVES)
        self._worked: set[Choice] = set()
        self._given: dict[Device, deque[_Batch]] = {}
        for each in choice.per_device:
            self._given[self._begin(each)] = deque()

    def close(self) -> None:
        for device in self._given:
            device.close()

    @property
    def most(self) -> int:
        """The number of batches that may be in flight."""
        return IN_FLIGHT * len(self._given)

    def send(self, batch: _Batch) -> None:
        device = min(self._given, key=lambda each: len(self._given[each]))
        work = batch.work()
        if not work:
            batch.answer = Answered([], (), device.batch_size)
            return
        self._given[device].append(batch)
        device.send(work)

    def wait_for(self, batch: _Batch) -> Answered:
        """Wait for an answer. Raises EngineError if no device is left, or one reported an error."""
        while batch.answer is None:
            self.listen(PATIENCE)
        return batch.answer

    def listen(self, seconds: float) -> None:
        """Read answers: the available ones, or the first that arrives within these seconds."""
        busy = {device.connection: device for device, given in self._given.items() if given}
        ready = wait(list(busy), seconds)
        for each in ready:
            self._hear(busy[each])  # type: ignore[index]
        if not ready and seconds:
            for device in busy.values():
                self._replace(device, f"sent nothing for {seconds:g} s")

    def _hear(self, device: Device) -> None:
        try:
            answer = device.receive()
        except DeviceLostError as error:
            self._replace(device, str(error))
            return
        except EngineError as error:
            if device.choice not in self._worked:
                raise
            # It worked before. The loss of a GPU is more often an error of CUDA than the death of a process.
            self._replace(device, f"failed ({str(error).splitlines()[0]})")
            return
        self._worked.add(device.choice)
        self._given[device].popleft().answer = answer
        if answer.batch_size < device.batch_size:
            device.batch_size = answer.batch_size
            self._say(f"{device.choice}: short of memory; goes on with batches of {answer.batch_size}")

    def _replace(self, device: Device, why: str) -> None:
        device.close()
        left = self._given.pop(device)
        self._lives[device.choice] -= 1
        if self._lives[device.choice]:
            self._say(f"{device.choice}: its process {why}; started once more")
            self._given[self._begin(device.choice)] = deque()
        elif self._given:
            self._say(f"{device.choice}: its process {why} again; the run goes on without it")
        else:
            raise EngineError(
                f"{device.choice}: its process {why} again; give the same command once more, it goes on where it "
                "stopped, perhaps with a smaller --batch-size or with --device cpu"
            )
        for batch in left:
            if any(isinstance(work, Encoded) for work in batch.work()):
                # One of its files may have killed the process. Pixels cannot.
                count = len(batch.work())
                batch.answer = Answered([[]] * count, tuple(range(count)), device.batch_size)
            else:
                self.send(batch)
