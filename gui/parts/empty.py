"""The place of the grid while there is no photo to show."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget


class EmptyState(QWidget):
    """A sentence that explains why, and a button to clear the filters."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.text.setAccessibleName(self.tr("Why there is nothing here"))
        self.clear_filters = QPushButton(self.tr("Clear the filters"))
        self.clear_filters.setAccessibleName(self.tr("Clear the filters"))
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(self.text)
        column.addWidget(self.clear_filters, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(1)

    def explain(self, sentence: str, filtered: bool) -> None:
        """Show a sentence. `filtered` offers to clear the filters."""
        self.text.setText(sentence)
        self.clear_filters.setVisible(filtered)
