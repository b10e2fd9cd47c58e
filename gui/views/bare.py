"""Nothing but one widget: everything else of its window is hidden until it is asked for again."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget


class BareView(QObject):
    """Hides what stands beside a widget, at every level up to its window, and fills the screen."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._hidden: list[QWidget] = []
        self._state: Qt.WindowState | None = None

    @property
    def on(self) -> bool:
        return self._state is not None

    def toggle(self) -> None:
        if self.on:
            self.leave()
        else:
            self.enter()

    def enter(self) -> None:
        if self.on:
            return
        window = self._widget.window()
        self._state = window.windowState()
        widget = self._widget
        while widget is not window:
            parent = widget.parentWidget()
            for beside in parent.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
                if beside is not widget and not beside.isWindow() and beside.isVisible():
                    beside.hide()
                    self._hidden.append(beside)
            widget = parent
        window.setWindowState(self._state | Qt.WindowState.WindowFullScreen)

    def leave(self) -> None:
        if self._state is not None:
            for beside in self._hidden:
                beside.show()
            self._hidden = []
            self._widget.window().setWindowState(self._state)
            self._state = None
