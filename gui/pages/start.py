"""Choose photos, a model and what to do; sort; go on with what was stopped; open what was sorted before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from sorter.model.folder import Model, read_model, shipped_model
from sorter.sort.options import SortOptions, remembered
from sorter.sort.run import SortSummary
from sorter.sort.status import FolderStatus, read_status
from sorter.types import ActionKind, SorterError

from .. import tasks
from ..parts.progress import Notice, ProgressPanel
from ..settings import Settings
from ..worker import Job, Jobs

WIDTH = 760  # pixels, of the column; lines longer than this read badly


@dataclass(frozen=True)
class _Recent:
    """What the list says of an output folder.

    Attributes:
        status: None where its disk is away or its journal cannot be read; then `trouble` says why.
    """

    out: Path
    status: FolderStatus | None
    trouble: str = ""


class StartPage(QWidget):
    """The first page.

    Signals:
        opened: an output folder with a journal, to be reviewed.
    """

    opened = Signal(Path)

    def __init__(self, jobs: Jobs, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._settings = settings
        self._job: Job | None = None
        self._running: SortOptions | None = None
        self._own_out = False  # the user wrote the output folder, so another input does not change it
        self.setAcceptDrops(True)
        self._build()
        self._fill_models()
        self.refresh()

    # -- the page ----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.drop_area = _DropArea(self)
        self.drop_area.button.clicked.connect(self.choose_photos)

        self.photos = _line(self.tr("Folder of photos"), self.tr("Where your photos are"))
        self.photos.textChanged.connect(self._suggest_out)
        self.out = _line(self.tr("Output folder"), self.tr("Where the class folders go"))
        self.out.textEdited.connect(self._own)
        for line in (self.photos, self.out):
            line.returnPressed.connect(self.sort)
        self.model = QComboBox()
        self.model.setAccessibleName(self.tr("Model"))
        self.model.setToolTip(self.tr("What tells the photos apart"))
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.action = QComboBox()
        self.action.setAccessibleName(self.tr("What to do with each photo"))
        for action, text in (
            (ActionKind.COPY, self.tr("Copy: your photos stay as they are")),
            (ActionKind.MOVE, self.tr("Move: can be undone at any time")),
            (ActionKind.HARDLINK, self.tr("Hard link: a second name, no disk space; same disk only")),
            (ActionKind.SYMLINK, self.tr("Symbolic link: points to the photo")),
            (ActionKind.NONE, self.tr("Nothing: only look and report")),
        ):
            self.action.addItem(text, action.value)
        self.action.setCurrentIndex(self.action.findData(self._settings.action.value))

        form = QGridLayout()
        form.setColumnStretch(1, 1)
        rows = (
            (self.tr("P&hotos"), self.photos, self.choose_photos, self.tr("Choose a folder of photos")),
            (self.tr("&Model"), self.model, self.choose_model, self.tr("Choose a model folder")),
            (self.tr("&Into"), self.out, self.choose_out, self.tr("Choose an output folder")),
            (self.tr("&Action"), self.action, None, ""),
        )
        for row, (text, field, choose, name) in enumerate(rows):
            label = QLabel(text)
            label.setBuddy(field)
            form.addWidget(label, row, 0)
            form.addWidget(field, row, 1)
            if choose is not None:
                button = QPushButton(self.tr("Choose …"))
                button.setAccessibleName(name)
                button.clicked.connect(choose)
                form.addWidget(button, row, 2)
        self.form = QWidget()
        self.form.setLayout(form)
        form.setContentsMargins(0, 0, 0, 0)

        self.sort_button = QPushButton(self.tr("&Sort"))
        self.sort_button.setAccessibleName(self.tr("Sort"))
        self.sort_button.setToolTip(self.tr("Sort the photos into the folders of their classes"))
        self.sort_button.setDefault(True)
        self.sort_button.setMinimumWidth(140)
        self.sort_button.clicked.connect(self.sort)
        press = QHBoxLayout()
        press.addStretch(1)
        press.addWidget(self.sort_button)

        self.notice = Notice()
        self.progress = ProgressPanel(self.tr("photos"))

        self.recent_label = QLabel(self.tr("&Recent"))
        self.recent = QListWidget()
        self.recent.setAccessibleName(self.tr("Recent output folders"))
        self.recent.setAlternatingRowColors(True)
        self.recent.setSpacing(3)
        self.recent.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.recent.itemActivated.connect(self._open_item)
        self.recent.currentItemChanged.connect(self._name_buttons)
        self.recent_label.setBuddy(self.recent)
        self.open_button = QPushButton(self.tr("&Open"))
        self.open_button.setAccessibleName(self.tr("Open the chosen folder"))
        self.open_button.clicked.connect(lambda: self._open_item(self.recent.currentItem()))
        self.go_on_button = QPushButton(self.tr("&Go on"))
        self.go_on_button.setAccessibleName(self.tr("Go on with the run that was stopped"))
        self.go_on_button.setToolTip(self.tr("Sort what is left, with the same model and action"))
        self.go_on_button.clicked.connect(lambda: self._go_on(self.recent.currentItem()))
        self.other_button = QPushButton(self.tr("Another folder …"))
        self.other_button.setAccessibleName(self.tr("Open another output folder"))
        self.other_button.clicked.connect(self.choose_sorted)
        below = QHBoxLayout()
        below.addWidget(self.other_button)
        below.addStretch(1)
        below.addWidget(self.go_on_button)
        below.addWidget(self.open_button)

        column = QVBoxLayout()
        column.setSpacing(12)
        column.addWidget(self.drop_area)
        column.addWidget(self.form)
        column.addLayout(press)
        column.addWidget(self.notice)
        column.addWidget(self.progress)
        column.addWidget(self.recent_label)
        column.addWidget(self.recent, 1)
        column.addLayout(below)
        middle = QWidget()
        middle.setLayout(column)
        middle.setMaximumWidth(WIDTH)
        middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QHBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(middle, 100)
        layout.addStretch(1)

    def _fill_models(self, current: Path | None = None) -> None:
        self.model.clear()
        for folder in (shipped_model(), *self._settings.models):
            self._add_model(folder)
        if current is not None:
            self.model.setCurrentIndex(max(self.model.findData(str(current)), 0))

    def _add_model(self, folder: Path) -> None:
        """Models whose folder is gone are left out."""
        try:
            model = read_model(folder)
        except SorterError:
            return
        self.model.addItem(_model_name(model), str(folder))
        self.model.setItemData(self.model.count() - 1, str(folder), Qt.ItemDataRole.ToolTipRole)

    # -- choosing ----------------------------------------------------------------------------------------------

    @Slot()
    def choose_photos(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A folder of photos"), self.photos.text())
        if folder:
            self.photos.setText(folder)

    @Slot()
    def choose_out(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, self.tr("Where the class folders go"), self.out.text()
        )
        if folder:
            self.out.setText(folder)
            self._own_out = True

    @Slot()
    def choose_model(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A model folder"))
        if folder:
            self.use_model(Path(folder))

    @Slot()
    def choose_sorted(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A folder that sorter sorted into"))
        if folder:
            self.open(Path(folder))

    def use_model(self, folder: Path) -> None:
        """Choose a model folder, and keep it in the list."""
        try:
            read_model(folder)
        except SorterError as error:
            self.notice.complain(str(error))
            return
        self.notice.clear()
        if folder != shipped_model():
            self._settings.remember_model(folder)
        self._fill_models(folder)

    @Slot()
    def _own(self) -> None:
        self._own_out = bool(self.out.text())

    @Slot(str)
    def _suggest_out(self, photos: str) -> None:
        if not self._own_out and photos:
            folder = Path(photos)
            self.out.setText(str(folder.with_name(f"{folder.name}-sorted")) if folder.name else "")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._job is None and dropped(event) is not None:
            self.drop_area.light_up(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: object) -> None:
        self.drop_area.light_up(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_area.light_up(False)
        folder = dropped(event)
        if folder is not None:
            event.acceptProposedAction()
            self.take(folder)

    def take(self, folder: Path) -> None:
        """What was dropped or named: a sorted folder is opened, a model chosen, anything else is to be sorted."""
        if (folder / "model.json").is_file():
            self.use_model(folder)
        elif (folder / ".sorter" / "journal.db").is_file():
            self.open(folder)
        else:
            self.notice.clear()
            self.photos.setText(str(folder))
            self.sort_button.setFocus()

    # -- sorting -----------------------------------------------------------------------------------------------

    @Slot()
    def sort(self) -> None:
        """Sort as the form says."""
        photos, out = self.photos.text().strip(), self.out.text().strip()
        if not photos:
            self.notice.complain(self.tr("Choose a folder of photos first, or drop one here."))
            return
        if not out:
            self.notice.complain(self.tr("Choose a folder for the sorted photos, too."))
            return
        action = ActionKind(self.action.currentData())
        self._settings.action = action
        self._start(
            SortOptions(
                (Path(photos).expanduser(),),
                Path(out).expanduser(),
                model=Path(self.model.currentData()),
                action=action,
            )
        )

    def go_on(self, out: Path) -> None:
        """Go on with a run that was stopped."""
        try:
            self._start(remembered(out))
        except SorterError as error:
            self.notice.complain(str(error))

    def start_with_model(self, model: Path, folder: Path) -> None:
        """Take back what was sorted into `folder` and sort the same photos anew with another model."""
        try:
            options = remembered(folder)
        except SorterError as error:
            self.notice.complain(str(error))
            return
        self._start(replace(options, model=model, threshold=None, fresh=True))

    @property
    def busy(self) -> bool:
        return self._job is not None

    def _start(self, options: SortOptions) -> None:
        if self._job is not None:
            self.notice.complain(self.tr("One folder at a time: wait for the other, or cancel it."))
            return
        self.notice.clear()
        self._running = options
        job = self._job = self._jobs.start(tasks.sort, options)
        self.progress.follow(job, self.tr("Sorting {folder}").format(folder=options.inputs[0].name))
        job.finished.connect(self._finish)
        job.failed.connect(self.notice.complain)
        job.cancelled.connect(self._cancelled)
        job.ended.connect(self._end)
        self._enable(False)

    @Slot(object)
    def _finish(self, summary: SortSummary) -> None:
        number = QLocale().toString
        photos = sum(summary.counts.values())
        said = self.tr("{n} photos are sorted.").format(n=number(photos))
        if summary.failed:
            failed = sum(summary.failed.values())
            said += " " + self.tr("{n} could not be read; their reasons are under Review.").format(
                n=number(failed)
            )
        self.notice.say(said)
        self._settings.remember(summary.out)
        if self._running is not None and self._running.model not in (None, shipped_model()):
            assert self._running.model is not None
            self.use_model(self._running.model)
            self.notice.say(said)
        self.opened.emit(summary.out)

    @Slot()
    def _cancelled(self) -> None:
        self.notice.say(self.tr("Stopped. What is sorted stays sorted; “Go on” sorts the rest."))

    @Slot()
    def _end(self) -> None:
        if self._running is not None and (self._running.out / ".sorter").is_dir():
            self._settings.remember(self._running.out)
        self._job = self._running = None
        self._enable(True)
        self.refresh()

    def _enable(self, enabled: bool) -> None:
        for widget in (self.drop_area, self.form, self.sort_button, self.recent, self.other_button):
            widget.setEnabled(enabled)
        self._name_buttons()

    # -- what was sorted before --------------------------------------------------------------------------------

    def open(self, out: Path) -> None:
        """Open a folder that was sorted into."""
        self._jobs.later(lambda: _look_at(out), self._opened)

    def _opened(self, found: _Recent | SorterError | OSError) -> None:
        if not isinstance(found, _Recent):
            self.notice.complain(str(found))
        elif found.status is None:
            self.notice.complain(found.trouble)
        else:
            self._settings.remember(found.out)
            self.refresh()
            self.opened.emit(found.out)

    def refresh(self) -> None:
        """Look at the recent folders again, in a thread: one may lie on a disk that takes its time."""
        folders = self._settings.recent
        self._jobs.later(lambda: [_look_at(each) for each in folders], self._list)

    def _list(self, found: list[_Recent] | SorterError | OSError) -> None:
        if not isinstance(found, list):
            self.notice.complain(str(found))
            return
        self.recent.clear()
        for each in found:
            item = QListWidgetItem(f"{_short(each.out)}\n{self._sentence(each)}")
            item.setToolTip(str(each.out))
            item.setData(Qt.ItemDataRole.UserRole, each)
            if each.status is None:
                item.setForeground(self.palette().placeholderText())
            self.recent.addItem(item)
        if not found:
            item = QListWidgetItem(self.tr("Nothing yet: folders that you sort into are listed here."))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.recent.addItem(item)
        else:
            self.recent.setCurrentRow(0)
        self._name_buttons()

    def _sentence(self, recent: _Recent) -> str:
        status = recent.status
        if status is None:
            return self.tr("not there now")
        number = QLocale().toString
        sorted_ones = sum(n for (kind, _), n in status.counts.items() if kind in ("sorted", "unsure"))
        parts = [
            f"{number(n)} {what}" for (kind, what), n in status.counts.items() if kind in ("sorted", "unsure")
        ]
        failed = sum(n for (kind, _), n in status.counts.items() if kind == "failed")
        if failed:
            parts.append(self.tr("{n} failed").format(n=number(failed)))
        states = {
            "running": self.tr("stopped after {n} photos").format(n=number(sorted_ones)),
            "done": self.tr("sorted"),
            "undone": self.tr("put back"),
        }
        return " · ".join((states.get(status.state, status.state), *parts[:5]))

    @Slot()
    def _name_buttons(self) -> None:
        recent = _recent_of(self.recent.currentItem())
        there = recent is not None and recent.status is not None and self._job is None
        self.open_button.setEnabled(there)
        stopped = there and recent is not None and recent.status is not None and recent.status.state != "done"
        self.go_on_button.setVisible(stopped)

    @Slot(QListWidgetItem)
    def _open_item(self, item: QListWidgetItem | None) -> None:
        recent = _recent_of(item)
        if recent is not None and self._job is None:
            self.open(recent.out)

    def _go_on(self, item: QListWidgetItem | None) -> None:
        recent = _recent_of(item)
        if recent is not None:
            self.go_on(recent.out)


class _DropArea(QFrame):
    """Says where to drop; the whole page takes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        text = QLabel(self.tr("Drop a folder of photos here"))
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        font = text.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        text.setFont(font)
        self.button = QPushButton(self.tr("Choose a &folder …"))
        self.button.setAccessibleName(self.tr("Choose a folder of photos"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 20, 16, 20)
        layout.addWidget(text)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignCenter)
        self.light_up(False)

    def light_up(self, on: bool) -> None:
        """A folder is held over it."""
        role = self.palette().ColorRole
        self.setBackgroundRole(role.Highlight if on else role.AlternateBase)


def _line(name: str, hint: str) -> QLineEdit:
    line = QLineEdit()
    line.setAccessibleName(name)
    line.setPlaceholderText(hint)
    line.setClearButtonEnabled(True)
    return line


def _model_name(model: Model) -> str:
    return f"{model.name}  ({', '.join(model.classes)})"


def dropped(event: QDropEvent) -> Path | None:
    """The first folder among what is held over the window."""
    for url in event.mimeData().urls():
        if url.isLocalFile() and Path(url.toLocalFile()).is_dir():
            return Path(url.toLocalFile())
    return None


def _look_at(out: Path) -> _Recent:
    try:
        return _Recent(out, read_status(out))
    except (SorterError, OSError) as error:
        return _Recent(out, None, str(error))


def _recent_of(item: QListWidgetItem | None) -> _Recent | None:
    found = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
    return found if isinstance(found, _Recent) else None


def _short(path: Path) -> str:
    """With `~` for the home folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except ValueError:
        return str(path)
