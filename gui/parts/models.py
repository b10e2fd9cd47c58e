"""Which photos of a folder the window shows, in which order. Arrays below, so that 100,000 take milliseconds."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from sorter.sort.table import SEPARATOR, Table
from sorter.types import Status

from .words import failure_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

Index = QModelIndex | QPersistentModelIndex
CELL = Qt.ItemDataRole.UserRole  # the role whose value is a `Cell`
ROOT = QModelIndex()
MOST_BYTES = 128  # of a name that count for its order


class Order(Enum):
    """What comes first."""

    DOUBT = "doubt"
    HIGHEST = "highest"
    LOWEST = "lowest"
    NAME = "name"
    NEWEST = "newest"


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
        low: how sure the model is of its class at least, 0 to 1.
        high: at most.
        name: a part of the file's name, whatever its case.
    """

    label: int | None = None
    failed: bool = False
    skipped: bool = False
    low: float = 0.0
    high: float = 1.0
    state: ReviewState = ReviewState.ANY
    name: str = ""


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
        reviewed: a person has checked it.
        changed: and gave it another class than the model did at that time.
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
    if (filters.low, filters.high) != (0.0, 1.0):
        sure = certainties(table, predicted)
        keep &= (sure >= filters.low) & (sure <= filters.high)
    if filters.state is ReviewState.CORRECTED:
        keep &= table.changed
    elif filters.state is ReviewState.CONFIRMED:
        keep &= table.checked & ~table.changed
    elif filters.state is ReviewState.OPEN:
        keep &= ~table.checked
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
    """

    labels: tuple[int, ...]
    failed: int
    skipped: int
    reviewed: int
    corrected: int

    @classmethod
    def of(cls, table: Table) -> Counts:
        predicted = table.predicted
        wanted = np.where(table.corrected >= 0, table.corrected, predicted)
        labels = np.bincount(wanted[wanted >= 0], minlength=len(table.labels))
        return cls(
            tuple(labels.tolist()),
            int(table.failed.sum()) - (skipped := int(_skipped(table).sum())),
            skipped,
            int(table.checked.sum()),
            int(table.changed.sum()),
        )


def percent(value: float | None) -> str:
    """Such as `64 %`, rounded down so that only what is certain is 100 %. Empty for None."""
    return "" if value is None else f"{int(value * 100 + 1e-9)} %"


class PhotoModel(QAbstractListModel):
    """The photos shown, as a list for a view."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table: Table | None = None
        self._names: Names | None = None
        self._filters = Filters()
        self._order = Order.DOUBT
        self._rows: NDArray[np.intp] = np.empty(0, np.intp)
        self._predicted: NDArray[np.int16] = np.empty(0, np.int16)
        self._sorted: NDArray[np.intp] = np.empty(0, np.intp)
        self._sorted_for: tuple[object, ...] = ()

    @property
    def table(self) -> Table | None:
        return self._table

    @property
    def filters(self) -> Filters:
        return self._filters

    @property
    def order(self) -> Order:
        return self._order

    def show(self, table: Table | None, names: Names | None = None) -> None:
        """Show another table, or the same one read anew."""
        if self._table is None or table is None or len(table) != len(self._table):
            self.beginResetModel()
            self._rows = np.empty(0, np.intp)
            self.endResetModel()
        self._table, self._names = table, names
        self._sorted_for = ()
        self.refresh()

    def know_names(self, names: Names) -> None:
        """The names are read by now."""
        self._names = names
        if self._order is Order.NAME or self._filters.name:
            self.refresh()

    def filter(self, **changes: Any) -> None:
        """Change some of the `Filters`."""
        filters = replace(self._filters, **changes)
        if filters != self._filters:
            self._filters = filters
            self.refresh()

    def arrange(self, order: Order) -> None:
        if order is not self._order:
            self._order = order
            self.refresh()

    def refresh(self) -> bool:
        """The table, or what decides about it, has changed. True where other photos, or another order, came of it."""
        rows: NDArray[np.intp] = np.empty(0, np.intp)
        predicted: NDArray[np.int16] = np.empty(0, np.int16)
        if self._table is not None:
            everything = self._arranged(self._table)
            rows = everything[passing(self._table, self._filters, self._names)[everything]]
            predicted = self._table.predicted
        if np.array_equal(rows, self._rows) and len(rows):  # then the selection stays, too
            self._predicted = predicted
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return False
        self.beginResetModel()
        self._rows, self._predicted = rows, predicted
        self.endResetModel()
        return True

    def _arranged(self, table: Table) -> NDArray[np.intp]:
        """Sorted once, and again only where the order may be another: a correction changes none."""
        what = (
            id(table),
            self._order,
            table.rule if self._order is Order.DOUBT else None,
            self._names is None,
        )
        if what != self._sorted_for:
            self._sorted, self._sorted_for = arranged(table, self._order, self._names), what
        return self._sorted

    def confirmable(self) -> int:
        """How many of the photos shown can be confirmed: scored, not unsure, not checked yet."""
        if self._table is None:
            return 0
        predicted = self._predicted[self._rows]
        sure = (predicted >= 0) & (predicted < len(self._table.labels) - 1)
        return int((sure & (self._table.corrected[self._rows] < 0)).sum())

    def ids(self, places: list[int] | range) -> list[int]:
        """Photos' ids at these places in the list."""
        if self._table is None:
            return []
        at = slice(places.start, places.stop) if isinstance(places, range) else places
        ids: list[int] = self._table.id[self._rows[at]].tolist()
        return ids

    def row(self, place: int) -> int:
        """The table's row at a place in the list."""
        return int(self._rows[place])

    def place(self, row: int) -> int | None:
        """Where in the list a row of the table is. None where it is not shown."""
        found = np.flatnonzero(self._rows == row)
        return int(found[0]) if len(found) else None

    def cell(self, place: int) -> Cell:
        table, row = self._table, int(self._rows[place])
        assert table is not None
        predicted, corrected = int(self._predicted[row]), int(table.corrected[row])
        failure = table.failures.get(row)
        return Cell(
            row,
            (table.source[row], int(table.size[row]), int(table.mtime_ns[row])),
            os.fsdecode(table.source[row].rsplit(SEPARATOR, 1)[-1]),
            corrected if corrected >= 0 else predicted,
            predicted,
            float(table.probability[row]),
            certainty(table, predicted, float(table.probability[row])),
            corrected >= 0,
            corrected >= 0 and corrected != int(table.guessed[row]),
            "" if failure is None else failure_text(failure),
        )

    # -- what Qt asks ------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = ROOT) -> int:  # noqa: N802, RUF100
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or self._table is None:
            return None
        if role == CELL:
            return self.cell(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._describe(self.cell(index.row()))
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(self._table.path(self.row(index.row())))
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return (
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsDragEnabled
            | Qt.ItemFlag.ItemNeverHasChildren
        )

    def _describe(self, cell: Cell) -> str:
        """For a screen reader."""
        assert self._table is not None
        if cell.label < 0:
            return self.tr("{name}: {why}").format(name=cell.name, why=cell.failure)
        label = self._table.labels[cell.label]
        if cell.changed:
            text = self.tr("{name}, changed to {label}")
        elif cell.reviewed:
            text = self.tr("{name}, {label}, confirmed")
        elif cell.certainty is None:
            text = self.tr("{name}, {label}")
        else:
            text = self.tr("{name}, {label}, {certainty} sure")
        return text.format(name=cell.name, label=label, certainty=percent(cell.certainty))
