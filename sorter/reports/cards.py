"""Contact sheets: cards with a small picture, the same on every page. `templates/sheet.html` lays them out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sorter.types import Failure, Photo, Result

THUMBNAIL = 160  # pixels

Thumbnails = Callable[[Iterable[Photo]], Iterable[Result[bytes]]]  # one JPEG per photo, in order


@dataclass(frozen=True, slots=True)
class Subject:
    """A photo that gets a card.

    Attributes:
        photo: where it lies now.
        caption: a line in bold below the picture.
        name: the file name to show; None for that of the photo.
        path: the path to show when the mouse rests on the card; None for that of the photo.
        note: more text below the name.
        decode: make a thumbnail. A file that a decoder crashed or hung on gets a placeholder.
    """

    photo: Photo
    caption: str
    name: str | None = None
    path: str | None = None
    note: str = ""
    decode: bool = True


@dataclass(frozen=True, slots=True)
class Card:
    """A photo on a page.

    Attributes:
        link: a URI of the photo.
        image: a data: URI, or None for a placeholder.
        heat: likewise, of the photo under its heat map; None for none.
        fault: why there is no picture, where a thumbnail was tried.
    """

    name: str
    path: str
    link: str
    caption: str
    note: str
    image: str | None
    fault: Failure | None
    heat: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cards under a heading.

    Attributes:
        note: smaller text beside the title.
    """

    title: str
    note: str
    cards: list[Card]


def make_cards(
    subjects: Sequence[Subject], thumbnails: Thumbnails, heats: Thumbnails | None = None
) -> list[Card]:
    """One card for each subject, in order.

    Args:
        heats: as `thumbnails`, with a heat map over each photo; None for cards without.
    """
    photos = [subject.photo for subject in subjects if subject.decode]
    results, hot = iter(thumbnails(photos)), iter(heats(photos) if heats else ())
    cards = []
    for subject in subjects:
        outcome = next(results).outcome if subject.decode else None
        heat = next(hot).outcome if heats and subject.decode else None
        cards.append(_card(subject, outcome, _data_uri(heat)))
    return cards


def photo_count(count: int) -> str:
    """`1 photo`, `1,234 photos`."""
    return f"{count:,} {'photo' if count == 1 else 'photos'}"


def _data_uri(outcome: bytes | Failure | None) -> str | None:
    if not isinstance(outcome, bytes):
        return None
    return f"data:image/jpeg;base64,{base64.b64encode(outcome).decode()}"


def _card(subject: Subject, outcome: bytes | Failure | None, heat: str | None) -> Card:
    path = subject.photo.path
    return Card(
        name=path.name if subject.name is None else subject.name,
        path=str(path) if subject.path is None else subject.path,
        link=path.absolute().as_uri(),
        caption=subject.caption,
        note=subject.note,
        image=_data_uri(outcome),
        fault=outcome if isinstance(outcome, Failure) else None,
        heat=heat,
    )
