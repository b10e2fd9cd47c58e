"""Collecting end to end: sources, what is kept, going on after a kill, the manifest."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.commands import Sorter, hashes
from support.misbehaving_server import Site, good, picture, serving, status
from support.own_time import OwnTime
from support.processes import wait_until

from sorter.collect.fetch import Fetcher
from sorter.collect.licences import Licences
from sorter.collect.openverse import Openverse
from sorter.collect.options import CollectOptions
from sorter.collect.rate_limit import FetchLimits
from sorter.collect.records import Candidate, PictureStatus, ResultPage, Source, SourceError
from sorter.collect.run import collect
from sorter.collect.websearch import WebSearch
from sorter.types import SorterError, UsageError

FETCH = FetchLimits(delay=0.0, seconds=5.0, private=True)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


def options(out: Path, *queries: str, **keywords: Any) -> CollectOptions:
    """Two classes; `car` has the queries."""
    return CollectOptions(
        **{
            "classes": (("car", queries or ("red car",)),),
            "out": out,
            "fetch": FETCH,
            "workers": 1,
            **keywords,
        }
    )


def manifest(out: Path) -> list[dict[str, str]]:
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outcomes(out: Path) -> dict[str, str]:
    """The last part of the image's URL -> status."""
    return {row["image_url"].rpartition("/")[2]: row["status"] for row in manifest(out)}


def list_of(path: Path, urls: Sequence[str]) -> str:
    path.write_text("# a list\n" + "\n".join(urls) + "\n", encoding="utf-8")
    return str(path)


# -- Openverse ---------------------------------------------------------------------------------------------------


def openverse_result(site: Site, number: int, **changed: Any) -> dict[str, Any]:
    """One result in the shape that the API's documentation gives, with values of our own."""
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "title": f"Car {number}",
        "indexed_on": "2024-01-01T00:00:00Z",
        "foreign_landing_url": f"https://photos.example/{number}",
        "url": site.put(f"/{number}.jpg", picture(number)),
        "creator": "Ann Example",
        "creator_url": "https://photos.example/ann",
        "license": "by-sa",
        "license_version": "4.0",
        "license_url": "https://creativecommons.org/licenses/by-sa/4.0/",
        "provider": "example",
        "source": "example",
        "category": None,
        "filesize": None,
        "filetype": "jpg",
        "tags": [],
        "attribution": None,
        "fields_matched": ["title"],
        "mature": False,
        "height": 144,
        "width": 160,
        "thumbnail": None,
        "detail_url": None,
        "related_url": None,
        "unstable__sensitivity": [],
        **changed,
    }


def openverse_page(results: list[dict[str, Any]], pages: int, page: int) -> bytes:
    found = {"result_count": 3, "page_count": pages, "page_size": 20, "page": page, "results": results}
    return json.dumps(found).encode()


def openverse_of(site: Site) -> Any:
    def make(options: CollectOptions, fetcher: Fetcher) -> list[Source]:
        return [Openverse(fetcher, options.licences, site.url + "/v1/images/")]

    return make


ALLOWANCE = {
    "X_RateLimit_Limit_anon_burst": "20/min",
    "X_RateLimit_Available_anon_burst": "19",
    "X_RateLimit_Limit_anon_sustained": "200/day",
    "X_RateLimit_Available_anon_sustained": "150",
}


def asked_as(query: str, page: int) -> str:
    return f"/v1/images/?q={query}&page={page}&page_size=20"


