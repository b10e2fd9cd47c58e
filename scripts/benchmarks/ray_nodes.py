"""A Ray cluster on this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.process import environment

SCRIPTS = Path(__file__).parents[1]
NODE = {"object_store_memory": 200 << 20, "include_dashboard": False}
IDLE = 15.0  # per cent of the processors


@contextmanager
def ray_nodes(cores: Sequence[int]) -> Iterator[str]:
    """The address of a cluster. It has a node for each of `cores`, with so many cores. Empty without nodes."""
    if not cores:
        yield ""
        return
    from ray.cluster_utils import Cluster

    # The nodes import the modules of this package.
    path = os.pathsep.join(filter(None, [str(SCRIPTS), os.environ.get("PYTHONPATH")]))
    with environment(RAY_USAGE_STATS_ENABLED="0", RAY_BACKEND_LOG_LEVEL="fatal", PYTHONPATH=path):
        cluster = Cluster(initialize_head=True, head_node_args={**NODE, "num_cpus": 0})
        try:
            for each in cores:
                cluster.add_node(num_cpus=each, **NODE)
            cluster.wait_for_nodes()
            settle()
            yield cluster.address
        finally:
            cluster.shutdown()


def settle(patience: float = 60.0) -> None:
    """Wait until the daemons of the nodes have started. Their first seconds are not the engine's."""
    until = time.monotonic() + patience
    while psutil.cpu_percent(2.0) > IDLE and time.monotonic() < until:
        pass
