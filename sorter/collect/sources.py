"""The sources that `--source` names."""

from __future__ import annotations

from collections.abc import Callable

from sorter.collect.fetch import Fetcher
from sorter.collect.lists import PhotoFolder, UrlList
from sorter.collect.openverse import Openverse
from sorter.collect.options import SOURCES, CollectOptions
from sorter.collect.records import Source
from sorter.collect.websearch import WebSearch
from sorter.types import UsageError


def make_sources(options: CollectOptions, fetcher: Fetcher) -> list[Source]:
    """Build the chosen sources. Raises UsageError for an unknown source, or one that cannot filter as asked."""
    made: dict[str, Callable[[], Source]] = {
        "openverse": lambda: Openverse(fetcher, options.licences),
        "web": lambda: WebSearch(options.licences, clock=fetcher.clock),
        "urls": lambda: UrlList(options.licences),
        "folder": lambda: PhotoFolder(include_protected=options.include_protected),
    }
    for name in options.sources:
        if name not in made:
            raise UsageError(f"--source: {name!r} is none of {', '.join(SOURCES)}")
    if "web" in options.sources:
        _ = options.licences.web
    if "folder" in options.sources and options.licences.codes is not None:
        raise UsageError("--licence: photos in a folder have no licence; leave out the flag")
    return [made[name]() for name in dict.fromkeys(options.sources)]
