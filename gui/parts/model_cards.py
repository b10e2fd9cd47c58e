"""Models as cards, one of them chosen."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QMenu, QWidget

from sorter.model.folder import Model, shipped_model

from .model_shelf import ModelShelf
from .tile import Tile

COLUMNS = 3


class ModelCards(QWidget):
    """A card for each model, with its classes.

    Signals:
        changed: another one is chosen.
        more_wanted: add photos to the classes of this model, which was taught here.
        removed: this model is not wanted any more.
    """

    changed = Signal()
    more_wanted = Signal(Path)
    removed = Signal(Path)

    def __init__(self, shelf: ModelShelf, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._folders: list[Path] = []
        self._tiles: list[Tile] = []
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._group.idClicked.connect(lambda _: self.changed.emit())
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)

    @property
    def folders(self) -> list[Path]:
        """Of the models, as listed."""
        return list(self._folders)

    @property
    def titles(self) -> list[str]:
        return [tile.accessibleName() for tile in self._tiles]

    @property
    def chosen(self) -> Path:
        return self._folders[max(self._group.checkedId(), 0)]

    def choose(self, folder: Path) -> None:
        if folder in self._folders:
            self._tiles[self._folders.index(folder)].setChecked(True)

    def fill(self, current: Path | None = None) -> None:
        """List the models anew. The chosen one stays so, unless another is named."""
        current = current or (self.chosen if self._folders else None)
        for tile in self._tiles:
            self._group.removeButton(tile)
            tile.hide()
            tile.deleteLater()
        models = self._shelf.models()
        self._folders, self._tiles = [each.folder for each in models], []
        for number, model in enumerate(models):
            self._add(number, model)
        self._tiles[0].setChecked(True)
        if current is not None:
            self.choose(current)

    def _add(self, number: int, model: Model) -> None:
        title, text = self._title(model), self._classes(model)
        tile = Tile(title, text, lines=2)
        if title in self.titles:  # another copy of it
            tile.setAccessibleName(f"{title} – {model.folder}")
            tile.describe(title, f"{text}\n{model.folder.parent}")
            tile.setAccessibleName(f"{title} – {model.folder}")
        tile.setCheckable(True)
        tile.setToolTip(str(model.folder))
        tile.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tile.customContextMenuRequested.connect(partial(self._open_menu, tile, model.folder))
        self._tiles.append(tile)
        self._group.addButton(tile, number)
        self._grid.addWidget(tile, number // COLUMNS, number % COLUMNS)

    def _title(self, model: Model) -> str:
        return self.tr("Cars") if model.folder == shipped_model() else model.name

    def _classes(self, model: Model) -> str:
        if model.folder == shipped_model():
            return self.tr("Finds photos of cars")
        return ", ".join(model.classes)

    @Slot(QPoint)
    def _open_menu(self, tile: Tile, folder: Path, at: QPoint) -> None:
        self.menu(folder).popup(tile.mapToGlobal(at))

    def menu(self, folder: Path) -> QMenu:
        """What can be done with a model."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._shelf.examples(folder):
            more = menu.addAction(self.tr("&Add photos to its classes..."))
            more.triggered.connect(lambda: self.more_wanted.emit(folder))
        show = menu.addAction(self.tr("&Show in file manager"))
        show.triggered.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        if folder != shipped_model():
            own = self._shelf.is_own(folder)
            remove = menu.addAction(self.tr("&Throw away") if own else self.tr("&Remove from this list"))
            remove.triggered.connect(lambda: self.removed.emit(folder))
        return menu
