"""Rate limits of a host: delays between requests, Retry-After, and backoff."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime


class Clock:
    """The time. Tests replace it."""

    def monotonic(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class FetchLimits:
    """Limits of requests to a host, and of a download.

    Attributes:
        delay: seconds between the starts of two requests to the same host.
        attempts: for one URL, after temporary failures.
        backoff: seconds before the second attempt. Each further attempt doubles them.
        max_wait: longest wait in seconds that a host may ask for (Retry-After, Crawl-delay).
            Where a host asks for more, the picture is left to a later run.
        seconds: time limit of one attempt.
        max_bytes: of a picture.
        max_redirects: of one URL.
        connections: open at a time, to all hosts.
        connections_per_host: open at a time, to one host.
        private: allow private and loopback addresses.
        contact: an address that the user agent gives.
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


class HostBusy(Exception):
    """A host asks for a longer wait than `max_wait`."""

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(f"{host} asks for a wait of {seconds:.0f} s")
        self.seconds = seconds


class RateLimiter:
    """Delays the requests to each host.

    Args:
        delay: seconds between the starts of two requests to the same host.
        max_wait: longest wait in seconds that a host may ask for; beyond it `turn` raises.
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
        """Wait until the next request to a host may start.

        Raises:
            Held: that would take longer than `max_wait` because the host asked for it.
        """
        while True:
            now = self._clock.monotonic()
            held = self._held.get(host, now)
            if held - now > self._max_wait:
                raise HostBusy(host, held - now)
            at = max(now, held, self._next.get(host, now))
            self._next[host] = at + max(self._delay, self._delays.get(host, 0.0))
            if at > now:
                await self._clock.sleep(at - now)
            if self._held.get(host, 0.0) <= at:  # no longer wait was asked for meanwhile
                return

    def slow(self, host: str, delay: float) -> None:
        """Set a minimum delay in seconds between requests to a host."""
        self._delays[host] = max(delay, self._delays.get(host, 0.0))

    def hold(self, host: str, seconds: float) -> None:
        """Send no request to a host for so many seconds."""
        self._held[host] = max(self._held.get(host, 0.0), self._clock.monotonic() + seconds)


def retry_after(value: str | None, now: float) -> float | None:
    """The seconds of a `Retry-After` header, given as a number or a date; None where absent or malformed.

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
    """Seconds before the next attempt: doubled each time, with jitter so that clients do not retry at once."""
    return float(min(most, base * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))
