"""The menu of the selected photos, by the right mouse button or the menu key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMenu, QWidget

from .class_keys import keys_of
from .colours import label_colour, swatch
from .commands import Commands


def photo_menu(
    commands: Commands,
    classes: tuple[str, ...],
    keys: dict[str, int],
    path: Path | None,
    assign: Callable[[int], None],
    parent: QWidget,
) -> QMenu:
    """Make the menu.

    Args:
        keys: a key's text -> the code of a class.
        path: of the current photo, where there is one.
        assign: marks the selected photos as the class of this code.
    """
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    by_class = keys_of(keys)
    for code, label in enumerate(classes):
        text = QCoreApplication.translate("photo_menu", "Mark as {label}").format(
            label=label.replace("&", "&&")
        )
        action = menu.addAction(swatch(label_colour(code, len(classes)).name()), text)
        if code in by_class:
            action.setText(f"{text}  [{by_class[code][0]}]")
        action.triggered.connect(partial(_assign, assign, code))
    menu.addActions([commands.confirm, commands.clear])
    menu.addSeparator()
    menu.addActions([commands.preview, commands.copy_paths])
    show = menu.addAction(QCoreApplication.translate("photo_menu", "&Show in file manager"))
    show.setEnabled(path is not None)
    if path is not None:
        show.triggered.connect(partial(_show, path.parent))
    return menu


def _assign(assign: Callable[[int], None], code: int, _checked: bool = False) -> None:
    assign(code)


def _show(folder: Path, _checked: bool = False) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
