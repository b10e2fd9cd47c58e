"""Folders that are dropped on the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QVBoxLayout, QWidget


def dropped_paths(event: QDropEvent) -> list[Path]:
    """Files and folders among what is held over the window."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


def dropped_folder(event: QDropEvent) -> Path | None:
    """The first folder among what is held over the window, or None."""
    return next((path for path in dropped_paths(event) if path.is_dir()), None)


class DropFrame(QFrame):
    """A frame that lights up while something is held over it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.light_up(False)

    def light_up(self, on: bool) -> None:
        """Change colour, or change it back."""
        self.setProperty("drop", "lit" if on else "on")
        self.style().unpolish(self)
        self.style().polish(self)


class DropArea(DropFrame):
    """Shows where to drop a folder. The whole page takes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        text = QLabel(self.tr("Sort photos: drop a folder here"))
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        text.setProperty("level", "heading")
        self.button = QPushButton(self.tr("Choose a &folder..."))
        self.button.setAccessibleName(self.tr("Choose a folder of photos"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 20, 16, 20)
        layout.setSpacing(16)
        layout.addStretch(1)
        layout.addWidget(text)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignCenter)
        layout.addStretch(1)
