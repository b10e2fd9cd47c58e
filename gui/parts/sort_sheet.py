"""The sheet that sorts a folder: the form, and the button that names how many photos."""

from __future__ import annotations

from PySide6.QtCore import Signal, SignalInstance, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from .sort_form import SortForm
from .words import counted


class SortSheet(QWidget):
    """The form scrolls where the window is low.

    Signals:
        left: back to where it was opened from.
        submitted: sort.
    """

    left = Signal()
    submitted = Signal()

    def __init__(self, form: SortForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.back_button = self._button(self.tr("&Back"), self.left)
        self.sort_button = self._button(self.tr("&Sort"), self.submitted)
        self.sort_button.setToolTip(self.tr("Sort the photos into a folder for each class"))
        self.sort_button.setDefault(True)
        self.sort_button.setMinimumWidth(140)
        form.submitted.connect(self.submitted)
        form.looked.connect(self._name_sort_button)
        scroll = QScrollArea()
        scroll.setWidget(form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        press = QHBoxLayout()
        press.addWidget(self.back_button)
        press.addStretch(1)
        press.addWidget(self.sort_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll, 1)
        column.addLayout(press)

    def _button(self, text: str, pressed: SignalInstance) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text.replace("&", ""))
        button.clicked.connect(pressed)
        return button

    @Slot()
    def _name_sort_button(self) -> None:
        found = self._form.survey
        text = self.tr("&Sort")
        if found is not None and found.photos:
            text = counted(found.photos, self.tr("&Sort 1 photo"), self.tr("&Sort {n} photos"))
        self.sort_button.setText(text)
        self.sort_button.setAccessibleName(text.replace("&", ""))
