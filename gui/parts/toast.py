"""A notice that lies over what is being looked at, so that nothing moves under the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from .icons import set_icon
from .progress import Notice
from .theme import GRID

SHOWN_MS = 6000
WIDEST = 640  # pixels


class Toast(Notice):
    """Goes by itself after six seconds. An error stays until it is closed or the next sentence comes.

    Args:
        host: the widget that it lies over.
        above: at the host's upper edge, not at its lower one.
    """

    def __init__(self, host: QWidget, above: bool = False) -> None:
        super().__init__(host)
        self._host = host
        self._above = above
        self._held = False  # under the mouse: whoever is about to press its button has time to
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setObjectName("toast")
        self.close_button = QToolButton()
        self.close_button.setAccessibleName(self.tr("Close the message"))
        self.close_button.clicked.connect(self.clear)
        set_icon(self.close_button, "x")
        row = self.layout()
        assert row is not None
        row.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        row.setSpacing(GRID)
        row.addWidget(self.close_button)
        for button in (self.button, self.close_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys with the photos
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.going = QTimer(self)
        self.going.setSingleShot(True)
        self.going.setInterval(SHOWN_MS)
        self.going.timeout.connect(self.clear)
        host.installEventFilter(self)

    def lie_over(self, host: QWidget) -> None:
        """Lie over another widget from now on."""
        self._host.removeEventFilter(self)
        self._host = host
        self.setParent(host)
        host.installEventFilter(self)

    def clear(self) -> None:
        self.going.stop()
        super().clear()

    def on_shown(self, error: bool) -> None:
        self._place()
        self.raise_()
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
        if error:
            self.going.stop()
        else:
            self.going.start()

    def enterEvent(self, event: QEvent) -> None:
        self._held = self.going.isActive()
        self.going.stop()

    def leaveEvent(self, event: QEvent) -> None:
        if self._held and not self.isHidden():
            self.going.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        """In the middle, a little away from the edge."""
        row = self.layout()
        assert row is not None
        wanted = (
            row.sizeHint().width() + self.text.fontMetrics().horizontalAdvance(self.text.text()) + 2 * GRID
        )
        width = max(1, min(wanted, WIDEST, self._host.width() - 4 * GRID))
        self.setFixedSize(width, max(row.heightForWidth(width), row.minimumSize().height()))
        left = (self._host.width() - width) // 2
        top = 2 * GRID if self._above else self._host.height() - self.height() - 2 * GRID
        self.move(QPoint(left, top))
