"""Places where a command must not stumble: no cache, no terminal, no room for the result, no locks."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import Sorter, command, hashes, read_report
from support.photos import BLUE, RED, make_photo
from support.processes import group_members, wait_until

slow = pytest.mark.slow
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system has no such call")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for number in range(6):
        make_photo(folder / "red" / f"{number}.jpg", RED, seed=number)
        make_photo(folder / "blue" / f"{number}.jpg", BLUE, seed=number + 50)
    return folder


def sorted_photos(out: Path) -> int:
    return sum(row["status"] == "sorted" for row in read_report(out))


# -- a home and a cache that cannot be written to ----------------------------------------------------------------------


@pytest.fixture(
    params=[
        "a file in the way",
        *(pytest.param(each, marks=slow) for each in ("no home", "a read-only disk")),
    ]
)
def no_cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a user without a cache folder."""
    names = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "MPLCONFIGDIR")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    mounted = None
    if request.param == "a file in the way":
        (tmp_path / "file").touch()
        environment |= {
            "HOME": str(tmp_path / "file" / "home"),
            "XDG_CACHE_HOME": str(tmp_path / "file" / "c"),
        }
    elif request.param == "no home":
        environment["HOME"] = "/proc/1/home"
    else:
        mounted = tmp_path / "disk"
        (mounted / ".cache" / "sorter").mkdir(parents=True)
        given = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(mounted)]
        if subprocess.run(given, capture_output=True, check=False).returncode:
            pytest.skip("only root can mount, and not in every container")
        environment["HOME"] = str(mounted)
    yield environment
    if mounted is not None:
        subprocess.run(["umount", "-l", mounted], check=True)


@pytest.mark.slow
@linux_only
def test_without_a_cache_every_command_goes_on(
    tmp_path: Path, sorter: Sorter, photos: Path, model: Path, no_cache: dict[str, str]
) -> None:
    for needed in ("openvino", "onnx", "sklearn", "matplotlib"):
        pytest.importorskip(needed)
    out, trained = tmp_path / "out", tmp_path / "trained"
    for given in (
        ("run", photos, "--out", out, "--engine", "openvino"),
        ("run", photos, "--out", tmp_path / "auto", "--engine", "auto"),
        ("status", out),
        ("undo", out),
        ("clean", photos, "--remove", "broken"),
        ("inspect", photos, "--out", tmp_path / "inspected"),
        ("evaluate", model, photos, "--out", tmp_path / "evaluated"),
        ("train", photos, "--out", trained, "--recipe", "fast"),
        ("export", trained),
    ):
        done = sorter(*given, env=no_cache)
        assert done.returncode == 0, (given[0], done.stderr)
        assert "Traceback" not in done.stderr, (given[0], done.stderr)
        assert "Matplotlib" not in done.stderr, (given[0], done.stderr)
    assert (trained / "model.json").exists()


def test_the_window_without_a_cache(tmp_path: Path, no_cache: dict[str, str]) -> None:
    pytest.importorskip("PySide6")
    script = (
        "from PySide6.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "from sorter.gui.__main__ import open_window\n"
        "from pathlib import Path\n"
        "window = open_window(None)\n"
        "window.start_page\n"
        "from sorter.gui.settings import Settings\n"
        "kept = Settings()\n"
        "kept.remember(Path('/photos'))\n"
        "kept.sync()\n"
        "window.close()\n"
        "print('closed')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**no_cache, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "closed", done.stderr
    assert "Traceback" not in done.stderr


def test_a_user_without_any_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a container with a user id that nobody gave a home: `~` stays as it is."""
    from sorter.system import cache_folder

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path("~/.cache") / name)
    assert cache_folder() is None
    assert list(tmp_path.iterdir()) == []


# -- processes that fill one cache at once -----------------------------------------------------------------------------

LOAD = """
import sys
from pathlib import Path
from sorter.engines.choice import Choice
from sorter.engines.openvino import OpenVinoEngine
from sorter.model.folder import read_model
print("ready", flush=True)
sys.stdin.readline()
OpenVinoEngine(read_model(Path(sys.argv[1])), Choice("openvino", "fp32"))
"""


def test_a_cold_cache_is_filled_by_one_process(tmp_path: Path) -> None:
    """Two that write one file of OpenVINO's at once fail: `cannot set permissions`."""
    pytest.importorskip("openvino")
    from sorter.model.folder import shipped_model

    at_once, pipe = 6, subprocess.PIPE
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    traced = []
    started = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD, shipped_model()],
            env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True,
        )
        for _ in range(at_once)
    ]  # fmt: skip
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        _, errors = process.communicate(timeout=120)
        traced.append(errors)
        assert process.returncode == 0, errors
    (folder,) = (tmp_path / "cache" / "sorter" / "openvino").iterdir()
    assert len(list(folder.glob("*.blob"))) == 1
    assert (folder / "filled").exists()


