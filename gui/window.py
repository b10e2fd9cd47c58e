"""The window: its pages, its menus, and the signals between the pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QMainWindow,
    QMenu,
    QMessageBox,
    QStackedWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from sorter.distribution import installed_version

from .pages.review import ReviewPage
from .parts.class_keys import keys_of
from .parts.drop import dropped_folder
from .parts.language_menu import LanguageMenu
from .parts.shortcuts import ShortcutsSheet
from .parts.theme import Appearance, Theme
from .parts.toast import Toast
from .settings import Settings
from .worker import Jobs

if TYPE_CHECKING:
    from .pages.clean import CleanPage
    from .pages.retrain import RetrainPage
    from .pages.start import StartPage


PAGES = ("start", "review", "retrain", "clean")


class Window(QMainWindow):
    """Start, review, retrain, clean. A page is made when it is first shown, so that the first is there sooner."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self.appearance = Appearance(app, self.settings, self)
        self.jobs = Jobs(self)
        self.setWindowTitle(self.tr("Sorter"))
        self._going: dict[QWidget, QAction] = {}
        self._finished: Path | None = None  # sorted while another page was in use, and not opened yet
        self._openers: dict[QWidget, Callable[[Path], None]] = {}
        self._opened: dict[QWidget, Path] = {}  # which folder a page has open
        self.pages = QStackedWidget()
        self.review_page = ReviewPage(self.jobs, self.settings)
        self.notice = Toast(self.pages, above=True)
        self.notice.accepted.connect(self._open_finished)
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(central)
        self.setAcceptDrops(True)
        self._make_navigation()
        self._make_menus()
        self._add(self.review_page, "review")
        self.review_page.retrain_wanted.connect(lambda _: self.show_page(self.retrain_page))
        self.review_page.changed.connect(self._show_title)
        self.review_page.opened.connect(self._folder_opened)
        if self.settings.geometry.isEmpty() or not self.restoreGeometry(self.settings.geometry):
            self.resize(1200, 800)

    @cached_property
    def start_page(self) -> StartPage:
        from .pages.start import StartPage

        page = StartPage(self.jobs, self.settings)
        page.opened.connect(self.open_folder)
        page.run_finished.connect(self._run_finished)
        page.run_ended.connect(self._run_ended)
        self._add(page, "start")
        return page

    @cached_property
    def retrain_page(self) -> RetrainPage:
        from .pages.retrain import RetrainPage

        page = RetrainPage(self.jobs, self.settings)
        page.accepted.connect(self._sort_again)
        self._add(page, "retrain", page.open)
        return page

    @cached_property
    def clean_page(self) -> CleanPage:
        from .pages.clean import CleanPage

        page = CleanPage(self.jobs, self.settings)
        self._add(page, "clean", page.open)
        return page

    def _add(self, page: QWidget, name: str, opener: Callable[[Path], None] | None = None) -> None:
        """Add a page. `opener` shows it the folder under review."""
        self._going[page] = self._buttons[name]
        if opener is not None:
            self._openers[page] = opener
        self.pages.addWidget(page)

    def open_folder(self, folder: Path) -> None:
        """Review an output folder."""
        self.review_page.open(folder)
        self.show_page(self.review_page)

    def _folder_opened(self, folder: Path) -> None:
        self.settings.remember(folder)
        self._opened.clear()
        if folder == self._finished:
            self._finished = None
            self.notice.clear()

    def show_page(self, page: QWidget) -> None:
        folder = self.review_page.folder
        self.pages.setCurrentWidget(page)
        self._going[page].setChecked(True)
        if folder is not None and page in self._openers and self._opened.get(page) != folder:
            self._opened[page] = folder
            self._openers[page](folder)
        (self.review_page.grid if page is self.review_page else page).setFocus()
        self._show_title()

    # -- menus -------------------------------------------------------------------------------------------------

    def _make_navigation(self) -> None:
        """A button for each page."""
        bar = QToolBar(self.tr("Pages"))
        bar.setMovable(False)
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        bar.toggleViewAction().setVisible(False)
        self.addToolBar(bar)
        group = QActionGroup(self)
        self._buttons: dict[str, QAction] = {}
        titles = (self.tr("Start"), self.tr("Review"), self.tr("Improve"), self.tr("Clean"))
        for number, (name, title) in enumerate(zip(PAGES, titles, strict=True), 1):
            action = QAction(title, self)
            action.setCheckable(True)
            action.setShortcut(QKeySequence(f"Alt+{number}"))
            action.setToolTip(f"{title} (Alt+{number})")
            action.triggered.connect(lambda _=False, name=name: self.show_page(getattr(self, f"{name}_page")))
            group.addAction(action)
            bar.addAction(action)
            self._buttons[name] = action
        for action in self._buttons.values():
            button = bar.widgetForAction(action)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(action.text())

    def _make_menus(self) -> None:
        do, bar = self.review_page.commands, self.menuBar()
        file = bar.addMenu(self.tr("&File"))
        open_action = QAction(self.tr("&Open results..."), self)
        open_action.setShortcut(QKeySequence.StandardKey.Open)
        open_action.triggered.connect(self._choose_folder)
        file.addAction(open_action)
        file.addAction(do.export)
        file.addSeparator()
        leave = QAction(self.tr("&Quit"), self)
        leave.setShortcut(QKeySequence("Ctrl+Q"))
        leave.setMenuRole(QAction.MenuRole.QuitRole)
        leave.triggered.connect(self.close)
        file.addAction(leave)
        edit = bar.addMenu(self.tr("&Edit"))
        edit.addActions([do.undo, do.redo])
        edit.addSeparator()
        edit.addActions([do.select_all, do.copy_paths, do.find])
        edit.addSeparator()
        edit.addActions([do.confirm, do.confirm_shown, do.clear])
        view = bar.addMenu(self.tr("&View"))
        view.addActions(list(self._buttons.values()))
        view.addSeparator()
        view.addActions([do.preview, do.zoom_in, do.zoom_out, do.fit])
        view.addSeparator()
        full = QAction(self.tr("&Full screen"), self)
        full.setShortcut(QKeySequence("F11"))
        full.setCheckable(True)
        full.toggled.connect(self._fill_screen)
        view.addAction(full)
        view.addMenu(self._make_theme_menu())
        view.addMenu(LanguageMenu(self.settings, self))
        photos = bar.addMenu(self.tr("&Photos"))
        photos.addActions([do.apply, do.undo_apply, do.put_back, do.retrain])
        about = bar.addMenu(self.tr("&Help"))
        sheet = QAction(self.tr("&Keyboard shortcuts"), self)
        sheet.setShortcut(QKeySequence("F1"))
        sheet.triggered.connect(self.show_shortcuts)
        about.addAction(sheet)
        version = QAction(self.tr("&About"), self)
        version.setMenuRole(QAction.MenuRole.AboutRole)
        version.triggered.connect(self._about)
        about.addAction(version)

    def _make_theme_menu(self) -> QMenu:
        menu, group = QMenu(self.tr("&Theme"), self), QActionGroup(self)
        for text, theme in (
            (self.tr("As the &system"), Theme.SYSTEM),
            (self.tr("&Light"), Theme.LIGHT),
            (self.tr("&Dark"), Theme.DARK),
        ):
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(theme is self.appearance.theme)
            action.triggered.connect(partial(self._choose_theme, theme))
            group.addAction(action)
        return menu

    def _choose_theme(self, theme: Theme, _checked: bool = False) -> None:
        self.appearance.choose(theme)

    def _fill_screen(self, on: bool) -> None:
        """A window that was maximized is so again afterwards."""
        full = Qt.WindowState.WindowFullScreen
        self.setWindowState(self.windowState() | full if on else self.windowState() & ~full)

    def show_shortcuts(self) -> None:
        review = self.review_page.review
        by_class = {} if review is None else keys_of(self.review_page.grid.keys)
        classes = [
            (", ".join(keys), self.tr("Mark as {label}").format(label=review.classes[code]))
            for code, keys in sorted(by_class.items())
            if review is not None
        ]
        sheet = ShortcutsSheet(classes, self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("A folder with sorted photos"))
        if chosen:
            self.open_folder(Path(chosen))

    def _about(self) -> None:
        QMessageBox.about(
            self,
            self.tr("Sorter"),
            self.tr(
                "Sorter {version}: sorts photos by what is in them. Nothing leaves this computer."
            ).format(version=installed_version()),
        )

    # -- between the pages -------------------------------------------------------------------------------------

    def _show_title(self) -> None:
        folder = self.review_page.folder
        on_review = self.pages.currentWidget() is self.review_page
        name = f"{folder.name} – " if folder is not None and on_review else ""
        self.setWindowTitle(name + self.tr("Sorter"))

    def _run_finished(self, out: Path) -> None:
        """A run ended. Whoever waits for it on the start page sees the result. Nobody else is interrupted."""
        if self.pages.currentWidget() is self.start_page:
            self.open_folder(out)
            return
        self._finished = out.resolve()
        self.notice.say(self.tr("{folder} is sorted.").format(folder=out.name), self.tr("&Review it"))

    def _run_ended(self, out: Path) -> None:
        """Of the folder under review, what is shown is out of date now."""
        if out.resolve() == self.review_page.folder:
            self.review_page.open(out)

    def _open_finished(self) -> None:
        if self._finished is not None:
            self.open_folder(self._finished)

    def _sort_again(self, model: Path) -> None:
        folder = self.review_page.folder
        if folder is not None:
            self.start_page.start_with_model(model, folder)
            self.show_page(self.start_page)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _one_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A folder dropped anywhere: sorted ones are opened, others wait on the start page to be sorted."""
        folder = _one_folder(event)
        if folder is not None:
            event.acceptProposedAction()
            self.show_page(self.start_page)
            self.start_page.take(folder)

    def _may_close(self) -> bool:
        """A new model that nobody decided on would be forgotten on the disk. Ask."""
        page = self.__dict__.get("retrain_page")  # is not made for the question
        if page is None or not page.undecided:
            return True
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(self.tr("Sorter"))
        box.setText(self.tr("Use the new model for new folders?"))
        box.setInformativeText(
            self.tr("It has learned from the photos you checked, and nothing uses it yet.")
        )
        use = box.addButton(self.tr("&Use for new folders"), QMessageBox.ButtonRole.AcceptRole)
        away = box.addButton(self.tr("&Throw away"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(use)
        box.exec()
        if box.clickedButton() is use:
            page.keep()
        elif box.clickedButton() is away:
            page.discard_now()
        return not page.undecided

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._may_close():
            event.ignore()
            return
        self.settings.geometry = self.saveGeometry()
        self.settings.sync()
        self.hide()  # what is stopped now may take a moment
        self.jobs.close()
        self.review_page.close_folder()
        self.retrain_page.close_folder()
        super().closeEvent(event)


def _one_folder(event: QDropEvent) -> Path | None:
    """The folder that is dropped, where it is dropped alone."""
    return dropped_folder(event) if len(event.mimeData().urls()) == 1 else None
