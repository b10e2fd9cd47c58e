"""Start the app."""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from sorter.pipeline.process import STOPPING

from .parts.language import Language
from .parts.one_instance import OneInstance
from .settings import Settings
from .window import Window

AWAKE_MS = 500
SWITCH_SECONDS = 0.002  # Python's own is 0.005


def open_window(folder: Path | None, settings: Settings | None = None) -> Window:
    """The window with a folder open for review. Without one it is where it was closed, or at the start."""
    window = Window(settings)
    # Other threads decode thumbnails; each may keep the window's thread waiting for so long, many times in one paint.
    sys.setswitchinterval(SWITCH_SECONDS)
    # What is there by now stays; looking through all of it for garbage would hold the window up again and again.
    gc.freeze()
    if folder is None:
        window.go_on()
    else:
        window.open_folder(folder)  # it is read while the window comes up
    window.show()
    return window


def main(folder: Path | None = None) -> int:
    """Show the window until it is closed. Returns the exit code."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("sorter")
    app.setApplicationDisplayName("Sorter")
    settings = Settings()
    Language(app, settings.language)
    instance = OneInstance(settings)
    if not instance.claim(folder):
        return 0  # the window that is open shows it
    window = open_window(folder, settings)
    instance.asked.connect(window.show_asked)
    # Ctrl-C in the terminal closes the window in order; Python hears of it only while Python runs now and then.
    for each in STOPPING:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, lambda *_: window.close())
    awake = QTimer()
    awake.timeout.connect(lambda: None)
    awake.start(AWAKE_MS)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
