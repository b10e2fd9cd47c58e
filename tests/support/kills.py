"""A command that is killed with -9 at a chosen moment."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

Moment = Callable[[Path], bool]  # has it come?


def run(*given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(given, capture_output=True, text=True, timeout=120, check=False)


def killed(given: list[str], out: Path, moment: Moment, delay: float) -> bool:
    """Start a command and kill it with -9 at a moment; False where it came to its end before that."""
    null = subprocess.DEVNULL
    process = subprocess.Popen(given, stdout=null, stderr=null)
    try:
        while process.poll() is None and not moment(out):
            time.sleep(0.0003)
        time.sleep(delay)
    finally:
        process.kill()
        process.wait(60)
    return process.returncode < 0
