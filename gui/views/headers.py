"""Headers of the grid's sections: a name, how many photos, and one button to confirm them."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QWidget

from ..parts.icons import set_icon
from .sections import Section

HEIGHT = 44  # pixels


class SectionHeader(QWidget):
    """The header of one section.

    Signals:
        folded: the section's key, and whether it shall be folded.
        confirmed: the section.
    """

    folded = Signal(str, bool)
    confirmed = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._section: Section | None = None
        self.fold = QToolButton()
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        font = self.fold.font()
        font.setBold(True)
        self.fold.setFont(font)
        self.fold.clicked.connect(self._fold)
        self.confirm = QPushButton()
        self.confirm.clicked.connect(lambda: self.confirmed.emit(self._section))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 8, 0, 4)
        row.addWidget(self.fold)
        row.addStretch(1)
        row.addWidget(self.confirm)

    @property
    def section(self) -> Section | None:
        return self._section

    def show_section(self, section: Section, confirmable: int) -> None:
        """Show a section of which so many photos can be confirmed."""
        number, photos = QLocale().toString, len(section.rows)
        text = self.tr("{title} – 1 photo") if photos == 1 else self.tr("{title} – {n} photos")
        text = text.format(title=section.title, n=number(photos))
        self._section = section
        self.fold.setText(text.replace("&", "&&"))
        self.fold.setAccessibleName(text)
        self.fold.setToolTip(self.tr("Show these photos") if section.folded else self.tr("Hide these photos"))
        set_icon(self.fold, "caret-right" if section.folded else "caret-down")
        text = self.tr("Confirm this one") if confirmable == 1 else self.tr("Confirm these {n}")
        self.confirm.setText(text.format(n=number(confirmable)))
        self.confirm.setAccessibleName(f"{self.confirm.text()}: {section.title}")
        self.confirm.setToolTip(self.tr("The model is right about these photos. Undo takes it back."))
        self.confirm.setVisible(confirmable > 0)

    def _fold(self) -> None:
        if self._section is not None:
            self.folded.emit(self._section.key, not self._section.folded)
