"""What an actor does: chunks of photos in, chunks of outcomes out, by the pool that a single machine uses."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from sorter.pipeline import Limits, Pool, Stage
from sorter.types import SorterError

SCHEMA = pa.schema([("chunk", pa.int64()), ("outcomes", pa.binary())])


class Crewman:
    """One actor. Its pool's processes do the photos, so that one that crashes or hangs costs one row.

    Args:
        make_stage: called in the actor; gives what is done with a photo.
        cores: processes.
        limits: for each photo.
    """

    def __init__(self, make_stage: Callable[[], Stage[Any]], cores: int, limits: Limits) -> None:
        # A spawned process first runs its parent's main module; in an actor that is Ray's own program.
        sys.modules["__main__"] = types.ModuleType("__main__")
        self._failed: SorterError | None = None
        try:
            self._pool: Pool[Any] = Pool(make_stage(), cores, limits)
        except SorterError as error:
            self._failed = error

    def __call__(self, rows: pa.Table) -> pa.Table:
        outcomes = [self._do(photos.as_py()) for photos in rows["photos"]]
        return pa.Table.from_pydict({"chunk": rows["chunk"], "outcomes": outcomes}, SCHEMA)

    def _do(self, photos: bytes) -> bytes:
        """A list of outcomes in the order of the photos; or what ends the run, which is not for Ray to retry."""
        if not photos:
            return b""
        try:
            if self._failed is not None:
                raise self._failed
            done: Any = [result.outcome for result in self._pool.run(pickle.loads(photos))]
        except SorterError as error:
            done = error
        return pickle.dumps(done)
