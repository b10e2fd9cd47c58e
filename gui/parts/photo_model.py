"""The photos of a folder that the window shows, as a list for a view."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from sorter.sort.table import SEPARATOR, Table

from ..views.sections import GridList, listed
from .models import (
    Cell,
    Filters,
    Names,
    Order,
    arranged,
    aspects,
    certainty,
    passing,
    percent,
)
from .words import failure_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..views.bursts import Bursts

Index = QModelIndex | QPersistentModelIndex
CELL = Qt.ItemDataRole.UserRole  # the role whose value is a `Cell`
ROOT = QModelIndex()


class PhotoModel(QAbstractListModel):
    """The photos shown, as a list for a view. What is folded away or stands in a closed stack is no row of it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table: Table | None = None
        self._names: Names | None = None
        self._filters = Filters()
        self._order = Order.DOUBT
        self._list = GridList()
        self._folded: frozenset[str] = frozenset()
        self._bursts: Bursts | None = None
        self._opened: frozenset[int] = frozenset()
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

    @property
    def _rows(self) -> NDArray[np.intp]:
        return self._list.rows

    @property
    def listing(self) -> GridList:
        return self._list

    def show(self, table: Table | None, names: Names | None = None) -> None:
        """Show another table, or the same one read anew."""
        if self._table is None or table is None or len(table) != len(self._table):
            self.beginResetModel()
            self._list = GridList()
            self._folded, self._bursts, self._opened = frozenset(), None, frozenset()
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

    def fold(self, key: str, folded: bool) -> None:
        """Show no photos of a section, or show them again."""
        self._folded = self._folded | {key} if folded else self._folded - {key}
        self.refresh()

    def know_bursts(self, bursts: Bursts, current: int | None) -> None:
        """Stack bursts from now on.

        Args:
            current: the row that a person looks at. Its stack stays open: a key would mark photos nobody asked for.
        """
        number = -1 if current is None else int(bursts.number[current])
        self._bursts, self._opened = bursts, frozenset({number} - {-1})
        self.refresh()

    def open_stack(self, row: int, opened: bool | None = None) -> bool:
        """Show all photos of the stack of a row, or only the first again. False where it is in none.

        Args:
            opened: None for the other way round.
        """
        number = -1 if self._bursts is None else int(self._bursts.number[row])
        if number < 0:
            return False
        if opened is None:
            opened = number not in self._opened
        self._opened = self._opened | {number} if opened else self._opened - {number}
        self.refresh()
        return True

    def refresh(self) -> bool:
        """The table, or what decides about it, has changed. True where other photos, or another order, came of it."""
        listing, predicted = GridList(), np.empty(0, np.int16)
        if self._table is not None:
            everything = self._arranged(self._table)
            rows = everything[passing(self._table, self._filters, self._names)[everything]]
            order = self._order.value
            listing = listed(self._table, rows, order, self._folded, self._bursts, self._opened)
            predicted = self._table.predicted
        if np.array_equal(listing.rows, self._rows) and len(self._rows):  # then the selection stays, too
            self._list, self._predicted = replace(listing, rows=self._rows), predicted
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))
            return False
        self.beginResetModel()
        self._list, self._predicted = listing, predicted
        self.endResetModel()
        return True

    def _arranged(self, table: Table) -> NDArray[np.intp]:
        """Sorted once, and again only where the order may be another: a correction changes that by class only."""
        what = (
            id(table),
            self._order,
            table.rule if self._order is Order.DOUBT else None,
            self._names is None,
            table.wanted.tobytes() if self._order is Order.CLASS else None,
        )
        if what != self._sorted_for:
            self._sorted, self._sorted_for = arranged(table, self._order, self._names), what
        return self._sorted

    def confirmable(self) -> int:
        """How many of the photos shown can be confirmed. Those of closed stacks are shown by their first."""
        return self.confirmable_of(self._with_stacks(range(len(self._rows))))

    def confirmable_of(self, rows: NDArray[np.intp]) -> int:
        """How many of some rows can be confirmed: scored, not unsure, not checked yet."""
        if self._table is None:
            return 0
        predicted = self._predicted[rows]
        sure = (predicted >= 0) & (predicted < len(self._table.labels) - 1)
        return int((sure & ~self._table.checked[rows]).sum())

    def ids(self, places: list[int] | range) -> list[int]:
        """Photos' ids at these places in the list, and those of the stacks that stand there."""
        return self.ids_of(self._with_stacks(places))

    def ids_of(self, rows: NDArray[np.intp]) -> list[int]:
        """Photos' ids of some rows of the table."""
        return [] if self._table is None else [int(each) for each in self._table.id[rows].tolist()]

    def _with_stacks(self, places: list[int] | range) -> NDArray[np.intp]:
        at = slice(places.start, places.stop) if isinstance(places, range) else places
        stacks = self._list.stacks
        wanted = stacks.keys() & set(places) if stacks else ()
        return np.concatenate([self._rows[at], *(stacks[place][1:] for place in sorted(wanted))])

    @property
    def total(self) -> int:
        """Photos that are listed: those of closed stacks and of folded sections are among them."""
        if self._list.sections:
            return sum(len(section.rows) for section in self._list.sections)
        return len(self._with_stacks(range(len(self._rows))))

    def aspects(self) -> NDArray[np.float64]:
        """Width by height of each photo in the list, shape (n,)."""
        return np.empty(0) if self._table is None else aspects(self._table, self._rows)

    def row(self, place: int) -> int:
        """The table's row at a place in the list."""
        return int(self._rows[place])

    def place(self, row: int) -> int | None:
        """Where in the list a row of the table is, or the stack that it is in. None where it is not shown."""
        found = np.flatnonzero(self._rows == row)
        if len(found):
            return int(found[0])
        return next((place for place, rows in self._list.stacks.items() if row in rows), None)

    def cell(self, place: int) -> Cell:
        """All that is drawn of the photo at a place, and of the stack that stands there."""
        cell, stack = self.cell_of(int(self._rows[place])), len(self._list.stacks.get(place, ()))
        return replace(cell, stack=stack or 1, opened=self._list.opened.get(place, 0))

    def cell_of(self, row: int) -> Cell:
        """All that is drawn of a photo by itself."""
        table = self._table
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
            corrected >= 0 or bool(table.aside[row]),
            corrected >= 0 and corrected != int(table.guessed[row]),
            "" if failure is None else failure_text(failure),
            float(aspects(table, np.array([row]))[0]),
            companions=int(table.companions[row]),
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
