"""Nothing leaves the computer: no command looks up a host, and none leaves a file outside of our own folders."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import command
from support.photos import BLUE, RED, make_photo

# Every look-up that Python makes; those of libraries in C are seen by lookups.c, where there is a compiler.
RESOLVER = """
import os, socket
def noted(name):
    before = getattr(socket, name)
    def look_up(host, *rest, **more):
        if host:
            with open(os.environ["LOOKUPS"], "a") as file:
                file.write(f"{host}\\n")
        return before(host, *rest, **more)
    setattr(socket, name, look_up)
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    noted(name)
"""
# Ray's head asks whether it runs in a cloud, also with its usage statistics switched off. There is no switch for that.
RAY_ASKS = "metadata.google.internal"
# By this token the processes of a Ray cluster know each other. Ray itself makes it, and it stays on the computer.
RAY_TOKEN = (".ray", "auth_token")
OURS = {"sorter", "matplotlib", "fontconfig", "tmp"}
Spied = Callable[..., None]


@pytest.fixture(scope="session")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The library that notes look-ups of C code; empty where it cannot be made."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return ""
    library = tmp_path_factory.mktemp("lookups") / "lookups.so"
    source = Path(__file__).parents[1] / "support" / "lookups.c"
    made = subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=False)
    return str(library) if made.returncode == 0 else ""


@pytest.fixture
def environment(tmp_path: Path, preloaded: str) -> dict[str, str]:
    """A new user, with a home of its own and no telemetry switches, whose every look-up is written down."""
    site, home = tmp_path / "site", tmp_path / "home"
    site.mkdir()
    home.mkdir()
    (site / "sitecustomize.py").write_text(RESOLVER)
    kept = {
        name: value
        for name, value in os.environ.items()
        if "TELEMETRY" not in name and name not in ("DO_NOT_TRACK", "RAY_USAGE_STATS_ENABLED")
    }
    return {
        **kept,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_STATE_HOME": str(home / ".state"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "PYTHONPATH": str(site),
        "LOOKUPS": str(tmp_path / "lookups.txt"),
        "LD_PRELOAD": preloaded,
        "QT_QPA_PLATFORM": "offscreen",
    }


def is_a_name(host: str) -> bool:
    """An address is no look-up; asking for one's own name stays on the computer."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host not in ("localhost", socket.gethostname())
    return False


def check(environment: dict[str, str], allowed: str = "") -> None:
    noted = Path(environment["LOOKUPS"])
    hosts = set(filter(is_a_name, noted.read_text().split())) if noted.exists() else set()
    assert hosts <= {allowed}, f"looked up {hosts}"
    home = Path(environment["HOME"])
    for path in home.rglob("*"):
        inside = path.relative_to(home).parts
        if path.is_file() and not (allowed == RAY_ASKS and inside == RAY_TOKEN):
            assert inside[0] in (".cache", ".state", ".config"), f"left {path}"
            assert inside[1] in OURS, f"left {path}"


@pytest.fixture
def spied(environment: dict[str, str], tmp_path: Path, model: Path) -> Spied:
    """Run a command as that user and check what it did."""

    def run(*arguments: object, allowed: str = "") -> None:
        done = subprocess.run(
            command(model, *arguments),
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode in (0, 3), done.stderr
        check(environment, allowed)

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(4):
        make_photo(folder / "red" / f"{number}.jpg", RED, (320, 240), seed=number)
        make_photo(folder / "blue" / f"{number}.jpg", BLUE, (320, 240), seed=100 + number)
    return folder


def test_the_look_ups_of_both_kinds_are_noted(environment: dict[str, str], preloaded: str) -> None:
    code = "import socket, contextlib\nwith contextlib.suppress(OSError): socket.getaddrinfo('a.invalid', 80)"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
    noted = Path(environment["LOOKUPS"]).read_text().split()
    assert noted == ["a.invalid"] * (2 if preloaded else 1)


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_sorting_looks_up_nothing(spied: Spied, photos: Path, tmp_path: Path, engine: str) -> None:
    spied("run", photos, "--out", tmp_path / "sorted", "--engine", engine)
    spied("status", tmp_path / "sorted")
    spied("undo", tmp_path / "sorted")


@pytest.mark.slow
def test_cleaning_inspecting_and_evaluating_look_up_nothing(
    spied: Spied, photos: Path, tmp_path: Path, model: Path
) -> None:
    pytest.importorskip("sklearn")
    spied("clean", photos, "-j", "1", "--dry-run")
    spied("inspect", photos, "--out", tmp_path / "inspection", "-j", "1")
    spied("evaluate", model, photos, "--out", tmp_path / "evaluation", "-j", "1")


@pytest.mark.slow
def test_training_looks_up_nothing(spied: Spied, photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    spied("train", photos, "--out", tmp_path / "my-model", "--recipe", "fast", "-j", "1")


@pytest.mark.slow
def test_a_cluster_of_one_s_own_looks_up_nothing(spied: Spied, photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    spied("run", photos, "--out", tmp_path / "sorted", "--cluster", "local", allowed=RAY_ASKS)


def test_the_window_looks_up_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("PySide6")
    code = (
        "import os, signal, sys, threading\n"
        "from sorter.gui.__main__ import main\n"
        "threading.Timer(2, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"  # which closes it in order
        "sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    check(environment)
