"""The photos that a training held out, with the classes that the old and the new model give them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPixmap
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from sorter.train.retrain import HeldOutPhoto

from .thumbnails import Key, Thumbnails

SIDE = 72  # pixels, of a thumbnail
PHOTO, RIGHT, BEFORE, AFTER = range(4)
Index = QModelIndex | QPersistentModelIndex


class HeldOutModel(QAbstractTableModel):
    """A row for each photo: those first that a person corrected, and of these those that are still wrong."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._thumbnails.ready.connect(self._repaint)
        self.photos: list[HeldOutPhoto] = []

    def show(self, photos: Sequence[HeldOutPhoto]) -> None:
        self.beginResetModel()
        self.photos = sorted(photos, key=lambda each: (not each.corrected, each.after == each.label))
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.photos)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 4

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or orientation is Qt.Orientation.Vertical:
            return None
        return (self.tr("Photo"), self.tr("You say"), self.tr("Before"), self.tr("After"))[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        each = self.photos[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(each, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(each.path)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == PHOTO:
            return self._picture(each.path)
        if role == Qt.ItemDataRole.SizeHintRole and index.column() == PHOTO:
            return QSize(SIDE + 8, SIDE + 6)
        return None

    def _text(self, each: HeldOutPhoto, column: int) -> str:
        if column == PHOTO:
            return each.path.name
        if column == RIGHT:
            return (
                each.label if each.corrected else self.tr("{label} (not corrected)").format(label=each.label)
            )
        predicted = each.before if column == BEFORE else each.after
        if predicted is None:
            return self.tr("could not be read")
        return f"{'✓' if predicted == each.label else '✗'}  {predicted}"

    def _picture(self, path: Path) -> QPixmap:
        image = None
        try:
            status = path.stat()
            key: Key = (os.fsencode(path), status.st_size, status.st_mtime_ns)
            image = self._thumbnails.get(key, path)
        except OSError:
            image = QImage()
        if image is None or image.isNull():
            blank = QPixmap(SIDE, SIDE)
            blank.fill(QColor(128, 128, 128, 60))
            return blank
        size = QSize(SIDE, SIDE)
        mode, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        return QPixmap.fromImage(image.scaled(size, mode, smooth))

    def _repaint(self) -> None:
        if self.photos:
            first, last = self.index(0, PHOTO), self.index(len(self.photos) - 1, PHOTO)
            self.dataChanged.emit(first, last, [Qt.ItemDataRole.DecorationRole])


class HeldOutTable(QTableView):
    """Read-only. One row a photo."""

    def __init__(self, model: HeldOutModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setAccessibleName(self.tr("Photos held out, before and after"))
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setIconSize(QSize(SIDE, SIDE))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(SIDE + 6)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
