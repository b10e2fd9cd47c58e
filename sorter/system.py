"""What this machine has for us: cores and memory."""

from __future__ import annotations

import os
from dataclasses import replace

from sorter.types import Limits


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def physical_memory() -> int | None:
    """Bytes, or None where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def worker_limits(limits: Limits, workers: int) -> Limits:
    """The limits of one of `workers` processes: where no memory is given, a fair share of the machine's."""
    return limits if limits.memory is not None else replace(limits, memory=memory_per_worker(workers))


def memory_per_worker(workers: int) -> int | None:
    """A fair share of most of the machine's memory, in bytes."""
    total = physical_memory()
    return None if total is None else max(512 << 20, int(total * 0.8 / workers))
