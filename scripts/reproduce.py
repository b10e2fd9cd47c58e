"""Run the recipes whose authors publish figures, and write docs/results.md: published and measured side by side.

Examples:
    python scripts/reproduce.py --all --data DIR               # all that has not been measured
    python scripts/reproduce.py small-cnn --data DIR --again
    python scripts/reproduce.py --list

DIR holds cifar10.zip (CIFAR-10 as train/ and test/ folders of JPEGs) and kaggle-cars.zip with labels.csv
(path,label,source), and for `crossing` streets.zip with crossing.csv (path,label) and mobilenetv2_100.safetensors.
It needs the `[train]` extra. Each run is `sorter train` as a user would type it. A part of the
training photos chooses the epoch, the threshold and the temperature. The test photos are used once, at the end.
Figures are kept in scripts/reproduced.json, so runs can be made one by one, on one machine or several.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import table
from benchmarks.harness import say
from benchmarks.machine import machine, machine_text
from reproduce_data import PREPARED as PREPARED
from reproduce_data import prepared

from sorter.train.recipes import find_recipe

FIGURES = Path(__file__).with_name("reproduced.json")
RESULTS = Path(__file__).parents[1] / "docs" / "results.md"
PACKAGES = ("torch", "torchvision", "timm")
HOURS = 48  # after which a run is ended


@dataclass(frozen=True)
class Experiment:
    """A published figure, or one of our own, and the command that should reach it.

    Attributes:
        name: on the command line.
        recipe: of `sorter train`. Its published result stands beside ours.
        data: one of `PREPARED`.
        flags: of `sorter train`, besides `--recipe`, `--seed` and `--out`.
        seeds: each is a run.
        goal: ours, in words; empty for none.
        from_hub: the pretrained weights come from a hub.
        weights: they come in this file, which lies beside the data; empty for none.
    """

    name: str
    recipe: str
    data: str
    flags: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    goal: str = ""
    from_hub: bool = False
    weights: str = ""

    def command(self, data: Path, out: Path, seed: int, source: Path = Path()) -> list[str]:
        """The command. `source` is the folder of the weights."""
        named = ["sorter", "train", str(data), "--out", str(out), "--recipe", self.recipe, *self.flags]
        weights = ["--weights", str(source / self.weights)] if self.weights else []
        return [*named, *weights, "--seed", str(seed)]


EXPERIMENTS = (
    Experiment(
        "small-cnn",
        "small-cnn",
        "vehicles-animals",
        ("--epochs", "14"),
        (0, 1, 2),
        "at least 95.5 % over three seeds",
    ),
    Experiment(
        "fast-vehicles-animals",
        "fast",
        "vehicles-animals",
        ("--size", "96", "--epochs", "2", "--lr", "2e-3", "--augment", "light"),
        goal="at least 98.5 %",
    ),
    Experiment(
        "fast-cifar10",
        "fast",
        "cifar10",
        ("--size", "96", "--epochs", "3", "--lr", "2e-3", "--augment", "light"),
        goal="at least 93 %",
    ),
    Experiment("fast-car", "fast", "car", ("--folds", "5"), goal="at least 99 % over five folds"),
    Experiment(
        "crossing",
        "mobilenetv2-frozen",
        "crossing",
        ("--backbone", "mobilenetv2-tf"),
        (0, 1, 2),
        "at least 99 %",
        weights="mobilenetv2_100.safetensors",
    ),
    Experiment("resnet50-sigmoid", "resnet50-sigmoid", "car", ("--folds", "5"), from_hub=True),
    Experiment("resnet50-dense", "resnet50-dense", "car", ("--folds", "5"), from_hub=True),
    Experiment("mobilenetv2-frozen", "mobilenetv2-frozen", "car", ("--folds", "5"), from_hub=True),
    Experiment("resnet50v2-dense", "resnet50v2-dense", "vehicles-animals", from_hub=True),
    Experiment("cifar10-resnet50", "cifar10-resnet50", "cifar10", from_hub=True),
)


# -- runs ------------------------------------------------------------------------------------------------------


def run(experiment: Experiment, seed: int, source: Path, work: Path, device: str) -> dict[str, Any]:
    """Train once. Returns the figures for the page, or `error` where training failed."""
    data = prepared(experiment.data, source, work)
    out = work / f"{experiment.name}-{seed}"
    command = [
        sys.executable,
        "-m",
        *experiment.command(data, out, seed, source),
        "--device",
        device,
        "--json",
    ]
    if (out / ".training" / "run.json").exists():
        command.append("--resume")
    elif out.exists():
        shutil.rmtree(out)
    log_file = out.with_suffix(".log")
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("w", encoding="utf-8") as log:
        finished = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=log, text=True, timeout=HOURS * 3600
        )
    if finished.returncode not in (0, 3):
        lines = log_file.read_text(encoding="utf-8").splitlines()
        return {
            "error": lines[-1] if lines else f"exit code {finished.returncode}",
            "machine": machine(PACKAGES),
        }
    found = figures(json.loads(finished.stdout)) | {"validation": validation(out / "report" / "history.csv")}
    return found | {"machine": machine(PACKAGES) | {"device": device}}


def figures(trained: dict[str, Any]) -> dict[str, Any]:
    """The figures that are kept, from the JSON of `sorter train`."""
    kept = {
        name: trained[name]["value"]
        for name in ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
    }
    if trained["trials"]:
        kept = {name: trained["mean_and_std"][name][0] for name in kept if name in trained["mean_and_std"]}
        kept["std"] = trained["mean_and_std"]["accuracy"][1]
        kept["trials"] = len(trained["trials"])
    learned = sum(trained["data"]["photos"]["train"].values())
    everything = sum(sum(part.values()) for part in trained["data"]["photos"].values())
    return kept | {
        "n": everything if trained["trials"] else trained["photos"],
        "learned": learned,
        "epochs": trained["epochs"],
        "minutes": round(trained["seconds"] / 60, 1),
        "waiting": trained["waiting"],
    }


def validation(history: Path) -> float | None:
    """Balanced accuracy on the photos that chose the epoch, in that epoch; as published figures are. None for none."""
    if not history.exists():
        return None
    with history.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("val_loss")]
    best = min(rows, key=lambda row: float(row["val_loss"]), default=None)
    return None if best is None else float(best["val_balanced_accuracy"])


def read_figures() -> dict[str, dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = (
        json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    )
    return kept


def keep(name: str, seed: int, found: dict[str, Any]) -> None:
    kept = read_figures()
    kept.setdefault(name, {})[str(seed)] = found
    FIGURES.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


# -- the page --------------------------------------------------------------------------------------------------


def percent(values: Iterable[float | None]) -> str:
    known = [100 * value for value in values if value is not None]
    if not known:
        return "–"
    spread = f" ± {statistics.stdev(known):.2f}" if len(known) > 1 else ""
    return f"{statistics.mean(known):.2f} %{spread}"


def row(experiment: Experiment, kept: dict[str, Any]) -> list[str]:
    runs = [kept[seed] for seed in sorted(kept, key=int) if "error" not in kept[seed]]
    published = find_recipe(experiment.recipe).published or "(our own)"
    name = f"`{experiment.name}`"
    if not runs:
        return [name, published, experiment.goal or "–", "**not measured**", "–", "–", "–", "–", "–"]
    accuracy = percent(each["accuracy"] for each in runs)
    if "trials" in runs[0]:
        accuracy = (
            f"{100 * runs[0]['accuracy']:.2f} % ± {100 * runs[0]['std']:.2f} over {runs[0]['trials']} folds"
        )
    seeds = ", ".join(sorted(kept, key=int))
    return [
        name,
        published,
        experiment.goal or "–",
        f"**{accuracy}**",
        percent(each.get("precision") for each in runs),
        percent(each.get("validation") for each in runs),
        f"{runs[0]['n']:,}",
        seeds,
        ", ".join(f"{each['minutes']:g}" for each in runs),
    ]


def page(kept: dict[str, dict[str, Any]]) -> str:
    """The whole of docs/results.md.

    Args:
        kept: experiment -> seed -> figures, as in reproduced.json.
    """
    done = {name: [run for run in runs.values() if "error" not in run] for name, runs in sorted(kept.items())}
    done = {name: runs for name, runs in done.items() if runs}
    missing = [each for each in EXPERIMENTS if each.name not in done]
    header = ("run", "published", "goal", "accuracy", "precision", "validation", "n", "seeds", "minutes")
    machines = sorted({machine_text(run["machine"]) for runs in done.values() for run in runs})
    waiting = [f"{name} {max(run['waiting'] for run in runs):.1%}" for name, runs in done.items()]
    return PAGE.format(
        table=table(header, [row(each, kept.get(each.name, {})) for each in EXPERIMENTS]),
        waiting=", ".join(waiting) or "–",
        machines="\n".join(f"- {each}" for each in machines) or "- none yet",
        missing="\n".join(missing_text(missing, kept)) or "Nothing.",
        commands="\n".join(map(shown, EXPERIMENTS)),
    )


def shown(experiment: Experiment) -> str:
    """The command of an experiment, as the page shows it."""
    flags = ["--out", experiment.name, "--recipe", experiment.recipe, *experiment.flags]
    flags += ["--weights", experiment.weights] if experiment.weights else []
    return shlex.join(["sorter", "train", experiment.data, *flags])


def missing_text(missing: list[Experiment], kept: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for experiment in missing:
        errors = [run["error"] for run in kept.get(experiment.name, {}).values()]
        why = errors[0] if errors else "not run yet"
        if experiment.from_hub:
            backbone = find_recipe(experiment.recipe).backbone
            why = f"ImageNet weights of {backbone} come from a hub, which the machines above could not reach"
        lines.append(
            f"- `{experiment.name}`: {why}. `python scripts/reproduce.py {experiment.name} --data DIR`"
        )
    if any(experiment.from_hub for experiment in missing):
        lines += ["", NOT_CLAIMED]
    return lines


PAGE = """# Results

