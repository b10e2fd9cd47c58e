"""Cores and memory of this machine, and the user's cache folder."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from sorter.types import Limits


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def physical_memory() -> int | None:
    """Memory of this machine in bytes, or None if the system does not report it."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def worker_limits(limits: Limits, workers: int) -> Limits:
    """The limits of one of `workers` processes. Without a memory limit it gets `memory_per_worker`."""
    return limits if limits.memory is not None else replace(limits, memory=memory_per_worker(workers))


def memory_per_worker(workers: int) -> int | None:
    """An equal share of 80 % of the memory, at least 512 MiB, in bytes. None if the memory is unknown."""
    total = physical_memory()
    return None if total is None else max(512 << 20, int(total * 0.8 / workers))


def cache_folder(name: str = "") -> Path | None:
    """A folder in the user's cache, made where it is absent.

    None where it cannot be written to: in a container without a home, on a read-only disk. The caller then works
    without a cache.
    """
    from platformdirs import user_cache_path

    folder = user_cache_path("sorter") / name
    if not folder.is_absolute():  # no home is known
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None
