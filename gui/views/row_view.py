"""A view of photos in rows of full width: where they lie, scrolling, moving and selecting."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from ..parts.photo_model import Index, PhotoModel
from .headers import HEIGHT
from .rows import Rows, Span, lay_out

GAP = 6  # pixels between photos
MARGIN = 8  # pixels around all of them


class RowView(QListView):
    """The photos of a `PhotoModel` in rows. It is a list view for those who listen to it: Qt reads out its items.

    Signals:
        laid_out: photos may lie elsewhere now.
    """

    laid_out = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.photos = PhotoModel(self)
        self.answering: int | None = None  # the row that keys answer for, where another view shows it alone
        self.stays = False  # at a photo that was marked
        self._side = 160
        self._rows_for: tuple[object, ...] = ()
        self._rows = lay_out(self.photos.aspects(), 1, self._side, GAP)
        self.setModel(self.photos)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.photos.modelReset.connect(self.updateGeometries)
        self.photos.dataChanged.connect(lambda *_: self.updateGeometries())

    @property
    def rows(self) -> Rows:
        """Where everything lies now."""
        listing = self.photos.listing
        spans = tuple(Span(each.start, each.stop) for each in listing.sections)
        # The array is kept as long as its photos stay, so that it is the same one.
        what = (self.viewport().width(), self._side, spans, listing.rows)
        if len(self._rows_for) != len(what) or any(
            one is not other if other is listing.rows else one != other
            for one, other in zip(self._rows_for, what, strict=True)
        ):
            width = max(1, self.viewport().width() - 2 * MARGIN)
            self._rows_for = what
            self._rows = lay_out(self.photos.aspects(), width, self._side, GAP, spans, HEIGHT)
        return self._rows

    @property
    def side(self) -> int:
        """The height that rows should have, pixels."""
        return self._side

    def set_side(self, pixels: int) -> None:
        """How high photos are shown. What is at the top stays there."""
        place = self.first_visible()
        self._side = pixels
        self.updateGeometries()
        if place is not None:
            self.scrollTo(self.photos.index(place), QAbstractItemView.ScrollHint.PositionAtTop)
        self.viewport().update()

    # -- which photos ------------------------------------------------------------------------------------------

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
        """Places in the list that keys answer for, rising. The current one where none is selected."""
        if self.answering is not None:
            place = self.photos.place(self.answering)
            return [] if place is None else [place]
        places: list[int] = []
        for part in self.selectionModel().selection().toList():
            places += range(part.top(), part.bottom() + 1)
        current = self.current()
        return sorted(places) if places or current is None else [current]

    def ids_to_mark(self) -> list[int]:
        """Ids of the photos that keys answer for: with those of closed stacks, but where one photo is shown alone."""
        if self.answering is not None:
            return self.photos.ids_of(np.array([self.answering]))
        return self.photos.ids(self.selected())

    def go_on(self, place: int, marked: int) -> None:
        """After photos were marked, the first of them at a place: go to the next one."""
        if self.photos.refresh():  # what was marked is elsewhere now; the next took its place
            self.go_to(place)
        elif marked == 1 and not self.stays:
            self.go_to(place + 1)

    def first_visible(self) -> int | None:
        visible = self.visible()
        return visible.start if visible else None

    def columns(self) -> int:
        """Photos in the first row on the screen."""
        visible = self.visible()
        if not visible:
            return 1
        row = self.rows.row_of(visible.start)
        return int(self.rows.first[row + 1] - self.rows.first[row])

    def visible(self) -> range:
        """Places in the list that are on the screen, at least in part."""
        return self._within(self.viewport().rect())

    def rect_of(self, place: int) -> QRect:
        """Where a photo is drawn, in the viewport."""
        box = self.rows.box(place)
        return QRect(box.x + MARGIN, box.y + MARGIN - self.verticalOffset(), box.width, box.height)

    def _within(self, rect: QRect) -> range:
        down = self.verticalOffset() - MARGIN
        return self.rows.places(rect.top() + down, rect.bottom() + 1 + down)

    def _nearest(self, point: QPoint) -> int:
        return self.rows.nearest(point.x() - MARGIN, point.y() - MARGIN + self.verticalOffset())

    # -- what Qt asks ------------------------------------------------------------------------------------------

    def visualRect(self, index: Index) -> QRect:
        return self.rect_of(index.row()) if index.isValid() else QRect()

    def indexAt(self, point: QPoint) -> QModelIndex:
        place = self.rows.at(point.x() - MARGIN, point.y() - MARGIN + self.verticalOffset())
        return QModelIndex() if place is None else self.photos.index(place)

    def scrollTo(
        self,
        index: Index,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        if not index.isValid():
            return
        rect, bar, height = self.rect_of(index.row()), self.verticalScrollBar(), self.viewport().height()
        top = rect.top() - MARGIN - (HEIGHT if self._is_first_of_section(index.row()) else 0)
        if hint == QAbstractItemView.ScrollHint.PositionAtTop:
            bar.setValue(bar.value() + top)
        elif hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + rect.center().y() - height // 2)
        elif top < 0 or rect.height() > height:
            bar.setValue(bar.value() + top)
        elif rect.bottom() >= height:
            bar.setValue(bar.value() + rect.bottom() + 1 + MARGIN - height)

    def _is_first_of_section(self, place: int) -> bool:
        """Is it in the first row below a header?"""
        start = int(self.rows.first[self.rows.row_of(place)])
        return any(each.start == start for each in self.photos.listing.sections if not each.folded)

    def doItemsLayout(self) -> None:
        QAbstractItemView.doItemsLayout(self)  # a list view's own layout would touch every photo

    def updateGeometries(self) -> None:
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(0, self.rows.total - GAP + 2 * MARGIN - height))
        bar.setPageStep(height)
        bar.setSingleStep(max(8, self._side // 4))
        QAbstractItemView.updateGeometries(self)
        self.laid_out.emit()

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: Index) -> bool:
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        place, before = self.first_visible(), self.verticalOffset()
        QAbstractItemView.resizeEvent(self, event)
        self.updateGeometries()
        if place and before:
            self.scrollTo(self.photos.index(place), QAbstractItemView.ScrollHint.PositionAtTop)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometries()
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        QAbstractItemView.mouseMoveEvent(self, event)  # a list view's own draws a frame of icons

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        QAbstractItemView.mouseReleaseEvent(self, event)

    # -- moving and selecting ----------------------------------------------------------------------------------

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        count = self.photos.rowCount()
        if not count:
            return QModelIndex()
        place = self.current()
        if place is None:
            return self.photos.index(self.first_visible() or 0)
        kind = QAbstractItemView.CursorAction
        steps = {
            kind.MoveLeft: -1,
            kind.MovePrevious: -1,
            kind.MoveRight: 1,
            kind.MoveNext: 1,
            kind.MoveHome: -count,
            kind.MoveEnd: count,
        }
        rows = {kind.MoveUp: -1, kind.MoveDown: 1}
        pages = {kind.MovePageUp: -1, kind.MovePageDown: 1}
        if action in rows:
            place = self._beside(place, rows[action])
        elif action in pages:
            place = self._page_from(place, pages[action])
        return self.photos.index(max(0, min(place + steps.get(action, 0), count - 1)))

    def _beside(self, place: int, rows: int) -> int:
        """The photo above or below."""
        found = self.rows
        row = found.row_of(place) + rows
        if not 0 <= row < len(found.top):
            return place
        return found.nearest_in(row, found.middle(place))

    def _page_from(self, place: int, pages: int) -> int:
        found = self.rows
        step = max(self.viewport().height() - self._side, self._side)
        return found.nearest(found.middle(place), int(found.top[found.row_of(place)]) + pages * step)

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
                region += self.rect_of(place).adjusted(-GAP, -GAP, GAP, GAP)
        return region
