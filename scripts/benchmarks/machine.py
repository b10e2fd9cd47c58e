"""The machine that the figures belong to: hardware, software and load."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from sorter.system import available_cores

# The instruction sets that decide how fast float32, bfloat16 and int8 networks run.
FLAGS = ("avx", "avx2", "fma", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16")
FLAGS += ("amx_int8", "asimd", "i8mm", "bf16")

Load = tuple[float, float]  # the system's load average of the last minute, before and after


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """Hardware and software as JSON. Packages that are not installed are left out."""
    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    cpu, flags = _cpu()
    return {
        "cpu": cpu,
        "cores": available_cores(),
        "flags": flags,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "os": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": versions,
        "date": time.strftime("%Y-%m-%d"),
    }


def _cpu() -> tuple[str, list[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    have = (facts.get("flags") or facts.get("Features") or "").split()
    return facts.get("model name", platform.machine()), [flag for flag in FLAGS if flag in have]


def machine_text(facts: dict[str, Any]) -> str:
    """The machine in one line."""
    flags = f" ({', '.join(facts['flags'])})" if facts["flags"] else ""
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    plural = "s" if facts["cores"] != 1 else ""
    return (
        f"{facts['cores']} core{plural} of {facts['cpu']}{flags}, {facts['memory_gib']:g} GiB of memory, "
        f"{facts['os']}, {facts['python']}, {packages}; {facts['date']}"
    )


def load_average() -> float:
    """The system's load average of the last minute. NaN where the system has none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def load_text(load: Load) -> str:
    return f"Load average {load[0]:.2f} before, {load[1]:.2f} after."
