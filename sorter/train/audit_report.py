"""The report of `sorter audit`: audit.csv, audit.json and report.html."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.files import atomic_text
from sorter.reports.cards import Sheet, Subject, Thumbnails, make_cards, photo_count
from sorter.reports.page import write_page
from sorter.types import SorterError

if TYPE_CHECKING:
    from sorter.train.audit import Audit, AuditedPhoto

TABLE, DATA, PAGE = "audit.csv", "audit.json", "report.html"
FILES = (TABLE, DATA, PAGE)
COLUMNS = ("path", "label", "suggested", "probability", "issues", "like", "distance", "part")
MAX_CARDS = 96  # photos of each issue on the page
TITLES = {
    "label": "Labels that are probably wrong",
    "conflict": "Look like a photo of another class",
    "leak": "Look like a photo of another part, or are of its group",
    "outlier": "Like no other photo",
}


def write_audit(out: Path, found: Audit, thumbnails: Thumbnails) -> None:
    """Write the report into a folder, which is made if need be.

    Raises:
        SorterError: the folder cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with atomic_text(out / TABLE) as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(map(_row, found.photos))
        with atomic_text(out / DATA) as file:
            json.dump(found.to_json(), file, indent=2)
            file.write("\n")
    except OSError as error:
        raise SorterError(
            f"{error.filename or out}: {error.strerror or error}; name another folder for the report"
        ) from error
    write_page(out / PAGE, "audit.html", {"found": found, "sheets": _sheets(found, thumbnails)})


def _row(each: AuditedPhoto) -> tuple[str, ...]:
    like = "" if each.like is None else str(each.like)
    numbers = f"{each.probability:.6f}", f"{each.distance:.6f}"
    issues = ";".join(each.issues)
    return (str(each.photo.path), each.label, each.suggested, numbers[0], issues, like, numbers[1], each.part)


def _sheets(found: Audit, thumbnails: Thumbnails) -> list[Sheet]:
    sheets = []
    for issue, title in TITLES.items():
        photos = [each for each in found.photos if issue in each.issues]
        if photos:
            subjects = [Subject(each.photo, *_words(each, issue)) for each in photos[:MAX_CARDS]]
            note = photo_count(len(photos)) + (f", the first {MAX_CARDS}" if len(photos) > MAX_CARDS else "")
            sheets.append(Sheet(title, note, make_cards(subjects, thumbnails)))
    return sheets


def _words(each: AuditedPhoto, issue: str) -> tuple[str, str, str, str]:
    """Caption, name, path and note of a card."""
    name, path = each.photo.path.name, str(each.photo.path)
    if issue == "label":
        return f"{each.label}: rather {each.suggested}", name, path, f"{each.label} {each.probability:.1%}"
    if issue == "outlier":
        return each.label, name, path, f"distance {each.distance:.2f}"
    return each.label, name, path, f"like {each.like}"
