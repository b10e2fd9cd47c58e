"""The window's benchmark: its folder and its table. Nothing here is timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import benchmark
from benchmarks import gui as bench
from support.machines import MACHINE

from sorter.sort.review import Review


def start(first: float, stall: float) -> bench.Start:
    return bench.Start(
        first, first / 2, *[bench.Stall(stall, stall / 4)] * 3, memory_before=2**28, memory_peak=2**29
    )


def test_the_folder_is_one_that_can_be_reviewed_and_is_kept(tmp_path: Path) -> None:
    out = bench.make_folder(tmp_path / "made", 5)
    with closing(Review.open(out)) as review:
        photos = list(review.photos())
        assert len(photos) == 5
        assert all(photo.path.is_file() and photo.path.parent.name == photo.label for photo in photos)
        assert not review.plan()
    before = (out / ".sorter" / "journal.db").stat().st_mtime_ns
    assert bench.make_folder(tmp_path / "made", 5) == out
    assert (out / ".sorter" / "journal.db").stat().st_mtime_ns == before


def test_the_table_says_which_goal_is_missed() -> None:
    starts = [start(1.0, 0.02), start(2.0, 0.09), start(1.2, 0.08)]
    figures = bench.Figures(MACHINE, (0.1, 0.2), 100_000, "offscreen", starts)
    rows = {
        line.split("|")[1].strip(): line
        for line in bench.markdown(figures).splitlines()
        if line.startswith("| ")
    }
    assert "1.20 s (1.00–2.00)" in rows["first screen"]
    assert "missed" not in rows["first screen"]
    assert "80.0 ms" in rows["scrolling"]
    assert "under 50.0 ms, **missed**" in rows["scrolling"]
    assert "512 MiB" in rows["memory at most"]
    assert json.loads(json.dumps(asdict(figures)))["starts"][1]["first_screen"] == 2.0


def test_the_command_is_found() -> None:
    arguments = benchmark.build_parser().parse_args(["gui", "--photos", "9", "--rounds", "1"])
    assert (arguments.photos, arguments.rounds) == (9, 1)
    assert arguments.main == bench.BENCHMARK.main


def test_the_window_opens_on_the_folder_and_its_first_screen_is_timed(tmp_path: Path) -> None:
    out = bench.make_folder(tmp_path / "made", 5)
    command = [sys.executable, Path(bench.__file__).with_name("window.py"), out, "--screen-only"]
    done = subprocess.run(
        [*command, "--settings", tmp_path / "settings.ini"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["photos"] == 5
    assert found["computed"] > 0 and 0 < found["first_screen"] < 120
    assert "Traceback" not in done.stderr
