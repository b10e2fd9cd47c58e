"""The Ray actor: chunks of photos in, chunks of outcomes out, with the worker processes of a single machine."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import pyarrow as pa
import ray

from sorter.types import Failure, Limits, Outcome, Photo, Reason, Result, SorterError

# A crash of a worker process costs one photo. What ends the whole actor, such as a lack of memory, may happen again
# on every node, and Ray would retry without end.
TRIES = 8
DIED = f"{TRIES} actors died while they had this photo or one that it was sent with; the same command tries again"
SCHEMA = pa.schema([("chunk", pa.int64()), ("outcomes", pa.binary())])


class Processes(Protocol[Outcome]):
    """A `Pool` or a `Ring`."""

    def run(self, items: Iterable[Photo | Result[Outcome]]) -> Iterator[Result[Outcome]]: ...


class PhotoActor:
    """A Ray actor. Its worker processes handle the photos, so that a crash costs one row.

    Args:
        start: called in the actor with `cores` and `limits`; starts the processes.
        cores: worker processes.
        limits: for each photo.
        feed: handle of the `Feed` with the chunks.
    """

    def __init__(
        self, start: Callable[[int, Limits], Processes[Any]], cores: int, limits: Limits, feed: Any
    ) -> None:
        # A spawned process first imports its parent's main module. In an actor that is Ray's own program.
        sys.modules["__main__"] = types.ModuleType("__main__")
        self._feed = feed
        self._failed: SorterError | None = None
        try:
            self._processes = start(cores, limits)
        except SorterError as error:
            self._failed = error

    def __call__(self, rows: pa.Table) -> pa.Table:
        chunks = zip(rows["chunk"], rows["photos"], strict=True)
        outcomes = [self._do(number.as_py(), photos.as_py()) for number, photos in chunks]
        return pa.Table.from_pydict({"chunk": rows["chunk"], "outcomes": outcomes}, SCHEMA)

    def _do(self, number: int, photos: bytes) -> bytes:
        """Pickled outcomes in the order of the photos, or the error that ends the run and that Ray must not retry."""
        if not photos:
            return b""
        chunk = pickle.loads(photos)
        try:
            if self._failed is not None:
                raise self._failed
            if ray.get(self._feed.start_attempt.remote(number)) > TRIES:
                done: Any = [Failure(Reason.DECODER_CRASHED, DIED)] * len(chunk)
            else:
                done = [result.outcome for result in self._processes.run(chunk)]
        except SorterError as error:
            done = error
        return pickle.dumps(done)
