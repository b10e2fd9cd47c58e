"""The records of `scripts/benchmark.py run`, and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.figures import Spread, figure, joined, memory_table, ratios, table
from benchmarks.machine import machine_text
from benchmarks.process import Peak
from benchmarks.sets import KINDS, size_of

PEERS = ("torch loop", "timm")


@dataclass(frozen=True)
class Run:
    """One program on one set, once.

    Attributes:
        kind: of the set.
        program: its name.
        engine: that `sorter run` used. None for peers.
        n: photos.
        seconds: from the start of the process to its end.
        first: seconds until the first photo was sorted. For a peer until it was ready to take the first, as its
            loader decodes ahead.
        first_n: photos sorted by then: 1, or a peer's 0.
        done: seconds until the work was done, just before the process ended.
    """

    kind: str
    program: str
    engine: str | None
    n: int
    seconds: float
    first: float
    first_n: int
    done: float

    @property
    def rate(self) -> float:
        """Photos a second, from the start of the process to its end."""
        return self.n / self.seconds

    @property
    def steady(self) -> float:
        """Photos a second after start-up."""
        return (self.n - self.first_n) / (self.done - self.first)


@dataclass(frozen=True)
class Bound:
    """The least cost of one photo.

    Attributes:
        kind: of the set.
        program: ours that it bounds.
        engine: measured with.
        workers: processes.
        n: photos measured.
        decode: mean milliseconds for reading, decoding and preprocessing on one thread, nothing else running.
        infer: likewise for inference.
    """

    kind: str
    program: str
    engine: str
    workers: int
    n: int
    decode: float
    infer: float

    @property
    def rate(self) -> float:
        """Photos a second if nothing else took time and workers did not slow each other down."""
        return 1e3 * self.workers / (self.decode + self.infer)


@dataclass(frozen=True)
class Figures:
    """All measurements.

    Attributes:
        machine: hardware and software.
        rounds: turns of each program.
        workers: processes of ours.
        sets: kind -> how its photos were made.
        runs: every run of every program, in order of time.
        bounds: one for every run of ours.
        first_runs: pairs of runs of the same program: without and with the cache that the first leaves.
        startup: what was started -> seconds.
        memory: peaks, by number of photos.
    """

    machine: dict[str, Any]
    rounds: int
    workers: int
    sets: dict[str, str]
    runs: list[Run]
    bounds: list[Bound]
    first_runs: list[Run]
    startup: dict[str, Spread]
    memory: list[Peak]


def markdown(figures: Figures) -> str:
    """All tables, with the conditions they were measured under."""
    sections = [_conditions(figures)]
    if figures.runs:
        sections += [_rate_table(figures), _ratio_table(figures), _bound_table(figures)]
    sections.append(_first_run_table(figures))
    if figures.startup:
        sections.append(_startup_table(figures))
    sections.append(memory_table(figures.memory, anonymous=False))
    return joined(sections)


def _conditions(figures: Figures) -> str:
    sets = "\n".join(f"- {size_of(name)}: {recipe}." for name, recipe in figures.sets.items())
    rounds = f"{figures.rounds} rounds" if figures.rounds > 1 else "1 round"
    return (
        f"Measured on {machine_text(figures.machine)}. {rounds}, programs taking turns, {figures.workers} workers "
        f"of ours; median (least–most). The photos, fresh in the disk's cache:\n\n{sets}"
    )


def _rate_table(figures: Figures) -> str:
    rows = [
        (
            _title(runs),
            f"{runs[0].n:,}",
            Spread.of(run.rate for run in runs).text(),
            Spread.of(run.steady for run in runs).text(),
        )
        for runs in _by_program(figures.runs)
    ]
    return table(("photos/s", "photos", "start to end", "start-up left out"), rows)


def _ratio_table(figures: Figures) -> str:
    rows = []
    for mine in _by_program(figures.runs):
        if not mine[0].engine:
            continue
        rate = Spread.of(run.rate for run in mine)
        cells = []
        for name in PEERS:
            theirs = [run for run in figures.runs if run.program == name and run.kind == mine[0].kind]
            cells.append(f"**{ratios(rate, Spread.of(run.steady for run in theirs)).text('×')}**")
            cells.append(ratios(rate, Spread.of(run.rate for run in theirs)).text("×"))
        rows.append((_title(mine), *cells))
    header = ["times as fast as"]
    for name in PEERS:
        header += [name, f"{name}, with its start-up"]
    explained = (
        "The peers (ResNet50, float32) are slow, so they do fewer photos of the same set. Their start-up would weigh "
        "more. The ratios in bold leave it out: our photos/s from start to end, against theirs without start-up. The "
        "other ratios are start to end on both sides. A peer's start-up ends when it is ready for its first photo."
    )
    return f"{table(header, rows)}\n\n{explained}"


def _bound_table(figures: Figures) -> str:
    rows = []
    for mine in _by_program(figures.runs):
        key = (mine[0].program, mine[0].kind)
        bounds = [each for each in figures.bounds if (each.program, each.kind) == key]
        if not bounds:
            continue
        bound = Spread.of(each.rate for each in bounds)
        rows.append(
            (
                _title(mine),
                Spread.of(each.decode for each in bounds).text(" ms"),
                Spread.of(each.infer for each in bounds).text(" ms"),
                bound.text(),
                ratios(Spread.of(100 * run.rate for run in mine), bound).text(" %"),
                ratios(Spread.of(100 * run.steady for run in mine), bound).text(" %"),
            )
        )
    header = [f"bound: {figures.workers} / (decode + infer)", "decode", "infer", "photos/s"]
    return table([*header, "reached, start to end", "reached, start-up left out"], rows)


def _first_run_table(figures: Figures) -> str:
    rows = []
    for first, again in zip(figures.first_runs[::2], figures.first_runs[1::2], strict=True):
        for label, run in (("first run", first), ("again", again)):
            times = [f"{figure(run.first)} s", f"{figure(run.seconds)} s"]
            rows.append([f"{_name([run])}, {label}", f"{run.n:,}", *times])
    return table(("a first run chooses an engine", "photos", "to the first photo", "to the end"), rows)


def _startup_table(figures: Figures) -> str:
    rows = [(what, str(len(spread.values)), spread.text(" s")) for what, spread in figures.startup.items()]
    return table(("from the start of the process", "times", "median (least–most)"), rows)


def _by_program(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs of the same program on the same set, sets together, programs in order of appearance."""
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.kind, run.program), []).append(run)
    return [groups[key] for kind in KINDS for key in groups if key[0] == kind]


def _name(runs: Sequence[Run]) -> str:
    engines = ", ".join(sorted({run.engine for run in runs if run.engine}))
    return f"{runs[0].program} ({engines})" if engines else runs[0].program


def _title(runs: Sequence[Run]) -> str:
    return f"{_name(runs)}, {size_of(runs[0].kind)}"


def to_json(figures: Figures) -> dict[str, Any]:
    """Every single measurement, for other statistics than ours."""
    return {
        "machine": figures.machine,
        "rounds": figures.rounds,
        "workers": figures.workers,
        "sets": figures.sets,
        "runs": [{**asdict(run), "rate": run.rate, "steady": run.steady} for run in figures.runs],
        "bounds": [{**asdict(bound), "rate": bound.rate} for bound in figures.bounds],
        "first_runs": [asdict(run) for run in figures.first_runs],
        "startup_seconds": {what: spread.to_json() for what, spread in figures.startup.items()},
        "peak_memory_bytes": {str(peak.n): peak.total for peak in figures.memory},
    }
