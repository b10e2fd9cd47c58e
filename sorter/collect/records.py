"""The records of `sorter collect`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from sorter.types import SorterError


class SourceError(SorterError):
    """A source failed; a later run may succeed."""


class PictureStatus(str, Enum):
    """The state of a picture that a source listed. manifest.csv holds the value."""

    FOUND = "found"  # listed by a source, not downloaded yet
    FETCHED = "fetched"  # downloaded, not decoded yet
    PLACING = "placing"  # about to be moved into its class folder
    KEPT = "kept"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near-duplicate"
    TOO_SMALL = "too-small"
    BROKEN = "broken"
    NOT_AN_IMAGE = "not-an-image"
    OPTED_OUT = "opted-out"
    REFUSED = "refused"
    FAILED = "failed"
    LATER = "later"  # a temporary failure: the next run tries again
    REMOVED = "removed"  # was kept, and a person removed the file since


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that a source lists.

    Attributes:
        url: of the picture, http(s) or file.
        page: the web page that shows it. Unknown fields are empty, here and below.
        title: as given by the source.
        creator: likewise.
        licence: a code such as `by-sa`, `cc0` or `pdm`, with its version where known (`by-sa 4.0`).
            A web search gives its licence filter instead.
        licence_url: of the licence's text.
        width: pixels, as given by the source; None where unknown.
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
    """One page of a source's results.

    Attributes:
        candidates: in the source's order.
        last: no page follows.
    """

    candidates: Iterable[Candidate]
    last: bool


class Source(Protocol):
    """A place that lists pictures: a search service, a file of URLs, a folder."""

    @property
    def name(self) -> str:
        """A short constant name, for the manifest."""

    async def page(self, query: str, number: int) -> ResultPage:
        """One page of candidates, counted from 1.

        Raises:
            SourceError: the source failed.
            UsageError: the query names a file or folder that does not exist.
        """


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a picture was not downloaded."""

    status: PictureStatus
    reason: str


class Refused(Exception):
    """Raised where a download is refused; holds the `Refusal`."""

    def __init__(self, status: PictureStatus, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(status, reason)


@dataclass(frozen=True, slots=True)
class PictureRow:
    """One picture in the ledger.

    Attributes:
        id: its number.
        label: its class.
        query: the query that found it.
        source: the source's name.
        candidate: as the source listed it.
        status: its state.
        reason: why, where it was not kept.
        file: its path below the dataset folder; None before it has one.
        sha256: of its bytes, in hex; None before it is decoded.
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
    """Foreign text -> one printable line of at most 500 characters; empty for None."""
    if text is None:
        return ""
    line = " ".join(str(text).split())
    return "".join(each for each in line if each.isprintable())[:500]
