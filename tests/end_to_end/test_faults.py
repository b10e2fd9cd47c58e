"""What can go wrong around a run, each really done to a process: a bad file costs one row and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image
from support.commands import Sorter, command, hashes, read_report
from support.photos import BLUE, RED, make_photo
from support.processes import group_members, wait_until

from sorter.output.journal import Journal

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system has no such call")

# Python imports this at the start of every process on whose PYTHONPATH it is found. In workers, it gives the
# decoder the faults that a bug in an image library would have, for photos with telling names.
FAULTY_DECODER = """
import sys

if any("spawn_main" in argument for argument in sys.orig_argv):
    import ctypes, os, time
    from pathlib import Path
    import sorter.photos.decode

    whole = sorter.photos.decode.Decoder.__call__

    def faulty(self, path):
        if "segfault" in path.name:
            ctypes.string_at(0)
        if "glutton" in path.name:
            eaten = []
            while True:
                eaten.append(bytes(1 << 28))  # taken from the system, but never written to
        if "hang" in path.name:
            Path(__file__).with_name("hangs").touch()
        if "hang-in-python" in path.name:
            while True:
                time.sleep(1)
        if "hang-in-c" in path.name:
            ctypes.PyDLL(None).sleep(3600)  # PyDLL: with the interpreter's lock held
        if "waits" in path.name:
            while not Path(__file__).with_name("go-on").exists():
                time.sleep(0.01)
        if "gone-before" in path.name:
            path.unlink()
        if "pipe-before" in path.name:
            path.unlink()
            os.mkfifo(path)
        outcome = whole(self, path)
        if "gone-after" in path.name:
            path.unlink()
        if "pipe-after" in path.name:
            path.unlink()
            os.mkfifo(path)
        if "changed-after" in path.name:
            path.write_bytes(path.read_bytes() + b"more")
        return outcome

    sorter.photos.decode.Decoder.__call__ = faulty
"""

# The file system says that it is full while a marker file lies beside this, after the first 200,000 bytes.
FULL_DISK = """
import errno, os, sys
from pathlib import Path

if not any("spawn_main" in argument for argument in sys.orig_argv):
    marker, written = Path(__file__).with_name("full"), [0]

    def limited(call):
        def write(*arguments):
            done = call(*arguments)
            written[0] += done
            if written[0] > 200_000 and marker.exists():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return done
        return write

    os.write = limited(os.write)
    if hasattr(os, "copy_file_range"):
        os.copy_file_range = limited(os.copy_file_range)
"""


def with_module(folder: Path, source: str) -> dict[str, str]:
    """An environment in which Python processes start with this code."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(source)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def neighbours(folder: Path, count: int = 12) -> Path:
    for number in range(count):
        make_photo(folder / f"{number:02}.jpg", (RED, BLUE)[number % 2], seed=number)
    return folder


def outcomes(out: Path, source: Path) -> dict[str, tuple[str, str]]:
    """Relative name -> (status, reason), with one row for each."""
    report = read_report(out)
    found = {
        os.path.relpath(row["path"], source): (row["status"], row["error"].partition(":")[0])
        for row in report
    }
    assert len(found) == len(report)
    return found


def names(folder: Path) -> set[str]:
    return set(hashes(folder))


SORTED = ("sorted", "")


# -- files ---------------------------------------------------------------------------------------------------------


