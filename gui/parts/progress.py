"""Progress of a job, with pause and cancel, and notices."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QLocale, Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ..tasks import Advanced, Began, Message
from ..worker import Job
from .elided import ElidedLabel
from .icons import SIDE, picture
from .words import progress_text, reworded, step_text


class ProgressPanel(QWidget):
    """A bar, a line that says how fast and how long, and buttons to pause and to cancel. Hidden while there is no job.

    Args:
        steps: what is counted, such as `photos`.
    """

    def __init__(self, steps: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._steps = steps
        self.what = ElidedLabel()
        self.what.setAccessibleName(self.tr("What is being done"))
        self.bar = QProgressBar()
        self.bar.setAccessibleName(self.tr("Progress"))
        self.bar.setTextVisible(False)
        self.detail = QLabel()
        self.detail.setAccessibleName(self.tr("How far it is"))
        self.detail.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.pause_button: QAbstractButton = QPushButton(self.tr("&Pause"))
        self.pause_button.setAccessibleName(self.tr("Pause"))
        self.pause_button.setToolTip(self.tr("Finish the photos in hand, then wait"))
        self.pause_button.clicked.connect(self._toggle)
        self.cancel_button: QAbstractButton = QPushButton(self.tr("Cancel"))
        self.cancel_button.setAccessibleName(self.tr("Cancel"))
        self.cancel_button.setToolTip(self.tr("Stop. What is done stays done, and you can continue later."))
        self.cancel_button.clicked.connect(self._cancel)

        self.lay_out()
        self.hide()

    def lay_out(self) -> None:
        """Put the parts below each other."""
        buttons = QHBoxLayout()
        buttons.addWidget(self.detail, 1)
        buttons.addWidget(self.pause_button)
        buttons.addWidget(self.cancel_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.what)
        layout.addWidget(self.bar)
        layout.addLayout(buttons)

    def follow(self, job: Job, what: str) -> None:
        """Show a job from now to its end."""
        if self._job is not None:
            self._job.progress.disconnect(self._show)
        self._job = job
        self._begin(what, None)
        self.detail.setText(self.tr("Starting..."))
        for button in (self.pause_button, self.cancel_button):
            button.setEnabled(True)
        self._name_pause(job.paused)
        job.progress.connect(self._show)
        job.ended.connect(self._end)
        self.show()

    def show_paused(self, paused: bool) -> None:
        """Show on the button what it does next."""
        self.pause_button.setText(self.tr("&Continue") if paused else self.tr("&Pause"))

    def on_ended(self, job: Job) -> None:
        """A job that was followed is gone."""

    @Slot(object)
    def _show(self, record: object) -> None:
        if isinstance(record, Began):
            self._begin(step_text(record.what), record.total)
        elif isinstance(record, Message):
            self.detail.setText(progress_text(record.text) or self.detail.text())
        elif isinstance(record, Advanced):
            self.bar.setMaximum(record.total or 0)  # without an end the bar only shows that something goes on
            self.bar.setValue(record.done if record.total else 0)
            if self._job is not None and not self._job.paused:
                self.detail.setText(self._sentence(record))

    def _begin(self, what: str, total: int | None) -> None:
        self.what.setText(what)
        self.bar.setMaximum(total or 0)
        self.bar.setValue(0)
        self.detail.clear()

    def _sentence(self, at: Advanced) -> str:
        number = QLocale().toString
        done = number(at.done)
        if at.total:
            done = self.tr("{done} of {total} {steps}").format(
                done=done, total=number(at.total), steps=self._steps
            )
        else:
            done = self.tr("{done} {steps}").format(done=done, steps=self._steps)
        parts = [done]
        if at.rate:
            speed = f"{at.rate:.0f}" if at.rate >= 10 else f"{at.rate:.1f}"
            parts.append(self.tr("{speed} {steps}/s").format(speed=speed, steps=self._steps))
        if at.left is not None and at.done < (at.total or 0):
            parts.append(self.tr("{time} left").format(time=duration(at.left)))
        return " · ".join(parts)

    @Slot()
    def _toggle(self) -> None:
        if self._job is None:
            return
        if self._job.paused:
            self._job.resume()
        else:
            self._job.pause()
            self.detail.setText(" · ".join(filter(None, (self.tr("Paused"), self.detail.text()))))
        self._name_pause(self._job.paused)

    def _name_pause(self, paused: bool) -> None:
        self.show_paused(paused)
        name = self.tr("Continue") if paused else self.tr("Pause")
        self.pause_button.setAccessibleName(name)

    @Slot()
    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self.detail.setText(self.tr("Stopping..."))
            for button in (self.pause_button, self.cancel_button):
                button.setEnabled(False)

    @Slot()
    def _end(self) -> None:
        job = self.sender()
        if job is self._job:
            self._job = None
            self.hide()
        if isinstance(job, Job):
            self.on_ended(job)


class Notice(QWidget):
    """A sentence about the outcome or an error, with a button where there is a next step. Hidden while it is empty.

    Signals:
        accepted: the button was pressed.
    """

    accepted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._then: Callable[[], object] | None = None
        self._icon = QLabel()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setAccessibleName(self.tr("Message"))
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        # A long name without spaces cannot be wrapped. It must not widen the window.
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = QPushButton()
        self.button.setAccessibleName(self.tr("Next step"))
        self.button.clicked.connect(self._accept)
        self.button.hide()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def say(self, sentence: str, button: str = "", then: Callable[[], object] | None = None) -> None:
        """Show a sentence, and a button with this text where there is one. `then` is called when it is pressed."""
        self._show(sentence, button, then, error=False)

    def complain(self, sentence: str, button: str = "", then: Callable[[], object] | None = None) -> None:
        """Show an error in the window's words, and a button with this text where one mends it."""
        self._show(reworded(sentence), button, then, error=True)

    def clear(self) -> None:
        self._then = None
        self.text.clear()
        self.hide()

    def on_shown(self, error: bool) -> None:
        """A sentence is shown now. For those that show it in a place of their own."""

    def _accept(self) -> None:
        then = self._then
        if then is not None:
            self.clear()
            then()
        self.accepted.emit()

    def _show(self, sentence: str, button: str, then: Callable[[], object] | None, error: bool) -> None:
        self._then = then
        role = QPalette.ColorRole.BrightText if error else QPalette.ColorRole.WindowText
        name = "warning-circle" if error else "info"
        self._icon.setPixmap(
            picture(name, self.palette().color(role).name(), SIDE, math.ceil(self.devicePixelRatioF()))
        )
        self.text.setText(sentence)
        self.button.setText(button)
        self.button.setAccessibleName(button.replace("&", "") or self.tr("Next step"))
        self.button.setVisible(bool(button))
        self.show()
        self.on_shown(error)


def duration(seconds: float) -> str:
    """For a person: `45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{max(math.ceil(seconds), 1)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