def test_openverse_with_licences_and_attribution(site: Site, tmp_path: Path) -> None:
    results = [
        openverse_result(site, 1),
        openverse_result(site, 2, license="cc0", license_version="1.0", creator=None, title="a [b](c)\nd"),
        openverse_result(site, 3, license="by-nc"),
    ]
    path = asked_as("red+car", 1) + "&license=by,by-sa,by-nd,cc0,pdm"
    site.put(path, openverse_page(results, 1, 1), kind="application/json", **ALLOWANCE)
    wanted = options(tmp_path, licences=Licences.parse(("commercial",)), attribution=True)
    found = collect(wanted, sources=openverse_of(site), clock=OwnTime())
    assert found.new == 2 and found.counts["car"] == Counter({PictureStatus.KEPT: 2})
    first, second = manifest(tmp_path)
    assert first["licence"] == "by-sa 4.0" and first["creator"] == "Ann Example"
    assert first["page"] == "https://photos.example/1" and first["query"] == "red car"
    assert hashes(tmp_path)[first["file"]] == first["sha256"]
    assert second["title"] == "a [b](c) d" and second["licence_url"]
    text = (tmp_path / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert "[“Car 1”](<https://photos.example/1>) by Ann Example, [CC BY-SA 4.0](<" in text
    assert "“a \\[b\\](c) d”" in text and "an unknown author" in text and "CC0 1.0" in text


def test_openverse_pages_are_paced_by_its_allowance(site: Site, tmp_path: Path) -> None:
    clock = OwnTime()
    for page in (1, 2):
        body = openverse_page([openverse_result(site, page)], 2, page)
        site.put(asked_as("red+car", page), body, kind="application/json", **ALLOWANCE)
    found = collect(options(tmp_path), sources=openverse_of(site), clock=clock)
    assert found.new == 2
    assert max(clock.waits) == pytest.approx(3.0)  # 20 a minute


def test_openverse_when_the_days_allowance_is_used_up(site: Site, tmp_path: Path) -> None:
    used_up = {**ALLOWANCE, "X_RateLimit_Available_anon_sustained": "0"}
    body = openverse_page([openverse_result(site, 1)], 9, 1)
    # Another host name for the pictures: the allowance is the service's.
    body = body.replace(b"127.0.0.1", b"localhost")
    site.put(asked_as("red+car", 1), body, kind="application/json", **used_up)
    site.put(asked_as("red+car", 2), openverse_page([], 9, 2), kind="application/json")
    found = collect(options(tmp_path), sources=openverse_of(site), clock=OwnTime())
    assert found.new == 1 and found.unfinished
    assert "86400 s" in found.source_errors[0]
    assert site.asked[asked_as("red+car", 2)] == 0
    again = collect(options(tmp_path), sources=openverse_of(site), clock=OwnTime())
    assert again.new == 0 and site.asked[asked_as("red+car", 1)] == 1 == site.asked[asked_as("red+car", 2)]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"results": 3}', b'{"results": [{"url": "x"}]}'])
def test_openverse_that_answers_oddly(body: bytes, site: Site, tmp_path: Path) -> None:
    site.put(asked_as("red+car", 1), body)
    found = collect(options(tmp_path), sources=openverse_of(site), clock=OwnTime())
    assert "does not match its documentation" in found.source_errors[0] and found.unfinished


def test_openverse_gives_no_deeper_pages_without_a_key(site: Site, tmp_path: Path) -> None:
    body = openverse_page([openverse_result(site, 1)], 50, 1)
    site.put(asked_as("red+car", 1), body, kind="application/json")
    site.on(asked_as("red+car", 2), status(401))
    found = collect(options(tmp_path), sources=openverse_of(site), clock=OwnTime())
    assert found.new == 1 and not found.source_errors


# -- web search --------------------------------------------------------------------------------------------------


def web_of(search: Any, clock: OwnTime) -> Any:
    def make(options: CollectOptions, fetcher: Fetcher) -> list[Source]:
        return [WebSearch(options.licences, search, clock)]

    return make


def web_result(url: str, **changed: Any) -> dict[str, Any]:
    """A result as the library's documentation gives it: every value is text or a number."""
    known = {"title": "A car", "image": url, "thumbnail": url, "url": "https://a.example/page"}
    return {**known, "height": "144", "width": 160, "source": "Bing", **changed}


