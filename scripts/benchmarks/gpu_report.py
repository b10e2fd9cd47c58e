"""The records of `scripts/benchmark.py gpu`, and its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figures import Spread, ratios, table
from benchmarks.machine import machine_text
from benchmarks.sets import size_of

DECODE, DEVICE, BOTH, RUN = "decoders alone", "device alone", "together", "sorter run"


@dataclass
class Row:
    """One model on one set with one way of decoding: photos a second, a value per round.

    Attributes:
        model: its name.
        kind: of the set.
        decode: `cpu` or `gpu`.
        n: photos.
        rates: what was measured -> photos a second.
        busy: share of the time that the GPU worked while both ran together, 0 to 1. Empty without a GPU.
        peer: photos a second of the DataLoader loop, without its start-up. Empty where it did not run.
    """

    model: str
    kind: str
    decode: str
    n: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    busy: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.model}, {size_of(self.kind)}"

    def add(self, what: str, rate: float) -> None:
        self.rates.setdefault(what, []).append(rate)

    def spread(self, what: str) -> Spread:
        return Spread.of(self.rates[what])

    @property
    def bound(self) -> Spread:
        """The smaller of the two, round by round. A device that decodes has only its own."""
        if self.decode == "gpu":
            return self.spread(DEVICE)
        return Spread.of(map(min, self.rates[DECODE], self.rates[DEVICE]))


def markdown(facts: dict[str, Any], rows: Sequence[Row], rounds: int) -> str:
    header = [
        "photos/s",
        "n",
        DECODE,
        DEVICE,
        BOTH,
        "of the smaller bound",
        "GPU busy",
        RUN,
        "DataLoader loop",
    ]
    plural = "s" if rounds > 1 else ""
    conditions = f"On {machine_text(facts)}; {facts['gpu']}. {rounds} round{plural}; median (least–most)."
    return "\n".join([conditions, "", table(header, map(cells, rows)), "", *comparisons(rows), ""])


def cells(row: Row) -> list[str]:
    return [
        f"{row}, --decode {row.decode}",
        f"{row.n:,}",
        row.spread(DECODE).text() if DECODE in row.rates else "–",
        row.spread(DEVICE).text(),
        row.spread(BOTH).text(),
        percent(ratios(row.spread(BOTH), row.bound)),
        percent(Spread.of(row.busy)) if row.busy else "–",
        row.spread(RUN).text(),
        Spread.of(row.peer).text() if row.peer else "–",
    ]


def comparisons(rows: Sequence[Row]) -> list[str]:
    """Our rates beside the peer's, and nvJPEG's beside the processor's, round by round."""
    found = []
    for row in rows:
        if row.peer:
            faster = ratios(row.spread(BOTH), Spread.of(row.peer)).text("x")
            found.append(f"- {row}: {faster} the DataLoader loop, start-up left out on both sides")
        other = next((r for r in rows if str(r) == str(row) and r is not row), None)
        if row.decode == "gpu" and other is not None:
            faster = ratios(row.spread(BOTH), other.spread(BOTH)).text("x")
            found.append(f"- {row}: {faster} with --decode gpu")
    return found


def percent(spread: Spread) -> str:
    return Spread.of(100 * value for value in spread.values).text(" %")
