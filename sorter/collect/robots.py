"""robots.txt and `X-Robots-Tag`: may a picture be downloaded and used for training?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protego import Protego

AGENT = "sorter"  # our name in robots.txt and X-Robots-Tag
OPT_OUTS = frozenset({"noai", "noimageai", "noml", "noindex", "noimageindex", "none"})
WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
MAX_ROBOTS = 512 * 1024  # bytes of a robots.txt that are read (RFC 9309, 2.5: at least 500 KiB)


def parse_robots(body: bytes) -> Protego:
    """The rules of a robots.txt (RFC 9309). Bytes that are not text give no rules."""
    from protego import Protego

    return Protego.parse(body[:MAX_ROBOTS].decode("utf-8", errors="replace").removeprefix("\ufeff"))


def opted_out(values: Iterable[str]) -> str | None:
    """The first `X-Robots-Tag` directive that keeps a picture out of a dataset, or None.

    Directives count where they address everybody or our agent. A name before a colon addresses the directives after
    it. `none` is short for `noindex, nofollow`.
    Source: Google's specification of X-Robots-Tag; the directives are those that img2dataset obeys, and noml.
    """
    for value in values:
        ours = True
        for part in value.lower().split(","):
            name, colon, rest = part.partition(":")
            name, rest = name.strip(), rest.strip()
            if colon and name not in WITH_VALUE:
                ours, name = name in ("*", AGENT), rest
            if ours and name in OPT_OUTS:
                return name
    return None
