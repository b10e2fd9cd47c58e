"""Train on what a person said, see what that changes on photos held out, keep the model or not."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QLocale, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from sorter.train.retrain import Retrained, RetrainOptions, Spoken, discard, spoken, suggested_model
from sorter.types import SorterError

from .. import tasks
from ..parts.curves import Curves
from ..parts.heldout import HeldOutModel, HeldOutTable
from ..parts.progress import Notice, ProgressPanel
from ..parts.thumbnails import Store, Thumbnails
from ..settings import Settings
from ..worker import Job, Jobs

NEEDED = ("sklearn", "matplotlib", "onnx", "safetensors")


class RetrainPage(QWidget):
    """The third page.

    Signals:
        accepted: a model folder that the user keeps and wants to sort again with.
    """

    accepted = Signal(Path)

    def __init__(self, jobs: Jobs, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._settings = settings
        self._folder: Path | None = None
        self._job: Job | None = None
        self._options: RetrainOptions | None = None
        self._existed = False
        self.retrained: Retrained | None = None
        self._store = Store()
        self._thumbnails = Thumbnails(jobs.pool(), self._store, self)
        self._build()
        self._enable()

    # -- the page ----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.about = QLabel()
        self.about.setWordWrap(True)
        self.about.setAccessibleName(self.tr("What there is to learn from"))

        self.from_rest = QRadioButton(self.tr("and from the photos here that the model is &certain of"))
        self.from_dataset = QRadioButton(self.tr("and from a &dataset with a folder for each class:"))
        self.from_rest.setChecked(True)
        sources = QButtonGroup(self)
        for button in (self.from_rest, self.from_dataset):
            sources.addButton(button)
        self.from_rest.setAccessibleName(
            self.tr("Learn from the photos here that the model is certain of, too")
        )
        self.from_dataset.setAccessibleName(self.tr("Learn from a dataset, too"))
        self.dataset = QLineEdit()
        self.dataset.setAccessibleName(self.tr("Dataset folder"))
        self.dataset.setPlaceholderText(self.tr("A folder with a folder of photos for each class"))
        self.dataset.textEdited.connect(lambda: self.from_dataset.setChecked(True))
        self.dataset_button = QPushButton(self.tr("Choose …"))
        self.dataset_button.setAccessibleName(self.tr("Choose a dataset folder"))
        self.dataset_button.clicked.connect(self.choose_dataset)
        self.model = QLineEdit()
        self.model.setAccessibleName(self.tr("Folder of the new model"))
        label = QLabel(self.tr("&New model"))
        label.setBuddy(self.model)
        self.train_button = QPushButton(self.tr("&Train"))
        self.train_button.setAccessibleName(self.tr("Train"))
        self.train_button.setToolTip(self.tr("Train a new model; the one in use stays as it is"))
        self.train_button.setMinimumWidth(140)
        self.train_button.setDefault(True)
        self.train_button.clicked.connect(self.train)

        form = QGridLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setColumnStretch(1, 1)
        form.addWidget(self.from_rest, 0, 0, 1, 3)
        form.addWidget(self.from_dataset, 1, 0)
        form.addWidget(self.dataset, 1, 1)
        form.addWidget(self.dataset_button, 1, 2)
        form.addWidget(label, 2, 0)
        form.addWidget(self.model, 2, 1)
        form.addWidget(self.train_button, 2, 2)
        self.form = QWidget()
        self.form.setLayout(form)

        self.notice = Notice()
        self.progress = ProgressPanel(self.tr("steps"))
        self.curves = Curves(self._jobs)
        self.held_out = HeldOutModel(self._thumbnails, self)
        self.table = HeldOutTable(self.held_out)
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.result.setAccessibleName(self.tr("Before and after"))
        self.keep_and_sort_button = self._button(
            self.tr("&Keep and sort again"),
            self.tr("Take back what was sorted and sort the same photos with the new model"),
            self.keep_and_sort,
        )
        self.keep_button = self._button(
            self.tr("K&eep"), self.tr("Keep the model; choose it under Start when you sort"), self.keep
        )
        self.discard_button = self._button(
            self.tr("Disca&rd"), self.tr("Remove the new model; the one in use stays"), self.discard
        )
        self.report_button = self._button(
            self.tr("&Report …"), self.tr("How good the new model is, in the browser"), self.open_report
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.report_button)
        buttons.addStretch(1)
        for each in (self.discard_button, self.keep_button, self.keep_and_sort_button):
            buttons.addWidget(each)
        outcome = QVBoxLayout()
        outcome.setContentsMargins(0, 0, 0, 0)
        outcome.addWidget(self.result)
        outcome.addWidget(self.table, 1)
        outcome.addLayout(buttons)
        self.outcome = QWidget()
        self.outcome.setLayout(outcome)
        self.outcome.hide()

        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self.about)
        layout.addWidget(self.form)
        layout.addWidget(self.notice)
        layout.addWidget(self.progress)
        layout.addWidget(self.curves, 1)
        layout.addWidget(self.outcome, 2)
        layout.addStretch(0)

    def _button(self, text: str, tip: str, press: object) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text.replace("&", "").removesuffix(" …"))
        button.setToolTip(tip)
        button.clicked.connect(press)
        return button

    # -- what there is to learn from ---------------------------------------------------------------------------

    def open(self, folder: Path) -> None:
        """Retrain on what was said of the photos in an output folder."""
        if self._job is not None:
            return
        if folder != self._folder:
            self._folder = folder
            self._show_outcome(None)
            self.curves.clear()
            self.notice.clear()
            self.model.setText(str(suggested_model(folder)))
        self.refresh()

    def refresh(self) -> None:
        """Count again what was said."""
        folder = self._folder
        if folder is not None:
            self._jobs.later(lambda: spoken(folder), self._tell)
        self._enable()

    def showEvent(self, event: object) -> None:
        self.curves.get_ready()
        self.refresh()

    def _tell(self, found: Spoken | SorterError | OSError) -> None:
        if not isinstance(found, Spoken):
            self.about.setText(str(found))
            return
        number = QLocale().toString
        if not found.corrected and not found.confirmed:
            self.about.setText(
                self.tr(
                    "Nothing is corrected yet in {folder}: correct some photos under Review, then come back."
                ).format(folder=found.out.name)
            )
        else:
            self.about.setText(
                self.tr(
                    "Learn from {folder}: the photos that you corrected ({corrected}) and confirmed ({confirmed}),"
                ).format(
                    corrected=number(found.corrected),
                    folder=found.out.name,
                    confirmed=number(found.confirmed),
                )
            )

    def _enable(self) -> None:
        missing = [name for name in NEEDED if find_spec(name) is None]
        if missing:
            self.notice.complain(
                self.tr(
                    "Training needs packages that are not installed. Install them with:  {command}"
                ).format(command='pip install "sorter[learn]"')
            )
        elif self._folder is None:
            self.about.setText(
                self.tr(
                    "Sort a folder and correct some of its photos; then a model can learn from them here."
                )
            )
        self.form.setVisible(self._folder is not None)
        self.curves.setVisible(self._folder is not None)
        self.form.setEnabled(self._job is None and not missing)
        self.outcome.setEnabled(self._job is None)

    @Slot()
    def choose_dataset(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, self.tr("A folder with a folder for each class"), self.dataset.text()
        )
        if folder:
            self.dataset.setText(folder)
            self.from_dataset.setChecked(True)

    # -- training ----------------------------------------------------------------------------------------------

    @Slot()
    def train(self) -> None:
        """Train as the form says."""
        if self._folder is None or self._job is not None:
            return
        dataset = self.dataset.text().strip() if self.from_dataset.isChecked() else ""
        if self.from_dataset.isChecked() and not dataset:
            self.notice.complain(self.tr("Choose the dataset's folder first."))
            return
        model = self.model.text().strip()
        target = Path(model).expanduser() if model else suggested_model(self._folder)
        self.start(RetrainOptions(self._folder, target, Path(dataset).expanduser() if dataset else None))

    def start(self, options: RetrainOptions) -> None:
        """Train with these options."""
        self.notice.clear()
        self._show_outcome(None)
        self.curves.clear()
        self.curves.get_ready()
        self._options, self._existed = options, options.model.exists()
        job = self._job = self._jobs.start(tasks.retrain, options)
        self.progress.follow(job, self.tr("Retraining"))
        job.progress.connect(self._hear)
        job.finished.connect(self._finish)
        job.failed.connect(self._fail)
        job.cancelled.connect(self._cancelled)
        job.ended.connect(self._end)
        self._enable()

    @property
    def busy(self) -> bool:
        return self._job is not None

    @Slot(object)
    def _hear(self, record: object) -> None:
        if isinstance(record, tasks.EpochEnded):
            self.curves.add(record.row)

    @Slot(object)
    def _finish(self, retrained: Retrained) -> None:
        self._show_outcome(retrained)

    @Slot(str)
    def _fail(self, message: str) -> None:
        self.notice.complain(message)
        self._clear_away()

    @Slot()
    def _cancelled(self) -> None:
        self.notice.say(self.tr("Stopped; nothing was kept of the new model."))
        self._clear_away()

    def _clear_away(self) -> None:
        """What a process that was killed could not."""
        if self._options is not None and not self._existed:
            model = self._options.model
            self._jobs.later(lambda: shutil.rmtree(model, ignore_errors=True), lambda _: None)

    @Slot()
    def _end(self) -> None:
        self._job = None
        self._enable()

    # -- before and after --------------------------------------------------------------------------------------

    def _show_outcome(self, retrained: Retrained | None) -> None:
        self.retrained = retrained
        self.outcome.setVisible(retrained is not None)
        if retrained is None:
            self.held_out.show(())
            return
        self.held_out.show(retrained.held_out)
        rows = []
        for corrected, text in (
            (True, self.tr("that you corrected (the old model was wrong on all of these)")),
            (False, self.tr("that nobody corrected (the old model counts as right on these)")),
        ):
            score = retrained.score(corrected)
            if score.photos:
                rows.append(
                    self.tr("<b>{before} → {after}</b> right of {photos} photos {which}").format(
                        before=score.before, after=score.after, photos=score.photos, which=text
                    )
                )
        if not rows:
            rows = [self.tr("Too few photos to hold any out: nothing can be said of before and after.")]
        learned = self.tr(
            "Trained on {learned} photos, {corrections} of them corrected or confirmed by you, in {seconds:.0f} s. "
            "On photos held out:"
        ).format(learned=retrained.learned, corrections=retrained.corrections, seconds=retrained.seconds)
        self.result.setText(f"{learned}<br>" + "<br>".join(rows))

    @Slot()
    def keep(self) -> None:
        """Keep the model, for later."""
        if self.retrained is not None:
            self._settings.remember_model(self.retrained.model)
            self.notice.say(
                self.tr("Kept in {folder}; it is among the models under Start.").format(
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
        self._jobs.later(lambda: discard(retrained), self._discarded)
        self._start_over()

    def _discarded(self, outcome: SorterError | OSError | None) -> None:
        if outcome is None:
            self.notice.say(self.tr("The new model is removed; nothing else has changed."))
        else:
            self.notice.complain(str(outcome))
        if self._folder is not None:
            self.model.setText(str(suggested_model(self._folder)))

    def _start_over(self) -> None:
        self._show_outcome(None)
        self.curves.clear()
        if self._folder is not None:
            self.model.setText(str(suggested_model(self._folder)))

    @Slot()
    def open_report(self) -> None:
        if self.retrained is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.retrained.page)))

    def close_folder(self) -> None:
        """Before the window goes."""
        self._thumbnails.close()
