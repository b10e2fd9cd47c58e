"""The real window on a real display, as a person uses it: sort, correct, apply, take back, retrain, sort again.

Started by `tests/gui/test_window.py` in a process of its own: a display is chosen once for a process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from sorter.gui.parts.apply import ApplyDialog
from sorter.gui.settings import Settings
from sorter.gui.window import Window
from sorter.train.retrain import RetrainOptions

LEFT = Qt.MouseButton.LeftButton
Control = Qt.KeyboardModifier.ControlModifier


def wait_for(
    condition: Callable[[], object], what: str, but: Callable[[], str] = str, seconds: float = 400
) -> None:
    """Wait for something that is bound to come; `but` is what the window says instead."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain until {what}: {but()}")
        QTest.qWait(10)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def sort(window: Window, photos: Path, model: Path, out: Path) -> None:
    start = window.start_page
    start.take(photos)  # dropped on the window
    start.use_model(model)
    start.form.out.setText(str(out))
    QTest.mouseClick(start.sort_button, LEFT)
    wait_for(
        lambda: window.pages.currentWidget() is window.review_page, "the run has ended and its folder is open"
    )
    wait_for(lambda: window.review_page.grid.photos.rowCount() == 44, "its photos are shown")


def correct(window: Window, out: Path) -> set[str]:
    """All that is purple is blue: found by name, selected together, marked with one key."""
    review = window.review_page
    review.filters.name.setFocus()
    QTest.keyClicks(review.filters.name, "purple")
    wait_for(lambda: review.grid.photos.rowCount() == 12, "the names are read and filter")
    review.grid.setFocus()
    review.grid.selectAll()
    QTest.keyClick(review.grid, Qt.Key.Key_B)
    assert review.status.tally.text() == "12 checked, 12 changed, 32 to go", review.status.tally.text()
    review.commands.undo.trigger()
    assert review.status.tally.text() == "0 checked, 0 changed, 44 to go", review.status.tally.text()
    review.commands.redo.trigger()
    review.filters.clear()
    review.sidebar.show_kind(1)
    purple = {name for name in names(out / "red") if name.startswith("purple")}
    assert len(purple) == 12
    return purple


def apply(window: Window, out: Path, purple: set[str]) -> None:
    review = window.review_page
    review.commands.apply.trigger()
    (dialog,) = review.findChildren(ApplyDialog)
    (move,) = (
        each
        for each in dialog.buttons.buttons()
        if dialog.buttons.buttonRole(each) is dialog.buttons.ButtonRole.AcceptRole
    )
    assert isinstance(move, QPushButton)
    assert move.isDefault()
    QTest.mouseClick(move, LEFT)
    wait_for(lambda: purple <= names(out / "blue"), "the photos are moved", lambda: review.notice.text.text())
    assert not purple & names(out / "red")
    wait_for(review.commands.undo_apply.isEnabled, "it can be taken back")
    review.commands.undo_apply.trigger()
    wait_for(lambda: purple <= names(out / "red"), "they are back")
    wait_for(lambda: not review.work.busy and review.panel.isEnabled(), "it has ended")


def retrain(window: Window, out: Path, target: Path) -> None:
    window.review_page.commands.retrain.trigger()
    page = window.retrain_page
    assert window.pages.currentWidget() is page
    wait_for(page.form.isEnabled, "it has looked at the corrections")
    # As the button does it, but with a network that is small enough for a test.
    page.start(RetrainOptions(out, target, doubt=0.5, recipe="small-cnn", workers=1))
    wait_for(lambda: not page.busy, "the training has ended")
    assert page.retrained is not None, page.notice.text.text()
    QTest.mouseClick(page.outcome.keep_and_sort_button, LEFT)
    wait_for(
        lambda: window.start_page.busy or window.pages.currentWidget() is window.review_page, "it sorts again"
    )
    wait_for(lambda: not window.start_page.busy, "it has sorted again")
    wait_for(lambda: window.review_page.review is not None, "the folder is open again")


def main(photos: Path, model: Path, out: Path) -> None:
    app = QApplication(sys.argv[:1])
    settings = Settings(out.parent / "settings.ini")
    settings.letter_keys = True
    window = Window(settings)
    window.show_page(window.start_page)
    window.show()
    assert QTest.qWaitForWindowExposed(window)
    sort(window, photos, model, out)
    purple = correct(window, out)
    apply(window, out, purple)
    retrain(window, out, out.parent / "model")
    review = window.review_page
    wait_for(lambda: review.status.tally.text().startswith("12 checked"), "the marks are known again")
    wait_for(lambda: len(purple & names(out / "blue")) > 6, "the new model has learned it")
    sys.stdout.write(f"{app.platformName()} {len(purple & names(out / 'blue'))}\n")
    window.close()
    app.processEvents()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
