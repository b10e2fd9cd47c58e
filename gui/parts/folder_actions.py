"""What can be done with the folder under review: move, export, put back, show, copy paths."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from sorter.sort.review import Review
from sorter.sort.status import FolderStatus, read_status
from sorter.types import SorterError

from ..worker import Jobs
from .disk import FolderWork, JobRunner
from .grid import PhotoGrid
from .progress import Notice
from .put_back import PutBack


class FolderActions(QObject):
    """One action at a time.

    Args:
        runner: starts the jobs and follows them.
        notice: shows how they ended.
        may_write: is nothing else at work on the folder?
        window: parent of the dialogs.
    """

    def __init__(
        self,
        jobs: Jobs,
        runner: JobRunner,
        notice: Notice,
        grid: PhotoGrid,
        may_write: Callable[[], bool],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._jobs = jobs
        self._notice = notice
        self._grid = grid
        self._may_write = may_write
        self.review: Review | None = None
        self.work = FolderWork(runner, notice, window)
        self._put_back = PutBack(runner, notice, window)

    def copy_paths(self) -> None:
        """Copy the paths of the selected photos, one in a line."""
        if self.review is not None:
            rows = [self._grid.photos.row(place) for place in self._grid.selected()]
            text = os.linesep.join(str(self.review.table.path(row)) for row in rows)
            QGuiApplication.clipboard().setText(text)

    def show_folder(self, label: str) -> None:
        """Show the folder of a label in the file manager."""
        if self.review is not None:
            folder = self.review.table.out / label
            there = folder if folder.is_dir() else folder.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(there)))

    def ask_to_apply(self) -> None:
        """Show what would be moved, and move it on Yes."""
        if self.review is not None and self._may_write():
            self.work.ask_to_apply(self.review)

    def undo_apply(self) -> None:
        if self.review is not None and self._may_write():
            self.work.undo_apply(self.review.table.out)

    def ask_to_export(self) -> None:
        if self.review is not None and self._may_write():
            self.work.ask_to_export(self.review)

    def ask_to_put_back(self) -> None:
        if self.review is not None and self._may_write():
            self._jobs.later(partial(read_status, self.review.table.out), self._ask_about)

    def _ask_about(self, status: FolderStatus | SorterError | OSError) -> None:
        if not isinstance(status, FolderStatus):
            self._notice.complain(str(status))
        elif self.review is not None and status.out == self.review.table.out and self._may_write():
            self._put_back.ask(status)
