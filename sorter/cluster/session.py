"""Connect to a running Ray cluster, or start one on this machine for the time of a run."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from sorter.types import SorterError, UsageError

# Only paths and scores are passed around, so the local cluster needs little shared memory.
OBJECT_STORE = 200 << 20  # bytes
CONNECT_SECONDS = 10
LEAST_MEMORY = 512 << 20  # bytes for a worker process, even on a node with less
MOST_CORES = 8  # of one actor; more would be lost with it, and be harder to place on a node


class ClusterError(SorterError):
    """The cluster cannot be reached, or cannot do the work."""


@dataclass(frozen=True)
class ActorPlan:
    """The number and size of the Ray actors of a run.

    Attributes:
        actors: Ray actors, each with a pool of worker processes.
        cores: worker processes of each actor, one per core.
        nodes: number of nodes with free cores.
        memory: limit of each worker process in bytes. None if unknown.
        gpus: GPUs of each actor, 0 or 1.
        on_gpus: the plan for the nodes with GPUs. None if there are none.
    """

    actors: int
    cores: int
    nodes: int = 1
    memory: int | None = None
    gpus: int = 0
    on_gpus: ActorPlan | None = None

    def __str__(self) -> str:
        actors = f"{self.actors} actor" + "s" * (self.actors != 1)
        return f"{actors} of {self.cores} worker processes each" + (" and a GPU" if self.gpus else "")

    @classmethod
    def of(cls, nodes: list[int], workers: int | None = None) -> ActorPlan:
        """The largest equal actors that leave no core of any node idle.

        Args:
            nodes: cores of each node.
            workers: total number of worker processes. None for one per core. With more than there are cores, an
                autoscaling cluster adds nodes.
        """
        usable = [cores for cores in nodes if cores > 0]
        if not usable:
            raise ClusterError("--cluster: no node of the cluster has a free CPU; start one with `ray start`")
        common = math.gcd(*usable)
        cores = max(share for share in range(1, MOST_CORES + 1) if common % share == 0)
        if workers is None:
            return cls(sum(usable) // cores, cores, len(usable))
        cores = min(cores, workers)
        return cls(math.ceil(workers / cores), cores, len(usable))

    @classmethod
    def with_gpus(cls, nodes: list[tuple[int, int]]) -> ActorPlan | None:
        """One actor for each GPU, with an equal share of its node's cores for decoding.

        Args:
            nodes: cores and GPUs of each node.
        """
        usable = [(cores, gpus) for cores, gpus in nodes if cores >= gpus > 0]
        if not usable:
            return None
        share = min(cores // gpus for cores, gpus in usable)
        return cls(sum(gpus for _, gpus in usable), share, len(usable), gpus=1)


@contextmanager
def session(address: str, workers: int | None = None) -> Iterator[ActorPlan]:
    """Connect for the time of a block.

    Args:
        address: `local` starts Ray on this machine and stops it at the end. `auto` uses the cluster that this machine
            belongs to, or does as `local`. Anything else is the address of a cluster's head node.
        workers: total number of worker processes. None for one per core.

    Raises:
        ClusterError: no cluster answers at that address.
        UsageError: the address is one of Ray's client, which does not support Ray Data here.
    """
    import ray

    if address.startswith("ray://"):
        raise UsageError(
            f"--cluster {address}: Ray's client is not supported; give the command on a node of the cluster, "
            "with --cluster auto"
        )
    if address not in ("local", "auto"):
        _check_reachable(address)
    ours = not ray.is_initialized()
    if ours:
        with _signal_handlers_kept(), _silence():
            _connect(address, workers)
    try:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        plan = ActorPlan.of([int(node.get("CPU", 0)) for node in nodes], workers)
        on_gpus = ActorPlan.with_gpus([(int(node.get("CPU", 0)), int(node.get("GPU", 0))) for node in nodes])
        shares = [
            int(node["memory"] / node["CPU"]) for node in nodes if node.get("CPU") and node.get("memory")
        ]
        memory = max(LEAST_MEMORY, min(shares)) if shares else None
        yield replace(plan, memory=memory, on_gpus=on_gpus and replace(on_gpus, memory=memory))
    finally:
        if ours:
            ray.shutdown()


def _connect(address: str, workers: int | None) -> None:
    # Errors for the user come as exceptions. Ray's own log is not for the user.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address != "local":
        try:
            ray.init(address=address, **common)
            return
        except ConnectionError as error:
            if address != "auto":
                raise _not_found(address) from error
        except (RuntimeError, ValueError) as error:
            raise ClusterError(f"--cluster {address}: {error}") from error
    # A cluster for one run needs no dashboard and no usage statistics.
    alone = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    try:
        ray.init(address="local", **alone, **common)
    except Exception as error:  # Ray has no narrower class for a machine that is too busy
        raise ClusterError(
            f"--cluster {address}: Ray could not start ({error}); give the same command again"
        ) from error


def _check_reachable(address: str) -> None:
    """Raise ClusterError if nothing answers. Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise _not_found(address) from error


def _not_found(address: str) -> ClusterError:
    return ClusterError(
        f"--cluster {address}: no Ray cluster answers there; start one with `ray start --head`, "
        "or give --cluster local"
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Discard standard error: Ray's C++ code writes there despite its log level."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


@contextmanager
def _signal_handlers_kept() -> Iterator[None]:
    """Restore the signal handlers that Ray replaces."""
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in handlers.items():
            with suppress(TypeError):  # the handler was not set from Python
                signal.signal(each, handler)
