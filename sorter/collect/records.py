"""The records that cross the rooms of collecting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from sorter.types import SorterError


class SourceError(SorterError):
    """A source cannot answer now."""


class PictureStatus(str, Enum):
    """What became of a picture that a source named. The value is what manifest.csv holds."""

    FOUND = "found"  # named by a source, not fetched yet
    FETCHED = "fetched"  # its bytes are here, not looked at yet
    PLACING = "placing"  # about to be put into its class folder
    KEPT = "kept"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near-duplicate"
    TOO_SMALL = "too-small"
    BROKEN = "broken"
    NOT_AN_IMAGE = "not-an-image"
    OPTED_OUT = "opted-out"
    REFUSED = "refused"
    FAILED = "failed"
    LATER = "later"  # the next run tries again
    REMOVED = "removed"  # was kept, and somebody took it out since


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that a source names.

    Attributes:
        url: of the picture, http(s) or file.
        page: the web page it stands on; empty where unknown, as is each of those below.
        title: as the source has it.
        creator: likewise.
        licence: a code such as `by-sa`, `cc0` or `pdm` with its version where known (`by-sa 4.0`), or what
            a search engine was asked for.
        licence_url: of its text.
        width: in pixels as the source says; None where it does not.
        height: likewise.
    """

    url: str
    page: str = ""
    title: str = ""
    creator: str = ""
    licence: str = ""
    licence_url: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One answer of a source.

    Attributes:
        candidates: in the source's order.
        last: there is nothing after this page.
    """

    candidates: Iterable[Candidate]
    last: bool


class Source(Protocol):
    """Where pictures come from: a search service, a list, a folder."""

    @property
    def name(self) -> str:
        """Short and constant, for the manifest."""

    async def page(self, query: str, number: int) -> ResultPage:
        """The candidates of one page, the first being 1.

        Raises:
            SourceError: it cannot answer now.
            UsageError: the query names something that does not exist.
        """


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a picture was not fetched."""

    status: PictureStatus
    reason: str


class Refused(Exception):
    """Carries a refusal out of the depths."""

    def __init__(self, status: PictureStatus, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(status, reason)


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One picture in the ledger.

    Attributes:
        id: its number.
        label: the class it was looked for.
        query: what was asked.
        source: who named it.
        candidate: as it was named.
        status: what became of it.
        reason: why, where it was not kept.
        file: its path below the dataset folder; None where it has none.
        sha256: of its bytes, in hex; None before they were looked at.
        phash: its perceptual hash, 64 bits; likewise.
    """

    id: int
    label: str
    query: str
    source: str
    candidate: Candidate
    status: PictureStatus
    reason: str = ""
    file: str | None = None
    sha256: str | None = None
    phash: int | None = None


def plain(text: Any) -> str:
    """One line of text, whatever a stranger wrote; empty for None."""
    if text is None:
        return ""
    line = " ".join(str(text).split())
    return "".join(each for each in line if each.isprintable())[:500]
