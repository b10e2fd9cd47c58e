"""The records of `scripts/benchmark.py train`, and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.figures import Spread, figure, joined, memory_table, ratios, ratios_of, table
from benchmarks.machine import Load, load_text, machine_text
from benchmarks.process import Peak


@dataclass(frozen=True)
class Run:
    """One program, once.

    Attributes:
        program: its name.
        epochs: that it was given. 0 leaves them to the recipe.
        saved: seconds from the start of the process until there was a usable model on the disk.
        ended: seconds until the process had ended. A peer has measured itself by then. Ours has added and compared
            int8, and written the report.
        processor: seconds of all its processes together, by the system's account.
        accuracy: on the photos held out.
        held_out: number of those.
        waiting: share of the training that waited for photos. None for peers, which do not report it.
    """

    program: str
    epochs: int
    saved: float
    ended: float
    processor: float
    accuracy: float
    held_out: int
    waiting: float | None


@dataclass(frozen=True)
class Figures:
    """All measurements.

    Attributes:
        machine: hardware and software.
        load: the system's load average of the last minute, before and after.
        rounds: turns of each program.
        target: accuracy that was to be reached.
        photos: the photos, in a sentence.
        search: the runs that found the peers' epochs, which are in no table.
        runs: every run that counts, in order of time.
        waiting: runs of ours with fine-tuning, by which waiting is judged.
        memory: peaks, by number of photos.
    """

    machine: dict[str, Any]
    load: Load
    rounds: int
    target: float
    photos: str
    search: list[Run]
    runs: list[Run]
    waiting: list[Run]
    memory: list[Peak]


def markdown(figures: Figures) -> str:
    """All tables, with the conditions they were measured under."""
    blocks = [f"Measured on {machine_text(figures.machine)}. {load_text(figures.load)} {figures.photos}."]
    if figures.runs:
        blocks += [
            f"{figures.rounds} rounds, programs taking turns; median (least–most), and of ratios (every round). "
            f"To be reached: {figures.target:.1%} of the photos held out.",
            _time_table(figures),
            _ratio_table(figures),
        ]
    if figures.waiting:
        blocks.append(_waiting_table(figures))
    blocks.append(memory_table(figures.memory))
    return joined(blocks)


def _by_program(figures: Figures) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    # By name, as rounds go back and forth. The sort is stable, so a program's runs stay in order of time.
    for run in sorted(figures.runs, key=lambda run: (run.waiting is None, run.program)):
        groups.setdefault(run.program, []).append(run)
    return groups


def _time_table(figures: Figures) -> str:
    rows = []
    for name, runs in _by_program(figures).items():
        accuracy = Spread.of(100 * run.accuracy for run in runs)
        short = "" if min(accuracy.values) >= 100 * figures.target else ", below the target"
        rows.append(
            (
                name,
                str(runs[0].epochs or "as the recipe"),
                f"{accuracy.text(' %')} of {runs[0].held_out}{short}",
                Spread.of(run.saved for run in runs).text(" s"),
                Spread.of(run.ended for run in runs).text(" s"),
                Spread.of(run.processor for run in runs).text(" s"),
            )
        )
    header = ("from the start of the process", "epochs", "accuracy", "model saved", "process ended")
    return table((*header, "processor time"), rows)


def _ratio_table(figures: Figures) -> str:
    groups = _by_program(figures)
    mine = next((runs for runs in groups.values() if runs[0].waiting is not None), None)
    if mine is None or len(groups) < 2:
        return ""
    ended = Spread.of(run.ended for run in mine)
    rows = [
        (
            name,
            f"**{_every(ratios_of(theirs, mine, lambda run: run.saved))}**",
            _every(ratios(Spread.of(run.saved for run in theirs), ended)),
            _every(ratios_of(theirs, mine, lambda run: run.processor)),
        )
        for name, theirs in groups.items()
        if theirs is not mine
    ]
    header = ("times as long as sorter", "both models saved", "their model saved, our process ended")
    return table((*header, "processor time"), rows)


def _every(found: Spread) -> str:
    """The median, and every round's behind it."""
    each = f" ({', '.join(map(figure, found.values))})" if len(found.values) > 1 else ""
    return f"{figure(found.median)}×{each}"


def _waiting_table(figures: Figures) -> str:
    rows = [(run.program, f"{run.waiting or 0:.1%}", f"{figure(run.ended)} s") for run in figures.waiting]
    return table(("sorter train --recipe fast", "of training waits for photos", "process ended"), rows)


def to_json(figures: Figures) -> dict[str, Any]:
    """Every single measurement, for other statistics than ours."""
    return {
        "machine": figures.machine,
        "load_average": list(figures.load),
        "rounds": figures.rounds,
        "target": figures.target,
        "photos": figures.photos,
        "search": _as_json(figures.search),
        "runs": _as_json(figures.runs),
        "waiting": _as_json(figures.waiting),
        "peak_memory_bytes": {
            str(peak.n): {"all": peak.total, "without_mapped_files": peak.anonymous}
            for peak in figures.memory
        },
    }


def _as_json(runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [asdict(run) for run in runs]
