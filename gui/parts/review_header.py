"""Above the photos: which folder, how many are checked, and what can be done with all of them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from .commands import Commands
from .elided import ElidedLabel
from .models import Counts


class ReviewHeader(QWidget):
    """One line: folder, figures, buttons."""

    def __init__(self, commands: Commands, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel()
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.title.setAccessibleName(self.tr("Folder"))
        self.checked = QLabel()
        self.checked.setAccessibleName(self.tr("Photos checked"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.title)
        row.addSpacing(12)
        row.addWidget(self.checked)
        row.addStretch(1)
        for action in (
            commands.undo,
            commands.redo,
            commands.confirm_shown,
            commands.apply,
            commands.export,
            commands.retrain,
        ):
            row.addWidget(commands.button(action))

    def show_folder(self, folder: Path | None) -> None:
        self.title.setText("" if folder is None else str(folder))
        self.checked.clear()

    def show_counts(self, counts: Counts) -> None:
        number = QLocale().toString
        self.checked.setText(
            self.tr("{checked} checked, {changed} changed, {left} to go").format(
                checked=number(counts.reviewed),
                changed=number(counts.corrected),
                left=number(sum(counts.labels) - counts.reviewed),
            )
        )
