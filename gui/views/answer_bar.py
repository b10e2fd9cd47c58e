"""A row of answers below a photo, each with its key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from .shapes import shape_icon


class AnswerBar(QWidget):
    """Buttons for the classes that have a digit, and for what else can be said of a photo.

    Where there is little room they show their keys alone.

    Signals:
        assigned: the code of a class.
        confirmed: the class shown is right.
        doubted: unsure.
        set_aside: this photo.
        skipped: on to the next photo, without an answer.
    """

    assigned = Signal(int)
    confirmed = Signal()
    doubted = Signal()
    set_aside = Signal()
    skipped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 4, 8, 4)
        self._row.setSpacing(8)
        self._classes: list[QPushButton] = []
        self._for: tuple[tuple[str, ...], dict[int, str]] = ((), {})
        self._texts: dict[QPushButton, tuple[str, str]] = {}  # long and short
        self._row.addStretch(1)
        for key, text, signal in (
            (self.tr("Enter"), self.tr("Right"), self.confirmed),
            ("0", self.tr("Unsure"), self.doubted),
            ("X", self.tr("Set aside"), self.set_aside),
            ("→", self.tr("Skip"), self.skipped),
        ):
            self._row.addWidget(self._button(key, text, signal.emit))
        self._row.addStretch(1)

    def show_classes(self, classes: tuple[str, ...], keys: dict[int, str]) -> None:
        """A button for each class.

        Args:
            keys: the code of a class -> its first key.
        """
        if (classes, keys) == self._for:
            return
        self._for = (classes, keys)
        for button in self._classes:
            self._row.removeWidget(button)
            del self._texts[button]
            button.deleteLater()
        self._classes = []
        for code, key in keys.items():
            if code < len(classes):
                button = self._button(key, classes[code], partial(self.assigned.emit, code))
                button.setIcon(shape_icon(code, len(classes)))
                button.setCheckable(True)
                self._row.insertWidget(1 + len(self._classes), button)
                self._classes.append(button)
        self._fit()

    def show_answer(self, label: int) -> None:
        """Show which class the photo has now. -1 for none."""
        for code, button in enumerate(self._classes):
            button.setChecked(code == label)

    @property
    def buttons(self) -> list[QPushButton]:
        """From left to right."""
        items = (self._row.itemAt(number) for number in range(self._row.count()))
        widgets = [item.widget() for item in items if item is not None]
        return [each for each in widgets if isinstance(each, QPushButton)]

    def _button(self, key: str, text: str, press: Callable[[], None]) -> QPushButton:
        button = QPushButton()
        button.setAccessibleName(text)
        button.setToolTip(f"{text} ({key})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys with the photo
        button.clicked.connect(lambda: press())
        self._texts[button] = (f"{key}  {text}".replace("&", "&&"), key)
        return button

    def minimumSizeHint(self) -> QSize:
        return QSize(64, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Long texts where they all fit, else the keys alone."""
        for which in (0, 1):
            for button, texts in self._texts.items():
                button.setText(texts[which])
            self._row.invalidate()
            if self._row.sizeHint().width() <= self.width():
                return
