"""What a new model learns from, and where it is saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QWidget,
)


class RetrainForm(QWidget):
    """The other examples to learn from, the model's folder, and the button that starts.

    Signals:
        submitted: the button was pressed.
    """

    submitted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
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
        self.model = QLineEdit()
        self.model.setAccessibleName(self.tr("Folder of the new model"))
        label = QLabel(self.tr("&New model"))
        label.setBuddy(self.model)
        self.train_button = QPushButton(self.tr("&Improve model"))
        self.train_button.setAccessibleName(self.tr("Improve model"))
        self.train_button.setMinimumWidth(140)
        self.train_button.setDefault(True)
        self.train_button.clicked.connect(self.submitted)
        self.allow_training(False)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.from_rest, 0, 0, 1, 3)
        grid.addWidget(self.from_dataset, 1, 0)
        grid.addWidget(self.dataset, 1, 1)
        grid.addWidget(self.dataset_button, 1, 2)
        grid.addWidget(label, 2, 0)
        grid.addWidget(self.model, 2, 1)
        grid.addWidget(self.train_button, 2, 2)

    def allow_training(self, allowed: bool) -> None:
        """Training needs at least one photo that a person checked."""
        self.train_button.setEnabled(allowed)
        self.train_button.setToolTip(
            self.tr("Train a new model. The one in use stays as it is.")
            if allowed
            else self.tr("Check some photos under Review first")
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
