"""Values of `--device`, and the devices of this machine. No engine is imported for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

from sorter.engines.choice import EngineError

FORMS = "auto, cpu, all, cuda, cuda:0,1, tensorrt, directml or coreml"
_FORM = re.compile(r"auto|cpu|all|coreml|(tensorrt|directml)(:\d+)?|cuda(:\d+(,\d+)*)?")


def is_device(text: str) -> bool:
    """Whether `--device` accepts this text."""
    return _FORM.fullmatch(text) is not None


def resolve(device: str, engine: str) -> str:
    """The value of `--device` with numbers: `cpu`, `coreml`, `cuda:0`, `cuda:0,1`.

    `auto` is the first CUDA device if an NVIDIA driver and an engine for it are installed. Otherwise it is the CPU.

    Raises:
        EngineError: `all` was given and there is no GPU.
    """
    if device == "auto":
        usable = (engine in ("auto", "torch") and util.find_spec("torch") is not None) or (
            engine in ("auto", "onnx") and _installed("onnxruntime-gpu")
        )
        return "cuda:0" if usable and _has_driver() else "cpu"
    if device == "all":
        count = _count()
        if not count:
            raise EngineError("--device all: nvidia-smi lists no GPU; use --device cpu")
        return "cuda:" + ",".join(map(str, range(count)))
    kind, _, numbers = device.partition(":")
    if kind in ("cpu", "coreml"):
        return kind
    each = dict.fromkeys(int(number) for number in (numbers or "0").split(","))
    return f"{kind}:{','.join(map(str, each))}"


def trial_devices() -> list[str]:
    """Devices besides the CPU that the installed ONNX Runtime may support. The trial measures their speed."""
    found = []
    if sys.platform == "darwin":
        found.append("coreml")  # in every build for macOS
    if _installed("onnxruntime-directml"):
        found.append("directml:0")
    return found


def _has_driver() -> bool:
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


def _count() -> int:
    """Number of GPUs that CUDA lists: all, or those of CUDA_VISIBLE_DEVICES."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        # CUDA ignores everything after the first invalid entry.
        named = [entry.strip() for entry in visible.split(",")]
        return next((at for at, entry in enumerate(named) if entry in ("", "-1")), len(named))
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def _installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True
