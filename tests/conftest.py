"""Photos and a model that the tests make themselves: the model tells red photos from blue ones."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from sorter.model import Model, write_model
from sorter.preprocess import Preprocess

if TYPE_CHECKING:
    from sorter.gui.worker import Jobs

SIZE = 32
RED, BLUE = (220, 30, 30), (30, 30, 220)


def make_photo(
    path: Path,
    colour: tuple[int, int, int] = RED,
    size: tuple[int, int] = (96, 64),
    seed: int = 0,
    **save: object,
) -> Path:
    """A noisy photo of one colour; each seed gives other bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-25, 26, (size[1], size[0], 3))
    pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, **save)  # type: ignore[arg-type]
    return path


def make_model(folder: Path, classes: tuple[str, ...] = ("red", "blue"), temperature: float = 1.0) -> Model:
    """A model folder whose network weighs the mean of each colour channel: red against blue (and green)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    outputs = 1 if len(classes) == 2 else len(classes)
    # Classes go by channel: red, then blue, then green.
    weights = (
        np.array([[8, 0, -8]], "f") if outputs == 1 else np.array([[8, 0, 0], [0, 0, 8], [0, 8, 0]], "f")
    )
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("Gemm", ["means", "weights"], ["logits"], transB=1),
        ],
        "colour",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(weights[:outputs], "weights")],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(network, folder / "model.onnx")
    spec = Preprocess(SIZE, "squash", "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    positive = classes[0] if outputs == 1 else None
    return write_model(
        Model(folder, "colours", classes, positive, 0.5, temperature, spec, {"name": "mean-colour"})
    )


Sorter = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the red / blue model."""
    return make_model(tmp_path_factory.mktemp("models") / "colours").folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests neither use nor fill the cache of whoever runs them."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def sorter(model: Path) -> Sorter:
    """The command itself, in a process of its own, as a user gives it; `run` gets the small model by default."""

    def run(*arguments: object, timeout: float = 120, **keywords: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(model, *arguments),
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            check=False,
            **keywords,  # type: ignore[call-overload]
        )

    return run


def command(model: Path, *arguments: object) -> list[str]:
    """The argument vector of `sorter ...`, with the small model and its quickest engine unless told otherwise."""
    given = [str(argument) for argument in arguments]
    if given and given[0] == "run":
        given += [] if "--model" in given else ["--model", str(model)]
        given += [] if "--engine" in given else ["--engine", "onnx", "--precision", "fp32"]
        given += [] if "-j" in given else ["-j", "2"]
    return [sys.executable, "-m", "sorter", *given]


def read_report(out: Path) -> list[dict[str, str]]:
    """The rows of an output folder's report.csv."""
    with (out / "report.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def hashes(folder: Path) -> dict[str, str]:
    """Relative name -> SHA-256 of every file below a folder, but for the reports and what `.sorter` holds."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and ".sorter" not in path.parts and not path.name.startswith("report.")
    }


def group_members(group: int) -> list[int]:
    """The living processes of a process group; those that only wait to be reaped do not count."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something that is bound to come; the bound only keeps a broken program from hanging the tests."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s in vain")
        time.sleep(0.002)


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[Jobs]:
    """The owner of the window's processes."""
    from sorter.gui.worker import Jobs

    owner = Jobs()
    yield owner
    owner.close()
