"""Put everything back: undo the whole run of a folder, after a question."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QLocale, QObject, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sorter.sort.status import FolderStatus
from sorter.sort.undo import LeftInPlace, Undone
from sorter.types import ActionKind

from .. import tasks
from .disk import JobRunner
from .progress import Notice
from .words import reworded

PLACES = 3  # folders that the question names


class PutBack(QObject):
    """Asks, puts everything back in a job of its own, and lists what could not be put back.

    Args:
        runner: starts the job and follows it.
        notice: shows how it ended.
        window: parent of the dialogs.
    """

    def __init__(self, runner: JobRunner, notice: Notice, window: QWidget) -> None:
        super().__init__(window)
        self._runner = runner
        self._notice = notice
        self._window = window

    def ask(self, status: FolderStatus) -> None:
        """Ask about the folder with this status, and put its photos back on Yes."""
        if not status.filed:
            self._notice.say(self.tr("No photo lies in this folder, so there is nothing to put back."))
            return
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Put everything back"))
        box.setText(self.question(status))
        box.setInformativeText(self.details(status))
        go = box.addButton(self.tr("&Put back"), QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        go.clicked.connect(partial(self.start, status))
        box.open()

    def question(self, status: FolderStatus) -> str:
        """How many photos, and where to."""
        texts = {
            ActionKind.MOVE: self.tr("Move {count} photos back to {places}?"),
            ActionKind.COPY: self.tr("Remove {count} copies from {out}?"),
        }
        text = texts.get(ActionKind(status.action), self.tr("Remove {count} links from {out}?"))
        places = ", ".join(str(path) for path in status.inputs[:PLACES])
        if len(status.inputs) > PLACES or not places:
            places = self.tr("where they came from")
        return text.format(count=QLocale().toString(status.filed), places=places, out=status.out)

    def details(self, status: FolderStatus) -> str:
        """What happens to the rest."""
        if ActionKind(status.action) is ActionKind.MOVE:
            return self.tr(
                "Each photo goes back to its own folder. Nothing is overwritten. Your marks are kept."
            )
        return self.tr(
            "The originals stay where they are. Copies that you edited stay, too. Your marks are kept."
        )

    def start(self, status: FolderStatus) -> None:
        """Put everything back, without a question."""
        self._runner.run_job(
            self.tr("Putting everything back"),
            tasks.undo_run,
            status.out,
            finished=partial(self._show, ActionKind(status.action)),
            cancelled=self.tr("Stopped. What is back stays back. “Put everything back” does the rest."),
        )

    def _show(self, action: ActionKind, undone: Undone) -> None:
        number = QLocale().toString
        if action is ActionKind.MOVE:
            text = self.tr("{count} photos are back where they were. Your marks are kept.")
        else:
            text = self.tr("{count} copies or links are removed. Your photos are where they were.")
        sentence = text.format(count=number(undone.restored))
        if not undone.left:
            self._notice.say(sentence)
            return
        more = self.tr("{count} could not be put back.").format(count=number(len(undone.left)))
        self._notice.complain(f"{sentence} {more}")
        dialog = LeftDialog(undone.left, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()


class LeftDialog(QDialog):
    """Lists photos that could not be put back, with the reasons."""

    def __init__(self, left: tuple[LeftInPlace, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Not put back"))
        sentence = QLabel(self.tr("These photos stay where they are. Nothing happened to them."))
        sentence.setWordWrap(True)
        self.table = QTableWidget(len(left), 2)
        self.table.setHorizontalHeaderLabels([self.tr("Photo"), self.tr("Why")])
        self.table.setAccessibleName(self.tr("Photos that were not put back"))
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.setTabKeyNavigation(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for row, each in enumerate(left):
            for column, text in enumerate((str(each.path), reworded(each.message))):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(row, column, item)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column_layout = QVBoxLayout(self)
        column_layout.addWidget(sentence)
        column_layout.addWidget(self.table, 1)
        column_layout.addWidget(buttons)
        self.resize(640, 360)
