"""Places where a command must not stumble: no cache, no terminal, no room for the result, no locks."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import Sorter, command, hashes, read_report
from support.photos import BLUE, RED, make_photo
from support.processes import group_members, wait_until

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


@pytest.fixture(params=["a file in the way", "no home", "a read-only disk"])
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
        ("2>/dev/full", 0),
        ("<&- >&- 2>&-", 1),
        (">/dev/full 2>&1", 1),
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
