"""The grid: photos in rows and sections, marked by keys, by the mouse, and by dragging them onto a class."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QItemSelectionModel, QMimeData, QPoint, QRect, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QDrag,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
)
from PySide6.QtWidgets import QWidget

from ..views.dark import make_dark
from ..views.headers import HEIGHT, SectionHeader
from ..views.hover import HoverKeys
from ..views.photo_painter import PAD, PhotoPainter, paint_selection
from ..views.row_view import MARGIN, RowView
from .class_keys import keys_of
from .models import Cell
from .thumbnails import Thumbnails

PHOTOS = "application/x-sorter-photos"  # what a drag to a class carries
MOST_FILES = 2000  # that are dragged out of the window together
REPAINT_MS = 30  # newly made thumbnails are painted together
KEYS_OF_COMMANDS = "cefghisxz"  # letters that are no class's, as they do something else


class PhotoGrid(RowView):
    """The photos of a `PhotoModel`.

    Signals:
        assigned: the code of a class, for the selected photos.
        cleared: Delete or Backspace: clear their marks.
        confirmed: Enter: the model is right about them.
        doubted: 0: they are unsure.
        set_aside: X.
        section_confirmed: the model is right about all photos of this `Section`.
        previewed: Space, E or a double click.
        compared: C.
    """

    assigned = Signal(int)
    cleared = Signal()
    confirmed = Signal()
    doubted = Signal()
    set_aside = Signal()
    section_confirmed = Signal(object)
    previewed = Signal()
    compared = Signal()

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._keys: dict[str, int] = {}
        self._painter = PhotoPainter(self._thumbnail, self._labels)
        self._headers: list[SectionHeader] = []
        self._hovered: int | None = None
        self.hover = HoverKeys(self.viewport())
        self.setDragEnabled(True)
        self.setAccessibleName(self.tr("Photos"))
        make_dark(self)
        self.viewport().setMouseTracking(True)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REPAINT_MS)
        self._soon.timeout.connect(self.viewport().update)
        self.doubleClicked.connect(self.previewed)
        self.hover.assigned.connect(self._assign_hovered)
        self.hover.confirmed.connect(self._confirm_hovered)
        thumbnails.ready.connect(self._repaint_soon)
        self.verticalScrollBar().valueChanged.connect(self._arrange)
        self.laid_out.connect(self._arrange)

    @property
    def keys(self) -> dict[str, int]:
        """A key's text -> the code of a class."""
        return self._keys

    @keys.setter
    def keys(self, keys: dict[str, int]) -> None:
        self._keys = {key: code for key, code in keys.items() if key not in KEYS_OF_COMMANDS}

    # -- headers and hovering ----------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Put the headers that are on the screen in their places."""
        self._hide_hover()
        sections, offset = self.photos.listing.sections, self.verticalOffset() - MARGIN
        shown = [
            (section, top - offset)
            for section, top in zip(sections, self.rows.headers, strict=True)
            if -HEIGHT < top - offset < self.viewport().height()
        ]
        while len(self._headers) < len(shown):
            self._headers.append(self._new_header())
        for header, (section, top) in zip(self._headers, shown, strict=False):
            header.show_section(section, self.photos.confirmable_of(section.rows))
            header.setGeometry(MARGIN, top, self.viewport().width() - 2 * MARGIN, HEIGHT)
            header.show()
        for header in self._headers[len(shown) :]:
            header.hide()

    def _new_header(self) -> SectionHeader:
        header = SectionHeader(self.viewport())
        header.folded.connect(self._fold)
        header.confirmed.connect(self.section_confirmed)
        return header

    @property
    def headers(self) -> list[SectionHeader]:
        """Those on the screen, from the top."""
        return [header for header in self._headers if header.isVisibleTo(self)]

    def _fold(self, key: str, folded: bool) -> None:
        row = self.current_row()
        self.photos.fold(key, folded)
        self.return_to(row)
        if self.current() is None:
            self.go_to(self.first_visible() or 0)

    def _hover_over(self, at: QPoint) -> None:
        index = self.indexAt(at)
        place = index.row() if index.isValid() else None
        if place == self._hovered:
            return
        self._hide_hover()
        if place is not None and self.photos.cell(place).label >= 0:
            self._hovered = place
            first = {code: some[0] for code, some in keys_of(self._keys).items()}
            self.hover.show_classes(self._labels()[:-1], first)
            self.hover.show_over(self.rect_of(place), self.fontMetrics().height() + 4 * PAD)

    def _hide_hover(self) -> None:
        self._hovered = None
        self.hover.hide()

    def _assign_hovered(self, code: int) -> None:
        if self._take_hovered():
            self.assigned.emit(code)

    def _confirm_hovered(self) -> None:
        if self._take_hovered():
            self.confirmed.emit()

    def _take_hovered(self) -> bool:
        """Make the photo under the mouse the only selected one, whatever was. False where there is none."""
        place = self._hovered
        if place is None:
            return False
        self._hide_hover()
        select = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(self.photos.index(place), select)
        return True

    # -- the mouse ---------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hover.hide()
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            cell = self.photos.cell(index.row())
            badge = self._painter.stack_badge(self.rect_of(index.row()), cell, self.fontMetrics())
            if badge.contains(event.position().toPoint()):
                self.toggle_stack(index.row())
                return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if not event.buttons():
            self._hover_over(event.position().toPoint())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hide_hover()
        return super().viewportEvent(event)

    def toggle_stack(self, place: int) -> None:
        """Open the stack at a place, or close it."""
        row = self.photos.row(place)
        if self.photos.open_stack(row) and (now := self.photos.place(row)) is not None:
            self.go_to(now)

    def startDrag(self, actions: Qt.DropAction) -> None:
        places = self.selected()
        if places:
            drag = QDrag(self)
            drag.setMimeData(self.dragged(places))
            drag.setPixmap(self._drag_picture(len(self.photos.ids(places))))
            drag.exec(
                Qt.DropAction.CopyAction
            )  # other programs get copies: nothing leaves its folder this way

    def dragged(self, places: list[int]) -> QMimeData:
        """What a drag of photos carries: how many, and where they lie, for other programs."""
        table, data, ids = self.photos.table, QMimeData(), self.photos.ids(places)
        data.setData(PHOTOS, str(len(ids)).encode())
        if table is not None and len(ids) <= MOST_FILES:
            rows = table.id.searchsorted(ids).tolist()
            data.setUrls([QUrl.fromLocalFile(str(table.path(row))) for row in rows])
        return data

    def _drag_picture(self, count: int) -> QPixmap:
        text = self.tr("Photos: {count}").format(count=count)
        metrics = self.fontMetrics()
        picture = QPixmap(metrics.horizontalAdvance(text) + 24, metrics.height() + 12)
        picture.fill(self.palette().color(QPalette.ColorRole.Highlight))
        with QPainter(picture) as painter:
            painter.setPen(self.palette().color(QPalette.ColorRole.HighlightedText))
            painter.drawText(picture.rect(), int(Qt.AlignmentFlag.AlignCenter), text)
        return picture

    # -- keys --------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier
            | Qt.KeyboardModifier.AltModifier
            | Qt.KeyboardModifier.MetaModifier
        )
        self._hide_hover()
        text = event.text().lower()
        key = {Qt.Key.Key_Enter: Qt.Key.Key_Return, Qt.Key.Key_Delete: Qt.Key.Key_Backspace}
        if plain and text in self._keys:
            self.assigned.emit(self._keys[text])
        elif plain and self._command(text, key.get(Qt.Key(event.key()), Qt.Key(event.key()))):
            return
        elif plain and text.isprintable() and text:
            event.ignore()  # nothing is looked up by typing
        else:
            super().keyPressEvent(event)

    def _command(self, text: str, key: Qt.Key) -> bool:
        """Do what a key stands for. False for one that stands for nothing here."""
        signals = {
            Qt.Key.Key_Space: self.previewed,
            Qt.Key.Key_E: self.previewed,
            Qt.Key.Key_Return: self.confirmed,
            Qt.Key.Key_Backspace: self.cleared,
            Qt.Key.Key_0: self.doubted,
            Qt.Key.Key_X: self.set_aside,
            Qt.Key.Key_C: self.compared,
        }
        place = self.current()
        if key == Qt.Key.Key_S and place is not None:
            self.toggle_stack(place)
        elif key in signals:
            signals[key].emit()
        else:
            return False
        return True

    # -- painting ----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        palette, current = self.palette(), self.current()
        selection, focus = self.selectionModel(), self.hasFocus()
        with QPainter(self.viewport()) as painter:
            painter.fillRect(event.rect(), palette.color(QPalette.ColorRole.Base))
            for place in self._within(event.rect().adjusted(0, -MARGIN, 0, MARGIN)):
                rect = self.rect_of(place)
                self._painter.paint(painter, rect, self.photos.cell(place), palette)
                selected = selection.isSelected(self.photos.index(place))
                paint_selection(painter, rect, selected, focus and place == current, palette)
            self._paint_open_stacks(painter, event.rect())

    def _paint_open_stacks(self, painter: QPainter, area: QRect) -> None:
        """A line below the photos of an open stack."""
        visible = self._within(area)
        colour = self.palette().color(QPalette.ColorRole.Link)
        for start, count in self.photos.listing.opened.items():
            for place in range(max(start, visible.start), min(start + count, visible.stop)):
                rect = self.rect_of(place)
                painter.fillRect(rect.x(), rect.bottom() - 2, rect.width(), 3, colour)

    def _repaint_soon(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _thumbnail(self, cell: Cell, pixels: int) -> QImage | None:
        return self._thumbnails.get(cell.key, self._path(cell.row), pixels)

    def _path(self, row: int) -> Path:
        table = self.photos.table
        assert table is not None
        return table.path(row)

    def _labels(self) -> tuple[str, ...]:
        table = self.photos.table
        return () if table is None else table.labels
