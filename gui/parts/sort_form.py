"""The form of a run: which photos, which model, where to save, copied or moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from sorter.model.folder import Model, read_model, shipped_model
from sorter.types import ActionKind, SorterError

from ..settings import Settings


class SortForm(QWidget):
    """Four fields, each with a button to choose.

    Signals:
        edited: the photos or the output folder changed.
        submitted: Enter in a field.
        model_chosen: a model folder that is not in the list yet.
    """

    edited = Signal()
    submitted = Signal()
    model_chosen = Signal(Path)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._own_out = False  # the user wrote the output folder, so another input does not change it
        self.photos = self._line(self.tr("Folder of photos"), self.tr("Where your photos are"))
        self.out = self._line(self.tr("Output folder"), self.tr("A folder will be made here for each class"))
        self.photos.textChanged.connect(self._suggest_out)
        self.out.textEdited.connect(self._keep_out)
        for line in (self.photos, self.out):
            line.returnPressed.connect(self.submitted)
            line.textChanged.connect(self.edited)
        self.model = QComboBox()
        self.model.setAccessibleName(self.tr("Model"))
        self.model.setToolTip(self.tr("The model decides which class a photo is"))
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.action = self._actions()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(1, 1)
        self._add_row(
            self.tr("P&hotos"), self.photos, self.choose_photos, self.tr("Choose a folder of photos")
        )
        self._add_row(self.tr("&Model"), self.model, self.choose_model, self.tr("Choose a model folder"))
        self._add_row(self.tr("Save &to"), self.out, self.choose_out, self.tr("Choose an output folder"))
        self._add_row(self.tr("&Your photos will be"), self.action)
        self.fill_models()

    def _line(self, name: str, hint: str) -> QLineEdit:
        line = QLineEdit()
        line.setAccessibleName(name)
        line.setPlaceholderText(hint)
        line.setClearButtonEnabled(True)
        return line

    def _actions(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(self.tr("What happens to your photos"))
        for action, text in (
            (ActionKind.COPY, self.tr("Copied (originals stay where they are)")),
            (ActionKind.MOVE, self.tr("Moved (you can put them back)")),
            (ActionKind.HARDLINK, self.tr("Linked, no extra space (same disk only)")),
            (ActionKind.SYMLINK, self.tr("Linked by a shortcut to each photo")),
            (ActionKind.NONE, self.tr("Not touched, preview only")),
        ):
            box.addItem(text, action.value)
        box.setCurrentIndex(box.findData(self._usual_action().value))
        return box

    def reset_action(self) -> None:
        """Choose the usual action again. Moving is never the usual one."""
        self.action.setCurrentIndex(self.action.findData(self._usual_action().value))

    def _usual_action(self) -> ActionKind:
        action = self._settings.action
        return ActionKind.COPY if action is ActionKind.MOVE else action

    def _add_row(
        self, text: str, field: QWidget, choose: Callable[[], None] | None = None, name: str = ""
    ) -> None:
        row = self._grid.rowCount()
        label = QLabel(text)
        label.setBuddy(field)
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(field, row, 1)
        if choose is not None:
            button = QPushButton(self.tr("Choose..."))
            button.setAccessibleName(name)
            button.clicked.connect(choose)
            self._grid.addWidget(button, row, 2)

    # -- models ------------------------------------------------------------------------------------------------

    def fill_models(self, current: Path | None = None) -> None:
        """List the shipped model and those that were used, without those whose folder is gone."""
        self.model.clear()
        for folder in (shipped_model(), *self._settings.models):
            try:
                model = read_model(folder)
            except SorterError:
                continue
            name = _model_name(model)
            if self.model.findText(name) >= 0:  # another copy of it
                name = f"{name} – {folder}"
            self.model.addItem(name, str(folder))
            self.model.setItemData(self.model.count() - 1, str(folder), Qt.ItemDataRole.ToolTipRole)
        if current is not None:
            self.model.setCurrentIndex(max(self.model.findData(str(current)), 0))

    # -- choosing ----------------------------------------------------------------------------------------------

    @Slot()
    def choose_photos(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A folder of photos"), self.photos.text())
        if folder:
            self.photos.setText(folder)

    @Slot()
    def choose_out(self) -> None:
        title = self.tr("Where to make a folder for each class")
        folder = QFileDialog.getExistingDirectory(self, title, self.out.text())
        if folder:
            self.out.setText(folder)
            self._own_out = True

    @Slot()
    def choose_model(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A model folder"))
        if folder:
            self.model_chosen.emit(Path(folder))

    @Slot()
    def _keep_out(self) -> None:
        self._own_out = bool(self.out.text())

    @Slot(str)
    def _suggest_out(self, photos: str) -> None:
        if not self._own_out and photos:
            folder = Path(photos)
            self.out.setText(str(folder.with_name(f"{folder.name}-sorted")) if folder.name else "")


def _model_name(model: Model) -> str:
    return f"{model.name}  ({', '.join(model.classes)})"
