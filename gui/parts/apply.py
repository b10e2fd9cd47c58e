"""The moves that Apply would make, shown before it makes them."""

from __future__ import annotations

import os
from collections import Counter

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sorter.sort.review import Move

SHOWN = 500  # moves that are listed one by one


class ApplyDialog(QDialog):
    """Sums and single moves. Accepted when the person says so."""

    def __init__(self, moves: list[Move], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Move photos"))
        number = QLocale().toString
        sentence = QLabel(
            self.tr(
                "Photos that will move to another folder: {count}. "
                "Nothing is overwritten, and “Undo the last move” moves them back."
            ).format(count=number(len(moves)))
        )
        sentence.setWordWrap(True)
        sums = Counter((move.before, move.after) for move in moves)
        self.sums = self._table(
            (self.tr("From"), self.tr("To"), self.tr("Photos")),
            [(before, after, number(count)) for (before, after), count in sums.most_common()],
        )
        self.sums.setAccessibleName(self.tr("Photos by folder"))
        self.moves = self._table(
            (self.tr("File"), self.tr("From"), self.tr("To")),
            [(os.fspath(move.path.name), move.before, move.after) for move in moves[:SHOWN]],
        )
        self.moves.setAccessibleName(self.tr("Single photos"))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        go = self.buttons.addButton(self.tr("&Move"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(sentence)
        column.addWidget(self.sums)
        column.addWidget(self.moves, 1)
        if len(moves) > SHOWN:
            rest = self.tr("and {count} more").format(count=number(len(moves) - SHOWN))
            column.addWidget(QLabel(rest))
        column.addWidget(self.buttons)
        self.sums.setMaximumHeight(min(180, self.sums.verticalHeader().length() + 40))
        self.resize(560, 480)
        go.setDefault(True)  # only a button that lies in the dialog can be its default
        go.setFocus()

    def _table(self, titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> QTableWidget:
        table = QTableWidget(len(rows), len(titles))
        table.setHorizontalHeaderLabels(list(titles))
        table.verticalHeader().hide()
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                table.setItem(row, column, item)
        return table