def test_web_search_loops_pages_and_pins_the_engine_that_filters(site: Site, tmp_path: Path) -> None:
    from ddgs.exceptions import DDGSException, TimeoutException

    asked: list[Mapping[str, Any]] = []
    clock = OwnTime()

    def search(query: str, **keywords: Any) -> list[dict[str, Any]]:
        asked.append(keywords)
        if len(asked) == 1:
            raise TimeoutException("timed out")
        page = keywords["page"]
        if page > 2:
            raise DDGSException("No results found.")
        small = web_result(site.put(f"/small{page}.jpg", picture(50 + page)), width="90")
        return [web_result(site.put(f"/{page}.jpg", picture(page))), small, web_result("")]

    wanted = options(tmp_path, licences=Licences.parse(("public-domain",)))
    found = collect(wanted, sources=web_of(search, clock), clock=clock)
    assert found.new == 2 and not found.source_errors
    assert [each["page"] for each in asked] == [1, 1, 2, 3]
    assert all(each["backend"] == "duckduckgo" and each["license_image"] == "Public" for each in asked)
    assert outcomes(tmp_path)["small1.jpg"] == "too-small" and site.asked["/small1.jpg"] == 0
    assert {row["licence"] for row in manifest(tmp_path)} == {"Public (says the search)"}


def test_web_search_that_fails_is_a_trouble(tmp_path: Path) -> None:
    from ddgs.exceptions import RatelimitException

    def search(query: str, **keywords: Any) -> list[dict[str, Any]]:
        assert keywords["backend"] == "auto" and "license_image" not in keywords
        raise RatelimitException("202 Ratelimit")

    clock = OwnTime()
    found = collect(options(tmp_path), sources=web_of(search, clock), clock=clock)
    assert "202 Ratelimit" in found.source_errors[0] and found.unfinished


