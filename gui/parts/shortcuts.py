"""The sheet of shortcuts (F1)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

Section = tuple[str, list[tuple[str, str]]]


class ShortcutsSheet(QDialog):
    """Every key and what it does.

    Args:
        classes: keys of the classes of the folder that is open: what a person presses -> the class.
    """

    def __init__(self, classes: list[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        inner = QWidget()
        grid = QGridLayout(inner)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for title, keys in self._sections(classes):
            heading = QLabel(title)
            font = heading.font()
            font.setBold(True)
            heading.setFont(font)
            heading.setContentsMargins(0, 8, 0, 0)
            grid.addWidget(heading, grid.rowCount(), 0, 1, 2)
            for key, meaning in keys:
                row = grid.rowCount()
                for place, text in enumerate((key, meaning)):
                    label = QLabel(text)
                    label.setTextFormat(Qt.TextFormat.PlainText)
                    grid.addWidget(label, row, place)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        area.setAccessibleName(self.tr("Shortcuts"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(area)
        column.addWidget(buttons)
        self.resize(640, 640)

    def _sections(self, classes: list[tuple[str, str]]) -> list[Section]:
        what = classes or [(self.tr("1 … 9, a class's letter"), self.tr("Mark as that class"))]
        return [
            (
                self.tr("Look"),
                [
                    (self.tr("Arrows, Page Up, Page Down, Home, End"), self.tr("Go to another photo")),
                    (self.tr("Space, E, double click"), self.tr("Preview, and back to the grid")),
                    ("S", self.tr("Open a stack of photos, and close it")),
                    ("C", self.tr("Compare two to four photos")),
                    (self.tr("Wheel, +, -"), self.tr("Zoom in the preview")),
                    ("Z, *", self.tr("Actual size, and back")),
                    ("F", self.tr("Nothing but the photo, and back")),
                    ("H", self.tr("Heat map, and back")),
                    ("Ctrl++, Ctrl+-", self.tr("Larger and smaller")),
                    ("Ctrl+0", self.tr("Fit the preview to the window")),
                    ("Ctrl+F", self.tr("Find by name")),
                ],
            ),
            (
                self.tr("Select"),
                [
                    (self.tr("Shift, Ctrl with arrows or click"), self.tr("Select many")),
                    ("Ctrl+A", self.tr("Select all")),
                    ("Ctrl+C", self.tr("Copy file paths")),
                ],
            ),
            (
                self.tr("Mark"),
                [
                    *what,
                    (self.tr("Drag onto a class"), self.tr("Mark as that class")),
                    (self.tr("Enter, Ctrl+R"), self.tr("Confirm this photo, or those selected")),
                    ("0", self.tr("Mark as unsure")),
                    ("X", self.tr("Set aside")),
                    (self.tr("Delete, Backspace"), self.tr("Clear my mark")),
                    ("Ctrl+Z", self.tr("Undo")),
                    ("Ctrl+Shift+Z, Ctrl+Y", self.tr("Redo")),
                ],
            ),
            (
                self.tr("Then"),
                [
                    ("Ctrl+Return", self.tr("Move photos to the folders of their classes")),
                    ("Ctrl+E", self.tr("Copy the sorted photos elsewhere")),
                    ("Ctrl+T", self.tr("Improve the model")),
                    (self.tr("Left, Right in the histogram"), self.tr("Move the threshold")),
                ],
            ),
            (
                self.tr("Window"),
                [
                    ("Ctrl+O", self.tr("Open a folder that was sorted")),
                    ("Alt+1 … Alt+4", self.tr("Sort photos, review, improve, find duplicates")),
                    ("G, E, C", self.tr("Grid, one photo, side by side")),
                    ("I, Ctrl+I", self.tr("Show or hide the inspector")),
                    ("Ctrl+,", self.tr("Preferences")),
                    ("F10", self.tr("The menu")),
                    ("F11", self.tr("Full screen")),
                    ("F1", self.tr("This sheet")),
                    ("Ctrl+Q", self.tr("Quit")),
                ],
            ),
        ]
