"""The middle of the review: photos in a grid, one photo large, or a sentence that says why there is none."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from .empty import EmptyState
from .grid import PhotoGrid
from .preview import Preview, PreviewPhoto

NEIGHBOURS = 3  # photos on each side that are fetched ahead
EMPTY, GRID, PREVIEW = range(3)


class Viewer(QStackedWidget):
    """Shows the grid, or the current photo of it.

    Signals:
        switched: another view is shown.
    """

    switched = Signal()

    def __init__(self, grid: PhotoGrid, preview: Preview, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = grid
        self.preview = preview
        self.empty = EmptyState()
        for view in (self.empty, grid, preview):
            self.addWidget(view)

    @property
    def previewing(self) -> bool:
        return self.currentIndex() == PREVIEW

    @property
    def on_screen(self) -> bool:
        """Can a person see what a key would mark? In the preview, nobody can before the photo is painted."""
        return not self.previewing or self.preview.on_screen

    def explain(self, sentence: str, filtered: bool = False) -> None:
        """Say why there is no photo. `filtered` offers to clear the filters."""
        self.empty.explain(sentence, filtered)
        self.setCurrentIndex(EMPTY)

    def show_photos(self) -> None:
        """There are photos, so show them."""
        if self.currentIndex() == EMPTY:
            self.setCurrentIndex(GRID)
        if not self.grid.selectionModel().hasSelection():
            place = self.grid.current()
            self.grid.go_to((self.grid.first_visible() or 0) if place is None else place)

    def toggle_preview(self) -> None:
        """From the grid to the current photo, and back."""
        if self.previewing:
            self.show_grid()
        else:
            self.show_single()

    def show_grid(self) -> None:
        """Leave the single photo. Nothing happens in the grid."""
        if not self.previewing:
            return
        self.setCurrentIndex(GRID)
        self.grid.setFocus()
        if (place := self.grid.current()) is not None:
            self.grid.scrollTo(self.grid.photos.index(place))
        self.switched.emit()

    def show_single(self) -> None:
        """Show the current photo of the grid large."""
        if self.grid.current() is not None and self.currentIndex() == GRID:
            self.setCurrentIndex(PREVIEW)
            self.preview.setFocus()
            self.switched.emit()

    def show_place(self, place: int) -> None:
        """Show this photo of the grid in the preview, and fetch its neighbours."""
        count = self.grid.photos.rowCount()
        near = range(max(0, place - NEIGHBOURS), min(count, place + NEIGHBOURS + 1))
        self.preview.prefetch(self._photo(each) for each in near if each != place)
        self.preview.show_photo(self._photo(place))

    def focus_photos(self) -> None:
        (self.preview if self.previewing else self.grid).setFocus()

    def _photo(self, place: int) -> PreviewPhoto:
        cell, table = self.grid.photos.cell(place), self.grid.photos.table
        assert table is not None
        side = max(int(table.width[cell.row]), int(table.height[cell.row]))
        return PreviewPhoto(table.path(cell.row), cell.key, side, cell.failure if cell.label < 0 else "")
