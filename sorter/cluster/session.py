"""A connection to a Ray cluster: one that runs already, or one of this machine alone for the length of a run."""

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

# Paths and scores are all that is passed around, so the local cluster's shared memory may be small.
OBJECT_STORE = 200 << 20  # bytes
CONNECT_SECONDS = 10
LEAST_MEMORY = 512 << 20  # bytes for a worker process, however little its node has to give
MOST_CORES = 8  # of one actor: what is lost with it, and what has to be free on a node to place it


class ClusterError(SorterError):
    """The cluster cannot be reached, or cannot do the work."""


@dataclass(frozen=True)
class Crew:
    """How the work is divided.

    Attributes:
        actors: Ray actors, each with a pool of worker processes.
        cores: worker processes, and so cores, of each.
        nodes: with cores to give.
        memory: bytes that each of these processes may take; None where nobody knows.
        gpus: of each actor: 1 or none.
        on_gpus: how the work is divided among the nodes that have GPUs; None where there are none.
    """

    actors: int
    cores: int
    nodes: int = 1
    memory: int | None = None
    gpus: int = 0
    on_gpus: Crew | None = None

    def __str__(self) -> str:
        actors = f"{self.actors} actor" + "s" * (self.actors != 1)
        return f"{actors} of {self.cores} worker processes each" + (" and a GPU" if self.gpus else "")

    @classmethod
    def of(cls, nodes: list[int], workers: int | None = None) -> Crew:
        """The largest equal shares that leave no core of any node idle.

        Args:
            nodes: cores of each node.
            workers: processes in all; None for one per core. More than there are cores asks an autoscaling
                cluster for more nodes.
        """
        usable = [cores for cores in nodes if cores > 0]
        if not usable:
            raise ClusterError(
                "--cluster: no node of the cluster has a CPU to give; start one with `ray start`"
            )
        common = math.gcd(*usable)
        cores = max(share for share in range(1, MOST_CORES + 1) if common % share == 0)
        if workers is None:
            return cls(sum(usable) // cores, cores, len(usable))
        cores = min(cores, workers)
        return cls(math.ceil(workers / cores), cores, len(usable))

    @classmethod
    def with_gpus(cls, nodes: list[tuple[int, int]]) -> Crew | None:
        """An actor for each GPU; it decodes on an equal share of its node's cores.

        Args:
            nodes: cores and GPUs of each node.
        """
        usable = [(cores, gpus) for cores, gpus in nodes if cores >= gpus > 0]
        if not usable:
            return None
        share = min(cores // gpus for cores, gpus in usable)
        return cls(sum(gpus for _, gpus in usable), share, len(usable), gpus=1)


@contextmanager
def session(address: str, workers: int | None = None) -> Iterator[Crew]:
    """Connect for the length of a block.

    Args:
        address: `local` starts Ray on this machine and ends it again; `auto` takes the cluster that this machine
            belongs to, and else does as `local`; anything else is the address of a cluster's head.
        workers: worker processes in all; None for one per core.

    Raises:
        ClusterError: there is no cluster at that address.
        UsageError: an address that Ray Data cannot be driven from.
    """
    import ray

    if address.startswith("ray://"):
        raise UsageError(
            f"--cluster {address}: Ray's client cannot drive this; give the command on a node of the cluster, "
            "with --cluster auto"
        )
    if address not in ("local", "auto"):
        _see_that_it_answers(address)
    ours = not ray.is_initialized()
    if ours:
        with _handlers_kept(), _silence():
            _connect(address, workers)
    try:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        crew = Crew.of([int(node.get("CPU", 0)) for node in nodes], workers)
        on_gpus = Crew.with_gpus([(int(node.get("CPU", 0)), int(node.get("GPU", 0))) for node in nodes])
        shares = [
            int(node["memory"] / node["CPU"]) for node in nodes if node.get("CPU") and node.get("memory")
        ]
        memory = max(LEAST_MEMORY, min(shares)) if shares else None
        yield replace(crew, memory=memory, on_gpus=on_gpus and replace(on_gpus, memory=memory))
    finally:
        if ours:
            ray.shutdown()


def _connect(address: str, workers: int | None) -> None:
    # What a user has to know of comes as an exception; the rest is Ray's own affair.
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
                raise _nobody(address) from error
        except (RuntimeError, ValueError) as error:
            raise ClusterError(f"--cluster {address}: {error}") from error
    # A cluster that lives as long as this run has nobody to look at its dashboard, nor a story to tell.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    alone = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    try:
        ray.init(address="local", **alone, **common)
    except Exception as error:  # Ray has no narrower one for a machine that is too busy
        raise ClusterError(
            f"--cluster {address}: Ray could not start ({error}); give the same command again"
        ) from error


def _see_that_it_answers(address: str) -> None:
    """Ray itself would ask for minutes. Raises ClusterError."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise _nobody(address) from error


def _nobody(address: str) -> ClusterError:
    return ClusterError(
        f"--cluster {address}: no Ray cluster answers there; start one with `ray start --head`, "
        "or give --cluster local"
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Ray's C++ half says on standard error that it has been told to be quiet."""
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
def _handlers_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself; how a run is stopped is for the program to say."""
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in handlers.items():
            with suppress(TypeError):  # a handler that was not set from Python
                signal.signal(each, handler)
