"""The first page: sort a folder of photos, continue a stopped run, open earlier results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QLocale, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from sorter.model.folder import read_model, shipped_model
from sorter.sort.options import SortOptions, options_of_last_run
from sorter.sort.run import SortSummary
from sorter.sort.status import FolderStatus
from sorter.types import ActionKind, SorterError

from .. import tasks
from ..parts.drop import DropArea, dropped_folder
from ..parts.put_back import PutBack
from ..parts.recent import RecentFolder, RecentFolders
from ..parts.sort_form import SortForm
from ..settings import Settings
from ..worker import Jobs
from .job_page import JobPage

WIDTH = 760  # pixels, of the column; lines longer than this read badly


class StartPage(JobPage):
    """Sorting, and the folders that were sorted before.

    Signals:
        opened: an output folder that the user chose to review.
        run_finished: an output folder whose run has just finished.
        run_ended: an output folder whose run finished, failed or was cancelled.
    """

    opened = Signal(Path)
    run_finished = Signal(Path)
    run_ended = Signal(Path)

    def __init__(self, jobs: Jobs, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(jobs, settings, self.tr("photos"), parent)
        self._running: SortOptions | None = None
        self._undoing: Path | None = None  # is being put back
        self._failed: Path | None = None  # its run failed in the middle, and can be continued
        self.setAcceptDrops(True)
        self.drop_area = DropArea(self)
        self.form = SortForm(settings)
        self.sort_button = self._make_sort_button()
        self.recent = RecentFolders()
        self._put_back = PutBack(self, self.notice, self)
        self._lay_out()
        self.drop_area.button.clicked.connect(self.form.choose_photos)
        self.form.edited.connect(self.notice.clear)
        self.form.submitted.connect(self.sort)
        self.form.model_chosen.connect(self.use_model)
        self.recent.opened.connect(self.open)
        self.recent.continued.connect(self.continue_run)
        self.recent.other_wanted.connect(self.choose_sorted)
        self.recent.put_back_wanted.connect(self.put_back)
        self.recent.removed.connect(self.forget)
        self.notice.accepted.connect(self._continue_failed)
        self.refresh()

    def _make_sort_button(self) -> QPushButton:
        button = QPushButton(self.tr("&Sort"))
        button.setAccessibleName(self.tr("Sort"))
        button.setToolTip(self.tr("Sort the photos into a folder for each class"))
        button.setDefault(True)
        button.setMinimumWidth(140)
        button.clicked.connect(self.sort)
        return button

    def _lay_out(self) -> None:
        press = QHBoxLayout()
        press.addStretch(1)
        press.addWidget(self.sort_button)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.drop_area)
        column.addWidget(self.form)
        column.addLayout(press)
        column.addWidget(self.notice)
        column.addWidget(self.progress)
        column.addWidget(self.recent, 1)
        middle.setMaximumWidth(WIDTH)
        middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QHBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(middle, 100)
        layout.addStretch(1)

    # -- choosing ----------------------------------------------------------------------------------------------

    @Slot()
    def choose_sorted(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A folder with sorted photos"))
        if folder:
            self.open(Path(folder))

    @Slot(Path)
    def use_model(self, folder: Path) -> None:
        """Choose a model folder, and keep it in the list."""
        try:
            read_model(folder)
        except SorterError as error:
            self.notice.complain(str(error))
            return
        self.notice.clear()
        if folder != shipped_model():
            self._settings.remember_model(folder)
        self.form.fill_models(folder)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self.busy and dropped_folder(event) is not None:
            self.drop_area.light_up(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: object) -> None:
        self.drop_area.light_up(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_area.light_up(False)
        folder = dropped_folder(event)
        if folder is not None:
            event.acceptProposedAction()
            self.take(folder)

    def take(self, folder: Path) -> None:
        """Take a dropped folder: results are opened, a model is chosen, anything else is to be sorted."""
        if (folder / "model.json").is_file():
            self.use_model(folder)
        elif (folder / ".sorter" / "journal.db").is_file():
            self.open(folder)
        else:
            self.notice.clear()
            self.form.photos.setText(str(folder))
            self.sort_button.setFocus()

    # -- sorting -----------------------------------------------------------------------------------------------

    @Slot()
    def sort(self) -> None:
        """Sort as the form says."""
        photos, out = self.form.photos.text().strip(), self.form.out.text().strip()
        if not photos:
            self.notice.complain(self.tr("Choose a folder of photos first, or drop one here."))
            return
        if not out:
            self.notice.complain(self.tr("Choose a folder for the sorted photos, too."))
            return
        action = ActionKind(self.form.action.currentData())
        if action is not ActionKind.MOVE:  # nobody moves photos by a choice made for other photos
            self._settings.action = action
        self._run(
            SortOptions(
                (Path(photos).expanduser(),),
                Path(out).expanduser(),
                model=Path(self.form.model.currentData()),
                action=action,
            )
        )

    @Slot(Path)
    def continue_run(self, out: Path) -> None:
        """Sort what a stopped run left."""
        try:
            self._run(options_of_last_run(out))
        except SorterError as error:
            self.notice.complain(str(error))

    def start_with_model(self, model: Path, folder: Path) -> None:
        """Put back what was sorted into `folder` and sort the same photos anew with another model."""
        try:
            options = options_of_last_run(folder)
        except SorterError as error:
            self.notice.complain(str(error))
            return
        self.use_model(model)  # the form names the model that is at work
        self._run(replace(options, model=model, threshold=None, fresh=True))

    def _run(self, options: SortOptions) -> None:
        if self.busy:
            self.notice.complain(self.tr("One folder at a time. Wait for the other, or cancel it."))
            return
        self._running, self._failed = options, None
        self.run_job(
            self.tr("Sorting {folder}").format(folder=options.inputs[0].name),
            tasks.sort,
            options,
            finished=self._finish,
            cancelled=self.tr("Stopped. What is sorted stays sorted. “Continue” sorts the rest."),
        )

    @Slot(object)
    def _finish(self, summary: SortSummary) -> None:
        number = QLocale().toString
        sentence = self.tr("{n} photos sorted.").format(n=number(sum(summary.counts.values())))
        if summary.failed:
            failed = number(sum(summary.failed.values()))
            sentence += " " + self.tr("{n} couldn't be read. Review shows why.").format(n=failed)
        self._settings.remember(summary.out)
        if self._running is not None and self._running.model not in (None, shipped_model()):
            assert self._running.model is not None
            self.use_model(self._running.model)
        self.form.reset_action()
        self.notice.say(sentence)
        self.run_finished.emit(summary.out)

    @Slot(str)
    def on_failed(self, message: str) -> None:
        out = None if self._running is None else self._running.out.resolve()
        self._failed = out if out is not None and (out / ".sorter" / "journal.db").is_file() else None
        self.notice.complain(message, "" if self._failed is None else self.tr("&Continue"))

    @Slot()
    def _continue_failed(self) -> None:
        if self._failed is not None:
            self.continue_run(self._failed)

    # -- putting back ------------------------------------------------------------------------------------------

    @Slot(object)
    def put_back(self, status: FolderStatus) -> None:
        """Ask, then put every photo of a folder back."""
        if not self.busy:
            self._undoing = status.out
            self._put_back.ask(status)

    @Slot(Path)
    def forget(self, out: Path) -> None:
        """Leave a folder out of the list. Nothing on the disk changes."""
        self._settings.forget(out)
        self.refresh()

    def on_ended(self) -> None:
        out = self._undoing if self._running is None else self._running.out
        self._running = self._undoing = None
        if out is not None and (out / ".sorter").is_dir():
            self._settings.remember(out)
            self.run_ended.emit(out)
        self.refresh()

    def update_controls(self) -> None:
        for widget in (self.drop_area, self.form, self.sort_button):
            widget.setEnabled(not self.busy)
        self.recent.lock(self.busy)

    # -- what was sorted before --------------------------------------------------------------------------------

    @Slot(Path)
    def open(self, out: Path) -> None:
        """Open an output folder. It is looked at in a thread first."""
        self._jobs.later(lambda: RecentFolder.read(out), self._open)

    def _open(self, folder: RecentFolder | SorterError | OSError) -> None:
        if not isinstance(folder, RecentFolder):
            self.notice.complain(str(folder))
        elif folder.status is None:
            self.notice.complain(folder.problem)
        else:
            self._settings.remember(folder.out)
            self.refresh()
            self.opened.emit(folder.out)

    def refresh(self) -> None:
        """Look at the recent folders again, in a thread: a disk may be slow."""
        folders = self._settings.recent
        self._jobs.later(lambda: [RecentFolder.read(each) for each in folders], self._list)

    def _list(self, folders: list[RecentFolder] | SorterError | OSError) -> None:
        if isinstance(folders, list):
            self.recent.show_folders(folders)
        else:
            self.notice.complain(str(folders))