def test_the_library_takes_what_we_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arguments, against the real library, whose engine is stopped before it speaks."""
    import asyncio

    from ddgs.engines.duckduckgo_images import DuckduckgoImages

    payloads = []

    def extract(engine: DuckduckgoImages, query: str, *arguments: Any, **keywords: Any) -> list[Any]:
        monkeypatch.setattr(DuckduckgoImages, "_get_vqd", lambda *_: "1")
        payloads.append(engine.build_payload(query, *arguments, **keywords))
        return []

    monkeypatch.setattr(DuckduckgoImages, "search", extract)
    page = asyncio.run(WebSearch(Licences.parse(("commercial",)), clock=OwnTime()).page("red car", 2))
    assert list(page.candidates) == [] and page.last
    assert payloads[0]["q"] == "red car" and "license:ShareCommercially" in payloads[0]["f"]
    assert payloads[0]["s"] == "100"


# -- what is kept ------------------------------------------------------------------------------------------------


def bomb() -> bytes:
    """A PNG of 400 megapixels in 50 kB."""
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


def test_only_new_whole_pictures_are_kept(site: Site, tmp_path: Path) -> None:
    body = picture(1)
    upright = Image.open(io.BytesIO(body))
    other = io.BytesIO()
    upright.resize((200, 180)).save(other, "PNG")
    urls = [
        site.put("/good.jpg", body),
        site.put("/same.jpg", body),
        site.put("/resized.jpg", other.getvalue()),
        site.put("/cut.jpg", picture(2)[:1500]),
        site.put("/bomb.png", bomb()),
        site.put("/page.jpg", b"<html>" + bytes(100)),
        site.put("/small.jpg", picture(3, (100, 300))),
        site.put("/disguised.jpg", picture(4, kind="WEBP")),
        site.put("/theirs.jpg", picture(5)),
        site.put("/no.jpg", picture(6), X_Robots_Tag="noai"),
    ]
    out = tmp_path / "out"
    (out / "car").mkdir(parents=True)
    (out / "car" / "mine.jpg").write_bytes(picture(5))
    wanted = options(out, list_of(tmp_path / "urls.txt", urls), sources=("urls",), limit=None)
    found = collect(wanted, clock=OwnTime())
    assert outcomes(out) == {
        "good.jpg": "kept",
        "same.jpg": "duplicate",
        "resized.jpg": "near-duplicate",
        "cut.jpg": "broken",
        "bomb.png": "broken",
        "page.jpg": "not-an-image",
        "small.jpg": "too-small",
        "disguised.jpg": "kept",
        "theirs.jpg": "duplicate",
        "no.jpg": "opted-out",
    }
    assert found.new == 2 and not found.unfinished
    names = sorted(path.name for path in (out / "car").iterdir())
    assert len(names) == 3 and "mine.jpg" in names
    assert sorted(Path(name).suffix for name in names) == [".jpg", ".jpg", ".webp"]
    assert not (out / ".sorter" / "incoming").exists()
    reasons = {row["image_url"].rpartition("/")[2]: row["reason"] for row in manifest(out)}
    assert "car/mine.jpg" in reasons["theirs.jpg"] and "megapixels" in reasons["bomb.png"]


def test_one_picture_is_not_in_two_classes(site: Site, tmp_path: Path) -> None:
    shared = site.put("/a.jpg", picture(1))
    copy = site.put("/copy.jpg", picture(1))
    lists = [list_of(tmp_path / "a.txt", [shared]), list_of(tmp_path / "b.txt", [shared, copy])]
    wanted = options(
        tmp_path / "out", sources=("urls",), classes=(("car", lists[:1]), ("not-car", lists[1:]))
    )
    collect(wanted, clock=OwnTime())
    assert outcomes(tmp_path / "out") == {"a.jpg": "kept", "copy.jpg": "duplicate"}
    assert site.asked["/a.jpg"] == 1


def test_the_limit_holds_and_searches_share_it(site: Site, tmp_path: Path) -> None:
    lists = [
        list_of(
            tmp_path / f"{name}.txt",
            [site.put(f"/{name}{at}.jpg", picture(at + 20 * (name == "b"))) for at in range(9)],
        )
        for name in "ab"
    ]
    out = tmp_path / "out"
    wanted = options(out, *lists, sources=("urls",), limit=6)
    found = collect(wanted, clock=OwnTime())
    assert found.new == 6 and not found.short
    fetched = [path for path in site.asked if path.endswith(".jpg")]
    assert Counter(path[1] for path in fetched) == {"a": 3, "b": 3}, "nothing is fetched beyond the limit"
    more = collect(replace(wanted, limit=8), clock=OwnTime())
    assert more.new == 2 and max(site.asked[path] for path in fetched) == 1


def test_what_somebody_took_out_stays_out(site: Site, tmp_path: Path) -> None:
    urls = [site.put(f"/{at}.jpg", picture(at)) for at in range(3)]
    out = tmp_path / "out"
    wanted = options(out, list_of(tmp_path / "urls.txt", urls), sources=("urls",), limit=2)
    collect(wanted, clock=OwnTime())
    (out / manifest(out)[0]["file"]).unlink()
    found = collect(wanted, clock=OwnTime())
    assert found.new == 1 and sorted(outcomes(out).values()) == ["kept", "kept", "removed"]
    assert max(site.asked[f"/{at}.jpg"] for at in range(3)) == 1


def test_a_failure_that_passes_is_tried_by_the_next_run(site: Site, tmp_path: Path) -> None:
    url = site.then("/a.jpg", status(503), status(503), status(503), good(picture(1)))
    wanted = options(tmp_path / "out", list_of(tmp_path / "urls.txt", [url]), sources=("urls",))
    first = collect(wanted, clock=OwnTime())
    assert first.new == 0 and first.unfinished and first.short == ("car",)
    assert collect(wanted, clock=OwnTime()).new == 1


def test_a_local_folder_is_copied(tmp_path: Path) -> None:
    for at in range(3):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"größe {at}.jpg").write_bytes(picture(at))
    (tmp_path / "in" / "note.txt").write_text("none")
    before = hashes(tmp_path / "in")
    found = collect(options(tmp_path / "out", str(tmp_path / "in"), sources=("folder",)))
    assert found.counts["car"] == Counter({PictureStatus.KEPT: 3, PictureStatus.NOT_AN_IMAGE: 1})
    assert hashes(tmp_path / "in") == before
    assert {row["title"] for row in manifest(tmp_path / "out")} == {
        *(f"größe {at}.jpg" for at in range(3)),
        "note.txt",
    }


def test_a_csv_of_urls_says_whose_they_are(site: Site, tmp_path: Path) -> None:
    table = tmp_path / "urls.csv"
    rows = [
        ("URL", "page", "creator", "license", "title"),
        (site.put("/a.jpg", picture(1)), "https://a.example", "Ann", "CC BY 4.0", '"Two,\nlines"'),
        (site.put("/b.jpg", picture(2)), "", "", "by-nc", ""),
    ]
    table.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    wanted = options(tmp_path / "out", str(table), sources=("urls",), licences=Licences.parse(("by",)))
    collect(wanted, clock=OwnTime())
    (row,) = manifest(tmp_path / "out")
    assert (row["creator"], row["licence"], row["title"]) == ("Ann", "CC BY 4.0", "Two, lines")


def test_other_licences_make_another_search(tmp_path: Path, site: Site) -> None:
    table = tmp_path / "urls.csv"
    urls = {code: site.put(f"/{code}.jpg", picture(at)) for at, code in enumerate(("by", "by-nc"))}
    table.write_text("url,licence\n" + "".join(f"{url},{code}\n" for code, url in urls.items()))
    wanted = options(tmp_path / "out", str(table), sources=("urls",))
    collect(replace(wanted, licences=Licences.parse(("commercial",))), clock=OwnTime())
    assert outcomes(tmp_path / "out") == {"by.jpg": "kept"}
    collect(wanted, clock=OwnTime())
    assert outcomes(tmp_path / "out") == {"by.jpg": "kept", "by-nc.jpg": "kept"}


def test_dry_run_fetches_no_picture_and_leaves_nothing(site: Site, tmp_path: Path) -> None:
    urls = [site.put(f"/{at}.jpg", picture(at)) for at in range(3)]
    wanted = options(tmp_path / "out", list_of(tmp_path / "urls.txt", urls), sources=("urls",), dry_run=True)
    found = collect(wanted, clock=OwnTime())
    assert found.counts["car"] == Counter({PictureStatus.FOUND: 3}) and found.dry_run
    assert not site.asked and not (tmp_path / "out").exists()


# -- going on ----------------------------------------------------------------------------------------------------


def command(out: Path, query: str, *more: str) -> list[str]:
    given = ["--class", "car", query, "--source", "urls", "--allow-private", "--delay", "0", "-j", "1"]
    return [sys.executable, "-m", "sorter", "collect", *given, "--out", str(out), *more]


@pytest.mark.parametrize("after", [3, 24])
def test_kill_9_and_on(after: int, site: Site, tmp_path: Path) -> None:
    """Killed in the midst of fetching, or between fetching and placing: in the end all is there, fetched once."""
    urls = [site.put(f"/{at}.jpg", picture(at)) for at in range(24)]
    out = tmp_path / "out"
    argv = command(out, list_of(tmp_path / "urls.txt", urls))
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: sum(path.endswith(".jpg") for path in list(site.asked)) >= after)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    done = subprocess.run([*argv, "--json"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["classes"] == {"car": {"kept": 24}}
    assert len(hashes(out)) == 25  # and the manifest
    assert sorted(row["sha256"] for row in manifest(out)) == sorted(
        digest for name, digest in hashes(out).items() if name.endswith(".jpg")
    )
    twice = [path for path, count in site.asked.items() if count > 1 and path.endswith(".jpg")]
    # What was under way when the process died had not arrived: with sixteen connections, two to this host.
    assert len(twice) <= 2


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["fetched", "placing", "kept"])
def test_killed_between_any_two_steps(
    step: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is cut off before it can write down the step; nothing is fetched again or kept twice."""
    from sorter.collect.ledger import DatasetLedger

    urls = [site.put(f"/{at}.jpg", picture(at)) for at in range(3)]
    out = tmp_path / "out"
    wanted = options(out, list_of(tmp_path / "urls.txt", urls), sources=("urls",))
    settle = DatasetLedger.set_status

    def cut_off(
        ledger: DatasetLedger, row: int, status: PictureStatus, reason: str = "", **values: Any
    ) -> None:
        if status.value == step:
            raise _Killed
        settle(ledger, row, status, reason, **values)

    with monkeypatch.context() as patch:
        patch.setattr(DatasetLedger, "set_status", cut_off)
        with pytest.raises(_Killed):
            collect(wanted, clock=OwnTime())
    incoming = out / ".sorter" / "incoming"
    arrived = [at for at in range(3) if (incoming / str(at + 1)).exists()]
    assert arrived or step == "kept"
    collect(wanted, clock=OwnTime())
    assert outcomes(out) == {f"{at}.jpg": "kept" for at in range(3)}
    assert len(hashes(out / "car")) == 3
    once = arrived if step == "fetched" else range(3)  # others may have been under way
    assert [site.asked[f"/{at}.jpg"] for at in once] == [1 for _ in once]


