"""What can be done first: sort photos, teach classes, try it with samples."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from .drop import DropArea
from .tile import Tile

HEIGHT = 220  # pixels of the cards


class Home(QWidget):
    """Three cards, and below them whatever the page adds.

    Signals:
        teach_wanted: teach classes of one's own.
        samples_wanted: try it with drawn pictures.
    """

    teach_wanted = Signal()
    samples_wanted = Signal()

    def __init__(self, below: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        about = QLabel(
            self.tr("Sorter looks at your photos and puts them into a folder for each class, such as “car”.")
        )
        about.setWordWrap(True)
        self.drop_area = DropArea(self)
        self.drop_area.setMinimumHeight(HEIGHT)
        self.teach_tile = Tile(
            self.tr("Teach your own classes"),
            self.tr("Name two, give each ten photos. Learning takes seconds."),
            lines=3,
        )
        self.teach_tile.clicked.connect(self.teach_wanted)
        self.samples_tile = Tile(
            self.tr("Try with samples"),
            self.tr("Forests, seas and sunsets that Sorter draws. None of your photos is needed."),
            lines=3,
        )
        self.samples_tile.clicked.connect(self.samples_wanted)
        right = QVBoxLayout()
        right.setSpacing(12)
        right.addWidget(self.teach_tile, 1)
        right.addWidget(self.samples_tile, 1)
        cards = QHBoxLayout()
        cards.setSpacing(12)
        cards.addWidget(self.drop_area, 3)
        cards.addLayout(right, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(about)
        column.addLayout(cards)
        column.addWidget(below, 1)
