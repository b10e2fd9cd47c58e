"""The driver's photos as a source of Ray Data: without end, and the same again when Ray asks twice."""

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
    """An actor on the driver's node that holds the chunks which are on their way.

    Ray repeats work by repeating what made its input: the read task below, from the start. So chunks go by number
    and stay until their results are in; one that is done comes as an empty one, which nobody looks at. Calls may
    arrive in any order, as an asynchronous actor takes them.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, bytes] = {}
        self._tries: dict[int, int] = {}
        self._floor = 0
        self._total: int | None = None
        self._news = asyncio.Condition()

    async def put(self, number: int, photos: bytes) -> None:
        async with self._news:
            self._chunks[number] = photos
            self._news.notify_all()

    async def end(self, total: int) -> None:
        """There will be so many chunks in all."""
        async with self._news:
            self._total = total
            self._news.notify_all()

    async def done_below(self, number: int) -> None:
        for each in range(self._floor, number):
            self._chunks.pop(each, None)
            self._tries.pop(each, None)
        self._floor = max(self._floor, number)

    async def taken_up(self, number: int) -> int:
        """How often an actor has begun with this chunk, this time included; one that died did not end with it."""
        self._tries[number] = self._tries.get(number, 0) + 1
        return self._tries[number]

    async def get(self, first: int) -> list[bytes]:
        """The chunks from number `first` on, as many as there are; none means that there will be none."""
        async with self._news:
            await self._news.wait_for(lambda: self._has(first) or first == self._total)
        return [self._chunks.get(each, b"") for each in takewhile(self._has, range(first, first + AT_ONCE))]

    def _has(self, number: int) -> bool:
        return number < self._floor or number in self._chunks


class FeedSource(Datasource):  # type: ignore[misc]
    """One row per chunk: its number, and its photos as they were put."""

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
