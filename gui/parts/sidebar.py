"""The left side of the window: what to do, the classes, what to clean up, and the model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QMenu, QVBoxLayout, QWidget

from sorter.sort.table import Table

from ..views.shapes import shape_icon
from .class_keys import keys_of
from .entries import (
    ADD,
    AGAIN,
    ALL,
    ASIDE,
    DUPLICATES,
    ENTRY,
    FAILED,
    HEADING,
    OPEN,
    SIMILAR,
    SKIPPED,
    EntryDelegate,
    EntryModel,
    SidebarEntry,
)
from .grid import PHOTOS
from .model_card import ModelCard
from .models import Counts

WIDE, NARROW = 220, 56  # pixels


class Sidebar(QFrame):
    """Chooses which photos are shown, and takes photos that are dropped on a class.

    Signals:
        chosen: a label's code, or one of the kinds in `entries`.
        left: an entry was clicked; the keys go back to the photos.
        dropped: the code of the label that photos were dropped on.
        class_added: the name of a new class.
        class_renamed: a class and its new name.
        class_merged: a class, and the one that it becomes a part of.
        class_removed: a class.
        folder_wanted: the label whose folder is to be shown.
        cleaning_wanted: duplicates are to be looked at.
    """

    chosen = Signal(int)
    left = Signal()
    dropped = Signal(int)
    class_added = Signal(str)
    class_renamed = Signal(str, str)
    class_merged = Signal(str, str)
    class_removed = Signal(str)
    folder_wanted = Signal(str)
    cleaning_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self._labels: tuple[str, ...] = ()
        self._found: tuple[int, int] | None = None  # duplicates, and similar photos
        self._last: list[SidebarEntry] = []
        self._reshow: Callable[[], None] | None = None
        self.again: frozenset[int] = frozenset()  # ids of photos whose marks look wrong
        self.list = EntryList()
        self.list.entries.named.connect(self._name)
        self.list.dropped.connect(self.dropped)
        self.list.kind_changed.connect(self._choose)
        self.list.clicked.connect(self._click)
        self.list.menu_wanted.connect(self._pop_up)
        self.card = ModelCard()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 8)
        column.setSpacing(4)
        column.addWidget(self.list, 1)
        column.addWidget(self.card)
        self.set_narrow(False)

    @property
    def kind(self) -> int:
        """What is chosen."""
        return self.list.kind

    @property
    def title(self) -> str:
        """Name of what is chosen."""
        return self.list.title

    @property
    def narrow(self) -> bool:
        return self.list.drawing.narrow

    def set_narrow(self, narrow: bool) -> None:
        """Show icons only."""
        self.list.drawing.narrow = narrow
        self.list.scheduleDelayedItemsLayout()
        self.card.setVisible(not narrow)
        self.setFixedWidth(NARROW if narrow else WIDE)

    def show_kind(self, kind: int) -> None:
        """Choose an entry."""
        self.list.show_kind(kind)

    def show_table(self, table: Table, counts: Counts, keys: dict[str, int]) -> None:
        """Entries with how many photos each has.

        Args:
            counts: of the table.
            keys: a key's text -> the code of a class.
        """
        self._reshow = partial(self.show_table, table, counts, keys)
        labels = self._labels = table.labels
        classes = len(labels) - 1
        by_class = keys_of(keys)
        checked = np.bincount(table.corrected[table.corrected >= 0], minlength=len(labels)).tolist()
        entries = [
            SidebarEntry(OPEN, self.tr("To check"), counts.open, icon="list-checks"),
            SidebarEntry(ALL, self.tr("All photos"), len(table) - counts.aside, icon="images"),
        ]
        if self.again:
            entries.append(SidebarEntry(AGAIN, self.tr("Check again"), len(self.again), icon="eye"))
        entries.append(SidebarEntry(HEADING, self.tr("Classes")))
        entries += [
            SidebarEntry(
                code,
                labels[code],
                counts.labels[code],
                by_class.get(code, [""])[0],
                checked[code] / counts.labels[code] if counts.labels[code] else 0.0,
                classes=classes,
                accepts=True,
            )
            for code in range(classes)
        ]
        entries.append(SidebarEntry(ADD, self.tr("New class"), icon="plus", classes=classes))
        entries.append(
            SidebarEntry(classes, self.tr("Unsure"), counts.labels[classes], icon="question", accepts=True)
        )
        entries.append(SidebarEntry(HEADING, self.tr("Clean up")))
        same, similar = self._found or (None, None)
        entries.append(SidebarEntry(DUPLICATES, self.tr("Duplicates"), same, icon="copy"))
        entries.append(SidebarEntry(SIMILAR, self.tr("Similar"), similar, icon="stack"))
        if counts.failed:
            entries.append(
                SidebarEntry(FAILED, self.tr("Couldn't be read"), counts.failed, icon="warning-circle")
            )
        if counts.skipped:
            entries.append(SidebarEntry(SKIPPED, self.tr("Not photos"), counts.skipped, icon="file-x"))
        if counts.aside or self.kind == ASIDE:
            entries.append(SidebarEntry(ASIDE, self.tr("Set aside"), counts.aside, icon="tray"))
        self.list.show_entries(entries)

    def offer_again(self, ids: list[int]) -> None:
        """Show photos whose mark looks wrong, and an entry for them until another folder is open."""
        self.again = frozenset(ids)
        if self._reshow is not None and ids:
            self._reshow()
            self.show_kind(AGAIN)
            self.chosen.emit(AGAIN)

    def show_found(self, same: int, similar: int) -> None:
        """How many groups of duplicates and of similar photos a search found."""
        self._found = (same, similar)
        for kind, count in ((DUPLICATES, same), (SIMILAR, similar)):
            self.list.set_count(kind, count)

    def forget_found(self) -> None:
        """Another folder is open."""
        self._found = None
        self.again = frozenset()

    def menu(self, entry: SidebarEntry) -> QMenu:
        """What can be done with a class."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        name = entry.text
        if entry.is_class:
            menu.addAction(self.tr("&Rename"), partial(self.list.edit_kind, entry.kind))
            into = menu.addMenu(self.tr("&Merge into"))
            for code, label in enumerate(self._labels[:-1]):
                if code != entry.kind:
                    text = label.replace("&", "&&")
                    action = into.addAction(shape_icon(code, entry.classes), text)
                    action.triggered.connect(partial(self._merge, name, label))
            into.setEnabled(entry.classes > 2)
            remove = menu.addAction(self.tr("Re&move class"), partial(self.class_removed.emit, name))
            remove.setEnabled(entry.classes > 2)
            menu.addSeparator()
        label = self._labels[entry.kind]
        menu.addAction(self.tr("&Show in file manager"), partial(self.folder_wanted.emit, label))
        return menu

    def _merge(self, name: str, into: str, _checked: bool = False) -> None:
        self.class_merged.emit(name, into)

    def _pop_up(self, entry: SidebarEntry, at: QPoint) -> None:
        if entry.accepts:
            self.menu(entry).popup(at)

    def _name(self, entry: SidebarEntry, name: str) -> None:
        if entry.kind == ADD:
            self.class_added.emit(name)
        elif name != entry.text:
            self.class_renamed.emit(entry.text, name)

    def _choose(self, kind: int) -> None:
        if kind in (DUPLICATES, SIMILAR):
            self.cleaning_wanted.emit()
        elif kind != ADD:
            self.chosen.emit(kind)

    def _click(self, index: QModelIndex) -> None:
        entry: SidebarEntry = index.data(ENTRY)
        if entry.kind == ADD:
            self.list.edit(index)
        elif entry.kind in (DUPLICATES, SIMILAR):
            self.cleaning_wanted.emit()
        else:
            QTimer.singleShot(0, self._leave)

    def _leave(self) -> None:
        """After a click, unless it was the first of two that begin to rename."""
        if self.list.state() != QAbstractItemView.State.EditingState:
            self.left.emit()


