"""The facts about one photo: class, size, date, camera, folder."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from sorter.sort.table import Table

from .models import Cell, percent

# Tags of Exif 2.32, and how their values read.
MAKE, MODEL, LENS, TAKEN = 0x010F, 0x0110, 0xA434, 0x9003
OPTIONAL = ("place", "taken", "camera", "companions")  # lines that are left out where there is nothing to say
EXPOSURE, APERTURE, SPEED, FOCAL_LENGTH = 0x829A, 0x829D, 0x8827, 0x920A


class Details(QWidget):
    """The facts about the current photo, in words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        form = self._form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        form.setVerticalSpacing(4)
        self._values: dict[str, QLabel] = {}
        for key, title in (
            ("guess", self.tr("Guess")),
            ("mark", self.tr("You")),
            ("place", self.tr("Will move to")),
            ("taken", self.tr("Taken")),
            ("camera", self.tr("Camera")),
            ("name", self.tr("File")),
            ("companions", self.tr("Goes with it")),
            ("size", self.tr("Size")),
            ("date", self.tr("File date")),
            ("folder", self.tr("Folder")),
        ):
            value = QLabel()
            value.setWordWrap(True)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setAccessibleName(title)
            label = QLabel(title)
            label.setProperty("level", "second")
            form.addRow(label, value)
            self._values[key] = value

    def value(self, key: str) -> str:
        return self._values[key].text()

    def show_values(self, **values: str) -> None:
        """Set some of the values, by their keys. A zero-width space lets long words break."""
        for key, value in values.items():
            self._values[key].setText(value.replace("/", "/\u200b").replace("_", "_\u200b"))
            if key in OPTIONAL:
                self._form.setRowVisible(self._values[key], bool(value))
        self._make_room()

    def show_camera(self, text: str) -> None:
        """Show what the camera wrote, as `camera_text` gives it."""
        camera, _, last = text.rpartition(" · ")
        taken = last if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", last) else ""
        self.show_values(camera=camera if taken else text, taken=taken)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """A scroll area does not ask how high a widget wants to be at its width, so lines that wrap were cut off."""
        self.setMinimumHeight(max(0, self._form.heightForWidth(self.width())))

    def clear(self) -> None:
        for value in self._values.values():
            value.clear()

    def show_photo(self, table: Table, cell: Cell) -> None:
        """All but what the camera wrote, which has to be read from the file first."""
        path, row = table.path(cell.row), cell.row
        self._form.setRowVisible(self._values["guess"], cell.predicted < 0)  # `GuessBars` shows the others
        self.show_values(
            name=path.name,
            companions=self._companions(int(table.companions[row])),
            guess=self._guess(cell, table.labels) or cell.failure,
            mark=self._mark(cell, table.labels),
            size=size_text(int(table.width[row]), int(table.height[row]), int(table.size[row])),
            date=_date(int(table.mtime_ns[row])),
            place=self._place(table, row),
            taken="",
            camera="",
            folder=str(path.parent),
        )

    def _companions(self, count: int) -> str:
        """How many files belong to the photo: its raw, its sidecars, its film."""
        if count == 1:
            return self.tr("1 file")
        return self.tr("{count} files").format(count=QLocale().toString(count)) if count else ""

    def _place(self, table: Table, row: int) -> str:
        """The folder that the next move puts it into. Empty where it stays."""
        wanted = int(table.wanted_of(row))
        if table.filed[row] < 0 or wanted < 0 or wanted == table.filed[row]:
            return ""
        return f"{table.labels[wanted]}/"

    def _guess(self, cell: Cell, labels: tuple[str, ...]) -> str:
        if cell.predicted < 0:
            return ""
        label = labels[cell.predicted]
        if cell.certainty is None:
            return label
        return self.tr("{label}, {certainty} sure").format(label=label, certainty=percent(cell.certainty))

    def _mark(self, cell: Cell, labels: tuple[str, ...]) -> str:
        if cell.predicted < 0:
            return "–"
        if not cell.reviewed:
            return self.tr("not checked")
        text = self.tr("changed to {label}") if cell.changed else self.tr("confirmed as {label}")
        return text.format(label=labels[cell.label])


def camera_text(exif: dict[int, object]) -> str:
    """Such as `Canon EOS 5D · 50 mm · f/1.8 · 1/125 s · ISO 200 · 2019-05-04 12:00`. Leaves out what is not there."""
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
    """A rational or a number above zero. None for anything else."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if 0 < number < 1e9 else None


def size_text(width: int, height: int, size: int) -> str:
    """Such as `4000 × 3000 · 2.1 MB`. Empty for a file that was gone when it was to be read."""
    data = QLocale().formattedDataSize(size, 1, QLocale.DataSizeFormat.DataSizeSIFormat) if size else ""
    return f"{width} × {height} · {data}" if width else data


def _date(mtime_ns: int) -> str:
    """Empty for a file that was gone when it was to be read."""
    return f"{datetime.fromtimestamp(mtime_ns / 1e9):%Y-%m-%d %H:%M}" if mtime_ns else ""
