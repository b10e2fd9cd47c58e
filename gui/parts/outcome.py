"""The outcome of a training: a verdict, the photos that it is about, and what to do with the new model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QLocale, Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sorter.train.corrections import photo_at
from sorter.train.retrain import HeldOutPhoto, RetrainResult

from .heldout import HeldOutModel, HeldOutTable
from .photo_strip import MOST, PhotoStrip
from .thumbnails import Thumbnails
from .words import counted

CLEAR = 2.0  # standard errors from which on a difference is no chance


@dataclass(frozen=True)
class Comparison:
    """Photos held out, by what the new model changes.

    Attributes:
        fixed: only the new model is right.
        broken: only the old one was.
        wrong: both are wrong.
        mistakes: photos that the old model had wrong.
    """

    fixed: tuple[HeldOutPhoto, ...]
    broken: tuple[HeldOutPhoto, ...]
    wrong: tuple[HeldOutPhoto, ...]
    mistakes: int

    @classmethod
    def of(cls, photos: Sequence[HeldOutPhoto]) -> Comparison:
        read = [each for each in photos if each.after is not None]

        def those(before: bool, after: bool) -> tuple[HeldOutPhoto, ...]:
            return tuple(
                each
                for each in read
                if (each.before == each.label) is before and (each.after == each.label) is after
            )

        fixed, wrong = those(before=False, after=True), those(before=False, after=False)
        return cls(fixed, those(before=True, after=False), wrong, len(fixed) + len(wrong))

    @property
    def gain(self) -> float:
        """Photos won less photos lost, in standard errors: McNemar's test."""
        won, lost = len(self.fixed), len(self.broken)
        return (won - lost) / (won + lost) ** 0.5 if won + lost else 0.0


def verdict(photos: Sequence[HeldOutPhoto]) -> str:
    """How the new model does, in a sentence or two."""
    number = QLocale().toString
    found = Comparison.of(photos)
    if not photos:
        return QCoreApplication.translate(
            "Outcome", "There are too few photos to compare the two models. Check 20 more first?"
        )
    parts = []
    if found.mistakes:
        text = QCoreApplication.translate(
            "Outcome", "Of {n} mistakes kept aside, the new model gets {right} right."
        )
        parts.append(text.format(n=number(found.mistakes), right=number(len(found.fixed))))
    if found.broken:
        one = QCoreApplication.translate("Outcome", "1 photo that was right is now wrong.")
        many = QCoreApplication.translate("Outcome", "{n} photos that were right are now wrong.")
        parts.append(counted(len(found.broken), one, many))
    if not found.fixed and not found.broken:
        parts.append(
            QCoreApplication.translate("Outcome", "The two models decide alike. Check 20 more photos first?")
        )
    elif found.gain >= CLEAR or not found.broken:
        parts.append(QCoreApplication.translate("Outcome", "It is better."))
    elif found.gain <= -CLEAR or not found.fixed:
        parts.append(QCoreApplication.translate("Outcome", "It is worse. Check 20 more photos first?"))
    else:
        parts.append(QCoreApplication.translate("Outcome", "That is about even. Check 20 more photos first?"))
    return " ".join(parts)


