"""The options of `sorter collect`, and the summary it returns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sorter.collect.filenames import check_classes
from sorter.collect.licences import Licences
from sorter.collect.rate_limit import FetchLimits
from sorter.collect.records import PictureStatus
from sorter.types import Limits, UsageError, check_above_zero

SOURCES = ("openverse", "web", "urls", "folder")


@dataclass(frozen=True)
class CollectOptions:
    """The options of `sorter collect`. The defaults are those of the command line.

    Attributes:
        classes: names and their queries; for the sources `urls` and `folder` a query is a path.
        out: the dataset folder.
        sources: where to look, in this order; of `SOURCES`.
        licences: accepted licences.
        limit: pictures of each class; None for no limit.
        min_size: least pixels of the shorter side.
        attribution: also write ATTRIBUTION.md.
        dry_run: search, and download nothing.
        workers: processes that decode; None for one a core.
        limits: what a photo may cost.
        include_protected: of the source `folder`: read folders of other programs too.
        fetch: limits of requests and downloads.
    """

    classes: tuple[tuple[str, tuple[str, ...]], ...]
    out: Path
    sources: tuple[str, ...] = ("openverse",)
    licences: Licences = field(default_factory=Licences)
    limit: int | None = 200
    min_size: int = 128
    attribution: bool = False
    dry_run: bool = False
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    fetch: FetchLimits = field(default_factory=FetchLimits)
    include_protected: bool = False


@dataclass(frozen=True)
class CollectSummary:
    """The result of `sorter collect`.

    Attributes:
        out: the dataset folder.
        counts: class -> status -> pictures, over all runs.
        new: pictures kept by this run.
        short: classes with fewer pictures than the limit, or none.
        source_errors: messages of sources that failed.
        seconds: duration of this run.
        dry_run: nothing was downloaded.
    """

    out: Path
    counts: dict[str, Counter[PictureStatus]]
    new: int
    short: tuple[str, ...]
    source_errors: tuple[str, ...]
    seconds: float
    dry_run: bool = False

    @property
    def total(self) -> int:
        """Pictures in the dataset."""
        return sum(counts[PictureStatus.KEPT] for counts in self.counts.values())

    @property
    def unfinished(self) -> bool:
        """Whether the same command may find more later."""
        later = any(self.counts[label][PictureStatus.LATER] for label in self.short if label in self.counts)
        return bool(self.short) and (bool(self.source_errors) or later)

    def to_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "classes": {
                label: {status.value: count for status, count in sorted(counts.items()) if count}
                for label, counts in self.counts.items()
            },
            "new": self.new,
            "short": list(self.short),
            "troubles": list(self.source_errors),
            "unfinished": self.unfinished,
            "dry_run": self.dry_run,
            "seconds": round(self.seconds, 3),
        }


def check_options(options: CollectOptions) -> None:
    """Check the options before any file is read. Raises UsageError."""
    check_classes([name for name, _ in options.classes])
    if not options.classes:
        raise UsageError("--class: is required; give a class name and a query")
    for name, queries in options.classes:
        if not queries or not all(query.strip() for query in queries):
            raise UsageError(f"--class {name}: has no query; give the query after the name")
    if options.out.exists() and not options.out.is_dir():
        raise UsageError(f"--out {options.out}: is a file; name a folder")
    check_above_zero(
        limit=options.limit,
        workers=options.workers,
        connections=options.fetch.connections,
        max_bytes=options.fetch.max_bytes,
    )
    options.limits.check()
    for flag, value in (("--min-size", options.min_size), ("--delay", options.fetch.delay)):
        if value < 0:
            raise UsageError(f"{flag}: {value:g} is below zero")
