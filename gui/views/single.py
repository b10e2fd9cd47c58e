"""One photo of the grid with its answers, and the photos around it."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ..parts.class_keys import keys_of
from ..parts.elided import ElidedLabel
from ..parts.grid import PhotoGrid
from ..parts.models import percent
from ..parts.preview import Preview
from ..parts.thumbnails import Thumbnails
from .answer_bar import AnswerBar
from .dark import make_dark
from .filmstrip import Filmstrip


class SingleView(QWidget):
    """The photo on neutral dark grey, a line about it, the answers, and a filmstrip."""

    def __init__(
        self, preview: Preview, grid: PhotoGrid, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._grid = grid
        self.preview = preview
        self.about = ElidedLabel()
        self.about.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.about.setAccessibleName(self.tr("About this photo"))
        self.answers = AnswerBar()
        self.film = Filmstrip(grid, thumbnails)
        make_dark(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(preview, 1)
        column.addWidget(self.about)
        column.addWidget(self.answers)
        column.addWidget(self.film)
        self.setFocusProxy(preview)
        self._connect()

    def _connect(self) -> None:
        grid, answers = self._grid, self.answers
        answers.assigned.connect(grid.assigned)
        answers.confirmed.connect(grid.confirmed)
        answers.doubted.connect(grid.doubted)
        answers.set_aside.connect(grid.set_aside)
        answers.skipped.connect(lambda: self.move_by(1))
        self.film.chosen.connect(grid.go_to)
        self.preview.moved.connect(self.move_by)
        grid.photos.dataChanged.connect(lambda *_: self.show_answer())

    def set_alone(self, alone: bool) -> None:
        """Show the photo and nothing else, or everything again."""
        self.preview.alone = alone
        for part in (self.about, self.answers, self.film):
            part.setVisible(not alone)

    def move_by(self, photos: int) -> None:
        """Skip so many photos, back for negative ones."""
        place = self._grid.current()
        if place is not None:
            self._grid.go_to(place + photos)

    def show_answer(self) -> None:
        """The class of the current photo, how sure the model is of that, and where it is in the list."""
        place, table = self._grid.current(), self._grid.photos.table
        if place is None or table is None or place >= self._grid.photos.rowCount():
            return
        first = {code: keys[0] for code, keys in keys_of(self._grid.keys).items()}
        self.answers.show_classes(table.labels[:-1], first)
        cell = self._grid.photos.cell(place)
        self.answers.show_answer(cell.label)
        number = QLocale().toString
        parts = [cell.name, cell.failure if cell.label < 0 else table.labels[cell.label]]
        if cell.label == cell.predicted and cell.certainty is not None:
            parts.append(self.tr("{certainty} sure").format(certainty=percent(cell.certainty)))
        if cell.reviewed:
            parts.append(self.tr("changed by you") if cell.changed else self.tr("confirmed"))
        parts.append(
            self.tr("{n} of {all}").format(n=number(place + 1), all=number(self._grid.photos.rowCount()))
        )
        self.about.setText(" · ".join(parts))