def test_half_a_cache_of_a_killed_process_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    from sorter.engines.choice import Choice
    from sorter.engines.openvino import OpenVinoEngine
    from sorter.model.folder import read_model, shipped_model

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model = read_model(shipped_model())
    OpenVinoEngine(model, Choice("openvino", "fp32"))
    (folder,) = (tmp_path / "sorter" / "openvino").iterdir()
    (blob,) = folder.glob("*.blob")
    whole = blob.stat().st_size
    blob.chmod(0o600)
    os.truncate(blob, whole // 2)
    (folder / "filled").unlink()
    OpenVinoEngine(model, Choice("openvino", "fp32"))
    assert [each.stat().st_size > whole * 0.9 for each in folder.glob("*.blob")] == [True]


# -- streams -----------------------------------------------------------------------------------------------------------


def redirected(model: Path, redirection: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command with a redirection of the shell. Python buffers its stdout as it does for a user."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command(model, *arguments)],
        capture_output=True, text=True, env=environment, timeout=120, check=False,
    )  # fmt: skip


@linux_only
@pytest.mark.parametrize(
    ("redirection", "code"),
    [
        ("2>&-", 0),
        (">&-", 1),
        (">/dev/full", 1),
        pytest.param("2>/dev/full", 0, marks=slow),
        ("<&- >&- 2>&-", 1),
        pytest.param(">/dev/full 2>&1", 1, marks=slow),
    ],
)
def test_streams_that_cannot_be_written_to(
    tmp_path: Path, model: Path, photos: Path, redirection: str, code: int
) -> None:
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff" + bytes(20))  # libraries complain on stderr
    out = tmp_path / "out"
    for flags in ((), ("--json",)):
        done = redirected(model, redirection, "run", photos, "--out", out, *flags)
        assert done.returncode == (code or 3), (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        assert sorted_photos(out) == 12
    if code and "2>" not in redirection:
        assert "its result could not be printed: stdout: " in done.stderr
        assert done.stderr.count("sorter: ") == 1
    assert set(hashes(out).values()) <= set(hashes(photos).values())
    quiet = redirected(model, redirection, "run", photos, "--out", out, "--quiet")
    assert quiet.returncode == 3, quiet.stderr


@linux_only
@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("status", "--help")])
def test_help_on_a_full_disk(model: Path, arguments: tuple[str, ...]) -> None:
    done = redirected(model, ">/dev/full", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "sorter: the command is done, but its result could not be printed: stdout: "
    )
    assert "Traceback" not in done.stderr


# -- a terminal that is closed -----------------------------------------------------------------------------------------


def many(folder: Path) -> Path:
    for number in range(200):
        make_photo(folder / f"{number:03}.jpg", (RED, BLUE)[number % 2], seed=number)
    return folder


def placed(out: Path) -> int:
    return sum(len(list((out / label).glob("*"))) for label in ("red", "blue"))


@linux_only
@pytest.mark.parametrize("to_all", [False, True])
def test_hang_up_stops_like_other_signals(tmp_path: Path, sorter: Sorter, model: Path, to_all: bool) -> None:
    source, out = many(tmp_path / "in"), tmp_path / "out"
    process = subprocess.Popen(
        command(model, "run", source, "--out", out),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    wait_until(lambda: placed(out))
    if to_all:
        os.killpg(process.pid, signal.SIGHUP)
    else:
        process.send_signal(signal.SIGHUP)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "give the same command again to go on" in errors
    assert "Traceback" not in errors
    wait_until(lambda: not group_members(process.pid))
    assert sorter("run", source, "--out", out).returncode == 0
    assert sorted(hashes(out).values()) == sorted(hashes(source).values())


@linux_only
def test_closed_terminal(tmp_path: Path, sorter: Sorter, model: Path) -> None:
    """The terminal itself goes, with the progress bar on it: nothing can be printed any more."""
    source, out = many(tmp_path / "in"), tmp_path / "out"
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, command(model, "run", source, "--out", out))
    wait_until(lambda: placed(out))
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    wait_until(lambda: not group_members(process))
    assert 0 < placed(out) < 200
    assert sorter("run", source, "--out", out).returncode == 0
    assert sorted(hashes(out).values()) == sorted(hashes(source).values())


