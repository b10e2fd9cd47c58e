"""What a person chooses once: theme, keys, size of thumbnails."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from .filterbar import LARGEST, SMALLEST
from .theme import Appearance


class Preferences(QDialog):
    """Everything takes effect at once.

    Signals:
        letters_chosen: letters mark photos, too, or digits only.
        resized: size of thumbnails, pixels.
    """

    letters_chosen = Signal(bool)
    resized = Signal(int)

    def __init__(
        self, appearance: Appearance, letters: bool, side: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self.setWindowTitle(self.tr("Preferences"))
        self.theme = QComboBox()
        self.theme.setAccessibleName(self.tr("Theme"))
        for theme, text in appearance.names().items():
            self.theme.addItem(text.replace("&", ""), theme)
        self.theme.setCurrentIndex(self.theme.findData(appearance.theme))
        self.theme.currentIndexChanged.connect(lambda _: appearance.choose(self.theme.currentData()))
        self.letters = QCheckBox(self.tr("Letters mark photos, too"))
        self.letters.setAccessibleName(self.tr("Letters mark photos, too"))
        self.letters.setToolTip(self.tr("The first letter of a class that is still free, beside 1 to 9"))
        self.letters.setChecked(letters)
        self.letters.toggled.connect(self.letters_chosen)
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.size_slider.setRange(SMALLEST, LARGEST)
        self.size_slider.setValue(side)
        self.size_slider.setAccessibleName(self.tr("Size of thumbnails"))
        self.size_slider.valueChanged.connect(self.resized)
        form = QFormLayout()
        form.addRow(self.tr("Theme"), self.theme)
        form.addRow(self.tr("Keys"), self.letters)
        form.addRow(self.tr("Thumbnails"), self.size_slider)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(16)
        column.addLayout(form)
        column.addWidget(buttons)
        self.setMinimumWidth(420)
