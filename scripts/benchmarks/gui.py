"""The window on a folder of many photos: time to the first screen, longest stalls of its thread, memory.

The journal is made as a run writes it. Its photos are links to a few rendered ones, so every thumbnail is really
decoded. A heartbeat in the window's own thread measures the stalls that a person would feel. Beside each stall stands
the time that the thread itself computed. The rest was the machine's other work.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from photos import SMALL, link_set, make_set

from benchmarks.figures import Spread, figure, table
from benchmarks.flags import add_count
from benchmarks.harness import Benchmark, Report, say
from benchmarks.machine import Load, load_average, load_text, machine, machine_text
from benchmarks.process import BenchmarkError, environment, timed
from sorter.model.rule import Rule
from sorter.output.disk import FileIdentity, Filing, Placed
from sorter.output.journal import Journal
from sorter.output.journal.settings import RunSettings
from sorter.types import ActionKind, Photo, Scores

EXAMPLES = """examples:
  python scripts/benchmark.py gui --markdown gui.md --json gui.json
  python scripts/benchmark.py gui --photos 20000 --rounds 3 --work ./bench
"""
GOALS = {"first screen": 1.5, "sorting": 0.05, "scrolling": 0.05}  # seconds
PACKAGES = ("sorter-photos", "PySide6-Essentials", "numpy", "pillow", "simplejpeg")
CLASSES = ("car", "not-car")
RULE = Rule(CLASSES, CLASSES[0], 0.5)
ORIGINALS = 96


def add_flags(parser: argparse.ArgumentParser) -> None:
    add_count(parser, "--photos", 100_000, "in the folder")
    add_count(parser, "--rounds", 5, "starts of the window")
    parser.add_argument("--platform", default="offscreen", help="Qt's: offscreen, xcb, wayland (offscreen)")


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
    def of(cls, answer: dict[str, Any]) -> Start:
        """From the JSON that `window.py` prints."""
        stalls = {name: Stall(**answer[name]) for name in ("sorting", "dragging", "scrolling")}
        names = ("first_screen", "computed", "memory_before", "memory_peak")
        return cls(**stalls, **{name: answer[name] for name in names})


@dataclass(frozen=True)
class Figures:
    """All measurements, and the machine with its load before and after."""

    machine: dict[str, Any]
    load: Load
    photos: int
    platform: str
    starts: list[Start]


def measure(arguments: argparse.Namespace, work: Path) -> Report:
    out = make_folder(work / f"gui-{arguments.photos}", arguments.photos)
    facts, before, starts = machine(PACKAGES), load_average(), []
    for number in range(arguments.rounds):
        starts.append(start_window(work, out, arguments.photos, arguments.platform))
        say(f"{number + 1} of {arguments.rounds}: first screen after {starts[-1].first_screen:.2f} s")
    figures = Figures(facts, (before, load_average()), arguments.photos, arguments.platform, starts)
    return Report(asdict(figures), markdown(figures))


BENCHMARK = Benchmark(
    name="gui",
    about="the window on 100,000 photos: first screen, stalls while scrolling and sorting, memory",
    description=__doc__ or "",
    examples=EXAMPLES,
    add_flags=add_flags,
    measure=measure,
)


def start_window(work: Path, out: Path, photos: int, platform: str) -> Start:
    """Time one start, without a thumbnail in the cache. Raises BenchmarkError: not every photo was shown."""
    shutil.rmtree(work / "cache", ignore_errors=True)
    command = [sys.executable, Path(__file__).with_name("window.py"), out]
    with environment(QT_QPA_PLATFORM=platform, XDG_CACHE_HOME=work / "cache"):
        finished = timed([*command, "--settings", work / "settings.ini"], patience=600)
    answer = finished.answer
    if answer["photos"] != photos or not answer["at_bottom"]:
        raise BenchmarkError(
            f"the window showed {answer['photos']} of {photos} photos, or not the last of them"
        )
    return Start.of(answer)


def make_folder(folder: Path, count: int) -> Path:
    """An output folder as `sorter run` leaves it, with `count` photos. One that is there already is kept."""
    out, stamp = folder / "out", folder / "made"
    if stamp.exists():
        return out
    say(f"making a folder of {count:,} photos")
    shutil.rmtree(folder, ignore_errors=True)
    originals = make_set(folder / "originals", SMALL, ORIGINALS)
    paths = link_set(folder / "photos", originals, count)
    for label in CLASSES:
        (out / label).mkdir(parents=True)
    with closing(Journal.open(out)) as journal, journal.transaction():
        write_journal(journal, out, paths)
        journal.set_run(settings_of(folder / "photos"), "done")
    stamp.touch()
    return out


def write_journal(journal: Journal, out: Path, paths: list[Path]) -> None:
    """Give each photo a random score, and file it as a hard link."""
    probabilities = np.random.default_rng(0).beta(0.3, 0.3, len(paths))
    for path, probability in zip(paths, probabilities.tolist(), strict=True):
        status = path.stat()
        photo = Photo(path, Path(path.name), status.st_size, status.st_mtime_ns)
        scores = Scores((probability, 1 - probability), SMALL.width, SMALL.height)
        decision = RULE(scores)
        entry = journal.scored(photo, scores, decision, None)
        place = out / decision.label / path.name
        place.hardlink_to(path)
        filing = Filing(ActionKind.HARDLINK, path, place, FileIdentity.of(status))
        (planned,) = journal.plan([(entry, filing)])
        journal.filed({planned: Placed(status.st_size, status.st_mtime_ns)})


def settings_of(photos: Path) -> RunSettings:
    return RunSettings("made up", None, "made up", ActionKind.HARDLINK, "flat", RULE, (photos,))


# -- table -----------------------------------------------------------------------------------------------------


def markdown(figures: Figures) -> str:
    """The table, with the conditions it was measured under."""
    conditions = (
        f"Measured on {machine_text(figures.machine)}, Qt platform {figures.platform}. {load_text(figures.load)} "
        f"{figures.photos:,} photos; {len(figures.starts)} starts; median (least–most). First screen: from the start "
        "of the process until photos are painted. Sorting, dragging the threshold and scrolling from top to bottom: "
        "the longest stall of the window's thread, and the longest time that this thread computed at a stretch."
    )
    return f"{conditions}\n\n{table(('', 'on the clock', 'computed', 'goal'), rows(figures.starts))}\n"


def rows(starts: list[Start]) -> Iterator[list[str]]:
    screens = [(start.first_screen, start.computed) for start in starts]
    yield row("first screen", screens, 1, "s")
    for name in ("sorting", "dragging", "scrolling"):
        stalls = [getattr(start, name) for start in starts]
        yield row(name, [(each.stall, each.computed) for each in stalls], 1000, "ms")
    for name, key in (("memory at first", "memory_before"), ("memory at most", "memory_peak")):
        yield [name, Spread.of(getattr(start, key) / 2**20 for start in starts).text(" MiB"), "–", "–"]


def row(name: str, times: Iterable[tuple[float, float]], scale: float, unit: str) -> list[str]:
    """Seconds on the clock and seconds computed, in the unit, with the goal for the first."""
    clock, computed = (Spread.of(scale * value for value in values) for values in zip(*times, strict=True))
    goal, verdict = GOALS.get(name), "–"
    if goal is not None:
        missed = "" if clock.median < goal * scale else ", **missed**"
        verdict = f"under {figure(goal * scale)} {unit}{missed}"
    return [name, clock.text(f" {unit}"), computed.text(f" {unit}"), verdict]
