"""The page on which a person goes through what was sorted: see, correct, apply, export."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sorter.photos.decode import Decoder
from sorter.sort.review import Review
from sorter.sort.table import Table, read_table
from sorter.types import Failure, SorterError

from ..parts.commands import Commands
from ..parts.disk import FolderWork
from ..parts.filterbar import FilterBar
from ..parts.grid import PhotoGrid
from ..parts.histogram import with_threshold
from ..parts.models import Counts, Names, Order
from ..parts.panel import SidePanel
from ..parts.preview import ZOOM, Loaded, Preview, camera_text, size_text
from ..parts.progress import Notice, ProgressPanel
from ..parts.tabs import ALL, FAILED, ClassTabs
from ..parts.thumbnails import Store, Thumbnails
from ..settings import Settings
from ..worker import Jobs

SETTLE_MS = 120  # a photo that is passed over quickly is not decoded for its details
AT_ONCE = 2000  # photos in one correction; more are written on another thread
EMPTY, GRID, PREVIEW = range(3)
Answer = TypeVar("Answer")


def class_keys(classes: tuple[str, ...]) -> dict[str, int]:
    """A key's text -> the code of its class: 1 to 9, and for each the first letter of its name that is still free."""
    keys = {str(number + 1): number for number in range(min(9, len(classes)))}
    for code, label in enumerate(classes):
        for letter in label.lower():
            if letter.isalpha() and letter not in keys:
                keys[letter] = code
                break
    return keys


