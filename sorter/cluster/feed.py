"""The driver's photos as a data source of Ray Data. A repeated read gives the same chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import pyarrow as pa
import ray
from ray.data import Datasource, ReadTask
from ray.data.block import BlockMetadata

AT_ONCE = 16  # chunks in one answer

SCHEMA = pa.schema([("chunk", pa.int64()), ("photos", pa.binary())])


class Feed:
    """An actor on the driver's node that holds the chunks in flight.

    Ray repeats lost work by repeating the read task below from its start. So chunks have numbers and stay until their
    results have arrived. A chunk that is done is read as an empty one. Calls may arrive in any order.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, bytes] = {}
        self._tries: dict[int, int] = {}
        self._floor = 0
        self._total: int | None = None
        self._news = asyncio.Condition()

    async def put(self, number: int, photos: bytes) -> None:
        """Add a chunk."""
        async with self._news:
            self._chunks[number] = photos
            self._news.notify_all()

    async def end(self, total: int) -> None:
        """Set the total number of chunks."""
        async with self._news:
            self._total = total
            self._news.notify_all()

    async def done_below(self, number: int) -> None:
        """Forget the chunks below this number: their results have arrived."""
        for each in range(self._floor, number):
            self._chunks.pop(each, None)
            self._tries.pop(each, None)
        self._floor = max(self._floor, number)

    async def start_attempt(self, number: int) -> int:
        """Count and return the attempts at this chunk, this one included."""
        self._tries[number] = self._tries.get(number, 0) + 1
        return self._tries[number]

    async def get(self, first: int) -> list[bytes]:
        """The available chunks from number `first` on. An empty list means the end."""
        async with self._news:
            await self._news.wait_for(lambda: self._has(first) or first == self._total)
        return [self._chunks.get(each, b"") for each in takewhile(self._has, range(first, first + AT_ONCE))]

    def _has(self, number: int) -> bool:
        return number < self._floor or number in self._chunks


class FeedSource(Datasource):  # type: ignore[misc]
    """One row per chunk: its number and its pickled photos."""

    def __init__(self, feed: Any) -> None:
        self._feed = feed

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[ReadTask]:
        feed = self._feed

        def read() -> Iterator[pa.Table]:
            number = 0
            while chunks := ray.get(feed.get.remote(number)):
                for photos in chunks:
                    yield pa.Table.from_pydict({"chunk": [number], "photos": [photos]}, SCHEMA)
                    number += 1

        metadata = BlockMetadata(num_rows=None, size_bytes=None, exec_stats=None, input_files=None)
        return [ReadTask(read, metadata, SCHEMA)]