What the recipes' authors publish, and what was measured here.
`scripts/reproduce.py` made these measurements and wrote this page.

- Accuracy and precision are of test photos that chose nothing. n is the number of these photos.
- With several seeds: mean ± standard deviation.
- Minutes are of each run, from start to model folder and report. The machine did other work, too.
- Published validation figures are of photos that also chose the epoch.
  The column `validation` has such a figure of ours: balanced accuracy on the photos that chose the epoch.

{table}

CIFAR-10's own test photos are the test part.
A seventh of its training photos chose the epoch, the threshold and the temperature.
Car / not-car are 200 close-ups. Each was tested with once, in five folds.
Crossing are 466 photos of pedestrian streets and 264 of roads with nobody on them.
Of these 15 % chose the epoch, and 15 % are the test part.
Each class comes from one collection of photos. So the figure also measures how far the two collections differ.

The largest share of the training time that waited for photos: {waiting}.

Measured on:

{machines}

## What is missing

{missing}

## The commands

```
{commands}
```
"""
NOT_CLAIMED = """With a network, these commands fetch the weights and measure.
`sorter train --weights FILE` takes a file instead.
Until then only this is tested: layers, frozen parameters and parameter counts equal the published architectures.
Each recipe also runs from random weights (`tests/train/test_pretrained.py`).
We claim no figure for them."""


def build_parser() -> argparse.ArgumentParser:
    about, _, example = (__doc__ or "").partition("Examples:")
    parser = argparse.ArgumentParser(
        description=about, epilog=f"Examples:{example}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="runs to make (default: all that are not measured)"
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with cifar10.zip, kaggle-cars.zip, labels.csv"
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("reproduce-work"),
        metavar="DIR",
        help="where photos are unpacked and models go; an interrupted run goes on (default: reproduce-work)",
    )
    parser.add_argument("--device", default="auto", help="as for sorter train (default: auto)")
    parser.add_argument(
        "--all", action="store_true", help="make all runs that are not measured (the default)"
    )
    parser.add_argument("--again", action="store_true", help="repeat what has been measured")
    parser.add_argument("--list", action="store_true", help="print the runs and their commands")
    return parser


def main() -> int:
    parser = build_parser()
    arguments = parser.parse_args()
    known = {experiment.name: experiment for experiment in EXPERIMENTS}
    if arguments.all and arguments.names:
        parser.error("--all: takes no names")
    for name in arguments.names:
        if name not in known:
            parser.error(f"{name}: is none of {', '.join(known)}")
    if arguments.list:
        for experiment in EXPERIMENTS:
            command = experiment.command(Path(experiment.data), Path(experiment.name), experiment.seeds[0])
            print(f"{experiment.name}: {shlex.join(command)}")
        return 0
    if arguments.data is None or not (arguments.data / "labels.csv").exists():
        parser.error("--data DIR: name a folder with cifar10.zip, kaggle-cars.zip and labels.csv")
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    failed = 0
    for experiment in [known[name] for name in arguments.names] or list(EXPERIMENTS):
        for seed in experiment.seeds:
            if arguments.again or not measured(experiment.name, seed):
                failed += not run_and_keep(experiment, seed, arguments)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(page(read_figures()), encoding="utf-8")
    say(f"wrote {RESULTS}")
    return 1 if failed else 0


def measured(name: str, seed: int) -> bool:
    found = read_figures().get(name, {}).get(str(seed), {"error": "not run"})
    return "error" not in found


def run_and_keep(experiment: Experiment, seed: int, arguments: argparse.Namespace) -> bool:
    """Train once and keep the figures. False where training failed."""
    say(f"{experiment.name}, seed {seed}")
    found = run(experiment, seed, arguments.data, arguments.work.resolve(), arguments.device)
    keep(experiment.name, seed, found)
    say(found.get("error") or f"accuracy {found['accuracy']:.4f} in {found['minutes']:g} minutes")
    return "error" not in found


if __name__ == "__main__":
    sys.exit(main())
