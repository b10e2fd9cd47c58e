"""Openverse: a search over openly licensed pictures, with creator and licence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sorter.collect.fetch import Fetcher
from sorter.collect.licences import Licences
from sorter.collect.records import Candidate, Refusal, ResultPage, SourceError, plain

SERVICE = "https://api.openverse.org/v1/images/"
PAGE_SIZE = 20  # the largest page without an API key
PERIODS = {"sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
LIMIT, AVAILABLE = "x-ratelimit-limit-", "x-ratelimit-available-"
SPREAD = 3600.0  # seconds. Requests are spread evenly over the period of a quota up to this long.


@dataclass(frozen=True)
class Openverse:
    """A source: the REST API, version 1.

    Attributes:
        fetcher: sends the requests.
        licences: accepted licences.
        service: the URL of the image search.
    """

    fetcher: Fetcher
    licences: Licences = field(default_factory=Licences)
    service: str = SERVICE
    name: str = "openverse"

    async def page(self, query: str, number: int) -> ResultPage:
        """One page of results. Raises SourceError: no response, a malformed one, or the quota is used up."""
        asked: dict[str, Any] = {"q": query, "page": number, "page_size": PAGE_SIZE}
        if self.licences.openverse:
            asked["license"] = self.licences.openverse
        answer = await self.fetcher.get(f"{self.service}?{urlencode(asked)}")
        if isinstance(answer, Refusal):
            raise SourceError(f"openverse: {answer.reason}; give the command again later")
        self._apply_quota(answer.headers)
        if number > 1 and answer.status in (400, 401, 403, 404):
            return ResultPage((), last=True)  # deeper pages need an API key
        if answer.status != 200:
            raise SourceError(f"openverse: HTTP {answer.status} for {query!r}")
        try:
            found = json.loads(answer.body)
            candidates = [_candidate(each) for each in found["results"] if each.get("url")]
            pages = int(found["page_count"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError("openverse: the response does not match its documentation") from error
        return ResultPage([each for each in candidates if self.licences.allow(each.licence)], number >= pages)

    def _apply_quota(self, headers: Mapping[str, str]) -> None:
        """Apply the quotas in the response headers, such as 20/min and 200/day."""
        from yarl import URL

        url = URL(self.service)
        host = f"{url.host}:{url.port}"
        named = {key.lower(): value for key, value in headers.items()}
        for key, value in named.items():
            match = re.fullmatch(r"(\d+)/([a-z]+)", value.strip())
            if not key.startswith(LIMIT) or not match or match[2] not in PERIODS:
                continue
            period = PERIODS[match[2]]
            if period <= SPREAD:
                self.fetcher.rate.slow(host, period / max(1, int(match[1])))
            if named.get(AVAILABLE + key.removeprefix(LIMIT), "").strip() == "0":
                self.fetcher.rate.hold(host, period)


def _candidate(found: Mapping[str, Any]) -> Candidate:
    version = plain(found.get("license_version"))
    licence = plain(found.get("license")).lower()
    return Candidate(
        url=str(found["url"]),
        page=plain(found.get("foreign_landing_url")),
        title=plain(found.get("title")),
        creator=plain(found.get("creator")),
        licence=f"{licence} {version}".strip(),
        licence_url=plain(found.get("license_url")),
        width=_size(found.get("width")),
        height=_size(found.get("height")),
    )


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