def test_no_search_is_asked_twice(tmp_path: Path, site: Site) -> None:
    asked = []

    class Once:
        name = "once"

        async def page(self, query: str, number: int) -> ResultPage:
            asked.append((query, number))
            if number == 3:
                raise SourceError("once: out of breath")
            return ResultPage([Candidate(site.put(f"/{number}.jpg", picture(number)))], last=False)

    for _ in range(2):
        collect(options(tmp_path), sources=lambda *_: [Once()], clock=OwnTime())
    assert asked == [("red car", 1), ("red car", 2), ("red car", 3), ("red car", 3)]


# -- what users get wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "a\\b", ".hidden", "con", "NUL.txt", "a:b", "a ", "a.", "a\nb", "train", "Val"],
)
def test_class_names_that_are_no_folders(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--class"):
        collect(options(tmp_path / "out", classes=((name, ("x",)),)))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("expected", "changed"),
    [
        ("was given before", {"classes": (("Car", ("x",)), ("car", ("x",)))}),
        ("has no query", {"classes": (("car", ()),)}),
        ("--limit: -1", {"limit": -1}),
        ("--min-size", {"min_size": -1}),
        ("none of openverse", {"sources": ("bing",)}),
        ("no such folder", {"sources": ("folder",)}),
        ("name a file of URLs", {"sources": ("urls",)}),
        ("filters by", {"sources": ("web",), "licences": Licences(frozenset({"by"}))}),
        ("leave out the flag", {"sources": ("folder",), "licences": Licences(frozenset({"by"}))}),
    ],
)
def test_wrong_usage(expected: str, changed: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=expected):
        collect(options(tmp_path / "out", str(tmp_path / "nowhere"), **changed))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("any",), None),
        ((), None),
        (("public-domain",), {"cc0", "pdm"}),
        (("by,by-sa",), {"by", "by-sa"}),
        (("commercial", "modification"), {"by", "by-sa", "cc0", "pdm"}),
    ],
)
def test_licences(words: tuple[str, ...], expected: set[str] | None) -> None:
    codes = Licences.parse(words).codes
    assert codes == (None if expected is None else frozenset(expected))


