"""Fixtures that every test may ask for: the small model, the command, a cache of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytestqt.qtbot import QtBot
from support.commands import Sorter, command
from support.models import make_model

if TYPE_CHECKING:
    from sorter.gui.worker import Jobs


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the red / blue model."""
    return make_model(tmp_path_factory.mktemp("models") / "colours").folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither use nor fill the cache of whoever runs them."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def sorter(model: Path) -> Sorter:
    """The command itself, in a process of its own, as a user gives it; `run` gets the small model by default."""

    def run(*arguments: object, timeout: float = 120, **keywords: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(model, *arguments),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            check=False,
            **keywords,  # type: ignore[call-overload]
        )

    return run


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[Jobs]:
    """The owner of the window's processes."""
    from sorter.gui.worker import Jobs

    owner = Jobs()
    yield owner
    owner.close()
