"""Train a model on the photos that a person checked, compare it with the old one, keep it or not."""

from __future__ import annotations

import shutil
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QLocale, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from sorter.train.corrections import CorrectionCounts, count_corrections
from sorter.train.retrain import (
    RetrainOptions,
    RetrainResult,
    discard,
    suggested_model,
)
from sorter.types import SorterError

from .. import tasks
from ..parts.curves import Curves
from ..parts.outcome import Outcome
from ..parts.retrain_form import RetrainForm
from ..parts.thumbnails import Store, Thumbnails
from ..parts.words import reworded
from ..settings import Settings
from ..worker import Jobs
from .job_page import JobPage

NEEDED = ("sklearn", "matplotlib", "onnx", "safetensors")


class RetrainPage(JobPage):
    """The third page.

    Signals:
        accepted: a model folder that the user keeps and wants to sort again with.
    """

    accepted = Signal(Path)

    def __init__(self, jobs: Jobs, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(jobs, settings, self.tr("steps"), parent)
        self._folder: Path | None = None
        self._options: RetrainOptions | None = None
        self._existed = False  # the model's folder, before the training
        self.retrained: RetrainResult | None = None
        self._thumbnails = Thumbnails(jobs.pool(), Store(), self)
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.about.setAccessibleName(self.tr("Photos to learn from"))
        self.form = RetrainForm()
        self.form.submitted.connect(self.train)
        self.curves = Curves(jobs)
        self.outcome = self._make_outcome()
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self.about)
        layout.addWidget(self.form)
        layout.addWidget(self.notice)
        layout.addWidget(self.progress)
        layout.addWidget(self.curves, 1)
        layout.addWidget(self.outcome, 2)
        layout.addStretch(0)
        self.update_controls()

    def _make_outcome(self) -> Outcome:
        outcome = Outcome(self._thumbnails)
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
            self.form.model.setText(str(suggested_model(folder)))
            self.form.allow_training(False)  # until its photos are counted
        self.refresh()

    def refresh(self) -> None:
        """Count the checked photos again."""
        folder = self._folder
        if folder is not None:
            self._jobs.later(lambda: count_corrections(folder), self._show_counts)
        self.update_controls()

    def showEvent(self, event: object) -> None:
        self.curves.get_ready()
        self.refresh()

    def _show_counts(self, counts: CorrectionCounts | SorterError | OSError) -> None:
        if not isinstance(counts, CorrectionCounts):
            self.about.setText(reworded(str(counts)))
            return
        checked = counts.corrected + counts.confirmed
        self.form.allow_training(checked > 0)
        if checked:
            text = self.tr("Learns from the {checked} photos you checked in {folder}.")
        else:
            text = self.tr(
                "No photo is checked yet in {folder}. Check some photos under Review, then come back."
            )
        number = QLocale().toString
        self.about.setText(text.format(checked=number(checked), folder=counts.out.name))

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
        model = self.form.model.text().strip()
        target = Path(model).expanduser() if model else suggested_model(self._folder)
        self.start(RetrainOptions(self._folder, target, dataset))

    def start(self, options: RetrainOptions) -> None:
        """Train with these options."""
        self._show_outcome(None)
        self.curves.clear()
        self._show_curves()
        self.curves.get_ready()
        self._options, self._existed = options, options.model.exists()
        self.run_job(
            self.tr("Improving the model"),
            tasks.retrain,
            options,
            finished=self._show_outcome,
            cancelled=self.tr("Stopped. Nothing was kept of the new model."),
        )

    def _show_curves(self) -> None:
        """A model that is learned in one round has none: a line of one point cannot be seen."""
        self.curves.setVisible(self._folder is not None and self.curves.epochs > 1)

    @Slot(object)
    def on_progress(self, record: object) -> None:
        if isinstance(record, tasks.EpochEnded):
            self.curves.add(record.row)
            self._show_curves()

    @Slot(str)
    def on_failed(self, message: str) -> None:
        super().on_failed(message)
        self._remove_partial_model()

    @Slot()
    def on_cancelled(self) -> None:
        super().on_cancelled()
        self._remove_partial_model()

    def _remove_partial_model(self) -> None:
        """Remove what a killed process could not remove itself."""
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
            self.notice.say(
                self.tr("Kept in {folder}. It is among the models under Start.").format(
                    folder=self.retrained.model
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
        self._suggest_model()

    def _start_over(self) -> None:
        self._show_outcome(None)
        self.curves.clear()
        self._show_curves()
        self._suggest_model()

    def _suggest_model(self) -> None:
        if self._folder is not None:
            self.form.model.setText(str(suggested_model(self._folder)))

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
