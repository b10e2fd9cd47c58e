"""The window: its pages, its menus, and what passes between them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox, QStackedWidget, QToolBar, QWidget

from sorter.gui.cleaning import CleanPage
from sorter.gui.retrain import RetrainPage
from sorter.gui.review import ReviewPage
from sorter.gui.settings import Settings
from sorter.gui.shortcuts import ShortcutsSheet
from sorter.gui.start import StartPage
from sorter.gui.worker import Jobs


class Window(QMainWindow):
    """Start, review, retrain, clean."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self.jobs = Jobs(self)
        self.setWindowTitle(self.tr("Sorter"))
        self.start = StartPage(self.jobs, self.settings)
        self.review = ReviewPage(self.jobs, self.settings)
        self.retrain = RetrainPage(self.jobs, self.settings)
        self.clean = CleanPage(self.jobs, self.settings)
        self.pages = QStackedWidget()
        for page in (self.start, self.review, self.retrain, self.clean):
            self.pages.addWidget(page)
        self.setCentralWidget(self.pages)
        self._make_navigation()
        self._make_menus()
        self.start.opened.connect(self.open_folder)
        self.review.retrain_wanted.connect(self._go_retrain)
        self.review.changed.connect(self._show_title)
        self.retrain.accepted.connect(self._sort_again)
        if self.settings.geometry.isEmpty() or not self.restoreGeometry(self.settings.geometry):
            self.resize(1200, 800)

    def open_folder(self, folder: Path) -> None:
        """Review an output folder."""
        self.settings.remember(folder)
        self.review.open(folder)
        self.retrain.open(folder)
        self.clean.open(folder)
        self.show_page(self.review)

    def show_page(self, page: QWidget) -> None:
        self.pages.setCurrentWidget(page)
        self._going[self.pages.indexOf(page)].setChecked(True)
        page.setFocus()
        if page is self.review:
            self.review.grid.setFocus()
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
        self._going: list[QAction] = []
        pages = (self.start, self.review, self.retrain, self.clean)
        titles = (self.tr("Start"), self.tr("Review"), self.tr("Retrain"), self.tr("Clean"))
        for number, (page, title) in enumerate(zip(pages, titles, strict=True), 1):
            action = QAction(title, self)
            action.setCheckable(True)
            action.setShortcut(QKeySequence(f"Alt+{number}"))
            action.setToolTip(f"{title} (Alt+{number})")
            action.triggered.connect(lambda _=False, page=page: self.show_page(page))
            group.addAction(action)
            bar.addAction(action)
            self._going.append(action)
        self._going[0].setChecked(True)
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
        view.addActions(self._going)
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

    def _go_retrain(self, folder: Path) -> None:
        self.retrain.open(folder)
        self.show_page(self.retrain)

    def _sort_again(self, model: Path) -> None:
        folder = self.review.folder
        if folder is not None:
            self.start.start_with_model(model, folder)
            self.show_page(self.start)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.settings.geometry = self.saveGeometry()
        self.settings.sync()
        self.hide()  # what is stopped now may take a moment
        self.jobs.close()
        self.review.close_folder()
        self.retrain.close_folder()
        super().closeEvent(event)
