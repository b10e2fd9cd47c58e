"""The outcome of a training: old and new model on photos held out, and what to do with the new one."""

from __future__ import annotations

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from sorter.train.retrain import RetrainResult

from .heldout import HeldOutModel, HeldOutTable
from .thumbnails import Thumbnails


class Outcome(QWidget):
    """Figures, photos and four buttons.

    Signals:
        kept: use the model for new folders.
        kept_and_sorted: use it, and sort this folder again.
        discarded: throw it away.
        report_wanted: open its report.
    """

    kept = Signal()
    kept_and_sorted = Signal()
    discarded = Signal()
    report_wanted = Signal()

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.held_out = HeldOutModel(thumbnails, self)
        self.table = HeldOutTable(self.held_out)
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.result.setAccessibleName(self.tr("Before and after"))
        self.keep_and_sort_button = self._button(
            self.tr("Use it and &sort this folder again"),
            self.tr("Undo this folder's sorting and sort the same photos with the new model"),
            self.kept_and_sorted,
        )
        self.keep_button = self._button(
            self.tr("&Use for new folders"),
            self.tr("Keep the model. You can choose it under Start."),
            self.kept,
        )
        self.discard_button = self._button(
            self.tr("&Throw away"), self.tr("Remove the new model. The one in use stays."), self.discarded
        )
        self.report_button = self._button(
            self.tr("&Report..."), self.tr("How good the new model is, in the browser"), self.report_wanted
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.report_button)
        buttons.addStretch(1)
        for each in (self.discard_button, self.keep_button, self.keep_and_sort_button):
            buttons.addWidget(each)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.result)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)

    def _button(self, text: str, tip: str, signal: SignalInstance) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text.replace("&", "").removesuffix("..."))
        button.setToolTip(tip)
        button.clicked.connect(signal)
        return button

    def show_model(self, retrained: RetrainResult | None) -> None:
        """Show this one, or hide where there is none."""
        self.setVisible(retrained is not None)
        self.held_out.show(() if retrained is None else retrained.held_out)
        if retrained is not None:
            self.result.setText(f"{self._learned(retrained)}<br>" + "<br>".join(self._scores(retrained)))

    def _learned(self, retrained: RetrainResult) -> str:
        return self.tr(
            "Learned from {learned} photos, {corrections} of them checked by you, in {seconds:.0f} s. "
            "On photos that it did not learn from:"
        ).format(learned=retrained.trained_on, corrections=retrained.corrections, seconds=retrained.seconds)

    def _scores(self, retrained: RetrainResult) -> list[str]:
        rows = []
        for corrected, which in (
            (True, self.tr("that you corrected (the old model was wrong on all of these)")),
            (False, self.tr("that nobody corrected (the old model counts as right on these)")),
        ):
            score = retrained.score(corrected)
            if score.photos:
                rows.append(
                    self.tr("<b>{before} → {after}</b> right of {photos} photos {which}").format(
                        before=score.before, after=score.after, photos=score.photos, which=which
                    )
                )
        return rows or [self.tr("There are too few photos to compare the two models.")]
