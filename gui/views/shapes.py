"""A shape for each class, beside its colour, so that classes differ for every eye."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from ..parts.colours import label_colour

SIDE = 16  # pixels of an icon
RATIOS = (1, 2, 3)
# Corners, the turn of the first in degrees, and how far the dents between them reach in; 1 for no dents.
POLYGONS = ((4, 45, 1.0), (3, 0, 1.0), (4, 0, 1.0), (5, 0, 0.45), (6, 30, 1.0), (3, 180, 1.0), (4, 0, 0.4))


def shape(code: int, box: QRectF) -> QPainterPath:
    """The outline of a class's shape within a square. There are eight, the circle first."""
    path = QPainterPath()
    kind = code % (len(POLYGONS) + 1)
    if kind == 0:
        path.addEllipse(box.adjusted(1, 1, -1, -1))
    else:
        path.addPolygon(_polygon(*POLYGONS[kind - 1], box))
        path.closeSubpath()
    return path


def _polygon(corners: int, turn: float, dent: float, box: QRectF) -> QPolygonF:
    radius = box.width() / 2 * (1.0 if corners != 4 or turn == 0 else 1.15)
    count = corners if dent == 1.0 else 2 * corners
    points = []
    for number in range(count):
        angle = math.radians(turn - 90 + 360 * number / count)
        reach = radius * (dent if count != corners and number % 2 else 1.0)
        points.append(box.center() + QPointF(reach * math.cos(angle), reach * math.sin(angle)))
    return QPolygonF(points)


def draw_shape(painter: QPainter, code: int, classes: int, box: QRectF, edge: QColor | None = None) -> None:
    """Draw the shape of a label in its colour. `unsure` is a ring, and what failed is a cross."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = label_colour(code, classes)
    if 0 <= code < classes:
        painter.setPen(QPen(edge, 1) if edge is not None else Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPath(shape(code, box))
    else:
        painter.setPen(QPen(colour, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inner = box.adjusted(2, 2, -2, -2)
        if code < 0:
            painter.drawLine(inner.topLeft(), inner.bottomRight())
            painter.drawLine(inner.topRight(), inner.bottomLeft())
        else:
            painter.drawEllipse(inner)
    painter.restore()


def shape_icon(code: int, classes: int) -> QIcon:
    """For a list, a menu or a button."""
    icon = QIcon()
    for ratio in RATIOS:
        pixmap = QPixmap(SIDE * ratio, SIDE * ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(pixmap) as painter:
            painter.scale(ratio, ratio)
            draw_shape(painter, code, classes, QRectF(1, 1, SIDE - 2, SIDE - 2))
        pixmap.setDevicePixelRatio(ratio)
        icon.addPixmap(pixmap)
    return icon
