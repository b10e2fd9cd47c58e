"""The records of `scripts/benchmark.py clean`, and its tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import damage
import numpy as np

from benchmarks.figures import Spread, figure, joined, memory_table, ratios, ratios_of, table
from benchmarks.machine import Load, load_text, machine_text
from benchmarks.process import Peak
from benchmarks.sets import size_of

OURS = "sorter clean"
QUICK = "sorter clean --quick"
# Peer -> its name for check_images.py, the package it needs, and whether it decodes in full.
PEERS = {
    "Pillow verify() loop": ("verify", "PIL", False),
    "Pillow load() loop": ("load", "PIL", True),
    "Pillow load(), all cores": ("load-pool", "PIL", True),
    "cleanvision": ("cleanvision", "cleanvision", True),
    "imagededup": ("imagededup", "imagededup", True),
    "czkawka, similar images": ("czkawka", "czkawka", True),
}


@dataclass(frozen=True)
class Run:
    """One program on one set, once.

    Attributes:
        kind: of the set.
        program: its name.
        n: photos.
        decodes: it reads every pixel's bits.
        seconds: from the start of the process to its end.
        working: seconds without start-up. Of ours all.
        processor: seconds of all its processes together, by the system's account, without start-up. Of ours all.
    """

    kind: str
    program: str
    n: int
    decodes: bool
    seconds: float
    working: float
    processor: float


@dataclass(frozen=True)
class Detection:
    """The verdict of one program on the suite.

    Attributes:
        program: its name.
        refused: names of the files that it found fault with.
        unread: suffixes of which it refused every healthy file.
    """

    program: str
    refused: tuple[str, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processor time for each photo of a set, in its order."""

    kind: str
    program: str
    milliseconds: tuple[float, ...]


@dataclass(frozen=True)
class Again:
    """Seconds of a first run, and of a second one over the unchanged folder. Both of whole processes."""

    kind: str
    n: int
    first: float
    second: float


@dataclass(frozen=True)
class Near:
    """The search for near duplicates alone: fingerprints, seconds, groups found."""

    n: int
    seconds: float
    groups: int


@dataclass(frozen=True)
class Figures:
    """All measurements.

    Attributes:
        machine: hardware and software.
        load: the system's load average of the last minute, before and after.
        rounds: turns of each program.
        sets: kind -> how its photos were made.
        suite: name of each damaged or healthy file -> is it healthy?
        detections: one for every program.
        left_out: peers that are not installed.
        costs: of one photo in one thread, for each set and program.
        runs: every timed run, in order of time.
        again: pairs of runs with one cache.
        memory: peaks, by number of photos.
        near: None where it was not asked for.
    """

    machine: dict[str, Any]
    load: Load
    rounds: int
    sets: dict[str, str]
    suite: dict[str, bool]
    detections: list[Detection]
    left_out: list[str]
    costs: list[Cost]
    runs: list[Run]
    again: list[Again]
    memory: list[Peak]
    near: Near | None

    def of_suite(self, *, healthy: bool) -> list[str]:
        return [name for name, whole in self.suite.items() if whole == healthy]


def unread(healthy: Sequence[str], refused: Sequence[str]) -> tuple[str, ...]:
    """Suffixes of which every healthy file was refused."""
    suffixes = {Path(name).suffix for name in healthy}
    read = {Path(name).suffix for name in healthy if name not in set(refused)}
    return tuple(sorted(suffixes - read))


def found(detection: Detection, names: Sequence[str]) -> list[str]:
    """Those of these files that were refused, unless their whole format is not read."""
    refused = set(detection.refused)
    return [name for name in names if name in refused and Path(name).suffix not in detection.unread]


def kind_of_damage(name: str) -> str:
    """`damaged/tiff-lzw-cut-50.tif` -> `cut-50`. A file that is damaged in its own way has its own name."""
    stem = Path(name).stem
    for format in sorted(damage.FORMATS, key=len, reverse=True):
        stem = re.sub(f"^{format}-(?=cut-|no-pixels|zeros|empty)", "", stem)
    return stem


# -- tables ----------------------------------------------------------------------------------------------------


def markdown(figures: Figures) -> str:
    """All tables, with the conditions they were measured under."""
    blocks = [_conditions(figures)]
    if figures.detections:
        blocks += [_detection_table(figures), _missed(figures), _kinds_table(figures)]
    if figures.sets:
        blocks.append("\n".join(f"- {text}" for text in figures.sets.values()))
    if figures.costs:
        blocks.append(_cost_table(figures))
    if figures.runs:
        blocks += [
            f"{figures.rounds} rounds, programs taking turns; median (least–most).",
            _speed_table(figures),
            "In bold: seconds of a photo, theirs without start-up over ours from the start of the process to its end. "
            "So no program loses by doing fewer photos. Processor time likewise.",
        ]
    if figures.again:
        blocks.append(_again_table(figures))
    blocks.append(memory_table(figures.memory, seconds=True))
    if figures.near:
        near = figures.near
        blocks.append(
            f"The search for near duplicates among {near.n:,} fingerprints took {figure(near.seconds)} s "
            f"and found {near.groups:,} groups."
        )
    return joined(blocks)


