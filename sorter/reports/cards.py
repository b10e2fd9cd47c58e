"""What `evaluate` and `inspect` share: checks before anything is read, and cards with small pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sorter.reports.html import Thumbnails
from sorter.types import Failure, Photo, UsageError

THUMBNAIL = 160  # pixels


@dataclass(frozen=True)
class Card:
    """A photo on a page; `image` is a data: URI, or None with the reason in `fault`."""

    name: str
    path: str
    link: str
    caption: str
    image: str | None
    fault: Failure | None


def make_cards(photos: Sequence[Photo], captions: Sequence[str], thumbnails: Thumbnails) -> list[Card]:
    """One card for each photo, in order."""
    found = []
    for photo, caption, picture in zip(photos, captions, thumbnails(photos), strict=True):
        image, fault = None, None
        if isinstance(picture.outcome, Failure):
            fault = picture.outcome
        else:
            image = f"data:image/jpeg;base64,{base64.b64encode(picture.outcome).decode()}"
        path = photo.path
        found.append(Card(path.name, str(path), path.absolute().as_uri(), caption, image, fault))
    return found


def take_report_folder(out: Path | None, files: Sequence[str]) -> None:
    """Make the folder before any work is done; a report replaces an earlier one of the same files, nothing else.

    Raises:
        UsageError: it holds something else, or cannot be made.
    """
    if out is None:
        return
    if not out.exists():
        try:
            out.mkdir(parents=True)
        except OSError as error:
            raise UsageError(
                f"--out {out}: cannot be made ({error.strerror}); name another folder"
            ) from error
        return
    if not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    others = sorted(path.name for path in out.iterdir() if path.name not in files)
    if others:
        raise UsageError(f"--out {out}: holds {others[0]}, which is no part of a report; name another folder")
