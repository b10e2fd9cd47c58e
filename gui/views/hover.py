"""Keys over the photo under the mouse: its classes, and that the model is right."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from ..parts.icons import picture
from .shapes import shape_icon

PAD = 4  # pixels
LOWEST = 110  # height of a photo, pixels, that leaves room for keys
STYLE = (
    "QToolButton { background: rgba(0, 0, 0, 190); color: white; border: 1px solid #8a8a8a; border-radius: 4px; "
    "padding: 1px 4px; min-height: 18px; } QToolButton:hover { background: #2f6fdf; border-color: white; }"
)


class HoverKeys(QWidget):
    """A row of small buttons. It never has the keyboard's focus: the same is done by keys.

    Signals:
        assigned: the code of a class.
        confirmed: the model is right.
    """

    assigned = Signal(int)
    confirmed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setStyleSheet(STYLE)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self.buttons: list[QToolButton] = []
        self._texts: list[tuple[str, str]] = []  # long and short
        self._for: tuple[tuple[str, ...], dict[int, str]] = ((), {})
        self.hide()

    def show_classes(self, classes: tuple[str, ...], keys: dict[int, str]) -> None:
        """A button for each class that has a key, and one to confirm.

        Args:
            keys: the code of a class -> its first key.
        """
        if (classes, keys) == self._for:
            return
        self._for = (classes, keys)
        for button in self.buttons:
            self._row.removeWidget(button)
            button.deleteLater()
        self.buttons, self._texts = [], []
        for code, key in keys.items():
            if code >= len(classes):
                continue
            name = self.tr("Mark as {label}").format(label=classes[code])
            button = self._add(name, (f"{key} {classes[code]}".replace("&", "&&"), key))
            button.setIcon(shape_icon(code, len(classes)))
            button.clicked.connect(partial(_emit, self.assigned.emit, code))
        confirm = self._add(self.tr("Confirm"), ("", ""))
        confirm.setIcon(QIcon(picture("check", "#ffffff", 16, self.devicePixelRatioF())))
        confirm.clicked.connect(lambda: self.confirmed.emit())

    def _add(self, name: str, texts: tuple[str, str]) -> QToolButton:
        button = QToolButton()
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._row.addWidget(button)
        self.buttons.append(button)
        self._texts.append(texts)
        return button

    def show_over(self, photo: QRect, above: int) -> None:
        """Show them at the foot of a photo, with names or, where it is narrow, without. Hide where there is no room.

        Args:
            above: pixels at the photo's foot that stay free.
        """
        for which in (0, 1):
            for button, texts in zip(self.buttons, self._texts, strict=True):
                button.setText(texts[which])
            self._row.invalidate()
            size = self.sizeHint()
            if size.width() <= photo.width() - 2 * PAD:
                self.setGeometry(
                    photo.x() + PAD, photo.bottom() + 1 - above - size.height(), size.width(), size.height()
                )
                self.setVisible(photo.height() >= LOWEST)
                self.raise_()
                return
        self.hide()


def _emit(emit: Callable[[int], None], code: int, _checked: bool = False) -> None:
    emit(code)
