"""Beside the grid: the threshold, the classes, and the details of the current photo."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from sorter.model.rule import Rule

from .colours import label_colour, swatch
from .details import Details
from .histogram import HIGHEST, LOWEST, Histogram, threshold_of

WIDTH = 280  # pixels, at least


class SidePanel(QScrollArea):
    """Threshold, buttons of the classes, details.

    Signals:
        moved: the threshold while it is being changed.
        settled: the threshold that is to stay.
        reset: back to the run's own threshold.
        assigned: the code of a class.
        confirmed: the model is right about the selected photos.
        cleared: clear the marks of the selected photos.
    """

    moved = Signal(float)
    settled = Signal(float)
    reset = Signal()
    assigned = Signal(int)
    confirmed = Signal()
    cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMinimumWidth(WIDTH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.addWidget(self._threshold())
        column.addWidget(self._classes())
        column.addWidget(self._details())
        column.addStretch(1)
        self.setWidget(inner)

    def _threshold(self) -> QWidget:
        self._threshold_box = QGroupBox(self.tr("How strict"))
        self.histogram = Histogram()
        self.threshold = QDoubleSpinBox()
        self.threshold.setDecimals(3)
        self.threshold.setSingleStep(0.01)
        self.threshold.setKeyboardTracking(False)
        self.threshold.setAccessibleName(self.tr("Threshold"))
        self.original = QPushButton(self.tr("R&eset"))
        self.original.setToolTip(self.tr("Back to the threshold that the folders were made with"))
        self.original.setAccessibleName(self.tr("Reset the threshold"))
        self.meaning = QLabel()
        self.meaning.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.threshold)
        row.addWidget(self.original)
        row.addStretch(1)
        column = QVBoxLayout(self._threshold_box)
        column.addWidget(self.histogram)
        column.addLayout(row)
        column.addWidget(self.meaning)
        self.histogram.moved.connect(self.moved)
        self.histogram.settled.connect(self.settled)
        self.threshold.valueChanged.connect(self._typed)
        self.original.clicked.connect(self.reset)
        return self._threshold_box

    def _classes(self) -> QWidget:
        self._class_box = QGroupBox(self.tr("Mark as"))
        self._class_column = QVBoxLayout(self._class_box)
        self.class_buttons: list[QPushButton] = []
        self.confirm = QPushButton()
        self.confirm.clicked.connect(self.confirmed)
        self.clear_button = QPushButton(self.tr("Clear my mark"))
        self.clear_button.setAccessibleName(self.tr("Clear my mark"))
        self.clear_button.setToolTip(self.tr("The photos have the model's class again (Delete)"))
        self.clear_button.clicked.connect(self.cleared)
        self._class_column.addWidget(self.confirm)
        self._class_column.addWidget(self.clear_button)
        self.show_confirm(0)
        return self._class_box

    def _details(self) -> QWidget:
        box = QGroupBox(self.tr("Photo"))
        column = QVBoxLayout(box)
        self.details = Details()
        column.addWidget(self.details)
        return box

    # -- what it shows -----------------------------------------------------------------------------------------

    def show_rule(self, rule: Rule, applied: Rule) -> None:
        """The threshold as it is now, and as it was for the folders as they are."""
        binary = rule.binary
        self.histogram.show_rule(rule)
        self.threshold.blockSignals(True)
        self.threshold.setRange(LOWEST if binary else 0.0, HIGHEST if binary else 1.0)
        self.threshold.setValue(threshold_of(rule))
        self.threshold.blockSignals(False)
        self.original.setEnabled(rule != applied)
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
            self._class_column.removeWidget(button)
            button.deleteLater()
        self.class_buttons = []
        for code, label in enumerate(classes):
            known = [key.upper() for key, at in keys.items() if at == code]
            shown = (
                f" {label.replace('&', '&&')}   [{' / '.join(known)}]"
                if known
                else f" {label.replace('&', '&&')}"
            )
            button = QPushButton(shown)
            button.setAccessibleName(self.tr("Mark as {label}").format(label=label))
            colour = label_colour(code, len(classes)).name()
            button.setIcon(swatch(colour))
            button.clicked.connect(lambda _=False, code=code: self.assigned.emit(code))
            self._class_column.insertWidget(code, button)
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

    def _typed(self, value: float) -> None:
        self.moved.emit(value)
        self.settled.emit(value)
