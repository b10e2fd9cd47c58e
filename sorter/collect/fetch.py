"""URL -> a file, or a refusal that says why not. The only place that speaks HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from sorter.collect import bodies
from sorter.collect.addresses import AddressRefused, public_socket
from sorter.collect.pacing import Clock, Held, Manners, RateLimiter, backoff, retry_after
from sorter.collect.permission import AGENT, MAX_ROBOTS, opted_out, parse_robots
from sorter.collect.records import PictureStatus, Refusal, Refused

if TYPE_CHECKING:
    from protego import Protego

REDIRECTS = frozenset({301, 302, 303, 307, 308})
TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
MAX_ANSWER = 16 << 20  # bytes of a search service's answer

Take = Callable[[aiohttp.ClientResponse], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer in memory."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Passing(Exception):
    """A failure that another attempt may not meet."""

    def __init__(self, reason: str, waits: bool = False) -> None:
        super().__init__(reason)
        self.waits = waits  # the host said how long: the next turn there comes after that


@dataclass(eq=False)
class Fetcher:
    """An HTTP client that asks first, waits its turn, and trusts nothing. Use it as an async context manager.

    Attributes:
        manners: towards hosts.
        clock: the time.
    """

    manners: Manners
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.pace = RateLimiter(self.manners.delay, self.manners.max_wait, self.clock)
        self._robots: dict[URL, asyncio.Task[Protego | Refusal]] = {}
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._connections = asyncio.Semaphore(self.manners.connections)

    async def __aenter__(self) -> Fetcher:
        from importlib.metadata import version

        contact = f"; {self.manners.contact}" if self.manners.contact else ""
        agent = f"{AGENT}/{version('sorter')} (collects pictures for classification{contact})"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # `_turn` limits them
                socket_factory=None if self.manners.private else public_socket,
            ),
            # A compressed body could be a bomb, and pictures are compressed already.
            headers={"User-Agent": agent, "Accept-Encoding": "identity"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._robots.values():
            task.cancel()
        await asyncio.gather(*self._robots.values(), return_exceptions=True)
        await self._session.close()

    async def picture(self, url: str, target: Path) -> Refusal | None:
        """Fetch a picture; None when it lies at `target`, whole and synced, and not before.

        It is looked at no further than its first bytes: they have to announce an image format.
        """

        async def save(response: aiohttp.ClientResponse) -> None:
            if response.status != 200:
                raise Refused(PictureStatus.FAILED, f"HTTP {response.status}")
            await bodies.save(response, target, self.manners.max_bytes)

        return await self._trying(url, save, "image/*,*/*;q=0.5", asks=True)

    async def answer(self, url: str) -> Response | Refusal:
        """An answer of a service that is made for programs, whatever its status; robots.txt is not asked."""
        answers: list[Response] = []

        async def read(response: aiohttp.ClientResponse) -> None:
            body = await bodies.read(response, MAX_ANSWER)
            answers.append(Response(response.status, response.headers.copy(), body))

        refusal = await self._trying(url, read, "application/json", asks=False)
        return refusal or answers[-1]

    # -- one URL, several attempts -----------------------------------------------------------------------------

    async def _trying(self, url: str, take: Take, accept: str, *, asks: bool) -> Refusal | None:
        """Offer the answer to `take` until that goes well, or there is no sense in trying further."""
        attempt = 1
        while True:
            try:
                async with self._following(url, accept, asks) as response:
                    await take(response)
                return None
            except Refused as refused:
                return refused.refusal
            except Held as held:
                return Refusal(PictureStatus.LATER, str(held))
            except _Passing as passing:
                if attempt >= self.manners.attempts:
                    return Refusal(PictureStatus.LATER, f"{passing} ({attempt} attempts)")
                if not passing.waits:
                    await self.clock.sleep(backoff(attempt, self.manners.backoff, self.manners.max_wait))
                attempt += 1

    @asynccontextmanager
    async def _following(self, url: str, accept: str, asks: bool) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer at the end of the redirects; every hop is asked for permission and waits its turn."""
        hop = _web_address(url)
        seen: set[URL] = set()
        try:
            while True:
                if asks:
                    await self._ask_robots(hop)
                async with (
                    self._turn(_host(hop)),
                    self._session.get(
                        hop,
                        allow_redirects=False,
                        headers={"Accept": accept},
                        timeout=aiohttp.ClientTimeout(total=self.manners.seconds),
                    ) as response,
                ):
                    self._check(response, hop, asks)
                    if response.status not in REDIRECTS:
                        yield response
                        return
                    seen.add(hop)
                    hop = _redirected(response, hop)
                if hop in seen:
                    raise Refused(PictureStatus.FAILED, "redirects in a circle")
                if len(seen) > self.manners.max_redirects:
                    raise Refused(PictureStatus.FAILED, f"more than {self.manners.max_redirects} redirects")
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise self._judged(error) from error

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        """One of the connections to a host, when it is our turn there: waiting counts for no time limit."""
        if host not in self._hosts:
            self._hosts[host] = asyncio.Semaphore(self.manners.connections_per_host)
        async with self._hosts[host]:
            await self.pace.turn(host)
            async with self._connections:
                yield

    def _check(self, response: aiohttp.ClientResponse, hop: URL, asks: bool) -> None:
        if response.status in TEMPORARY:
            wait = retry_after(response.headers.get("Retry-After"), self.clock.now())
            if wait is not None:
                self.pace.hold(_host(hop), wait)
            raise _Passing(f"HTTP {response.status}", waits=wait is not None)
        if asks and (directive := opted_out(response.headers.getall("X-Robots-Tag", []))):
            raise Refused(PictureStatus.OPTED_OUT, f"X-Robots-Tag: {directive}")

    def _judged(self, error: Exception) -> Exception:
        """What a fault of the network means: not to be tried again, or perhaps."""
        if isinstance(error, asyncio.TimeoutError):
            return _Passing(f"took longer than {self.manners.seconds:g} s")
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressRefused):
            return Refused(PictureStatus.REFUSED, str(error.os_error.strerror))
        if isinstance(error, aiohttp.InvalidURL):
            return Refused(PictureStatus.FAILED, "is no web address")
        if isinstance(error, (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)):
            return Refused(PictureStatus.FAILED, "its certificate is not valid")
        if isinstance(error, aiohttp.ClientPayloadError):
            return _Passing("the answer ended early")
        return _Passing(" ".join(str(error).split())[:200] or type(error).__name__)

    # -- robots.txt --------------------------------------------------------------------------------------------

    async def _ask_robots(self, url: URL) -> None:
        """Raises Refused where robots.txt keeps us out, or cannot be had (RFC 9309, 2.3.1)."""
        origin = url.origin()
        if origin not in self._robots:
            self._robots[origin] = asyncio.create_task(self._fetch_robots(origin))
        rules = await asyncio.shield(self._robots[origin])
        if isinstance(rules, Refusal):
            raise Refused(rules.status, rules.reason)
        if not rules.can_fetch(str(url), AGENT):
            raise Refused(PictureStatus.OPTED_OUT, "robots.txt disallows it")

    async def _fetch_robots(self, origin: URL) -> Protego | Refusal:
        found = [b""]

        async def read(response: aiohttp.ClientResponse) -> None:
            if response.status == 200:  # else there are no rules
                found.append(await bodies.read(response, MAX_ROBOTS))

        refusal = await self._trying(str(origin / "robots.txt"), read, "text/plain,*/*;q=0.1", asks=False)
        if refusal is not None and refusal.status is not PictureStatus.FAILED:
            return Refusal(refusal.status, f"robots.txt: {refusal.reason}")
        rules = parse_robots(found[-1])
        rate = rules.request_rate(AGENT)
        delay = max(rules.crawl_delay(AGENT) or 0.0, rate.seconds / rate.requests if rate else 0.0)
        if delay > self.manners.max_wait:
            return Refusal(PictureStatus.REFUSED, f"robots.txt asks for {delay:g} s between requests")
        self.pace.slow(_host(origin), delay)
        return rules


def _web_address(text: str) -> URL:
    try:
        url = URL(text)
    except ValueError as error:
        raise Refused(PictureStatus.FAILED, "is no web address") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Refused(PictureStatus.FAILED, "is no web address")
    if url.user is not None or url.password is not None:
        raise Refused(PictureStatus.REFUSED, "the address carries a name or a password")
    return url.with_fragment(None)


def _redirected(response: aiohttp.ClientResponse, hop: URL) -> URL:
    location = response.headers.get("Location")
    if not location:
        raise Refused(PictureStatus.FAILED, f"HTTP {response.status} that leads nowhere")
    try:
        return _web_address(str(hop.join(URL(location))))
    except ValueError as error:
        raise Refused(PictureStatus.FAILED, "redirects to what is no web address") from error


def _host(url: URL) -> str:
    return f"{url.host}:{url.port}"
