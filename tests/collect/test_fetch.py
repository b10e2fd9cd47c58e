"""Fetching from a real server that misbehaves, in time that is our own."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.misbehaving_server import Site, dripping, endless, good, picture, serving, status, truncated
from support.own_time import OwnTime

from sorter.collect import fetch as room
from sorter.collect.addresses import AddressRefused, is_public, public_socket
from sorter.collect.fetch import Fetcher
from sorter.collect.rate_limit import Clock, FetchLimits, HostBusy, RateLimiter, backoff, retry_after
from sorter.collect.records import PictureStatus, Refusal
from sorter.collect.robots import opted_out

LIMITS = FetchLimits(delay=0.0, seconds=5.0, max_bytes=1 << 20, private=True)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def clock() -> OwnTime:
    return OwnTime()


def fetch(urls: list[str], folder: Path, clock: Clock, limits: FetchLimits = LIMITS) -> list[Refusal | None]:
    async def run() -> list[Refusal | None]:
        async with Fetcher(limits, clock) as fetcher:
            tasks = (fetcher.picture(url, folder / str(at)) for at, url in enumerate(urls))
            return list(await asyncio.gather(*tasks))

    return asyncio.run(run())


def one(url: str, folder: Path, clock: Clock, limits: FetchLimits = LIMITS) -> Refusal | None:
    return fetch([url], folder, clock, limits)[0]


def test_a_picture_arrives_whole_under_an_honest_name(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    url = site.put("/a.jpg", picture(1))
    assert one(url, tmp_path, clock, replace(LIMITS, contact="ann@example.org")) is None
    assert (tmp_path / "0").read_bytes() == picture(1)
    assert [each.name for each in tmp_path.iterdir()] == ["0"]
    (agent,) = site.agents
    assert agent.startswith("sorter/") and "ann@example.org" in agent


def test_the_content_type_has_no_say(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    lying = site.put("/a", picture(1), kind="text/html")
    html = site.put("/b.jpg", b"<!doctype html><title>Sign in</title>" + bytes(200), kind="image/jpeg")
    nothing = site.put("/c.jpg", b"")
    first, second, third = fetch([lying, html, nothing], tmp_path, clock)
    assert first is None
    assert second is not None and second.status is PictureStatus.NOT_AN_IMAGE
    assert third is not None and third.status is PictureStatus.BROKEN
    assert [each.name for each in tmp_path.iterdir()] == ["0"]


@pytest.mark.parametrize("how", ["endless", "announced"])
def test_too_many_bytes(how: str, site: Site, tmp_path: Path, clock: OwnTime) -> None:
    body = picture(1)
    reply = endless(body) if how == "endless" else good(body + bytes(LIMITS.max_bytes))
    url = site.on("/a.jpg", reply)
    refusal = one(url, tmp_path, clock)
    assert refusal is not None and refusal.status is PictureStatus.FAILED and "--max-bytes" in refusal.reason
    assert not list(tmp_path.iterdir())


def test_a_truncated_body_is_tried_again(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    always = site.on("/a.jpg", truncated(picture(1)))
    once = site.then("/b.jpg", truncated(picture(2)), good(picture(2)))
    first, second = fetch([always, once], tmp_path, clock)
    assert first is not None and first.status is PictureStatus.LATER and "ended early" in first.reason
    assert site.asked["/a.jpg"] == LIMITS.attempts
    assert second is None and (tmp_path / "1").read_bytes() == picture(2)


def test_a_slow_drip_is_cut_off(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    url = site.on("/a.jpg", dripping(picture(1)[:100]))
    refusal = one(url, tmp_path, clock, replace(LIMITS, seconds=0.3, attempts=1))
    assert refusal is not None and refusal.status is PictureStatus.LATER and "took longer" in refusal.reason
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed_by_everybody_at_that_host(
    form: str, site: Site, tmp_path: Path, clock: OwnTime
) -> None:
    value = "40" if form == "seconds" else formatdate(clock.now() + 40, usegmt=True)
    busy = site.then("/a.jpg", status(429, Retry_After=value), good(picture(1)))
    began = clock.time
    assert one(busy, tmp_path, clock) is None
    assert site.asked["/a.jpg"] == 2
    assert clock.time - began == pytest.approx(40, abs=1)


def test_a_host_that_wants_to_be_left_alone_is(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    busy = site.on("/a.jpg", status(429, Retry_After="600"))
    other = site.put("/b.jpg", picture(1))

    async def run() -> list[Refusal | None]:
        async with Fetcher(LIMITS, clock) as fetcher:
            return [await fetcher.picture(url, tmp_path / "x") for url in (busy, other)]

    for refusal in asyncio.run(run()):
        assert refusal is not None and refusal.status is PictureStatus.LATER and "600 s" in refusal.reason
    assert site.asked["/a.jpg"] == 1 and site.asked["/b.jpg"] == 0
    assert not clock.waits


def test_503_then_200_after_waiting_longer_each_time(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    url = site.then("/a.jpg", status(503), status(500), good(picture(1)))
    assert one(url, tmp_path, clock) is None
    first, second = clock.waits
    assert 0.5 <= first <= 1.0 <= second <= 2.0


def test_what_is_gone_is_asked_for_once(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    refusal = one(site.url + "/gone.jpg", tmp_path, clock)
    assert refusal == Refusal(PictureStatus.FAILED, "HTTP 404")
    assert site.asked["/gone.jpg"] == 1


def test_redirects(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    site.put("/end.jpg", picture(1))
    near = site.redirect("/near", "end.jpg", 307)
    circle = site.redirect("/circle", "/circle2")
    site.redirect("/circle2", "/circle")
    for step in range(9):
        site.redirect(f"/long{step}", f"/long{step + 1}")
    nowhere = site.on("/nowhere", lambda handler: handler.give(b"", status=301))
    file = site.redirect("/file", "file:///etc/passwd")
    found = fetch([near, circle, site.url + "/long0", nowhere, file], tmp_path, clock)
    assert found[0] is None
    reasons = [each.reason for each in found[1:] if each is not None and each.status is PictureStatus.FAILED]
    assert reasons == [
        "redirects in a circle",
        "more than 5 redirects",
        "HTTP 301 without a Location",
        "is not a web address",
    ]


def test_robots_txt(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    rules = b"User-agent: sorter\nDisallow: /private/\nCrawl-delay: 7\n\nUser-agent: *\nDisallow: /\n"
    site.put("/robots.txt", rules, kind="text/plain")
    allowed = site.put("/a.jpg", picture(1))
    disallowed = site.put("/private/b.jpg", picture(2))
    sneaky = site.redirect("/sneaky", "/private/b.jpg")
    first, second, third = fetch([allowed, disallowed, sneaky], tmp_path, clock)
    assert first is None
    assert second == third == Refusal(PictureStatus.OPTED_OUT, "robots.txt disallows it")
    assert site.asked["/robots.txt"] == 1 and site.asked["/private/b.jpg"] == 0
    assert max(clock.waits) >= 6.9


def test_robots_txt_that_cannot_be_had_keeps_us_out(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    site.on("/robots.txt", status(503))
    url = site.put("/a.jpg", picture(1))
    refusal = one(url, tmp_path, clock)
    assert refusal is not None and refusal.status is PictureStatus.LATER and "robots.txt" in refusal.reason
    assert site.asked["/a.jpg"] == 0


@pytest.mark.parametrize("directive", ["noai", "noimageai", "noml", "noindex", "noimageindex", "none"])
def test_opt_outs_in_headers(directive: str, site: Site, tmp_path: Path, clock: OwnTime) -> None:
    body = picture(1)
    plain = site.put("/a.jpg", body, X_Robots_Tag=directive.upper())
    second = site.put("/b.jpg", body, X_Robots_Tag=f"nofollow|sorter: nofollow, {directive}")
    hop = site.on(
        "/hop", lambda handler: handler.give(b"", status=302, Location="/c.jpg", X_Robots_Tag=directive)
    )
    other = site.put("/c.jpg", body, X_Robots_Tag=f"otherbot: {directive}")
    *refused, kept = fetch([plain, second, hop, other], tmp_path, clock)
    assert [each and each.status for each in refused] == [PictureStatus.OPTED_OUT] * 3
    assert kept is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        (["all", "max-image-preview: large, nofollow"], None),
        (["unavailable_after: 25 Jun 2030 15:00:00 PST, noai"], "noai"),
        (["otherbot: noindex, nofollow, sorter: noml"], "noml"),
        (["otherbot: noindex, noai"], None),
        (["*: noimageindex"], "noimageindex"),
    ],
)
def test_x_robots_tag(values: list[str], expected: str | None) -> None:
    assert opted_out(values) == expected


def test_private_addresses_are_refused_when_connecting(site: Site, tmp_path: Path, clock: OwnTime) -> None:
    public = replace(LIMITS, private=False)
    port = site.url.rpartition(":")[2]
    urls = [f"http://{host}:{port}/a.jpg" for host in ("127.0.0.1", "localhost", "[::1]")]
    urls += ["http://169.254.169.254/latest", "http://10.0.0.1/", "http://[::ffff:127.0.0.1]/"]
    for refusal in fetch(urls, tmp_path, clock, public):
        assert refusal is not None and refusal.status is PictureStatus.REFUSED, refusal
        assert "public internet" in refusal.reason
    assert not site.asked


def test_a_redirect_ends_at_the_address_that_it_leads_to(
    site: Site, tmp_path: Path, clock: OwnTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_if_public(info: tuple[object, object, int, str, tuple[object, ...]]) -> socket.socket:
        """The site's own address stands for a public one; every other is judged."""
        if info[4][0] == "127.0.0.1":
            return socket.socket(info[0], info[1], info[2])  # type: ignore[arg-type]
        return public_socket(info)  # type: ignore[arg-type]

    monkeypatch.setattr(room, "public_socket", as_if_public)
    site.put("/a.jpg", picture(1))
    away = site.redirect("/away", site.url.replace("127.0.0.1", "127.0.0.2") + "/a.jpg")
    refusal = one(away, tmp_path, clock, replace(LIMITS, private=False))
    assert refusal is not None and refusal.status is PictureStatus.REFUSED
    assert site.asked["/away"] == 1 and site.asked["/a.jpg"] == 0


