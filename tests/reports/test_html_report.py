from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from PIL import Image

from sorter.model.rule import Rule
from sorter.output.disk import Filing, Placed
from sorter.output.journal import Journal
from sorter.pipeline.pool import Pool
from sorter.pipeline.stages import Thumbnail
from sorter.reports import html as report_html
from sorter.reports.html import RunInfo, write_html
from sorter.reports.page import printable
from sorter.types import ActionKind, Decision, Failure, Limits, Photo, Reason, Result, Scores, SorterError

CAR = Rule(("not-car", "car"), "car", 0.37)
PAGE = RunInfo(
    "a <model> & co", "some engine", ActionKind.COPY, datetime(2026, 2, 3, 4, 5, tzinfo=timezone.utc)
)
SECTIONS = ("counts", "histogram")
VOID = {"meta", "br", "img", "link", "input", "hr"}
HOSTILE = [
    b"<script>alert(1)</script>.jpg".replace(b"/", b"_"),
    b"\" onerror='x' .jpg",
    b"new\nline\ttab\x1b.jpg",
    b"invalid \xff\xfe.jpg",
    "emoji \U0001f469\u200d\U0001f680 é.jpg".encode(),
    "turned \u202egpj.exe.jpg".encode(),
    b"100% #1? &amp; {{ 7*7 }}.jpg",
    b"=cmd.jpg",
    b"x" * 251 + b".jpg",
]


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside: tuple[str, ...] = field(default_factory=tuple)


