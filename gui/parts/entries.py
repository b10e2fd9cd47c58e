"""The lines of the sidebar: what they say, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QAbstractListModel, QLocale, QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from ..views.shapes import draw_shape
from .colours import label_colour, muted
from .icons import picture
from .photo_model import ROOT, Index
from .theme import GRID

# What a line shows, beside the codes of labels.
ALL, FAILED, SKIPPED, ASIDE, OPEN, ADD, DUPLICATES, SIMILAR, HEADING, AGAIN = (
    -1,
    -2,
    -3,
    -4,
    -5,
    -6,
    -7,
    -8,
    -9,
    -10,
)
ENTRY = Qt.ItemDataRole.UserRole
ROW, HEAD = 34, 30  # pixels high
BAR = 3  # pixels, of the checked share
BIN_ALPHA = 90  # of 255: how strongly a line is lit while photos are dragged over it


@dataclass(frozen=True, slots=True)
class SidebarEntry:
    """One line.

    Attributes:
        kind: the code of a label, or one of the constants above.
        key: the key that marks a photo as this class.
        share: of its photos that are checked, 0 to 1. None where that means nothing.
        icon: name of an icon. A class has its shape instead.
        classes: how many there are.
        accepts: photos can be dropped on it.
    """

    kind: int
    text: str
    count: int | None = None
    key: str = ""
    share: float | None = None
    icon: str = ""
    classes: int = 0
    accepts: bool = False

    @property
    def is_class(self) -> bool:
        return 0 <= self.kind < self.classes

    @property
    def figure(self) -> str:
        return "" if self.count is None else QLocale().toString(self.count)


class EntryModel(QAbstractListModel):
    """The lines in order.

    Signals:
        named: an entry and the name that a person typed into it.
    """

    named = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[SidebarEntry] = []

    def show(self, entries: list[SidebarEntry]) -> bool:
        """Show these. False where only figures changed."""
        if [each.kind for each in entries] == [each.kind for each in self.entries]:
            self.entries = entries
            self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))
            return False
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()
        return True

    def set_count(self, kind: int, count: int) -> None:
        """Change one figure."""
        place = self.place(kind)
        if place is not None:
            self.entries[place] = replace(self.entries[place], count=count)
            self.dataChanged.emit(self.index(place), self.index(place))

    def place(self, kind: int) -> int | None:
        """The line of a kind."""
        places = [number for number, each in enumerate(self.entries) if each.kind == kind]
        return places[0] if places else None

    def rowCount(self, parent: Index = ROOT) -> int:  # noqa: N802, RUF100
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == ENTRY:
            return entry
        if role == Qt.ItemDataRole.EditRole:
            return entry.text if entry.is_class else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{entry.text}  {entry.figure}".rstrip()
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._describe(entry)
        if role == Qt.ItemDataRole.ToolTipRole and entry.kind != HEADING:
            return self._tip(entry)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        name = str(value).strip()
        if role == Qt.ItemDataRole.EditRole and name:
            self.named.emit(self.entries[index.row()], name)
        return bool(name)

    def flags(self, index: Index) -> Qt.ItemFlag:
        entry = self.entries[index.row()]
        if entry.kind == HEADING:
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return flags | Qt.ItemFlag.ItemIsEditable if entry.is_class or entry.kind == ADD else flags

    def _describe(self, entry: SidebarEntry) -> str:
        """For a screen reader."""
        parts = [entry.text]
        if entry.count is not None:
            parts.append(self.tr("{count} photos").format(count=entry.figure))
        if entry.share is not None:
            parts.append(self.tr("{share} % checked").format(share=int(entry.share * 100)))
        if entry.key:
            parts.append(self.tr("key {key}").format(key=entry.key))
        return ", ".join(parts)

    def _tip(self, entry: SidebarEntry) -> str:
        if not entry.is_class:
            return self._describe(entry)
        more = self.tr("Drop photos here to mark them. Double click to rename, right click for more.")
        return f"{self._describe(entry)}. {more}"


class EntryDelegate(QStyledItemDelegate):
    """Draws a line. `narrow` draws icons only."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.narrow = False
        self.lit: int | None = None  # the kind that would take what is dragged over it

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        entry: SidebarEntry = index.data(ENTRY)
        if entry.kind == HEADING and self.narrow:
            return QSize(0, 2 * GRID)
        return QSize(0, HEAD if entry.kind == HEADING else ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: SidebarEntry = index.data(ENTRY)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if entry.kind == HEADING:
            self._paint_heading(painter, option, entry)
        else:
            self._paint_ground(painter, option, entry)
            box = option.rect.adjusted(GRID + 4, 0, -GRID - 4, 0)
            if self.narrow:
                self._paint_sign(
                    painter, QRect(box.center().x() - 8, box.y(), 16, box.height()), entry, option
                )
            else:
                self._paint_line(painter, box, entry, option)
        painter.restore()

    def _paint_heading(self, painter: QPainter, option: QStyleOptionViewItem, entry: SidebarEntry) -> None:
        box = option.rect.adjusted(GRID + 4, 0, -GRID - 4, -4)
        if self.narrow:
            painter.setPen(option.palette.color(QPalette.ColorRole.Mid))
            painter.drawLine(box.left(), box.center().y(), box.right(), box.center().y())
            return
        font = option.font
        font.setPixelSize(11)
        painter.setFont(font)
        # A heading cannot be chosen, so its own group of colours is the one of what is disabled.
        painter.setPen(option.palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.PlaceholderText))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        painter.drawText(box, flags, entry.text.upper())

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, entry: SidebarEntry) -> None:
        box = QRectF(option.rect).adjusted(4, 1, -4, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if entry.kind == self.lit:
            colour = option.palette.color(QPalette.ColorRole.Highlight)
            painter.setPen(colour)
            colour.setAlpha(BIN_ALPHA)
            painter.setBrush(colour)
        elif option.state & QStyle.StateFlag.State_Selected:
            painter.setBrush(option.palette.brush(QPalette.ColorRole.Button))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            colour = option.palette.color(QPalette.ColorRole.Midlight)
            colour.setAlpha(BIN_ALPHA)
            painter.setBrush(colour)
        else:
            return
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(option.palette.color(QPalette.ColorRole.Link))
        painter.drawRoundedRect(box, 6, 6)

    def _paint_line(
        self, painter: QPainter, box: QRect, entry: SidebarEntry, option: QStyleOptionViewItem
    ) -> None:
        metrics = option.fontMetrics
        left = box.left()
        if entry.classes and (entry.is_class or entry.kind == ADD):
            painter.setPen(muted(option.palette))
            flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
            painter.drawText(QRect(left, box.y(), 14, box.height()), flags, entry.key)
            left += 16
        self._paint_sign(painter, QRect(left, box.y(), 16, box.height()), entry, option)
        left += 16 + GRID
        width = metrics.horizontalAdvance(entry.figure)
        painter.setPen(muted(option.palette))
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(box, right, entry.figure)
        room = QRect(left, box.y(), box.right() - left - width - GRID, box.height())
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        text = metrics.elidedText(entry.text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)
        if entry.share is not None and entry.count:
            self._paint_share(painter, QRect(left, box.bottom() - 5, box.right() - left, BAR), entry, option)

    def _paint_share(
        self, painter: QPainter, box: QRect, entry: SidebarEntry, option: QStyleOptionViewItem
    ) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(option.palette.brush(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(box, 1.5, 1.5)
        painter.setBrush(label_colour(entry.kind, entry.classes))
        done = QRectF(box)
        done.setWidth(box.width() * (entry.share or 0.0))
        painter.drawRoundedRect(done, 1.5, 1.5)

    def _paint_sign(
        self, painter: QPainter, box: QRect, entry: SidebarEntry, option: QStyleOptionViewItem
    ) -> None:
        square = QRect(box.x(), box.center().y() - 7, 16, 16)
        if entry.is_class:
            draw_shape(painter, entry.kind, entry.classes, QRectF(square).adjusted(1, 1, -1, -1))
        elif entry.icon:
            colour = option.palette.color(QPalette.ColorRole.Text).name()
            painter.drawPixmap(square, picture(entry.icon, colour, 16, painter.device().devicePixelRatioF()))

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        field = QLineEdit(parent)
        field.setPlaceholderText(self.tr("Name of the class"))
        field.setAccessibleName(self.tr("Name of the class"))
        return field

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect.adjusted(4, 1, -4, -1))
