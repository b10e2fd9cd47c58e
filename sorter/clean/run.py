"""`sorter clean`: scan, examine, compare, report, and take away what is to go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sorter.clean import removal
from sorter.clean.cache import Cache
from sorter.clean.duplicates import mark
from sorter.clean.examine import BROKEN, Examine
from sorter.clean.ledger import Ledger
from sorter.clean.names import junk
from sorter.clean.quality import Thresholds, poor
from sorter.clean.records import NO_FAULT, REMOVABLE, Checked, Examined, Finding, Kind
from sorter.clean.report import check_ours, write_csv, write_html
from sorter.pipeline import Limits, Pool
from sorter.run import Quiet, Watch, available_cores, memory_per_worker
from sorter.scan import Scan, compile_patterns
from sorter.similar import MAX_DISTANCE
from sorter.stages import Thumbnail
from sorter.types import Failure, Photo, Reason, Result, SorterError, UsageError

ACTIONS = ("quarantine", "trash", "delete")
THUMBNAIL = 160  # pixels
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


@dataclass(frozen=True)
class Options:
    """Everything `sorter clean` can be told; the defaults are its defaults.

    Attributes:
        inputs: folders and files.
        remove: kinds that are taken away, words of `REMOVABLE`.
        action: one of `ACTIONS`.
        quarantine: a folder; None for one beside the first input, with its name and `-quarantine`.
        report: the CSV; None for clean.csv beside the quarantine. The page lies beside it.
        dry_run: only say what would be done; the report is written only where it was asked for.
        fix_extensions: rename what is misnamed and not removed.
        quick: headers and structure only.
        similarity: bits that perceptual hashes of near duplicates may differ in, 0 to 16.
        classes: the folders of each input (or of its train, val and test) are classes.
        thresholds: for poor photos.
        exclude, hidden, follow_symlinks, workers, max_megapixels, timeout_per_file: as for a run.
        cache: keep what was found out, and use it; `cache_file` is where, None for the user's cache folder.
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
    max_megapixels: float = 250.0
    timeout_per_file: float = 60.0
    cache: bool = True
    cache_file: Path | None = None


@dataclass(frozen=True)
class Summary:
    """What was found and done.

    Attributes:
        counts: verdict -> files.
        reasons: verdict -> first reason -> files.
        groups: groups of duplicates; of these `across_splits` and `across_classes`.
        actions: what was done (or failed) -> files.
        would_remove: files that are to go (in a dry run none has gone).
        examined: files examined by this run; `cached` were known already.
        quarantine: the folder, where anything lies in it.
    """

    counts: dict[str, int]
    reasons: dict[str, dict[str, int]]
    groups: int
    across_splits: int
    across_classes: int
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
        """Files with something wrong."""
        return sum(count for name, count in self.counts.items() if Kind(name) not in NO_FAULT)

    @property
    def failed(self) -> int:
        """Files that could not be read, or not be taken away."""
        undone = sum(count for action, count in self.actions.items() if action.startswith("failed"))
        return undone + self.counts.get(Kind.UNREADABLE.value, 0)

    def to_json(self) -> dict[str, Any]:
        data = {**asdict(self), "faults": self.faults, "seconds": round(self.seconds, 3)}
        return {key: str(value) if isinstance(value, Path) else value for key, value in data.items()}


def clean(
    options: Options, watch: Watch | None = None, confirm: Callable[[int], bool] | None = None
) -> Summary:
    """Find what cannot or should not be used, and take away what is to go.

    Args:
        confirm: asked with the number of files before anything is deleted for good; without it nothing is.

    Raises:
        UsageError: options that contradict each other or the disk.
        SorterError: it cannot go on; the same call later goes on where it stopped.
    """
    began = time.monotonic()
    options = resolved(options)
    assert options.quarantine is not None
    check_ours(csv_path(options))
    settings = f"megapixels {options.max_megapixels:g} quick {options.quick}"
    try:
        with (
            closing(Ledger()) as ledger,
            closing(Cache(settings, options.cache_file)) if options.cache else nullcontext() as cache,
        ):
            return _Clean(options, ledger, cache, watch or Quiet(), confirm).go(began)
    except OSError as error:
        raise SorterError(f"{error.filename or options.quarantine}: {error.strerror or error}") from error


