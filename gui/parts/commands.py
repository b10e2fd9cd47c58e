"""The actions of the review page with their shortcuts, for menus, buttons and the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QLocale, QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QPushButton, QWidget

from sorter.sort.review import Review


class Commands(QObject):
    """The page's actions. The page connects them.

    Args:
        page: where their shortcuts hold.
    """

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        self._views = QActionGroup(self)
        keys = QKeySequence
        self.undo = self._action(self.tr("&Undo"), keys(keys.StandardKey.Undo))
        self.redo = self._action(self.tr("&Redo"), keys("Ctrl+Shift+Z"), keys("Ctrl+Y"))
        self.confirm = self._action(self.tr("&Confirm"), keys("Ctrl+R"))
        self.confirm_shown = self._action(self._confirm_text(0))
        self.confirm_shown.setToolTip(
            self.tr("The model is right about every photo shown here. Undo takes it back.")
        )
        self.clear = self._action(self.tr("C&lear my mark"))
        self.select_all = self._action(self.tr("Select &all"), keys(keys.StandardKey.SelectAll))
        self.copy_paths = self._action(self.tr("Copy file &paths"), keys(keys.StandardKey.Copy))
        self.find = self._action(self.tr("&Find by name"), keys(keys.StandardKey.Find))
        self.preview = self._action(self.tr("&Preview"))
        self.grid_view = self._view(self.tr("&Grid"), "G")
        self.single_view = self._view(self.tr("&Single"), "E")
        self.compare_view = self._view(self.tr("&Compare"), "C")
        self.inspector = self._action(self.tr("&Inspector"), keys("I"), keys("Ctrl+I"))
        self.inspector.setCheckable(True)
        self.inspector.setEnabled(True)
        self.explain = self._action(self.tr("&What it saw"))
        self.photo_only = self._action(self.tr("Photo &only"), keys("F"))
        self.zoom_in = self._action(self.tr("Zoom &in"), keys("Ctrl++"), keys("Ctrl+="))
        self.zoom_out = self._action(self.tr("Zoom &out"), keys("Ctrl+-"))
        self.fit = self._action(self.tr("&Fit to window"), keys("Ctrl+0"))
        self.apply = self._action(self.tr("&Move photos..."), keys("Ctrl+Return"))
        self.apply.setToolTip(self.tr("Move the photos to the folders of their classes (Ctrl+Return)"))
        self.undo_apply = self._action(self.tr("Undo the last mo&ve"))
        self.put_back = self._action(self.tr("Put everything &back..."))
        self.put_back.setToolTip(self.tr("Undo the whole sorting of this folder"))
        self.export = self._action(self.tr("&Export..."), keys("Ctrl+E"))
        self.export.setToolTip(self.tr("Copy the photos elsewhere, in a folder for each class (Ctrl+E)"))
        self.retrain = self._action(self.tr("&Improve model..."), keys("Ctrl+T"))
        self.retrain.setToolTip(self.tr("Train a model on the photos you checked (Ctrl+T)"))

    def update(self, review: Review | None, idle: bool, view: str, confirmable: int) -> None:
        """Enable what makes sense now. Nothing is written while something is at work on the folder.

        Args:
            view: `grid`, `single` or `compare`.
            confirmable: photos in the grid that can be confirmed.
        """
        there = review is not None
        undo, redo = (0, 0) if review is None else review.steps
        self.undo.setEnabled(idle and undo > 0)
        self.redo.setEnabled(idle and redo > 0)
        self.undo_apply.setEnabled(idle and review is not None and review.applied)
        self.put_back.setEnabled(idle and review is not None and review.fileable)
        self.confirm_shown.setText(self._confirm_text(confirmable))
        self.confirm_shown.setEnabled(idle and there and view == "grid" and confirmable > 0)
        for action in (self.apply, self.export, self.retrain, self.confirm, self.clear):
            action.setEnabled(idle and there)
        for action in (
            self.select_all,
            self.copy_paths,
            self.find,
            self.preview,
            self.zoom_in,
            self.zoom_out,
        ):
            action.setEnabled(there)
        self.fit.setEnabled(view == "single")
        for action in (self.grid_view, self.single_view, self.compare_view, self.photo_only, self.explain):
            action.setEnabled(there)
        views = {"single": self.single_view, "compare": self.compare_view}
        views.get(view, self.grid_view).setChecked(True)

    def _confirm_text(self, photos: int) -> str:
        return self.tr("Confirm all {number} &shown").format(number=QLocale().toString(photos))

    def button(self, action: QAction) -> QPushButton:
        """A push button that follows an action."""
        button = QPushButton()
        button.clicked.connect(action.trigger)

        def follow() -> None:
            button.setText(action.text())
            button.setEnabled(action.isEnabled())
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.text().replace("&", "").removesuffix("..."))

        follow()
        action.changed.connect(follow)
        return button

    def _view(self, text: str, key: str) -> QAction:
        """One of the views, of which one is shown."""
        action = self._action(text, QKeySequence(key))
        action.setCheckable(True)
        action.setActionGroup(self._views)
        action.setToolTip(f"{text.replace('&', '')} ({key})")
        return action

    def _action(self, text: str, *keys: QKeySequence) -> QAction:
        action = QAction(text, self)
        action.setShortcuts(list(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setEnabled(False)
        self._page.addAction(action)
        return action
