"""The arithmetic and the tables of `scripts/benchmark.py gpu`; slow: the whole of it, with torch on the CPU."""

from __future__ import annotations

import json
from pathlib import Path

import benchmark
import pytest
from benchmarks import gpu, gpu_report
from benchmarks.gpu_report import BOTH, DECODE, DEVICE, RUN, Row
from benchmarks.machine import machine
from benchmarks.process import BenchmarkError

from sorter.types import Failure, Photo, Reason, Result


def a_row(decode: str, decoders: list[float], device: list[float], both: list[float]) -> Row:
    row = Row("resnet50", "large", decode, 3000, {DEVICE: device, BOTH: both, RUN: both})
    if decoders:
        row.rates[DECODE] = decoders
    return row


def test_the_smaller_bound_is_found_round_by_round() -> None:
    row = a_row("cpu", [500, 400], [450, 900], [405, 360])
    assert row.bound.values == (450, 400)
    assert a_row("gpu", [], [800, 700], [720, 700]).bound.values == (800, 700)
    assert gpu_report.cells(row)[5] == "90.0 % (90.0–90.0)"


def test_what_is_claimed_is_told_against_the_same_round() -> None:
    on_cpu = a_row("cpu", [500, 500], [900, 900], [400, 480])
    on_cpu.peer += [40, 40]
    on_gpu = a_row("gpu", [], [900, 900], [800, 720])
    text = gpu_report.markdown(machine(()) | {"gpu": "NVIDIA, 80 GiB"}, [on_cpu, on_gpu], 2)
    assert "11.0x (10.0–12.0) the DataLoader loop" in text
    assert "1.75x (1.50–2.00) with --decode gpu" in text
    assert "2 rounds" in text and "NVIDIA, 80 GiB" in text


def test_a_photo_that_fails_ends_a_measurement() -> None:
    broken = Result[object](Photo(Path("/a.jpg"), Path("a.jpg"), 0, 0), Failure(Reason.CORRUPT, "cut"))
    with pytest.raises(BenchmarkError, match=r"/a.jpg: corrupt: cut"):
        gpu.steady(iter([broken]))
    with pytest.raises(BenchmarkError, match="too few"):
        gpu.steady(iter(()))


def test_without_a_gpu_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu.gpu_name("cpu") == "no GPU"
    with pytest.raises(BenchmarkError, match="nvidia-smi"):
        gpu.gpu_name("cuda:0")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_whole_of_it_without_a_gpu(tmp_path: Path) -> None:
    least = ["--device", "cpu", "--precision", "fp32", "--rounds", "1", "--batch-size", "4", "--peer", "40"]
    sizes = ["--small", "100", "--large", "12", "--work", str(tmp_path), "--json", str(tmp_path / "gpu.json")]
    arguments = benchmark.build_parser().parse_args(["gpu", *least, *sizes])
    arguments.main(arguments)
    rows = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))["rows"]
    assert [(row["model"], row["kind"], row["decode"]) for row in rows] == [
        (model, kind, decode)
        for model in ("shipped", "resnet50")
        for kind, decode in (("small", "cpu"), ("large", "cpu"), ("large", "gpu"))
    ]
    assert all(rate > 0 for row in rows for rates in row["rates"].values() for rate in rates)
    assert [bool(row["peer"]) for row in rows] == [False, False, False, True, True, False]