def test_bad_files_cost_a_row_each(tmp_path: Path, sorter: Sorter) -> None:
    source, out = neighbours(tmp_path / "in", 4), tmp_path / "out"
    jpeg, png = make_photo(tmp_path / "a.jpg", seed=50), make_photo(tmp_path / "a.png", seed=51)
    for kind in (jpeg, png):
        data = kind.read_bytes()
        (source / f"cut{kind.suffix}").write_bytes(data[: len(data) // 2])
        (source / f"head{kind.suffix}").write_bytes(data[:40])
    (source / "empty.jpg").touch()
    (source / "is-jpeg.png").write_bytes(jpeg.read_bytes())
    (source / "is-png.txt").write_bytes(png.read_bytes())
    (source / "text.jpg").write_text("no photo\n" * 50)
    (source / "zeros.png").write_bytes(bytes(5000))
    (source / "notes.txt").write_text("no photo\n" * 50)
    (source / "script").write_text("%!PS-Adobe-3.0 EPSF-3.0\n(never run) = quit\n")
    before = hashes(source)
    done = sorter("run", source, "--out", out)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    found = outcomes(out, source)
    for unclear in ("head.jpg", "head.png"):
        assert found.pop(unclear) in {("failed", "truncated"), ("failed", "corrupt")}
    assert found == {
        **{f"{number:02}.jpg": SORTED for number in range(4)},
        "cut.jpg": ("failed", "truncated"),
        "cut.png": ("failed", "truncated"),
        "empty.jpg": ("failed", "empty"),
        "is-jpeg.png": SORTED,
        "is-png.txt": SORTED,
        "text.jpg": ("failed", "not-an-image"),
        "zeros.png": ("failed", "not-an-image"),
        "notes.txt": ("skipped", "other-file"),
        "script": ("skipped", "other-file"),
    }
    assert hashes(source) == before


def png(width: int, height: int, bits: int, colour: int, data: bytes) -> bytes:
    """A PNG file as its specification has it (ISO/IEC 15948)."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_decompression_bombs_are_not_decoded(tmp_path: Path, sorter: Sorter) -> None:
    source, out = neighbours(tmp_path / "in", 2), tmp_path / "out"
    (source / "declares.png").write_bytes(png(50_000, 50_000, 8, 2, zlib.compress(bytes(1000))))
    line = bytes(1 + 20_000 // 8)
    packer = zlib.compressobj(9)
    rows = b"".join([*(packer.compress(line) for _ in range(20_000)), packer.flush()])
    (source / "is.png").write_bytes(png(20_000, 20_000, 1, 0, rows))
    Image.new("RGB", (1500, 1000), RED).save(source / "large.png")
    done = sorter("run", source, "--out", out, "--max-megapixels", 1)
    assert done.returncode == 3, done.stderr
    too_large = ("failed", "too-large")
    small = {"00.jpg": SORTED, "01.jpg": SORTED}
    assert outcomes(out, source) == {
        **small,
        "declares.png": too_large,
        "is.png": too_large,
        "large.png": too_large,
    }
    assert sorter("run", source, "--out", out).returncode == 3
    assert outcomes(out, source) == {
        **small,
        "declares.png": too_large,
        "is.png": too_large,
        "large.png": SORTED,
    }


# Capabilities 1 and 2, CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, let root read what nobody may: give them up.
AS_ANYBODY = """
import ctypes, os, sys
if os.geteuid() == 0:
    drop_from_bounding_set = 24
    for capability in (1, 2):
        assert ctypes.CDLL(None).prctl(drop_from_bounding_set, capability, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@linux_only
def test_unreadable_files_and_folders(tmp_path: Path, model: Path) -> None:
    source, out = neighbours(tmp_path / "in", 4), tmp_path / "out"
    make_photo(source / "closed" / "in.jpg", seed=20)
    (source / "01.jpg").chmod(0)
    (source / "closed").chmod(0)

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        given = [sys.executable, "-c", AS_ANYBODY, *command(model, "run", source, "--out", out, *more)]
        return subprocess.run(given, capture_output=True, text=True, timeout=120, check=False)

    try:
        done = run()
        assert done.returncode == 3, done.stderr
        good = {"00.jpg": SORTED, "02.jpg": SORTED, "03.jpg": SORTED}
        unreadable = ("failed", "unreadable")
        assert outcomes(out, source) == {**good, "01.jpg": unreadable, "closed": unreadable}
        (source / "01.jpg").chmod(0o600)
        (source / "closed").chmod(0o700)
        assert run().returncode == 0
        # The folder can be read now, so its row gave way to those of its files.
        assert outcomes(out, source) == {**good, "01.jpg": SORTED, "closed/in.jpg": SORTED}
        (source / "02.jpg").unlink()
        (source / "new.jpg").write_bytes((source / "00.jpg").read_bytes())
        (out / "red").chmod(0o500)
        done = run("--json")
        assert done.returncode == 3, done.stderr
        assert json.loads(done.stdout)["failed"] == {"not-filed": 1}
        assert (source / "new.jpg").exists()
        (out / "red").chmod(0o700)
        again = run("--json")
        assert again.returncode == 0
        assert json.loads(again.stdout)["decoded"] == 0
        assert outcomes(out, source)["new.jpg"] == SORTED
    finally:
        for path in (source / "closed", out / "red"):
            if path.exists():
                path.chmod(0o700)


@linux_only
@pytest.mark.parametrize("action", ["copy", "move"])
def test_output_that_may_not_be_written(tmp_path: Path, model: Path, action: str) -> None:
    source, out = neighbours(tmp_path / "in", 2), tmp_path / "closed" / "out"
    before = hashes(source)
    out.parent.mkdir(mode=0o500)
    given = command(model, "run", source, "--out", out, "--action", action)
    done = subprocess.run(
        [sys.executable, "-c", AS_ANYBODY, *given], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "cannot be written to" in done.stderr and "Traceback" not in done.stderr
    assert hashes(source) == before


@pytest.mark.parametrize("action", ["copy", "move"])
def test_files_that_change_under_the_run(tmp_path: Path, sorter: Sorter, action: str) -> None:
    """Gone, swapped for a FIFO or written to: between the scan and the decoder, and between that and the filing."""
    source, out = neighbours(tmp_path / "in"), tmp_path / "out"
    for number, name in enumerate(
        ("gone-before", "gone-after", "pipe-before", "pipe-after", "changed-after")
    ):
        make_photo(source / f"05-{name}.jpg", seed=30 + number)
    os.mkfifo(source / "06-pipe.jpg")
    environment = with_module(tmp_path / "site", FAULTY_DECODER)
    done = sorter("run", source, "--out", out, "--action", action, env=environment)
    assert done.returncode == 3, done.stderr
    assert outcomes(out, source) == {
        **{f"{number:02}.jpg": SORTED for number in range(12)},
        "05-gone-before.jpg": ("failed", "vanished"),
        "05-gone-after.jpg": ("failed", "vanished"),
        "05-pipe-before.jpg": ("skipped", "special-file"),
        "05-pipe-after.jpg": ("failed", "not-filed"),
        "05-changed-after.jpg": ("failed", "not-filed"),
        "06-pipe.jpg": ("skipped", "special-file"),
    }
    # A photo that changed is scored anew, and its first score is not kept.
    again = sorter("run", source, "--out", out, "--action", action, "--json")
    assert json.loads(again.stdout)["decoded"] == 1
    assert outcomes(out, source)["05-changed-after.jpg"] == SORTED
    assert (source / "05-pipe-after.jpg").is_fifo() and (source / "06-pipe.jpg").is_fifo()
    assert len(names(out)) == 13


# -- names ---------------------------------------------------------------------------------------------------------


@linux_only
def test_any_name_a_file_can_have(tmp_path: Path, sorter: Sorter) -> None:
    source, out = tmp_path / "in", tmp_path / os.fsdecode(b"out \xff\n\xf0\x9f\x9a\x97")
    longest = "x" * 251 + ".jpg"
    no_stem = "x." + "y" * 253  # nothing of it can be cut but the extension
    given = [
        "new\nline.jpg",
        "\N{AUTOMOBILE}\N{VARIATION SELECTOR-16}.jpg",
        os.fsdecode(b"caf\xe9 \xff.jpg"),
        "=1+1.jpg",
        "-rf.jpg",
        " ",
        'tab\tquote"comma,.jpg',
        "IMG_1.jpg",
        "img_1.JPG",
        "\N{LATIN SMALL LETTER E WITH ACUTE}" * 125 + ".jpg",
        longest,
        no_stem,
    ]
    for number, name in enumerate(given):
        # Saved elsewhere first: Pillow goes by the extension.
        made = make_photo(tmp_path / "made.jpg", seed=number)
        for folder in ("a", "b"):
            (source / folder).mkdir(parents=True, exist_ok=True)
            (source / folder / name).write_bytes(made.read_bytes())
            made.write_bytes(made.read_bytes() + b"another")
    done = sorter("run", source, "--out", out, "--action", "move")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    report = read_report(out)
    assert len(report) == 2 * len(given)
    assert {row["status"] for row in report} == {"sorted"}
    paths = [str(source / folder / name) for folder in "ab" for name in given]
    assert {row["path"] for row in report} == {
        path.encode(errors="backslashreplace").decode() for path in paths
    }
    assert not any(row["path"].startswith(("=", "-", "+", "@")) for row in report)
    filed = {path.name for path in (out / "red").iterdir()}
    assert len(filed) == 2 * len(given)
    assert set(given) < filed
    assert "x" * 247 + " (2).jpg" in filed
    assert "\N{LATIN SMALL LETTER E WITH ACUTE}" * 123 + " (2).jpg" in filed
    assert {"IMG_1.jpg", "IMG_1 (2).jpg", "img_1.JPG", "img_1 (2).JPG"} < filed
    assert sorter("status", out).returncode == 0
    # What cannot go back is named, whatever its name.
    (source / "a" / given[2]).write_text("something new")
    undone = sorter("undo", out)
    assert undone.returncode == 3
    assert undone.stdout.count("left:") == 1 and "Traceback" not in undone.stderr
    (source / "a" / given[2]).unlink()
    assert sorter("undo", out).returncode == 0
    assert len(hashes(source)) == 2 * len(given) and not names(out)


# -- the disk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A function that mounts a RAM disk of some size, or gives it another size."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def resize(size: str) -> Path:
        nonlocal mounted
        options = f"size={size}" if not mounted else f"remount,size={size}"
        given = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
        made = subprocess.run(given, capture_output=True, check=False)
        if made.returncode and not mounted:
            pytest.skip("only root can mount, and not in every container")
        assert made.returncode == 0, made.stderr
        mounted = True
        return folder

    yield resize
    if mounted:
        subprocess.run(["umount", "-l", folder], check=True)


def large_photos(folder: Path) -> Path:
    for number in range(30):
        name = f"{number // 2}.png" if number < 20 else "same.png"
        make_photo(folder / str(number % 10) / name, (RED, BLUE)[number % 3 == 0], (200, 150), seed=number)
    return folder


def same_rows(out: Path, source: Path) -> list[dict[str, str]]:
    """The report without the folders that a test happens to be in."""
    return [
        {key: value.replace(f"{out}/", "OUT/").replace(f"{source}/", "IN/") for key, value in row.items()}
        for row in read_report(out)
    ]


def check_whole(out: Path) -> None:
    """The journal says done, and nothing unfinished lies about."""
    journal = Journal.read(out)
    assert journal.setting("state") == "done"
    assert journal.unfinished() == []
    journal.close()
    assert [path for path in out.rglob("*") if path.name.endswith(".part")] == []


@linux_only
@pytest.mark.parametrize("action", [pytest.param("copy", marks=pytest.mark.slow), "move"])
def test_full_disk(tmp_path: Path, sorter: Sorter, small_disk: Callable[[str], Path], action: str) -> None:
    source, plain = large_photos(tmp_path / "in"), large_photos(tmp_path / "plain")
    before = hashes(source)
    assert sorter("run", plain, "--out", tmp_path / "plain-out", "--action", action).returncode == 0
    out = small_disk("4k") / "out"
    given = ("run", source, "--out", out, "--action", action)
    for size in ("4k", "40k", "160k", "400k", "900k", "1600k", "2300k"):
        small_disk(size)
        done = sorter(*given)
        assert done.returncode == 1, (size, done.stdout, done.stderr)
        assert "free some space" in done.stderr, (size, done.stderr)
        assert "Traceback" not in done.stderr
        kept = hashes(out) if out.exists() else {}
        assert set(hashes(source).values()) | set(kept.values()) == set(before.values())
        assert len(kept) + len(hashes(source)) == 30 + (len(kept) if action == "copy" else 0)
    small_disk("64m")
    done = sorter(*given)
    assert done.returncode == 0, done.stderr
    assert hashes(out) == hashes(tmp_path / "plain-out")
    assert hashes(source) == hashes(plain)
    assert same_rows(out, source) == same_rows(tmp_path / "plain-out", plain)
    check_whole(out)
    assert sorter("undo", out).returncode == 0
    assert hashes(source) == before


@linux_only
@pytest.mark.parametrize("action", ["copy", "move"])
def test_undo_on_a_full_disk(
    tmp_path: Path, sorter: Sorter, small_disk: Callable[[str], Path], action: str
) -> None:
    """Somebody filled the disk after the run, to the last byte."""
    disk = small_disk("40m")
    source, out = large_photos(disk / "in"), disk / "out"
    before = hashes(source)
    assert sorter("run", source, "--out", out, "--action", action).returncode == 0
    with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="space"):
        while True:
            filler.write(b"x" * 4096)
    with pytest.raises(OSError, match="space"):
        (disk / "one-more").write_bytes(b"x" * 8192)
    undone = sorter("undo", out)
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert hashes(source) == before
    assert not list(out.glob("*/*.png"))


def test_disk_that_says_it_is_full(tmp_path: Path, sorter: Sorter) -> None:
    """As above where nothing can be mounted: the system call that copies gives ENOSPC."""
    source, out = large_photos(tmp_path / "in"), tmp_path / "out"
    assert sorter("run", source, "--out", tmp_path / "plain-out").returncode == 0
    environment = with_module(tmp_path / "site", FULL_DISK)
    (tmp_path / "site" / "full").touch()
    done = sorter("run", source, "--out", out, env=environment)
    assert done.returncode == 1
    assert os.strerror(errno.ENOSPC) in done.stderr
    assert "free some space and give the same command again" in done.stderr
    assert 0 < len(names(out)) < 30
    (tmp_path / "site" / "full").unlink()
    done = sorter("run", source, "--out", out, env=environment)
    assert done.returncode == 0, done.stderr
    assert hashes(out) == hashes(tmp_path / "plain-out")
    assert same_rows(out, source) == same_rows(tmp_path / "plain-out", source)
    check_whole(out)


# -- decoders and engines --------------------------------------------------------------------------------------------


@linux_only
@pytest.mark.parametrize("action", [pytest.param("copy", marks=pytest.mark.slow), "move"])
def test_faulty_decoders_cost_a_row_each(tmp_path: Path, sorter: Sorter, action: str) -> None:
    source, out = neighbours(tmp_path / "in"), tmp_path / "out"
    bad = ("segfault", "glutton", "hang-in-python", "hang-in-c", "segfault-too")
    for number, name in enumerate(bad):
        make_photo(source / f"{2 * number:02}-{name}.jpg", seed=40 + number)
    environment = with_module(tmp_path / "site", FAULTY_DECODER)
    given = ("run", source, "--out", out, "--action", action, "--timeout-per-file", 2)
    done = sorter(*given, env=environment)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    good = {f"{number:02}.jpg": SORTED for number in range(12)}
    assert outcomes(out, source) == {
        **good,
        "00-segfault.jpg": ("failed", "decoder-crashed"),
        "02-glutton.jpg": ("failed", "out-of-memory"),
        "04-hang-in-python.jpg": ("failed", "timeout"),
        "06-hang-in-c.jpg": ("failed", "timeout"),
        "08-segfault-too.jpg": ("failed", "decoder-crashed"),
    }
    assert len(names(out)) == 12
    assert all((source / f"{2 * number:02}-{name}.jpg").exists() for number, name in enumerate(bad))
    assert "SIGSEGV" in (out / "report.csv").read_text(encoding="utf-8")
    # With a decoder that was mended, the same command sorts them.
    again = sorter(*given, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["decoded"] == 5
    assert len(names(out)) == 17


def workers_of(parent: int) -> list[psutil.Process]:
    """Worker processes that are alive and past their start."""
    found = []
    for child in psutil.Process(parent).children():
        try:
            if any("spawn_main" in argument for argument in child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


def placed(out: Path) -> int:
    """How many photos are in their folders."""
    return sum(len(list((out / label).glob("*"))) for label in ("red", "blue"))


@pytest.fixture
def background(model: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `sorter` in a process group of its own; all that is left of it at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command(model, *arguments), stdout=pipe, stderr=pipe, text=True, start_new_session=True, env=env
        )
        started.append(process)
        return process

    yield start
    for process in started:
        for member in group_members(process.pid):
            os.kill(member, signal.SIGKILL)
        process.communicate(timeout=60)


Background = Callable[..., "subprocess.Popen[str]"]


def test_worker_killed_from_outside(tmp_path: Path, background: Background) -> None:
    source, out = neighbours(tmp_path / "in", 300), tmp_path / "out"
    process = background("run", source, "--out", out)
    wait_until(lambda: placed(out))
    for worker in workers_of(process.pid):
        worker.kill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert set(outcomes(out, source).values()) == {SORTED}
    assert sorted(hashes(out).values()) == sorted(hashes(source).values())


def test_engine_that_cannot_start(tmp_path: Path, sorter: Sorter) -> None:
    from support.models import make_model

    from sorter.model.folder import write_model

    source = neighbours(tmp_path / "in", 2)
    broken = make_model(tmp_path / "broken")
    (broken.folder / "model.onnx").write_bytes(b"not a network at all")
    write_model(broken)  # with the hash of what is there now
    other = make_model(tmp_path / "other")
    network = (tmp_path / "other" / "model.onnx").read_bytes()
    # A network that loads, and fails at its first photo: the weights are for 3 channels, the input gives 4.
    import onnx

    graph = onnx.load_from_string(network)
    graph.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4
    (other.folder / "model.onnx").write_bytes(graph.SerializeToString())
    write_model(other)
    for engine in ("onnx", "openvino"):
        if engine == "openvino":
            pytest.importorskip("openvino")
        for folder in (broken.folder, other.folder):
            done = sorter(
                "run", source, "--out", tmp_path / engine / folder.name, "--model", folder,
                "--engine", engine, "--precision", "fp32",
            )  # fmt: skip
            assert done.returncode == 1, done.stderr
            assert "Traceback" not in done.stderr, done.stderr
            assert str(folder) in done.stderr
            assert done.stderr.count("sorter: ") == 1
            assert not placed(tmp_path / engine / folder.name)


# -- stopping ------------------------------------------------------------------------------------------------------


def stoppable(folder: Path) -> Path:
    """Photos of which the one in the middle holds up the run for as long as a test needs."""
    neighbours(folder, 40)
    make_photo(folder / "sub" / "00.jpg", seed=70)  # numbered in the output
    make_photo(folder / "20-hang-in-c.jpg", seed=71)
    return folder


@pytest.mark.parametrize("action", [pytest.param("copy", marks=pytest.mark.slow), "move"])
def test_stopped_by_a_signal(tmp_path: Path, sorter: Sorter, background: Background, action: str) -> None:
    """Whenever it comes, and whoever gets it, and even while a decoder hangs."""
    plain, plain_out = stoppable(tmp_path / "plain" / "in"), tmp_path / "plain" / "out"
    assert sorter("run", plain, "--out", plain_out, "--action", action).returncode == 0
    environment = with_module(tmp_path / "site", FAULTY_DECODER)

    def journal_is_there(process: subprocess.Popen[str], out: Path) -> bool:
        return (out / ".sorter" / "journal.db").exists()

    def worker_is_there(process: subprocess.Popen[str], out: Path) -> bool:
        return bool(workers_of(process.pid))

    def first_photo_is_there(process: subprocess.Popen[str], out: Path) -> bool:
        return bool(placed(out))

    def waits_for_the_decoder(process: subprocess.Popen[str], out: Path) -> bool:
        return (tmp_path / "site" / "hangs").exists()

    moments = (journal_is_there, worker_is_there, first_photo_is_there, waits_for_the_decoder)
    # Ctrl-C goes to the whole group, a service manager's SIGTERM to the parent.
    for stop, to_all in ((signal.SIGINT, True), (signal.SIGTERM, False)):
        for moment in moments if to_all else moments[1::2]:
            case = f"{moment.__name__} {stop.name}"
            source, out = stoppable(tmp_path / case / "in"), tmp_path / case / "out"
            (tmp_path / "site" / "hangs").unlink(missing_ok=True)
            process = background("run", source, "--out", out, "--action", action, env=environment)
            wait_until(lambda: moment(process, out))  # noqa: B023 - called at once
            if to_all:
                os.killpg(process.pid, stop)
            else:
                process.send_signal(stop)
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 130, (case, errors)
            assert "give the same command again to go on" in errors, case
            assert "Traceback" not in errors, (case, errors)
            wait_until(lambda: not group_members(process.pid))  # noqa: B023 - called at once
            done = sorter("run", source, "--out", out, "--action", action)
            assert done.returncode == 0, (case, done.stderr)
            assert hashes(out) == hashes(plain_out), case
            assert hashes(source) == hashes(plain), case
            assert same_rows(out, source) == same_rows(plain_out, plain), case
            check_whole(out)


@linux_only
def test_workers_die_with_a_killed_parent(tmp_path: Path, background: Background) -> None:
    environment = with_module(tmp_path / "site", FAULTY_DECODER)
    for name in ("20-hang-in-c.jpg", "20-hang-in-python.jpg"):
        (tmp_path / "site" / "hangs").unlink(missing_ok=True)
        source, out = neighbours(tmp_path / name / "in", 40), tmp_path / name / "out"
        make_photo(source / name)
        process = background("run", source, "--out", out, env=environment)
        wait_until((tmp_path / "site" / "hangs").exists)
        assert len(group_members(process.pid)) > 1
        process.kill()
        process.communicate(timeout=60)
        wait_until(lambda: not group_members(process.pid))  # noqa: B023 - called at once


def test_two_runs_on_one_output(tmp_path: Path, sorter: Sorter, background: Background) -> None:
    source, out = neighbours(tmp_path / "in", 40), tmp_path / "out"
    make_photo(source / "20-waits.jpg", seed=71)
    environment = with_module(tmp_path / "site", FAULTY_DECODER)
    first = background("run", source, "--out", out, env=environment)
    wait_until(lambda: placed(out))
    for arguments in (("run", source, "--out", out), ("undo", out)):
        second = sorter(*arguments)
        assert second.returncode == 1
        assert "another sorter is at work on this folder" in second.stderr
    # Looking is allowed, and disturbs nobody.
    assert "under way" in sorter("status", out).stdout
    assert sorter("run", source, "--out", out, "--dry-run").returncode == 0
    (tmp_path / "site" / "go-on").touch()
    _, errors = first.communicate(timeout=120)
    assert first.returncode == 0, errors
    assert set(outcomes(out, source).values()) == {SORTED}
    assert sorted(hashes(out).values()) == sorted(hashes(source).values())
    check_whole(out)