@dataclass
class _Clean:
    options: Options
    ledger: Ledger
    cache: Cache | None
    watch: Watch
    confirm: Callable[[int], bool] | None
    examined: int = 0
    cached: int = 0

    def go(self, began: float) -> Summary:
        options, ledger = self.options, self.ledger
        assert options.quarantine is not None
        if removal.has_journal(options.quarantine) and not options.dry_run:
            self._take_in_earlier(options.quarantine)
        self._examine()
        kinds = frozenset(REMOVABLE[word] for word in options.remove)
        mark(ledger, options.similarity, kinds)
        going = sum(1 for _ in removal.chosen(ledger, kinds))
        csv, page = csv_path(options), csv_path(options).with_suffix(".html")
        writes = not options.dry_run or options.report is not None
        acts = not options.dry_run and (going > 0 or options.fix_extensions)
        changed = True
        if writes:
            changed = self._write(csv)
        if acts:
            self._act(kinds, going)
            changed = self._write(csv) or changed
        if writes and (changed or not page.exists()):
            limits = Limits(options.timeout_per_file, memory_per_worker(self.workers))
            with Pool(Thumbnail(THUMBNAIL, options.max_megapixels), self.workers, limits) as pool:
                write_html(ledger, page, options.inputs, pool.run)
        groups, splits, classes = ledger.team_counts()
        return Summary(
            counts=ledger.counts(),
            reasons=ledger.reasons(),
            groups=groups,
            across_splits=splits,
            across_classes=classes,
            actions=ledger.actions(),
            would_remove=going,
            examined=self.examined,
            cached=self.cached,
            seconds=time.monotonic() - began,
            quarantine=options.quarantine if removal.has_journal(options.quarantine) else None,
            report=csv if writes else None,
            page=page if writes else None,
            dry_run=options.dry_run,
        )

    @property
    def workers(self) -> int:
        return self.options.workers or available_cores()

    def _write(self, csv: Path) -> bool:
        """Write the CSV; is it another one than before?"""
        before = csv.read_bytes() if csv.exists() and csv.stat().st_size < 1 << 26 else None
        write_csv(self.ledger, csv)
        return before is None or csv.read_bytes() != before

    def _take_in_earlier(self, quarantine: Path) -> None:
        """Finish what was stopped, and give what lies in the quarantine its rows."""
        for photo, verdict, place in removal.finish(quarantine):
            if not any(root == photo.path or root in photo.path.parents for root in self.options.inputs):
                continue
            known = self.cache.get(photo) if self.cache else None
            findings = self._findings(known) if known else ()
            if not any(each.kind.value == verdict for each in findings):
                findings = (Finding(Kind(verdict), "earlier", "found by an earlier run"), *findings)
            self.ledger.add(photo, known, findings, *self._place(photo), destination=place)

    def _examine(self) -> None:
        limits = Limits(self.options.timeout_per_file, memory_per_worker(self.workers))
        stage = Examine(self.options.max_megapixels, self.options.quick)
        for photo, outcome in self._outcomes(stage, limits):
            if isinstance(outcome, Failure):
                self.ledger.add(photo, None, (_failed(photo, outcome),), *self._place(photo))
            else:
                self.ledger.add(photo, outcome, self._findings(outcome), *self._place(photo))
            self.watch.advance(1)

    def _outcomes(self, stage: Examine, limits: Limits) -> Iterator[tuple[Photo, Examined | Failure]]:
        """In the order of the scan. Workers start only where something is not known yet."""
        items = self._known_or_not()
        for item in items:
            if isinstance(item, Photo):
                break
            yield item.photo, item.outcome
        else:
            return

        def rest() -> Iterator[Photo | Result[Examined]]:
            yield item
            yield from items

        with Pool(stage, self.workers, limits) as pool:
            for result in pool.run(rest()):
                outcome = result.outcome
                if isinstance(outcome, Examined) and result.photo in self._new:
                    self._new.discard(result.photo)
                    if self.cache is not None:
                        self.cache.put(result.photo, outcome)
                yield result.photo, outcome

    def _known_or_not(self) -> Iterator[Photo | Result[Examined]]:
        self._new: set[Photo] = set()  # on their way through the pool: as many as its window at most
        for item in scan_of(self.options):
            if isinstance(item, Result):
                yield item
                continue
            known = self.cache.get(item) if self.cache else None
            if known is not None:
                self.cached += 1
                yield Result(item, known)
            else:
                self.examined += 1
                if self.cache is not None:
                    self._new.add(item)
                yield item

    def _findings(self, examined: Examined) -> tuple[Finding, ...]:
        return (*examined.findings, *poor(examined, self.options.thresholds))

    def _place(self, photo: Photo) -> tuple[str, str]:
        """Split and class, by the folders below the input."""
        for root in self.options.inputs:
            if root in photo.path.parents:
                folders = photo.path.relative_to(root).parts[:-1]
                split = SPLITS.get(folders[0].lower(), "") if folders else ""
                if split:
                    return split, folders[1] if len(folders) > 1 else ""
                if root.name.lower() in SPLITS:
                    return SPLITS[root.name.lower()], folders[0] if folders else ""
                return "", folders[0] if folders and self.options.classes else ""
        return "", ""

    def _act(self, kinds: frozenset[Kind], going: int) -> None:
        options, ledger = self.options, self.ledger
        assert options.quarantine is not None
        if going and options.action == "quarantine":
            removal.quarantine_files(ledger, removal.chosen(ledger, kinds), options.quarantine)
        elif going and options.action == "trash":
            removal.trash_files(ledger, removal.chosen(ledger, kinds))
        elif going and self.confirm is not None and self.confirm(going):
            removal.delete_files(ledger, removal.chosen(ledger, kinds))
        if options.fix_extensions:
            removal.rename_files(ledger, (each for each in ledger.found() if _renamed(each)))


