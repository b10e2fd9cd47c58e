"""Download a URL to a file, or return why not. The only module that uses HTTP."""

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

from sorter.collect import download
from sorter.collect.addresses import AddressRefused, public_socket
from sorter.collect.rate_limit import Clock, FetchLimits, HostBusy, RateLimiter, backoff, retry_after
from sorter.collect.records import PictureStatus, Refusal, Refused
from sorter.collect.robots import AGENT, MAX_ROBOTS, opted_out, parse_robots
from sorter.distribution import installed_version

if TYPE_CHECKING:
    from protego import Protego

REDIRECTS = frozenset({301, 302, 303, 307, 308})
TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
MAX_ANSWER = 16 << 20  # bytes of a search service's response

Take = Callable[[aiohttp.ClientResponse], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Response:
    """A response with its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Temporary(Exception):
    """A failure after which another attempt makes sense."""

    def __init__(self, reason: str, waits: bool = False) -> None:
        super().__init__(reason)
        self.waits = waits  # Retry-After set the wait, so no backoff is needed


@dataclass(eq=False)
class Fetcher:
    """An HTTP client that obeys robots.txt and rate limits. Use it as an async context manager.

    Attributes:
        limits: of requests and downloads.
        clock: the time.
    """

    limits: FetchLimits
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.rate = RateLimiter(self.limits.delay, self.limits.max_wait, self.clock)
        self._robots: dict[URL, asyncio.Task[Protego | Refusal]] = {}
        self._hosts: dict[str, asyncio.Semaphore] = {}
        self._connections = asyncio.Semaphore(self.limits.connections)

    async def __aenter__(self) -> Fetcher:
        contact = f"; {self.limits.contact}" if self.limits.contact else ""
        agent = f"{AGENT}/{installed_version()} (collects pictures for classification{contact})"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # `_turn` limits them
                socket_factory=None if self.limits.private else public_socket,
            ),
            # A compressed body could be a decompression bomb, and pictures are compressed already.
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
        """Download a picture to `target`, synced; None on success, and no file otherwise.

        Its first bytes have to be those of an image format. It is not decoded here.
        """

        async def save(response: aiohttp.ClientResponse) -> None:
            if response.status != 200:
                raise Refused(PictureStatus.FAILED, f"HTTP {response.status}")
            await download.save(response, target, self.limits.max_bytes)

        return await self._trying(url, save, "image/*,*/*;q=0.5", obeys_robots=True)

    async def get(self, url: str) -> Response | Refusal:
        """The response of a web API, of any status. robots.txt does not apply to it."""
        answers: list[Response] = []

        async def read(response: aiohttp.ClientResponse) -> None:
            body = await download.read(response, MAX_ANSWER)
            answers.append(Response(response.status, response.headers.copy(), body))

        refusal = await self._trying(url, read, "application/json", obeys_robots=False)
        return refusal or answers[-1]

    # -- one URL, several attempts -----------------------------------------------------------------------------

    async def _trying(self, url: str, take: Take, accept: str, *, obeys_robots: bool) -> Refusal | None:
        """Pass the response to `take`. Temporary failures are tried again."""
        attempt = 1
        while True:
            try:
                async with self._following(url, accept, obeys_robots) as response:
                    await take(response)
                return None
            except Refused as refused:
                return refused.refusal
            except HostBusy as held:
                return Refusal(PictureStatus.LATER, str(held))
            except _Temporary as temporary:
                if attempt >= self.limits.attempts:
                    return Refusal(PictureStatus.LATER, f"{temporary} ({attempt} attempts)")
                if not temporary.waits:
                    await self.clock.sleep(backoff(attempt, self.limits.backoff, self.limits.max_wait))
                attempt += 1

    @asynccontextmanager
    async def _following(
        self, url: str, accept: str, obeys_robots: bool
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response after all redirects. robots.txt and the rate limit apply to every hop."""
        hop = _web_address(url)
        seen: set[URL] = set()
        try:
            while True:
                if obeys_robots:
                    await self._check_robots(hop)
                async with (
                    self._turn(_host(hop)),
                    self._session.get(
                        hop,
                        allow_redirects=False,
                        headers={"Accept": accept},
                        timeout=aiohttp.ClientTimeout(total=self.limits.seconds),
                    ) as response,
                ):
                    self._check(response, hop, obeys_robots)
                    if response.status not in REDIRECTS:
                        yield response
                        return
                    seen.add(hop)
                    hop = _redirected(response, hop)
                if hop in seen:
                    raise Refused(PictureStatus.FAILED, "redirects in a circle")
                if len(seen) > self.limits.max_redirects:
                    raise Refused(PictureStatus.FAILED, f"more than {self.limits.max_redirects} redirects")
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise self._as_failure(error) from error

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a connection to a host. Waiting does not count for the time limit."""
        if host not in self._hosts:
            self._hosts[host] = asyncio.Semaphore(self.limits.connections_per_host)
        async with self._hosts[host]:
            await self.rate.turn(host)
            async with self._connections:
                yield

    def _check(self, response: aiohttp.ClientResponse, hop: URL, obeys_robots: bool) -> None:
        if response.status in TEMPORARY:
            wait = retry_after(response.headers.get("Retry-After"), self.clock.now())
            if wait is not None:
                self.rate.hold(_host(hop), wait)
            raise _Temporary(f"HTTP {response.status}", waits=wait is not None)
        if obeys_robots and (directive := opted_out(response.headers.getall("X-Robots-Tag", []))):
            raise Refused(PictureStatus.OPTED_OUT, f"X-Robots-Tag: {directive}")

    def _as_failure(self, error: Exception) -> Exception:
        """A network error as a refusal, or as a failure that is tried again."""
        if isinstance(error, asyncio.TimeoutError):
            return _Temporary(f"took longer than {self.limits.seconds:g} s")
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressRefused):
            return Refused(PictureStatus.REFUSED, str(error.os_error.strerror))
        if isinstance(error, aiohttp.InvalidURL):
            return Refused(PictureStatus.FAILED, "is not a web address")
        if isinstance(error, (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)):
            return Refused(PictureStatus.FAILED, "its certificate is not valid")
        if isinstance(error, aiohttp.ClientPayloadError):
            return _Temporary("the response ended early")
        return _Temporary(" ".join(str(error).split())[:200] or type(error).__name__)

    # -- robots.txt --------------------------------------------------------------------------------------------

    async def _check_robots(self, url: URL) -> None:
        """Raise Refused where robots.txt disallows a URL, or cannot be read (RFC 9309, 2.3.1)."""
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
            if response.status == 200:  # otherwise there are no rules
                found.append(await download.read(response, MAX_ROBOTS))

        refusal = await self._trying(
            str(origin / "robots.txt"), read, "text/plain,*/*;q=0.1", obeys_robots=False
        )
        if refusal is not None and refusal.status is not PictureStatus.FAILED:
            return Refusal(refusal.status, f"robots.txt: {refusal.reason}")
        rules = parse_robots(found[-1])
        rate = rules.request_rate(AGENT)
        delay = max(rules.crawl_delay(AGENT) or 0.0, rate.seconds / rate.requests if rate else 0.0)
        if delay > self.limits.max_wait:
            return Refusal(PictureStatus.REFUSED, f"robots.txt asks for {delay:g} s between requests")
        self.rate.slow(_host(origin), delay)
        return rules


def _web_address(text: str) -> URL:
    try:
        url = URL(text)
    except ValueError as error:
        raise Refused(PictureStatus.FAILED, "is not a web address") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Refused(PictureStatus.FAILED, "is not a web address")
    if url.user is not None or url.password is not None:
        raise Refused(PictureStatus.REFUSED, "the address contains a user name or password")
    return url.with_fragment(None)


def _redirected(response: aiohttp.ClientResponse, hop: URL) -> URL:
    location = response.headers.get("Location")
    if not location:
        raise Refused(PictureStatus.FAILED, f"HTTP {response.status} without a Location")
    try:
        return _web_address(str(hop.join(URL(location))))
    except ValueError as error:
        raise Refused(PictureStatus.FAILED, "redirects to something that is not a web address") from error


def _host(url: URL) -> str:
    return f"{url.host}:{url.port}"
