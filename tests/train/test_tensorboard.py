"""`sorter train --tensorboard`: the events that are written are those of the history."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from support.commands import Sorter
from support.photos import BLUE, RED, make_photo

pytest.importorskip("tensorboard")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sorter.cli import main
from sorter.progress import Progress
from sorter.train import fit
from sorter.train.options import TrainOptions
from sorter.train.result import TrainResult
from sorter.train.tensorboard import TensorBoardProgress

ROW = {"phase": 1, "lr": 0.5, "train_loss": 0.25, "val_loss": 0.125, "val_balanced_accuracy": 0.75}


class Told:
    """A watch that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def say(self, message: str) -> None:
        self.calls.append(("say", message))

    def begin(self, what: str, total: int | None) -> None:
        self.calls.append(("begin", what, total))

    def advance(self, steps: int, /, **figures: float) -> None:
        self.calls.append(("advance", steps, figures))

    def epoch(self, row: dict[str, Any]) -> None:
        self.calls.append(("epoch", row))


def read(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag -> (epoch, value) of each event, as TensorBoard would show them."""
    found = EventAccumulator(str(run))
    found.Reload()
    return {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_every_figure_of_an_epoch_is_read_back(tmp_path: Path) -> None:
    with TensorBoardProgress(Told(), tmp_path / "events") as events:
        events.epoch({**ROW, "epoch": 1})
        events.epoch({**ROW, "epoch": 2, "val_loss": 0.0625})
    assert read(tmp_path / "events" / "run-1") == {
        "phase": [(1, 1.0), (2, 1.0)],
        "learning_rate": [(1, 0.5), (2, 0.5)],
        "loss/train": [(1, 0.25), (2, 0.25)],
        "loss/val": [(1, 0.125), (2, 0.0625)],
        "metrics/balanced_accuracy": [(1, 0.75), (2, 0.75)],
    }


def test_everything_is_passed_on_and_nothing_made_before_an_epoch(tmp_path: Path) -> None:
    told = Told()
    with TensorBoardProgress(told, tmp_path / "events") as events:
        events.say("hello")
        events.begin("decoding", 3)
        events.advance(1, loss=0.5)
        assert not (tmp_path / "events").exists()
        events.epoch({**ROW, "epoch": 1})
    assert told.calls == [
        ("say", "hello"),
        ("begin", "decoding", 3),
        ("advance", 1, {"loss": 0.5}),
        ("epoch", {**ROW, "epoch": 1}),
    ]


def test_each_training_has_its_folder(tmp_path: Path) -> None:
    with TensorBoardProgress(Told(), tmp_path) as events:
        for epoch in (1, 2, 1):
            events.epoch({**ROW, "epoch": epoch})
    assert [len(read(tmp_path / name)["learning_rate"]) for name in ("run-1", "run-2")] == [2, 1]


def test_resumed_training_replaces_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    with TensorBoardProgress(Told(), tmp_path) as events:
        for epoch in (1, 2, 3):
            events.epoch({**ROW, "epoch": epoch, "val_loss": 1.0})
    with TensorBoardProgress(Told(), tmp_path) as events:
        for epoch in (3, 4):
            events.epoch({**ROW, "epoch": epoch, "val_loss": 2.0})
    assert read(tmp_path / "run-1")["loss/val"] == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0)]


@pytest.mark.parametrize("asked", [True, False])
def test_flag_writes_events_into_the_model_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    def one_epoch(options: TrainOptions, progress: Progress) -> TrainResult:
        progress.epoch({**ROW, "epoch": 1})
        raise KeyboardInterrupt

    monkeypatch.setattr(fit, "train_model", one_epoch)
    flags = ["--tensorboard"] if asked else []
    assert main(["train", "data", "--out", str(tmp_path / "model"), "--quiet", *flags]) == 130
    assert (tmp_path / "model").exists() == asked
    if asked:
        assert read(tmp_path / "model" / "tensorboard" / "run-1")["loss/val"] == [(1, 0.125)]


@pytest.mark.slow
def test_command_writes_the_history(tmp_path: Path, sorter: Sorter) -> None:
    for name, colour in (("red", RED), ("not-red", BLUE)):
        for number in range(8):
            make_photo(tmp_path / "data" / name / f"{number}.jpg", colour, seed=100 * len(name) + number)
    flags = ("--recipe", "small-cnn", "--epochs", "1", "--size", "32", "--tensorboard", "--quiet")
    done = sorter("train", tmp_path / "data", "--out", tmp_path / "model", *flags, timeout=280)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "model" / "report" / "history.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    events = read(tmp_path / "model" / "tensorboard" / "run-1")
    assert events["loss/train"] == [(1, pytest.approx(float(row["train_loss"])))]
    assert events["metrics/balanced_accuracy"] == [(1, pytest.approx(float(row["val_balanced_accuracy"])))]
