"""Place files on the nodes, so that not all bytes go through the driver's network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ray
from ray.exceptions import RayError

from sorter.cluster.session import ClusterError
from sorter.output.disk import Placed
from sorter.output.execute import Step, attempt, look_again

GROUP = 32  # filings in one task
THREADS = 8  # of one task; they wait for disks and networks, not for the CPU


def apply_on_nodes(steps: Sequence[Step]) -> list[Placed | OSError]:
    """As `Executor.apply`, in tasks all over the cluster.

    Ray repeats a task whose node was lost, and perhaps one that had finished. A mark in the staging folder shows
    that the task ran before. The repetition then checks what was done.

    Raises:
        ClusterError: Ray gave up. The next run of the command does what was planned.
    """
    groups = [steps[at : at + GROUP] for at in range(0, len(steps), GROUP)]
    task = ray.remote(num_cpus=0, max_retries=5, scheduling_strategy="SPREAD")(carry_out)
    try:
        outcomes: list[list[Placed | OSError]] = ray.get([task.remote(group) for group in groups])
    except RayError as error:
        raise ClusterError(f"--cluster: files could not be put in place: {error}") from error
    for group in groups:
        _mark(group).unlink(missing_ok=True)
    return [outcome for group in outcomes for outcome in group]


def carry_out(steps: Sequence[Step]) -> list[Placed | OSError]:
    """Do the filings of one task on a node, for the first time or again."""
    mark = _mark(steps)
    again = mark.exists()
    if not again:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.open("w").close()

    def one(step: Step) -> Placed | OSError:
        return (look_again(step) if again else None) or attempt(step)

    with ThreadPoolExecutor(THREADS) as threads:
        outcomes: Iterator[Placed | OSError] = threads.map(one, steps)
        return list(outcomes)


def _mark(steps: Sequence[Step]) -> Path:
    return steps[0].staging.with_suffix(".tried")
