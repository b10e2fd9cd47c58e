"""Open the window on one folder, drive it and time it from within. It prints one line of JSON.

A heartbeat in the window's thread beats as often as that thread is free. The longest gap between two beats is the
longest stall that a person could feel. `scripts/benchmark.py gui` runs this.

Example:
    QT_QPA_PLATFORM=offscreen python scripts/benchmarks/window.py ./sorted
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from sorter.gui.__main__ import open_window
from sorter.gui.parts.models import Order
from sorter.gui.settings import Settings
from sorter.gui.window import Window

SCROLL_STEPS = 400
STEP_MS = 16  # between two steps of the scroll bar
PAUSE_MS = 400  # after each change of the order


class Heartbeat(QObject):
    """The longest time between two beats, on the clock, and the longest that this thread itself computed."""

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._beat)
        self.start()

    def start(self) -> None:
        """Start again from zero."""
        self.longest = self.computed = 0.0
        self._last, self._busy = time.perf_counter(), time.thread_time()
        self._timer.start(0)

    def stop(self) -> dict[str, float]:
        self._beat()
        self._timer.stop()
        return {"stall": self.longest, "computed": self.computed}

    def _beat(self) -> None:
        now, busy = time.perf_counter(), time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self.computed = max(self.computed, busy - self._busy)
        self._last, self._busy = now, busy


class FirstScreen(QObject):
    """Records when the grid was first painted with photos in it."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self.at: float | None = None
        window.review_page.grid.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.Paint
            and self.at is None
            and self._window.review_page.grid.photos.rowCount()
        ):
            self.at = -1.0
            QTimer.singleShot(0, self._painted)  # after the paint event
        return False

    def _painted(self) -> None:
        self.at = time.time()


def wait(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"window: not ready after {seconds:g} s")
        wait(5)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("Example:")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--screen-only", action="store_true", help="stop at the first screen")
    arguments = parser.parse_args()
    process = psutil.Process()
    app = QApplication(sys.argv[:1])
    window = open_window(arguments.folder, Settings(arguments.settings))
    screen = FirstScreen(window)  # nothing is painted before events are processed
    wait_for(lambda: screen.at is not None and screen.at > 0)
    found: dict[str, object] = {
        "photos": window.review_page.grid.photos.rowCount(),
        "first_screen": (screen.at or 0.0) - process.create_time(),
        "computed": time.process_time(),
    }
    if not arguments.screen_only:
        found |= drive(window, process)
    print(json.dumps(found), flush=True)
    window.close()
    app.processEvents()


def drive(window: Window, process: psutil.Process) -> dict[str, object]:
    """Sort in every order, drag the threshold, scroll from top to bottom."""
    review = window.review_page
    grid, bar, filters = review.grid, review.grid.verticalScrollBar(), review.filters
    wait(3000)  # names are read meanwhile, and the first thumbnails made
    before, heart = process.memory_info().rss, Heartbeat()
    for order in (*reversed(Order), Order.DOUBT, Order.HIGHEST):
        filters.order.setCurrentIndex(filters.order.findData(order))
        wait(PAUSE_MS)
    sorting = heart.stop()
    heart.start()
    for step in range(40):
        review.panel.moved.emit(0.3 + step / 100)
        wait(STEP_MS)
    dragging = heart.stop()
    filters.order.setCurrentIndex(filters.order.findData(Order.DOUBT))
    wait(PAUSE_MS)
    heart.start()
    seen = 0
    for step in range(SCROLL_STEPS + 1):
        bar.setValue(bar.maximum() * step // SCROLL_STEPS)
        wait(STEP_MS)
        seen = max(seen, process.memory_info().rss)
    scrolling = heart.stop()
    wait(2000)  # the last thumbnails
    return {
        "sorting": sorting,
        "dragging": dragging,
        "scrolling": scrolling,
        "at_bottom": grid.visible().stop == grid.photos.rowCount(),
        "memory_before": before,
        "memory_peak": max(seen, process.memory_info().rss),
    }


if __name__ == "__main__":
    main()
