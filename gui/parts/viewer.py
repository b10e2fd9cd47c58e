"""The middle of the review: photos in a grid, one photo, some side by side, or why there is none."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStackedWidget, QWidget

from ..views.compare_view import MOST, CompareView
from ..views.heat import PhotoHeat
from ..views.single import SingleView
from ..worker import Jobs
from .empty import EmptyState
from .grid import PhotoGrid
from .models import Cell
from .preview import Preview, PreviewPhoto
from .thumbnails import Thumbnails

NEIGHBOURS = 3  # photos on each side that are fetched ahead
EMPTY, GRID, PREVIEW, COMPARE = range(4)


class Viewer(QStackedWidget):
    """Shows the grid, the current photo of it, or some of its photos side by side.

    Signals:
        switched: another view is shown.
        refused: why something cannot be shown.
    """

    switched = Signal()
    refused = Signal(str)

    def __init__(
        self, jobs: Jobs, grid: PhotoGrid, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.grid = grid
        self.preview = Preview(jobs, grid, thumbnails)
        self.single = SingleView(self.preview, grid, thumbnails)
        self.compare = CompareView(jobs, grid)
        self.empty = EmptyState()
        self._heat = PhotoHeat(jobs, self)
        self._hot = False  # the heat map is wanted
        for view in (self.empty, grid, self.single, self.compare):
            self.addWidget(view)
        self.preview.closed.connect(self.show_grid)
        self.preview.explained.connect(self._toggle_heat)
        self.compare.closed.connect(self.show_grid)
        self.compare.chosen.connect(self._answer_for)
        self._heat.found.connect(self._show_heat)
        self._heat.refused.connect(self._refuse_heat)
        grid.compared.connect(self.show_compare)

    @property
    def previewing(self) -> bool:
        return self.currentIndex() == PREVIEW

    @property
    def view(self) -> str:
        """`grid`, `single` or `compare`."""
        return {PREVIEW: "single", COMPARE: "compare"}.get(self.currentIndex(), "grid")

    @property
    def comparing(self) -> bool:
        return self.currentIndex() == COMPARE

    @property
    def place(self) -> int | None:
        """Where in the list the photo is that a person looks at."""
        if self.comparing and self.grid.answering is not None:
            return self.grid.photos.place(self.grid.answering)
        return self.grid.current()

    @property
    def on_screen(self) -> bool:
        """Can a person see what a key would mark? In the large views, nobody can before the photo is there."""
        if self.previewing:
            return self.preview.on_screen
        return not self.comparing or self.compare.on_screen

    def explain(self, sentence: str, filtered: bool = False) -> None:
        """Say why there is no photo. `filtered` offers to clear the filters."""
        self.empty.explain(sentence, filtered)
        self._show(EMPTY)

    def show_photos(self) -> None:
        """There are photos, so show them."""
        if self.currentIndex() == EMPTY:
            self._show(GRID)
        if not self.grid.selectionModel().hasSelection():
            place = self.grid.current()
            self.grid.go_to((self.grid.first_visible() or 0) if place is None else place)

    def forget(self) -> None:
        """Another folder is opened: keep nothing of this one."""
        self._heat.forget()
        self.preview.forget()
        self.compare.clear()

    # -- from one view to another ------------------------------------------------------------------------------

    def _show(self, view: int) -> None:
        """Keys answer for what this view shows, and for nothing else."""
        if view in (EMPTY, GRID):
            self.grid.answering = None
        self.grid.stays = view == COMPARE
        self.setCurrentIndex(view)

    def toggle_preview(self) -> None:
        """From the grid to the current photo, and back."""
        if self.previewing:
            self.show_grid()
        else:
            self.show_single()

    def show_grid(self) -> None:
        """Leave a large view. Nothing happens in the grid."""
        if self.currentIndex() not in (PREVIEW, COMPARE):
            return
        self._show(GRID)
        self.compare.clear()
        self.grid.setFocus()
        if (place := self.grid.current()) is not None:
            self.grid.scrollTo(self.grid.photos.index(place))
        self.switched.emit()

    def show_single(self) -> None:
        """Show the current photo of the grid large."""
        place = self.grid.current()
        if place is not None and self.currentIndex() in (GRID, COMPARE):
            self.grid.answering = self.grid.photos.row(place)
            self._show(PREVIEW)
            self.preview.setFocus()
            self.switched.emit()

    def show_compare(self) -> None:
        """Show the selected photos side by side, four at most; the current one and the next where one is selected."""
        places = self.grid.selected()
        stack = self.grid.photos.listing.stacks.get(places[0]) if len(places) == 1 else None
        if len(places) == 1 and stack is None:
            first = min(places[0], self.grid.photos.rowCount() - 2)
            places = [first, first + 1] if first >= 0 else places
        rows = [self.grid.photos.row(place) for place in places] if stack is None else stack.tolist()
        if len(rows) > 1:
            if stack is not None:
                self.grid.toggle_stack(places[0])
            self._show(COMPARE)
            self.compare.active = 0
            self.compare.show_rows(rows[:MOST])
            self.compare.setFocus()
            self.switched.emit()

    def _answer_for(self, row: int) -> None:
        if self.comparing:
            self.grid.answering = row

    def focus_photos(self) -> None:
        (self.preview if self.previewing else self.compare if self.comparing else self.grid).setFocus()

    # -- one photo ---------------------------------------------------------------------------------------------

    def show_place(self, place: int) -> None:
        """Show this photo of the grid in the preview, and fetch its neighbours."""
        row, cell = self.grid.photos.row(place), self.grid.photos.cell(place)
        self.grid.answering = row
        if cell.stack > 1:  # every photo of it is looked at here
            QTimer.singleShot(0, lambda: self._open_stack(row))
        self.preview.show_photo(self._photo(cell))
        count = self.grid.photos.rowCount()
        near = (place + step for far in range(1, NEIGHBOURS + 1) for step in (far, -far))
        self.preview.prefetch(self._photo(self.grid.photos.cell(each)) for each in near if 0 <= each < count)
        self.single.show_answer()
        self._ask_for_heat(cell)

    def _open_stack(self, row: int) -> None:
        if self.previewing and self.grid.answering == row and self.grid.photos.open_stack(row, True):
            place = self.grid.photos.place(row)
            if place is not None:
                self.grid.go_to(place)

    def _photo(self, cell: Cell) -> PreviewPhoto:
        table = self.grid.photos.table
        assert table is not None
        size = int(table.width[cell.row]), int(table.height[cell.row])
        return PreviewPhoto(table.path(cell.row), cell.key, size, cell.failure if cell.label < 0 else "")

    # -- the heat map ------------------------------------------------------------------------------------------

    def show_evidence(self) -> None:
        """Show the current photo large, with what the model saw. Again, and it is shown without."""
        if not self.previewing:
            self._hot = False
            self.show_single()
        if self.previewing:
            self._toggle_heat()

    def _toggle_heat(self) -> None:
        self._hot = not self._hot
        self.preview.show_heat(QImage())
        place = self.grid.current()
        if place is not None:
            self._ask_for_heat(self.grid.photos.cell(place))

    def _ask_for_heat(self, cell: Cell) -> None:
        table = self.grid.photos.table
        if not self._hot or table is None or cell.label < 0:
            self._heat.forget()
            return
        # The model's own name of the class that is shown, where it knows that class.
        known = zip(table.rule.classes, table.classes.codes, strict=False)
        label = next((name for name, code in known if code == cell.label), None)
        self._heat.ask(table.out, table.path(cell.row), label)

    def _show_heat(self, path: Path, heat: QImage) -> None:
        if self._hot and path == self.preview.path:
            self.preview.show_heat(heat)

    def _refuse_heat(self, why: str) -> None:
        self._hot = False
        self.refused.emit(why)
