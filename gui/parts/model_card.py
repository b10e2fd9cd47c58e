"""The model that sorted the folder, and the button that improves it."""

from __future__ import annotations

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from .elided import ElidedLabel
from .icons import set_icon


class ModelCard(QFrame):
    """Name, marks to learn from, button."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        heading = QLabel(self.tr("MODEL"))
        heading.setProperty("level", "small")
        self.name = ElidedLabel()
        self.name.setAccessibleName(self.tr("Model"))
        self.marks = QLabel()
        self.marks.setProperty("level", "second")
        self.marks.setAccessibleName(self.tr("Photos to learn from"))
        self.improve = QPushButton(self.tr("Improve..."))
        self.improve.setAccessibleName(self.tr("Improve the model"))
        self.improve.setToolTip(self.tr("Let the model learn from the photos you checked (Ctrl+T)"))
        set_icon(self.improve, "sparkle")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(4)
        for each in (heading, self.name, self.marks, self.improve):
            column.addWidget(each)

    def show_model(self, name: str, marks: int) -> None:
        """Its name, and how many photos it can learn from."""
        self.name.setText(name)
        self.marks.setText(self.tr("{count} marks").format(count=QLocale().toString(marks)))
