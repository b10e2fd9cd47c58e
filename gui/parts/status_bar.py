"""The lower edge of the window: how much is checked, what is at work, how large photos are."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QWidget

from ..worker import Job
from .icons import set_icon
from .models import Counts
from .progress import ProgressPanel

HEIGHT = 32  # pixels
BAR = 120  # pixels wide


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job and what it does, in words."""

    job: Job
    what: str


class JobLine(ProgressPanel):
    """A job in one line. Of several that run, the one that began last is shown."""

    def __init__(self, steps: str, parent: QWidget | None = None) -> None:
        super().__init__(steps, parent)
        self._running: list[RunningJob] = []

    def lay_out(self) -> None:
        self.bar.setFixedWidth(BAR)
        for button, name in ((self.pause_button, "pause"), (self.cancel_button, "x")):
            button.setFixedSize(28, 26)
            button.setProperty("flat", True)
            set_icon(button, name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.what, 3)
        row.addWidget(self.bar)
        row.addWidget(self.detail, 4)
        row.addWidget(self.pause_button)
        row.addWidget(self.cancel_button)

    def follow(self, job: Job, what: str) -> None:
        self._running.append(RunningJob(job, what))
        super().follow(job, what)

    def on_ended(self, job: Job) -> None:
        self._running = [each for each in self._running if each.job is not job]
        if self._running:
            super().follow(self._running[-1].job, self._running[-1].what)

    def show_paused(self, paused: bool) -> None:
        set_icon(self.pause_button, "play" if paused else "pause")


class StatusBar(QFrame):
    """Tally, job, size of thumbnails.

    Args:
        size: the slider of the thumbnails' size.
    """

    def __init__(self, size: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusbar")
        self.setFixedHeight(HEIGHT)
        self.tally = QLabel()
        self.tally.setAccessibleName(self.tr("Photos checked"))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(BAR)
        self.bar.setAccessibleName(self.tr("Share of the photos that are checked"))
        self.line = JobLine(self.tr("photos"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(12)
        row.addWidget(self.tally)
        row.addWidget(self.bar)
        row.addStretch(1)
        row.addWidget(self.line, 4)
        row.addStretch(1)
        row.addWidget(size)
        self.clear()

    @property
    def share(self) -> int | None:
        """Percent of the photos that are checked. None where no folder is open."""
        return self.bar.value() * 100 // self.bar.maximum() if self.bar.isVisibleTo(self) else None

    def clear(self) -> None:
        """No folder is open."""
        self.tally.clear()
        self.bar.hide()

    def show_counts(self, counts: Counts) -> None:
        number = QLocale().toString
        self.tally.setText(
            self.tr("{checked} checked, {changed} changed, {left} to go").format(
                checked=number(counts.reviewed),
                changed=number(counts.corrected),
                left=number(counts.open),
            )
        )
        self.bar.setRange(0, max(1, counts.reviewed + counts.open))
        self.bar.setValue(counts.reviewed)
        self.bar.show()
