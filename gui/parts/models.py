"""Which photos of a folder the window shows, in which order. Arrays below, so that 100,000 take milliseconds."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.sort.table import SEPARATOR, Table
from sorter.types import Status

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BYTES = 128  # of a name that count for its order


class Order(Enum):
    """What comes first."""

    DOUBT = "doubt"
    HIGHEST = "highest"
    LOWEST = "lowest"
    NAME = "name"
    NEWEST = "newest"
    CLASS = "class"


class ReviewState(Enum):
    """Has a person checked a photo, and did they change its class?"""

    ANY = "any"
    CORRECTED = "corrected"
    CONFIRMED = "confirmed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which photos are shown. All conditions hold at once.

    Attributes:
        label: a code of the table's labels, as things stand with corrections; None for all.
        failed: only photos that couldn't be read.
        skipped: only files that are no photos.
        aside: only photos that were set aside. They are shown nowhere else.
        low: how sure the model is of its class at least, 0 to 1.
        high: at most.
        name: a part of the file's name, whatever its case.
        open: only photos that nobody has checked.
        ids: only these photos; None for all.
    """

    label: int | None = None
    failed: bool = False
    skipped: bool = False
    aside: bool = False
    low: float = 0.0
    high: float = 1.0
    state: ReviewState = ReviewState.ANY
    name: str = ""
    open: bool = False
    ids: frozenset[int] | None = None


@dataclass(frozen=True)
class Names:
    """File names, for filtering and sorting by them. Reading them takes a moment, so it is done on another thread.

    Attributes:
        lower: in lower case, in the table's order.
        rank: int32, shape (n,): the place of each in natural order.
    """

    lower: list[str]
    rank: NDArray[np.int32]

    @classmethod
    def of(cls, table: Table) -> Names:
        lower = [os.fsdecode(source.rsplit(SEPARATOR, 1)[-1]).lower() for source in table.source]
        # Numbers padded to one length: then the order of bytes is the natural one, and numpy sorts without the
        # interpreter's lock, so that the window is not held up.
        digits = re.compile(r"\d+")
        padded = [
            digits.sub(lambda found: found[0].zfill(12), name).encode("utf-8", "replace") for name in lower
        ]
        width = max(1, min(MOST_BYTES, max(map(len, padded), default=1)))
        together = b"".join(name[:width].ljust(width, b"\0") for name in padded)
        rank = np.empty(len(lower), np.int32)
        rank[np.argsort(np.frombuffer(together, f"S{width}"), kind="stable")] = np.arange(len(lower))
        return cls(lower, rank)


def read_names(table: Table) -> Names:
    """In a thread, as soon as a folder is open."""
    import filelock  # noqa: F401 - it loads slowly, and the first correction would have to wait for it

    return Names.of(table)


@dataclass(frozen=True, slots=True)
class Cell:
    """All that the grid draws of one photo.

    Attributes:
        row: in the table.
        key: what tells its thumbnail from any other.
        label: the code of its class, as a person marked it or else as the model predicts it.
        predicted: the code of the class that the model predicts.
        certainty: the probability of the predicted class; None where it is unsure or was not scored.
        reviewed: a person has checked it, or set it aside.
        changed: and gave it another class than the model did at that time.
        aspect: width by height; 1 where it is not known.
        stack: photos of the closed stack that it stands for; 1 for none.
        opened: photos of the open stack that begins with it; 0 for none.
        companions: files that belong to it.
    """

    row: int
    key: tuple[bytes, int, int]
    name: str
    label: int
    predicted: int
    probability: float
    certainty: float | None
    reviewed: bool
    changed: bool
    failure: str
    aspect: float = 1.0
    stack: int = 1
    opened: int = 0
    companions: int = 0


