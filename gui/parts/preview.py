"""One photo, as large as there is room, upright, with zoom; and what is known of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QLocale, QRectF, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPalette,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QGraphicsPixmapItem,
    QGraphicsScene,
    QGraphicsView,
    QLabel,
    QWidget,
)

from sorter.photos.decode import Decoder
from sorter.types import Failure, SorterError

from ..worker import Jobs
from .grid import PhotoGrid
from .thumbnails import to_image

ZOOM = 1.25
MOST = 16.0  # pixels of the screen for one of the photo
# Tags of Exif 2.32, and how their values read.
MAKE, MODEL, LENS, TAKEN = 0x010F, 0x0110, 0xA434, 0x9003
EXPOSURE, APERTURE, SPEED, FOCAL_LENGTH = 0x829A, 0x829D, 0x8827, 0x920A


@dataclass(frozen=True)
class Loaded:
    """A photo read from the disk, on another thread.

    Attributes:
        image: upright; null where it cannot be decoded.
        problem: why not.
        camera: what the camera wrote: make and model, lens, exposure, time.
    """

    image: QImage
    problem: str
    camera: str


def load(path: Path) -> Loaded:
    """Decode a whole photo and read what its camera wrote."""
    decoder = Decoder(None)
    decoded = decoder(path)
    if isinstance(decoded, Failure):
        return Loaded(QImage(), str(decoded), "")
    exif = decoder.exif(path)
    return Loaded(to_image(decoded.pixels), "", "" if isinstance(exif, Failure) else camera_text(exif))


def camera_text(exif: dict[int, object]) -> str:
    """Such as `Canon EOS 5D · 50 mm · f/1.8 · 1/125 s · ISO 200 · 2019-05-04 12:00`; leaves out what is not there."""
    make, model = (_text(exif.get(tag)) for tag in (MAKE, MODEL))
    name = model if make and model.lower().startswith(make.lower().split()[0]) else f"{make} {model}".strip()
    parts = [name, _text(exif.get(LENS))]
    if focal_length := _number(exif.get(FOCAL_LENGTH)):
        parts.append(f"{focal_length:g} mm")
    if aperture := _number(exif.get(APERTURE)):
        parts.append(f"f/{aperture:.2g}")
    if seconds := _number(exif.get(EXPOSURE)):
        parts.append(f"{seconds:g} s" if seconds >= 0.4 else f"1/{round(1 / seconds)} s")
    speed = exif.get(SPEED)
    if number := _number(speed[0] if isinstance(speed, tuple) and speed else speed):
        parts.append(f"ISO {number:g}")
    with suppress(ValueError):
        parts.append(f"{datetime.strptime(_text(exif.get(TAKEN)), '%Y:%m:%d %H:%M:%S'):%Y-%m-%d %H:%M}")
    return " · ".join(part for part in parts if part)


def _text(value: object) -> str:
    return " ".join(value.replace("\0", " ").split()) if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    """A rational or a number above zero; anything else is as if it were not there."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if 0 < number < 1e9 else None


class Preview(QGraphicsView):
    """A photo that fits the window until it is zoomed into.

    Signals:
        closed: Space, Enter, Escape or a double click.
    """

    closed = Signal()
    shown = Signal(object)

    def __init__(self, jobs: Jobs, grid: PhotoGrid, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._grid = grid
        self._fits = True
        self._wanted: Path | None = None
        self._picture = QGraphicsPixmapItem()
        self._picture.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        scene = QGraphicsScene(self)
        scene.addItem(self._picture)
        self._words = scene.addSimpleText("")
        self.setScene(scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAccessibleName(self.tr("Preview"))

    def show_photo(self, path: Path, failure: str) -> None:
        """Decode it on another thread and show it; the last one asked for wins."""
        self._wanted = path
        if failure:  # what failed once might take the window down with it
            self._show(path, Loaded(QImage(), failure, ""))
        else:
            self._jobs.later(partial(load, path), partial(self._show, path))

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height of what is shown, pixels."""
        size = self._picture.pixmap().size()
        return size.width(), size.height()

    def fit(self) -> None:
        """The whole photo; one smaller than the window is not blown up."""
        self._fits = True
        self.resetTransform()
        rect = self.scene().sceneRect()
        view = self.viewport().rect()
        if rect.width() > view.width() or rect.height() > view.height():
            self.fitInView(rect, Qt.AspectRatioMode.KeepAspectRatio)

    def zoom(self, factor: float) -> None:
        scale = self.transform().m11() * factor
        if 0.01 < scale <= MOST:
            self._fits = False
            self.scale(factor, factor)

    def actual_size(self) -> None:
        """One pixel of the photo for one of the screen."""
        self.zoom(1 / self.transform().m11())

    @property
    def scale_now(self) -> float:
        return self.transform().m11()

    def _show(self, path: Path, loaded: Loaded | SorterError | OSError) -> None:
        if path != self._wanted:
            return
        if not isinstance(loaded, Loaded):
            loaded = Loaded(QImage(), str(loaded), "")
        self._picture.setPixmap(QPixmap.fromImage(loaded.image))
        self._words.setText(loaded.problem)
        self._words.setBrush(self.palette().brush(QPalette.ColorRole.Text))
        rect = self._words.boundingRect() if loaded.image.isNull() else QRectF(loaded.image.rect())
        self.scene().setSceneRect(rect)
        self.fit()
        self.shown.emit(loaded)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        if self._fits:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(ZOOM ** (event.angleDelta().y() / 120))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.closed.emit()
        elif event.text() == "+":
            self.zoom(ZOOM)
        elif event.text() == "-":
            self.zoom(1 / ZOOM)
        elif event.text() == "*":
            self.actual_size() if self._fits else self.fit()
        else:
            self._grid.keyPressEvent(event)  # arrows and classes, as in the grid


class Details(QWidget):
    """What is known of the current photo, in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        form = self._form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        form.setVerticalSpacing(4)
        self._values: dict[str, QLabel] = {}
        for key, title in (
            ("name", self.tr("File")),
            ("said", self.tr("Model")),
            ("now", self.tr("You")),
            ("size", self.tr("Size")),
            ("date", self.tr("Changed")),
            ("camera", self.tr("Camera")),
            ("folder", self.tr("Folder")),
        ):
            value = QLabel()
            value.setWordWrap(True)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setAccessibleName(title)
            form.addRow(title, value)
            self._values[key] = value

    def value(self, key: str) -> str:
        return self._values[key].text()

    def show_values(self, **values: str) -> None:
        """Set some of name, said, now, size, date, camera, folder; a zero-width space lets long words break."""
        for key, value in values.items():
            self._values[key].setText(value.replace("/", "/\u200b").replace("_", "_\u200b"))
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """A scroll area does not ask how high a widget wants to be at its width, so lines that wrap were cut off."""
        self.setMinimumHeight(max(0, self._form.heightForWidth(self.width())))

    def clear(self) -> None:
        for value in self._values.values():
            value.clear()


def size_text(width: int, height: int, size: int) -> str:
    """Such as `4000 × 3000 · 2.1 MiB`."""
    data = QLocale().formattedDataSize(size)
    return f"{width} × {height} · {data}" if width else data