class Outcome(QWidget):
    """A sentence, three rows of photos, and three buttons. A table of all photos is folded away.

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

    def __init__(self, thumbnails: Thumbnails, more: QWidget, parent: QWidget | None = None) -> None:
        """Make it, with a widget that stands among the details."""
        super().__init__(parent)
        self.held_out = HeldOutModel(thumbnails, self)
        self.table = HeldOutTable(self.held_out)
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.result.setAccessibleName(self.tr("Before and after"))
        self.result.setProperty("level", "heading")
        self.learned = QLabel()
        self.learned.setAccessibleName(self.tr("What it learned from"))
        self.learned.setWordWrap(True)
        self.rows = tuple(self._row(name, thumbnails) for name in self._names())
        self._make_buttons()
        self._lay_out(more)

    def _names(self) -> tuple[str, str, str]:
        return self.tr("Fixed"), self.tr("Newly wrong"), self.tr("Still wrong")

    def _row(self, name: str, thumbnails: Thumbnails) -> PhotoStrip:
        strip = PhotoStrip(thumbnails, name)
        strip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return strip

    def _make_buttons(self) -> None:
        self.keep_and_sort_button = self._button(
            self.tr("Use it and &sort this folder again"),
            self.tr("Undo this folder's sorting and sort the same photos with the new model"),
            self.kept_and_sorted,
        )
        self.keep_button = self._button(
            self.tr("&Use for new folders"),
            self.tr("Keep the model. You can choose it when you sort photos."),
            self.kept,
        )
        self.discard_button = self._button(
            self.tr("&Throw away"), self.tr("Remove the new model. The one in use stays."), self.discarded
        )
        self.report_button = self._button(
            self.tr("&Report..."), self.tr("How good the new model is, in the browser"), self.report_wanted
        )
        self.details_button = QToolButton()
        self.details_button.setText(self.tr("Details"))
        self.details_button.setAccessibleName(self.tr("Details"))
        self.details_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.details_button.setArrowType(Qt.ArrowType.RightArrow)
        self.details_button.setCheckable(True)
        self.details_button.setAutoRaise(True)
        self.details_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.details_button.toggled.connect(self._unfold)

    def _button(self, text: str, tip: str, signal: SignalInstance) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text.replace("&", "").removesuffix("..."))
        button.setToolTip(tip)
        button.clicked.connect(signal)
        return button

    def _lay_out(self, more: QWidget) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.details_button)
        buttons.addStretch(1)
        for each in (self.discard_button, self.keep_button, self.keep_and_sort_button):
            buttons.addWidget(each)
        self.details = QWidget()
        inner = QVBoxLayout(self.details)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.learned)
        inner.addWidget(more, 1)
        inner.addWidget(self.table, 2)
        inner.addWidget(self.report_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.details.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.result)
        self._titles = []
        for strip in self.rows:
            title = QLabel()
            self._titles.append(title)
            column.addWidget(title)
            column.addWidget(strip)
        column.addLayout(buttons)
        column.addWidget(self.details, 1)
        column.addStretch(0)

    def _unfold(self, on: bool) -> None:
        self.details_button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.details.setVisible(on)

    # -- showing -----------------------------------------------------------------------------------------------

    def show_model(self, retrained: RetrainResult | None) -> None:
        """Show this one, or hide where there is none."""
        self.setVisible(retrained is not None)
        photos = () if retrained is None else retrained.held_out
        self.held_out.show(photos)
        found = Comparison.of(photos)
        for place, some in enumerate((found.fixed, found.broken, found.wrong)):
            self._show_row(place, some)
        if retrained is not None:
            self.result.setText(verdict(photos))
            self.learned.setText(self._learned(retrained))

    def _show_row(self, place: int, photos: tuple[HeldOutPhoto, ...]) -> None:
        strip, title = self.rows[place], self._titles[place]
        found = [(each, photo_at(each.path, each.path.parent)) for each in photos[:MOST]]
        shown = [(each, photo) for each, photo in found if photo is not None]
        strip.show_photos([photo for _, photo in shown], [self._tip(each) for each, _ in shown])
        title.setText(f"{self._names()[place]}: {QLocale().toString(len(photos))}")
        for widget in (strip, title):
            widget.setVisible(bool(photos))

    def _tip(self, each: HeldOutPhoto) -> str:
        return self.tr("{name}: you say {label}. Before: {before}. Now: {after}.").format(
            name=each.path.name, label=each.label, before=each.before, after=each.after
        )

    def _learned(self, retrained: RetrainResult) -> str:
        return self.tr(
            "Learned from {learned} photos, {corrections} of them checked by you, in {seconds:.0f} s. "
            "The photos below were kept aside."
        ).format(learned=retrained.trained_on, corrections=retrained.corrections, seconds=retrained.seconds)
