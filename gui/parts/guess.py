"""What the model makes of a photo: its guess and the one after it, as bars."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from sorter.sort.table import Likely

from ..views.shapes import draw_shape
from .colours import label_colour, muted
from .models import percent

ROW, BAR = 30, 4  # pixels
MOST = 2  # rows


class GuessBars(QWidget):
    """The label that the photo has by the rule comes first. Beside each stands how probable it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Likely, ...] = ()
        self._labels: tuple[str, ...] = ()
        self._figures: list[str] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Guess of the model"))

    def clear(self) -> None:
        self.show_guesses((), ())

    def show_guesses(self, rows: tuple[Likely, ...], labels: tuple[str, ...], first: int = -1) -> None:
        """Show these.

        Args:
            first: the label that the rule decides on. A threshold may decide against the likelier class.
        """
        self.rows = tuple(sorted(rows, key=lambda each: each.label != first))
        self._labels = labels
        self._figures = [percent(each.probability) for each in self.rows]
        if len(self.rows) == 2 and abs(sum(each.probability for each in self.rows) - 1) < 1e-6:
            self._figures[1] = f"{100 - int(self._figures[0].removesuffix(' %'))} %"  # both are the whole
        words = zip((labels[each.label] for each in self.rows), self._figures, strict=True)
        self.setAccessibleDescription(", ".join(map(" ".join, words)))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, ROW * MOST)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for place, each in enumerate(self.rows):
                box = QRectF(0, place * ROW, self.width(), ROW)
                self._paint_row(painter, box, each, self._figures[place])

    def _paint_row(self, painter: QPainter, box: QRectF, each: Likely, figure: str) -> None:
        classes = len(self._labels) - 1
        draw_shape(painter, each.label, classes, QRectF(box.x(), box.y() + 4, 12, 12))
        metrics = self.fontMetrics()
        right = metrics.horizontalAdvance(figure)
        room = box.adjusted(20, 0, -right - 8, -8)
        text = metrics.elidedText(self._labels[each.label], Qt.TextElideMode.ElideRight, int(room.width()))
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)
        painter.setPen(muted(self.palette()))
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(box.adjusted(0, 0, 0, -8), flags, figure)
        bar = QRectF(box.x(), box.bottom() - BAR - 3, box.width(), BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().brush(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(bar, 2, 2)
        bar.setWidth(bar.width() * each.probability)
        painter.setBrush(label_colour(each.label, classes))
        painter.drawRoundedRect(bar, 2, 2)
