"""The window: its pages, its menus, and the signals between the pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sorter.distribution import installed_version

from .pages.review import ReviewPage
from .parts.class_keys import keys_of
from .parts.desktop import Desktop
from .parts.drop import dropped_folder
from .parts.folder_menu import FolderMenu
from .parts.menus import Menus
from .parts.next_step import Progressed
from .parts.preferences import Preferences
from .parts.session import Session
from .parts.shortcuts import ShortcutsSheet
from .parts.theme import Appearance
from .parts.toast import Toast
from .parts.top_bar import TopBar
from .settings import Settings
from .tasks import Advanced
from .worker import Jobs

if TYPE_CHECKING:
    from .pages.clean import CleanPage
    from .pages.job_page import JobPage
    from .pages.retrain import RetrainPage
    from .pages.start import StartPage


ICONS_BELOW, INSPECTOR_FROM = 900, 1100  # pixels of the window's width


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
        self._finished: Path | None = None  # sorted while another page was in use, and not opened yet
        self._openers: dict[QWidget, Callable[[Path], None]] = {}
        self._opened: dict[QWidget, Path] = {}  # which folder a page has open
        self.pages = QStackedWidget()
        self.alone = False  # only the photo is shown
        self.desktop = Desktop(parent=self)
        self._working: int | None = None  # percent of the job that runs
        self._session: Session | None = None  # is to be gone back to once its folder is open
        self.review_page = ReviewPage(self.jobs, self.settings)
        self.notice = Toast(self.pages, above=True)
        self.notice.accepted.connect(self._open_finished)
        self.setAcceptDrops(True)
        self.menus = Menus(self, self.review_page.commands, self.settings, self.appearance)
        self._connect_menus()
        self._lay_out()
        self._add(self.review_page)
        self.review_page.retrain_wanted.connect(lambda _: self.show_page(self.retrain_page))
        self.review_page.changed.connect(self._show_state)
        self.review_page.opened.connect(self._folder_opened)
        self.review_page.stack.switched.connect(self._follow_view)
        sidebar = self.review_page.sidebar
        sidebar.chosen.connect(lambda _: self._show_photos())
        sidebar.left.connect(self._show_photos)
        sidebar.cleaning_wanted.connect(lambda: self.show_page(self.clean_page))
        if self.settings.geometry.isEmpty() or not self.restoreGeometry(self.settings.geometry):
            self.resize(1200, 800)

    @cached_property
    def start_page(self) -> StartPage:
        from .pages.start import StartPage

        page = StartPage(self.jobs, self.settings)
        page.opened.connect(self.open_folder)
        page.run_finished.connect(self._run_finished)
        page.run_ended.connect(self._run_ended)
        self._add(page)
        return page

    @cached_property
    def retrain_page(self) -> RetrainPage:
        from .pages.retrain import RetrainPage

        page = RetrainPage(self.jobs, self.settings)
        page.accepted.connect(self._sort_again)
        page.check_again_wanted.connect(self._check_again)
        self._add(page, page.open)
        return page

    @cached_property
    def clean_page(self) -> CleanPage:
        from .pages.clean import CleanPage

        page = CleanPage(self.jobs, self.settings)
        self._add(page, page.open)
        return page

    def _add(self, page: JobPage, opener: Callable[[Path], None] | None = None) -> None:
        """Add a view. `opener` shows it the folder under review."""
        if opener is not None:
            self._openers[page] = opener
        self.pages.addWidget(page)
        page.job_started.connect(partial(self._follow, page))
        page.job_ended.connect(partial(self._end_job, page))

    def _follow(self, page: JobPage) -> None:
        """A page's job is shown below every page, in the title and on the task bar."""
        if page.job is None:
            return
        if page is not self.review_page:  # whose job is shown there already
            self.review_page.status.line.follow(page.job, page.job_title)
        page.job.progress.connect(self.desktop.show_progress)
        page.job.progress.connect(self._show_progress)

    def _show_progress(self, record: object) -> None:
        if isinstance(record, Advanced) and record.total:
            self._working = 100 * record.done // record.total
            self._show_title()

    def _end_job(self, page: JobPage) -> None:
        """Whoever looks elsewhere is told."""
        self._working = None
        self.desktop.end()
        if page is self.__dict__.get("clean_page") and self.clean_page.findings is not None:
            exact = [group.exact for group in self.clean_page.findings.groups]
            self.review_page.sidebar.show_found(sum(exact), len(exact) - sum(exact))
        self._show_state()
        if not self.isActiveWindow():
            self.desktop.notify(self.tr("Sorter"), page.notice.text.text() or page.job_title)

    def open_folder(self, folder: Path) -> None:
        """Review an output folder."""
        self.review_page.open(folder)
        self.show_page(self.review_page)

    def go_on(self) -> None:
        """Begin where the window was closed. Where nothing was open, or it is gone, begin at the start."""
        session = Session.kept(self.settings)
        if session.path is None:
            self.show_page(self.start_page)
        else:
            self._session = session
            self.open_folder(session.path)

    def show_asked(self, folder: Path) -> None:
        """Another start of the app wants the window, and perhaps a folder in it."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.raise_()
        self.activateWindow()
        if folder != Path():
            self.open_folder(folder)

    def _folder_opened(self, folder: Path) -> None:
        self.settings.remember(folder)
        self._opened.clear()
        self.top.show_folder(folder)
        session, self._session = self._session, None
        if session is not None and session.path == folder:
            session.restore(self.review_page)
        if folder == self._finished:
            self._finished = None
            self.notice.clear()

    def show_page(self, page: QWidget) -> None:
        folder = self.review_page.folder
        self.pages.setCurrentWidget(page)
        if folder is not None and page in self._openers and self._opened.get(page) != folder:
            self._opened[page] = folder
            self._openers[page](folder)
        (self.review_page.grid if page is self.review_page else page).setFocus()
        self._show_state()

    def _show_photos(self) -> None:
        """Come back from another view, because of a click at the side."""
        if self.pages.currentWidget() is not self.review_page:
            self.show_page(self.review_page)

    # -- how it is put together --------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        """Top bar, sidebar and status bar stay. What is between them changes."""
        page = self.review_page
        self.folders = FolderMenu(page.commands, self.settings, self)
        self.folders.opened.connect(self.open_folder)
        self.folders.other_wanted.connect(self._choose_folder)
        self.folders.sorting_wanted.connect(self.menus.going["start"].trigger)
        self.folders.continued.connect(self._continue)
        self.folders.removed.connect(self.settings.forget)
        more = QMenu(self)
        for menu in self.menus.menus():
            more.addMenu(menu)
        self.top = TopBar(page.commands, self.folders, self.menus.going["start"], page.filters.name, more)
        self.top.show_folder(None)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(page.sidebar)  # stays beside every view
        row.addWidget(self.pages, 1)
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addLayout(row, 1)
        column.addWidget(page.status)
        self.setCentralWidget(central)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        """Where there is little room, or only the photo is wanted, the photos get it."""
        page, alone = self.review_page, self.alone
        for part in (self.top, page.status, page.header):
            part.setVisible(not alone)
        page.sidebar.setVisible(page.review is not None and not alone)
        self.top.set_compact(self.width() < INSPECTOR_FROM)
        page.sidebar.set_narrow(self.width() < ICONS_BELOW)
        page.show_inspector(self.width() >= INSPECTOR_FROM, alone)

    # -- menus -------------------------------------------------------------------------------------------------

    def _connect_menus(self) -> None:
        do, menus = self.review_page.commands, self.menus
        for name, action in menus.going.items():
            action.triggered.connect(lambda _=False, name=name: self.show_page(getattr(self, f"{name}_page")))
        menus.open.triggered.connect(self._choose_folder)
        menus.preferences.triggered.connect(self.show_preferences)
        menus.leave.triggered.connect(self.close)
        menus.full.toggled.connect(self._fill_screen)
        menus.shortcuts.triggered.connect(self.show_shortcuts)
        menus.about.triggered.connect(self._about)
        for view in (do.grid_view, do.single_view, do.compare_view):
            view.triggered.connect(lambda _=False: self._show_photos())
        do.photo_only.triggered.connect(lambda: self._show_alone(not self.alone))
        do.inspector.setChecked(self.settings.inspector)
        do.inspector.triggered.connect(self._choose_inspector)

    def show_preferences(self) -> None:
        page = self.review_page
        size = page.filters.thumbnails
        dialog = Preferences(self.appearance, self.settings.letter_keys, size.value(), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.letters_chosen.connect(page.use_letters)
        dialog.resized.connect(size.setValue)
        dialog.open()

    def _fill_screen(self, on: bool) -> None:
        """A window that was maximized is so again afterwards."""
        full = Qt.WindowState.WindowFullScreen
        self.setWindowState(self.windowState() | full if on else self.windowState() & ~full)

    def _show_alone(self, alone: bool) -> None:
        """The photo and nothing else, on the whole screen."""
        self.alone = alone
        if alone:
            self.review_page.stack.show_single()
        self.review_page.stack.single.set_alone(alone)
        self.menus.full.setChecked(alone)
        self._fold()

    def _follow_view(self) -> None:
        """Whoever leaves the photo sees everything again."""
        if self.alone and not self.review_page.stack.previewing:
            self._show_alone(False)

    def _choose_inspector(self, shown: bool) -> None:
        self.settings.inspector = shown
        self._fold()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves the full screen."""
        if event.key() == Qt.Key.Key_Escape and self.isFullScreen():
            self._show_alone(False)
        else:
            super().keyPressEvent(event)

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

    def _show_state(self) -> None:
        """Title, next step, and the side, which has nothing to say before a folder is open."""
        page = self.review_page
        on_review = self.pages.currentWidget() is page
        self._show_title()
        self.top.next.show_state(page.progressed if on_review else Progressed())
        self.top.next.setVisible(on_review)  # the other views have a coloured button of their own
        page.sidebar.setVisible(page.review is not None and not self.alone)

    def _show_title(self) -> None:
        """How far the job is, or else the checking."""
        page, folder = self.review_page, self.review_page.folder
        on_review = self.pages.currentWidget() is page
        share = self._working if self._working is not None else page.status.share if on_review else None
        parts = [f"{share} %"] if share else []
        parts += [folder.name] if folder is not None and on_review else []
        self.setWindowTitle(" – ".join([*parts, self.tr("Sorter")]))

    def _continue(self, folder: Path) -> None:
        self.show_page(self.start_page)
        self.start_page.continue_run(folder)

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

    def _check_again(self, ids: list[int]) -> None:
        """Marks that look wrong are shown among the photos."""
        self.review_page.sidebar.offer_again(ids)
        self.show_page(self.review_page)

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
        Session.of(self.review_page).keep(self.settings)
        self.settings.sync()
        self.hide()  # what is stopped now may take a moment
        self.jobs.close()
        self.review_page.close_folder()
        self.retrain_page.close_folder()
        super().closeEvent(event)


def _one_folder(event: QDropEvent) -> Path | None:
    """The folder that is dropped, where it is dropped alone."""
    return dropped_folder(event) if len(event.mimeData().urls()) == 1 else None
