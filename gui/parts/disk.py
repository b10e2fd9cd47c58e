"""What the review does to folders: apply, undo apply, export. Each a job in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QLocale, QObject, Qt
from PySide6.QtWidgets import QWidget

from sorter.sort.apply import Applied
from sorter.sort.review import Review

from .. import tasks
from .apply import ApplyDialog
from .export_dialog import ExportDialog
from .progress import Notice
from .words import reworded

NAMED = 3  # photos that a message names


class JobRunner(Protocol):
    """The part of a `JobPage` that starts a job."""

    @property
    def busy(self) -> bool: ...

    def run_job(
        self,
        title: str,
        call: Callable[..., Any],
        *arguments: object,
        finished: Callable[[Any], None],
        cancelled: str,
    ) -> bool: ...


class FolderWork(QObject):
    """One job at a time on the folder under review.

    Args:
        runner: starts the jobs and follows them.
        notice: shows how they ended.
        window: parent of the dialogs.
    """

    def __init__(self, runner: JobRunner, notice: Notice, window: QWidget) -> None:
        super().__init__(window)
        self._runner = runner
        self._notice = notice
        self._window = window

    @property
    def busy(self) -> bool:
        return self._runner.busy

    def ask_to_apply(self, review: Review) -> None:
        """Show what Apply would do."""
        moves = review.plan()
        if moves:
            dialog = ApplyDialog(moves, self._window)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.accepted.connect(lambda: self.apply(review.table.out, len(moves)))
            dialog.open()
        elif review.fileable:
            self._notice.say(self.tr("Every photo is in the right folder. There is nothing to move."))
        else:
            self._notice.say(
                self.tr(
                    "No photo of this run is in its output folder, so there is nothing to move. Export copies."
                )
            )

    def apply(self, folder: Path, photos: int) -> None:
        """Move so many photos to the folders of their classes."""
        self._start(
            self.tr("Moving photos to the folders of their classes"),
            self.tr("Photos moved: {count}."),
            tasks.apply_review,
            folder,
            photos,
            undo=partial(self.undo_apply, folder),
        )

    def undo_apply(self, folder: Path) -> None:
        """Move photos back to where the run had put them."""
        self._start(
            self.tr("Moving photos back"),
            self.tr("Photos moved back: {count}. Your marks are kept."),
            tasks.undo_apply,
            folder,
        )

    def ask_to_export(self, review: Review) -> None:
        """Ask which photos, and where to."""
        table = review.table
        photos, checked = int((~table.failed & ~table.aside).sum()), int((table.corrected >= 0).sum())
        dialog = ExportDialog(table.out, photos, checked, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.export(review, dialog.folder, dialog.checked.isChecked()))
        dialog.open()

    def export(self, review: Review, target: Path, only_checked: bool = False) -> None:
        """Copy the photos there, in a folder for each class."""
        self._start(
            self.tr("Copying the sorted photos"),
            self.tr("Photos copied to {folder}: {count}, with a table of them."),
            tasks.export,
            review.table.out,
            target,
            len(review.table),
            only_checked,
        )

    def _start(
        self,
        title: str,
        outcome: str,
        call: Callable[..., Any],
        *arguments: object,
        undo: Callable[[], object] | None = None,
    ) -> None:
        self._runner.run_job(
            title,
            call,
            *arguments,
            finished=partial(self._show_outcome, outcome, undo),
            cancelled=self.tr("Stopped. What is done stays done. The same button does the rest."),
        )

    def _show_outcome(self, outcome: str, undo: Callable[[], object] | None, applied: Applied) -> None:
        number = QLocale().toString
        sentence = outcome.format(count=number(applied.filed), folder=applied.out)
        if not applied.left:
            self._notice.say(sentence, self.tr("Undo") if undo and applied.filed else "", undo)
            return
        named = "; ".join(f"{left.path.name}: {reworded(left.message)}" for left in applied.left[:NAMED])
        more = self.tr("Left where they are: {count}. {which}").format(
            count=number(len(applied.left)), which=named + ("…" if len(applied.left) > NAMED else "")
        )
        self._notice.complain(f"{sentence} {more}")
