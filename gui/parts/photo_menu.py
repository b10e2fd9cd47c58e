"""The menu of the selected photos, by the right mouse button or the menu key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QMenu, QWidget

from ..views.shapes import shape_icon
from .class_keys import keys_of
from .commands import Commands
from .file_manager import show_in_folder
from .grid import PhotoGrid
from .icons import set_icon


class PhotoMenu(QMenu):
    """What can be done with the selected photos of the grid.

    Args:
        place: of the current photo in the list, where there is one.
    """

    def __init__(self, commands: Commands, grid: PhotoGrid, place: int | None, parent: QWidget) -> None:
        super().__init__(parent)
        self._grid = grid
        table = grid.photos.table
        path = None if place is None or table is None else table.path(grid.photos.row(place))
        self._add_classes()
        self.addSeparator()
        self.addAction(commands.confirm)
        self._add(self.tr("&Unsure"), "question", grid.doubted.emit, "0")
        self._add(self.tr("Set &aside"), "tray", grid.set_aside.emit, "X")
        self.addAction(commands.clear)
        self.addSeparator()
        self.addActions([commands.single_view, commands.compare_view])
        self.addSeparator()
        for text, icon, act in (
            (self.tr("&Show in file manager"), "folder-open", show_in_folder),
            (self.tr("&Open in another program"), "arrow-square-out", _open),
        ):
            action = self._add(text, icon, partial(_do, act, path))
            action.setEnabled(path is not None)
        self.addAction(commands.copy_paths)

    def _add_classes(self) -> None:
        table = self._grid.photos.table
        classes = () if table is None else table.labels[:-1]
        keys = keys_of(self._grid.keys)
        for code, label in enumerate(classes):
            # In the context of translations that had the menu before it was a class.
            text = QCoreApplication.translate("photo_menu", "Mark as {label}")
            text = text.format(label=label.replace("&", "&&"))
            action = self.addAction(shape_icon(code, len(classes)), text)
            if code in keys:
                action.setText(f"{text}  [{keys[code][0]}]")
            action.triggered.connect(lambda _=False, code=code: self._grid.assigned.emit(code))

    def _add(self, text: str, icon: str, act: Callable[[], object], key: str = "") -> QAction:
        action = self.addAction(f"{text}  [{key}]" if key else text)
        set_icon(action, icon)
        action.triggered.connect(lambda _=False: act())
        return action


def _do(act: Callable[[Path], None], path: Path | None) -> None:
    if path is not None:
        act(path)


def _open(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
