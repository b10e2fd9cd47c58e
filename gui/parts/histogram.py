"""How sure the model is of how many photos, and the threshold to drag."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from sorter.model.labels import predicted_labels
from sorter.model.rule import Rule

from .colours import UNSURE, label_colour, muted

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 50
STEP = 0.01
EDGE = 8  # pixels left and right, so that the handle fits
LOWEST, HIGHEST = 0.001, 0.999


def threshold_of(rule: Rule) -> float:
    """The handle's value: the threshold of two classes, or for more the probability below which photos are unsure."""
    if rule.binary:
        return rule.threshold
    return 0.0 if rule.unsure is None else rule.unsure[1]


def with_threshold(rule: Rule, threshold: float) -> Rule:
    """The rule with its handle there."""
    if rule.binary:
        return replace(rule, threshold=min(max(threshold, LOWEST), HIGHEST))
    return replace(rule, unsure=(0.0, min(threshold, 1.0)) if threshold > 0 else None)


class Histogram(QWidget):
    """Photos by probability, each bar in the colour of what it becomes.

    Signals:
        moved: the threshold while it is dragged.
        settled: it was let go, or moved by a key.
    """

    moved = Signal(float)
    settled = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rule: Rule | None = None
        self._bins: NDArray[np.intp] = np.zeros(BINS, np.intp)
        self._dragged = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Histogram of probabilities with the threshold"))
        self.setToolTip(self.tr("Drag to move the threshold; Left and Right move it by 0.01"))

    def show_photos(self, probability: NDArray[np.float64], rule: Rule) -> None:
        """Draw these. NaN, not scored, counts for nothing."""
        scored = probability[~np.isnan(probability)]
        self._bins = np.histogram(scored, BINS, (0.0, 1.0))[0]
        self.show_rule(rule)

    def show_rule(self, rule: Rule) -> None:
        self._rule = rule
        self.setAccessibleDescription(f"{threshold_of(rule):.2f}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 96)

    # -- the handle --------------------------------------------------------------------------------------------

    def x_of(self, probability: float) -> float:
        """Where a probability is, pixels."""
        return EDGE + probability * (self.width() - 2 * EDGE)

    def _at(self, x: float) -> float:
        return min(max((x - EDGE) / max(1, self.width() - 2 * EDGE), 0.0), 1.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._rule is not None:
            self._dragged = True
            self._move(self._at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged:
            self._move(self._at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._dragged and event.button() == Qt.MouseButton.LeftButton and self._rule is not None:
            self._dragged = False
            self.settled.emit(threshold_of(self._rule))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -STEP, Qt.Key.Key_Right: STEP}
        if event.key() not in steps or self._rule is None:
            super().keyPressEvent(event)
            return
        self._move(round(threshold_of(self._rule) + steps[Qt.Key(event.key())], 2))
        self.settled.emit(threshold_of(self._rule))

    def _move(self, threshold: float) -> None:
        assert self._rule is not None
        self.show_rule(with_threshold(self._rule, threshold))
        self.moved.emit(threshold_of(self._rule))

    # -- painting ----------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            line = self.fontMetrics().height()
            area = QRectF(EDGE, 6, self.width() - 2 * EDGE, self.height() - line - 10)
            painter.fillRect(area, self.palette().brush(QPalette.ColorRole.Base))
            if self._rule is not None:
                self._paint_bars(painter, area, self._rule)
                self._paint_handle(painter, area, threshold_of(self._rule))
            painter.setPen(muted(self.palette()))
            below = QRect(EDGE, int(area.bottom()) + 3, int(area.width()), line)
            painter.drawText(below, int(Qt.AlignmentFlag.AlignLeft), "0")
            painter.drawText(below, int(Qt.AlignmentFlag.AlignHCenter), "0.5")
            painter.drawText(below, int(Qt.AlignmentFlag.AlignRight), "1")
            if self.hasFocus():
                painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(area)

    def _paint_bars(self, painter: QPainter, area: QRectF, rule: Rule) -> None:
        # Of most folders nearly all photos are certain; the root lets the few doubtful ones be seen.
        heights = np.sqrt(self._bins / max(1, self._bins.max()))
        width = area.width() / BINS
        for number, height in enumerate(heights.tolist()):
            if height:
                top = area.bottom() - max(1.0, height * (area.height() - 2))
                bar = QRectF(area.left() + number * width, top, max(1.0, width - 1), area.bottom() - top)
                painter.fillRect(bar, self._colour(rule, (number + 0.5) / BINS))

    def _colour(self, rule: Rule, probability: float) -> QColor:
        code = int(predicted_labels(rule, np.array([probability]), np.zeros(1, np.int16))[0])
        if code == len(rule.classes):
            return QColor(UNSURE)
        if not rule.binary:
            return self.palette().color(QPalette.ColorRole.Highlight)
        return label_colour(code, len(rule.classes))

    def _paint_handle(self, painter: QPainter, area: QRectF, threshold: float) -> None:
        x = self.x_of(threshold)
        colour = self.palette().color(QPalette.ColorRole.Text)
        painter.setPen(QPen(colour, 1.5))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setBrush(colour)
        points = [QPointF(x - 5, 0), QPointF(x + 5, 0), QPointF(x, 8)]
        painter.drawPolygon(QPolygonF(points))
