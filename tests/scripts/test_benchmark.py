"""The benchmark's photo maker and its arithmetic. Nothing here is timed."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("psutil")
SCRIPTS = Path(__file__).parents[2] / "scripts"

import benchmark  # noqa: E402
import photos  # noqa: E402
from benchmarks import figures, process, run, run_report  # noqa: E402
from PIL import Image  # noqa: E402
from support.machines import MACHINE  # noqa: E402


def hashes(paths: list[Path]) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def test_photos_depend_on_seed_and_number_only(tmp_path: Path) -> None:
    few = hashes(photos.make_set(tmp_path / "few", photos.SMALL, 3))
    more = hashes(photos.make_set(tmp_path / "more", photos.SMALL, 5))
    other = hashes(photos.make_set(tmp_path / "other", photos.SMALL, 3, seed=1))
    assert more[:3] == few
    assert len(set(more + other)) == 8


def test_variants_of_one_original_differ(tmp_path: Path) -> None:
    n = photos.SMALL.originals
    paths = photos.make_set(tmp_path / "set", photos.SMALL, n + 2)
    assert len(set(hashes(paths))) == n + 2


@pytest.mark.parametrize(
    ("kind", "n", "least", "most"), [(photos.SMALL, 60, 40e3, 80e3), (photos.LARGE, 1, 3e6, 5e6)], ids=str
)
def test_photos_weigh_what_a_camera_makes(
    tmp_path: Path, kind: photos.Kind, n: int, least: float, most: float
) -> None:
    for path in photos.make_set(tmp_path / "set", kind, n):
        assert least <= path.stat().st_size <= most
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (kind.width, kind.height))


def test_whole_set_is_kept_and_damaged_one_made_again(tmp_path: Path) -> None:
    first, second = photos.make_set(tmp_path / "set", photos.SMALL, 2)
    made = first.stat().st_mtime_ns
    photos.make_set(tmp_path / "set", photos.SMALL, 2)
    assert first.stat().st_mtime_ns == made
    second.unlink()
    photos.make_set(tmp_path / "set", photos.SMALL, 2)
    assert second.exists()


def test_links_repeat_the_sources(tmp_path: Path) -> None:
    sources = photos.make_set(tmp_path / "set", photos.SMALL, 2)
    links = photos.link_set(tmp_path / "links", sources, 5)
    assert [link.samefile(sources[index % 2]) for index, link in enumerate(links)] == [True] * 5


def test_figures_have_three_digits() -> None:
    assert [figures.figure(value) for value in (0, 0.012345, 1.2345, 12.345, 123.45, 12345.6)] == [
        "0",
        "0.0123",
        "1.23",
        "12.3",
        "123",
        "12,346",
    ]


def test_spread_and_ratio() -> None:
    ours, theirs = figures.Spread((20.0, 30.0, 40.0)), figures.Spread((2.0, 2.0, 5.0))
    assert ours.text(" s") == "30.0 s (20.0–40.0)"
    assert figures.Spread((20.0,)).text() == "20.0"
    # Round by round: 10, 15 and 8 times, whatever the medians say.
    assert figures.ratios(ours, theirs).median == 10
    with pytest.raises(ValueError, match="shorter"):
        figures.ratios(ours, figures.Spread((1.0,)))


def made_up_run(program: str, engine: str | None, n: int, seconds: float, first: float) -> run_report.Run:
    return run_report.Run("small", program, engine, n, seconds, first, 1 if engine else 0, seconds)


def made_up_figures() -> run_report.Figures:
    ours = made_up_run("sorter", "onnx fp32", 1001, 10.01, 0.01)
    return run_report.Figures(
        machine=MACHINE,
        rounds=1,
        workers=2,
        sets={"small": "made up"},
        runs=[
            ours,
            made_up_run("torch loop", None, 100, 20.0, 10.0),
            made_up_run("timm", None, 100, 5.0, 2.5),
        ],
        bounds=[run_report.Bound("small", "sorter", "onnx fp32", 2, 10, decode=4.0, infer=12.0)],
        first_runs=[
            made_up_run("sorter", "onnx fp32", 200, 8.0, 6.0),
            made_up_run("sorter", "onnx fp32", 200, 3.0, 0.7),
        ],
        startup={"sorter --help": figures.Spread((0.1, 0.2, 0.3))},
        memory=[process.Peak(1000, 500 << 20, 0, 1.0), process.Peak(20000, 525 << 20, 0, 9.0)],
    )


def test_rates_with_and_without_start_up() -> None:
    peer = made_up_run("torch loop", None, 100, 20.0, 10.0)
    assert peer.rate == pytest.approx(5)
    assert peer.steady == pytest.approx(10)
    assert made_up_figures().bounds[0].rate == pytest.approx(125)


def test_tables() -> None:
    text = run_report.markdown(made_up_figures())
    assert (
        "2 cores of Example 9000 (avx2), 8 GiB of memory, Linux, CPython 3.12, numpy 2.0; 2025-01-01" in text
    )
    for row in (
        "| torch loop, 0.2 MP | 100 | 5.00 | 10.0 |",
        "| sorter (onnx fp32), 0.2 MP | **10.0×** | 20.0× | **2.50×** | 5.00× |",
        "| sorter (onnx fp32), 0.2 MP | 4.00 ms | 12.0 ms | 125 | 80.0 % | 80.0 % |",
        "| sorter (onnx fp32), first run | 200 | 6.00 s | 8.00 s |",
        "| sorter --help | 3 | 0.200 s (0.100–0.300) |",
        "| 20,000 photos | 525 MiB | 1.050 |",
    ):
        assert row in text.splitlines()
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")


def test_json_holds_every_measurement() -> None:
    data = json.loads(json.dumps(run_report.to_json(made_up_figures())))
    assert [each["program"] for each in data["runs"]] == ["sorter", "torch loop", "timm"]
    assert data["runs"][1]["steady"] == pytest.approx(10)
    assert data["peak_memory_bytes"]["20000"] == 525 << 20


def test_failed_program_ends_it_with_its_stderr() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such luck')"]
    with pytest.raises(process.BenchmarkError, match=r"(?s)exit code 1.*no such luck"):
        process.timed(command)


def test_endless_program_is_stopped() -> None:
    with pytest.raises(process.BenchmarkError, match="stopped after"):
        process.timed([sys.executable, "-c", "import time; time.sleep(60)"], patience=0.3)


def test_memory_of_children_counts() -> None:
    hold = "b = bytearray(64 << 20); import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}], check=True)"
    finished = process.timed([sys.executable, "-c", parent], watch_memory=True)
    assert finished.peak_memory is not None
    assert 64 << 20 < finished.peak_memory < 256 << 20


def test_unsorted_photos_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "car").mkdir()
    (tmp_path / "car" / "a.jpg").touch()
    (tmp_path / "report.csv").write_text("path,label\na.jpg,car\nb.jpg,car\n")
    with pytest.raises(process.BenchmarkError, match="2 photos were to be sorted; 1 are in folders, 2 in"):
        run.check(tmp_path, 2)


def test_help_has_examples() -> None:
    for command in ([], ["run"]):
        done = subprocess.run(
            [sys.executable, SCRIPTS / "benchmark.py", *command, "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "python scripts/benchmark.py run --markdown table.md --json run.json" in done.stdout


def test_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        benchmark.build_parser().parse_args(["run", "--only", "small,medium"])
    assert "'medium' is none of small, large" in capsys.readouterr().err
