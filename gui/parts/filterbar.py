"""Which photos, in which order, how large."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from .icons import set_icon
from .models import Order, ReviewState

SMALLEST, LARGEST = 64, 512  # pixels


class FilterBar(QWidget):
    """A row of fields above the grid.

    Signals:
        filtered: name -> value, of `Filters`.
        arranged: an `Order`.
        left: Enter, Down or Escape in the search field: back to the photos.
        resized: thumbnails, pixels.
    """

    filtered = Signal(dict)
    left = Signal()
    arranged = Signal(object)
    resized = Signal(int)

    def __init__(self, side: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLineEdit()
        self.name.setPlaceholderText(self.tr("Search file names"))
        self.name.setClearButtonEnabled(True)
        self.name.setMaximumWidth(240)
        self.name.setAccessibleName(self.tr("Only names that contain"))
        self.low, self.high = self._percent(0), self._percent(100)
        self.low.setAccessibleName(self.tr("At least so sure"))
        self.high.setAccessibleName(self.tr("At most so sure"))
        self.state = QComboBox()
        for text, state in (
            (self.tr("All"), ReviewState.ANY),
            (self.tr("To check"), ReviewState.OPEN),
            (self.tr("Changed"), ReviewState.CORRECTED),
            (self.tr("Confirmed"), ReviewState.CONFIRMED),
        ):
            self.state.addItem(text, state)
        self.state.setAccessibleName(self.tr("Checked or not"))
        self.order = QComboBox()
        for text, order in (
            (self.tr("Least certain first"), Order.DOUBT),
            (self.tr("Highest probability first"), Order.HIGHEST),
            (self.tr("Lowest probability first"), Order.LOWEST),
            (self.tr("By name"), Order.NAME),
            (self.tr("Newest first"), Order.NEWEST),
            (self.tr("By class"), Order.CLASS),
        ):
            self.order.addItem(text, order)
        self.order.setAccessibleName(self.tr("Order"))
        self.order.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.order.setMinimumContentsLength(11)
        self.order.view().setTextElideMode(Qt.TextElideMode.ElideNone)
        self.thumbnails = QSlider(Qt.Orientation.Horizontal)
        self.thumbnails.setRange(SMALLEST, LARGEST)
        self.thumbnails.setSingleStep(16)
        self.thumbnails.setValue(side)
        self.thumbnails.setMaximumWidth(120)
        self.thumbnails.setAccessibleName(self.tr("Size of thumbnails"))
        self.thumbnails.setToolTip(self.tr("Size of thumbnails"))

        self.popup = self._make_popup()
        self.more = QToolButton()
        self.more.setText(self.tr("Filter"))
        self.more.setAccessibleName(self.tr("Filter"))
        self.more.setToolTip(self.tr("Only photos of which the model is so sure, or that you checked"))
        self.more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more.setCheckable(True)
        self.more.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        set_icon(self.more, "funnel")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(self.name, 2)
        row.addWidget(self.more)
        row.addWidget(self.order)
        row.addWidget(self.thumbnails)

        self.more.clicked.connect(self._open)
        self.name.installEventFilter(self)
        self.name.textChanged.connect(self._filter)
        self.low.valueChanged.connect(self._filter)
        self.high.valueChanged.connect(self._filter)
        self.state.currentIndexChanged.connect(self._filter)
        self.order.currentIndexChanged.connect(self._arrange)
        self.thumbnails.valueChanged.connect(self.resized)

    def _make_popup(self) -> QFrame:
        """What is wanted seldom."""
        popup = QFrame(self, Qt.WindowType.Popup)
        popup.setObjectName("popup")
        sure = QHBoxLayout()
        sure.addWidget(self.low)
        sure.addWidget(_label(self.tr("to"), self.high))
        sure.addWidget(self.high)
        form = QFormLayout(popup)
        form.setContentsMargins(16, 16, 16, 16)
        form.addRow(_label(self.tr("How s&ure"), self.low), sure)
        form.addRow(_label(self.tr("Chec&ked"), self.state), self.state)
        every = QPushButton(self.tr("Clear the filters"))
        every.setAccessibleName(self.tr("Clear the filters"))
        every.clicked.connect(self.clear)
        form.addRow(every)
        return popup

    def _open(self) -> None:
        self.more.setChecked(self.narrow)
        self.popup.adjustSize()
        self.popup.move(self.more.mapToGlobal(self.more.rect().bottomLeft()))
        self.popup.show()
        self.low.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the search field by its keys. Escape clears it first."""
        if watched is self.name and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down, Qt.Key.Key_Escape):
                if key == Qt.Key.Key_Escape:
                    self.name.clear()
                self.left.emit()
                return True
        return super().eventFilter(watched, event)

    def clear(self) -> None:
        """Let everything through again."""
        self.blockSignals(True)
        self.name.clear()
        self.low.setValue(0)
        self.high.setValue(100)
        self.state.setCurrentIndex(0)
        self.blockSignals(False)
        self._filter()

    @property
    def narrow(self) -> bool:
        """Does it hold anything back?"""
        values = self.values()
        return values != {"name": "", "low": 0.0, "high": 1.0, "state": ReviewState.ANY}

    def values(self) -> dict[str, Any]:
        return {
            "name": self.name.text().strip(),
            "low": self.low.value() / 100,
            "high": self.high.value() / 100,
            "state": self.state.currentData(),
        }

    def _filter(self) -> None:
        self.more.setChecked(self.narrow)
        self.filtered.emit(self.values())

    def _arrange(self) -> None:
        self.arranged.emit(self.order.currentData())

    def _percent(self, value: int) -> QSpinBox:
        field = QSpinBox()
        field.setRange(0, 100)
        field.setSingleStep(5)
        field.setSuffix(self.tr(" %"))
        field.setValue(value)
        return field


def _label(text: str, of: QWidget) -> QLabel:
    label = QLabel(text)
    label.setBuddy(of)
    return label
