"""The menus of the window, and the actions that belong to it as a whole."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from ..settings import Settings
from .commands import Commands
from .language_menu import LanguageMenu
from .theme import Appearance, Theme

PAGES = ("start", "review", "retrain", "clean")


class Menus(QObject):
    """Fills the menu bar. Where the desktop has none of its own, the same menus open from the top bar.

    Attributes:
        going: an action for each view, by its name in `PAGES`.
    """

    def __init__(
        self, window: QMainWindow, commands: Commands, settings: Settings, appearance: Appearance
    ) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._appearance = appearance
        self.open = self._action(self.tr("&Open results..."), QKeySequence.StandardKey.Open)
        self.preferences = self._action(self.tr("&Preferences..."), "Ctrl+,")
        self.preferences.setMenuRole(QAction.MenuRole.PreferencesRole)
        self.leave = self._action(self.tr("&Quit"), "Ctrl+Q")
        self.leave.setMenuRole(QAction.MenuRole.QuitRole)
        self.full = self._action(self.tr("&Full screen"), "F11")
        self.full.setCheckable(True)
        self.shortcuts = self._action(self.tr("&Keyboard shortcuts"), "F1")
        self.about = self._action(self.tr("&About"), "")
        self.about.setMenuRole(QAction.MenuRole.AboutRole)
        self.going = self._make_going()
        self._fill(commands)
        bar = window.menuBar()
        bar.setVisible(bar.isNativeMenuBar())
        for menu in self.menus():
            window.addActions(menu.actions())  # their shortcuts hold without the bar, too

    def menus(self) -> list[QMenu]:
        found = [action.menu() for action in self._window.menuBar().actions()]
        return [menu for menu in found if isinstance(menu, QMenu)]

    def _make_going(self) -> dict[str, QAction]:
        titles = (
            self.tr("&Sort photos"),
            self.tr("&Review photos"),
            self.tr("&Improve model"),
            self.tr("&Find duplicates"),
        )
        found = {}
        for number, (name, title) in enumerate(zip(PAGES, titles, strict=True), 1):
            found[name] = action = self._action(title, f"Alt+{number}")
            action.setToolTip(f"{title.replace('&', '')} (Alt+{number})")
        return found

    def _fill(self, do: Commands) -> None:
        nothing: list[QAction] = []
        for title, groups in (
            (self.tr("&File"), ([self.open, do.export], [self.preferences], [self.leave])),
            (
                self.tr("&Edit"),
                (
                    [do.undo, do.redo],
                    [do.select_all, do.copy_paths, do.find],
                    [do.confirm, do.confirm_shown, do.clear],
                ),
            ),
            (
                self.tr("&View"),
                (
                    list(self.going.values()),
                    [do.grid_view, do.single_view, do.compare_view, do.preview],
                    [do.zoom_in, do.zoom_out, do.fit, do.inspector, do.explain, do.photo_only, self.full],
                    nothing,
                ),
            ),
            (self.tr("&Photos"), ([do.apply, do.undo_apply, do.put_back, do.retrain],)),
            (self.tr("&Help"), ([self.shortcuts, self.about],)),
        ):
            menu = self._window.menuBar().addMenu(title)
            for number, actions in enumerate(groups):
                if number:
                    menu.addSeparator()
                menu.addActions(actions)
            if groups[-1] is nothing:
                menu.addMenu(self._make_theme())
                menu.addMenu(LanguageMenu(self._settings, self._window))

    def _make_theme(self) -> QMenu:
        menu, group = QMenu(self.tr("&Theme"), self._window), QActionGroup(self)
        for theme, text in self._appearance.names().items():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.triggered.connect(partial(self._choose_theme, theme))
            group.addAction(action)
            menu.aboutToShow.connect(
                lambda action=action, theme=theme: action.setChecked(theme is self._appearance.theme)
            )
        return menu

    def _choose_theme(self, theme: Theme, _checked: bool = False) -> None:
        self._appearance.choose(theme)

    def _action(self, text: str, key: QKeySequence.StandardKey | str) -> QAction:
        action = QAction(text, self._window)
        if key:
            action.setShortcut(QKeySequence(key))
        return action
