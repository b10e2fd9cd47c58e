"""What `sorter collect` can be told, and what it tells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sorter.collect.licences import Licences
from sorter.collect.names import check_classes
from sorter.collect.pacing import Manners
from sorter.collect.records import PictureStatus
from sorter.types import UsageError, check_above_zero

SOURCES = ("openverse", "web", "urls", "folder")


@dataclass(frozen=True)
class CollectOptions:
    """What `sorter collect` can be told.

    Attributes:
        classes: names and their queries; for the sources `urls` and `folder` a query is a path.
        out: the dataset folder.
        sources: where to look, in this order; of `SOURCES`.
        licences: that will do.
        limit: pictures of each class; None for all that there are.
        min_size: pixels that the shorter side must have.
        attribution: write ATTRIBUTION.md as well.
        dry_run: search, and only say what would be fetched.
        workers: processes that decode; None for one per core.
        max_megapixels: larger pictures are not kept.
        timeout_per_file: seconds that decoding may take.
        manners: of fetching.
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
    max_megapixels: float = 250.0
    timeout_per_file: float = 60.0
    manners: Manners = field(default_factory=Manners)


@dataclass(frozen=True)
class Collected:
    """What a collection holds.

    Attributes:
        out: the dataset folder.
        counts: class -> status -> pictures, over all runs.
        new: pictures kept by this run.
        short: classes that have fewer pictures than the limit, or none.
        troubles: what sources could not answer.
        seconds: all in all.
        dry_run: nothing was fetched.
    """

    out: Path
    counts: dict[str, Counter[PictureStatus]]
    new: int
    short: tuple[str, ...]
    troubles: tuple[str, ...]
    seconds: float
    dry_run: bool = False

    @property
    def total(self) -> int:
        """Pictures that the dataset holds."""
        return sum(counts[PictureStatus.KEPT] for counts in self.counts.values())

    @property
    def unfinished(self) -> bool:
        """Whether the same command may find more later."""
        later = any(self.counts[label][PictureStatus.LATER] for label in self.short if label in self.counts)
        return bool(self.short) and (bool(self.troubles) or later)

    def to_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "classes": {
                label: {status.value: count for status, count in sorted(counts.items()) if count}
                for label, counts in self.counts.items()
            },
            "new": self.new,
            "short": list(self.short),
            "troubles": list(self.troubles),
            "unfinished": self.unfinished,
            "dry_run": self.dry_run,
            "seconds": round(self.seconds, 3),
        }


def check_options(options: CollectOptions) -> None:
    """Raises UsageError for what can be seen to be wrong before anything is read."""
    check_classes([name for name, _ in options.classes])
    if not options.classes:
        raise UsageError("--class: is required; give a name and what to look for")
    for name, queries in options.classes:
        if not queries or not all(query.strip() for query in queries):
            raise UsageError(f"--class {name}: has no query; say behind its name what to look for")
    if options.out.exists() and not options.out.is_dir():
        raise UsageError(f"--out {options.out}: is a file; name a folder")
    check_above_zero(
        limit=options.limit,
        workers=options.workers,
        max_megapixels=options.max_megapixels,
        timeout_per_file=options.timeout_per_file,
        connections=options.manners.connections,
        max_bytes=options.manners.max_bytes,
    )
    for flag, value in (("--min-size", options.min_size), ("--delay", options.manners.delay)):
        if value < 0:
            raise UsageError(f"{flag}: {value:g} is below zero")
