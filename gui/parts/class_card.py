"""A class that is being taught: its name, and the photos that show it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sorter.photos.dataset import MIN_EXAMPLES
from sorter.train.teach import TaughtClass, find_photos
from sorter.types import Photo, SorterError

from ..worker import Jobs
from .drop import DropFrame, dropped_paths
from .photo_strip import PhotoStrip
from .thumbnails import Thumbnails
from .words import reworded

ENOUGH = 10  # photos of a class that are asked for


class ClassCard(DropFrame):
    """Takes photos and folders that are dropped on it.

    Signals:
        changed: another name, or other photos.
        removed: the class is not wanted any more.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, jobs: Jobs, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._photos: dict[Path, Photo] = {}
        self.setAcceptDrops(True)
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name of the class"))
        self.name.setPlaceholderText(self.tr("Name, such as: Beach"))
        self.name.textChanged.connect(self.changed)
        self.count = QLabel()
        self.count.setAccessibleName(self.tr("Photos of this class"))
        self.files_button = self._button(self.tr("Add &photos..."), self.tr("Add photos of this class"))
        self.files_button.clicked.connect(self.choose_files)
        self.folder_button = self._button(
            self.tr("Add a &folder..."), self.tr("Add a folder of photos of this class")
        )
        self.folder_button.clicked.connect(self.choose_folder)
        self.remove_button = self._button(self.tr("Remove"), self.tr("Remove this class"))
        self.remove_button.clicked.connect(self.removed)
        self.strip = PhotoStrip(thumbnails, self.tr("Photos of this class"))
        self.strip.removed.connect(self.remove_photos)
        self._lay_out()
        self._show()

    def _button(self, text: str, name: str) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(name)
        return button

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.name, 1)
        top.addWidget(self.count)
        for button in (self.files_button, self.folder_button, self.remove_button):
            top.addWidget(button)
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(self.strip)

    @property
    def photos(self) -> tuple[Path, ...]:
        return tuple(self._photos)

    @property
    def taught(self) -> TaughtClass:
        return TaughtClass(self.name.text().strip(), self.photos)

    @property
    def enough(self) -> bool:
        """Can it be learned?"""
        return len(self._photos) >= MIN_EXAMPLES

    # -- adding ------------------------------------------------------------------------------------------------

    @Slot()
    def choose_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, self.tr("Photos of this class"))
        self.add([Path(each) for each in paths])

    @Slot()
    def choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A folder of photos of this class"))
        if folder:
            self.add([Path(folder)])

    def add(self, paths: list[Path]) -> None:
        """Add photos, and all photos of folders. A folder's name is the class's name where it has none."""
        if not paths:
            return
        if not self.name.text() and paths[0].is_dir():
            self.name.setText(paths[0].name)
        self.count.setText(self.tr("Looking..."))
        self._jobs.later(lambda: find_photos(tuple(paths)), self._add)

    def _add(self, found: tuple[Photo, ...] | SorterError | OSError) -> None:
        if isinstance(found, tuple):
            self._photos |= {photo.path: photo for photo in found}
            self._show()
        else:
            self.count.setText(reworded(str(found)))

    @Slot(list)
    def remove_photos(self, paths: list[Path]) -> None:
        """They are no examples. The files stay."""
        for path in paths:
            self._photos.pop(path, None)
        self._show()

    def _show(self) -> None:
        count = len(self._photos)
        number = QLocale().toString
        if not count:
            text = self.tr("Drop photos or a folder here")
        elif count < MIN_EXAMPLES:
            one, many = self.tr("1 photo, {more} more needed"), self.tr("{count} photos, {more} more needed")
            text = (one if count == 1 else many).format(
                count=number(count), more=number(MIN_EXAMPLES - count)
            )
        elif count < ENOUGH:
            text = self.tr("{count} photos, {enough} are better").format(
                count=number(count), enough=number(ENOUGH)
            )
        else:
            text = self.tr("{count} photos").format(count=number(count))
        self.count.setText(text)
        self.strip.show_photos(tuple(self._photos.values()))
        self.changed.emit()

    # -- dropping ----------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_paths(event):
            self.light_up(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: object) -> None:
        self.light_up(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.light_up(False)
        event.acceptProposedAction()
        self.add(dropped_paths(event))
