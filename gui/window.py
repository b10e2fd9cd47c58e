"""The window: its pages, its menus, and what passes between them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox, QStackedWidget, QToolBar, QWidget

from .pages.review import ReviewPage
from .parts.shortcuts import ShortcutsSheet
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
        self.jobs = Jobs(self)
        self.setWindowTitle(self.tr("Sorter"))
        self._going: dict[QWidget, QAction] = {}
        self._openers: dict[QWidget, Callable[[Path], None]] = {}
        self._opened: dict[QWidget, Path] = {}  # which folder a page has open
        self.pages = QStackedWidget()
        self.review = ReviewPage(self.jobs, self.settings)
        self.setCentralWidget(self.pages)
        self.setAcceptDrops(True)
        self._make_navigation()
        self._make_menus()
        self._add(self.review, "review")
        self.review.retrain_wanted.connect(lambda _: self.show_page(self.retrain))
        self.review.changed.connect(self._show_title)
        if self.settings.geometry.isEmpty() or not self.restoreGeometry(self.settings.geometry):
            self.resize(1200, 800)

    @cached_property
    def start(self) -> StartPage:
        from .pages.start import StartPage

        page = StartPage(self.jobs, self.settings)
        page.opened.connect(self.open_folder)
        self._add(page, "start")
        return page

    @cached_property
    def retrain(self) -> RetrainPage:
        from .pages.retrain import RetrainPage

        page = RetrainPage(self.jobs, self.settings)
        page.accepted.connect(self._sort_again)
        self._add(page, "retrain", page.open)
        return page

    @cached_property
    def clean(self) -> CleanPage:
        from .pages.clean import CleanPage

        page = CleanPage(self.jobs, self.settings)
        self._add(page, "clean", page.open)
        return page

    def _add(self, page: QWidget, name: str, opener: Callable[[Path], None] | None = None) -> None:
        """A page is there; `opener` shows it the folder under review."""
        self._going[page] = self._buttons[name]
        if opener is not None:
            self._openers[page] = opener
        self.pages.addWidget(page)

    def open_folder(self, folder: Path) -> None:
        """Review an output folder."""
        self.settings.remember(folder)
        self.review.open(folder)
        self._opened.clear()
        self.show_page(self.review)

    def show_page(self, page: QWidget) -> None:
        folder = self.review.folder
        self.pages.setCurrentWidget(page)
        self._going[page].setChecked(True)
        if folder is not None and page in self._openers and self._opened.get(page) != folder:
            self._opened[page] = folder
            self._openers[page](folder)
        (self.review.grid if page is self.review else page).setFocus()
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
        titles = (self.tr("Start"), self.tr("Review"), self.tr("Retrain"), self.tr("Clean"))
        for number, (name, title) in enumerate(zip(PAGES, titles, strict=True), 1):
            action = QAction(title, self)
            action.setCheckable(True)
            action.setShortcut(QKeySequence(f"Alt+{number}"))
            action.setToolTip(f"{title} (Alt+{number})")
            action.triggered.connect(lambda _=False, name=name: self.show_page(getattr(self, name)))
            group.addAction(action)
            bar.addAction(action)
            self._buttons[name] = action
        for button in bar.findChildren(QWidget, "", Qt.FindChildOption.FindDirectChildrenOnly):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _make_menus(self) -> None:
        do, bar = self.review.commands, self.menuBar()
        file = bar.addMenu(self.tr("&File"))
        open_action = QAction(self.tr("&Open a sorted folder …"), self)
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
        edit.addActions([do.confirm, do.clear])
        view = bar.addMenu(self.tr("&View"))
        view.addActions(list(self._buttons.values()))
        view.addSeparator()
        view.addActions([do.preview, do.zoom_in, do.zoom_out, do.fit])
        view.addSeparator()
        full = QAction(self.tr("&Full screen"), self)
        full.setShortcut(QKeySequence("F11"))
        full.setCheckable(True)
        full.toggled.connect(lambda on: self.showFullScreen() if on else self.showNormal())
        view.addAction(full)
        photos = bar.addMenu(self.tr("&Photos"))
        photos.addActions([do.apply, do.take_back, do.retrain])
        about = bar.addMenu(self.tr("&Help"))
        sheet = QAction(self.tr("&Shortcuts"), self)
        sheet.setShortcut(QKeySequence("F1"))
        sheet.triggered.connect(self.show_shortcuts)
        about.addAction(sheet)
        version = QAction(self.tr("&About"), self)
        version.setMenuRole(QAction.MenuRole.AboutRole)
        version.triggered.connect(self._about)
        about.addAction(version)

    def show_shortcuts(self) -> None:
        by_class: dict[int, list[str]] = {}
        for key, code in self.review.grid.keys.items():
            by_class.setdefault(code, []).append(key.upper())
        review = self.review.review
        classes = (
            []
            if review is None
            else [
                (", ".join(keys), self.tr("This is {label}").format(label=review.classes[code]))
                for code, keys in sorted(by_class.items())
            ]
        )
        sheet = ShortcutsSheet(classes, self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.open()

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("A folder that was sorted"))
        if chosen:
            self.open_folder(Path(chosen))

    def _about(self) -> None:
        from importlib.metadata import version

        QMessageBox.about(
            self,
            self.tr("Sorter"),
            self.tr(
                "Sorter {version}: sorts photos by what is in them. Nothing leaves this computer."
            ).format(version=version("sorter")),
        )

    # -- between the pages -------------------------------------------------------------------------------------

    def _show_title(self) -> None:
        folder = self.review.folder
        on_review = self.pages.currentWidget() is self.review
        name = f"{folder.name} – " if folder is not None and on_review else ""
        self.setWindowTitle(name + self.tr("Sorter"))

    def _sort_again(self, model: Path) -> None:
        folder = self.review.folder
        if folder is not None:
            self.start.start_with_model(model, folder)
            self.show_page(self.start)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A folder dropped anywhere: sorted ones are opened, others wait on the start page to be sorted."""
        folder = _folder(event)
        if folder is not None:
            event.acceptProposedAction()
            self.show_page(self.start)
            self.start.take(folder)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.settings.geometry = self.saveGeometry()
        self.settings.sync()
        self.hide()  # what is stopped now may take a moment
        self.jobs.close()
        self.review.close_folder()
        self.retrain.close_folder()
        super().closeEvent(event)


def _folder(event: QDropEvent) -> Path | None:
    """The one folder that is dropped, or None."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return paths[0] if len(paths) == 1 and paths[0].is_dir() else None