def test_a_name_that_turns_private_is_refused(
    site: Site, tmp_path: Path, clock: OwnTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads to a public address first and to a private one when it is asked again."""
    asked = []

    def public_first(info: tuple[object, object, int, str, tuple[object, ...]]) -> socket.socket:
        asked.append(info[4][0])
        if len(asked) == 1:  # stands for the public address; robots.txt is fetched over it
            return socket.socket(info[0], info[1], info[2])  # type: ignore[arg-type]
        return public_socket(info)  # type: ignore[arg-type]

    monkeypatch.setattr(room, "public_socket", public_first)
    robots = b"User-agent: *\nAllow: /\n"
    site.on("/robots.txt", lambda handler: handler.give(robots, kind="text/plain", Connection="close"))
    refusal = one(site.put("/a.jpg", picture(1)), tmp_path, clock, replace(LIMITS, private=False))
    assert refusal is not None and refusal.status is PictureStatus.REFUSED
    assert len(asked) > 1 and site.asked["/robots.txt"] == 1 and site.asked["/a.jpg"] == 0


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


@given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fc00::/7"))
def test_no_socket_for_private_addresses(address: object) -> None:
    with pytest.raises(AddressRefused):
        public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", (str(address), 80)))


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://a.example/b.jpg", "http://", "file:///etc/passwd", "http://[::"]
)
def test_what_is_no_web_address(url: str, tmp_path: Path, clock: OwnTime) -> None:
    refusal = one(url, tmp_path, clock)
    assert refusal is not None and refusal.status is PictureStatus.FAILED


def test_a_password_in_the_address_is_not_used(tmp_path: Path, clock: OwnTime) -> None:
    refusal = one("http://ann:secret@a.example/b.jpg", tmp_path, clock)
    assert refusal is not None and refusal.status is PictureStatus.REFUSED


def test_turns_at_a_host_keep_their_distance(clock: OwnTime) -> None:
    pace = RateLimiter(2.0, 90.0, clock)
    starts: list[tuple[str, float]] = []

    async def ask(host: str) -> None:
        await pace.turn(host)
        starts.append((host, clock.monotonic()))

    async def run() -> None:
        for host in ("a", "a", "b", "a"):
            await ask(host)

    began = clock.monotonic()
    asyncio.run(run())
    assert [(host, at - began) for host, at in starts] == [("a", 0), ("a", 2), ("b", 2), ("a", 4)]


def test_a_hold_reaches_those_who_wait_already(clock: OwnTime) -> None:
    pace = RateLimiter(1.0, 90.0, clock)

    async def run() -> float:
        await pace.turn("a")
        pace.hold("a", 30)
        await pace.turn("a")
        pace.hold("a", 1000)
        with pytest.raises(HostBusy):
            await pace.turn("a")
        return clock.monotonic()

    began = clock.monotonic()
    assert asyncio.run(run()) - began == 30


@given(st.text(max_size=40) | st.none())
def test_retry_after_never_raises(value: str | None) -> None:
    seconds = retry_after(value, 1_700_000_000.0)
    assert seconds is None or seconds >= 0


@given(st.integers(1, 30))
def test_backoff_is_bounded(attempt: int) -> None:
    assert 0.5 <= backoff(attempt, 1.0, 60.0) <= 60.0


def test_the_picture_maker_makes_pictures() -> None:
    assert Image.open(io.BytesIO(picture(1))).size == (160, 144)