def test_licences_that_are_none() -> None:
    with pytest.raises(UsageError, match="gpl is none of"):
        Licences.parse(("gpl",))
    with pytest.raises(UsageError, match="no licence is all of"):
        Licences.parse(("by-nc", "commercial"))


def test_a_ledger_that_is_none(tmp_path: Path) -> None:
    (tmp_path / ".sorter").mkdir()
    (tmp_path / ".sorter" / "collect.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(SorterError, match=r"collect\.db"):
        collect(options(tmp_path, sources=("folder",)))
    (tmp_path / ".sorter" / "collect.db").unlink()
    with closing(sqlite3.connect(tmp_path / ".sorter" / "collect.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SorterError, match="later version"):
        collect(options(tmp_path, sources=("folder",)))


def test_the_command(site: Site, tmp_path: Path, sorter: Sorter) -> None:
    urls = [site.put(f"/{at}.jpg", picture(at)) for at in range(3)] + [site.url + "/gone.jpg"]
    argv = command(tmp_path / "out", list_of(tmp_path / "urls.txt", urls), "--attribution")[3:]
    done = sorter(*argv)
    assert done.returncode == 0, done.stderr
    assert "3  (1 failed)" in done.stdout and "manifest.csv" in done.stdout
    assert (tmp_path / "out" / "ATTRIBUTION.md").exists()
    refused = sorter("collect", "--class", "car", "x", "--out", tmp_path / "out", "--licence", "gpl")
    assert refused.returncode == 2 and "--licence" in refused.stderr and "Traceback" not in refused.stderr
