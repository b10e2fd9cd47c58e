"""A row of small pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QImage, QKeySequence, QPixmap, QShortcut
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QWidget

from sorter.types import Photo

from .thumbnails import Thumbnails

SIDE = 72  # pixels
MOST = 100  # pictures that are shown


class PhotoStrip(QListWidget):
    """Thumbnails side by side, to be looked at, and to be removed where that is allowed.

    Signals:
        removed: paths, after Delete.
    """

    removed = Signal(list)

    def __init__(self, thumbnails: Thumbnails, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._waiting: dict[int, Photo] = {}  # by place
        self.setAccessibleName(name)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setSpacing(4)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setProperty("strip", True)
        self.viewport().setAutoFillBackground(False)
        self.setFixedHeight(SIDE + 32)
        thumbnails.ready.connect(self._fill)
        delete = QShortcut(QKeySequence.StandardKey.Delete, self)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.remove_selected)

    def show_photos(self, photos: Sequence[Photo], tips: Sequence[str] = ()) -> None:
        """Show the first of these. `tips` stand in place of their paths."""
        self.clear()
        shown = photos[:MOST]
        self._waiting = dict(enumerate(shown))
        blank = QPixmap(SIDE, SIDE)
        blank.fill(Qt.GlobalColor.transparent)
        for place, photo in enumerate(shown):
            item = QListWidgetItem(QIcon(blank), "")
            tip = tips[place] if place < len(tips) else str(photo.path)
            item.setToolTip(tip)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, tip if tips else photo.path.name)
            item.setData(Qt.ItemDataRole.UserRole, photo.path)
            self.addItem(item)
        self._fill()

    @property
    def paths(self) -> list[Path]:
        """Of what is shown."""
        return [self.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.count())]

    @property
    def complete(self) -> bool:
        """Is every picture there?"""
        return not self._waiting

    @Slot()
    def _fill(self) -> None:
        for place, photo in list(self._waiting.items()):
            image = self._thumbnails.get(
                (os.fsencode(photo.path), photo.size, photo.mtime_ns), Path(photo.path)
            )
            if image is not None:
                del self._waiting[place]
                self.item(place).setIcon(QIcon(_square(image)))

    @Slot()
    def remove_selected(self) -> None:
        paths = [item.data(Qt.ItemDataRole.UserRole) for item in self.selectedItems()]
        if paths:
            self.removed.emit(paths)


def _square(image: QImage) -> QPixmap:
    """The middle of a picture, filling the square. Grey where it could not be decoded."""
    if image.isNull():
        blank = QPixmap(SIDE, SIDE)
        blank.fill(Qt.GlobalColor.gray)
        return blank
    mode, smooth = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    filled = image.scaled(2 * SIDE, 2 * SIDE, mode, smooth)  # sharp at a scale factor of 2
    left, top = (filled.width() - 2 * SIDE) // 2, (filled.height() - 2 * SIDE) // 2
    return QPixmap.fromImage(filled.copy(left, top, 2 * SIDE, 2 * SIDE))
