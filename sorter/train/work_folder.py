"""The hidden folder in a model folder that holds what training needs to be resumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from sorter.files import atomic_write
from sorter.types import UsageError

WORK = ".training"
RUN, TRIALS, CHECKPOINT = "run.json", "trials.json", "checkpoint.pt"


def check_output(out: Path, resume: bool) -> None:
    """Raise UsageError where the model folder cannot be made, or cannot be resumed."""
    started = (out / WORK / RUN).exists()
    if resume:
        if (out / "model.json").exists() and not (out / WORK).exists():
            raise UsageError(f"--resume: {out} is complete; sort with it, or train into another --out")
        if not started:
            raise UsageError(f"--resume: no training was started in {out}; leave --resume out")
    elif started:
        raise UsageError(f"--out {out}: holds unfinished training; add --resume, or name another folder")
    elif out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UsageError(f"--out {out}: exists already; name a new folder, because nothing is overwritten")


class WorkFolder:
    """The work folder of one training. It is removed once the model folder is complete.

    Args:
        out: the model folder.
    """

    def __init__(self, out: Path) -> None:
        self.path = out / WORK
        self.checkpoint = self.path / CHECKPOINT

    def open(self, settings: dict[str, Any], resume: bool) -> None:
        """Make the folder, or check that training was started with the same settings.

        Args:
            settings: what must not change for training to be resumed; strings, numbers, lists and dicts.

        Raises:
            UsageError: training was started with other settings.
        """
        run = self.path / RUN
        settings = json.loads(json.dumps(settings))
        if not resume:
            self.path.mkdir(parents=True)
            with atomic_write(run) as part:
                part.write_text(json.dumps(settings, indent=2), encoding="utf-8")
            return
        started = json.loads(run.read_text(encoding="utf-8"))
        differing = [name for name in settings if settings[name] != started.get(name)]
        if differing:
            raise UsageError(
                f"--resume: {self.path.parent} was started with another {', '.join(differing)}; "
                "give the same command again, or another --out"
            )

    def read_trials(self) -> list[dict[str, float | None]]:
        """The trials that are done."""
        path = self.path / TRIALS
        trials: list[dict[str, float | None]] = (
            json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        )
        return trials

    def write_trials(self, trials: list[dict[str, float | None]]) -> None:
        with atomic_write(self.path / TRIALS) as part:
            part.write_text(json.dumps(trials), encoding="utf-8")

    def remove(self) -> None:
        shutil.rmtree(self.path)
