"""The sources that `--source` names."""

from __future__ import annotations

from collections.abc import Callable

from sorter.collect.fetch import Fetcher
from sorter.collect.listed import Folder, UrlFile
from sorter.collect.openverse import Openverse
from sorter.collect.options import SOURCES, CollectOptions
from sorter.collect.records import Source
from sorter.collect.websearch import WebSearch
from sorter.types import UsageError


def make_sources(options: CollectOptions, fetcher: Fetcher) -> list[Source]:
    """The sources that were asked for. Raises UsageError: an unknown one, or one that cannot do what is asked."""
    made: dict[str, Callable[[], Source]] = {
        "openverse": lambda: Openverse(fetcher, options.licences),
        "web": lambda: WebSearch(options.licences, clock=fetcher.clock),
        "urls": lambda: UrlFile(options.licences),
        "folder": Folder,
    }
    for name in options.sources:
        if name not in made:
            raise UsageError(f"--source: {name!r} is none of {', '.join(SOURCES)}")
    if "web" in options.sources:
        _ = options.licences.web
    if "folder" in options.sources and options.licences.codes is not None:
        raise UsageError("--licence: what lies in a folder says nothing of its licence; leave the flag away")
    return [made[name]() for name in dict.fromkeys(options.sources)]
