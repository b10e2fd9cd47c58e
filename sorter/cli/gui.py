"""`sorter gui`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from sorter.cli.command import CommandResult, require_extra
from sorter.cli.flags import add_command


def add_gui(commands: Any) -> None:
    parser = add_command(
        commands,
        "gui",
        "sort, review, correct and retrain in a window",
        "Open the desktop app. With DIR, an output folder of `sorter run`, it opens that folder for review. The least "
        "certain photos come first. Correct them with the keyboard, then apply the corrections to the folders.",
        ("sorter gui ", "sorter gui ./sorted"),
    )
    parser.add_argument("folder", nargs="?", metavar="DIR", type=Path, help="Output folder to review.")
    parser.set_defaults(command=_gui)


def _gui(arguments: argparse.Namespace) -> CommandResult:
    from sorter.output.journal import Journal

    require_extra("PySide6", extra="gui")
    if arguments.folder is not None:
        Journal.read(arguments.folder).close()
    _check_display()
    try:
        from sorter.gui.__main__ import main
    except ImportError as error:
        raise _missing(error) from error
    code: int = main(arguments.folder)
    return CommandResult(exit_code=code)


def _check_display() -> None:
    """Raise SorterError where Qt cannot show a window. Qt itself would end the process without a message."""
    from sorter.types import SorterError

    if not sys.platform.startswith("linux") or "QT_QPA_PLATFORM" in os.environ:
        return
    if "WAYLAND_DISPLAY" in os.environ:
        return
    if "DISPLAY" not in os.environ:
        raise SorterError(
            "there is no display to show a window on; give the command in a desktop session, or open "
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
        f"the window cannot be shown ({error}); install the missing library, on Debian and Ubuntu with "
        "`apt install libegl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1`"
    )