class Reader(HTMLParser):
    """Elements in order, each with the text below it; fails on tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        element = Element(tag, {name: value or "" for name, value in attrs})
        element.inside = tuple(each.tag for each in self.open)
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            each for each in self.elements if each.tag == tag and wanted.items() <= each.attributes.items()
        ]

    def rows(self) -> dict[str, str]:
        """Of the first table: what stands in its first column -> in its second."""
        start, end = (at for at, each in enumerate(self.elements) if each.attributes.get("id") in SECTIONS)
        table = self.elements[start:end]
        names = [each.text.strip() for each in table if each.attributes.get("scope") == "row"]
        cells = [each.text.strip() for each in table if each.tag == "td"]
        return dict(zip(names, cells[::2], strict=True))


def read(target: Path) -> Reader:
    return Reader(target.read_text(encoding="utf-8"))


def linked(element: Element) -> bytes:
    parts = urlsplit(element.attributes["href"])
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("file", "", "", "")
    return unquote_to_bytes(parts.path)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    out = tmp_path / "out"
    out.mkdir()
    journal = Journal.open(out)
    yield journal
    journal.close()


def photo_of(path: Path) -> Photo:
    return Photo(path, Path(path.name), 1, 1)


def make_photo(folder: Path, name: bytes | str, colour: str = "navy") -> Path:
    path = folder / os.fsdecode(name)
    folder.mkdir(exist_ok=True)
    with path.open("wb") as file:
        Image.new("RGB", (40, 30), colour).save(file, "JPEG")
    return path


def score(journal: Journal, path: Path, probability: float, rule: Rule = CAR) -> int:
    scores = Scores((1 - probability, probability), 40, 30)
    return journal.scored(photo_of(path), scores, rule(scores), None)


def no_thumbnails(photos: Iterable[Photo]) -> Iterator[Result[bytes]]:
    return (Result(photo, Failure(Reason.CORRUPT, "no <pixels>")) for photo in photos)


def jpegs(photos: Iterable[Photo]) -> Iterator[Result[bytes]]:
    return (Result(photo, b"\xff\xd8 not looked at") for photo in photos)


def test_counts_are_those_of_the_journal(journal: Journal, tmp_path: Path) -> None:
    rule = Rule(("not-car", "car"), "car", 0.5, (0.4, 0.6))
    with journal.transaction():
        for at in range(1300):
            score(journal, tmp_path / f"{at}.jpg", at / 1299, rule)
    for at in range(25):
        journal.failed(photo_of(tmp_path / f"bad{at}.jpg"), Failure(Reason.TRUNCATED, f"stops at byte {at}"))
    journal.failed(photo_of(tmp_path / "none.jpg"), Failure(Reason.EMPTY))
    journal.failed(photo_of(tmp_path / "a.txt"), Failure(Reason.OTHER_FILE))
    target = tmp_path / "report.html"
    write_html(journal, target, page=PAGE, rule=rule, thumbnails=jpegs)
    page = read(target)
    assert page.rows() == {"car": "520", "not-car": "520", "unsure": "260", "failed": "26", "skipped": "1"}
    assert page.all("h1")[0].text == "Photos sorted into out"
    for text in ("a <model> & co", "some engine", "copy", "0.5 and above is car"):
        assert text in [each.text for each in page.all("dd")]
    assert page.all("time")[0].attributes["datetime"] == "2026-02-03T04:05:00+00:00"
    # Each photo is in one bar, and the table says what the bars show.
    bars = page.all("rect", class_="bar")
    assert len(bars) == report_html.BINS
    assert sum(int(bar.text.split(": ")[1].replace(",", "")) for bar in bars) == 1300
    assert page.all("line", class_="threshold")[0].attributes["x1"] == "50.0%"
    assert page.all("rect", class_="band")[0].attributes["x"] == "40.0%"
    # Eight at each end of each folder, from the end.
    assert len(page.all("img")) == 3 * 16
    assert [each.text for each in page.all("h3")] == [
        "car 520 photos",
        "not-car 520 photos",
        "unsure 260 photos",
    ]
    assert [each.text for each in page.all("h4")] == [
        "Most certain highest probability of car",
        "Least certain lowest probability of car",
        "Most certain lowest probability of car",
        "Least certain highest probability of car",
        "Likeliest highest probability of car",
        "Least likely lowest probability of car",
    ]
    numbers = [float(each.text) for each in page.all("b") if "figcaption" in each.inside]
    assert numbers[:8] == sorted(numbers[:8], reverse=True) and numbers[0] == 1
    assert numbers[8:16] == sorted(numbers[8:16]) and numbers[8] == pytest.approx(0.6, abs=1e-3)
    assert numbers[16] == 0 and numbers[24] == pytest.approx(0.4, abs=1e-3)
    # Failures: the count of all, and the names of some.
    assert [each.text for each in page.all("summary")] == [
        "The counts",
        "truncated 25 files, the first 20",
        "empty 1 file",
        "other-file 1 file",
    ]
    assert "stops at byte 19" in "".join(each.text for each in page.all("li"))
    assert "stops at byte 20" not in target.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are text there")
def test_hostile_names_are_shown_and_linked(journal: Journal, tmp_path: Path) -> None:
    paths = [make_photo(tmp_path / "in", name) for name in HOSTILE]
    for path in paths:
        score(journal, path, 0.9)
        bad = path.with_name("bad" + path.name[:200])
        bad.write_bytes(b"")
        journal.failed(photo_of(bad), Failure(Reason.EMPTY, "<no> bytes"))
    target = tmp_path / "report.html"
    write_html(journal, target, page=PAGE, rule=CAR, thumbnails=jpegs)
    page = read(target)
    assert not page.all("script")
    assert not any(name.startswith("on") for each in page.elements for name in each.attributes)
    links = [linked(each) for each in page.all("a")]
    assert {os.fsencode(path) for path in paths} <= set(links)
    assert len(links) == 2 * len(HOSTILE) and all(Path(os.fsdecode(link)).exists() for link in links)
    names = [each.text for each in page.all("bdi")]
    assert "<script>alert(1)<_script>.jpg" in names
    assert r"new\nline\ttab\x1b.jpg" in names
    assert r"invalid \udcff\udcfe.jpg" in names
    assert r"turned \u202egpj.exe.jpg" in names
    assert "emoji \U0001f469\u200d\U0001f680 é.jpg" in names
    assert "100% #1? &amp; {{ 7*7 }}.jpg" in names
    tooltips = [each.attributes["title"] for each in page.all("a", class_="photo")]
    assert sorted(tooltips) == sorted(printable(str(path)) for path in paths)


def test_page_needs_nothing_else(journal: Journal, tmp_path: Path) -> None:
    score(journal, make_photo(tmp_path / "in", "https___example.org.jpg"), 0.9)
    target = tmp_path / "report.html"
    write_html(journal, target, page=PAGE, rule=CAR, thumbnails=jpegs)
    page = read(target)
    assert not {"script", "link", "iframe", "object", "form"} & {each.tag for each in page.elements}
    for element in page.elements:
        for name in ("src", "href", "action", "xlink:href", "srcset", "data"):
            assert urlsplit(element.attributes.get(name, "")).scheme in ("", "data", "file")
    source = target.read_text(encoding="utf-8")
    assert (
        "http:" not in source and "https:" not in source and "url(" not in source and "@import" not in source
    )
    # Read aloud: pictures have words, tables have headers, the chart has a name.
    assert all(each.attributes["alt"] for each in page.all("img"))
    assert all("scope" in each.attributes for each in page.all("th"))
    ids = {each.attributes.get("id") for each in page.elements}
    named = [
        each.attributes["aria-labelledby"] for each in page.elements if "aria-labelledby" in each.attributes
    ]
    assert page.all("svg")[0].attributes["role"] == "img" and ids.issuperset(" ".join(named).split())


def test_links_go_where_photos_lie_now(journal: Journal, tmp_path: Path) -> None:
    filed, gone, never = (
        make_photo(tmp_path / "in", name) for name in ("filed.jpg", "gone.jpg", "never.jpg")
    )
    for path in (filed, gone, never):
        entry = score(journal, path, 0.9)
        if path is never:
            continue
        there = journal.out / "car" / path.name
        with journal.transaction():
            (filing,) = journal.plan([(entry, Filing(ActionKind.COPY, path, there))])
            journal.filed({filing: Placed(1, 1)})
    make_photo(journal.out / "car", filed.name)
    asked: list[Path] = []

    def thumbnails(photos: Iterable[Photo]) -> Iterator[Result[bytes]]:
        photos = list(photos)
        asked.extend(photo.path for photo in photos)
        return jpegs(photos)

    target = tmp_path / "report.html"
    write_html(journal, target, page=PAGE, rule=CAR, thumbnails=thumbnails)
    page = read(target)
    lie = [journal.out / "car" / "filed.jpg", gone, never]
    assert [Path(os.fsdecode(linked(each))) for each in page.all("a", class_="photo")] == lie == asked
    assert Path(os.fsdecode(linked(page.all("a")[0]))) == journal.out / "car"
    assert [each.text for each in page.all("h4")] == ["All, most certain first highest probability of car"]


@dataclass(frozen=True)
class Dying:
    """Thumbnails as they are made, in a process that some photos kill."""

    stage: Thumbnail

    def start(self) -> Callable[[Photo], bytes | Failure]:
        thumbnail = self.stage.start()

        def make(photo: Photo) -> bytes | Failure:
            if photo.path.name.startswith("deadly"):
                signal.raise_signal(signal.SIGABRT)
            return thumbnail(photo)

        return make


def test_photos_without_a_thumbnail_have_a_placeholder(journal: Journal, tmp_path: Path) -> None:
    for name in ("good.jpg", "deadly.jpg", "also good.jpg"):
        score(journal, make_photo(tmp_path / "in", name), 0.9)
    score(journal, tmp_path / "vanished.jpg", 0.1)
    target = tmp_path / "report.html"
    with Pool(Dying(Thumbnail(160, Limits())), 1, Limits(seconds=60)) as pool:
        write_html(journal, target, page=PAGE, rule=CAR, thumbnails=pool.run)
    page = read(target)
    assert [each.attributes["alt"] for each in page.all("img")] == ["Open good.jpg", "Open also good.jpg"]
    assert all(each.attributes["src"].startswith("data:image/jpeg;base64,/9j/") for each in page.all("img"))
    pictures = [each.text.strip() for each in page.all("a", class_="photo")]
    assert pictures == ["", "no picture(decoder-crashed)", "", "no picture(vanished)"]


def test_a_failed_thumbnail_says_why(journal: Journal, tmp_path: Path) -> None:
    score(journal, tmp_path / "a.jpg", 0.9)
    target = tmp_path / "report.html"
    write_html(journal, target, page=PAGE, rule=CAR, thumbnails=no_thumbnails)
    page = read(target)
    assert not page.all("img")
    assert page.all("span", title="corrupt: no <pixels>")


def test_more_than_two_classes(journal: Journal, tmp_path: Path) -> None:
    rule = Rule(("cat", "dog", "fox"), None, 0.5, (0.0, 0.4))
    for at, probabilities in enumerate(
        [(0.8, 0.1, 0.1), (0.2, 0.7, 0.1), (0.3, 0.6, 0.1), (0.34, 0.33, 0.33)]
    ):
        scores = Scores(probabilities, 1, 1)
        journal.scored(photo_of(tmp_path / f"{at}.jpg"), scores, rule(scores), None)
    target = tmp_path / "report.html"
    write_html(journal, target, page=PAGE, rule=rule, thumbnails=jpegs)
    page = read(target)
    assert page.rows() == {"cat": "1", "dog": "2", "fox": "0", "unsure": "1", "failed": "0", "skipped": "0"}
    assert [each.text for each in page.all("h3")] == ["cat 1 photo", "dog 2 photos", "unsure 1 photo"]
    assert not page.all("line", class_="threshold") and "Threshold" not in [
        each.text for each in page.all("dt")
    ]
    assert "probability of the chosen class" in [each.text for each in page.all("text")]


def test_many_classes_show_fewer_photos_each(journal: Journal, tmp_path: Path) -> None:
    rule = Rule(tuple(f"c{at}" for at in range(100)), None, 0.5)
    with journal.transaction():
        for at in range(100 * 5):
            decision = Decision(f"c{at % 100}", 0.5 + at / 1000, rule(Scores((0.5,) * 100, 1, 1)).status)
            journal.scored(photo_of(tmp_path / f"{at}.jpg"), Scores((0.01,) * 100, 1, 1), decision, None)
    target = tmp_path / "report.html"
    write_html(journal, target, page=PAGE, rule=rule, thumbnails=jpegs)
    assert len(read(target).all("img")) == report_html.CARDS


@pytest.mark.parametrize("count", [1, 8, 9, 16, 30])
def test_photos_of_one_probability_are_shown_once_each(journal: Journal, tmp_path: Path, count: int) -> None:
    for at in range(count):
        score(journal, tmp_path / f"{at}.jpg", 1.0)
    target = tmp_path / "report.html"
    write_html(journal, target, page=PAGE, rule=CAR, thumbnails=jpegs)
    page = read(target)
    names = [each.text for each in page.all("bdi")]
    assert len(names) == len(set(names)) == min(count, 16)
    assert len(page.all("h4")) == (1 if count <= 8 else 2)


def test_no_photos_at_all(journal: Journal, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_html(journal, target, page=PAGE, rule=CAR, thumbnails=jpegs)
    page = read(target)
    assert page.rows() == {"car": "0", "not-car": "0", "failed": "0", "skipped": "0"}
    assert [each.text for each in page.all("p")][1:] == ["No photo was scored.", "No photo was sorted."]
    assert not page.all("svg") and not page.all("img")


def test_written_whole_or_not_at_all(journal: Journal, tmp_path: Path) -> None:
    score(journal, tmp_path / "a.jpg", 0.9)
    folder = tmp_path / "reports"
    folder.mkdir()
    target = folder / "report.html"
    target.write_text("the one before", encoding="utf-8")

    def interrupted(photos: Iterable[Photo]) -> Iterator[Result[bytes]]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_html(journal, target, page=PAGE, rule=CAR, thumbnails=interrupted)
    assert target.read_text(encoding="utf-8") == "the one before"
    assert [each.name for each in folder.iterdir()] == ["report.html"]
    write_html(journal, target, page=PAGE, rule=CAR, thumbnails=jpegs)
    assert target.read_text(encoding="utf-8").endswith("</html>\n")
    assert [each.name for each in folder.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_named(journal: Journal, tmp_path: Path) -> None:
    target = tmp_path / "missing" / "report.html"
    with pytest.raises(SorterError, match=r"report\.html: cannot be written \(No such file"):
        write_html(journal, target, page=PAGE, rule=CAR, thumbnails=jpegs)


@pytest.mark.parametrize("most", [0, 1, 2, 7, 10, 99, 12345, 10**6])
def test_axis_has_zero_and_a_few_round_counts(most: int) -> None:
    ticks = report_html._ticks(most)
    assert ticks == sorted(ticks, reverse=True)
    assert not ticks if most == 0 else ticks[-1] == (0, 0) and 2 <= len(ticks) <= 6
    assert all(0 <= height <= 1 and str(count)[0] in "0125" for count, height in ticks)


def test_importing_it_costs_no_templates() -> None:
    code = "import sys, sorter.reports.html; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
