"""The page on which a person goes through sorted photos: see, correct, apply, export."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from sorter.sort.review import Review
from sorter.sort.table import Table, read_table
from sorter.types import SorterError

from ..parts.camera import CameraReader
from ..parts.class_changes import ClassChanges
from ..parts.class_keys import class_keys
from ..parts.commands import Commands
from ..parts.corrections import Corrections
from ..parts.entries import AGAIN, ALL, ASIDE, FAILED, OPEN, SKIPPED
from ..parts.filterbar import FilterBar
from ..parts.folder_actions import FolderActions
from ..parts.grid import PhotoGrid
from ..parts.models import Counts, Names, Order, read_names
from ..parts.next_step import Progressed
from ..parts.panel import SidePanel
from ..parts.photo_menu import PhotoMenu
from ..parts.review_header import ReviewHeader
from ..parts.sidebar import Sidebar
from ..parts.status_bar import JobLine, StatusBar
from ..parts.thumbnails import Store, Thumbnails
from ..parts.toast import Toast
from ..parts.viewer import Viewer
from ..settings import Settings
from ..views.burst_reader import BurstReader
from ..views.canvas import ZOOM
from ..views.loading import Loaded
from ..worker import Jobs
from .job_page import JobPage


class ReviewPage(JobPage):
    """One output folder under review.

    Signals:
        opened: a folder, once it is read and shown.
        retrain_wanted: with the folder, to train on its marks.
        changed: marks, places or the folder changed; menus and other pages may look different.
    """

    opened = Signal(Path)
    retrain_wanted = Signal(Path)
    changed = Signal()

    def __init__(
        self, jobs: Jobs, settings: Settings, parent: QWidget | None = None, store: Store | None = None
    ) -> None:
        self.filters = FilterBar(settings.thumbnail_size)
        self.status = StatusBar(self.filters.thumbnails)
        super().__init__(jobs, settings, self.tr("photos"), parent)
        self._folder: Path | None = None
        self._opening: Path | None = None  # is being read, to be shown instead
        self._review: Review | None = None
        self._names: Names | None = None
        self.thumbnails = Thumbnails(jobs.pool(), store or Store(), self)
        self.commands = Commands(self)
        self.sidebar = Sidebar()
        self.header = ReviewHeader(self.commands, self.filters)
        self.grid = PhotoGrid(self.thumbnails)
        self.grid.set_side(settings.thumbnail_size)
        self.stack = Viewer(jobs, self.grid, self.thumbnails)
        self.preview = self.stack.preview
        self.empty = self.stack.empty
        self.panel = SidePanel()
        self.on_folder = FolderActions(jobs, self, self.notice, self.grid, lambda: self._idle, self)
        self.work = self.on_folder.work
        self.corrections = Corrections(
            jobs, self.grid, self.notice, lambda: self._idle, lambda: self.stack.on_screen, self
        )
        self._camera = CameraReader(jobs, self.panel.details, self)
        self._bursts = BurstReader(jobs, self.grid, self)
        self._lay_out()
        self._connect_commands()
        self._connect_parts()
        self._explain(self.tr("Nothing to review yet. Open a folder with sorted photos."))

    def make_notice(self) -> Toast:
        return Toast(self)

    def make_progress(self, steps: str) -> JobLine:
        return self.status.line

    @property
    def review(self) -> Review | None:
        return self._review

    @property
    def folder(self) -> Path | None:
        return self._folder

    # -- how it is put together --------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        assert isinstance(self.notice, Toast)
        self.notice.lie_over(self.stack)  # so that no photo moves under the mouse
        middle = QVBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        middle.addWidget(self.header)
        middle.addWidget(self.stack, 1)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addLayout(middle, 1)
        row.addWidget(self.panel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row, 1)
        column.addWidget(self.status)

    def _connect_commands(self) -> None:
        do, corrections, folder = self.commands, self.corrections, self.on_folder
        for action, call in (
            (do.undo, corrections.undo),
            (do.redo, corrections.redo),
            (do.confirm, corrections.confirm),
            (do.confirm_shown, corrections.confirm_shown),
            (do.clear, corrections.clear),
            (do.select_all, self.grid.selectAll),
            (do.copy_paths, folder.copy_paths),
            (do.find, self.filters.name.setFocus),
            (do.preview, self.stack.toggle_preview),
            (do.grid_view, self.stack.show_grid),
            (do.single_view, self.stack.show_single),
            (do.compare_view, self.stack.show_compare),
            (do.explain, self.stack.show_evidence),
            (do.zoom_in, partial(self._zoom, ZOOM)),
            (do.zoom_out, partial(self._zoom, 1 / ZOOM)),
            (do.fit, self.preview.fit),
            (do.apply, folder.ask_to_apply),
            (do.undo_apply, folder.undo_apply),
            (do.put_back, folder.ask_to_put_back),
            (do.export, folder.ask_to_export),
            (do.retrain, self._retrain),
        ):
            action.triggered.connect(lambda _=False, call=call: call())

    def _connect_parts(self) -> None:
        corrections, selection = self.corrections, self.grid.selectionModel()
        corrections.changed.connect(self._show_everything)
        corrections.writing_changed.connect(self.update_controls)
        corrections.outdated.connect(self._catch_up)
        corrections.classes_changed.connect(self._show_classes)
        self._connect_sidebar()
        self.filters.filtered.connect(lambda values: self._narrow(**values))
        self.filters.arranged.connect(self._arrange)
        self.filters.resized.connect(self._resize)
        self.empty.clear_filters.clicked.connect(self.filters.clear)
        self.filters.left.connect(self.grid.setFocus)
        for view in (self.grid, self.preview):
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            view.customContextMenuRequested.connect(
                lambda at, view=view: self._menu().popup(view.viewport().mapToGlobal(at))
            )
        corrections.obey(self.panel)
        self.grid.previewed.connect(self.stack.toggle_preview)
        self.panel.explained.connect(self.stack.show_evidence)
        selection.selectionChanged.connect(lambda *_: self._show_selection())
        selection.currentChanged.connect(lambda *_: self._show_current())
        self.stack.refused.connect(self.notice.complain)
        self.stack.compare.chosen.connect(lambda _: self._show_view())
        self.stack.switched.connect(self._show_view)
        self.preview.shown.connect(self._show_camera)

    def _connect_sidebar(self) -> None:
        sidebar = self.sidebar
        sidebar.chosen.connect(self._choose)
        sidebar.left.connect(self.stack.focus_photos)
        sidebar.dropped.connect(self.assign)
        sidebar.folder_wanted.connect(self.on_folder.show_folder)
        sidebar.card.improve.clicked.connect(self.commands.retrain.trigger)
        ClassChanges(sidebar, self.corrections, self)

    # -- opening -----------------------------------------------------------------------------------------------

    def open(self, folder: Path) -> None:
        """Show an output folder. It is read on another thread. `opened` tells when it is shown.

        A folder that cannot be opened leaves the one under review as it is.
        """
        self._opening = folder.resolve()
        self.notice.clear()
        if self._review is None:
            self._explain(self.tr("Opening {folder}...").format(folder=self._opening))
        self.update_controls()
        self._jobs.later(partial(read_table, self._opening), partial(self._open_table, self._opening))

    def _open_table(self, folder: Path, table: Table | SorterError | OSError) -> None:
        if folder != self._opening:
            return  # another was asked for meanwhile
        self._opening = None
        try:
            if not isinstance(table, Table):
                raise table
            review = Review.open(folder, table)
        except (SorterError, OSError) as error:
            self.notice.complain(str(error))
            if self._review is None:
                self._explain(self.tr("Nothing to review yet. Open a folder with sorted photos."))
            self.update_controls()
            return
        self._show_folder(folder, review)

    def _show_folder(self, folder: Path, review: Review) -> None:
        """Show a folder from its beginning, with nothing left of the one before."""
        self._close_review()
        self.filters.clear()
        self._folder, self._review = folder, review
        self.corrections.review = self.on_folder.review = review
        self._jobs.later(partial(read_names, review.table), partial(self._know_names, folder))
        self._name_classes()
        self.panel.allow_explaining(review.run.model_folder)
        self.grid.photos.filter(label=None, failed=False, skipped=False, aside=False, open=False, ids=None)
        self.grid.photos.show(review.table)
        self._bursts.read(review.table)
        self.sidebar.forget_found()
        self.sidebar.show_kind(ALL)
        self.grid.go_to(0)
        self._show_everything()
        self.opened.emit(folder)

    def close_folder(self) -> None:
        """At the end: leave nothing open."""
        self._close_review()
        self.thumbnails.close()

    def _close_review(self) -> None:
        review, self._review, self._names = self._review, None, None
        self.corrections.review = self.on_folder.review = None
        if review is not None:
            review.close()
        self.grid.photos.show(None)
        self._bursts.read(None)
        self.stack.forget()

    def on_ended(self) -> None:
        """Photos lie elsewhere now."""
        if self._folder is not None:
            self._jobs.later(partial(read_table, self._folder), partial(self._read_again, self._folder))

    def event(self, event: QEvent) -> bool:
        """Another window may have changed the folder while this one was behind."""
        back = event.type() == QEvent.Type.WindowActivate
        if back and self._review is not None and self._idle and self._review.outdated:
            self._catch_up()
        return super().event(event)

    def _catch_up(self) -> None:
        """Another window, or a command, has changed the folder."""
        self.notice.say(self.tr("This folder was changed elsewhere. It is shown as it is now."))
        self.on_ended()

    def _read_again(self, folder: Path, table: Table | SorterError | OSError) -> None:
        if folder != self._folder or self._review is None:
            return
        if not isinstance(table, Table):
            self.notice.complain(str(table))
            return
        self._review.take(table)
        self._show_classes()

    def _show_classes(self) -> None:
        """The table is another one, perhaps with other classes."""
        if self._review is None:
            return
        row, table = self.grid.current_row(), self._review.table
        before = self.grid.photos.table
        self._name_classes()
        self.grid.photos.show(table, self._names)
        if before is not None and len(before.labels) != len(table.labels):
            self.sidebar.show_kind(ALL)  # the codes of the classes are others now
        self._show_everything()
        self.grid.return_to(row)

    def _name_classes(self) -> None:
        """Keys and buttons of the classes."""
        assert self._review is not None
        classes = self._review.classes
        self.grid.keys = class_keys(classes, self._settings.letter_keys)
        self.panel.show_classes(classes, self.grid.keys)

    def use_letters(self, on: bool) -> None:
        """Letters mark photos, too, or digits only."""
        self._settings.letter_keys = on
        if self._review is not None:
            self._name_classes()
            self._show_everything()

    def _know_names(self, folder: Path, names: Names | SorterError | OSError) -> None:
        if folder == self._folder and self._review is not None and isinstance(names, Names):
            self._names = names
            self.grid.photos.know_names(names)
            self._show_photos()  # a name that was searched for meanwhile may leave none

    # -- showing -----------------------------------------------------------------------------------------------

    def _show_everything(self) -> None:
        """Tabs, threshold and state, after the table has changed."""
        if self._review is None:
            return
        table = self._review.table
        counts = Counts.of(table)
        self.sidebar.show_table(table, counts, self.grid.keys)
        self.sidebar.card.show_model(self._review.run.model, counts.reviewed)
        self.panel.histogram.show_photos(table.probability, table.rule)
        self.panel.show_rule(table, self._review.filed_by)
        self.status.show_counts(counts)
        self._show_photos()
        self.update_controls()
        self.changed.emit()

    def _show_photos(self) -> None:
        """Grid, preview or why there is nothing."""
        if self._review is None:
            return
        if self.grid.photos.rowCount() or self.grid.photos.listing.sections:
            self.stack.show_photos()
        elif self.filters.narrow:
            self._explain(self.tr("No photos match."), filtered=True)
        elif not len(self._review.table):
            self._explain(self.tr("This folder's run has sorted no photos yet."))
        else:
            self._explain(self.tr("No photo is in this class now."))
        self.header.show_title(self.sidebar.title, self.grid.photos.total)
        self._show_selection()
        self._show_current()

    def _explain(self, sentence: str, filtered: bool = False) -> None:
        self.stack.explain(sentence, filtered)
        self._enable_parts()

    def _show_selection(self) -> None:
        self.panel.show_confirm(len(self.grid.selected()))

    def _show_current(self) -> None:
        place, review = self.stack.place, self._review
        if place is None or review is None:
            self.panel.clear()
            self._camera.ask(None)
            return
        self.panel.show_photo(review.table, self.grid.photos.cell(place))
        if self.stack.previewing:
            self._camera.ask(None)  # comes with the photo itself
            self.stack.show_place(place)
        else:
            row = self.grid.photos.row(place)
            self._camera.ask(None if review.table.failed[row] else review.table.path(row))

    def _show_camera(self, loaded: Loaded) -> None:
        self.panel.details.show_camera(loaded.camera)

    def _show_view(self) -> None:
        self._show_selection()
        self._show_current()
        self.update_controls()

    def _zoom(self, factor: float) -> None:
        if self.stack.previewing:
            self.preview.zoom(factor)
        else:
            self.filters.thumbnails.setValue(round(self.filters.thumbnails.value() * factor))

    # -- which photos ------------------------------------------------------------------------------------------

    def _choose(self, kind: int) -> None:
        self._narrow(
            label=kind if kind >= 0 else None,
            failed=kind == FAILED,
            skipped=kind == SKIPPED,
            aside=kind == ASIDE,
            open=kind == OPEN,
            ids=self.sidebar.again if kind == AGAIN else None,
        )

    def _narrow(self, **changes: object) -> None:
        row = self.grid.current_row()
        self.grid.photos.filter(**changes)
        self.grid.return_to(row)
        self._show_photos()
        self.update_controls()

    def _arrange(self, order: Order) -> None:
        self.grid.photos.arrange(order)
        self.grid.verticalScrollBar().setValue(0)
        self.grid.go_to(0)
        self._show_photos()

    def _resize(self, side: int) -> None:
        self.grid.set_side(side)
        self._settings.thumbnail_size = side

    # -- actions -----------------------------------------------------------------------------------------------

    def assign(self, code: int) -> None:
        """Mark the selected photos as this class, and go to the next."""
        self.corrections.assign(code)

    def _menu(self) -> QMenu:
        """What can be done with the selected photos."""
        menu = PhotoMenu(self.commands, self.grid, self.stack.place, self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setEnabled(self._review is not None)
        return menu

    def _retrain(self) -> None:
        if self._folder is not None and self._review is not None:
            self.retrain_wanted.emit(self._folder)

    # -- what can be done now ----------------------------------------------------------------------------------

    @property
    def progressed(self) -> Progressed:
        """How far the folder is."""
        if self._review is None:
            return Progressed()
        table = self._review.table
        marks = int(table.checked.sum())
        return Progressed(True, self.grid.photos.confirmable(), table.misplaced, marks)

    def show_inspector(self, room: bool, alone: bool) -> None:
        """Show the facts beside the photos where they are wanted and there is room for them."""
        self.panel.setVisible(room and not alone and self._settings.inspector)

    @property
    def _idle(self) -> bool:
        return not (self.busy or self.corrections.writing or self._opening is not None)

    def update_controls(self) -> None:
        self.commands.update(self._review, self._idle, self.stack.view, self.grid.photos.confirmable())
        self._enable_parts()

    def _enable_parts(self) -> None:
        there = self._review is not None
        self.panel.setEnabled(there and self._idle)
        self.filters.setEnabled(there)
        self.sidebar.setEnabled(there)
