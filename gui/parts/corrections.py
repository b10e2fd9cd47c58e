"""Marks a person gives to photos, and the threshold: written to the journal, undone and redone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QLocale, QObject, QTimer, Signal

from sorter.model.rule import UNSURE
from sorter.sort.review import Review
from sorter.sort.table import Table
from sorter.types import SorterError

from ..views.sections import Section
from ..worker import Jobs
from .grid import PhotoGrid
from .histogram import with_threshold
from .panel import SidePanel
from .progress import Notice

AT_ONCE = 2000  # photos in one correction; more are written on another thread
Places = list[int] | range
Answer = TypeVar("Answer")


class Corrections(QObject):
    """Every change that a person makes to the review of a folder.

    Args:
        may_write: is nothing else at work on the folder?
        may_mark: is what would be marked on the screen?

    Signals:
        changed: classes or the threshold changed; counts and photos look different.
        classes_changed: there are other classes, and another table.
        writing_changed: a long write began or ended.
        outdated: another window has changed the folder, so that nothing was written. It has to be read anew.
    """

    changed = Signal()
    classes_changed = Signal()
    writing_changed = Signal()
    outdated = Signal()

    def __init__(
        self,
        jobs: Jobs,
        grid: PhotoGrid,
        notice: Notice,
        may_write: Callable[[], bool],
        may_mark: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._grid = grid
        self._notice = notice
        self._may_write = may_write
        self._may_mark = may_mark
        self.review: Review | None = None
        self.writing = False
        self._threshold: float | None = None
        self._drag = QTimer(
            self
        )  # a drag is followed as fast as it is painted, not as fast as the mouse moves
        self._drag.setSingleShot(True)
        self._drag.setInterval(0)
        self._drag.timeout.connect(self._show_threshold)

    def obey(self, panel: SidePanel) -> None:
        """Do what is asked for in the grid and in this panel."""
        for signal, act in (
            (self._grid.assigned, self.assign),
            (self._grid.cleared, self.clear),
            (self._grid.confirmed, self.confirm),
            (self._grid.doubted, self.doubt),
            (self._grid.set_aside, self.set_aside),
            (self._grid.section_confirmed, self.confirm_section),
            (panel.assigned, self.assign),
            (panel.confirmed, self.confirm),
            (panel.cleared, self.clear),
            (panel.moved, self.follow_threshold),
            (panel.settled, self.keep_threshold),
            (panel.reset, self.reset_threshold),
        ):
            signal.connect(act)

    # -- marks -------------------------------------------------------------------------------------------------

    def assign(self, code: int) -> None:
        """Mark the selected photos as this class, and go to the next."""
        if self.review is not None and code < len(self.review.table.labels):
            label = self.review.table.labels[code]
            self._mark(
                lambda review, ids: review.assign(ids, label),
                self._grid.selected(),
                self.tr("Marked as {label}.").replace("{label}", label),
                self.tr("{number} photos marked as {label}.").replace("{label}", label),
            )

    def clear(self) -> None:
        """Clear the marks of the selected photos."""
        self._mark(
            lambda review, ids: review.assign(ids, None),
            self._grid.selected(),
            self.tr("Mark cleared."),
            self.tr("{number} marks cleared."),
        )

    def confirm(self) -> None:
        """The model is right about the selected photos. Go to the next."""
        self._mark(
            lambda review, ids: review.confirm(ids),
            self._grid.selected(),
            self.tr("Confirmed."),
            self.tr("{number} photos confirmed."),
        )

    def doubt(self) -> None:
        """Nobody can tell of the selected photos: mark them as unsure, and go to the next."""
        self._mark(
            lambda review, ids: review.assign(ids, UNSURE),
            self._grid.selected(),
            self.tr("Marked as unsure."),
            self.tr("{number} photos marked as unsure."),
        )

    def set_aside(self) -> None:
        """Set the selected photos aside, and go to the next."""
        self._mark(
            lambda review, ids: review.set_aside(ids),
            self._grid.selected(),
            self.tr("Set aside."),
            self.tr("{number} photos set aside."),
        )

    def confirm_shown(self) -> None:
        """The model is right about every photo that is shown."""
        self._confirm(self._grid.photos.ids(range(self._grid.photos.rowCount())))

    def confirm_section(self, section: Section) -> None:
        """The model is right about every photo of a section, those that are folded away too. It is one step."""
        self._confirm(self._grid.photos.ids_of(section.rows))

    def _confirm(self, ids: list[int]) -> None:
        if ids:
            self._write(len(ids), lambda review: review.confirm(ids), self._show_confirmed)

    def _mark(self, mark: Callable[[Review, list[int]], int], places: Places, one: str, many: str) -> None:
        """Mark photos, go on to the next, and say what was done: `one` for a single photo, `many` for more."""
        if len(places) and self._may_mark():
            ids = self._grid.ids_to_mark()
            done = partial(self._advance, places, one, many)
            self._write(len(ids), lambda review: mark(review, ids), done)

    def _advance(self, places: Places, one: str, many: str, photos: int) -> None:
        if photos:
            sentence = one if photos == 1 else many.replace("{number}", QLocale().toString(photos))
            self._notice.say(sentence, self.tr("Undo"), self.undo)
        self._grid.go_on(places[0], len(places))
        self.changed.emit()

    def _show_confirmed(self, photos: int) -> None:
        self._refresh()
        number = QLocale().toString(photos)
        self._notice.say(
            self.tr("{number} photos confirmed.").format(number=number), self.tr("Undo"), self.undo
        )

    # -- classes -----------------------------------------------------------------------------------------------

    def change_classes(self, change: Callable[[Review], None], sentence: str) -> None:
        """Add, rename, merge or remove a class. It is a step that undo undoes."""
        if self.review is not None:

            def act(review: Review) -> Table:
                change(review)
                return review.table

            self._write(len(self.review.table), act, partial(self._take_classes, sentence))

    def _take_classes(self, sentence: str, table: Table) -> None:
        if self.review is not None:
            self.review.take(table)
            self.classes_changed.emit()
            self._notice.say(sentence, self.tr("Undo"), self.undo)

    # -- undo --------------------------------------------------------------------------------------------------

    def undo(self) -> None:
        if self.review is not None:
            self._write(self.review.steps[0], lambda review: review.undo(), self._show_step)

    def redo(self) -> None:
        if self.review is not None:
            self._write(self.review.steps[1], lambda review: review.redo(), self._show_step)

    def _show_step(self, changed: list[int]) -> None:
        """Go to the photo that changed, where it is one and shown."""
        row, review = self._grid.current_row(), self.review
        if review is not None and review.table is not self._grid.photos.table:
            self.classes_changed.emit()
            self._notice.say(self.tr("The change of the classes is undone or redone."))
            return
        self._grid.photos.refresh()
        if len(changed) == 1 and review is not None:
            place = self._grid.photos.place(int(review.table.id.searchsorted(changed[0])))
            if place is not None:
                self._grid.go_to(place)
        self._grid.return_to(row)
        self.changed.emit()
        if not changed:
            self._notice.say(self.tr("The threshold is back where it was."))

    # -- the threshold -----------------------------------------------------------------------------------------

    def follow_threshold(self, threshold: float) -> None:
        """Show what a threshold would change, while it is dragged."""
        self._threshold = threshold
        if not self._drag.isActive():
            self._drag.start()

    def keep_threshold(self, threshold: float) -> None:
        """Decide by this threshold from now on."""
        self._drag.stop()
        self._threshold = threshold
        self._show_threshold()
        if self.review is not None:
            rule = self.review.table.rule
            self._write(0, lambda review: review.decide_by(rule), lambda _: self.changed.emit())

    def reset_threshold(self) -> None:
        """Decide by the threshold that the folders were made with."""
        if self.review is not None:
            rule = self.review.filed_by
            self._write(0, lambda review: review.decide_by(rule), lambda _: self._refresh())

    def _show_threshold(self) -> None:
        review, threshold = self.review, self._threshold
        if review is not None and threshold is not None:
            review.table.rule = with_threshold(review.table.rule, threshold)
            self._refresh()

    def _refresh(self) -> None:
        row = self._grid.current_row()
        self._grid.photos.refresh()
        self._grid.return_to(row)
        self.changed.emit()

    # -- writing -----------------------------------------------------------------------------------------------

    def _write(self, photos: int, act: Callable[[Review], Answer], then: Callable[[Answer], None]) -> None:
        """Write to the journal. An error becomes a sentence. Many photos are written on another thread."""
        review = self.review
        if review is None or not self._may_write():
            return
        if review.outdated:
            self.outdated.emit()
            return
        if photos <= AT_ONCE:
            try:
                answer = act(review)
            except (SorterError, OSError) as error:
                self._notice.complain(str(error))
            else:
                self._notice.clear()
                then(answer)
            return
        table = review.table

        def write() -> Answer:
            with closing(Review.open(table.out, table)) as own:
                return act(own)

        self.writing = True
        self.writing_changed.emit()
        self._jobs.later(write, partial(self._end_write, table, then))

    def _end_write(
        self, table: Table, then: Callable[[Answer], None], answer: Answer | SorterError | OSError
    ) -> None:
        self.writing = False
        if self.review is not None and self.review.table is table:
            self.review.take(table)
        if isinstance(answer, (SorterError, OSError)):
            self._notice.complain(str(answer))
        elif self.review is not None and self.review.table is table:
            self._notice.clear()
            then(answer)
        self.writing_changed.emit()
