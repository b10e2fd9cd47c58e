"""Draws a photo of the grid, with its class, its marks and its stack on it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPalette, QPen, QPixmap, QPolygonF

from ..parts.icons import picture
from ..parts.models import Cell, percent
from .shapes import draw_shape

MEMORY = 64 << 20  # bytes of pictures at the size they are shown in
CHIPS = 512  # that are kept drawn
PAD = 4  # pixels
LOW = 88  # height of a photo, pixels, below which its chip is only the shape
NARROW = 72  # width, likewise
SHADE = QColor(0, 0, 0, 190)
WHITE = QColor("white")
CHECK = 20  # pixels
NEARLY = 0.03  # a photo whose shape differs less from its place's fills it


class PhotoPainter:
    """Draws photos. Pictures and chips are kept as they were drawn last.

    Args:
        thumbnail: asks for the picture of a cell that is to cover so many pixels of the screen.
        labels: names of the label codes.
    """

    def __init__(
        self, thumbnail: Callable[[Cell, int], QImage | None], labels: Callable[[], tuple[str, ...]]
    ) -> None:
        self._thumbnail = thumbnail
        self._labels = labels
        self._pictures: OrderedDict[tuple[object, ...], QPixmap] = OrderedDict()
        self._bytes = 0
        self._chips: OrderedDict[tuple[object, ...], QPixmap] = OrderedDict()

    def paint(self, painter: QPainter, place: QRect, cell: Cell, palette: QPalette) -> None:
        """The photo with everything on it, but without what shows that it is selected."""
        box = place
        if cell.stack > 1:
            box = place.adjusted(0, 6, -6, 0)
            painter.fillRect(place.adjusted(6, 0, 0, -6), QColor("#5c5c5c"))
            painter.fillRect(place.adjusted(3, 3, -3, -3), QColor("#7d7d7d"))
        ratio = painter.device().devicePixelRatioF()
        self._paint_picture(painter, box, cell, palette, ratio)
        self._paint_chip(painter, box, cell, ratio)
        if cell.reviewed:
            _paint_check(painter, box, cell.changed)
        self._paint_badges(painter, box, cell, ratio)

    def stack_badge(self, place: QRect, cell: Cell, metrics: QFontMetrics) -> QRect:
        """Where the number of a stack stands, to be clicked. Empty for a photo of none."""
        count = cell.stack if cell.stack > 1 else cell.opened
        if count < 2:
            return QRect()
        box = place.adjusted(0, 6, -6, 0) if cell.stack > 1 else place
        width = metrics.horizontalAdvance(str(count)) + 16 + 3 * PAD
        return QRect(box.right() - width - PAD + 1, box.y() + PAD, width, metrics.height() + PAD)

    # -- parts -------------------------------------------------------------------------------------------------

    def _paint_picture(
        self, painter: QPainter, box: QRect, cell: Cell, palette: QPalette, ratio: float
    ) -> None:
        pixels = round(max(box.width(), box.height()) * ratio)
        image = None if cell.label < 0 else self._thumbnail(cell, pixels)
        if image is not None and not image.isNull():
            scaled = self._scaled(image, cell, box.size(), ratio)
            target = QRectF(QPointF(0, 0), scaled.deviceIndependentSize())
            target.moveCenter(QRectF(box).center())
            if target.size().toSize() != box.size():
                painter.fillRect(box, palette.color(QPalette.ColorRole.AlternateBase))
            painter.drawPixmap(target.topLeft(), scaled)
            return
        painter.fillRect(box, palette.color(QPalette.ColorRole.AlternateBase))
        if image is None and cell.label >= 0:
            return  # on its way
        colour = palette.color(QPalette.ColorRole.PlaceholderText)
        painter.setPen(colour)
        flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        why = cell.failure or QCoreApplication.translate("PhotoPainter", "cannot be shown")
        text = f"{cell.name}\n{why}"
        painter.drawText(box.adjusted(PAD, PAD, -PAD, -2 * PAD - CHECK), flags, text)

    def _scaled(self, image: QImage, cell: Cell, place: QSize, ratio: float) -> QPixmap:
        """The picture at the size it is shown in."""
        size = place * ratio
        mode = Qt.AspectRatioMode.KeepAspectRatio
        if abs(size.width() * image.height() / max(1, size.height() * image.width()) - 1) < NEARLY:
            mode = Qt.AspectRatioMode.IgnoreAspectRatio
        key = (cell.key, image.cacheKey(), size.width(), size.height())
        kept = self._pictures.get(key)
        if kept is None:
            scaled = image.scaled(size, mode, Qt.TransformationMode.SmoothTransformation)
            kept = QPixmap.fromImage(scaled)
            kept.setDevicePixelRatio(ratio)
            self._pictures[key] = kept
            self._bytes += scaled.sizeInBytes()
            while self._bytes > MEMORY and len(self._pictures) > 1:
                _, gone = self._pictures.popitem(last=False)
                self._bytes -= gone.width() * gone.height() * 4
        self._pictures.move_to_end(key)
        return kept

    def _paint_chip(self, painter: QPainter, box: QRect, cell: Cell, ratio: float) -> None:
        metrics = painter.fontMetrics()
        text = "" if box.height() < LOW or box.width() < NARROW else self._chip_text(cell)
        room = box.width() - 6 * PAD - metrics.height()
        if text and metrics.horizontalAdvance(text) > room:
            value = self._percent(cell)
            left = room - metrics.horizontalAdvance(f" {value}")
            label = text[: len(text) - len(value)].rstrip()
            text = f"{metrics.elidedText(label, Qt.TextElideMode.ElideRight, max(0, left))} {value}".rstrip()
        chip = self._chip(cell.label, text, painter.font(), ratio)
        painter.drawPixmap(
            QPointF(box.x() + PAD, box.bottom() + 1 - PAD - chip.deviceIndependentSize().height()), chip
        )

    def _chip_text(self, cell: Cell) -> str:
        """The class, and how sure the model is of that class. A person's own mark needs no figure."""
        labels = self._labels()
        if cell.label < 0:
            return QCoreApplication.translate("PhotoPainter", "couldn't be read")
        return f"{labels[cell.label]} {self._percent(cell)}".rstrip()

    def _percent(self, cell: Cell) -> str:
        return percent(cell.certainty) if cell.label == cell.predicted else ""

    def _chip(self, code: int, text: str, font: QFont, ratio: float) -> QPixmap:
        key = (code, text, font.key(), ratio, len(self._labels()))
        kept = self._chips.get(key)
        if kept is None:
            kept = self._chips[key] = self._drawn_chip(code, text, font, ratio)
            if len(self._chips) > CHIPS:
                self._chips.popitem(last=False)
        return kept

    def _drawn_chip(self, code: int, text: str, font: QFont, ratio: float) -> QPixmap:
        metrics = QFontMetrics(font)
        side = metrics.height()
        width = side + 2 * PAD + (metrics.horizontalAdvance(text) + 2 * PAD if text else 0)
        pixmap = QPixmap(round(width * ratio), round((side + PAD) * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(pixmap) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(font)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(SHADE)
            painter.drawRoundedRect(QRectF(0, 0, width, side + PAD), 4, 4)
            inset = side * 0.12
            mark = QRectF(PAD + inset, PAD / 2 + inset, side - 2 * inset, side - 2 * inset)
            draw_shape(painter, code, len(self._labels()) - 1, mark, WHITE)
            painter.setPen(WHITE)
            painter.drawText(
                QRectF(side + 2 * PAD, 0, width, side + PAD), int(Qt.AlignmentFlag.AlignVCenter), text
            )
        return pixmap

    def _paint_badges(self, painter: QPainter, box: QRect, cell: Cell, ratio: float) -> None:
        metrics = painter.fontMetrics()
        right, top, height = box.right() - PAD, box.y() + PAD, metrics.height() + PAD
        count = cell.stack if cell.stack > 1 else cell.opened
        for text, icon in ((str(count), "stack"), (f"+{cell.companions}", "")):
            if (icon and count < 2) or (not icon and not cell.companions):
                continue
            width = metrics.horizontalAdvance(text) + (16 + PAD if icon else 0) + 2 * PAD
            badge = QRect(right - width + 1, top, width, height)
            _shaded(painter, badge)
            if icon:
                painter.drawPixmap(
                    badge.x() + PAD, top + (height - 16) // 2, picture(icon, "#ffffff", 16, ratio)
                )
            painter.setPen(WHITE)
            flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
            painter.drawText(badge.adjusted(0, 0, -PAD, 0), flags, text)
            right = badge.x() - PAD


def paint_selection(
    painter: QPainter, place: QRect, selected: bool, current: bool, palette: QPalette
) -> None:
    """An outline in the gap around a photo, so that nothing of the photo changes its colour."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if selected:
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Link), 3))
        painter.drawRect(place.adjusted(-2, -2, 1, 1))
    if current:
        style = Qt.PenStyle.SolidLine if selected else Qt.PenStyle.DashLine
        painter.setPen(QPen(WHITE, 1, style))
        painter.drawRect(place.adjusted(0, 0, -1, -1) if selected else place.adjusted(-2, -2, 1, 1))


def _paint_check(painter: QPainter, box: QRect, changed: bool) -> None:
    """A tick for a photo that a person checked, on blue where they changed its class."""
    at = QRectF(box.x() + PAD, box.y() + PAD, CHECK, CHECK)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(WHITE, 1))
    painter.setBrush(QColor("#2f6fdf") if changed else SHADE)
    painter.drawEllipse(at)
    painter.setPen(QPen(WHITE, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    points = [QPointF(5.5, 10.5), QPointF(8.5, 13.5), QPointF(14.5, 7)]
    painter.drawPolyline(QPolygonF([at.topLeft() + point for point in points]))
    painter.restore()


def _shaded(painter: QPainter, badge: QRect) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(SHADE)
    painter.drawRoundedRect(badge, 4, 4)
    painter.restore()
