"""The benchmark of training on few photos, on photos that are drawn here."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from benchmark import main
from benchmarks.few import CENTROID, LR, OLD, OURS, Mean, balanced, curves, draw, table
from benchmarks.few_curves import draw_curves
from support.photos import BLUE, RED, make_photo

ACCURACY = {OLD: 0.5, "before, 100 %": 0.6, CENTROID: 0.7, f"{LR} C=1": 0.9, f"{LR} C=10": 0.8, OURS: 0.85}


def means() -> list[Mean]:
    return [Mean(name, 2, each, 30, 5, ACCURACY) for name in ("cats", "streets") for each in (4, 10)]


def test_as_many_of_each_class_are_learned_from_and_the_others_judge() -> None:
    labels = np.repeat([0, 1, 2], [20, 30, 40])
    learn, judge = draw(labels, 5, seed=1)
    assert np.bincount(labels[learn]).tolist() == [5, 5, 5]
    assert sorted({*learn, *judge}) == list(range(90)) and not set(learn) & set(judge)
    assert draw(labels, 5, seed=1) == (learn, judge) and draw(labels, 5, seed=2) != (learn, judge)


def test_each_class_counts_the_same() -> None:
    labels = np.repeat([0, 1], [90, 10])
    assert balanced(np.zeros(100, np.int64), labels) == 0.5


def test_the_best_by_hand_is_none_of_sorters_own() -> None:
    mean = means()[0]
    assert mean.by_hand == 0.9
    assert "| cats, 2 classes | 4 | 50.0 | 60.0 | 70.0 | 80.0 | 90.0 | 85.0 |" in table([mean])


def test_a_field_for_each_set_and_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw_curves(curves(means()), tmp_path / name)
    drawn = (tmp_path / "a.svg").read_bytes()
    assert drawn == (tmp_path / "b.svg").read_bytes()
    names = {each.get("id", "") for each in ElementTree.fromstring(drawn).iter()}
    assert {"axes_1", "axes_2"} <= names


@pytest.mark.slow  # it embeds the photos, and learns in nine ways
def test_the_whole_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, colour in (("red", RED), ("blue", BLUE)):
        for number in range(12):
            make_photo(tmp_path / "colours" / name / f"{number}.png", colour, seed=number)
    arguments = ["few", "--data", str(tmp_path / "colours"), "--each", "4", "--draws", "1"]
    outputs = ["--markdown", str(tmp_path / "few.md"), "--svg", str(tmp_path / "few.svg")]
    monkeypatch.setattr(sys, "argv", ["benchmark.py", *arguments, *outputs])
    assert main() == 0
    row = (tmp_path / "few.md").read_text(encoding="utf-8").splitlines()[2]
    assert row.startswith("| colours, 2 classes | 4 |") and row.endswith("| 100.0 |")
    assert (tmp_path / "few.svg").stat().st_size > 1000
