"""A grid of photos whose layout is arithmetic: where a photo is follows from its place in the list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QDrag,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from .colours import label_colour, muted, text_on
from .models import CELL, Cell, Index, PhotoModel, percent
from .thumbnails import Thumbnails

MARGIN = 8  # pixels around a thumbnail
PHOTOS = "application/x-sorter-photos"  # what a drag to a tab carries
REPAINT_MS = 30  # newly made thumbnails are painted together


class PhotoDelegate(QStyledItemDelegate):
    """Draws a photo: its thumbnail, its name, its class and how sure the model is.

    Args:
        thumbnail: asks for the picture of a cell.
        labels: names of the label codes.
    """

    def __init__(
        self,
        thumbnail: Callable[[Cell], QImage | None],
        labels: Callable[[], tuple[str, ...]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._thumbnail = thumbnail
        self._labels = labels
        self.side = 160

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self.cell_size(option.fontMetrics)

    def cell_size(self, metrics: QFontMetrics) -> QSize:
        """Of any cell, pixels."""
        return QSize(self.side + 2 * MARGIN, self.side + 2 * metrics.height() + 3 * MARGIN + 4)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell: Cell = index.data(CELL)
        rect: QRect = option.rect
        palette: QPalette = option.palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.brush(QPalette.ColorRole.Highlight))
            painter.drawRoundedRect(rect.adjusted(2, 2, -2, -2), 6, 6)
        picture = QRect(rect.x() + MARGIN, rect.y() + MARGIN, self.side, self.side)
        self._paint_picture(painter, picture, cell, palette)
        self._paint_caption(painter, picture, cell, palette, selected, option.fontMetrics)
        if option.state & QStyle.StateFlag.State_HasFocus:
            colour = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Highlight
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(
                QPen(palette.color(colour), 2, Qt.PenStyle.DotLine if selected else Qt.PenStyle.SolidLine)
            )
            painter.drawRoundedRect(rect.adjusted(3, 3, -3, -3), 5, 5)
        painter.restore()

    def _paint_picture(self, painter: QPainter, box: QRect, cell: Cell, palette: QPalette) -> None:
        image = None if cell.label < 0 else self._thumbnail(cell)
        if image is not None and not image.isNull():
            size = image.size().scaled(box.size(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRect(QPoint(0, 0), size)
            target.moveCenter(box.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(target, image)
            return
        painter.fillRect(box, palette.brush(QPalette.ColorRole.AlternateBase))
        if image is None and cell.label >= 0:
            return  # on its way
        painter.setPen(muted(palette))
        why = cell.failure or self.tr("cannot be shown")
        flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        painter.drawText(box.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN), flags, why)

    def _paint_caption(
        self,
        painter: QPainter,
        picture: QRect,
        cell: Cell,
        palette: QPalette,
        selected: bool,
        metrics: QFontMetrics,
    ) -> None:
        line = metrics.height()
        top = picture.bottom() + MARGIN // 2 + 1
        name = metrics.elidedText(cell.name, Qt.TextElideMode.ElideMiddle, self.side)
        colour = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        painter.setPen(palette.color(colour))
        painter.drawText(QRect(picture.x(), top, self.side, line), int(Qt.AlignmentFlag.AlignCenter), name)
        top += line + 3
        labels = self._labels()
        background = label_colour(cell.label, len(labels) - 1)
        label = labels[cell.label] if cell.label >= 0 else self.tr("couldn't be read")
        mark = ("✎ " if cell.changed else "✓ ") if cell.reviewed else ""
        value = percent(cell.certainty) if cell.label == cell.predicted else ""
        room = self.side - 2 * MARGIN - (metrics.horizontalAdvance(value) + MARGIN if value else 0)
        text = metrics.elidedText(mark + label, Qt.TextElideMode.ElideRight, room)
        width = metrics.horizontalAdvance(text) + 2 * MARGIN
        whole = width + (metrics.horizontalAdvance(value) + MARGIN if value else 0)
        left = picture.x() + (self.side - whole) // 2
        badge = QRect(left, top, width, line + 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPen(palette.color(QPalette.ColorRole.HighlightedText), 1.5)
        painter.setPen(edge if selected else QPen(Qt.PenStyle.NoPen))  # a blue badge on a blue selection
        painter.setBrush(background)
        painter.drawRoundedRect(badge, badge.height() / 2, badge.height() / 2)
        painter.setPen(text_on(background))
        painter.drawText(badge, int(Qt.AlignmentFlag.AlignCenter), text)
        if value:
            painter.setPen(palette.color(colour) if selected else muted(palette))
            rest = QRect(badge.right() + MARGIN, top, whole, line + 4)
            painter.drawText(rest, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), value)


class PhotoGrid(QAbstractItemView):
    """The photos of a `PhotoModel`, side by side.

    Signals:
        assigned: the code of a class whose key was pressed.
        cleared: Delete or Backspace: clear the mark.
        previewed: Space, Enter or a double click.
    """

    assigned = Signal(int)
    cleared = Signal()
    previewed = Signal()

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self.keys: dict[str, int] = {}  # a key's text -> the code of a class
        self.photos = PhotoModel(self)
        self._delegate = PhotoDelegate(self._thumbnail, self._labels, self)
        self.setModel(self.photos)
        self.setItemDelegate(self._delegate)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setDragEnabled(True)
        self.setAccessibleName(self.tr("Photos"))
        self.doubleClicked.connect(self.previewed)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REPAINT_MS)
        self._soon.timeout.connect(self.viewport().update)
        thumbnails.ready.connect(self._repaint_soon)
        self.photos.modelReset.connect(self.updateGeometries)

    def set_side(self, pixels: int) -> None:
        """How large thumbnails are shown. What is in the middle stays there."""
        place = self.first_visible()
        self._delegate.side = pixels
        self.updateGeometries()
        if place is not None:
            self.scrollTo(self.photos.index(place), QAbstractItemView.ScrollHint.PositionAtTop)
        self.viewport().update()

    @property
    def side(self) -> int:
        return self._delegate.side

    def current(self) -> int | None:
        """The current photo's place in the list."""
        index = self.currentIndex()
        return index.row() if index.isValid() else None

    def go_to(self, place: int) -> None:
        """Make one photo the current and only selected one."""
        if self.photos.rowCount():
            place = max(0, min(place, self.photos.rowCount() - 1))
            # `setCurrentIndex` of the view would heed the keys that are held: Ctrl of Ctrl+Z adds to the selection.
            select = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(self.photos.index(place), select)
            self.scrollTo(self.currentIndex())

    def current_row(self) -> int | None:
        """The current photo's row in the table."""
        place = self.current()
        return None if place is None else self.photos.row(place)

    def return_to(self, row: int | None) -> None:
        """Make the photo of a row current again, where it is still shown and no other is current."""
        if row is not None and self.current() is None:
            place = self.photos.place(row)
            if place is not None:
                self.go_to(place)

    def selected(self) -> list[int]:
        """Places in the list, rising. The current one where none is selected."""
        places: list[int] = []
        for part in self.selectionModel().selection().toList():
            places += range(part.top(), part.bottom() + 1)
        current = self.current()
        return sorted(places) if places or current is None else [current]

    def first_visible(self) -> int | None:
        count = self.photos.rowCount()
        top = self.verticalScrollBar().value() // self._cell().height() * self.columns()
        return min(top, count - 1) if count else None

    def columns(self) -> int:
        return max(1, self.viewport().width() // self._cell().width())

    def visible(self) -> range:
        """Places in the list that are on the screen, at least in part."""
        return self._within(self.viewport().rect())

    # -- the layout --------------------------------------------------------------------------------------------

    def _cell(self) -> QSize:
        return self._delegate.cell_size(self.fontMetrics())

    def _within(self, rect: QRect) -> range:
        height, columns = self._cell().height(), self.columns()
        offset = self.verticalScrollBar().value()
        first = max(0, (rect.top() + offset) // height) * columns
        last = ((rect.bottom() + offset) // height + 1) * columns
        return range(min(first, self.photos.rowCount()), min(last, self.photos.rowCount()))

    def _rect(self, place: int) -> QRect:
        cell, columns = self._cell(), self.columns()
        # What is left over goes between the columns.
        step = self.viewport().width() / columns if self.photos.rowCount() > columns else cell.width()
        x = int(place % columns * step + max(0.0, step - cell.width()) / 2)
        y = place // columns * cell.height() - self.verticalScrollBar().value()
        return QRect(QPoint(x, y), cell)

    def _nearest(self, point: QPoint) -> int:
        """The place in the list nearest to a point. There must be photos."""
        cell, columns = self._cell(), self.columns()
        line = (point.y() + self.verticalScrollBar().value()) // cell.height()
        column = int(point.x() / max(cell.width(), self.viewport().width() / columns))
        place = max(0, line) * columns + max(0, min(column, columns - 1))
        return min(place, self.photos.rowCount() - 1)

    def visualRect(self, index: Index) -> QRect:
        return self._rect(index.row()) if index.isValid() else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        for place in self._within(QRect(point, QSize(1, 1))):
            if self._rect(place).contains(point):
                return self.photos.index(place)
        return QModelIndex()

    def scrollTo(
        self,
        index: Index,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        if not index.isValid():
            return
        rect, bar, height = self._rect(index.row()), self.verticalScrollBar(), self.viewport().height()
        if hint == QAbstractItemView.ScrollHint.PositionAtTop:
            bar.setValue(bar.value() + rect.top())
        elif hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + rect.center().y() - height // 2)
        elif rect.top() < 0 or rect.height() > height:
            bar.setValue(bar.value() + rect.top())
        elif rect.bottom() >= height:
            bar.setValue(bar.value() + rect.bottom() + 1 - height)

    def updateGeometries(self) -> None:
        height = self._cell().height()
        rows = -(-self.photos.rowCount() // self.columns())
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, rows * height - self.viewport().height()))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(height // 4)
        super().updateGeometries()

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: Index) -> bool:
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        place, before = self.first_visible(), self.verticalScrollBar().value()
        super().resizeEvent(event)
        self.updateGeometries()
        if place and before:
            self.scrollTo(self.photos.index(place), QAbstractItemView.ScrollHint.PositionAtTop)

    # -- moving and selecting ----------------------------------------------------------------------------------

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        count, columns = self.photos.rowCount(), self.columns()
        if not count:
            return QModelIndex()
        place = self.current()
        if place is None:
            return self.photos.index(self.first_visible() or 0)
        page = max(1, self.viewport().height() // self._cell().height()) * columns
        kind = QAbstractItemView.CursorAction
        steps = {
            kind.MoveLeft: -1,
            kind.MovePrevious: -1,
            kind.MoveRight: 1,
            kind.MoveNext: 1,
            kind.MoveUp: -columns,
            kind.MoveDown: columns,
            kind.MovePageUp: -page,
            kind.MovePageDown: page,
            kind.MoveHome: -count,
            kind.MoveEnd: count,
        }
        return self.photos.index(max(0, min(place + steps.get(action, 0), count - 1)))

    def setSelection(self, rect: QRect, command: QItemSelectionModel.SelectionFlag) -> None:
        """Everything in reading order from where a selection began to where it is now."""
        if self.photos.rowCount():
            ends = sorted((self._nearest(rect.topLeft()), self._nearest(rect.bottomRight())))
            first, last = (self.photos.index(place) for place in ends)
            self.selectionModel().select(QItemSelection(first, last), command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        region, visible = QRegion(), self.visible()
        for part in selection.toList():
            for place in range(max(part.top(), visible.start), min(part.bottom() + 1, visible.stop)):
                region += self._rect(place)
        return region

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier
            | Qt.KeyboardModifier.AltModifier
            | Qt.KeyboardModifier.MetaModifier
        )
        if plain and event.text().lower() in self.keys:
            self.assigned.emit(self.keys[event.text().lower()])
        elif plain and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.previewed.emit()
        elif plain and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.cleared.emit()
        elif plain and event.text().isprintable() and event.text():
            event.ignore()  # nothing is looked up by typing
        else:
            super().keyPressEvent(event)

    def startDrag(self, actions: Qt.DropAction) -> None:
        count = len(self.selected())
        if not count:
            return
        data = QMimeData()
        data.setData(PHOTOS, str(count).encode())
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.setPixmap(self._drag_picture(count))
        drag.exec(Qt.DropAction.MoveAction)

    def _drag_picture(self, count: int) -> QPixmap:
        text = self.tr("Photos: {count}").format(count=count)
        metrics = self.fontMetrics()
        picture = QPixmap(metrics.horizontalAdvance(text) + 24, metrics.height() + 12)
        picture.fill(self.palette().color(QPalette.ColorRole.Highlight))
        with QPainter(picture) as painter:
            painter.setPen(self.palette().color(QPalette.ColorRole.HighlightedText))
            painter.drawText(picture.rect(), int(Qt.AlignmentFlag.AlignCenter), text)
        return picture

    # -- painting ----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self.viewport()) as painter:
            option = QStyleOptionViewItem()
            self.initViewItemOption(option)
            current, selection = self.current(), self.selectionModel()
            state = option.state
            for place in self._within(event.rect()):
                index = self.photos.index(place)
                option.rect = self._rect(place)
                option.state = state & ~QStyle.StateFlag.State_HasFocus & ~QStyle.StateFlag.State_Selected
                if selection.isSelected(index):
                    option.state |= QStyle.StateFlag.State_Selected
                if place == current and self.hasFocus():
                    option.state |= QStyle.StateFlag.State_HasFocus
                self._delegate.paint(painter, option, index)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometries()
        return super().viewportEvent(event)

    def _repaint_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _thumbnail(self, cell: Cell) -> QImage | None:
        return self._thumbnails.get(cell.key, self._path(cell.row))

    def _path(self, row: int) -> Path:
        table = self.photos.table
        assert table is not None
        return table.path(row)

    def _labels(self) -> tuple[str, ...]:
        table = self.photos.table
        return () if table is None else table.labels