class ReviewPage(QWidget):
    """One output folder under review.

    Signals:
        retrain_wanted: with the folder, to train on what was said.
        changed: something was said, moved or opened: menus and other pages may look different.
    """

    retrain_wanted = Signal(Path)
    changed = Signal()

    def __init__(
        self, jobs: Jobs, settings: Settings, parent: QWidget | None = None, store: Store | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._settings = settings
        self._folder: Path | None = None
        self._review: Review | None = None
        self._names: Names | None = None
        self._writing = False
        self._threshold: float | None = None
        self.thumbnails = Thumbnails(jobs.pool(), store or Store(), self)
        self.title = QLabel()
        self.said = QLabel()
        self.notice = Notice()
        self.tabs = ClassTabs()
        self.filters = FilterBar(settings.thumbnail_size)
        self.grid = PhotoGrid(self.thumbnails)
        self.grid.set_side(settings.thumbnail_size)
        self.preview = Preview(jobs, self.grid)
        self.panel = SidePanel()
        self.progress = ProgressPanel(self.tr("photos"))
        self.commands = Commands(self)
        self.work = FolderWork(jobs, self.notice, self.progress, self)
        self._build()
        self._connect()
        self._show_state(self.tr("Open a folder that was sorted, to go through it."))

    @property
    def review(self) -> Review | None:
        return self._review

    @property
    def folder(self) -> Path | None:
        return self._folder

    # -- how it is put together --------------------------------------------------------------------------------

    def _build(self) -> None:
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setAccessibleName(self.tr("Folder"))
        self.said.setAccessibleName(self.tr("What was said"))
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addSpacing(12)
        head.addWidget(self.said, 1)
        do = self.commands
        for action in (do.undo, do.redo, do.apply, do.export, do.retrain):
            head.addWidget(do.button(action))

        self._empty = QWidget()
        self._empty_text = QLabel()
        self._empty_text.setWordWrap(True)
        self._empty_text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty_text.setAccessibleName(self.tr("Why there is nothing here"))
        self._clear_filters = QPushButton(self.tr("Clear the filters"))
        self._clear_filters.setAccessibleName(self.tr("Clear the filters"))
        self._clear_filters.clicked.connect(self.filters.clear)
        column = QVBoxLayout(self._empty)
        column.addStretch(1)
        column.addWidget(self._empty_text)
        column.addWidget(self._clear_filters, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(1)

        self.stack = QStackedWidget()
        for page in (self._empty, self.grid, self.preview):
            self.stack.addWidget(page)
        splitter = QSplitter()
        splitter.addWidget(self.stack)
        splitter.addWidget(self.panel)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 0)
        splitter.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.addLayout(head)
        column.addWidget(self.notice)
        column.addWidget(self.tabs)
        column.addWidget(self.filters)
        column.addWidget(splitter, 1)
        column.addWidget(self.progress)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._drag = QTimer(
            self
        )  # a drag is followed as fast as it can be shown, not as fast as the mouse tells of it
        self._drag.setSingleShot(True)
        self._drag.setInterval(0)

    def _connect(self) -> None:
        do = self.commands
        for action, call in (
            (do.undo, self._undo),
            (do.redo, self._redo),
            (do.confirm, self._confirm),
            (do.clear, self._clear),
            (do.select_all, self.grid.selectAll),
            (do.copy_paths, self._copy),
            (do.find, self.filters.name.setFocus),
            (do.preview, self.toggle_preview),
            (do.zoom_in, partial(self._zoom, ZOOM)),
            (do.zoom_out, partial(self._zoom, 1 / ZOOM)),
            (do.fit, self.preview.fit),
            (do.apply, self.ask_to_apply),
            (do.take_back, self._take_back),
            (do.export, self._export),
            (do.retrain, self._retrain),
        ):
            action.triggered.connect(lambda _=False, call=call: call())
        self.tabs.chosen.connect(self._choose_tab)
        self.tabs.dropped.connect(self.assign)
        self.filters.filtered.connect(lambda values: self._narrow(**values))
        self.filters.arranged.connect(self._arrange)
        self.filters.resized.connect(self._resize)
        self.grid.assigned.connect(self.assign)
        self.grid.cleared.connect(self._clear)
        self.grid.previewed.connect(self.toggle_preview)
        self.grid.selectionModel().selectionChanged.connect(lambda *_: self._show_selection())
        self.grid.selectionModel().currentChanged.connect(lambda *_: self._show_current())
        self.preview.closed.connect(self.toggle_preview)
        self.preview.shown.connect(self._show_camera)
        self.panel.assigned.connect(self.assign)
        self.panel.confirmed.connect(self._confirm)
        self.panel.cleared.connect(self._clear)
        self.panel.moved.connect(self._follow)
        self.panel.settled.connect(self._keep_threshold)
        self.panel.reset.connect(self._reset_threshold)
        self._settle.timeout.connect(self._load_current)
        self._drag.timeout.connect(self._follow_drag)
        self.work.began.connect(self._update_actions)
        self.work.ended.connect(self._read_again)

    # -- opening -----------------------------------------------------------------------------------------------

    def open(self, folder: Path) -> None:
        """Show an output folder. It is read on another thread; `changed` says when it is there."""
        self._close_review()
        self._folder = folder.resolve()
        self.title.setText(str(self._folder))
        self.notice.clear()
        self._show_state(self.tr("Opening {folder} …").format(folder=self._folder))
        self._read()

    def close_folder(self) -> None:
        """At the end: leave nothing open."""
        self._close_review()
        self.thumbnails.close()

    def _close_review(self) -> None:
        if self._review is not None:
            self._review.close()
        self._review = self._names = None

    def _read(self) -> None:
        assert self._folder is not None
        self._jobs.later(partial(read_table, self._folder), partial(self._take, self._folder))

    def _take(self, folder: Path, table: Table | SorterError | OSError) -> None:
        if folder != self._folder:
            return
        if not isinstance(table, Table):
            self._show_state(str(table))
            self.notice.complain(str(table))
            self._update_actions()
            return
        first = self._review is None
        try:
            if self._review is None:
                self._review = Review.open(folder, table)
            self._review.table = table
        except (SorterError, OSError) as error:
            self._show_state(str(error))
            return
        if first:
            self.filters.clear()
            self.grid.keys = class_keys(self._review.classes)
            self.panel.show_classes(self._review.classes, self.grid.keys)
            self._jobs.later(partial(_names, table), partial(self._know_names, folder))
        row = self._current_row()
        self.grid.photos.show(table, self._names)
        self._show_everything()
        self._return_to(row)

    def _read_again(self) -> None:
        """Photos lie elsewhere now."""
        self._read()
        self._update_actions()

    def _know_names(self, folder: Path, names: Names | SorterError | OSError) -> None:
        if folder == self._folder and isinstance(names, Names):
            self._names = names
            self.grid.photos.know_names(names)

    # -- showing -----------------------------------------------------------------------------------------------

    def _show_everything(self) -> None:
        """Tabs, threshold and state, after the table has changed."""
        if self._review is None:
            return
        table = self._review.table
        counts = Counts.of(table)
        self.tabs.show_counts(table.labels, counts, len(table))
        self.panel.histogram.show_photos(table.probability, table.rule)
        self.panel.show_rule(table.rule, self._review.filed_by)
        number = QLocale().toString
        self.said.setText(
            self.tr("{reviewed} reviewed, {corrected} of them corrected").format(
                reviewed=number(counts.reviewed), corrected=number(counts.corrected)
            )
        )
        self._show_shown()
        self._update_actions()
        self.changed.emit()

    def _show_shown(self) -> None:
        """Grid, preview or why there is nothing."""
        if self._review is None:
            return
        if self.grid.photos.rowCount():
            if self.stack.currentIndex() == EMPTY:
                self.stack.setCurrentIndex(GRID)
            if not self.grid.selectionModel().hasSelection():
                place = self.grid.current()
                self.grid.go_to((self.grid.first_visible() or 0) if place is None else place)
        elif self.filters.narrow:
            self._show_state(self.tr("No photo is let through by the filters."), filtered=True)
        elif not len(self._review.table):
            self._show_state(self.tr("This folder's journal holds no photos yet."))
        else:
            self._show_state(self.tr("No photo is in this class now."))
        self._show_selection()
        self._show_current()

    def _show_state(self, sentence: str, filtered: bool = False) -> None:
        self._empty_text.setText(sentence)
        self._clear_filters.setVisible(filtered)
        self.stack.setCurrentIndex(EMPTY)
        self.panel.setEnabled(self._review is not None)
        self.filters.setEnabled(self._review is not None)
        self.tabs.setEnabled(self._review is not None)

    def _show_selection(self) -> None:
        places = self.grid.selected()
        if len(places) > 1:
            self.panel.show_confirm(len(places), True)
        else:
            self.panel.show_confirm(self.grid.photos.rowCount(), False)

    def _show_current(self) -> None:
        row, review = self._current_row(), self._review
        if row is None or review is None:
            self.panel.details.clear()
            return
        table, place = review.table, self.grid.current()
        assert place is not None
        cell, path = self.grid.photos.cell(place), table.path(row)
        said = "" if cell.said < 0 else f"{table.labels[cell.said]}, {cell.probability:.3f}"
        if cell.reviewed:
            word = self.tr("right") if cell.label == cell.said else self.tr("no, {label}")
            now = word.format(label=table.labels[cell.label])
        else:
            now = "–"
        self.panel.details.show_values(
            name=path.name,
            said=said or cell.failure,
            now=now,
            size=size_text(int(table.width[row]), int(table.height[row]), int(table.size[row])),
            date=_date(int(table.mtime_ns[row])),
            camera="",
            folder=str(path.parent),
        )
        if self.stack.currentIndex() == PREVIEW:
            self.preview.show_photo(path, cell.failure if cell.label < 0 else "")
        else:
            self._settle.start()

    def _load_current(self) -> None:
        """Read what the camera wrote, once a photo has been current for a moment."""
        row, review = self._current_row(), self._review
        if row is None or review is None or review.table.failed[row]:
            return
        path = review.table.path(row)
        self._jobs.later(partial(_camera, path), partial(self._know_camera, row))

    def _know_camera(self, row: int, text: str | SorterError | OSError) -> None:
        if row == self._current_row() and isinstance(text, str):
            self.panel.details.show_values(camera=text)

    def _show_camera(self, loaded: Loaded) -> None:
        self.panel.details.show_values(camera=loaded.camera)

    def toggle_preview(self) -> None:
        """From the grid to the current photo, and back."""
        if self.stack.currentIndex() == PREVIEW:
            self.stack.setCurrentIndex(GRID)
            self.grid.setFocus()
            if (place := self.grid.current()) is not None:
                self.grid.scrollTo(self.grid.photos.index(place))
        elif self.grid.current() is not None and self.stack.currentIndex() == GRID:
            self.stack.setCurrentIndex(PREVIEW)
            self.preview.setFocus()
            self._show_current()
        self._update_actions()

    def _zoom(self, factor: float) -> None:
        if self.stack.currentIndex() == PREVIEW:
            self.preview.zoom(factor)
        else:
            self.filters.thumbnails.setValue(round(self.filters.thumbnails.value() * factor))

    # -- what is shown -----------------------------------------------------------------------------------------

    def _choose_tab(self, kind: int) -> None:
        self._narrow(label=None if kind in (ALL, FAILED) else kind, failed=kind == FAILED)

    def _narrow(self, **changes: object) -> None:
        row = self._current_row()
        self.grid.photos.filter(**changes)
        self._return_to(row)
        self._show_shown()

    def _arrange(self, order: Order) -> None:
        self.grid.photos.arrange(order)
        self.grid.verticalScrollBar().setValue(0)
        self.grid.go_to(0)
        self._show_shown()

    def _resize(self, side: int) -> None:
        self.grid.set_side(side)
        self._settings.thumbnail_size = side

    def _current_row(self) -> int | None:
        place = self.grid.current()
        return None if place is None or self._review is None else self.grid.photos.row(place)

    def _return_to(self, row: int | None) -> None:
        """Make the photo of a row current again, where it is still shown and no other is."""
        if row is not None and self.grid.current() is None:
            place = self.grid.photos.place(row)
            if place is not None:
                self.grid.go_to(place)

    # -- correcting --------------------------------------------------------------------------------------------

    def assign(self, code: int) -> None:
        """Say of the selected photos that they are this class, and go on to the next."""
        if self._review is not None and code < len(self._review.classes):
            label = self._review.classes[code]
            self._correct(lambda review, ids: review.assign(ids, label), self.grid.selected())

    def _clear(self) -> None:
        self._correct(lambda review, ids: review.assign(ids, None), self.grid.selected())

    def _confirm(self) -> None:
        """The selected ones, where there are several, else all that are shown."""
        places = self.grid.selected()
        every = range(self.grid.photos.rowCount())
        self._correct(lambda review, ids: review.confirm(ids), places if len(places) > 1 else every)

    def _correct(self, say: Callable[[Review, list[int]], int], places: list[int] | range) -> None:
        if len(places):
            ids = self.grid.photos.ids(places)
            self._write(len(ids), lambda review: say(review, ids), lambda _: self._go_on(places))

    def _go_on(self, places: list[int] | range) -> None:
        if self.grid.photos.refresh() and len(
            places
        ):  # what was corrected is elsewhere now; the next took its place
            self.grid.go_to(places[0])
        elif len(places) == 1:
            self.grid.go_to(places[0] + 1)
        self._show_everything()

    def _undo(self) -> None:
        if self._review is not None:
            self._write(self._review.steps[0], lambda review: review.undo(), self._show_step)

    def _redo(self) -> None:
        if self._review is not None:
            self._write(self._review.steps[1], lambda review: review.redo(), self._show_step)

    def _show_step(self, changed: list[int]) -> None:
        """Go to the photo it was about, where that is one and shown."""
        row, review = self._current_row(), self._review
        self.grid.photos.refresh()
        if len(changed) == 1 and review is not None:
            place = self.grid.photos.place(int(review.table.id.searchsorted(changed[0])))
            if place is not None:
                self.grid.go_to(place)
        self._return_to(row)
        self._show_everything()

    def _write(self, photos: int, act: Callable[[Review], Answer], then: Callable[[Answer], None]) -> None:
        """Write to the journal; what goes wrong becomes a sentence. Many photos are written on another thread."""
        review = self._review
        if review is None or not self._idle:
            return
        if photos <= AT_ONCE:
            try:
                answer = act(review)
            except (SorterError, OSError) as error:
                self.notice.complain(str(error))
            else:
                self.notice.clear()
                then(answer)
            return
        table = review.table

        def write() -> Answer:
            with closing(Review.open(table.out, table)) as own:
                return act(own)

        self._writing = True
        self._update_actions()
        self._jobs.later(write, partial(self._written, table, then))

    def _written(
        self, table: Table, then: Callable[[Answer], None], answer: Answer | SorterError | OSError
    ) -> None:
        self._writing = False
        if isinstance(answer, (SorterError, OSError)):
            self.notice.complain(str(answer))
        elif self._review is not None and self._review.table is table:
            self.notice.clear()
            then(answer)
        self._update_actions()

    def _follow(self, threshold: float) -> None:
        self._threshold = threshold
        if not self._drag.isActive():
            self._drag.start()

    def _follow_drag(self) -> None:
        review, threshold = self._review, self._threshold
        if review is None or threshold is None:
            return
        review.table.rule = with_threshold(review.table.rule, threshold)
        row = self._current_row()
        self.grid.photos.refresh()
        self._return_to(row)
        self._show_everything()

    def _keep_threshold(self, threshold: float) -> None:
        self._drag.stop()
        self._threshold = threshold
        self._follow_drag()
        if self._review is not None:
            rule = self._review.table.rule
            self._write(0, lambda review: review.decide_by(rule), lambda _: self._update_actions())

    def _reset_threshold(self) -> None:
        if self._review is not None:
            rule = self._review.filed_by
            self._write(0, lambda review: review.decide_by(rule), lambda _: self._go_on([]))

    def _copy(self) -> None:
        review = self._review
        if review is not None:
            rows = [self.grid.photos.row(place) for place in self.grid.selected()]
            text = os.linesep.join(str(review.table.path(row)) for row in rows)
            QGuiApplication.clipboard().setText(text)

    # -- the disk ----------------------------------------------------------------------------------------------

    def ask_to_apply(self) -> None:
        """Show what Apply would do."""
        if self._review is not None and self._idle:
            self.work.ask_to_apply(self._review)

    def _take_back(self) -> None:
        if self._folder is not None and self._idle:
            self.work.take_back(self._folder)

    def _export(self) -> None:
        if self._review is not None and self._idle:
            self.work.ask_to_export(self._review)

    def _retrain(self) -> None:
        if self._folder is not None and self._review is not None:
            self.retrain_wanted.emit(self._folder)

    @property
    def _idle(self) -> bool:
        return not (self.work.busy or self._writing)

    def _update_actions(self) -> None:
        there = self._review is not None
        self.commands.update(self._review, self._idle, self.stack.currentIndex() == PREVIEW)
        self.panel.setEnabled(self._idle and there)
        self.filters.setEnabled(there)
        self.tabs.setEnabled(there)


def _names(table: Table) -> Names:
    import filelock  # noqa: F401 - it loads slowly, and the first correction would have to wait for it

    return Names.of(table)


def _camera(path: Path) -> str:
    exif = Decoder(None).exif(path)
    return "" if isinstance(exif, Failure) else camera_text(exif)


def _date(mtime_ns: int) -> str:
    return f"{datetime.fromtimestamp(mtime_ns / 1e9):%Y-%m-%d %H:%M}"
