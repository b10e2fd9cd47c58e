"""The menu that chooses the window's language."""

from __future__ import annotations

from functools import partial

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QMessageBox, QWidget

from ..settings import Settings
from .language import languages, native_name


class LanguageMenu(QMenu):
    """The system's language, and each that there is, by its own name."""

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setTitle(self.tr("&Language"))
        self._group = QActionGroup(self)
        self._add(self.tr("As the &system"), "")
        for code in languages():
            self._add(native_name(code), code)

    def _add(self, text: str, code: str) -> None:
        action = QAction(text, self)
        action.setCheckable(True)
        action.setChecked(code == self._settings.language)
        action.triggered.connect(partial(self._choose, code))
        self._group.addAction(action)
        self.addAction(action)

    def _choose(self, code: str, _checked: bool = False) -> None:
        if code == self._settings.language:
            return
        self._settings.language = code
        box = QMessageBox(self.parentWidget())
        box.setWindowTitle(self.tr("Sorter"))
        box.setText(self.tr("Sorter speaks this language from its next start on."))
        box.open()
