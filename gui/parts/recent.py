"""Folders that were sorted before, with their state, to open or to continue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sorter.sort.status import FolderStatus, read_status
from sorter.types import SorterError

MOST_CLASSES = 5  # named in one line of the list


@dataclass(frozen=True)
class RecentFolder:
    """An output folder and its state.

    Attributes:
        status: None where its disk is away or its journal cannot be read.
        problem: why there is no status, in the library's words.
        photos_away: the drive with the photos that were sorted is not connected.
    """

    out: Path
    status: FolderStatus | None
    problem: str = ""
    photos_away: bool = False

    @classmethod
    def read(cls, out: Path) -> RecentFolder:
        """Read the state from the disk. May take a moment."""
        try:
            status = read_status(out)
            away = bool(status.inputs) and not any(path.exists() for path in status.inputs)
            return cls(out, status, photos_away=away)
        except (SorterError, OSError) as error:
            return cls(out, None, str(error))


class RecentFolders(QWidget):
    """A list and its buttons.

    Signals:
        opened: a folder to review.
        continued: a folder whose run was stopped, to be continued.
        put_back_wanted: the `FolderStatus` of a folder whose photos are to be put back.
        removed: a folder to be left out of the list. Nothing of it is removed from the disk.
        other_wanted: a folder that is not in the list.
    """

    opened = Signal(Path)
    continued = Signal(Path)
    put_back_wanted = Signal(object)
    removed = Signal(Path)
    other_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._locked = False
        self.title = label = QLabel(self.tr("&Recent"))
        self.empty = QLabel(self.tr("Nothing yet. Folders that you sort into are listed here."))
        self.empty.setWordWrap(True)
        self.empty.setProperty("level", "second")
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Recent output folders"))
        self.list.setAlternatingRowColors(True)
        self.list.setSpacing(3)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemActivated.connect(self._open)
        self.list.currentItemChanged.connect(self._update_buttons)
        label.setBuddy(self.list)
        self.open_button = QPushButton(self.tr("&Open"))
        self.open_button.setAccessibleName(self.tr("Open the chosen folder"))
        self.open_button.clicked.connect(self._open)
        self.continue_button = QPushButton(self.tr("&Continue"))
        self.continue_button.setAccessibleName(self.tr("Continue the run that was stopped"))
        self.continue_button.setToolTip(self.tr("Sort the rest, with the same model and action"))
        self.continue_button.clicked.connect(self._continue)
        self.put_back_button = QPushButton(self.tr("&Put everything back..."))
        self.put_back_button.setAccessibleName(self.tr("Put everything back"))
        self.put_back_button.setToolTip(self.tr("Undo the whole sorting of this folder"))
        self.put_back_button.clicked.connect(self._put_back)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(lambda at: self.menu().popup(self.list.mapToGlobal(at)))
        self.other_button = QPushButton(self.tr("Open other results..."))
        self.other_button.setAccessibleName(self.tr("Open another output folder"))
        self.other_button.clicked.connect(self.other_wanted)
        buttons = QHBoxLayout()
        buttons.addWidget(self.other_button)
        buttons.addStretch(1)
        buttons.addWidget(self.put_back_button)
        buttons.addWidget(self.continue_button)
        buttons.addWidget(self.open_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(label)
        column.addWidget(self.empty)
        column.addWidget(self.list, 100)
        column.addLayout(buttons)
        column.addStretch(1)

    def lock(self, locked: bool) -> None:
        """Open nothing while a run is at work."""
        self._locked = locked
        self.list.setEnabled(not locked)
        self.other_button.setEnabled(not locked)
        self._update_buttons()

    def show_folders(self, folders: list[RecentFolder]) -> None:
        """List these, the first chosen."""
        self.list.clear()
        for each in folders:
            item = QListWidgetItem(f"{_short(each.out)}\n{self._sentence(each)}")
            item.setToolTip(str(each.out))
            item.setData(Qt.ItemDataRole.UserRole, each)
            if each.status is None:
                item.setForeground(self.palette().placeholderText())
            self.list.addItem(item)
        for widget in (self.list, self.title, self.open_button):
            widget.setVisible(bool(folders))
        self.empty.setVisible(not folders)
        if folders:
            self.list.setCurrentRow(0)
        self._update_buttons()

    def _sentence(self, recent: RecentFolder) -> str:
        status = recent.status
        if status is None:
            return self.tr("Drive not connected")
        number = QLocale().toString
        done: Counter[str] = Counter()
        for (kind, what), n in status.marked_counts.items():
            done[what] += n if kind in ("sorted", "unsure") else 0
        done = +done
        parts = [f"{number(n)} {what}" for what, n in done.items()]
        more = ["…"] if len(parts) > MOST_CLASSES else []
        failed = sum(n for (kind, _), n in status.counts.items() if kind == "failed")
        if failed:
            more.append(self.tr("{n} couldn't be read").format(n=number(failed)))
        states = {
            "running": self.tr("Paused at {n} photos").format(n=number(sum(done.values()))),
            "done": self.tr("Sorted"),
            "undone": self.tr("Undone"),
        }
        if recent.photos_away:
            more.append(self.tr("the photos' drive is not connected"))
        return " · ".join((states.get(status.state, status.state), *parts[:MOST_CLASSES], *more))

    @property
    def _current(self) -> RecentFolder | None:
        item = self.list.currentItem()
        recent = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        return recent if isinstance(recent, RecentFolder) else None

    @Slot()
    def _update_buttons(self) -> None:
        recent = self._current
        status = None if recent is None or self._locked else recent.status
        self.open_button.setEnabled(status is not None)
        self.continue_button.setVisible(status is not None and status.state != "done")
        self.continue_button.setEnabled(recent is not None and not recent.photos_away)
        self.put_back_button.setVisible(status is not None and status.filed > 0)

    def menu(self) -> QMenu:
        """What can be done with the chosen folder."""
        menu, recent = QMenu(self), self._current
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button, press in (
            (self.open_button, self._open),
            (self.continue_button, self._continue),
            (self.put_back_button, self._put_back),
        ):
            if not button.isHidden():
                action = menu.addAction(button.text())
                action.setEnabled(button.isEnabled())
                action.triggered.connect(press)
        if recent is not None:
            menu.addSeparator()
            show = menu.addAction(self.tr("&Show in file manager"))
            show.setEnabled(recent.status is not None)
            show.triggered.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(recent.out))))
            remove = menu.addAction(self.tr("&Remove from this list"))
            remove.setEnabled(not self._locked)
            remove.triggered.connect(lambda: self.removed.emit(recent.out))
        return menu

    @Slot()
    def _put_back(self) -> None:
        if self._current is not None and self._current.status is not None and not self._locked:
            self.put_back_wanted.emit(self._current.status)

    @Slot()
    def _open(self) -> None:
        if self._current is not None and not self._locked:
            self.opened.emit(self._current.out)

    @Slot()
    def _continue(self) -> None:
        if self._current is not None and not self._locked:
            self.continued.emit(self._current.out)


def _short(path: Path) -> str:
    """With `~` for the home folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except ValueError:
        return str(path)
