"""From classes and queries to a dataset: `python scripts/build_dataset.py scripts/car.toml --out ./car-dataset`.

Four steps. The same command, given again, continues the first and repeats the others:

1. collect   OUT/collected/<class>/, manifest.csv and ATTRIBUTION.md, as `sorter collect` does it
2. clean     broken files and duplicates go to OUT/quarantine, as `sorter clean` does it
3. split     OUT/split/{train,val,test}/<class>/, near duplicates on one side, stratified, seeded
4. inspect   OUT/inspection/report.html, as `sorter inspect` does it

Then: `sorter train OUT/split --out MODEL`. Look through OUT/collected first, and delete what is in the wrong folder.
Then give the command again. What you deleted stays out, and other pictures take its place.

The TOML file has a table `classes` of names and queries. It may have `sources`, `licences`, `limit`, `min_size`,
`remove` (what clean removes), and a table `split` with `val`, `test` and `seed`. Paths in queries of the sources `urls`
and `folder` are relative to the file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sorter.clean.options import CleanOptions
from sorter.cli.progress_bar import ProgressBar
from sorter.collect.licences import Licences
from sorter.collect.options import CollectOptions
from sorter.collect.rate_limit import FetchLimits
from sorter.collect.run import collect
from sorter.output.disk import Filing, place
from sorter.photos.dataset import Dataset, read_folders, split
from sorter.photos.fingerprint import Fingerprint, TakeFingerprint
from sorter.pipeline.pool import Pool
from sorter.system import available_cores, worker_limits
from sorter.types import ActionKind, Limits, SorterError, UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PARTS = ("train", "val", "test")
SPLIT_FILE = "split.json"
KEYS = {"classes", "sources", "licences", "limit", "min_size", "remove", "split"}
SPLIT_KEYS = {"val", "test", "seed"}


@dataclass(frozen=True)
class Plan:
    """The contents of the TOML file.

    Attributes:
        classes: names and queries.
        sources, licences, limit, min_size: as for `sorter collect`.
        remove: as for `sorter clean`.
        val, test: shares of all pictures.
        seed: of the split. Another seed gives other parts.
    """

    classes: tuple[tuple[str, tuple[str, ...]], ...]
    sources: tuple[str, ...] = ("openverse",)
    licences: tuple[str, ...] = ()
    limit: int = 200
    min_size: int = 128
    remove: tuple[str, ...] = ("broken", "duplicates", "near-duplicates")
    val: float = 0.15
    test: float = 0.15
    seed: int = 0


def read_plan(path: Path) -> Plan:
    """Read a TOML file. Raises UsageError: no such file, no TOML, or unknown keys and values."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a TOML file of classes and queries") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    unknown = sorted(set(table) - KEYS)
    parts = table.pop("split", {})
    classes = table.pop("classes", None)
    if isinstance(parts, dict):
        unknown += [f"split.{key}" for key in sorted(set(parts) - SPLIT_KEYS)]
    else:
        unknown.append("split (which has to be a table)")
    if unknown:
        raise UsageError(f"{path}: unknown keys: {', '.join(unknown)}; --help lists the known ones")
    if not isinstance(classes, dict) or len(classes) < 2:
        raise UsageError(f"{path}: needs a table [classes] of two or more names with their queries")
    local = {"urls", "folder"} & set(table.get("sources", ()))
    try:
        wanted = tuple(
            (name, tuple(str(path.parent / query) if local else _text(query) for query in queries))
            for name, queries in classes.items()
        )
        lists = {
            key: tuple(map(_text, table.pop(key)))
            for key in ("sources", "licences", "remove")
            if key in table
        }
        return Plan(wanted, **lists, **{key: _number(value) for key, value in (table | parts).items()})
    except TypeError as error:
        raise UsageError(f"{path}: {error}") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text; put it between quotes")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is no number")
    return value


