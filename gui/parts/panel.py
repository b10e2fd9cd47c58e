"""Beside the photos: how strict the model is, its guess, the classes, and the facts about the current photo."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from PySide6.QtCore import QLocale, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sorter.model.rule import Rule
from sorter.sort.table import Table

from ..views.shapes import shape_icon
from .class_keys import keys_of
from .details import Details
from .guess import GuessBars
from .histogram import HIGHEST, LOWEST, Histogram, threshold_of
from .icons import set_icon
from .models import Cell
from .theme import GRID

WIDTH = 280  # pixels
COLUMNS = 2  # of class buttons
LONGEST = 12  # letters of a class on its button


class SidePanel(QScrollArea):
    """Threshold, buttons of the classes, details.

    Signals:
        moved: the threshold while it is being changed.
        settled: the threshold that is to stay.
        reset: back to the run's own threshold.
        assigned: the code of a class.
        confirmed: the model is right about the selected photos.
        cleared: clear the marks of the selected photos.
        explained: show what the model saw in the current photo.
    """

    moved = Signal(float)
    settled = Signal(float)
    reset = Signal()
    assigned = Signal(int)
    confirmed = Signal()
    cleared = Signal()
    explained = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFixedWidth(WIDTH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._path: Path | None = None
        self.guess = GuessBars()
        self.explain = self._make_explain()
        self.details = Details()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(GRID)
        column.addWidget(_heading(self.tr("How strict")))
        self._add_threshold(column)
        column.addWidget(_line())
        column.addWidget(_heading(self.tr("Guess")))
        column.addWidget(self.guess)
        column.addWidget(self.explain, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(_line())
        column.addWidget(_heading(self.tr("Mark as")))
        self._add_classes(column)
        column.addWidget(_line())
        column.addWidget(_heading(self.tr("Photo")))
        column.addWidget(self.details)
        column.addLayout(self._make_file_buttons())
        column.addStretch(1)
        self.setWidget(inner)

    def _make_explain(self) -> QToolButton:
        button = QToolButton()
        button.setText(self.tr("What it saw"))
        button.setAccessibleName(self.tr("What it saw"))
        button.setToolTip(self.tr("Show which places of the photo speak for the guess (H)"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setEnabled(False)
        button.clicked.connect(self.explained)
        set_icon(button, "fire")
        return button

    def allow_explaining(self, model: Path | None) -> None:
        """Only a model that is still there tells what it saw."""
        self.explain.setEnabled(model is not None and model.is_dir())

    def _add_threshold(self, column: QVBoxLayout) -> None:
        self.histogram = Histogram()
        self.threshold = QDoubleSpinBox()
        self.threshold.setDecimals(3)
        self.threshold.setSingleStep(0.01)
        self.threshold.setKeyboardTracking(False)
        self.threshold.setAccessibleName(self.tr("Threshold"))
        self.original = QPushButton(self.tr("R&eset"))
        self.original.setToolTip(self.tr("Back to the threshold that the folders were made with"))
        self.original.setAccessibleName(self.tr("Reset the threshold"))
        self.changes = QLabel()
        self.changes.setAccessibleName(self.tr("Photos that it changes"))
        self.meaning = QLabel()
        self.meaning.setWordWrap(True)
        self.meaning.setProperty("level", "second")
        row = QHBoxLayout()
        row.addWidget(self.threshold)
        row.addWidget(self.changes, 1)
        row.addWidget(self.original)
        column.addWidget(self.histogram)
        column.addLayout(row)
        column.addWidget(self.meaning)
        self.histogram.moved.connect(self.moved)
        self.histogram.settled.connect(self.settled)
        self.threshold.valueChanged.connect(self._typed)
        self.original.clicked.connect(self.reset)

    def _add_classes(self, column: QVBoxLayout) -> None:
        self._class_grid = QGridLayout()
        self._class_grid.setSpacing(4)
        self.class_buttons: list[QPushButton] = []
        self.confirm = QPushButton()
        self.confirm.clicked.connect(self.confirmed)
        set_icon(self.confirm, "check")
        self.clear_button = QPushButton(self.tr("Clear"))
        self.clear_button.setAccessibleName(self.tr("Clear my mark"))
        self.clear_button.setToolTip(self.tr("The photos have the model's class again (Delete)"))
        self.clear_button.clicked.connect(self.cleared)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.confirm, 2)
        row.addWidget(self.clear_button, 1)
        column.addLayout(self._class_grid)
        column.addLayout(row)
        self.show_confirm(0)

    def _make_file_buttons(self) -> QHBoxLayout:
        """What the desktop can do with the photo's file."""
        row = QHBoxLayout()
        row.setSpacing(4)
        self.file_buttons: list[QToolButton] = []
        for name, text, act in (
            ("folder-open", self.tr("Show in folder"), self._show_in_folder),
            ("copy", self.tr("Copy path"), self._copy_path),
            ("arrow-square-out", self.tr("Open in another app"), self._open_elsewhere),
        ):
            button = QToolButton()
            button.setAccessibleName(text)
            button.setToolTip(text)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(act)
            set_icon(button, name)
            row.addWidget(button)
            self.file_buttons.append(button)
        row.addStretch(1)
        return row

    # -- the photo ---------------------------------------------------------------------------------------------

    def show_photo(self, table: Table, cell: Cell) -> None:
        """Show all that is known of one photo, but what has to be read from its file first."""
        self._path = table.path(cell.row)
        self.details.show_photo(table, cell)
        self.guess.show_guesses(table.likely(cell.row), table.labels, cell.predicted)
        for button in self.file_buttons:
            button.setEnabled(True)

    def clear(self) -> None:
        """There is no photo."""
        self._path = None
        self.details.clear()
        self.guess.clear()
        for button in self.file_buttons:
            button.setEnabled(False)

    def _show_in_folder(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path.parent)))

    def _copy_path(self) -> None:
        if self._path is not None:
            QGuiApplication.clipboard().setText(str(self._path))

    def _open_elsewhere(self) -> None:
        if self._path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._path)))

    # -- what it shows -----------------------------------------------------------------------------------------

    def show_rule(self, table: Table, applied: Rule) -> None:
        """The threshold as it is now, and as it was for the folders as they are."""
        rule = table.rule
        binary = rule.binary
        self.histogram.show_rule(rule)
        self.threshold.blockSignals(True)
        self.threshold.setRange(LOWEST if binary else 0.0, HIGHEST if binary else 1.0)
        self.threshold.setValue(threshold_of(rule))
        self.threshold.blockSignals(False)
        self.original.setEnabled(rule != applied)
        self.changes.setText("" if rule == applied else self._changed(table, applied))
        if binary:
            other = next(each for each in rule.classes if each != rule.positive)
            text = self.tr(
                "Photos to the right of the line are “{positive}”, those to the left “{other}”."
            ).format(positive=rule.positive, other=other)
        else:
            text = self.tr("Photos the model is less sure of than this go to “unsure”.")
        self.meaning.setText(text)

    def show_classes(self, classes: tuple[str, ...], keys: dict[str, int]) -> None:
        """A button for each class, with its keys."""
        for button in self.class_buttons:
            self._class_grid.removeWidget(button)
            button.deleteLater()
        self.class_buttons = []
        for code, label in enumerate(classes):
            known = keys_of(keys).get(code, [])
            text = label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
            text = text.replace("&", "&&")
            button = QPushButton(f"{known[0]}  {text}" if known else text)
            button.setAccessibleName(self.tr("Mark as {label}").format(label=label))
            button.setToolTip(f"{label}  [{' / '.join(known)}]" if known else label)
            button.setIcon(shape_icon(code, len(classes)))
            button.clicked.connect(lambda _=False, code=code: self.assigned.emit(code))
            self._class_grid.addWidget(button, code // COLUMNS, code % COLUMNS)
            self.class_buttons.append(button)
        order = [self.original, *self.class_buttons, self.confirm, self.clear_button]  # as they stand
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def show_confirm(self, selected: int) -> None:
        """Name the button by how many photos it confirms."""
        number = QLocale().toString(selected)
        text = (
            self.tr("&Confirm {number} selected").format(number=number)
            if selected > 1
            else self.tr("&Confirm")
        )
        self.confirm.setText(text)
        self.confirm.setAccessibleName(text.replace("&", ""))
        self.confirm.setToolTip(self.tr("The model is right about the selected photos (Ctrl+R)"))
        self.confirm.setEnabled(selected > 0)

    def _changed(self, table: Table, applied: Rule) -> str:
        """How many photos that nobody marked have another label than before, such as `+12 car`."""
        before, now = table.labels_of(applied), table.predicted
        open_ = ~table.checked
        gained = np.bincount(now[open_ & (now >= 0)], minlength=len(table.labels))
        gained = gained - np.bincount(before[open_ & (before >= 0)], minlength=len(table.labels))
        most = int(gained.argmax())
        number = QLocale().toString(int(gained[most]))
        return f"+{number} {table.labels[most]}" if gained[most] > 0 else self.tr("no change")

    def _typed(self, value: float) -> None:
        self.moved.emit(value)
        self.settled.emit(value)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("level", "heading")
    return label


def _line() -> QFrame:
    line = QFrame()
    line.setObjectName("line")
    line.setFixedHeight(1)
    return line
