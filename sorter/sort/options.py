"""What `sorter run` can be told: by flags, or by what the journal of an output folder remembers."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from sorter.address import Address, path_of
from sorter.engines.choice import EngineOptions
from sorter.output.journal import Journal
from sorter.photos.scan import Scan, compile_patterns
from sorter.types import ActionKind, Limits, UsageError, check_above_zero

LAYOUTS = ("flat", "tree")


@dataclass(frozen=True)
class SortOptions:
    """Everything `sorter run` can be told; the defaults are its defaults.

    Attributes:
        inputs: folders and photos.
        out: the output folder.
        model: a model folder; None for the one that ships.
        action: what to do with each photo.
        layout: `flat` puts all photos of a class side by side, `tree` keeps the folders they came in.
        threshold: for two classes; None for the model's own.
        unsure: (low, high), probabilities that go to `unsure`.
        exclude: patterns as in a .gitignore.
        hidden: also names that begin with a dot.
        follow_symlinks: enter linked folders.
        workers: processes; None for one per core.
        engine: what runs the model.
        limits: what a photo may cost.
        dry_run: decide and report, but leave every file and the output folder alone.
        fresh: take back what an earlier run filed here, forget it and start anew.
        report: where report.csv goes; None for the output folder.
        cluster: None for this machine alone; else `local`, `auto` or the address of a Ray cluster.
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


def Options(*positional: Any, **flags: Any) -> SortOptions:
    """`SortOptions` with the flat keywords of version 0.1, such as `engine="onnx"` or `max_megapixels=100`."""
    if not isinstance(flags.get("engine"), EngineOptions):
        names = [each.name for each in fields(EngineOptions) if each.name in flags]
        flags["engine"] = EngineOptions(**{name: flags.pop(name) for name in names})
    if "limits" not in flags:
        names_now = {"max_megapixels": "megapixels", "timeout_per_file": "seconds"}
        flags["limits"] = Limits(**{now: flags.pop(old) for old, now in names_now.items() if old in flags})
    return SortOptions(*positional, **flags)


def remembered(out: Path) -> SortOptions:
    """The options of the last run into an output folder, to go on where it stopped or to sort again.

    Raises:
        JournalError: the folder has no journal.
        UsageError: no run of `sorter run` is in it.
    """
    out = out.resolve()
    with closing(Journal.read(out)) as journal:
        run = journal.setting("run")
    if run is None or not run.get("inputs"):
        raise UsageError(f"{out}: no photos were sorted into it; name a folder that `sorter run` wrote to")
    threshold, unsure = run["rule"]
    return SortOptions(
        inputs=tuple(map(path_of, run["inputs"])),
        out=out,
        model=Path(run["model_folder"]),
        action=ActionKind(run["action"]),
        layout=run["layout"],
        threshold=threshold if run["positive"] is not None else None,
        unsure=tuple(unsure) if unsure else None,
        exclude=tuple(run.get("exclude", ())),
        hidden=run.get("hidden", False),
        follow_symlinks=run.get("follow_symlinks", False),
    )


def scan_of(options: SortOptions) -> Scan:
    """The scan that a run with these options makes."""
    return Scan(options.inputs, options.exclude, options.out, options.follow_symlinks, options.hidden)


def resolved(options: SortOptions) -> SortOptions:
    """Absolute paths, and a check of what can be checked before anything is loaded. Raises UsageError."""
    inputs = tuple(_absolute(path) for path in options.inputs)
    out = options.out.resolve()
    for given, path in zip(options.inputs, inputs, strict=True):
        if not path.exists():
            raise UsageError(f"{given}: no such file or folder; name a folder or a photo that exists")
        if path == out:
            raise UsageError(
                f"--out {options.out}: is the folder of photos itself; choose another, which may lie inside it, "
                f"such as {given / 'sorted'}"
            )
        if out in path.parents:
            raise UsageError(f"{given}: lies inside --out {options.out}; sort it into another folder")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {options.out}: is a file; name a folder")
    if options.layout not in LAYOUTS:
        raise UsageError(f"--layout: {options.layout!r} is none of {', '.join(LAYOUTS)}")
    check_above_zero(workers=options.workers)
    options.engine.check()
    options.limits.check()
    compile_patterns(options.exclude)
    linked = options.action in (ActionKind.HARDLINK, ActionKind.SYMLINK)
    if linked and any(isinstance(path, Address) for path in (*inputs, out)):
        raise UsageError(f"--action {options.action.value}: a store has no links; use copy, move or none")
    report_path = options.report.absolute() if options.report else None
    return replace(options, inputs=inputs, out=out, report=report_path)


def _absolute(path: Path) -> Path:
    """Absolute, with links resolved except that to the file itself, whose name it is known by."""
    return path.resolve() if path.is_dir() else path.parent.resolve() / path.name
