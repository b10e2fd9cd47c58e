"""`sorter gui`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from sorter.cli.common import needs_extra


def add_gui(commands: Any) -> None:
    parser = commands.add_parser(
        "gui",
        help="sort, look through, correct and retrain in a window",
        description="Open the desktop app. With DIR, an output folder of `sorter run`, it opens that for review: the "
        "most doubtful photos first, corrected with the keyboard, then applied to the folders.",
        epilog="examples:\n  sorter gui \n  sorter gui ./sorted",
    )
    parser.add_argument("folder", nargs="?", metavar="DIR", type=Path, help="an output folder to review")
    parser.set_defaults(command=_gui)


def _gui(arguments: argparse.Namespace) -> int:
    from sorter.output.journal import Journal

    needs_extra("PySide6", extra="gui")
    if arguments.folder is not None:
        Journal.read(arguments.folder).close()
    _check_display()
    try:
        from sorter.gui.__main__ import main
    except ImportError as error:
        raise _missing(error) from error
    code: int = main(arguments.folder)
    return code


def _check_display() -> None:
    """Qt ends the process without a word to a person where it cannot show a window; so look first."""
    from sorter.types import SorterError

    if not sys.platform.startswith("linux") or "QT_QPA_PLATFORM" in os.environ:
        return
    if "WAYLAND_DISPLAY" in os.environ:
        return
    if "DISPLAY" not in os.environ:
        raise SorterError(
            "there is no display to show a window on; give the command in a desktop session, or review with "
            "report.html in the output folder"
        )
    import ctypes

    import PySide6

    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        raise _missing(error) from error


def _missing(error: Exception) -> Exception:
    from sorter.types import SorterError

    return SorterError(
        f"the window cannot be shown ({error}); install that library, on Debian and Ubuntu with "
        "`apt install libegl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1`"
    )
