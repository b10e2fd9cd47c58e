"""A tab for each class, with how many photos it has. Photos are dropped on it to mark them."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QTabBar, QWidget

from .grid import PHOTOS
from .models import Counts

ALL, FAILED, SKIPPED, ASIDE = -1, -2, -3, -4  # what a tab shows, beside the codes of labels


class ClassTabs(QTabBar):
    """All, each label, and files that failed.

    Signals:
        chosen: a label's code, `ALL` or `FAILED`.
        dropped: photos were dropped on this class.
    """

    chosen = Signal(int)
    dropped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kinds: list[int] = []
        self._classes = 0
        self._lit: int | None = None  # the tab under what is dragged
        self.setAcceptDrops(True)
        self.setExpanding(False)
        self.setDrawBase(False)
        self.setUsesScrollButtons(True)
        self.setAccessibleName(self.tr("Classes"))
        self.currentChanged.connect(self._choose)

    @property
    def kind(self) -> int:
        """What the current tab shows."""
        return self._kinds[self.currentIndex()] if self._kinds else ALL

    def show_counts(self, labels: tuple[str, ...], counts: Counts, total: int) -> None:
        """Labels with how many photos each has. `unsure` and the failed only where there are any."""
        self._classes = len(labels) - 1
        kinds = [ALL, *range(self._classes)]
        kinds += [self._classes] if counts.labels[self._classes] or self.kind == self._classes else []
        kinds += [FAILED] if counts.failed else []
        kinds += [SKIPPED] if counts.skipped else []
        kinds += [ASIDE] if counts.aside or self.kind == ASIDE else []
        if kinds != self._kinds:
            self._rebuild(kinds)
        names = {
            ALL: self.tr("All"),
            FAILED: self.tr("Couldn't be read"),
            SKIPPED: self.tr("Not photos"),
            ASIDE: self.tr("Set aside"),
        }
        names |= dict(enumerate(labels))
        numbers = {ALL: total, FAILED: counts.failed, SKIPPED: counts.skipped, ASIDE: counts.aside}
        numbers |= dict(enumerate(counts.labels))
        for tab, kind in enumerate(kinds):
            text = names[kind].replace("&", "&&")
            self.setTabText(tab, f"{text}  {QLocale().toString(numbers[kind])}")
            if 0 <= kind < self._classes:
                self.setTabToolTip(
                    tab, self.tr("Drop photos here to mark them as {label}").format(label=text)
                )

    def show_kind(self, kind: int) -> None:
        if kind in self._kinds:
            self.setCurrentIndex(self._kinds.index(kind))

    def _rebuild(self, kinds: list[int]) -> None:
        before = self.kind
        self.blockSignals(True)
        while self.count():
            self.removeTab(0)
        for _ in kinds:
            self.addTab("")
        self._kinds = kinds
        self.setCurrentIndex(kinds.index(before) if before in kinds else 0)
        self.blockSignals(False)
        if self.kind != before:
            self.chosen.emit(self.kind)

    def _choose(self, tab: int) -> None:
        if 0 <= tab < len(self._kinds):
            self.chosen.emit(self._kinds[tab])

    # -- dropping ----------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(PHOTOS):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        code = self._under(event)
        self._light(None if code is None else self._kinds.index(code))
        if code is None:
            event.ignore()
        else:
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._light(None)

    @property
    def lit(self) -> int | None:
        """The tab that would take what is dragged over it."""
        return self._lit

    def _light(self, tab: int | None) -> None:
        if tab != self._lit:
            self._lit = tab
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._lit is not None:
            with QPainter(self) as painter:
                colour = self.palette().color(QPalette.ColorRole.Highlight)
                painter.setPen(QPen(colour, 2))
                colour.setAlpha(80)
                painter.setBrush(colour)
                painter.drawRoundedRect(self.tabRect(self._lit).adjusted(1, 1, -1, -1), 4, 4)

    def dropEvent(self, event: QDropEvent) -> None:
        self._light(None)
        code = self._under(event)
        if code is not None:
            event.acceptProposedAction()
            self.dropped.emit(code)

    def _under(self, event: QDropEvent) -> int | None:
        """The class under the pointer. A photo cannot be marked as `unsure` or as failed."""
        tab = self.tabAt(event.position().toPoint())
        kind = self._kinds[tab] if 0 <= tab < len(self._kinds) else ALL
        return kind if event.mimeData().hasFormat(PHOTOS) and 0 <= kind < self._classes else None
