"""One window for one person: a second start hands its folder to the first."""

from __future__ import annotations

import getpass
import hashlib
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from ..settings import Settings

WAIT_MS = 1000


class OneInstance(QObject):
    """The first start listens. A later one tells it what to open.

    Args:
        settings: starts with other settings are apart.

    Signals:
        asked: another start wants this folder shown; an empty path for none.
    """

    asked = Signal(Path)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        told = hashlib.sha256(f"{getpass.getuser()} {settings.file}".encode()).hexdigest()[:16]
        self._name = f"sorter-{told}"
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._callers: list[QLocalSocket] = []
        self._server.newConnection.connect(self._hear)

    def claim(self, folder: Path | None) -> bool:
        """True where this is the first start. Another one is told of the folder."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if socket.waitForConnected(WAIT_MS):
            socket.write(str(folder.resolve() if folder else "").encode() + b"\n")
            told = socket.waitForBytesWritten(WAIT_MS)
            socket.disconnectFromServer()
            return not told
        QLocalServer.removeServer(self._name)  # one that crashed may have left its socket
        self._server.listen(self._name)
        return True  # a window that nobody can reach is better than none

    def close(self) -> None:
        self._server.close()

    def _hear(self) -> None:
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            self._callers.append(socket)
            socket.readyRead.connect(self._read)
        self._read()

    def _read(self) -> None:
        for socket in [each for each in self._callers if each.canReadLine()]:
            self._callers.remove(socket)
            self.asked.emit(Path(bytes(socket.readLine().data()).decode().strip()))
