"""A clock that the test moves."""

from __future__ import annotations

import asyncio

from sorter.collect.rate_limit import Clock


class OwnTime(Clock):
    """Waiting takes no time, and is written down."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)
