"""Finds the bursts of a folder after it was opened, a few photos at a time."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QTimer

from sorter.sort.table import Table
from sorter.types import SorterError

from ..parts.grid import PhotoGrid
from ..worker import Jobs
from .bursts import Bursts, Exposure, close_in_time, find_bursts, read_shots

TOGETHER = 200  # photos read in one go, so that other work of the threads is not held up
MOST = 20_000  # photos of a folder whose bursts are looked for
FIRST_MS = 1500  # the first screen comes first
AGAIN_MS = 2000


class BurstReader(QObject):
    """Reads when photos were taken, compares those close in time, and stacks them in the grid."""

    def __init__(self, jobs: Jobs, grid: PhotoGrid, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._grid = grid
        self._table: Table | None = None
        self._shots: list[Exposure] = []
        self._at = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(FIRST_MS)
        self._soon.timeout.connect(self._read_some)

    def read(self, table: Table | None) -> None:
        """Find this folder's bursts from now on. None to stop."""
        self._table, self._shots, self._at = table, [], 0
        if table is not None and len(table) <= MOST:
            self._soon.start()
        else:
            self._soon.stop()

    def _read_some(self) -> None:
        table = self._table
        if table is None:
            return
        rows = range(self._at, min(self._at + TOGETHER, len(table)))
        self._at = rows.stop
        if rows:
            self._jobs.later(partial(read_shots, table, rows), partial(self._take, table))
        elif close_in_time(self._shots):
            self._jobs.later(partial(find_bursts, table, self._shots), partial(self._show, table))

    def _take(self, table: Table, shots: list[Exposure] | SorterError | OSError) -> None:
        if table is self._table and isinstance(shots, list):
            self._shots += shots
            self._read_some()

    def _show(self, table: Table, bursts: Bursts | SorterError | OSError) -> None:
        """Stack them, but never under a selection of several: a key would mark others than those selected."""
        if table is not self._table or not isinstance(bursts, Bursts):
            return
        if len(self._grid.selected()) > 1:
            QTimer.singleShot(AGAIN_MS, self, partial(self._show, table, bursts))
            return
        row, offset = self._grid.current_row(), self._grid.verticalOffset()
        self._grid.photos.know_bursts(bursts, row)
        self._grid.return_to(row)
        if offset == 0:
            self._grid.verticalScrollBar().setValue(0)
