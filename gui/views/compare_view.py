"""Two to four photos of the grid side by side. Keys answer for the one in the frame."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from ..parts.grid import PhotoGrid
from ..parts.models import percent
from ..worker import Jobs
from .canvas import ZOOM
from .dark import make_dark
from .loading import Loaded, PhotoLoader, Request
from .side_by_side import Linked, Side

MOST = 4  # photos
SIDE = 1024  # pixels that the shorter side of a photo has at least, until somebody zooms in


class CompareView(QWidget):
    """Photos with linked zoom.

    Signals:
        closed: C, G, Escape; or no two photos are left.
        chosen: the row that keys answer for now.
    """

    closed = Signal()
    chosen = Signal(int)

    def __init__(self, jobs: Jobs, grid: PhotoGrid, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = grid
        self._loader = PhotoLoader(jobs, self)
        self._linked = Linked(self)
        self.rows: list[int] = []
        self.sides: list[Side] = []
        self.active = 0
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(4, 4, 4, 4)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Photos side by side"))
        make_dark(self)
        self._loader.loaded.connect(self._take)
        self._linked.viewed.connect(self._read)
        grid.photos.dataChanged.connect(lambda *_: self._follow_marks())
        grid.photos.modelReset.connect(self._follow_marks)

    def show_rows(self, rows: list[int]) -> None:
        """Show these photos of the table."""
        for side in self.sides:
            self._layout.removeWidget(side)
            side.hide()
            side.deleteLater()
        self.rows, self.sides = rows[:MOST], []
        for number in range(len(self.rows)):
            side = Side()
            side.chosen.connect(lambda number=number: self.choose(number))
            across = min(2, len(self.rows))
            self._layout.addWidget(side, number // across, number % across)
            self.sides.append(side)
        self._linked.link([side.canvas for side in self.sides])
        self._show_facts()
        self._read()
        self.choose(min(self.active, max(0, len(self.rows) - 1)))

    def clear(self) -> None:
        """Show nothing, and keep no photo."""
        self.active = 0
        self.show_rows([])
        self._loader.forget()

    def choose(self, number: int) -> None:
        """Let keys answer for one of the photos."""
        self.active = number
        for place, side in enumerate(self.sides):
            side.set_active(place == number)
        if self.rows:
            self.chosen.emit(self.rows[number])

    @property
    def on_screen(self) -> bool:
        """Is there something to be seen of the photo that keys answer for?"""
        return bool(self.sides) and not self.sides[self.active].canvas.image.isNull()

    def _read(self) -> None:
        requests = [request for row in self.rows if (request := self._request(row, SIDE))]
        if not self._linked.fits:
            requests += [request for row in self.rows if (request := self._request(row, None))]
        for request in requests:
            if (kept := self._loader.get(request)) is not None:
                self._take(request, kept)
        self._loader.want(requests)

    def _request(self, row: int, side: int | None) -> Request | None:
        table = self._grid.photos.table
        return None if table is None or table.failed[row] else Request(table.path(row), side)

    def _take(self, request: Request, loaded: Loaded) -> None:
        for row, side in zip(self.rows, self.sides, strict=True):
            wanted = self._request(row, None)
            if wanted is not None and wanted.path == request.path:
                larger = loaded.image.width() > side.canvas.image.width()
                if larger or loaded.image.isNull():
                    side.canvas.show_image(loaded.image, loaded.size)
                    side.canvas.show_text(loaded.problem)

    def _follow_marks(self) -> None:
        """A photo that was set aside is compared no more."""
        table = self._grid.photos.table
        if not self.rows or table is None:
            return
        left = [row for row in self.rows if self._grid.photos.place(row) is not None]
        if len(left) < 2:
            self.closed.emit()
        elif left != self.rows:
            self.show_rows(left)
        else:
            self._show_facts()

    def _show_facts(self) -> None:
        table = self._grid.photos.table
        for row, side in zip(self.rows, self.sides, strict=True):
            place = self._grid.photos.place(row)
            if table is None or place is None:
                continue
            cell = self._grid.photos.cell_of(row)
            label = cell.failure if cell.label < 0 else table.labels[cell.label]
            parts = [cell.name, label]
            if cell.label == cell.predicted and cell.certainty is not None:
                parts.append(self.tr("{certainty} sure").format(certainty=percent(cell.certainty)))
            parts.append(f"{table.width[row]} × {table.height[row]}")
            side.about.setText(" · ".join(parts) + (" ✓" if cell.reviewed else ""))
            side.canvas.setAccessibleName(side.about.text())
            if cell.label < 0:
                side.canvas.show_text(cell.failure)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if not self.sides:
            return
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = 1 if key in (Qt.Key.Key_Right, Qt.Key.Key_Down) else -1
            self.choose((self.active + step) % len(self.rows))
        elif key in (Qt.Key.Key_Escape, Qt.Key.Key_C):
            self.closed.emit()
        elif key == Qt.Key.Key_Z:
            self._linked.toggle_actual_size(self.sides[self.active].canvas)
        elif event.text() in ("+", "-"):
            self.sides[self.active].canvas.zoom(ZOOM if event.text() == "+" else 1 / ZOOM)
        elif key not in (Qt.Key.Key_Space, Qt.Key.Key_E, Qt.Key.Key_S):
            self._grid.keyPressEvent(event)  # answers, as in the grid