def _conditions(figures: Figures) -> str:
    left_out = f" Left out, as not installed: {', '.join(figures.left_out)}." if figures.left_out else ""
    return f"Measured on {machine_text(figures.machine)}. {load_text(figures.load)}{left_out}"


def _detection_table(figures: Figures) -> str:
    damaged, healthy = figures.of_suite(healthy=False), figures.of_suite(healthy=True)
    rows = [
        (
            each.program,
            f"{len(found(each, damaged))} of {len(damaged)}",
            f"{len(found(each, healthy))} of {len(healthy)}",
            ", ".join(each.unread) or "–",
        )
        for each in figures.detections
    ]
    return table(("the suite", "damaged files found", "false alarms", "not read at all"), rows)


def _missed(figures: Figures) -> str:
    """The goal: every damaged file that any of them finds."""
    damaged = figures.of_suite(healthy=False)
    mine = next(set(each.refused) for each in figures.detections if each.program == OURS)
    missed = {name for each in figures.detections for name in found(each, damaged)} - mine
    listed = ", ".join(sorted(missed)) or "none"
    return f"Damaged files that another program finds and `sorter clean` does not: {listed}."


def _kinds_table(figures: Figures) -> str:
    """Kind of damage -> how many of its files each program finds."""
    kinds: dict[str, list[str]] = {}
    for name in figures.of_suite(healthy=False):
        kinds.setdefault(kind_of_damage(name), []).append(name)
    rows = [
        (f"{kind} ({len(names)})", *(str(len(found(each, names))) for each in figures.detections))
        for kind, names in kinds.items()
    ]
    return table(("files found", *(each.program for each in figures.detections)), rows)


def _cost_table(figures: Figures) -> str:
    """Medians over the photos with the quartiles, which a busy machine moves less than the ends."""
    rows = []
    for kind in figures.sets:
        costs = {each.program: np.array(each.milliseconds) for each in figures.costs if each.kind == kind}
        for name, spent in costs.items():
            ratio = "" if name == OURS else f"**{_quartiles(spent / costs[OURS], '×')}**"
            rows.append((f"{name}, {size_of(kind)}", f"{len(spent):,}", _quartiles(spent, " ms"), ratio))
    header = ("in one thread", "photos", "processor time a photo (quartiles)", "times sorter clean's")
    return table(header, rows)


def _quartiles(values: Any, unit: str) -> str:
    low, middle, high = (figure(float(each)) for each in np.percentile(values, (25, 50, 75)))
    return f"{middle}{unit} ({low}–{high})"


def _speed_table(figures: Figures) -> str:
    rows = []
    for kind in figures.sets:
        runs = [run for run in figures.runs if run.kind == kind]
        mine = [run for run in runs if run.program == OURS]
        names = sorted({run.program for run in runs}, key=_rank)
        rows += [_speed_row([run for run in runs if run.program == name], mine) for name in names]
    header = ("program", "photos", "decodes in full", "photos/s", "processor time a photo")
    return table((*header, "sorter clean is faster by", "less processor time"), rows)


def _speed_row(theirs: Sequence[Run], mine: Sequence[Run]) -> list[str]:
    first = theirs[0]
    row = [
        f"{first.program}, {size_of(first.kind)}",
        f"{first.n:,}",
        "yes" if first.decodes else "no",
        Spread.of(run.n / run.working for run in theirs).text(),
        Spread.of(run.processor / run.n * 1e3 for run in theirs).text(" ms"),
    ]
    if first.program == OURS:
        return [*row, "", ""]
    working = ratios_of(theirs, mine, lambda run: run.working / run.n)
    processor = ratios_of(theirs, mine, lambda run: run.processor / run.n)
    return [*row, f"**{working.text('×')}**", processor.text("×")]


def _rank(program: str) -> int:
    return [OURS, QUICK, *PEERS].index(program)


def _again_table(figures: Figures) -> str:
    rows = []
    for kind in dict.fromkeys(each.kind for each in figures.again):
        pairs = [each for each in figures.again if each.kind == kind]
        first, second = Spread.of(each.first for each in pairs), Spread.of(each.second for each in pairs)
        faster = f"**{ratios(first, second).text('×')}**"
        rows.append((f"{pairs[0].n:,} photos, {size_of(kind)}", first.text(" s"), second.text(" s"), faster))
    return table(("an unchanged folder", "first run", "second run", "faster by"), rows)
