"""Files that show the same picture, side by side: which are kept, and which are removed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from sorter.clean.records import Checked, Finding, Kind
from sorter.photos.decode import Decoder
from sorter.types import Failure

from ..worker import Jobs
from .thumbnails import to_image
from .words import fault_text, kind_text, reworded

SIDE = 264  # pixels, of a picture beside others
CARDS = 24  # of one group


class Compare(QScrollArea):
    """A card for each file: its picture, its facts, and whether it is kept.

    Signals:
        kept: a file, and whether it is kept.
    """

    kept = Signal(Path, bool)

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.cards: list[FileCard] = []
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Files side by side"))
        self.show_files((), frozenset(), None)

    def show_files(self, files: Sequence[Checked], removed: frozenset[Path], best: Path | None) -> None:
        """Show files side by side.

        Args:
            removed: those that are removed.
            best: the copy that sorter would keep.
        """
        inside = QWidget()
        layout = QHBoxLayout(inside)
        layout.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.cards = []
        for file in files[:CARDS]:
            card = FileCard(file, file.path not in removed, file.path == best)
            card.stays.toggled.connect(partial(self.kept.emit, file.path))
            layout.addWidget(card)
            self.cards.append(card)
            if shows(file):
                self._jobs.later(partial(load, file.path), card.show_picture)
        if len(files) > CARDS:
            layout.addWidget(QLabel(self.tr("and {n} more").format(n=QLocale().toString(len(files) - CARDS))))
        if not files:
            hint = QLabel(self.tr("Choose a line on the left to see its files here, side by side."))
            hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
            hint.setWordWrap(True)
            layout.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(hint)
        self.setWidget(inside)

    def mark(self, removed: frozenset[Path]) -> None:
        """Show which are removed. Sends no signal."""
        for card in self.cards:
            card.stays.blockSignals(True)
            card.stays.setChecked(card.file.path not in removed)
            card.stays.blockSignals(False)


class FileCard(QFrame):
    """One file."""

    def __init__(self, file: Checked, stays: bool, best: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.file = file
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.picture = QLabel(self.tr("…") if shows(file) else self.tr("cannot be shown"))
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setFixedSize(SIDE, SIDE)
        self.picture.setAccessibleName(self.tr("Picture of {name}").format(name=file.path.name))
        name = QLabel(f"<b>{_escaped(file.path.name)}</b>" + (self.tr("  · best copy") if best else ""))
        text = QLabel("\n".join((_elided(str(file.path.parent)), facts(file), *map(_fault, file.findings))))
        for label in (name, text):
            label.setWordWrap(True)
            label.setMaximumWidth(SIDE)
            label.setToolTip(str(file.path))
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.MinimumExpanding)
        text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.stays = QCheckBox(self.tr("Keep"))
        self.stays.setChecked(stays)
        self.stays.setAccessibleName(self.tr("Keep {name}").format(name=file.path.name))
        self.stays.setToolTip(self.tr("Files that are not kept are set aside"))
        layout = QVBoxLayout(self)
        for widget in (self.picture, name, self.stays, text):
            layout.addWidget(widget)
        layout.setStretchFactor(text, 1)

    def show_picture(self, image: QImage | Exception) -> None:
        try:
            if isinstance(image, QImage) and not image.isNull():
                self.picture.setPixmap(QPixmap.fromImage(image))
            else:
                self.picture.setText(self.tr("cannot be shown"))
        except RuntimeError:  # another line was chosen meanwhile
            return


def shows(file: Checked) -> bool:
    """What ended or held up a decoder in a process of its own is not tried in this one."""
    return file.examined is not None and bool(file.examined.width)


def load(path: Path) -> QImage:
    """In a thread: a picture that fits beside others. A null image where it cannot be decoded."""
    decoded = Decoder(SIDE)(path)
    if isinstance(decoded, Failure):
        return QImage()
    mode, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return to_image(decoded.pixels).scaled(SIDE, SIDE, mode, smooth)


def facts(file: Checked) -> str:
    """Such as `4000 × 3000 · JPEG · 3.2 MB`."""
    known = file.examined
    parts = [f"{known.width} × {known.height}"] if known is not None and known.width else []
    if known is not None and known.format:
        parts.append(known.format)
    parts.append(QLocale().formattedDataSize(file.size, 1, QLocale.DataSizeFormat.DataSizeSIFormat))
    return " · ".join(parts)


def _fault(finding: Finding) -> str:
    """Such as `The file is incomplete`, or `Looks like ...`."""
    if finding.kind in (Kind.DUPLICATE, Kind.NEAR_DUPLICATE):
        text = reworded(finding.message) or kind_text(finding.kind)
        return text[:1].upper() + text[1:]
    return fault_text(finding.reason)


def _elided(text: str, most: int = 48) -> str:
    return text if len(text) <= most else f"… {text[-most:]}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
