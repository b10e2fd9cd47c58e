"""A quarantine whose files are all back where they were."""

from __future__ import annotations

import shutil
from pathlib import Path

from sorter.output.journal.location import FOLDER
from sorter.reports.ours import remove_ours

REPORTS = ("clean.csv", "clean.html")


def remove_emptied(quarantine: Path) -> bool:
    """Remove an empty quarantine, with the reports in it. One with files that sorter did not write stays.

    Returns:
        Whether the folder is gone.
    """
    for name in REPORTS:
        remove_ours(quarantine / name)
    if {each.name for each in quarantine.iterdir()} != {FOLDER}:
        return False
    shutil.rmtree(quarantine)
    return True
