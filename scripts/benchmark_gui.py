"""The window on a folder of many photos: time to the first screen, the longest stall of its thread, memory.

The journal is made as a run writes it; its photos are names for a few rendered ones, so that every thumbnail is really
decoded. A heartbeat in the window's own thread measures the stalls: what a person would feel. Beside each stands
what the thread itself computed in a stall: the rest was the machine's other work.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measure import (
    BenchmarkError,
    Spread,
    figure,
    machine,
    machine_text,
    publish,
    say,
    table,
    timed,
    work_folder,
)
from photos import SMALL, link_set, make_set

from sorter.model.rule import Rule
from sorter.output.disk import Filing, Placed
from sorter.output.journal import Journal
from sorter.types import ActionKind, Photo, Scores

NAME = "gui"
ABOUT = "the window on 100,000 photos: first screen, stalls while scrolling and sorting, memory"
EXAMPLE = """examples:
  python scripts/benchmark.py gui --markdown gui.md --json gui.json
  python scripts/benchmark.py gui --photos 20000 --rounds 3 --work ./bench
"""
GOALS = {"first screen": 1.5, "sorting": 0.05, "scrolling": 0.05}  # seconds
PACKAGES = ("sorter", "PySide6-Essentials", "numpy", "pillow", "simplejpeg")
CLASSES = ("car", "not-car")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--photos", type=int, default=100_000, metavar="N", help="in the folder (100000)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="starts of the window (5)")
    parser.add_argument("--platform", default="offscreen", help="Qt's: offscreen, xcb, wayland (offscreen)")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="keep photos and journal here for the next time"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")


def main(arguments: argparse.Namespace) -> None:
    with work_folder(arguments.work) as work:
        figures = measure(work, arguments.photos, arguments.rounds, arguments.platform)
    publish(arguments, asdict(figures), markdown(figures))


@dataclass(frozen=True)
class Stall:
    """The longest gap between two heartbeats of the window's thread.

    Attributes:
        stall: seconds on the clock.
        computed: the most processor time of that thread in one gap, seconds.
    """

    stall: float
    computed: float


@dataclass(frozen=True)
class Start:
    """One start of the window.

    Attributes:
        first_screen: seconds from the start of the process until the grid was painted with photos.
        computed: processor time of the process until then, seconds.
        sorting: in every order, one after the other.
        dragging: the threshold through a third of its range.
        scrolling: from the top to the bottom.
        memory_before: bytes (RSS), a few seconds after the start.
        memory_peak: the most of it, to the end of the scrolling.
    """

    first_screen: float
    computed: float
    sorting: Stall
    dragging: Stall
    scrolling: Stall
    memory_before: int
    memory_peak: int

    @classmethod
    def of(cls, said: dict[str, Any]) -> Start:
        stalls = {name: Stall(**said[name]) for name in ("sorting", "dragging", "scrolling")}
        return cls(
            said["first_screen"],
            said["computed"],
            **stalls,
            memory_before=said["memory_before"],
            memory_peak=said["memory_peak"],
        )


@dataclass(frozen=True)
class Figures:
    machine: dict[str, Any]
    load: tuple[float, float]
    photos: int
    platform: str
    starts: list[Start]


def measure(work: Path, photos: int, rounds: int, platform: str) -> Figures:
    """Start the window so often. Raises BenchmarkError where it fails or does not show every photo."""
    out = make_folder(work / f"gui-{photos}", photos)
    facts, before, starts = machine(PACKAGES), os.getloadavg()[0], []
    for number in range(rounds):
        shutil.rmtree(work / "cache", ignore_errors=True)  # no thumbnail is there yet
        environment = {"QT_QPA_PLATFORM": platform, "XDG_CACHE_HOME": str(work / "cache")}
        command = [
            sys.executable,
            Path(__file__).with_name("gui_probe.py"),
            out,
            "--settings",
            work / "settings.ini",
        ]
        os.environ.update(environment)
        said = json.loads(timed(command, patience=600).stdout.splitlines()[-1])
        if said["photos"] != photos or not said["at_bottom"]:
            raise BenchmarkError(
                f"the window showed {said['photos']} of {photos} photos, or not the last of them"
            )
        starts.append(Start.of(said))
        say(f"{number + 1} of {rounds}: first screen after {starts[-1].first_screen:.2f} s")
    return Figures(facts, (before, os.getloadavg()[0]), photos, platform, starts)


def make_folder(folder: Path, count: int) -> Path:
    """An output folder as a run leaves it: so many photos, copied; one that is there already is kept."""
    out, stamp = folder / "out", folder / "made"
    if stamp.exists():
        return out
    say(f"making a folder of {count:,} photos")
    shutil.rmtree(folder, ignore_errors=True)
    originals = make_set(folder / "originals", SMALL, 96)
    paths = link_set(folder / "photos", originals, count)
    rule = Rule(CLASSES, CLASSES[0], 0.5)
    probabilities = np.random.default_rng(0).beta(0.3, 0.3, count)
    for label in CLASSES:
        (out / label).mkdir(parents=True)
    with closing(Journal.open(out)) as journal, journal.transaction():
        for path, probability in zip(paths, probabilities.tolist(), strict=True):
            status = path.stat()
            photo = Photo(path, Path(path.name), status.st_size, status.st_mtime_ns)
            scores = Scores((probability, 1 - probability), SMALL.width, SMALL.height)
            decision = rule(scores)
            entry = journal.scored(photo, scores, decision, None)
            place = out / decision.label / path.name
            place.hardlink_to(path)
            kind = ActionKind.HARDLINK
            (filing,) = journal.plan([(entry, Filing(kind, path, place, status.st_dev, status.st_ino))])
            journal.filed({filing: Placed(status.st_size, status.st_mtime_ns)})
        journal.set(
            run={
                "model": "made up",
                "model_folder": "",
                "fingerprint": "made up",
                "classes": list(CLASSES),
                "positive": CLASSES[0],
                "action": ActionKind.HARDLINK.value,
                "layout": "flat",
                "rule": [0.5, None],
                "inputs": [str(folder / "photos")],
            },
            state="done",
        )
    stamp.touch()
    return out


def markdown(figures: Figures) -> str:
    """The table, and what it was measured on."""
    starts = figures.starts

    def row(
        name: str, clock: Iterable[float], computed: Iterable[float], unit: float, text: str
    ) -> tuple[str, ...]:
        values = Spread.of(value * unit for value in clock)
        goal = GOALS.get(name)
        verdict = "–"
        if goal is not None:
            missed = "" if values.median < goal * unit else ", **missed**"
            verdict = f"under {figure(goal * unit)} {text}{missed}"
        return (
            name,
            values.text(f" {text}"),
            Spread.of(value * unit for value in computed).text(f" {text}"),
            verdict,
        )

    rows = [row("first screen", (s.first_screen for s in starts), (s.computed for s in starts), 1, "s")]
    for name in ("sorting", "dragging", "scrolling"):
        stalls = [getattr(start, name) for start in starts]
        rows.append(row(name, (s.stall for s in stalls), (s.computed for s in stalls), 1000, "ms"))
    memory = [
        (name, Spread.of(getattr(start, key) / 2**20 for start in starts).text(" MiB"), "–", "–")
        for name, key in (("memory at first", "memory_before"), ("memory at most", "memory_peak"))
    ]
    before, after = figures.load
    return (
        f"Measured on {machine_text(figures.machine)}, Qt platform {figures.platform}. Load average {before:.2f} "
        f"before, {after:.2f} after. {figures.photos:,} photos; {len(starts)} starts; median (least–most). First "
        "screen: from the start of the process until photos are painted. Sorting, dragging the threshold and "
        "scrolling from top to bottom: the longest stall of the window's thread, and the most that this thread "
        "computed at one go.\n\n" + table(("", "on the clock", "computed", "goal"), [*rows, *memory]) + "\n"
    )
