"""The options of `sorter run`: given as flags, or read from the journal of an output folder."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from sorter.address import Address
from sorter.engines.choice import EngineOptions
from sorter.output.journal import Journal
from sorter.output.layout import FolderLayout
from sorter.output.tags import TagSettings
from sorter.photos.companions import COMPANIONS, check_companions
from sorter.photos.listing import Listing
from sorter.photos.rows import FileList, check_sources
from sorter.photos.scan import Scan, compile_patterns
from sorter.types import ActionKind, Limits, UsageError, check_above_zero

LINKS = (ActionKind.HARDLINK, ActionKind.SYMLINK)
LINK_TARGETS = ("absolute", "relative")


@dataclass(frozen=True)
class SortOptions:
    """The options of `sorter run`. The defaults are those of the command line.

    Attributes:
        inputs: folders and photos; none where `listing` names them.
        out: the output folder.
        model: a model folder; None for the model that comes with sorter.
        action: how a photo gets into its folder.
        layout: `flat` puts the photos of a class into one folder, `tree` keeps their folders. Else a template, as in
            `sorter.output.layout`.
        threshold: least probability of the positive class, for two classes; None for the model's threshold.
        unsure: (low, high). Photos with a probability from low to high go to `unsure`.
        reject: photos that are unlike the model's training photos go to `unsure`.
        exclude: patterns as in a .gitignore.
        hidden: include names that start with a dot.
        follow_symlinks: enter linked folders.
        workers: processes; None for one per core.
        engine: what runs the model.
        limits: what a photo may cost.
        dry_run: decide and report, but change no file and no output folder.
        fresh: undo the earlier runs in the output folder, forget them and start again.
        report: path of the report; None for report.csv in the output folder.
        cluster: `local`, `auto` or the address of a Ray cluster; None for this machine without Ray.
        include_protected: enter folders of other programs, as in `sorter.photos.protected`.
        explain: the photos of report.html also show where the model looked.
        journal: folder for the journal; None for beside the output, if its disk locks files.
        listing: a list of the photos, instead of `inputs`.
        links: one of `LINK_TARGETS`: what symbolic links hold.
        prune_empty: remove the folders that moves left empty.
        companions: one of `COMPANIONS`. `auto` takes raws, sidecars and films along with their photo.
        tag_prefix: keywords above that of the class, with `/` between, for the action `tag`.
        rating: `CLASS=STARS`, what the action `tag` writes for photos without a rating.
    """

    inputs: tuple[Path, ...]
    out: Path
    model: Path | None = None
    action: ActionKind = ActionKind.COPY
    layout: str = "flat"
    threshold: float | None = None
    unsure: tuple[float, float] | None = None
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    follow_symlinks: bool = False
    workers: int | None = None
    engine: EngineOptions = field(default_factory=EngineOptions)
    limits: Limits = field(default_factory=Limits)
    dry_run: bool = False
    fresh: bool = False
    report: Path | None = None
    cluster: str | None = None
    include_protected: bool = False
    explain: bool = False
    reject: bool = False
    journal: Path | None = None
    listing: FileList | None = None

    @property
    def source_name(self) -> str:
        """What a person calls the photos: the name of the first input, or of the list."""
        return self.inputs[0].name if self.listing is None else Path(self.listing.name).name

    links: str = "absolute"
    prune_empty: bool = False
    companions: str = COMPANIONS[0]
    tag_prefix: str = ""
    rating: tuple[str, ...] = ()


def Options(*positional: Any, **flags: Any) -> SortOptions:
    """`SortOptions` with the flat keywords of version 0.1, such as `engine="onnx"` or `max_megapixels=100`."""
    if not isinstance(flags.get("engine"), EngineOptions):
        names = [each.name for each in fields(EngineOptions) if each.name in flags]
        flags["engine"] = EngineOptions(**{name: flags.pop(name) for name in names})
    if "limits" not in flags:
        names_now = {"max_megapixels": "megapixels", "timeout_per_file": "seconds"}
        flags["limits"] = Limits(**{now: flags.pop(old) for old, now in names_now.items() if old in flags})
    return SortOptions(*positional, **flags)


def options_of_last_run(out: Path) -> SortOptions:
    """The options of the last run into an output folder, from its journal.

    Raises:
        JournalError: the folder has no journal.
        UsageError: the journal holds no run of `sorter run`.
    """
    out = out.resolve()
    with closing(Journal.read(out)) as journal:
        run = journal.run_settings()
    if run is None or not (run.inputs or run.listing):
        raise UsageError(f"{out}: no photos were sorted into it; name a folder that `sorter run` wrote to")
    if run.listing and run.listing.path is None:
        raise UsageError(f"{out}: its photos came from the standard input; give the same command again")
    return SortOptions(
        inputs=run.inputs,
        out=out,
        model=run.model_folder,
        action=run.action,
        layout=run.layout,
        threshold=run.rule.threshold if run.rule.binary else None,
        unsure=run.rule.unsure,
        reject=run.rule.reject,
        exclude=run.exclude,
        hidden=run.hidden,
        follow_symlinks=run.follow_symlinks,
        include_protected=run.include_protected,
        listing=run.listing,
        links=run.links,
        companions=run.companions,
        tag_prefix="/".join(run.tags.prefix),
        rating=tuple(f"{label}={stars}" for label, stars in run.tags.ratings),
    )


def scan_of(options: SortOptions) -> Scan | Listing:
    """The scan of the inputs, or the files of the list."""
    if options.listing is not None:
        linked = options.action in LINKS
        return Listing(options.listing, options.exclude, options.out, stores=not linked)
    return Scan(
        roots=options.inputs,
        exclude=options.exclude,
        leave_out=options.out,
        follow_symlinks=options.follow_symlinks,
        hidden=options.hidden,
        include_protected=options.include_protected,
        companions=options.companions == COMPANIONS[0],
    )


def resolved(options: SortOptions) -> SortOptions:
    """Check the options before a model is loaded, and make the paths absolute. Raises UsageError."""
    check_sources("PATH", options.inputs, options.listing)
    inputs = tuple(_absolute(path) for path in options.inputs)
    out = options.out.resolve()
    for given, path in zip(options.inputs, inputs, strict=True):
        if not path.exists():
            raise UsageError(f"{given}: no such file or folder; name a folder or a photo that exists")
        if path == out:
            raise UsageError(
                f"--out {options.out}: is the folder of photos itself; name another folder, "
                f"such as {given / 'sorted'}"
            )
        if out in path.parents:
            raise UsageError(f"{given}: lies inside --out {options.out}; sort it into another folder")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {options.out}: is a file; name a folder")
    FolderLayout.parse(options.layout)
    if options.links not in LINK_TARGETS:
        raise UsageError(f"--links: {options.links!r} is none of {', '.join(LINK_TARGETS)}")
    TagSettings.parse(options.tag_prefix, options.rating)
    for flag, value in (("--tag-prefix", options.tag_prefix), ("--rating", options.rating)):
        if value and options.action is not ActionKind.TAG:
            raise UsageError(f"{flag}: only --action tag writes keywords; give that, too")
    if options.prune_empty and options.action is not ActionKind.MOVE:
        raise UsageError("--prune-empty: only moves leave folders empty; give --action move, too")
    if options.prune_empty and options.listing is not None:
        raise UsageError("--prune-empty: a list has no folders of its own; name the folders as PATH")
    check_companions(options.companions)
    check_above_zero(workers=options.workers)
    options.engine.check()
    options.limits.check()
    compile_patterns(options.exclude)
    if options.action in LINKS and any(isinstance(path, Address) for path in (*inputs, out)):
        raise UsageError(f"--action {options.action.value}: a store has no links; use copy, move or none")
    if options.action is ActionKind.TAG and any(isinstance(path, Address) for path in inputs):
        raise UsageError("--action tag: sidecars are written beside photos on a disk, not in a store")
    report_path = options.report.absolute() if options.report else None
    listing = None if options.listing is None else options.listing.absolute()
    return replace(options, inputs=inputs, out=out, report=report_path, listing=listing)


def _absolute(path: Path) -> Path:
    """Make a path absolute and resolve links in it, but keep a file that is a link: it is known by its own name."""
    return path.resolve() if path.is_dir() else path.parent.resolve() / path.name
