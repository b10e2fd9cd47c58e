"""A large button with a title and a line below it, to choose one of a few."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

WIDTH = 168  # pixels, at least
MARGIN = 12  # pixels


class Tile(QPushButton):
    """Title and explanation on one button. Checkable tiles of one group are a choice.

    Args:
        lines: of the explanation, that there is room for.
    """

    def __init__(self, title: str, text: str = "", lines: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("tile", True)
        self.title, self.text_label, self.mark = QLabel(title), QLabel(text), QLabel("✓")
        self.mark.setProperty("level", "heading")
        self.mark.hide()
        self.toggled.connect(self.mark.setVisible)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.text_label.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setProperty("level", "heading")
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.mark)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.setSpacing(4)
        for label in (self.title, self.text_label, self.mark):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        for label in (self.title, self.text_label):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column.addLayout(top)
        column.addWidget(self.text_label)
        column.addStretch(1)
        height = self.fontMetrics().lineSpacing() * (1 + lines) + 2 * MARGIN + 8
        self.setMinimumSize(WIDTH, height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.describe(title, text)

    def describe(self, title: str, text: str) -> None:
        """Show another title and explanation."""
        self.title.setText(title)
        self.text_label.setText(text)
        self.text_label.setVisible(bool(text))
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
