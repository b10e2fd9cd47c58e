"""What the pages that start a job have in common: progress, pause, cancel, a notice, one job at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from ..parts.progress import Notice, ProgressPanel
from ..settings import Settings
from ..worker import Job, Jobs


class JobPage(QWidget):
    """A page that runs one job at a time and shows its progress, its end and its errors.

    A subclass places `notice` and `progress`. It overrides the hooks `on_...` where it does more than show a sentence.

    Signals:
        job_started: a job runs; what would disturb it has to wait.
        job_ended: the job's process is gone, whatever the outcome.
    """

    job_started = Signal()
    job_ended = Signal()

    def __init__(self, jobs: Jobs, settings: Settings, steps: str, parent: QWidget | None = None) -> None:
        """Make the shared parts. `steps` names what progress counts, such as `photos`."""
        super().__init__(parent)
        self._jobs = jobs
        self._settings = settings
        self._job: Job | None = None
        self._cancelled_text = ""
        self.job_title = ""
        self.notice = self.make_notice()
        self.progress = self.make_progress(steps)

    @property
    def busy(self) -> bool:
        """Does a job run?"""
        return self._job is not None

    def run_job(
        self,
        title: str,
        call: Callable[..., Any],
        *arguments: object,
        finished: Callable[[Any], None],
        cancelled: str,
    ) -> bool:
        """Start `call(channel, *arguments)` in a process of its own. False where another job runs already.

        Args:
            title: shown above the progress bar.
            finished: gets the record that the call returned.
            cancelled: the sentence for a job that the user stopped.
        """
        if self._job is not None:
            return False
        self.notice.clear()
        self._cancelled_text = cancelled
        self.job_title = title
        job = self._job = self._jobs.start(call, *arguments)
        self.progress.follow(job, title)
        job.progress.connect(self.on_progress)
        job.finished.connect(finished)
        job.failed.connect(self.on_failed)
        job.cancelled.connect(self.on_cancelled)
        job.ended.connect(self._end_job)
        self.update_controls()
        self.job_started.emit()
        return True

    # -- hooks -------------------------------------------------------------------------------------------------

    @property
    def job(self) -> Job | None:
        """The job that runs."""
        return self._job

    def make_progress(self, steps: str) -> ProgressPanel:
        """What shows how far the page's job is."""
        return ProgressPanel(steps)

    def make_notice(self) -> Notice:
        """What shows the page's sentences. The page places it, where it does not place itself."""
        return Notice()

    @Slot(object)
    def on_progress(self, record: object) -> None:
        """A record of the running job. The progress panel shows it already."""

    @Slot(str)
    def on_failed(self, message: str) -> None:
        """The job failed with this sentence."""
        self.notice.complain(message)
        self.clear_up()

    @Slot()
    def on_cancelled(self) -> None:
        """The user stopped the job."""
        self.notice.say(self._cancelled_text)
        self.clear_up()

    def clear_up(self) -> None:
        """Remove what a killed process could not remove itself. The job failed or was stopped."""

    def on_ended(self) -> None:
        """The job's process is gone, whatever the outcome."""

    def update_controls(self) -> None:
        """Enable what makes sense now."""

    @Slot()
    def _end_job(self) -> None:
        self._job = None
        self.on_ended()
        self.update_controls()
        self.job_ended.emit()
