"""The one coloured button: what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLocale
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QWidget

from .commands import Commands


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a folder is.

    Attributes:
        open: a folder is under review.
        unchecked: photos shown that could be confirmed.
        misplaced: photos that lie in another folder than that of their class.
        marks: photos that were checked.
    """

    open: bool = False
    unchecked: int = 0
    misplaced: int = 0
    marks: int = 0


class NextStep(QPushButton):
    """Sort, then confirm, then move, then improve."""

    def __init__(self, commands: Commands, sort: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("primary", True)
        self._commands = commands
        self._sort = sort
        self.step = sort
        self.clicked.connect(lambda: self.step.trigger())
        self.show_state(Progressed())

    def show_state(self, state: Progressed) -> None:
        """Show the step that is next."""
        count = QLocale().toString
        if not state.open:
            self._show(self._sort, self.tr("Sort photos"))
        elif state.misplaced:
            self._show(self._commands.apply, self.tr("Move {count}...").format(count=count(state.misplaced)))
        elif state.unchecked:
            text = self.tr("Confirm {count}").format(count=count(state.unchecked))
            self._show(self._commands.confirm_shown, text)
        elif state.marks:
            self._show(self._commands.retrain, self.tr("Improve model..."))
        else:
            self._show(self._sort, self.tr("Sort photos"))

    def _show(self, step: QAction, text: str) -> None:
        self.step = step
        self.setText(text)
        self.setAccessibleName(self.tr("Next step: {step}").format(step=text.removesuffix("...")))
        self.setToolTip(step.toolTip())
        self.setEnabled(step.isEnabled())
