"""Photos of a list in sections: by how certain the model is, by class, or by day. Bursts as stacks within them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QCoreApplication, QDate, QLocale

from sorter.sort.table import Table

from .bursts import Bursts

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST, FAIRLY = 0.5, 0.2  # doubt from which on a photo is among the least, or the fairly certain
NOT_READ = "not read"
DAY = 86400


@dataclass(frozen=True, slots=True)
class Section:
    """Photos that belong together in a list.

    Attributes:
        key: what tells it from other sections, whatever is in them.
        title: as it is shown.
        start: the place of its first photo in the list. So `stop`. They are equal where it is folded.
        rows: the table's rows of all its photos, those of closed stacks and of a folded section, too.
    """

    key: str
    title: str
    start: int
    stop: int
    rows: NDArray[np.intp]

    @property
    def folded(self) -> bool:
        return self.start == self.stop


@dataclass(frozen=True)
class GridList:
    """What a list shows.

    Attributes:
        rows: of the table, one for each place, shape (n,).
        sections: one after the other; none where the photos are in no sections.
        stacks: place -> the table's rows of a stack that stands there, the shown one first.
        opened: place -> photos of an open stack, which begins there.
    """

    rows: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    sections: tuple[Section, ...] = ()
    stacks: dict[int, NDArray[np.intp]] = field(default_factory=dict)
    opened: dict[int, int] = field(default_factory=dict)


class Kinds:
    """How photos are divided. A divider gives each row of the table a number; photos with one number lie together."""

    @staticmethod
    def certainty(table: Table, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        doubt = table.doubt[rows]
        codes = np.where(doubt >= LEAST, 0, np.where(doubt >= FAIRLY, 1, 2))
        codes[np.isnan(doubt)] = -1
        return codes

    @staticmethod
    def label(table: Table, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        return table.wanted[rows].astype(np.int64)

    @staticmethod
    def day(table: Table, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """Days since the epoch, by the clock of this place."""
        seconds = table.mtime_ns[rows] // 1_000_000_000
        days, which = np.unique(seconds // DAY, return_inverse=True)
        east = np.array(
            [time.localtime(day * DAY + DAY // 2).tm_gmtoff or 0 for day in days.tolist()], np.int64
        )
        return (seconds + east[which]) // DAY if len(days) else seconds


def title_of_certainty(code: int, _table: Table) -> str:
    texts = (
        QCoreApplication.translate("sections", "Least certain"),
        QCoreApplication.translate("sections", "Fairly certain"),
        QCoreApplication.translate("sections", "Certain"),
    )
    return texts[code] if code >= 0 else QCoreApplication.translate("sections", "Couldn't be read")


def title_of_label(code: int, table: Table) -> str:
    return table.labels[code] if code >= 0 else QCoreApplication.translate("sections", "Couldn't be read")


def title_of_day(day: int, _table: Table) -> str:
    return QLocale().toString(QDate(1970, 1, 1).addDays(day), QLocale.FormatType.LongFormat)


DIVISIONS = {
    "doubt": (Kinds.certainty, title_of_certainty),
    "class": (Kinds.label, title_of_label),
    "newest": (Kinds.day, title_of_day),
}


def listed(
    table: Table,
    rows: NDArray[np.intp],
    order: str,
    folded: frozenset[str] = frozenset(),
    bursts: Bursts | None = None,
    opened: frozenset[int] = frozenset(),
) -> GridList:
    """Divide ordered photos into sections, and stack bursts.

    Args:
        rows: of the table, in order. Photos of one section lie together.
        order: the value of an `Order`; those that are no key of `DIVISIONS` make no sections.
        folded: keys of sections that show no photos.
        bursts: which photos belong together; None for no stacks.
        opened: bursts whose photos are all shown.
    """
    rows, is_first = _gathered(rows, bursts)
    heads = np.flatnonzero(is_first)
    spans = _divided(table, rows[heads], order)
    keys = [_key(table, order, span.code) for span in spans]
    starts = [*heads[[span.start for span in spans]].tolist(), len(rows)] if spans else []
    is_open = _opened(rows, bursts, opened)
    shown = is_first | is_open
    for key, (start, stop) in zip(keys, pairwise(starts), strict=True):
        if key in folded:
            shown[start:stop] = False
    before = np.concatenate([[0], np.cumsum(shown)])  # places before each
    sections = tuple(
        Section(key, _title(table, order, span.code), int(before[start]), int(before[stop]), rows[start:stop])
        for key, span, (start, stop) in zip(keys, spans, pairwise(starts), strict=True)
    )
    sizes = np.diff(heads, append=len(rows))
    several = (sizes > 1) & shown[heads]
    stacks: dict[int, NDArray[np.intp]] = {}
    open_ones: dict[int, int] = {}
    for at, size in zip(heads[several].tolist(), sizes[several].tolist(), strict=True):
        if is_open[at]:
            open_ones[int(before[at])] = size
        else:
            stacks[int(before[at])] = rows[at : at + size]
    return GridList(rows[shown], sections, stacks, open_ones)


def _gathered(rows: NDArray[np.intp], bursts: Bursts | None) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Let the rest of each burst follow its first photo. Returns the rows, and which of them are no such rest."""
    if bursts is None:
        return rows, np.ones(len(rows), np.bool_)
    found, first, which = np.unique(bursts.number[rows], return_index=True, return_inverse=True)
    lead = np.where((found >= 0)[which], first[which], np.arange(len(rows)))
    order = np.argsort(lead, kind="stable")
    return rows[order], lead[order] == order


def _opened(rows: NDArray[np.intp], bursts: Bursts | None, opened: frozenset[int]) -> NDArray[np.bool_]:
    if bursts is None:
        return np.zeros(len(rows), np.bool_)
    return np.isin(bursts.number[rows], list(opened))


@dataclass(frozen=True, slots=True)
class _Division:
    """A run of single photos and stacks with one number, which begins at a place among all of these."""

    code: int
    start: int


def _divided(table: Table, heads: NDArray[np.intp], order: str) -> list[_Division]:
    """The sections; none where the order has none."""
    if order not in DIVISIONS or not len(heads):
        return []
    codes = DIVISIONS[order][0](table, heads)
    starts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist()]
    return [_Division(int(codes[start]), start) for start in starts]


def _key(table: Table, order: str, code: int) -> str:
    return f"{order} {table.labels[code] if order == 'class' and code >= 0 else code}"


def _title(table: Table, order: str, code: int) -> str:
    return DIVISIONS[order][1](code, table)
