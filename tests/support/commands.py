"""The command itself, and what it leaves on the disk."""

from __future__ import annotations

import csv
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Sorter = Callable[..., "subprocess.CompletedProcess[str]"]


def command(model: Path, *arguments: object) -> list[str]:
    """The argument vector of `sorter ...`, with the small model and its quickest engine unless told otherwise."""
    given = [str(argument) for argument in arguments]
    if given and given[0] == "run":
        given += [] if "--model" in given else ["--model", str(model)]
        given += [] if "--engine" in given else ["--engine", "onnx", "--precision", "fp32"]
        given += [] if "-j" in given else ["-j", "2"]
    return [sys.executable, "-m", "sorter", *given]


def read_report(out: Path) -> list[dict[str, str]]:
    """The rows of an output folder's report.csv."""
    with (out / "report.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


REPORT = re.compile(r"\.?report\.")  # with a dot: one that a killed process was writing


def hashes(folder: Path) -> dict[str, str]:
    """Relative name -> SHA-256 of every file below a folder, but for the reports and what `.sorter` holds."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".sorter" not in path.parts and not REPORT.match(path.name)
    }
