"""The training benchmark's photos, its choice of epochs and its tables. Nothing here is timed."""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("psutil")
SCRIPTS = Path(__file__).parents[2] / "scripts"

import numpy as np  # noqa: E402
from benchmarks import class_folders as folders  # noqa: E402
from benchmarks import train as bench  # noqa: E402
from benchmarks import train_report as report  # noqa: E402
from benchmarks.harness import Program  # noqa: E402
from benchmarks.process import BenchmarkError, Finished, Peak, timed  # noqa: E402
from PIL import Image  # noqa: E402
from support.machines import MACHINE  # noqa: E402


def digests(folder: Path) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*.jpg"))]


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    for label in ("a", "b"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(24):
            (tmp_path / "data" / label / f"{number}.jpg").write_bytes(f"{label}{number}".encode())
    return tmp_path / "data"


def test_parts_share_no_photo_and_hold_as_many_of_each_class(classes: Path, tmp_path: Path) -> None:
    counts = folders.divide(classes, tmp_path / "parts", 40, seed=0)
    assert counts == {"train": 24, "val": 6, "test": 10}
    for name, count in counts.items():
        for label in ("a", "b"):
            photos = list((tmp_path / "parts" / name / label).iterdir())
            assert len(photos) == count // 2
            assert {photo.read_bytes()[:1] for photo in photos} == {label.encode()}
    assert len(set(digests(tmp_path / "parts"))) == 40


def test_parts_depend_on_the_seed_alone(classes: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        folders.divide(classes, tmp_path / name, 40, seed)
    assert digests(tmp_path / "one") == digests(tmp_path / "again") != digests(tmp_path / "other")


def test_too_few_photos_or_classes_are_named(classes: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="a: has 24 photos, 50 are needed; lower --photos"):
        folders.divide(classes, tmp_path / "parts", 100, seed=0)
    with pytest.raises(BenchmarkError, match="two class folders or more"):
        folders.divide(classes / "a", tmp_path / "parts", 40, seed=0)


def test_cars_are_drawn_into_every_other_photo(tmp_path: Path) -> None:
    folders.draw_classes(tmp_path / "photos", 4)
    names = {
        label: sorted(p.name for p in (tmp_path / "photos" / label).iterdir()) for label in ("car", "not-car")
    }
    assert names == {
        "car": ["photo-00000.jpg", "photo-00002.jpg"],
        "not-car": ["photo-00001.jpg", "photo-00003.jpg"],
    }
    with (
        Image.open(tmp_path / "photos" / "car" / "photo-00000.jpg") as car,
        Image.open(tmp_path / "photos-plain" / "photo-00000.jpg") as plain,
    ):
        changed = np.abs(np.asarray(car, int) - np.asarray(plain, int)).max(2) > 40
    assert 0.03 < changed.mean() < 0.5


def test_multiplied_photos_differ_in_bytes_but_not_in_pixels(tmp_path: Path) -> None:
    source = tmp_path / "parts" / "train" / "car"
    source.mkdir(parents=True)
    Image.new("RGB", (32, 24), (200, 30, 30)).save(source / "0.jpg")
    folders.multiply(tmp_path / "parts", tmp_path / "many", 3)
    copies = sorted((tmp_path / "many" / "car").iterdir())
    assert len(set(digests(tmp_path / "many"))) == 3
    assert len({Image.open(copy).tobytes() for copy in copies}) == 1


def run(program: str, epochs: int, saved: float, accuracy: float, waiting: float | None = None) -> report.Run:
    return report.Run(program, epochs, saved, saved + 2, 2 * saved, accuracy, 50, waiting)


def test_least_epochs_that_reach_the_target_or_come_nearest() -> None:
    tried = [run("timm", epochs, 1, right) for epochs, right in ((1, 0.8), (2, 0.98), (3, 1.0))]
    assert bench.least(tried, 0.98) == 2
    assert bench.least(tried, 0.7) == 1
    assert bench.least([*tried[:1], run("timm", 2, 1, 0.8)], 0.98) == 1


@pytest.mark.parametrize("ours", [True, False])
def test_what_a_program_says_is_read(tmp_path: Path, ours: bool) -> None:
    out = tmp_path / "model"
    program = Program("it", lambda *_: [], ours)
    said = {"saved": 103.0, "accuracy": 0.98, "photos": 50}
    if ours:
        out.mkdir()
        (out / "model.json").touch()
        said |= {"accuracy": {"value": 0.98}, "waiting": 0.25}
    else:
        out.touch()
    stdout = "a line before it\n" + json.dumps(said) + "\n"
    finished = Finished(100.0, 105.0, stdout, processor_seconds=7.0)
    found = bench.read_run(program, 2, out, finished, [102.0] if ours else [])
    assert (found.ended, found.processor, found.accuracy, found.held_out) == (5, 7, 0.98, 50)
    assert found.saved == (2 if ours else 3)
    assert found.waiting == (0.25 if ours else None)


def test_missing_model_is_noticed(tmp_path: Path) -> None:
    program = Program("it", lambda *_: [], False)
    with pytest.raises(BenchmarkError, match="it: ended without"):
        bench.read_run(program, 1, tmp_path / "model", Finished(0.0, 1.0, "{}"), [])


def test_a_file_written_twice_counts_from_the_first_time(tmp_path: Path) -> None:
    with bench.first_seen(tmp_path / "model.json") as found:
        for _ in range(2):
            (tmp_path / "model.json").write_text("{}", encoding="utf-8")
            written = time.time()
            while not found:
                time.sleep(0.001)
    assert len(found) == 1
    assert found[0] <= written + 60
    with bench.first_seen(tmp_path / "never") as found:
        pass
    assert found == []


def test_epochs_of_peers_are_read() -> None:
    assert bench.epochs_of("timm=4") == ("timm", 4)
    for wrong in ("timm", "keras=1", "fastai=0", "fastai=x"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not like fastai=2; peers are"):
            bench.epochs_of(wrong)


def test_models_of_either_kind_make_room_for_the_next(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "model.json").touch()
    (tmp_path / "theirs").touch()
    for name in ("ours", "theirs", "none"):
        bench.clear(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_tables() -> None:
    figures = report.Figures(
        machine=MACHINE,
        load=(0.1, 2.0),
        rounds=2,
        target=0.98,
        photos="200 photos",
        search=[],
        runs=[
            run("timm", 3, 40.0, 0.96),
            run("sorter", 0, 8.0, 1.0, 0.02),
            run("sorter", 0, 8.0, 1.0, 0.02),
            run("timm", 3, 48.0, 0.96),
        ],
        waiting=[run("the head alone", 0, 8.0, 1.0, 0.02)],
        memory=[Peak(500, 800 << 20, 400 << 20, 1.0), Peak(5000, 1600 << 20, 420 << 20, 1.0)],
    )
    lines = report.markdown(figures).splitlines()
    assert "Load average 0.10 before, 2.00 after" in lines[0]
    for row in (
        "| sorter | as the recipe | 100 % (100–100) of 50 | 8.00 s (8.00–8.00) | 10.0 s (10.0–10.0) | "
        "16.0 s (16.0–16.0) |",
        "| timm | 3 | 96.0 % (96.0–96.0) of 50, below the target | 44.0 s (40.0–48.0) | 46.0 s (42.0–50.0) | "
        "88.0 s (80.0–96.0) |",
        "| timm | **5.50× (5.00, 6.00)** | 4.40× (4.00, 4.80) | 5.50× (5.00, 6.00) |",
        "| the head alone | 2.0% | 10.0 s |",
        "| 5,000 photos | 1,600 MiB | 2.000 | 420 MiB | 1.050 |",
    ):
        assert row in lines
    assert json.loads(json.dumps(report.to_json(figures)))["runs"][0]["epochs"] == 3


def test_help_says_how_to_get_fastai() -> None:
    command = [sys.executable, SCRIPTS / "benchmark.py", "train", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "fastai-env/bin/pip install fastai timm" in done.stdout
    assert "python scripts/benchmark.py train --data ./my-folders" in done.stdout


def test_anonymous_memory_of_children_counts_and_mapped_files_do_not(tmp_path: Path) -> None:
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("the system does not tell")
    (tmp_path / "file").write_bytes(bytes(64 << 20))
    code = "import mmap, sys, time; f = open(sys.argv[1], 'rb'); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); "
    code += "n = sum(m[at] for at in range(0, len(m), 4096)); b = bytearray(32 << 20); time.sleep(1)"
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}, sys.argv[1]], check=True)"
    )
    finished = timed([sys.executable, "-c", parent, tmp_path / "file"], watch_memory=True)
    assert finished.peak_memory is not None and finished.peak_anonymous is not None
    assert 32 << 20 < finished.peak_anonymous < 80 << 20
    assert finished.peak_memory > finished.peak_anonymous + (48 << 20)
    assert finished.processor_seconds > 0
