"""The page on which a person goes through what was sorted: see, correct, apply, export."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sorter.gui import tasks
from sorter.gui.apply import ApplyDialog
from sorter.gui.filterbar import FilterBar
from sorter.gui.grid import PhotoGrid
from sorter.gui.histogram import with_threshold
from sorter.gui.models import Counts, Names
from sorter.gui.panel import SidePanel
from sorter.gui.preview import Loaded, Preview, size_text
from sorter.gui.progress import Notice, ProgressPanel
from sorter.gui.settings import Settings
from sorter.gui.tabs import ALL, FAILED, ClassTabs
from sorter.gui.thumbnails import Store, Thumbnails
from sorter.gui.worker import Job, Jobs
from sorter.refile import Applied
from sorter.review import Review
from sorter.table import Table, read_table
from sorter.types import SorterError

SETTLE_MS = 120  # a photo that is passed over quickly is not decoded for its details
EMPTY, GRID, PREVIEW = range(3)


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
        self._job: Job | None = None
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
        self._make_actions()
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
        for action in (self.undo, self.redo, self.apply, self.export, self.retrain):
            head.addWidget(self._button(action))

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

    def _make_actions(self) -> None:
        keys = QKeySequence
        self.undo = self._action(self.tr("&Undo"), self._undo, keys(keys.StandardKey.Undo))
        self.redo = self._action(self.tr("&Redo"), self._redo, keys("Ctrl+Shift+Z"), keys("Ctrl+Y"))
        self.confirm = self._action(self.tr("All of these are &right"), self._confirm, keys("Ctrl+R"))
        self.clear_said = self._action(self.tr("&Take back what I said"), self._clear)
        self.select_all = self._action(
            self.tr("Select &all"), self.grid.selectAll, keys(keys.StandardKey.SelectAll)
        )
        self.copy_path = self._action(self.tr("&Copy paths"), self._copy, keys(keys.StandardKey.Copy))
        self.find = self._action(
            self.tr("&Find by name"), self.filters.name.setFocus, keys(keys.StandardKey.Find)
        )
        self.open_preview = self._action(self.tr("&Preview"), self.toggle_preview)
        self.zoom_in = self._action(
            self.tr("Zoom &in"), lambda: self._zoom(1.25), keys("Ctrl++"), keys("Ctrl+=")
        )
        self.zoom_out = self._action(self.tr("Zoom &out"), lambda: self._zoom(0.8), keys("Ctrl+-"))
        self.fit = self._action(self.tr("&Fit"), self.preview.fit, keys("Ctrl+0"))
        self.apply = self._action(self.tr("&Apply …"), self.ask_to_apply, keys("Ctrl+Return"))
        self.apply.setToolTip(self.tr("Move the photos to the folders where they belong (Ctrl+Return)"))
        self.take_back = self._action(self.tr("Take &back Apply"), self.start_take_back)
        self.export = self._action(self.tr("&Export …"), self._ask_to_export, keys("Ctrl+E"))
        self.export.setToolTip(self.tr("Copy the corrected set into class folders elsewhere (Ctrl+E)"))
        self.retrain = self._action(self.tr("Re&train …"), self._retrain, keys("Ctrl+T"))
        self.retrain.setToolTip(self.tr("Train the model on what you said (Ctrl+T)"))

    def _action(self, text: str, call: object, *keys: QKeySequence) -> QAction:
        action = QAction(text, self)
        action.setShortcuts(list(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda: call())  # type: ignore[operator]
        action.setEnabled(False)
        self.addAction(action)
        return action

    def _button(self, action: QAction) -> QPushButton:
        """A push button that follows an action."""
        button = QPushButton(action.text())
        button.clicked.connect(action.trigger)

        def follow() -> None:
            button.setText(action.text())
            button.setEnabled(action.isEnabled())
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.text().replace("&", "").replace(" …", ""))

        follow()
        action.changed.connect(follow)
        return button

    def _connect(self) -> None:
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
            self._jobs.later(partial(Names.of, table), partial(self._know_names, folder))
        row = self._current_row()
        self.grid.photos.show(table, self._names)
        self._show_everything()
        self._return_to(row)

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
            if self.grid.current() is None:
                self.grid.go_to(self.grid.first_visible() or 0)
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
            self.filters.size.setValue(round(self.filters.size.value() * factor))

    # -- what is shown -----------------------------------------------------------------------------------------

    def _choose_tab(self, kind: int) -> None:
        self._narrow(label=None if kind in (ALL, FAILED) else kind, failed=kind == FAILED)

    def _narrow(self, **changes: object) -> None:
        row = self._current_row()
        self.grid.photos.filter(**changes)
        self._return_to(row)
        self._show_shown()

    def _arrange(self, order: object) -> None:
        self.grid.photos.arrange(order)  # type: ignore[arg-type]
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
        review = self._review
        if review is not None and code < len(review.classes):
            self._correct(lambda ids: review.assign(ids, review.classes[code]), self.grid.selected())

    def _clear(self) -> None:
        review = self._review
        if review is not None:
            self._correct(lambda ids: review.assign(ids, None), self.grid.selected())

    def _confirm(self) -> None:
        """The selected ones, where there are several, else all that are shown."""
        review, places = self._review, self.grid.selected()
        if review is not None:
            every = range(self.grid.photos.rowCount())
            self._correct(review.confirm, places if len(places) > 1 else every)

    def _correct(self, say: object, places: list[int] | range) -> None:
        if self._job is not None or not len(places):
            return
        single = len(places) == 1
        first = places[0]
        if not self._try(lambda: say(self.grid.photos.ids(places))):  # type: ignore[operator]
            return
        gone = self.grid.photos.refresh()
        if gone:  # what was corrected is shown elsewhere now; the next one took its place
            self.grid.go_to(first)
        elif single:
            self.grid.go_to(first + 1)
        self._show_everything()

    def _undo(self) -> None:
        self._step(lambda review: review.undo())

    def _redo(self) -> None:
        self._step(lambda review: review.redo())

    def _step(self, take: object) -> None:
        review = self._review
        if review is None or self._job is not None:
            return
        changed: list[int] = []
        if not self._try(lambda: changed.extend(take(review))):  # type: ignore[operator]
            return
        row = self._current_row()
        self.grid.photos.refresh()
        if changed:  # show what it was about, where that is to be seen
            place = self.grid.photos.place(int(review.table.id.searchsorted(min(changed))))
            if place is not None and len(changed) == 1:
                self.grid.go_to(place)
        self._return_to(row)
        self._show_everything()

    def _try(self, act: object) -> bool:
        """Do it; what goes wrong becomes a sentence."""
        try:
            act()  # type: ignore[operator]
        except (SorterError, OSError) as error:
            self.notice.complain(str(error))
            return False
        self.notice.clear()
        return True

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
        self._follow(threshold)
        self._follow_drag()
        review = self._review
        if review is not None:
            self._try(lambda: review.decide_by(review.table.rule))
        self._update_actions()

    def _reset_threshold(self) -> None:
        review = self._review
        if review is not None and self._try(lambda: review.decide_by(review.filed_by)):
            self.grid.photos.refresh()
            self._show_everything()

    def _copy(self) -> None:
        review = self._review
        if review is not None:
            rows = [self.grid.photos.row(place) for place in self.grid.selected()]
            text = os.linesep.join(str(review.table.path(row)) for row in rows)
            QGuiApplication.clipboard().setText(text)

    # -- the disk ----------------------------------------------------------------------------------------------

    def ask_to_apply(self) -> None:
        """Show what Apply would do."""
        review = self._review
        if review is None or self._job is not None:
            return
        moves = review.plan()
        if not moves:
            if review.fileable:
                self.notice.say(
                    self.tr("Every photo lies in the folder where it belongs; there is nothing to move.")
                )
            else:
                self.notice.say(
                    self.tr(
                        "No photo of this run lies in the output folder, so there is nothing to move. Export copies them."
                    )
                )
            return
        dialog = ApplyDialog(moves, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.start_apply(len(moves)))
        dialog.open()

    def start_apply(self, photos: int) -> None:
        job = self._start(self.tr("Moving photos to where they belong"), tasks.apply, photos)
        if job is not None:
            job.finished.connect(
                partial(
                    self._moved,
                    self.tr("{count} photos were moved. “Take back Apply” in the menu undoes it."),
                )
            )

    def start_take_back(self) -> None:
        job = self._start(self.tr("Moving photos back"), tasks.take_back)
        if job is not None:
            job.finished.connect(
                partial(self._moved, self.tr("{count} photos are back. What you said of them is kept."))
            )

    def _ask_to_export(self) -> None:
        target = QFileDialog.getExistingDirectory(self, self.tr("An empty folder for the corrected set"))
        if target:
            self.start_export(Path(target))

    def start_export(self, target: Path) -> None:
        photos = 0 if self._review is None else len(self._review.table)
        job = self._start(self.tr("Copying the corrected set"), tasks.export, target, photos)
        if job is not None:
            text = self.tr("{count} photos were copied to {folder}, with a report.csv.")
            job.finished.connect(partial(self._moved, text))

    def _retrain(self) -> None:
        if self._folder is not None and self._review is not None:
            self.retrain_wanted.emit(self._folder)

    def _start(self, what: str, call: object, *arguments: object) -> Job | None:
        if self._job is not None or self._folder is None:
            return None
        self.notice.clear()
        self._job = self._jobs.start(call, self._folder, *arguments)  # type: ignore[arg-type]
        self.progress.follow(self._job, what)
        self._job.failed.connect(self.notice.complain)
        self._job.cancelled.connect(
            lambda: self.notice.say(self.tr("Stopped. What was done stays done; the same again goes on."))
        )
        self._job.ended.connect(self._end)
        self._update_actions()
        return self._job

    def _moved(self, text: str, applied: Applied) -> None:
        count = QLocale().toString(applied.filed)
        sentence = text.format(count=count, folder=applied.out)
        if not applied.left:
            self.notice.say(sentence)
            return
        named = "; ".join(f"{left.path.name}: {left.message}" for left in applied.left[:3])
        more = self.tr("{count} could not be: {which}").format(
            count=QLocale().toString(len(applied.left)), which=named + (" …" if len(applied.left) > 3 else "")
        )
        self.notice.complain(f"{sentence} {more}")

    def _end(self) -> None:
        self._job = None
        self._read()  # photos lie elsewhere now
        self._update_actions()

    def _update_actions(self) -> None:
        review, idle = self._review, self._job is None
        there = review is not None
        can_undo, can_redo = review.steps if review is not None else (False, False)
        self.undo.setEnabled(idle and can_undo)
        self.redo.setEnabled(idle and can_redo)
        self.apply.setEnabled(idle and there)
        self.take_back.setEnabled(idle and review is not None and review.applied)
        for action in (self.export, self.retrain, self.confirm, self.clear_said):
            action.setEnabled(idle and there)
        for action in (
            self.select_all,
            self.copy_path,
            self.find,
            self.open_preview,
            self.zoom_in,
            self.zoom_out,
        ):
            action.setEnabled(there)
        self.fit.setEnabled(self.stack.currentIndex() == PREVIEW)
        self.panel.setEnabled(idle and there)
        self.filters.setEnabled(there)
        self.tabs.setEnabled(there)


def _camera(path: Path) -> str:
    from sorter.decode import Decoder
    from sorter.gui.preview import camera_text
    from sorter.types import Failure

    exif = Decoder(None).exif(path)
    return "" if isinstance(exif, Failure) else camera_text(exif)


def _date(mtime_ns: int) -> str:
    from datetime import datetime

    return f"{datetime.fromtimestamp(mtime_ns / 1e9):%Y-%m-%d %H:%M}" if mtime_ns else ""
