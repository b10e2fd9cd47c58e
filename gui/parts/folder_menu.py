"""The menu of the folder that is open: earlier ones, and what can be done with this one."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMenu, QWidget

from ..settings import Settings
from .commands import Commands
from .icons import set_icon

SHOWN = 9  # earlier folders


class FolderMenu(QMenu):
    """Is filled anew each time it opens.

    Signals:
        opened: a folder to review.
        continued: this folder's run, to be continued.
        removed: this folder, to be left out of the list.
        other_wanted: a folder that is not in the list.
        sorting_wanted: other photos are to be sorted.
    """

    opened = Signal(Path)
    continued = Signal(Path)
    removed = Signal(Path)
    other_wanted = Signal()
    sorting_wanted = Signal()

    def __init__(self, commands: Commands, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._commands = commands
        self._settings = settings
        self.folder: Path | None = None
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List the folders as they are known now."""
        self.clear()
        folder = self.folder
        for number, each in enumerate(self._recent(), 1):
            action = self.addAction(f"&{number}  {_named(each)}", partial(self.opened.emit, each))
            action.setToolTip(str(each))
            set_icon(action, "folder")
        if self.isEmpty():
            self.addAction(self.tr("No folder was sorted yet")).setEnabled(False)
        self.addSeparator()
        set_icon(self.addAction(self.tr("&Sort photos..."), self.sorting_wanted.emit), "plus")
        set_icon(self.addAction(self.tr("&Open results..."), self.other_wanted.emit), "folder-open")
        if folder is not None:
            self.addSeparator()
            self.addAction(self.tr("&Continue sorting"), partial(self.continued.emit, folder))
            self.addActions([self._commands.put_back, self._commands.export])
            self.addAction(self.tr("S&how in file manager"), partial(_show, folder))
            self.addAction(self.tr("&Remove from this list"), partial(self.removed.emit, folder))

    def _recent(self) -> list[Path]:
        return [each for each in self._settings.recent if each != self.folder][:SHOWN]


def _named(folder: Path) -> str:
    """Its name, and that of the folder above."""
    return " / ".join(folder.parts[-2:]).replace("&", "&&")


def _show(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
