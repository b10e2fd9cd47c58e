"""The first page: sort a folder of photos, teach classes, continue a stopped run, open earlier results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QLocale, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sorter.model.folder import read_model, shipped_model
from sorter.sort.options import SortOptions, options_of_last_run
from sorter.sort.status import FolderStatus
from sorter.sort.summary import SortSummary
from sorter.train.teach import TaughtClass
from sorter.types import ActionKind, SorterError

from .. import tasks
from ..parts.drop import dropped_folder
from ..parts.home import Home
from ..parts.model_shelf import ModelShelf
from ..parts.put_back import PutBack
from ..parts.recent import RecentFolder, RecentFolders
from ..parts.samples import Samples, draw_samples
from ..parts.sort_form import SortForm
from ..parts.sort_sheet import SortSheet
from ..parts.thumbnails import Store, Thumbnails
from ..parts.words import Remedy, counted, remedy_of, remedy_text
from ..settings import Settings
from ..worker import Jobs
from .job_page import JobPage
from .teach import TeachPage

WIDTH = 760  # pixels, of the column; lines longer than this read badly


@dataclass(frozen=True)
class Mending:
    """What a button can do about an error.

    Attributes:
        options: of the run that failed; None where there was none.
        folder: that the error is about.
    """

    remedy: Remedy
    options: SortOptions | None
    folder: Path


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
        self._mending: Mending | None = None  # what the button beside the message does
        self._samples: Samples | None = None  # while the app is tried with them
        self.setAcceptDrops(True)
        self._shelf = ModelShelf(settings)
        self._thumbnails = Thumbnails(jobs.pool(), Store(), self)
        jobs.closed.connect(self._thumbnails.close)
        self.form = SortForm(jobs, settings, self._shelf, self._thumbnails)
        self.sheet = SortSheet(self.form)
        self.sort_button = self.sheet.sort_button
        self.recent = RecentFolders()
        self.home = Home(self.recent)
        self.drop_area = self.home.drop_area
        self.teach = TeachPage(jobs, settings, self._shelf, self._thumbnails)
        self._put_back = PutBack(self, self.notice, self)
        self._lay_out()
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self.drop_area.button.clicked.connect(self.choose_photos)
        self.home.teach_wanted.connect(self.teach_classes)
        self.home.samples_wanted.connect(self.try_samples)
        self.form.edited.connect(self.notice.clear)
        self.sheet.submitted.connect(self.sort)
        self.sheet.left.connect(self.go_home)
        self.form.model_chosen.connect(self.use_model)
        self.form.models.more_wanted.connect(self._teach_more)
        self.form.models.removed.connect(self._remove_model)
        self.teach.learned.connect(self.form.models.fill)
        self.teach.sort_wanted.connect(self._sort_with)
        self.teach.left.connect(self.go_home)
        self.teach.job_started.connect(self.update_controls)
        self.teach.job_ended.connect(self.update_controls)
        self.recent.opened.connect(self.open)
        self.recent.continued.connect(self.continue_run)
        self.recent.other_wanted.connect(self.choose_sorted)
        self.recent.put_back_wanted.connect(self.put_back)
        self.recent.removed.connect(self.forget)
        self.notice.accepted.connect(self._mend)

    def _lay_out(self) -> None:
        self.steps = QStackedWidget()
        for step in (self.home, self.sheet, self.teach):
            self.steps.addWidget(step)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.steps, 1)
        column.addWidget(self.notice)
        column.addWidget(self.progress)
        middle.setMaximumWidth(WIDTH)
        middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QHBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(middle, 100)
        layout.addStretch(1)

    # -- steps -------------------------------------------------------------------------------------------------

    @Slot()
    def go_home(self) -> None:
        """Show the three cards, and what was sorted before."""
        self._samples = None
        self.steps.setCurrentWidget(self.home)
        self.refresh()

    @Slot()
    def teach_classes(self) -> None:
        """Teach classes of one's own."""
        self._show_teaching()

    def _show_teaching(self, classes: tuple[TaughtClass, ...] = (), name: str = "") -> None:
        self.notice.clear()
        if not self.teach.busy:
            self.teach.start(classes, name)
        self.steps.setCurrentWidget(self.teach)

    @Slot(Path)
    def _teach_more(self, model: Path) -> None:
        self._show_teaching(self._shelf.examples(model), model.name)

    @Slot(Path)
    def _sort_with(self, model: Path) -> None:
        """The model is taught. Sort with it: the samples, or whatever is chosen."""
        self.form.models.fill(model)
        if self._samples is not None:
            self.take(self._samples.photos)
        elif self.form.photos.text():
            self.steps.setCurrentWidget(self.sheet)
        else:
            self.choose_photos()

    @Slot(Path)
    def _remove_model(self, model: Path) -> None:
        self._shelf.remove(model)
        self.form.models.fill()

    @Slot()
    def try_samples(self) -> None:
        """Draw pictures, and teach their classes."""
        self.home.samples_tile.setEnabled(False)
        self._jobs.later(lambda: draw_samples(self._settings.home / "samples"), self._show_samples)

    def _show_samples(self, samples: Samples | SorterError | OSError) -> None:
        self.home.samples_tile.setEnabled(True)
        if not isinstance(samples, Samples):
            self.notice.complain(str(samples))
            return
        self._samples = samples
        names = {"forest": self.tr("Forest"), "sea": self.tr("Sea"), "sunset": self.tr("Sunset")}
        classes = tuple(TaughtClass(names[scene], (path,)) for scene, path in samples.examples.items())
        self._show_teaching(classes, self.tr("Samples"))

    # -- choosing ----------------------------------------------------------------------------------------------

    @Slot()
    def choose_photos(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, self.tr("A folder of photos"), self.form.photos.text()
        )
        if folder:
            self.take(Path(folder))

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
            self._complain(str(error), remedy_of(str(error)), folder=folder)
            return
        self.notice.clear()
        if folder != shipped_model():
            self._settings.remember_model(folder)
        self.form.models.fill(folder)

    def showEvent(self, event: object) -> None:
        self.form.models.fill(self._settings.model)  # one may have been made meanwhile

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self.busy and not self.teach.busy and dropped_folder(event) is not None:
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
            self.take_photos(folder)

    def take_photos(self, folder: Path) -> None:
        """A folder of photos, to be sorted."""
        self.notice.clear()
        self.form.photos.setText(str(folder))
        self.steps.setCurrentWidget(self.sheet)
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
        action = self.form.chosen_action
        if action is not ActionKind.MOVE:  # nobody moves photos by a choice made for other photos
            self._settings.action = action
        self._settings.model = self.form.models.chosen
        self._run(
            SortOptions(
                (Path(photos).expanduser(),),
                Path(out).expanduser(),
                model=self.form.models.chosen,
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
        self._running, self._mending = options, None
        self.run_job(
            self.tr("Sorting {folder}").format(folder=options.source_name),
            tasks.sort,
            options,
            finished=self._finish,
            cancelled=self.tr("Stopped. What is sorted stays sorted. “Continue” sorts the rest."),
        )

    @Slot(object)
    def _finish(self, summary: SortSummary) -> None:
        number = QLocale().toString
        done = sum(summary.counts.values())
        sentence = counted(done, self.tr("1 photo sorted."), self.tr("{n} photos sorted."))
        if summary.failed:
            failed = number(sum(summary.failed.values()))
            sentence += " " + self.tr(
                "{n} couldn't be read. “Couldn't be read” at the side shows why."
            ).format(n=failed)
        self._settings.remember(summary.out)
        if self._running is not None and self._running.model not in (None, shipped_model()):
            assert self._running.model is not None
            self.use_model(self._running.model)
        self.form.reset_action()
        self.notice.say(sentence)
        self.run_finished.emit(summary.out)

    @Slot(str)
    def on_failed(self, message: str) -> None:
        out = self._undoing if self._running is None else self._running.out
        remedy = remedy_of(message)
        begun = out is not None and (out / ".sorter" / "journal.db").is_file()
        if remedy in (None, Remedy.CONTINUE):
            remedy = Remedy.CONTINUE if begun and self._running is not None else None
        self._complain(message, remedy, self._running, out)

    def _complain(
        self,
        message: str,
        remedy: Remedy | None,
        options: SortOptions | None = None,
        folder: Path | None = None,
    ) -> None:
        """Show an error, with the button that mends it."""
        self._mending = None if remedy is None or folder is None else Mending(remedy, options, folder)
        self.notice.complain(message, remedy_text(remedy if self._mending else None))

    @Slot()
    def _mend(self) -> None:
        mending, self._mending = self._mending, None
        if mending is None:
            return
        self.notice.clear()
        if mending.remedy is Remedy.CONTINUE:
            self.continue_run(mending.folder)
        elif mending.remedy is Remedy.SORT_ANEW and mending.options is not None:
            self._run(replace(mending.options, fresh=True))
        elif mending.remedy is Remedy.SORT_IT:
            self.take_photos(mending.folder)
        elif mending.remedy is Remedy.INSIDE:
            self.form.save_to(mending.folder / "sorted")
            self.sort()
        elif mending.remedy is Remedy.OTHER_FOLDER:
            self.form.choose_out()
        elif mending.remedy is Remedy.OTHER_MODEL:
            self.form.choose_model()

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
        idle = not self.busy
        for widget in (self.drop_area, self.home.samples_tile, self.form, self.sort_button):
            widget.setEnabled(idle and not self.teach.busy)
        self.recent.lock(not idle)

    # -- what was sorted before --------------------------------------------------------------------------------

    @Slot(Path)
    def open(self, out: Path) -> None:
        """Open an output folder. It is looked at in a thread first."""
        self._jobs.later(lambda: RecentFolder.read(out), self._open)

    def _open(self, folder: RecentFolder | SorterError | OSError) -> None:
        if not isinstance(folder, RecentFolder):
            self.notice.complain(str(folder))
        elif folder.status is None:
            remedy = remedy_of(folder.problem)
            self._complain(folder.problem, remedy if folder.out.is_dir() else None, folder=folder.out)
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
