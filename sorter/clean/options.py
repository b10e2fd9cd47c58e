"""The options of `sorter clean`, and the summary it returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sorter.address import Address
from sorter.clean.quality import Thresholds
from sorter.clean.records import NO_FAULT, REMOVABLE, Kind
from sorter.photos.companions import COMPANIONS, check_companions
from sorter.photos.fingerprint import MAX_DISTANCE
from sorter.photos.listing import Listing, folder_of
from sorter.photos.rows import FileList, check_sources
from sorter.photos.scan import Scan, compile_patterns
from sorter.types import Limits, UsageError, check_above_zero

ACTIONS = ("quarantine", "hardlink", "trash", "delete")


@dataclass(frozen=True)
class CleanOptions:
    """The options of `sorter clean`. The defaults are those of the command line.

    Attributes:
        inputs: folders and files; none where `listing` names them.
        remove: kinds to remove, words of `REMOVABLE`.
        action: one of `ACTIONS`.
        quarantine: a folder; None for `NAME-quarantine` beside the first input or the list.
        report: the CSV; None for clean.csv beside the quarantine. The HTML page is written beside it.
        dry_run: change no file. The report is written only where `report` names one.
        fix_extensions: rename the misnamed files that are not removed.
        quick: headers and structure only.
        similarity: bits in which the perceptual hashes of near duplicates may differ, 0 to 16.
        classes: the folders of each input are classes. Folders below train, val and test always are.
        thresholds: of poor photos.
        exclude, hidden, follow_symlinks, include_protected, workers, limits: as for a run.
        cache: keep and use records of unchanged files.
        cache_file: None for a file in the user's cache folder.
        only: remove no other files than these; None for all.
        prefer: copies to keep, before any other criterion but `keep`.
        keep: folders whose copies are never removed.
        companions: one of `COMPANIONS`. `auto` removes raws, sidecars and films with their photo.
        listing: a list of the files, instead of `inputs`.
    """

    inputs: tuple[Path, ...]
    remove: tuple[str, ...] = ("broken",)
    action: str = "quarantine"
    quarantine: Path | None = None
    report: Path | None = None
    dry_run: bool = False
    fix_extensions: bool = False
    quick: bool = False
    similarity: int = MAX_DISTANCE
    classes: bool = False
    thresholds: Thresholds = field(default_factory=Thresholds)
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    follow_symlinks: bool = False
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    cache: bool = True
    cache_file: Path | None = None
    only: frozenset[Path] | None = None
    prefer: frozenset[Path] = frozenset()
    keep: tuple[Path, ...] = ()
    companions: str = COMPANIONS[0]
    include_protected: bool = False
    listing: FileList | None = None

    @property
    def roots(self) -> tuple[Path, ...]:
        """What the files are looked at from: the inputs, or the folder of the list."""
        return self.inputs if self.listing is None else (folder_of(self.listing),)


@dataclass(frozen=True)
class CleanSummary:
    """The result of `sorter clean`.

    Attributes:
        counts: verdict -> files.
        reasons: verdict -> first reason -> files.
        groups: groups of duplicates and similar pictures; of these `across_splits`, `across_classes`, and
            `similar_groups` of several pictures of one scene.
        actions: action, or its failure -> files.
        would_remove: files to remove. A dry run removes none.
        examined: files examined by this run.
        cached: files whose record came from the cache.
        quarantine: the folder; None where it is empty.
    """

    counts: dict[str, int]
    reasons: dict[str, dict[str, int]]
    groups: int
    across_splits: int
    across_classes: int
    similar_groups: int
    actions: dict[str, int]
    would_remove: int
    examined: int
    cached: int
    seconds: float
    quarantine: Path | None
    report: Path | None
    page: Path | None
    dry_run: bool

    @property
    def faults(self) -> int:
        """Files with a fault."""
        return sum(count for name, count in self.counts.items() if Kind(name) not in NO_FAULT)

    @property
    def failed(self) -> int:
        """Files that could not be read or not be removed."""
        undone = sum(count for action, count in self.actions.items() if action.startswith("failed"))
        return undone + self.counts.get(Kind.UNREADABLE.value, 0)

    def to_json(self) -> dict[str, Any]:
        data = {**asdict(self), "faults": self.faults, "seconds": round(self.seconds, 3)}
        return {key: str(value) if isinstance(value, Path) else value for key, value in data.items()}


def _kept_folder(folder: Path, inputs: tuple[Path, ...]) -> Path:
    """A folder of `--keep`, absolute. Raises UsageError where it would keep nothing."""
    if not folder.is_dir():
        raise UsageError(f"--keep {folder}: is no folder; name a folder that exists")
    found = folder.resolve()
    if not inputs:  # a list names files anywhere
        return found
    named = folder.parent.resolve() / folder.name  # perhaps a link within PATH
    for given in inputs:
        root = given.resolve()
        if root == found or found in root.parents or root in found.parents or root in named.parents:
            return found
    raise UsageError(f"--keep {folder}: lies outside the folders to clean; name it as a PATH, too")


def scan_of(options: CleanOptions) -> Scan | Listing:
    """The scan of the inputs, or the files of the list."""
    if options.listing is not None:
        return Listing(options.listing, options.exclude, options.quarantine)
    return Scan(
        roots=options.inputs,
        exclude=options.exclude,
        leave_out=options.quarantine,
        follow_symlinks=options.follow_symlinks,
        hidden=options.hidden,
        include_protected=options.include_protected,
    )


def csv_path(options: CleanOptions) -> Path:
    assert options.quarantine is not None
    return options.report or options.quarantine.parent / "clean.csv"


def resolved(options: CleanOptions) -> CleanOptions:
    """Check the options, and make the paths absolute. Raises UsageError."""
    check_sources("PATH", options.inputs, options.listing)
    for given in options.inputs:
        if not given.exists():
            raise UsageError(f"{given}: no such file or folder; name a folder or a file that exists")
    inputs = tuple(
        path.resolve() if path.is_dir() else path.parent.resolve() / path.name for path in options.inputs
    )
    listing = None if options.listing is None else options.listing.absolute()
    quarantine = (options.quarantine or _default_quarantine(inputs, listing)).resolve()
    if quarantine.exists() and not quarantine.is_dir():
        raise UsageError(f"--quarantine {quarantine}: is a file; name a folder")
    for path in inputs:
        if path == quarantine or quarantine in path.parents:
            raise UsageError(f"{path}: is inside the quarantine {quarantine}; name another with --quarantine")
    for word in options.remove:
        if word not in REMOVABLE:
            raise UsageError(f"--remove: {word!r} is none of {', '.join(REMOVABLE)}")
    check_companions(options.companions)
    if options.action not in ACTIONS:
        raise UsageError(f"--action: {options.action!r} is none of {', '.join(ACTIONS)}")
    if options.action == "hardlink" and options.remove != ("duplicates",):
        raise UsageError(
            "--action hardlink: replaces exact copies only; give --remove duplicates, and no other kind"
        )
    if not 0 <= options.similarity <= 16:
        raise UsageError(f"--similarity: {options.similarity} is not within 0 and 16")
    check_above_zero(workers=options.workers)
    options.limits.check()
    compile_patterns(options.exclude)
    report = options.report.absolute() if options.report else None
    keep = tuple(_kept_folder(each, inputs) for each in options.keep)
    return replace(options, inputs=inputs, quarantine=quarantine, report=report, keep=keep, listing=listing)


def _default_quarantine(inputs: tuple[Path, ...], listing: FileList | None) -> Path:
    """Raises UsageError for a list that lies nowhere on this machine."""
    if listing is None:
        return inputs[0].with_name(f"{inputs[0].name or 'root'}-quarantine")
    if listing.path is None or isinstance(listing.path, Address):
        raise UsageError(
            f"--from {listing.name}: there is no folder for removed files; name one with --quarantine"
        )
    return listing.path.with_name(f"{listing.path.name.partition('.')[0]}-quarantine")