def aspects(table: Table, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Width by height of photos, shape (n,). 1 where it is not known."""
    known = (table.width[rows] > 0) & (table.height[rows] > 0)
    return np.where(known, table.width[rows] / np.maximum(table.height[rows], 1), 1.0)


def certainty(table: Table, predicted: int, probability: float) -> float | None:
    """The probability of the predicted class. The table holds the positive class's where there are two."""
    if not 0 <= predicted < len(table.labels) - 1:
        return None
    return 1 - probability if table.positive not in (None, predicted) else probability


def certainties(table: Table, predicted: NDArray[np.int16]) -> NDArray[np.float64]:
    """The probability of the predicted class of each, shape (n,). NaN where it was not scored."""
    if not table.rule.binary:
        return table.probability
    return np.where(predicted == table.positive, table.probability, 1 - table.probability)


def _skipped(table: Table) -> NDArray[np.bool_]:
    """Which files are no photos, shape (n,)."""
    skipped = np.zeros(len(table), np.bool_)
    skipped[[row for row, why in table.failures.items() if why.status is Status.SKIPPED]] = True
    return skipped


def to_check(table: Table) -> NDArray[np.bool_]:
    """Which photos a person has not checked, shape (n,). What couldn't be read is none of them."""
    return ~table.checked & ~table.failed


def arranged(table: Table, order: Order, names: Names | None) -> NDArray[np.intp]:
    """All rows of the table in order. Ties in the order found, what has no probability last. Shape (n,)."""
    key: NDArray[Any] | None = None
    if order is Order.DOUBT:
        key = -table.doubt
    elif order is Order.HIGHEST:
        key = -table.probability
    elif order is Order.LOWEST:
        key = table.probability
    elif order is Order.NEWEST:
        key = -table.mtime_ns
    elif order is Order.CLASS:
        wanted = table.wanted
        return np.lexsort((-table.doubt, np.where(wanted < 0, len(table.labels), wanted)))
    elif names is not None:
        key = names.rank
    return np.arange(len(table)) if key is None else np.argsort(key, kind="stable")


def passing(table: Table, filters: Filters, names: Names | None) -> NDArray[np.bool_]:
    """Which rows of the table the filters let through, shape (n,)."""
    predicted = table.predicted
    keep = np.ones(len(table), np.bool_)
    if filters.failed:
        keep &= table.failed & ~_skipped(table)
    elif filters.skipped:
        keep &= _skipped(table)
    elif filters.label is not None:
        keep &= np.where(table.corrected >= 0, table.corrected, predicted) == filters.label
    keep &= table.aside if filters.aside else ~table.aside
    if (filters.low, filters.high) != (0.0, 1.0):
        sure = certainties(table, predicted)
        keep &= (sure >= filters.low) & (sure <= filters.high)
    if filters.state is ReviewState.CORRECTED:
        keep &= table.changed
    elif filters.state is ReviewState.CONFIRMED:
        keep &= table.checked & ~table.changed
    elif filters.state is ReviewState.OPEN:
        keep &= ~table.checked
    if filters.ids is not None:
        keep &= np.isin(table.id, list(filters.ids))
    if filters.open:
        keep &= to_check(table)
    if filters.name and names is not None:
        needle = filters.name.lower()
        keep &= np.fromiter((needle in name for name in names.lower), np.bool_, len(table))
    return keep


@dataclass(frozen=True, slots=True)
class Counts:
    """Figures of the tabs.

    Attributes:
        labels: photos of each label, as things stand with corrections.
        failed: photos that couldn't be read.
        skipped: files that are no photos.
        reviewed: photos that a person has checked.
        corrected: those of them that the model had wrong, by the threshold at that time.
        aside: photos that were set aside.
        open: photos that nobody has checked.
    """

    labels: tuple[int, ...]
    failed: int
    skipped: int
    reviewed: int
    corrected: int
    aside: int = 0
    open: int = 0

    @classmethod
    def of(cls, table: Table) -> Counts:
        predicted = table.predicted
        wanted = np.where(table.corrected >= 0, table.corrected, predicted)
        labels = np.bincount(wanted[(wanted >= 0) & ~table.aside], minlength=len(table.labels))
        return cls(
            tuple(labels.tolist()),
            int(table.failed.sum()) - (skipped := int(_skipped(table).sum())),
            skipped,
            int((table.corrected >= 0).sum()),
            int(table.changed.sum()),
            int(table.aside.sum()),
            int(to_check(table).sum()),
        )


def percent(value: float | None) -> str:
    """Such as `64 %`, rounded down so that only what is certain is 100 %. Empty for None."""
    return "" if value is None else f"{int(value * 100 + 1e-9)} %"