def _renamed(file: Checked) -> bool:
    kinds = {each.kind for each in file.findings}
    return Kind.MISNAMED in kinds and Kind.BROKEN not in kinds and not file.is_link


def _failed(photo: Photo, failure: Failure) -> Finding:
    """What was passed over, or could not be examined."""
    if found := junk(photo.path.name):
        return found
    if failure.reason in BROKEN:
        return Finding(Kind.BROKEN, failure.reason.value, failure.message)
    if failure.reason in (Reason.UNREADABLE, Reason.VANISHED, Reason.OUT_OF_MEMORY):
        return Finding(Kind.UNREADABLE, failure.reason.value, failure.message)
    return Finding(Kind.SKIPPED, failure.reason.value, failure.message)


def scan_of(options: Options) -> Scan:
    """The scan that these options make."""
    return Scan(options.inputs, options.exclude, options.quarantine, options.follow_symlinks, options.hidden)


def csv_path(options: Options) -> Path:
    assert options.quarantine is not None
    return options.report or options.quarantine.parent / "clean.csv"


def resolved(options: Options) -> Options:
    """Absolute paths, and a check of what can be checked beforehand. Raises UsageError."""
    for given in options.inputs:
        if not given.exists():
            raise UsageError(f"{given}: no such file or folder; name a folder or a file that exists")
    inputs = tuple(
        path.resolve() if path.is_dir() else path.parent.resolve() / path.name for path in options.inputs
    )
    first = inputs[0]
    quarantine = (options.quarantine or first.with_name(f"{first.name or 'root'}-quarantine")).resolve()
    if quarantine.exists() and not quarantine.is_dir():
        raise UsageError(f"--quarantine {quarantine}: is a file; name a folder")
    for path in inputs:
        if path == quarantine or quarantine in path.parents:
            raise UsageError(f"{path}: lies in the quarantine {quarantine}; name another with --quarantine")
    for word in options.remove:
        if word not in REMOVABLE:
            raise UsageError(f"--remove: {word!r} is none of {', '.join(REMOVABLE)}")
    if options.action not in ACTIONS:
        raise UsageError(f"--action: {options.action!r} is none of {', '.join(ACTIONS)}")
    if not 0 <= options.similarity <= 16:
        raise UsageError(f"--similarity: {options.similarity} is not within 0 and 16")
    for flag, value in (
        ("--workers", options.workers),
        ("--max-megapixels", options.max_megapixels),
        ("--timeout-per-file", options.timeout_per_file),
    ):
        if value is not None and not value > 0:
            raise UsageError(f"{flag}: {value} is not above zero")
    compile_patterns(options.exclude)
    report = options.report.absolute() if options.report else None
    return replace(options, inputs=inputs, quarantine=quarantine, report=report)