def build(
    plan: Plan, out: Path, workers: int | None = None, fetch: FetchLimits | None = None
) -> Mapping[str, Any]:
    """All four steps. Returns the figures of each.

    Raises:
        SorterError: a step cannot be done. The message says why.
    """
    from sorter.clean.run import clean
    from sorter.evaluate.inspect import InspectOptions, inspect_folders

    if min(plan.val, plan.test) < 0 or plan.val + plan.test >= 1:
        raise UsageError(f"split: val {plan.val:g} and test {plan.test:g} leave nothing to train on")
    collected = out / "collected"
    with ProgressBar(False, lambda: len(plan.classes) * plan.limit) as progress:
        progress.say("collect")
        gathered = collect(collect_options(plan, collected, workers, fetch or FetchLimits()), progress)
    for name, _ in plan.classes:
        if not (collected / name).is_dir():
            raise SorterError(f"{collected}: no picture of {name} was found; try other queries or sources")
    with ProgressBar(False, lambda: 3 * gathered.total) as progress:
        progress.say("clean")
        cleaned = clean(clean_options(plan, out, workers), progress)
        progress.say("split")
        dataset = divide(collected, plan, workers)
        write_split(dataset, out / "split", plan)
        progress.say("inspect")
        found = inspect_folders(InspectOptions(out / "split", out / "inspection", workers), progress)
    return {
        "collected": gathered.to_json(),
        "cleaned": cleaned.to_json(),
        "split": dataset.to_json(),
        "inspected": found.to_json(),
    }


def collect_options(plan: Plan, out: Path, workers: int | None, fetch: FetchLimits) -> CollectOptions:
    return CollectOptions(
        classes=plan.classes,
        out=out,
        sources=plan.sources,
        licences=Licences.parse(plan.licences),
        limit=plan.limit,
        min_size=plan.min_size,
        attribution=True,
        workers=workers,
        fetch=fetch,
    )


def clean_options(plan: Plan, out: Path, workers: int | None) -> CleanOptions:
    return CleanOptions(
        inputs=(out / "collected",),
        classes=True,
        remove=plan.remove,
        quarantine=out / "quarantine",
        report=out / "clean.csv",
        workers=workers,
    )


def divide(collected: Path, plan: Plan, workers: int | None) -> Dataset:
    """Class folders -> train, val and test without a common picture. Raises UsageError: too few pictures."""
    classes, parts = read_folders(collected)
    count = workers or available_cores()
    limits = worker_limits(Limits(), count)
    with Pool(TakeFingerprint(limits), count, limits) as pool:
        results = list(pool.run(example.photo for some in parts.values() for example in some))
    known = {each.photo.path: each.outcome for each in results if isinstance(each.outcome, Fingerprint)}
    return split(collected, classes, parts, known, plan.seed, plan.val, plan.test)


def write_split(dataset: Dataset, out: Path, plan: Plan) -> None:
    """Copy every part into its folder. An earlier split is replaced once the new one is complete.

    Raises:
        SorterError: the folder is not an earlier split.
    """
    if out.exists() and not (out / SPLIT_FILE).exists():
        raise SorterError(f"{out}: was not made by this program; move it away")
    new = out.with_name(out.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    for part in PARTS:
        for example in getattr(dataset, part):
            photo = example.photo
            target = new / part / dataset.classes[example.label] / photo.path.name
            filing = Filing(ActionKind.COPY, photo.path, target)
            place(filing, target.with_name(f".{target.name}.part"))
    figures = {**dataset.to_json(), "seed": plan.seed, "val": plan.val, "test": plan.test}
    (new / SPLIT_FILE).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if out.exists():
        shutil.rmtree(out)
    new.rename(out)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("plan", type=Path, metavar="FILE.toml", help="classes and queries")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="give it again to go on")
    parser.add_argument("-j", "--workers", type=int, metavar="N", help="processes (default: one per core)")
    parser.add_argument("--contact", default="", help="an address or a page that the user agent names")
    parser.add_argument("--json", action="store_true", help="print the figures of every step as JSON")
    given = parser.parse_args(argv)
    try:
        figures = build(
            read_plan(given.plan), given.out.resolve(), given.workers, FetchLimits(contact=given.contact)
        )
    except KeyboardInterrupt:
        print("stopped; give the same command again to go on", file=sys.stderr)
        return 130
    except SorterError as error:
        print(f"build_dataset: {error}", file=sys.stderr)
        return error.exit_code
    if given.json:
        print(json.dumps(figures))
        return 0
    for part, classes in figures["split"]["photos"].items():
        print(f"  {part:<6}" + "  ".join(f"{name} {count:,}" for name, count in classes.items()))
    print(f"Look at {given.out / 'inspection' / 'report.html'}")
    print(f"Train with: sorter train {given.out / 'split'} --out MODEL")
    return 0


if __name__ == "__main__":
    sys.exit(main())
