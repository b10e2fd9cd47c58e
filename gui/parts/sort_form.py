"""The sheet of a run: what the folder holds, which model, copied or moved, where to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sorter.types import ActionKind, SorterError

from ..settings import Settings
from ..worker import Jobs
from .elided import ElidedLabel
from .model_cards import ModelCards
from .model_shelf import ModelShelf
from .photo_strip import PhotoStrip
from .progress import duration
from .survey import Survey, survey
from .thumbnails import Thumbnails
from .tile import Tile
from .words import counted, reworded


class SortForm(QWidget):
    """The folder with samples, model cards, two tiles, and what few need folded away.

    Signals:
        edited: the photos or the output folder changed.
        submitted: Enter in a field.
        model_chosen: a model folder that is not in the list yet.
        looked: the folder was looked through, or another is to be.
    """

    looked = Signal()
    edited = Signal()
    submitted = Signal()
    model_chosen = Signal(Path)

    def __init__(
        self,
        jobs: Jobs,
        settings: Settings,
        shelf: ModelShelf,
        thumbnails: Thumbnails,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._settings = settings
        self._own_out = False  # the user wrote the output folder, so another input does not change it
        self.survey: Survey | None = None
        self.folder = ElidedLabel()
        self.folder.setAccessibleName(self.tr("Folder of photos"))
        self.folder.setProperty("level", "heading")
        self.about = QLabel()
        self.about.setAccessibleName(self.tr("What is in the folder"))
        self.about.setWordWrap(True)
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.samples = PhotoStrip(thumbnails, self.tr("Some of the photos"))
        self.photos = self._line(self.tr("Folder of photos"), self.tr("Where your photos are"))
        self.out = self._line(self.tr("Output folder"), self.tr("A folder will be made here for each class"))
        self.models = ModelCards(shelf)
        self.action = self._actions()
        self.tiles = self._tiles()
        self.advanced = self._make_advanced()
        self._lay_out()
        self._connect()
        self.models.fill(settings.model)
        self.reset_action()

    def _connect(self) -> None:
        self.photos.textChanged.connect(self._suggest_out)
        self.out.textEdited.connect(self._keep_out)
        for line in (self.photos, self.out):
            line.returnPressed.connect(self.submitted)
            line.textChanged.connect(self.edited)
        self.action.currentIndexChanged.connect(self._check_tile)

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
        return box

    def _tiles(self) -> dict[ActionKind, Tile]:
        tiles = {
            ActionKind.COPY: Tile(self.tr("Copied"), self.tr("Originals stay where they are")),
            ActionKind.MOVE: Tile(self.tr("Moved"), self.tr("You can put them back")),
        }
        self._choice = QButtonGroup(self)
        for action, tile in tiles.items():
            tile.setCheckable(True)
            self._choice.addButton(tile)
            tile.clicked.connect(lambda _=False, action=action: self.choose_action(action))
        return tiles

    # -- layout ------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.folder, self.about, self.samples):
            column.addWidget(widget)
        column.addWidget(QLabel(self.tr("Which classes?")))
        column.addWidget(self.models)
        column.addWidget(QLabel(self.tr("Your photos will be")))
        tiles = QHBoxLayout()
        for tile in self.tiles.values():
            tiles.addWidget(tile)
        column.addLayout(tiles)
        column.addLayout(self._row(self.tr("Save &to"), self.out, self.choose_out))
        column.addWidget(self.more_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.advanced)
        column.addStretch(1)

    def _row(self, text: str, field: QLineEdit, choose: Callable[[], None]) -> QHBoxLayout:
        label = QLabel(text)
        label.setBuddy(field)
        button = QPushButton(self.tr("Choose..."))
        button.setAccessibleName(self.tr("Choose: {what}").format(what=field.accessibleName()))
        button.clicked.connect(choose)
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(field, 1)
        row.addWidget(button)
        return row

    def _make_advanced(self) -> QWidget:
        self.more_button = QToolButton()
        self.more_button.setText(self.tr("Advanced"))
        self.more_button.setAccessibleName(self.tr("Advanced"))
        self.more_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more_button.setArrowType(Qt.ArrowType.RightArrow)
        self.more_button.setAutoRaise(True)
        self.more_button.setCheckable(True)
        self.more_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more_button.toggled.connect(self._unfold)
        self.model_button = QPushButton(self.tr("Use another &model..."))
        self.model_button.setAccessibleName(self.tr("Choose a model folder"))
        self.model_button.clicked.connect(self.choose_model)
        advanced = QWidget()
        grid = QGridLayout(advanced)
        grid.setContentsMargins(16, 0, 0, 0)
        grid.addLayout(self._row(self.tr("P&hotos"), self.photos, self.choose_photos), 0, 0, 1, 2)
        label = QLabel(self.tr("&Your photos will be"))
        label.setBuddy(self.action)
        grid.addWidget(label, 1, 0)
        grid.addWidget(self.action, 1, 1)
        grid.addWidget(self.model_button, 2, 0, 1, 2, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(1, 1)
        advanced.hide()
        return advanced

    @Slot(bool)
    def _unfold(self, on: bool) -> None:
        self.more_button.setArrowType(Qt.ArrowType.DownArrow if on else Qt.ArrowType.RightArrow)
        self.advanced.setVisible(on)

    # -- the folder --------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look through the folder, in a thread."""
        folder, out = self.photos.text().strip(), self.out.text().strip()
        self.survey = None
        self.looked.emit()
        self.folder.setText(Path(folder).name or folder)
        self.folder.setToolTip(folder)
        self.samples.show_photos(())
        self.about.setText(self.tr("Looking...") if folder else "")
        if folder:
            path, target = Path(folder).expanduser(), Path(out or folder).expanduser()
            self._jobs.later(lambda: survey(path, target), self._show_survey)

    def _show_survey(self, found: Survey | SorterError | OSError) -> None:
        if not isinstance(found, Survey):
            self.about.setText(reworded(str(found)))
        elif (
            found.folder == Path(self.photos.text().strip()).expanduser()
        ):  # else another was chosen meanwhile
            self.survey = found
            self.about.setText(self._sentence(found))
            self.samples.show_photos(found.samples)
            self.looked.emit()

    def _sentence(self, found: Survey) -> str:
        locale = QLocale()
        size = QLocale.DataSizeFormat.DataSizeSIFormat
        parts = [
            counted(found.photos, self.tr("1 photo"), self.tr("{n} photos")),
            locale.formattedDataSize(found.size, 1, size),
        ]
        if found.others:
            one, many = self.tr("1 file is not a photo"), self.tr("{n} files are not photos")
            parts.append(counted(found.others, one, many))
        if found.free is not None:
            fits = self.tr("fits ({free} free)") if found.fits else self.tr("too large to copy ({free} free)")
            parts.append(fits.format(free=locale.formattedDataSize(found.free, 1, size)))
        if found.photos:
            parts.append(self.tr("takes about {time}").format(time=duration(found.seconds)))
        return " · ".join(parts)

    # -- choosing ----------------------------------------------------------------------------------------------

    @property
    def chosen_action(self) -> ActionKind:
        return ActionKind(self.action.currentData())

    def choose_action(self, action: ActionKind) -> None:
        self.action.setCurrentIndex(self.action.findData(action.value))
        self._check_tile()

    def reset_action(self) -> None:
        """Choose the usual action again. Moving is never the usual one."""
        action = self._settings.action
        self.choose_action(ActionKind.COPY if action is ActionKind.MOVE else action)

    @Slot()
    def _check_tile(self) -> None:
        chosen = self.tiles.get(self.chosen_action)
        self._choice.setExclusive(False)  # an action of the list below has no tile
        for tile in self.tiles.values():
            tile.setChecked(tile is chosen)
        self._choice.setExclusive(True)

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
            self.save_to(Path(folder))

    def save_to(self, folder: Path) -> None:
        """Save there, whichever photos are chosen next."""
        self.out.setText(str(folder))
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
        self.look()
