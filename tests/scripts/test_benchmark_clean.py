"""The cleaning benchmark's reckoning and its tables. Nothing here is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

pytest.importorskip("psutil")

import damage
from benchmarks import clean as bench
from benchmarks import clean_report as report
from benchmarks.harness import PEERS
from benchmarks.process import BenchmarkError, Peak
from benchmarks.sets import PhotoSet
from photos import SMALL
from support.machines import MACHINE

SUITE = {
    "healthy/a.jpg": True,
    "healthy/b.jpg": True,
    "healthy/c.avif": True,
    "damaged/png-cut-50.png": False,
    "damaged/avif-cut-50.avif": False,
    "damaged/no-end.jpg": False,
}


def run(program: str, seconds: float, working: float, n: int = 100) -> report.Run:
    return report.Run("small", program, n, True, seconds, working, processor=1.5 * seconds)


FIGURES = report.Figures(
    machine=MACHINE,
    load=(0.1, 0.2),
    rounds=2,
    sets={"small": "made up"},
    suite=SUITE,
    detections=[
        report.Detection(report.OURS, ("damaged/png-cut-50.png", "damaged/no-end.jpg"), ()),
        report.Detection(
            "imagededup",
            ("healthy/b.jpg", "healthy/c.avif", "damaged/png-cut-50.png", "damaged/avif-cut-50.avif"),
            (".avif",),
        ),
    ],
    left_out=["cleanvision"],
    costs=[
        report.Cost("small", report.OURS, (2.0, 4.0, 4.0, 4.0, 50.0)),
        report.Cost("small", "Pillow load() loop", (8.0, 8.0, 12.0, 12.0, 12.0)),
    ],
    runs=[
        run(report.OURS, 10.0, 10.0),
        run("imagededup", 60.0, 40.0, n=50),
        run("imagededup", 30.0, 20.0, n=50),
        run(report.OURS, 5.0, 5.0),
    ],
    again=[report.Again("small", 100, 10.0, 0.5), report.Again("small", 100, 12.0, 0.4)],
    memory=[Peak(1000, 200 << 20, 100 << 20, 10.0), Peak(5000, 210 << 20, 101 << 20, 50.0)],
    near=report.Near(100_000, 42.0, 17),
)


def test_tables() -> None:
    lines = report.markdown(FIGURES).splitlines()
    for row in (
        "| sorter clean | 2 of 3 | 0 of 3 | – |",
        "| imagededup | 1 of 3 | 1 of 3 | .avif |",
        "| cut-50 (2) | 1 | 1 |",
        "| no-end (1) | 1 | 0 |",
        "| sorter clean, 0.2 MP | 5 | 4.00 ms (4.00–4.00) |  |",
        "| Pillow load() loop, 0.2 MP | 5 | 12.0 ms (8.00–12.0) | **3.00× (2.00–3.00)** |",
        "| sorter clean, 0.2 MP | 100 | yes | 15.0 (10.0–20.0) | 112 ms (75.0–150) |  |  |",
        # A photo of theirs without start-up over one of ours with it, round by round: 0.8 / 0.1 and 0.4 / 0.05.
        "| imagededup, 0.2 MP | 50 | yes | 1.88 (1.25–2.50) | 1,350 ms (900–1,800) | **8.00× (8.00–8.00)** | "
        "12.0× (12.0–12.0) |",
        "| 100 photos, 0.2 MP | 11.0 s (10.0–12.0) | 0.450 s (0.400–0.500) | **25.0× (20.0–30.0)** |",
        "| 5,000 photos | 210 MiB | 1.050 | 101 MiB | 1.010 | 50.0 s |",
        "Damaged files that another program finds and `sorter clean` does not: none.",
        "The search for near duplicates among 100,000 fingerprints took 42.0 s and found 17 groups.",
    ):
        assert row in lines
    assert "not installed: cleanvision." in lines[0]
    assert json.loads(json.dumps(asdict(FIGURES)))["near"] == {"n": 100_000, "seconds": 42.0, "groups": 17}


def test_what_another_finds_and_we_do_not_is_named() -> None:
    mine, theirs = FIGURES.detections
    worse = replace(FIGURES, detections=[replace(mine, refused=("damaged/no-end.jpg",)), theirs])
    assert "does not: damaged/png-cut-50.png." in report.markdown(worse)


def test_a_format_is_unread_when_every_healthy_file_of_it_is_refused() -> None:
    healthy = [name for name, is_healthy in SUITE.items() if is_healthy]
    assert report.unread(healthy, ["healthy/a.jpg", "healthy/c.avif", "damaged/no-end.jpg"]) == (".avif",)


def test_kinds_of_damage() -> None:
    ways = ("cut-10", "no-pixels", "zeros", "empty")
    for name in damage.FORMATS:
        assert [report.kind_of_damage(f"damaged/{name}-{way}.x") for way in ways] == [*ways]
    assert report.kind_of_damage("damaged/second-page-cut.tif") == "second-page-cut"


def test_planted_copies_are_found_and_a_search_that_misses_some_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near = bench.compare_many(200)
    assert near.n == 200 and 0 < near.groups <= 40
    monkeypatch.setattr("benchmarks.clean.mark_duplicates", lambda *_: None)
    with pytest.raises(BenchmarkError, match="0 near duplicates were found, 40 were put in"):
        bench.compare_many(200)


@pytest.mark.parametrize("tool", ["verify", "load"])
def test_peers_name_what_they_cannot_read(tool: str, tmp_path: Path) -> None:
    whole = damage.encode(damage.picture(), "JPEG")
    for name, data in {
        "whole.jpg": whole,
        "cut.jpg": whole[: len(whole) // 2],
        "deeper/text.png": b"text",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, PEERS / "check_images.py", tool, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["ready"] <= told["done"]
    assert told["refused"] == {"verify": ["deeper/text.png"], "load": ["cut.jpg", "deeper/text.png"]}[tool]


def test_a_python_without_the_peer_is_refused() -> None:
    assert bench.versions({"cleanvision": None}) == {}
    with pytest.raises(BenchmarkError, match=r"--no-such-tool-python .*: has no no-such-tool"):
        bench.versions({"no-such-tool": Path(sys.executable)})


def test_costs_are_of_every_photo(tmp_path: Path) -> None:
    bench.draw_many(tmp_path / "many", 4)
    paths = tuple(sorted((tmp_path / "many").iterdir()))
    costs = bench.costs_of(PhotoSet(SMALL, tmp_path / "many", paths))
    assert [each.program for each in costs] == [report.OURS, "Pillow load() loop", "Pillow verify() loop"]
    assert all(len(each.milliseconds) == 4 and min(each.milliseconds) > 0 for each in costs)


def test_drawn_photos_all_differ(tmp_path: Path) -> None:
    bench.draw_many(tmp_path / "many", 20)
    assert len({path.read_bytes() for path in (tmp_path / "many").iterdir()}) == 20
