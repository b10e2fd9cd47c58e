"""What the desktop shows of a job: progress on the task bar, a notification at the end. Nothing where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QSystemTrayIcon

from ..tasks import Advanced
from .theme import app_icon

APP = "application://sorter.desktop"
LAUNCHER = "com.canonical.Unity.LauncherEntry"  # GNOME's dock, KDE and Unity read it
SHOWN_MS = 6000
Send = Callable[[dict[str, Any]], None]


class Desktop(QObject):
    """Tells the desktop.

    Args:
        send: sends a change of the launcher's entry; None for the session's bus, where there is one.
    """

    def __init__(self, send: Send | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._send = send or _bus()
        self._tray: QSystemTrayIcon | None = None
        self._shown = -1  # percent

    @Slot(object)
    def show_progress(self, record: object) -> None:
        """Show how far a job is."""
        if isinstance(record, Advanced) and record.total:
            percent = 100 * record.done // record.total
            if percent != self._shown:
                self._shown = percent
                self._tell({"progress": percent / 100, "progress-visible": True})

    def end(self) -> None:
        """No job runs any more."""
        if self._shown >= 0:
            self._shown = -1
            self._tell({"progress": 0.0, "progress-visible": False})

    def notify(self, title: str, text: str) -> bool:
        """Show a notification. False where the desktop has none."""
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            return False
        if self._tray is None:
            self._tray = QSystemTrayIcon(app_icon(), self)
        self._tray.show()
        self._tray.showMessage(title, text, app_icon(), SHOWN_MS)
        return True

    def _tell(self, change: dict[str, Any]) -> None:
        if self._send is not None:
            self._send(change)


def _bus() -> Send | None:
    """How the session's bus is told. None where there is no bus."""
    try:
        from PySide6.QtDBus import QDBusConnection, QDBusMessage
    except ImportError:
        return None
    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return None

    def send(change: dict[str, Any]) -> None:
        message = QDBusMessage.createSignal("/", LAUNCHER, "Update")
        message.setArguments([APP, change])
        bus.send(message)

    return send
