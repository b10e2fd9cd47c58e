"""The three steps of learning, with the one that is at work."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ..tasks import Began
from ..worker import Job

READING, LEARNING, SAVING = range(3)
STEPS = {"decoding": READING, "embedding": LEARNING, "exporting and reporting": SAVING, "comparing": SAVING}


class LearningSteps(QWidget):
    """Reading photos, learning, checking and saving. Hidden while there is no job."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = (self.tr("Reading photos"), self.tr("Learning"), self.tr("Checking and saving"))
        self.labels = tuple(QLabel() for _ in self._names)
        self.current = READING
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for label in self.labels:
            row.addWidget(label, 1)
        self.hide()

    def follow(self, job: Job) -> None:
        """Show a job from its start to its end."""
        self._show(READING)
        job.progress.connect(self._receive)
        job.ended.connect(self.hide)
        self.show()

    @Slot(object)
    def _receive(self, record: object) -> None:
        if isinstance(record, Began):
            step = STEPS.get(record.what, LEARNING if record.what.startswith("phase") else self.current)
            self._show(max(step, self.current))  # a second training of folds goes back to no earlier step

    def _show(self, current: int) -> None:
        self.current = current
        for place, (label, name) in enumerate(zip(self.labels, self._names, strict=True)):
            mark = "✓" if place < current else str(place + 1)
            label.setText(f"{mark}  {name}")
            font = label.font()
            font.setBold(place == current)
            label.setFont(font)
            label.setEnabled(place <= current)
