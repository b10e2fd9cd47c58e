"""What the review does to folders: apply, take back, export; each a job in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLocale, QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from sorter.sort.apply import Applied
from sorter.sort.review import Review

from .. import tasks
from ..worker import Job, Jobs
from .apply import ApplyDialog
from .progress import Notice, ProgressPanel


class FolderWork(QObject):
    """One job at a time on the folder under review.

    Signals:
        began: corrections have to wait.
        ended: photos may lie elsewhere now.
    """

    began = Signal()
    ended = Signal()

    def __init__(self, jobs: Jobs, notice: Notice, progress: ProgressPanel, window: QWidget) -> None:
        super().__init__(window)
        self._jobs = jobs
        self._notice = notice
        self._progress = progress
        self._window = window
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        return self._job is not None

    def ask_to_apply(self, review: Review) -> None:
        """Show what Apply would do."""
        moves = review.plan()
        if moves:
            dialog = ApplyDialog(moves, self._window)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.accepted.connect(lambda: self.apply(review.table.out, len(moves)))
            dialog.open()
        elif review.fileable:
            self._notice.say(
                self.tr("Every photo lies in the folder where it belongs; there is nothing to move.")
            )
        else:
            self._notice.say(
                self.tr(
                    "No photo of this run lies in its output folder, so there is nothing to move. Export copies."
                )
            )

    def apply(self, folder: Path, photos: int) -> None:
        """Move so many photos to the folders where they belong."""
        self._start(
            self.tr("Moving photos to where they belong"),
            self.tr("Photos moved: {count}. “Take back Apply” in the menu Photos undoes it."),
            tasks.apply_review,
            folder,
            photos,
        )

    def take_back(self, folder: Path) -> None:
        self._start(
            self.tr("Moving photos back"),
            self.tr("Photos back where they were: {count}. What you said of them is kept."),
            tasks.undo_apply,
            folder,
        )

    def ask_to_export(self, review: Review) -> None:
        target = QFileDialog.getExistingDirectory(
            self._window, self.tr("An empty folder for the corrected set")
        )
        if target:
            self.export(review, Path(target))

    def export(self, review: Review, target: Path) -> None:
        """Copy the corrected set there."""
        self._start(
            self.tr("Copying the corrected set"),
            self.tr("Photos copied to {folder}: {count}, with a report.csv."),
            tasks.export,
            review.table.out,
            target,
            len(review.table),
        )

    def _start(self, what: str, outcome: str, call: Callable[..., Any], *arguments: object) -> None:
        if self.busy:
            return
        self._notice.clear()
        self._job = job = self._jobs.start(call, *arguments)
        self._progress.follow(job, what)
        job.finished.connect(partial(self._tell, outcome))
        job.failed.connect(self._notice.complain)
        job.cancelled.connect(self._cancelled)
        job.ended.connect(self._end)
        self.began.emit()

    def _tell(self, outcome: str, applied: Applied) -> None:
        number = QLocale().toString
        sentence = outcome.format(count=number(applied.filed), folder=applied.out)
        if not applied.left:
            self._notice.say(sentence)
            return
        named = "; ".join(f"{left.path.name}: {left.message}" for left in applied.left[:3])
        more = self.tr("Not filed: {count}. {which}").format(
            count=number(len(applied.left)), which=named + (" …" if len(applied.left) > 3 else "")
        )
        self._notice.complain(f"{sentence} {more}")

    def _cancelled(self) -> None:
        self._notice.say(
            self.tr("Stopped. What was done stays done; the same again goes on where it stopped.")
        )

    def _end(self) -> None:
        self._job = None
        self.ended.emit()
