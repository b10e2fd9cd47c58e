"""The arithmetic and the tables of `scripts/benchmark.py cluster`. Nothing here is timed, nor starts Ray."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import benchmark
import pytest
from benchmarks import cluster
from benchmarks.cluster import Cost
from benchmarks.driver import Driver, Stub, driver_text
from benchmarks.figures import Spread

from sorter.types import Photo, Scores


def test_overhead_is_told_against_the_plain_run_of_the_same_round() -> None:
    plain = Cost("plain run", Spread.of([1, 2, 3]), Spread.of([10, 20, 30]), Spread.of([20, 40, 60]))
    nodes = Cost("2 nodes", Spread.of([5, 6, 7]), Spread.of([11, 21, 33]), Spread.of([21, 44, 60]))
    text = cluster.overhead_table([plain, nodes])
    row = next(line for line in text.splitlines() if line.startswith("| 2 nodes"))
    assert [cell.strip() for cell in row.split("|")][4:7:2] == ["+10%", "+5%"]
    assert "3 rounds" in text
    assert json.loads(json.dumps(nodes.to_json()))["wall"]["median"] == 21


def test_the_driver_is_told_by_its_own_processor_too() -> None:
    memory = [(250, 100 << 20), (500, 101 << 20), (750, 102 << 20), (1000, 103 << 20)]
    driver = Driver(1000, seconds=2.0, processor=0.5, memory=memory)
    text = driver_text(driver)
    assert "500 rows/s" in text
    assert "2,000 rows for each second" in text
    assert "101 MiB after a quarter" in text
    assert "103 MiB at the end" in text
    assert json.loads(json.dumps(asdict(driver)))["rows"] == 1000


def test_stubbed_scores_are_scores() -> None:
    scores = Stub().start()(Photo(Path("/1.jpg"), Path("1.jpg"), 3_000_250, 0))
    assert isinstance(scores, Scores)
    assert scores.probabilities == (0.25, 0.75)


def test_it_is_one_of_the_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        benchmark.build_parser().parse_args(["cluster", "--help"])
    assert ended.value.code == 0
    assert "scripts/benchmark.py cluster" in capsys.readouterr().out
    assert cluster.processor_seconds() > 0
