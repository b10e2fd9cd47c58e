"""What the tests of the review share: a sorted folder, and the page that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from support.opened import opened
from support.sorted_folder import make_output

from sorter.gui.pages.review import ReviewPage


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Red: 1, 2, 4. Blue: 3, 5. Failed: 6. By doubt: 4, 5, 2, 3, 1."""
    return make_output(tmp_path / "out", [0.99, 0.8, 0.1, 0.55, 0.3])


@pytest.fixture
def review(qtbot: QtBot, page: ReviewPage, out: Path) -> ReviewPage:
    """The module's page, with the sorted folder open."""
    return opened(qtbot, page, out)
