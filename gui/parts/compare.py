"""Files that show the same picture, side by side: which are kept, and which are removed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from sorter.clean.records import Checked, Finding, Kind

from ..views.canvas import ZOOM
from ..views.loading import Loaded, PhotoLoader, Request
from ..views.side_by_side import Linked, Side
from ..worker import Jobs
from .elided import ElidedLabel
from .words import fault_text, kind_text, reworded

SIDE = 264  # pixels, of a picture beside many others
LARGE = 4  # files of a group that share the whole room
READ_SIDE = 1024  # pixels that a picture's shorter side has at least, until somebody zooms in
CARDS = 24  # of one group


class Compare(QScrollArea):
    """A card for each file: its picture, its facts, and whether it is kept. Zoom and place are linked.

    Keys: arrows choose a card, X sets its file aside or keeps it, Enter keeps the best only, Z shows true pixels.

    Signals:
        kept: a file, and whether it is kept.
        best_wanted: keep only the best file.
    """

    kept = Signal(Path, bool)
    best_wanted = Signal()

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loader = PhotoLoader(jobs, self)
        self._linked = Linked(self)
        self.cards: list[FileCard] = []
        self.active = 0
        self.setWidgetResizable(True)
        self.setAccessibleName(self.tr("Files side by side"))
        self._loader.loaded.connect(self._take)
        self._linked.viewed.connect(self._read)
        self.show_files((), frozenset(), None)

    def show_files(self, files: Sequence[Checked], removed: frozenset[Path], best: Path | None) -> None:
        """Show files side by side.

        Args:
            removed: those that are removed.
            best: the copy that sorter would keep.
        """
        inside = QWidget()
        layout = QGridLayout(inside)
        self.cards = []
        lines = max((len(file.findings) for file in files[:CARDS]), default=0)
        across = 2 if 2 < len(files) <= LARGE else min(len(files), CARDS) or 1
        for number, file in enumerate(files[:CARDS]):
            card = FileCard(file, file.path not in removed, file.path == best, len(files) <= LARGE, lines)
            card.stays.toggled.connect(partial(self.kept.emit, file.path))
            card.chosen.connect(partial(self.choose, number))
            layout.addWidget(card, number // across, number % across)
            self.cards.append(card)
        if len(files) > CARDS:
            more = QLabel(self.tr("and {n} more").format(n=QLocale().toString(len(files) - CARDS)))
            layout.addWidget(more, 0, CARDS)
        if not files:
            hint = QLabel(self.tr("Choose a line on the left to see its files here, side by side."))
            hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
            hint.setWordWrap(True)
            layout.addWidget(hint)
        self.setWidget(inside)
        self._linked.link([card.canvas for card in self.cards])
        self._read()
        self.choose(0)

    def mark(self, removed: frozenset[Path]) -> None:
        """Show which are removed. Sends no signal."""
        for card in self.cards:
            card.stays.blockSignals(True)
            card.stays.setChecked(card.file.path not in removed)
            card.stays.blockSignals(False)

    def choose(self, number: int) -> None:
        """Let keys be about one of the files."""
        self.active = number
        for place, card in enumerate(self.cards):
            card.set_active(place == number and len(self.cards) > 1)
        if self.cards:
            self.ensureWidgetVisible(self.cards[number])

    # -- reading -----------------------------------------------------------------------------------------------

    def _read(self) -> None:
        paths = [card.file.path for card in self.cards if shows(card.file)]
        requests = [Request(path, READ_SIDE if len(self.cards) <= LARGE else SIDE) for path in paths]
        if not self._linked.fits and len(self.cards) <= LARGE:
            requests += [Request(path, None) for path in paths]
        for request in requests:
            if (kept := self._loader.get(request)) is not None:
                self._take(request, kept)
        self._loader.want(requests)

    def _take(self, request: Request, loaded: Loaded) -> None:
        for card in self.cards:
            if card.file.path == request.path:
                card.show_loaded(loaded)

    # -- keys --------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key, card = event.key(), self.cards[self.active] if self.cards else None
        if card is None:
            super().keyPressEvent(event)
        elif key in steps:
            self.choose((self.active + steps[Qt.Key(key)]) % len(self.cards))
        elif key == Qt.Key.Key_X:
            card.stays.toggle()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.best_wanted.emit()
        elif key == Qt.Key.Key_Z:
            self._linked.toggle_actual_size(card.canvas)
        elif event.text() in ("+", "-"):
            card.canvas.zoom(ZOOM if event.text() == "+" else 1 / ZOOM)
        else:
            super().keyPressEvent(event)


class FileCard(Side):
    """One file.

    Args:
        large: it takes what room there is.
        lines: of findings, that room is left for, so that pictures side by side are of one height.
    """

    def __init__(
        self,
        file: Checked,
        stays: bool,
        best: bool,
        large: bool = False,
        lines: int = 0,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.file = file
        self.picture = self.canvas
        self.picture.setMinimumSize(SIDE // 2 if large else SIDE, SIDE // 2 if large else SIDE)
        self.picture.setAccessibleName(self.tr("Picture of {name}").format(name=file.path.name))
        self.picture.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys are for all of them
        self.picture.show_text(self.tr("…") if shows(file) else self.tr("cannot be shown"))
        self.about.setText(file.path.name + (self.tr("  · best copy") if best else ""))
        font = self.about.font()
        font.setBold(True)
        self.about.setFont(font)
        self.stays = QCheckBox(self.tr("Keep"))
        self.stays.setChecked(stays)
        self.stays.setAccessibleName(self.tr("Keep {name}").format(name=file.path.name))
        self.stays.setToolTip(self.tr("Files that are not kept are set aside"))
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.addWidget(self.stays)
        self._add_facts(column, lines)
        if not large:
            self.setMaximumWidth(SIDE + 8)
            column.setStretch(0, 0)
            column.addStretch(1)

    def _add_facts(self, column: QVBoxLayout, lines: int) -> None:
        texts = [str(self.file.path.parent), facts(self.file), *map(_fault, self.file.findings)]
        for text in (*texts, *[""] * (lines - len(self.file.findings))):
            column.addWidget(ElidedLabel(text))

    def show_loaded(self, loaded: Loaded) -> None:
        """Show the picture, unless a larger one is there."""
        if loaded.image.isNull():
            self.picture.show_text(self.tr("cannot be shown"))
        elif loaded.image.width() > self.picture.image.width():
            self.picture.show_text("")
            self.picture.show_image(loaded.image, loaded.size)


def shows(file: Checked) -> bool:
    """What ended or held up a decoder in a process of its own is not tried in this one."""
    return file.examined is not None and bool(file.examined.width)


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
