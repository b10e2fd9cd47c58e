"""The upper edge of the window: folder, views, search, undo, the next step."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from .commands import Commands
from .folder_menu import FolderMenu
from .icons import set_icon
from .next_step import NextStep

HEIGHT = 48  # pixels
FOLDER_WIDTH = 200  # pixels, at most
SEARCH_WIDTH = 240  # pixels, at most


class TopBar(QFrame):
    """Buttons that stay in every view.

    Args:
        commands: of the review.
        folders: the menu of folders.
        sort: opens the start page.
        search: the field that searches file names.
        menu: everything else.
    """

    def __init__(
        self,
        commands: Commands,
        folders: FolderMenu,
        sort: QAction,
        search: QWidget,
        menu: QMenu,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("topbar")
        self.setFixedHeight(HEIGHT)
        self._folders = folders
        self.folder = self._make_folder()
        self.sort = self._tool(sort, "plus", text=True)
        self.views = self._make_views(commands)
        self.next = NextStep(commands, sort)
        self.menu = QToolButton()
        self.menu.setAccessibleName(self.tr("Menu"))
        self.menu.setToolTip(self.tr("Everything else (F10)"))
        self.menu.setShortcut("F10")
        self.menu.setMenu(menu)
        self.menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        set_icon(self.menu, "dots-three")
        search.setMaximumWidth(SEARCH_WIDTH)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self.folder)
        row.addWidget(self.sort)
        row.addStretch(1)
        row.addWidget(self.views)
        row.addStretch(1)
        row.addWidget(search, 4)
        for action, name in ((commands.undo, "arrow-u-up-left"), (commands.redo, "arrow-u-up-right")):
            row.addWidget(self._tool(action, name))
        row.addWidget(self.next)
        row.addWidget(self.menu)

    def show_folder(self, folder: Path | None) -> None:
        """Name the folder that is open."""
        self._folders.folder = folder
        name = self.tr("No folder") if folder is None else folder.name
        metrics = self.folder.fontMetrics()
        room = FOLDER_WIDTH - 56
        self.folder.setText(metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room).replace("&", "&&"))
        self.folder.setToolTip("" if folder is None else str(folder))
        self.folder.setAccessibleDescription(name)

    def set_compact(self, compact: bool) -> None:
        """Icons only, where there is little room."""
        style = Qt.ToolButtonStyle
        for button in (self.sort, *self.views.findChildren(QToolButton)):
            button.setToolButtonStyle(style.ToolButtonIconOnly if compact else style.ToolButtonTextBesideIcon)

    def _make_folder(self) -> QPushButton:
        button = QPushButton()
        button.setObjectName("folder")
        button.setMaximumWidth(FOLDER_WIDTH)
        button.setAccessibleName(self.tr("Folder"))
        button.setMenu(self._folders)
        set_icon(button, "folder")
        return button

    def _make_views(self, commands: Commands) -> QWidget:
        """Buttons next to each other, of which one is down."""
        switch = QFrame()
        switch.setObjectName("switch")
        row = QHBoxLayout(switch)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for action, name in (
            (commands.grid_view, "squares-four"),
            (commands.single_view, "image"),
            (commands.compare_view, "columns"),
        ):
            row.addWidget(self._tool(action, name, text=True))
        return switch

    def _tool(self, action: QAction, name: str, text: bool = False) -> QToolButton:
        button = QToolButton()
        set_icon(action, name)
        button.setDefaultAction(action)
        button.setVisible(action.isVisible())
        action.changed.connect(lambda: button.setVisible(action.isVisible()))
        button.setAccessibleName(action.text().replace("&", "").removesuffix("..."))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if text else Qt.ToolButtonStyle.ToolButtonIconOnly
        button.setToolButtonStyle(style)
        return button
