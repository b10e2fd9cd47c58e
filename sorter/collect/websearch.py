"""Web image search, through the `ddgs` library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sorter.collect.licences import Licences
from sorter.collect.rate_limit import Clock, backoff
from sorter.collect.records import Candidate, ResultPage, SourceError, plain

PER_PAGE = 100
MAX_PAGES = 10
ATTEMPTS = 3
Search = Callable[..., list[dict[str, Any]]]  # as `DDGS().images`


@dataclass(frozen=True)
class WebSearch:
    """A source: image search engines. They give neither creator nor licence.

    Attributes:
        licences: accepted licences, as far as the engine filters.
        search: queries the engines; None for `ddgs`.
        clock: the time.
        delay: seconds between two pages, and the first backoff.
    """

    licences: Licences = field(default_factory=Licences)
    search: Search | None = None
    clock: Clock = field(default_factory=Clock)
    delay: float = 2.0
    name: str = "web"

    async def page(self, query: str, number: int) -> ResultPage:
        """One page of results.

        Raises:
            SourceError: the engines failed.
            UsageError: no filter stands for exactly these licences.
        """
        wanted = self.licences.web
        asked: dict[str, Any] = {"page": number, "max_results": PER_PAGE, "backend": "auto"}
        if wanted:
            # The other engines silently ignore the filter.
            asked |= {"backend": "duckduckgo", "license_image": wanted}
        if number > 1:
            await self.clock.sleep(self.delay)
        found = await self._ask(query, asked)
        candidates = [_candidate(each, web_licence(self.licences)) for each in found if each.get("image")]
        return ResultPage(candidates, last=not found or number >= MAX_PAGES)

    async def _ask(self, query: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException

        search: Search = self.search or DDGS(timeout=20).images
        attempt = 1
        while True:
            try:
                return await asyncio.to_thread(search, query, **asked)
            except DDGSException as error:
                # The library has no exception class for an empty result.
                if "no results" in str(error).lower():
                    return []
                if attempt >= ATTEMPTS:
                    reason = plain(error)[:200] or type(error).__name__
                    raise SourceError(f"web search: {reason}; give the command again later") from error
            await self.clock.sleep(backoff(attempt, self.delay, 60.0))
            attempt += 1


def web_licence(licences: Licences) -> str:
    """The licence column of pictures that were found with this filter."""
    return f"{licences.web} (says the search)" if licences.web else ""


def _candidate(found: Mapping[str, Any], licence: str) -> Candidate:
    return Candidate(
        url=str(found["image"]),
        page=plain(found.get("url")),
        title=plain(found.get("title")),
        licence=licence,
        width=_size(found.get("width")),
        height=_size(found.get("height")),
    )


def _size(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None
