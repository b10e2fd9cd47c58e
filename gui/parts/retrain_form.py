"""What a new model learns from, and its name."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)


class RetrainForm(QWidget):
    """The button that starts. The other examples to learn from and the model's name are folded away.

    Signals:
        submitted: the button was pressed.
        check_wanted: look for marks that look wrong.
    """

    submitted = Signal()
    check_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.train_button = QPushButton(self.tr("&Improve model"))
        self.train_button.setAccessibleName(self.tr("Improve model"))
        self.train_button.setMinimumWidth(140)
        self.train_button.setDefault(True)
        self.train_button.clicked.connect(self.submitted)
        self.check_button = QPushButton(self.tr("&Check my marks"))
        self.check_button.setAccessibleName(self.tr("Check my marks"))
        self.check_button.setToolTip(
            self.tr("Find photos whose mark contradicts what the other photos teach")
        )
        self.check_button.clicked.connect(self.check_wanted)
        self.more_button = self._fold()
        self.more = self._make_more()
        buttons = QHBoxLayout()
        buttons.addWidget(self.train_button)
        buttons.addWidget(self.check_button)
        buttons.addWidget(self.more_button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(buttons)
        column.addWidget(self.more)
        self.allow_training(False)

    def _fold(self) -> QToolButton:
        button = QToolButton()
        button.setText(self.tr("More choices"))
        button.setAccessibleName(self.tr("More choices"))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setArrowType(Qt.ArrowType.RightArrow)
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.toggled.connect(self._unfold)
        return button

    @Slot(bool)
    def _unfold(self, on: bool) -> None:
        self.more_button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.more.setVisible(on)

    def _make_more(self) -> QWidget:
        self.from_rest = QRadioButton(self.tr("Also learn from photos here that the model is &sure of"))
        self.from_rest.setAccessibleName(self.tr("Also learn from photos that the model is sure of"))
        self.from_rest.setChecked(True)
        self.from_dataset = QRadioButton(self.tr("Also learn from folders of &examples:"))
        self.from_dataset.setAccessibleName(self.tr("Also learn from folders of examples"))
        sources = QButtonGroup(self)
        for button in (self.from_rest, self.from_dataset):
            sources.addButton(button)
        self.dataset = QLineEdit()
        self.dataset.setAccessibleName(self.tr("Folder of examples"))
        self.dataset.setPlaceholderText(self.tr("A folder with a folder of photos for each class"))
        self.dataset.textEdited.connect(lambda: self.from_dataset.setChecked(True))
        self.dataset_button = QPushButton(self.tr("Choose..."))
        self.dataset_button.setAccessibleName(self.tr("Choose a folder of examples"))
        self.dataset_button.clicked.connect(self.choose_dataset)
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name of the new model"))
        label = QLabel(self.tr("&Name of the new model"))
        label.setBuddy(self.name)
        more = QWidget()
        grid = QGridLayout(more)
        grid.setContentsMargins(16, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.from_rest, 0, 0, 1, 3)
        grid.addWidget(self.from_dataset, 1, 0)
        grid.addWidget(self.dataset, 1, 1)
        grid.addWidget(self.dataset_button, 1, 2)
        grid.addWidget(label, 2, 0)
        grid.addWidget(self.name, 2, 1)
        more.hide()
        return more

    def allow_training(self, allowed: bool) -> None:
        """Training needs at least one photo that a person checked."""
        for button in (self.train_button, self.check_button):
            button.setEnabled(allowed)
        self.train_button.setToolTip(
            self.tr("Train a new model. The one in use stays as it is.")
            if allowed
            else self.tr("Check some photos first")
        )

    @property
    def dataset_folder(self) -> Path | None:
        """The folder of examples, where these are chosen and named."""
        text = self.dataset.text().strip()
        return Path(text).expanduser() if self.from_dataset.isChecked() and text else None

    @Slot()
    def choose_dataset(self) -> None:
        title = self.tr("A folder with a folder of photos for each class")
        folder = QFileDialog.getExistingDirectory(self, title, self.dataset.text())
        if folder:
            self.dataset.setText(folder)
            self.from_dataset.setChecked(True)
