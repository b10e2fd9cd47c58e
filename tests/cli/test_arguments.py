"""Parsed arguments become records of options, and the defaults of both are the same."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sorter import Options, SortOptions
from sorter.clean.options import CleanOptions
from sorter.clean.quality import Thresholds
from sorter.cli import build_parser
from sorter.cli.arguments import options_from
from sorter.collect.options import CollectOptions
from sorter.engines.choice import EngineOptions
from sorter.evaluate.evaluate import EvaluateOptions
from sorter.evaluate.inspect import InspectOptions
from sorter.export.export import ExportOptions
from sorter.train.options import TrainOptions, resolve_recipe
from sorter.types import ActionKind, Limits, UsageError

A, B = Path("a"), Path("b")
DEFAULTS: dict[str, tuple[list[str], Any]] = {
    "run": (["a", "--out", "b"], SortOptions((A,), B)),
    "clean": (["a"], CleanOptions((A,))),
    "inspect": (["a"], InspectOptions(A)),
    "evaluate": (["a", "b"], EvaluateOptions(A, B)),
    "export": (["a"], ExportOptions(A)),
    "train": (["a", "--out", "b"], TrainOptions(A, B)),
}


def parsed(*arguments: str) -> argparse.Namespace:
    return build_parser().parse_args(arguments)


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_of_the_flags_are_those_of_the_record(name: str) -> None:
    arguments, expected = DEFAULTS[name]
    given = {"remove": ("broken",)} if name == "clean" else {}
    assert options_from(type(expected), parsed(name, *arguments), **given) == expected


def test_defaults_of_collect() -> None:
    classes = (("car", ("red car",)),)
    arguments = parsed("collect", "--class", "car", "red car", "--out", "b")
    found = options_from(CollectOptions, arguments, classes=classes, sources=("openverse",))
    assert found == CollectOptions(classes, B)


def test_every_flag_of_run_reaches_its_field() -> None:
    arguments = parsed(
        *(
            "run",
            "a",
            "--out",
            "b",
            "--model",
            "m",
            "--action",
            "move",
            "--layout",
            "tree",
            "--threshold",
            "0.6",
        ),
        *("--unsure", "0.3", "0.7", "--exclude", "x", "--exclude", "y", "--hidden", "--follow-symlinks"),
        "--include-protected",
        *("-j", "3", "--device", "cpu", "--engine", "onnx", "--precision", "int8", "--decode", "auto"),
        *("--batch-size", "8", "--max-megapixels", "50", "--timeout-per-file", "7", "--dry-run", "--fresh"),
        *("--report", "r.csv", "--cluster", "auto"),
    )
    assert options_from(SortOptions, arguments) == SortOptions(
        inputs=(A,),
        out=B,
        model=Path("m"),
        action=ActionKind.MOVE,
        layout="tree",
        threshold=0.6,
        unsure=(0.3, 0.7),
        exclude=("x", "y"),
        hidden=True,
        follow_symlinks=True,
        include_protected=True,
        workers=3,
        engine=EngineOptions("onnx", "int8", "cpu", "auto", 8),
        limits=Limits(50.0, 7.0),
        dry_run=True,
        fresh=True,
        report=Path("r.csv"),
        cluster="auto",
    )


def test_thresholds_and_fetch_limits_are_records_within_the_record() -> None:
    clean = options_from(CleanOptions, parsed("clean", "a", "--blur", "0.5", "--min-size", "9", "--no-cache"))
    assert (clean.thresholds, clean.cache) == (Thresholds(min_size=9, blur=0.5), False)
    arguments = parsed("collect", "--class", "c", "q", "-o", "b", "--delay", "2", "--allow-private")
    fetch = options_from(CollectOptions, arguments, classes=(), sources=()).fetch
    assert (fetch.delay, fetch.private, fetch.seconds) == (2.0, True, 60.0)


@dataclass(frozen=True)
class Inner:
    seconds: float = 1.0


@dataclass(frozen=True)
class Outer:
    names: tuple[str, ...] = ()
    inner: Inner = field(default_factory=Inner)
    seconds: float = 2.0
    unknown: int = 5


def test_a_nested_field_is_not_taken_for_the_outer_one() -> None:
    values = argparse.Namespace(**{"names": ["x"], "seconds": 3.0, "inner.seconds": 4.0})
    assert options_from(Outer, values) == Outer(("x",), Inner(4.0), 3.0)
    assert options_from(Outer, values, seconds=9.0).seconds == 9.0


def test_flat_keywords_of_version_0_1() -> None:
    flat = Options(inputs=(A,), out=B, engine="onnx", device="cpu", max_megapixels=9, timeout_per_file=8)
    assert flat == SortOptions((A,), B, engine=EngineOptions("onnx", device="cpu"), limits=Limits(9, 8))
    assert Options((A,), B) == SortOptions((A,), B)
    assert Options((A,), B, engine=EngineOptions("torch"), limits=Limits(1)) == SortOptions(
        (A,), B, engine=EngineOptions("torch"), limits=Limits(1)
    )


@pytest.mark.parametrize(
    ("record", "flag"),
    [
        (Limits(megapixels=0), "--max-megapixels"),
        (Limits(seconds=-1), "--timeout-per-file"),
        (EngineOptions(batch_size=0), "--batch-size"),
    ],
)
def test_a_limit_that_is_not_above_zero_names_its_flag(record: Limits | EngineOptions, flag: str) -> None:
    with pytest.raises(UsageError, match=f"{flag}: .* is not above zero"):
        record.check()


def test_training_refuses_a_limit_that_is_not_above_zero() -> None:
    with pytest.raises(UsageError, match="--max-megapixels: 0 is not above zero"):
        resolve_recipe(TrainOptions(A, B, limits=Limits(megapixels=0)))
