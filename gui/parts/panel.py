"""Beside the grid: the threshold, what the photo is, and what is known of it."""

from __future__ import annotations

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
from sorter.sort.table import is_binary

from .colours import label_colour, swatch
from .histogram import HIGHEST, LOWEST, Histogram, threshold_of
from .preview import Details

WIDTH = 280  # pixels, at least


class SidePanel(QScrollArea):
    """Threshold, buttons of the classes, details.

    Signals:
        moved: the threshold while it is being changed.
        settled: the threshold that is to stay.
        reset: back to the run's own threshold.
        assigned: the code of a class.
        confirmed: all of these are right.
        cleared: take back what was said.
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
        self._threshold_box = QGroupBox(self.tr("Threshold"))
        self.histogram = Histogram()
        self.threshold = QDoubleSpinBox()
        self.threshold.setDecimals(3)
        self.threshold.setSingleStep(0.01)
        self.threshold.setKeyboardTracking(False)
        self.threshold.setAccessibleName(self.tr("Threshold"))
        self.original = QPushButton(self.tr("As it &was"))
        self.original.setToolTip(self.tr("Back to the threshold that the folders were made with"))
        self.original.setAccessibleName(self.tr("Threshold as it was"))
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
        self._class_box = QGroupBox(self.tr("This is"))
        self._class_column = QVBoxLayout(self._class_box)
        self.class_buttons: list[QPushButton] = []
        self.confirm = QPushButton()
        self.confirm.clicked.connect(self.confirmed)
        self.clear_button = QPushButton(self.tr("Take back what I said"))
        self.clear_button.setAccessibleName(self.tr("Take back what I said"))
        self.clear_button.setToolTip(self.tr("The photos are again what the model says (Delete)"))
        self.clear_button.clicked.connect(self.cleared)
        self._class_column.addWidget(self.confirm)
        self._class_column.addWidget(self.clear_button)
        self.show_confirm(0, False)
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
        binary = is_binary(rule)
        self.histogram.show_rule(rule)
        self.threshold.blockSignals(True)
        self.threshold.setRange(LOWEST if binary else 0.0, HIGHEST if binary else 1.0)
        self.threshold.setValue(threshold_of(rule))
        self.threshold.blockSignals(False)
        self.original.setEnabled(rule != applied)
        if binary:
            other = next(each for each in rule.classes if each != rule.positive)
            text = self.tr("From here on a photo is {positive}, below it {other}.").format(
                positive=rule.positive, other=other
            )
        else:
            text = self.tr("Less probable photos are set apart as unsure.")
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
            button.setAccessibleName(self.tr("This is {label}").format(label=label))
            colour = label_colour(code, len(classes)).name()
            button.setIcon(swatch(colour))
            button.clicked.connect(lambda _=False, code=code: self.assigned.emit(code))
            self._class_column.insertWidget(code, button)
            self.class_buttons.append(button)

    def show_confirm(self, photos: int, selected: bool) -> None:
        """How many photos "all of these" are."""
        number = QLocale().toString(photos)
        if selected:
            text = self.tr("All selected are &right  ({number})").format(number=number)
        else:
            text = self.tr("All shown are &right  ({number})").format(number=number)
        self.confirm.setText(text)
        self.confirm.setAccessibleName(text.replace("&", ""))
        self.confirm.setToolTip(
            self.tr("Say that the model is right about these; corrected ones stay corrected")
        )
        self.confirm.setEnabled(photos > 0)

    def _typed(self, value: float) -> None:
        self.moved.emit(value)
        self.settled.emit(value)
