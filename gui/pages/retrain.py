"""Train a model on the photos that a person checked, compare it with the old one, keep it or not."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QLocale, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from sorter.model.folder import shipped_model
from sorter.sort.options import options_of_last_run
from sorter.train.corrections import CorrectionCounts, count_corrections
from sorter.train.doubtful import CheckOptions, DoubtfulMarks
from sorter.train.retrain import RetrainOptions, RetrainResult, discard
from sorter.types import SorterError

from .. import tasks
from ..parts.curves import Curves
from ..parts.model_shelf import ModelShelf
from ..parts.outcome import Outcome
from ..parts.retrain_form import RetrainForm
from ..parts.steps import LearningSteps
from ..parts.thumbnails import Store, Thumbnails
from ..parts.words import counted, reworded
from ..settings import Settings
from ..worker import Jobs
from .job_page import JobPage

NEEDED = ("sklearn", "matplotlib", "onnx", "safetensors")


@dataclass(frozen=True)
class Learnable:
    """What there is to learn from in a folder.

    Attributes:
        model: the folder of the model that sorted; None for the shipped one.
    """

    counts: CorrectionCounts
    model: Path | None

    @classmethod
    def read(cls, folder: Path) -> Learnable:
        """In a thread. Raises as `count_corrections`."""
        counts, model = count_corrections(folder), options_of_last_run(folder).model
        return cls(counts, None if model == shipped_model() else model)


class RetrainPage(JobPage):
    """Improve the model that sorted a folder.

    Signals:
        accepted: a model folder that the user keeps and wants to sort again with.
        check_again_wanted: ids of photos whose marks look wrong, the most doubtful first.
    """

    accepted = Signal(Path)
    check_again_wanted = Signal(list)

    def __init__(self, jobs: Jobs, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(jobs, settings, self.tr("photos"), parent)
        self._shelf = ModelShelf(settings)
        self._doubtful: list[int] = []  # ids of photos whose marks look wrong
        self._folder: Path | None = None
        self._options: RetrainOptions | None = None
        self._existed = False  # the model's folder, before the training
        self.retrained: RetrainResult | None = None
        self._thumbnails = Thumbnails(jobs.pool(), Store(), self)
        self.title = QLabel()
        self.title.setAccessibleName(self.tr("How many marks it learns from"))
        self.title.setProperty("level", "heading")
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.about.setAccessibleName(self.tr("Photos to learn from"))
        self.form = RetrainForm()
        self.form.submitted.connect(self.train)
        self.form.check_wanted.connect(self.check_marks)
        self.steps = LearningSteps()
        self.curves = Curves(jobs)
        self.outcome = self._make_outcome()
        self.notice.accepted.connect(self._check_again)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self.title)
        layout.addWidget(self.about)
        layout.addWidget(self.form)
        layout.addWidget(self.notice)
        layout.addWidget(self.steps)
        layout.addWidget(self.progress)
        layout.addWidget(self.outcome, 2)
        layout.addStretch(1)
        self.update_controls()

    def _make_outcome(self) -> Outcome:
        outcome = Outcome(self._thumbnails, self.curves)
        outcome.hide()
        outcome.kept.connect(self.keep)
        outcome.kept_and_sorted.connect(self.keep_and_sort)
        outcome.discarded.connect(self.discard)
        outcome.report_wanted.connect(self.open_report)
        return outcome

    # -- what there is to learn from ---------------------------------------------------------------------------

    def open(self, folder: Path) -> None:
        """Learn from the checked photos of an output folder."""
        if self.busy:
            return
        if folder != self._folder:
            self._folder = folder
            self._show_outcome(None)
            self.curves.clear()
            self.notice.clear()
            self.form.name.clear()
            self.form.allow_training(False)  # until its photos are counted
        self.refresh()

    def refresh(self) -> None:
        """Count the checked photos again."""
        folder = self._folder
        if folder is not None:
            self._jobs.later(lambda: Learnable.read(folder), self._show_counts)
        self.update_controls()

    def showEvent(self, event: object) -> None:
        self.curves.get_ready()
        self.refresh()

    def _show_counts(self, found: Learnable | SorterError | OSError) -> None:
        if not isinstance(found, Learnable):
            self.title.clear()
            self.about.setText(reworded(str(found)))
            return
        counts = found.counts
        checked = counts.corrected + counts.confirmed
        self.form.allow_training(checked > 0)
        self.form.name.setPlaceholderText(self._next_name(found))
        number = QLocale().toString
        if checked:
            self.title.setText(
                counted(checked, self.tr("Learns from 1 mark"), self.tr("Learns from {n} marks"))
            )
            one = self.tr("Learns from the photo you checked in {folder}.")
            text = (
                one if checked == 1 else self.tr("Learns from the {checked} photos you checked in {folder}.")
            )
        else:
            self.title.clear()
            text = self.tr("No photo is checked yet in {folder}. Check some photos, then come back.")
        self.about.setText(text.format(checked=number(checked), folder=counts.out.name))

    def _next_name(self, found: Learnable) -> str:
        """Such as “Cars 2”."""
        name = self.tr("Cars") if found.model is None else found.model.name
        stem, _, number = name.rpartition(" ")
        base, count = (stem, int(number)) if stem and number.isdigit() else (name, 1)
        while (self._shelf.folder / f"{base} {count + 1}").exists():
            count += 1
        return f"{base} {count + 1}"

    def update_controls(self) -> None:
        missing = [name for name in NEEDED if find_spec(name) is None]
        if missing:
            self.notice.complain(
                self.tr("Improving a model needs parts of Sorter that are not installed.")
                + " "
                + self.tr("Ask whoever installed Sorter to add “learn”.")
            )
        elif self._folder is None:
            self.about.setText(
                self.tr(
                    "Sort a folder and correct some of its photos. Then a model can learn from them here."
                )
            )
        self.form.setVisible(self._folder is not None)
        self._show_curves()
        self.form.setEnabled(not self.busy and not missing)
        self.outcome.setEnabled(not self.busy)

    # -- training ----------------------------------------------------------------------------------------------

    @Slot()
    def train(self) -> None:
        """Train as the form says."""
        if self._folder is None or self.busy:
            return
        dataset = self.form.dataset_folder
        if self.form.from_dataset.isChecked() and dataset is None:
            self.notice.complain(self.tr("Choose the folder of examples first."))
            return
        name = self.form.name.text().strip() or self.form.name.placeholderText()
        self.start(RetrainOptions(self._folder, self._shelf.new_folder(name), dataset))

    def start(self, options: RetrainOptions) -> None:
        """Train with these options."""
        self._show_outcome(None)
        self.curves.clear()
        self._show_curves()
        self.curves.get_ready()
        self._options, self._existed = options, options.model.exists()
        options.model.parent.mkdir(parents=True, exist_ok=True)
        began = self.run_job(
            self.tr("Improving the model"),
            tasks.retrain,
            options,
            finished=self._show_outcome,
            cancelled=self.tr("Stopped. Nothing was kept of the new model."),
        )
        if began and self._job is not None:
            self.steps.follow(self._job)

    def _show_curves(self) -> None:
        """A model that is learned in one round has none: a line of one point cannot be seen."""
        self.curves.setVisible(self.curves.epochs > 1)

    @Slot(object)
    def on_progress(self, record: object) -> None:
        if isinstance(record, tasks.EpochEnded):
            self.curves.add(record.row)
            self._show_curves()

    def clear_up(self) -> None:
        if self._options is not None and not self._existed:
            model = self._options.model
            self._jobs.later(lambda: shutil.rmtree(model, ignore_errors=True), lambda _: None)

    # -- before and after --------------------------------------------------------------------------------------

    @Slot(object)
    def _show_outcome(self, retrained: RetrainResult | None) -> None:
        self.retrained = retrained
        self.outcome.show_model(retrained)

    @Slot()
    def keep(self) -> None:
        """Keep the model, for later."""
        if self.retrained is not None:
            self._settings.remember_model(self.retrained.model)
            self._settings.model = self.retrained.model
            self.notice.say(
                self.tr("Kept as “{name}”. It is the model for new folders now.").format(
                    name=self.retrained.model.name
                )
            )
            self._start_over()

    @Slot()
    def keep_and_sort(self) -> None:
        """Keep it, and sort the same photos with it."""
        if self.retrained is not None:
            model = self.retrained.model
            self.keep()
            self.accepted.emit(model)

    @Slot()
    def discard(self) -> None:
        """Remove it."""
        if self.retrained is None:
            return
        retrained = self.retrained
        self._jobs.later(lambda: discard(retrained), self._show_discarded)
        self._start_over()

    def discard_now(self) -> None:
        """Remove it before the window goes."""
        if self.retrained is not None:
            with suppress(SorterError, OSError):
                discard(self.retrained)
            self._start_over()

    def _show_discarded(self, error: SorterError | OSError | None) -> None:
        if error is None:
            self.notice.say(self.tr("The new model is removed. Nothing else has changed."))
        else:
            self.notice.complain(str(error))
        self.refresh()

    def _start_over(self) -> None:
        self._show_outcome(None)
        self.curves.clear()
        self._show_curves()
        self.refresh()

    # -- marks that look wrong ---------------------------------------------------------------------------------

    @Slot()
    def check_marks(self) -> None:
        """Look for photos whose mark contradicts what the others teach."""
        if self._folder is not None:
            self.run_job(
                self.tr("Checking your marks"),
                tasks.find_doubtful_marks,
                CheckOptions(self._folder),
                finished=self._show_doubtful,
                cancelled=self.tr("Stopped. Your marks are as they were."),
            )

    @Slot(object)
    def _show_doubtful(self, found: DoubtfulMarks) -> None:
        number = QLocale().toString
        self._doubtful = list(found.ids)
        if not found.checked:
            self.notice.say(
                self.tr("There are too few marks to check. Check four photos of each class first.")
            )
        elif not found.ids:
            text = self.tr("None of your {n} marks looks wrong.")
            self.notice.say(text.format(n=number(found.checked)))
        else:
            one = self.tr("1 of your {n} marks looks wrong.")
            text = one if len(found.ids) == 1 else self.tr("{wrong} of your {n} marks look wrong.")
            said = text.format(wrong=number(len(found.ids)), n=number(found.checked))
            self.notice.say(said, self.tr("&Check again"))

    @Slot()
    def _check_again(self) -> None:
        self.notice.clear()
        self.check_again_wanted.emit(self._doubtful)

    @Slot()
    def open_report(self) -> None:
        if self.retrained is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.retrained.page)))

    @property
    def undecided(self) -> bool:
        """Is there a new model that is neither kept nor thrown away?"""
        return self.retrained is not None

    def close_folder(self) -> None:
        """Before the window goes."""
        self._thumbnails.close()