@linux_only
def test_nohup_is_heeded(tmp_path: Path, model: Path) -> None:
    source, out = many(tmp_path / "in"), tmp_path / "out"
    process = subprocess.Popen(
        ["nohup", *command(model, "run", source, "--out", out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_until(lambda: placed(out))
    os.killpg(process.pid, signal.SIGHUP)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert placed(out) == 200


# -- class folders -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [(), ("--dry-run",), ("--action", "move"), ("--unsure", "0.4", "0.6")])
def test_file_where_a_class_folder_belongs(
    tmp_path: Path, sorter: Sorter, photos: Path, flags: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    barred = out / ("unsure" if "--unsure" in flags else "red")
    out.mkdir()
    barred.write_text("a file of the user's\n")
    before = hashes(photos)
    done = sorter("run", photos, "--out", out, *flags)
    assert done.returncode == 2, done.stderr
    assert f"{barred}: is a file where the folder of the class" in done.stderr
    assert "move it away, or choose another folder" in done.stderr
    assert hashes(photos) == before
    assert [each.name for each in out.iterdir()] == [barred.name]
    barred.unlink()
    assert sorter("run", photos, "--out", out, *flags).returncode == 0


def test_file_where_a_review_needs_a_class_folder(tmp_path: Path, sorter: Sorter, photos: Path) -> None:
    from sorter.sort.apply import apply_review, export
    from sorter.types import UsageError

    out = tmp_path / "out"
    source = photos / "red"
    assert sorter("run", source, "--out", out).returncode == 0
    (out / "blue").touch()
    with pytest.raises(UsageError, match=r"out/blue: is a file where the folder of the class 'blue' belongs"):
        apply_review(out)
    target = tmp_path / "exported"
    target.mkdir()
    (target / "red").touch()
    with pytest.raises(UsageError, match="exported/red: is a file"):
        export(out, target)


def test_class_whose_photos_are_all_broken(tmp_path: Path, sorter: Sorter, photos: Path) -> None:
    pytest.importorskip("onnx")
    make_photo(tmp_path / "whole.jpg", RED, seed=90)
    cut = (tmp_path / "whole.jpg").read_bytes()[:300]
    for number in range(5):
        (photos / "green" / f"{number}.jpg").parent.mkdir(exist_ok=True)
        (photos / "green" / f"{number}.jpg").write_bytes(cut if number else b"")
    given = ("train", photos, "--out", tmp_path / "trained", "--recipe", "fast")
    done = sorter(*given)
    assert done.returncode == 2, done.stderr
    assert f"{photos / 'green'}: none of its 5 photos can be decoded (4 " in done.stderr
    assert "1 empty)" in done.stderr
    assert "is empty" not in done.stderr
    assert not any((tmp_path / "trained").iterdir())
    make_photo(photos / "green" / "5.jpg", RED, seed=91)
    done = sorter(*given)
    assert done.returncode == 2, done.stderr
    assert f"{photos / 'green'}: 1 of its 6 photos can be decoded (4 " in done.stderr


@pytest.mark.parametrize("name", ["RED", "con", "aux.1", "report.csv", "dot.", "caf\u00e9", " red"])
def test_class_folders_that_no_output_can_have(
    tmp_path: Path, sorter: Sorter, photos: Path, name: str
) -> None:
    pytest.importorskip("onnx")
    try:
        for number in range(4):
            make_photo(photos / name / f"{number}.jpg", RED, seed=70 + number)
            if name == "caf\u00e9":
                make_photo(photos / "cafe\u0301" / f"{number}.jpg", RED, seed=80 + number)
        if len({each.stat().st_ino for each in photos.iterdir()}) < 3:
            pytest.skip("this disk takes both names for one folder")
    except OSError:
        pytest.skip("this system cannot make such a folder")
    done = sorter("train", photos, "--out", tmp_path / "trained", "--recipe", "fast")
    assert done.returncode == 2, done.stderr
    assert f"sorter: {photos}: class name" in done.stderr
    assert "decoding" not in done.stderr
    assert not (tmp_path / "trained").exists()


# -- gigabytes of zeros behind a picture -------------------------------------------------------------------------------

DECODE = """
import json, resource, sys, time
from pathlib import Path
import numpy as np
from sorter.photos.decode import Decoder
from sorter.types import Failure
decode = Decoder(224)
plain = decode(Path(sys.argv[1]))  # what has to be imported is there then
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
found = {}
for name in sys.argv[2:]:
    began = time.monotonic()
    outcome = decode(Path(name))
    what = outcome.reason.value if isinstance(outcome, Failure) else bool((outcome.pixels == plain.pixels).all())
    decode.frames(Path(name))
    found[Path(name).name] = (what, time.monotonic() - began)
print(json.dumps(found))
"""


@linux_only
@pytest.mark.parametrize("size", [250 << 20, pytest.param(3 << 30, marks=slow)])
@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "tif", "bmp", "webp"])
def test_zeros_behind_a_picture_are_not_read_into_memory(tmp_path: Path, suffix: str, size: int) -> None:
    """Photos of which a copy or a download reserved the room and wrote only the beginning."""
    plain = make_photo(tmp_path / f"plain.{suffix}", RED, (320, 240), seed=1)
    data = plain.read_bytes()
    for name, length in (("whole", len(data)), ("half", len(data) // 2), ("header", 24)):
        path = tmp_path / f"{name}.{suffix}"
        path.write_bytes(data[:length])
        os.truncate(path, size)
    names = [tmp_path / f"{name}.{suffix}" for name in ("whole", "half", "header")]
    done = subprocess.run(
        [sys.executable, "-c", DECODE, plain, *names],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found[f"whole.{suffix}"][0] is True
    assert isinstance(found[f"header.{suffix}"][0], str)
    assert found[f"header.{suffix}"][0] != "out-of-memory"
    if suffix in ("jpg", "gif", "png"):  # in the others zeros are pixels like any
        assert found[f"half.{suffix}"][0] in ("truncated", "corrupt")
    # Byte by byte it took a minute for 250 MB. Reading 3 GB of zeros once takes some seconds on a slow disk.
    assert all(seconds < 25 for _, seconds in found.values()), found


@linux_only
def test_zeros_behind_a_header_cost_a_row(tmp_path: Path, sorter: Sorter, photos: Path) -> None:
    head = make_photo(tmp_path / "plain.jpg", RED, (320, 240), seed=1).read_bytes()[:200]
    for name in ("a.jpg", "b.jpg"):
        (photos / name).write_bytes(head)
        os.truncate(photos / name, 2 << 30)
    done = sorter("run", photos, "--out", tmp_path / "out")
    assert done.returncode == 3, done.stderr
    rows = read_report(tmp_path / "out")
    assert sum(row["status"] == "sorted" for row in rows) == 12
    assert [(row["status"], row["error"].partition(":")[0]) for row in rows if row["status"] != "sorted"] == [
        ("failed", "truncated")
    ] * 2


# -- where the journal lies --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def no_locks(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The library that takes the locks away from a folder."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("there is no compiler")
    library = tmp_path_factory.mktemp("no-locks") / "no_locks.so"
    source = Path(__file__).parents[1] / "support" / "no_locks.c"
    made = subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=False)
    if made.returncode:
        pytest.skip("the compiler cannot make it")
    return str(library)


@pytest.fixture
def share(tmp_path: Path, no_locks: str) -> tuple[Path, dict[str, str]]:
    """A folder in which no file can be locked, and the environment in which that is so."""
    folder = tmp_path / "share"
    folder.mkdir()
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    return folder, {**os.environ, **state, "LD_PRELOAD": no_locks, "NO_LOCKS_BELOW": str(folder)}


@pytest.mark.parametrize("action", ["copy", "move"])
def test_output_on_a_share_without_locks(
    tmp_path: Path, sorter: Sorter, photos: Path, share: tuple[Path, dict[str, str]], action: str
) -> None:
    folder, environment = share
    out = folder / "out"
    before = hashes(photos)
    given = ("run", photos, "--out", out, "--action", action)
    done = sorter(*given, env=environment)
    assert done.returncode == 0, done.stderr
    assert sorted_photos(out) == 12
    again = sorter(*given, "--json", env=environment)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["decoded"] == 0
    assert "the last run came to its end" in sorter("status", out, env=environment).stdout
    assert len(list((tmp_path / "state" / "sorter").glob("*/journal.db"))) == 1
    assert not list(out.rglob("*.part"))
    undone = sorter("undo", out, env=environment)
    assert undone.returncode == 0, undone.stderr
    assert hashes(photos) == before
    assert hashes(out) == {}


@pytest.mark.slow
def test_share_seen_from_another_machine(
    tmp_path: Path, sorter: Sorter, photos: Path, share: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = share
    out = folder / "out"
    before = hashes(photos)
    assert sorter("run", photos, "--out", out, "--action", "move", env=environment).returncode == 0
    shutil.rmtree(tmp_path / "state")
    other = {**environment, "XDG_STATE_HOME": str(tmp_path / "other-state")}
    assert "the last run came to its end" in sorter("status", out, env=other).stdout
    undone = sorter("undo", out, env=other)
    assert undone.returncode == 0, undone.stderr
    assert hashes(photos) == before


@pytest.mark.slow
def test_journal_of_a_disk_that_became_a_share(
    tmp_path: Path, sorter: Sorter, photos: Path, share: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = share
    out = folder / "out"
    before = hashes(photos)
    assert sorter("run", photos, "--out", out, "--action", "move").returncode == 0
    assert sorter("status", out, env=environment).returncode == 0
    undone = sorter("undo", out, env=environment)
    assert undone.returncode == 0, undone.stderr
    assert hashes(photos) == before


def test_deleted_output_on_a_share_starts_anew(
    sorter: Sorter, photos: Path, share: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = share
    out = folder / "out"
    for _ in range(2):
        assert sorter("run", photos, "--out", out, env=environment).returncode == 0
        assert len(hashes(out)) == 12
        shutil.rmtree(out)


def test_two_runs_on_a_share(
    tmp_path: Path, sorter: Sorter, model: Path, share: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = share
    source, out = many(tmp_path / "many"), folder / "out"
    first = subprocess.Popen(
        command(model, "run", source, "--out", out), env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_until(lambda: placed(out))
        first.send_signal(signal.SIGSTOP)  # else it may end before the second has begun
        second = sorter("run", source, "--out", out, env=environment)
    finally:
        first.kill()
        first.communicate(timeout=60)
    assert second.returncode == 1
    assert "another sorter is at work on this folder" in second.stderr
    assert sorter("run", source, "--out", out, env=environment).returncode == 0
    assert sorted(hashes(out).values()) == sorted(hashes(source).values())


def test_journal_in_a_named_folder(tmp_path: Path, sorter: Sorter, photos: Path) -> None:
    out, at = tmp_path / "out", tmp_path / "journals"
    before = hashes(photos)
    given = ("run", photos, "--out", out, "--action", "move")
    assert sorter(*given).returncode == 0
    assert json.loads(sorter(*given, "--journal", at, "--json").stdout)["decoded"] == 0  # it was taken along
    assert len(list(at.glob("*/journal.db"))) == 1
    # Later commands find it by themselves.
    make_photo(photos / "red" / "new.jpg", RED, seed=99)
    before |= {"red/new.jpg": hashes(photos)["red/new.jpg"]}
    assert json.loads(sorter(*given, "--json").stdout)["decoded"] == 1
    assert json.loads(sorter("status", out, "--json").stdout)["filed"] == 13
    # The note is lost: it has to be named.
    shutil.rmtree(out / ".sorter")
    assert sorter("status", out).returncode == 1
    assert json.loads(sorter("status", out, "--journal", at, "--json").stdout)["filed"] == 13
    undone = sorter("undo", out, "--journal", at)
    assert undone.returncode == 0, undone.stderr
    assert hashes(photos) == before


def test_journal_in_a_folder_that_cannot_be(tmp_path: Path, sorter: Sorter, photos: Path) -> None:
    (tmp_path / "file").touch()
    done = sorter("run", photos, "--out", tmp_path / "out", "--journal", tmp_path / "file" / "x")
    assert done.returncode == 1
    assert f"{tmp_path / 'file' / 'x'}: cannot be written to" in done.stderr
    missing = sorter("undo", tmp_path / "out", "--journal", tmp_path / "nowhere")
    assert missing.returncode == 1
    assert "holds no journal" in missing.stderr
    assert "Traceback" not in done.stderr + missing.stderr


def test_quarantine_on_a_share(sorter: Sorter, photos: Path, share: tuple[Path, dict[str, str]]) -> None:
    folder, environment = share
    (photos / "empty.jpg").touch()
    before = hashes(photos)
    quarantine = folder / "quarantine"
    done = sorter("clean", photos, "--remove", "broken", "--quarantine", quarantine, env=environment)
    assert done.returncode == 0, done.stderr
    assert hashes(photos) != before
    undone = sorter("undo", quarantine, env=environment)
    assert undone.returncode == 0, undone.stderr
    assert hashes(photos) == before
