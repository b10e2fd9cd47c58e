"""How hosts are treated: turns, waiting as long as they say, and longer with each failure."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime


class Clock:
    """Time, so that tests can have their own."""

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Manners:
    """How hosts are treated, and what a download may cost.

    Attributes:
        delay: seconds between the starts of two requests to the same host.
        attempts: for one URL, where the failure may pass.
        backoff: seconds before the second attempt; doubled for each further one.
        max_wait: seconds that a host may ask to wait (Retry-After, Crawl-delay); what takes longer is for later.
        seconds: for one attempt, all in all.
        max_bytes: of a picture.
        max_redirects: for one URL.
        connections: at a time, to all hosts.
        connections_per_host: likewise, to one.
        private: connect to private and loopback addresses as well, which tests do.
        contact: an address that the user agent names.
    """

    delay: float = 0.5
    attempts: int = 3
    backoff: float = 1.0
    max_wait: float = 90.0
    seconds: float = 60.0
    max_bytes: int = 50 << 20
    max_redirects: int = 5
    connections: int = 16
    connections_per_host: int = 2
    private: bool = False
    contact: str = ""


class Held(Exception):
    """A host wants to be left alone for longer than we would wait."""

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(f"{host} asks to be left alone for {seconds:.0f} s")
        self.seconds = seconds


class RateLimiter:
    """Gives out turns at hosts.

    Args:
        delay: seconds between the starts of two requests to the same host.
        max_wait: seconds that a host may hold us up; for longer ones `turn` raises.
        clock: the time.
    """

    def __init__(self, delay: float, max_wait: float, clock: Clock) -> None:
        self._delay = delay
        self._max_wait = max_wait
        self._clock = clock
        self._delays: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._held: dict[str, float] = {}

    async def turn(self, host: str) -> None:
        """Wait for the next turn at a host.

        Raises:
            Held: that would take longer than `max_wait` because the host asked for it.
        """
        while True:
            now = self._clock.monotonic()
            held = self._held.get(host, now)
            if held - now > self._max_wait:
                raise Held(host, held - now)
            at = max(now, held, self._next.get(host, now))
            self._next[host] = at + max(self._delay, self._delays.get(host, 0.0))
            if at > now:
                await self._clock.sleep(at - now)
            if self._held.get(host, 0.0) <= at:  # nobody was told to wait longer meanwhile
                return

    def slow(self, host: str, delay: float) -> None:
        """From now on at least `delay` seconds between requests to this host."""
        self._delays[host] = max(delay, self._delays.get(host, 0.0))

    def hold(self, host: str, seconds: float) -> None:
        """No request to this host before so many seconds have passed."""
        self._held[host] = max(self._held.get(host, 0.0), self._clock.monotonic() + seconds)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for, in either of its forms; None where there is none or it is odd.

    Args:
        value: seconds, or a date (RFC 9110, 10.2.3).
        now: seconds since the epoch.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, date.timestamp() - now)


def backoff(attempt: int, base: float, most: float) -> float:
    """Seconds before the next attempt: doubling, with jitter so that many clients do not come back at once."""
    return float(min(most, base * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))