class EntryList(QListView):
    """The entries themselves.

    Signals:
        kind_changed: the kind of the entry that is current now.
        dropped: the code of the label that photos were dropped on.
        menu_wanted: an entry, and where on the screen.
    """

    kind_changed = Signal(int)
    dropped = Signal(int)
    menu_wanted = Signal(object, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entries = EntryModel(self)
        self.drawing = EntryDelegate(self)
        self._kind = ALL
        self.setModel(self.entries)
        self.setItemDelegate(self.drawing)
        self.setAccessibleName(self.tr("Classes"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setDragDropMode(QAbstractItemView.DragDropMode.DropOnly)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask_for_menu)
        self.selectionModel().currentChanged.connect(self._change)

    @property
    def kind(self) -> int:
        return self._kind

    @property
    def title(self) -> str:
        place = self.entries.place(self._kind)
        return "" if place is None else self.entries.entries[place].text

    @property
    def lit(self) -> int | None:
        """The kind of the entry that would take what is dragged over it."""
        return self.drawing.lit

    def show_entries(self, entries: list[SidebarEntry]) -> None:
        """Show these. What was chosen stays so; all photos are shown where it is gone."""
        self.blockSignals(True)
        reset = self.entries.show(entries)
        kind = self._kind if self.entries.place(self._kind) is not None else ALL
        if reset:
            self._set_current(kind)
        self.blockSignals(False)
        if kind != self._kind:
            self._kind = kind
            self.kind_changed.emit(kind)

    def set_count(self, kind: int, count: int) -> None:
        """Change one figure."""
        self.entries.set_count(kind, count)

    def show_kind(self, kind: int) -> None:
        if self.entries.place(kind) is not None:
            self._set_current(kind)

    def edit_kind(self, kind: int) -> None:
        """Let a person type a name into an entry."""
        place = self.entries.place(kind)
        if place is not None:
            self.edit(self.entries.index(place))

    def rect_of(self, kind: int) -> QRect:
        """Where an entry is, in the viewport."""
        place = self.entries.place(kind)
        return QRect() if place is None else self.visualRect(self.entries.index(place))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and self.state() != QAbstractItemView.State.EditingState and index.isValid():
            self.clicked.emit(index)
        elif event.text().isprintable() and event.text():
            event.ignore()  # nothing is looked up by typing
        else:
            super().keyPressEvent(event)

    def _set_current(self, kind: int) -> None:
        place = self.entries.place(kind)
        if place is not None:
            self.setCurrentIndex(self.entries.index(place))

    def _change(self, index: QModelIndex) -> None:
        if index.isValid():
            kind = index.data(ENTRY).kind
            if kind != self._kind and kind not in (ADD, HEADING):
                self._kind = kind
                self.kind_changed.emit(kind)

    def _ask_for_menu(self, at: QPoint) -> None:
        index = self.indexAt(at)
        if index.isValid():
            self.menu_wanted.emit(index.data(ENTRY), self.viewport().mapToGlobal(at))

    # -- dropping ----------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(PHOTOS):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        code = self._under(event)
        self._light(code)
        if code is None:
            event.ignore()
        else:
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._light(None)

    def dropEvent(self, event: QDropEvent) -> None:
        self._light(None)
        code = self._under(event)
        if code is not None:
            event.acceptProposedAction()
            self.dropped.emit(code)

    def _light(self, kind: int | None) -> None:
        if kind != self.drawing.lit:
            self.drawing.lit = kind
            self.viewport().update()

    def _under(self, event: QDropEvent) -> int | None:
        """The label under the pointer. A photo cannot be marked as one that couldn't be read."""
        index = self.indexAt(event.position().toPoint())
        if not index.isValid() or not event.mimeData().hasFormat(PHOTOS):
            return None
        entry: SidebarEntry = index.data(ENTRY)
        return entry.kind if entry.accepts else None
