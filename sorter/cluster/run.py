"""The cluster within a run: choose an engine, score photos and place files, as one machine does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType

from sorter.cluster.session import ActorPlan, ClusterError, session
from sorter.engines.choice import Choice, EngineOptions
from sorter.model.folder import Model
from sorter.output.disk import Placed
from sorter.output.execute import STORE_THREADS, Step, attempt
from sorter.pipeline import trial
from sorter.types import Limits, Photo, Result, Scores


class Cluster:
    """A connection that opens with the first work and closes at the end of the block.

    Args:
        address: as for `session`.
        workers: as for `session`.
        say: receives messages for the user.
    """

    def __init__(self, address: str, workers: int | None, say: Callable[[str], None]) -> None:
        self._address = address
        self._workers = workers
        self._say = say
        self._open = ExitStack()
        self._threads = self._open.enter_context(ThreadPoolExecutor(STORE_THREADS, "sorter-filing"))
        self._plan: ActorPlan | None = None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def plan(self) -> ActorPlan:
        """The actors of this run. Connects if needed."""
        if self._plan is None:
            self._plan = self._open.enter_context(session(self._address, self._workers))
            self._say(f"Ray: {self._plan}")
        return self._plan

    def choose_engine(
        self,
        model: Model,
        wanted: EngineOptions,
        paths: Iterable[Path],
        limits: Limits,
        say: Callable[[str], None],
    ) -> Choice:
        """As `trial.choose_engine`, on one node. All nodes use the result.

        Raises:
            EngineError: nothing installed there supports what was asked for.
            ClusterError: clusters, or this one, do not support what was asked for.
        """
        import ray

        from sorter.cluster.shared_model import SharedModel

        wanted = self._for_nodes(wanted)
        plan = self.plan
        shared = SharedModel.of(model)
        sample = list(islice(paths, trial.PHOTOS + trial.PHOTOS // 4))

        def try_there() -> tuple[Choice, list[str]]:
            messages: list[str] = []
            there = shared.load()
            return trial.choose_engine(there, wanted, sample, limits, messages.append), messages

        choice: Choice
        choice, messages = ray.get(ray.remote(num_cpus=plan.cores, num_gpus=plan.gpus)(try_there).remote())
        for message in messages:
            say(message)
        return choice

    def _for_nodes(self, wanted: EngineOptions) -> EngineOptions:
        """The options on a node: `cuda` for the one GPU that an actor sees, or `cpu`."""
        if wanted.device not in ("auto", "cpu", "cuda", "all"):
            raise ClusterError(
                f"--cluster: each GPU gets an actor; give --device cuda or cpu instead of {wanted.device}"
            )
        there = self.plan.on_gpus
        if wanted.device in ("cuda", "all") and there is None:
            raise ClusterError(
                f"--device {wanted.device}: no node of the cluster has a GPU; use --device cpu"
            )
        everywhere = there is not None and there.nodes == self.plan.nodes
        if there is None or wanted.device == "cpu" or (wanted.device == "auto" and not everywhere):
            return replace(wanted, device="cpu")
        self._plan = there
        self._say(f"Ray: {there}")
        return replace(wanted, device="cuda")

    def predict(
        self,
        items: Iterable[Photo | Result[Scores]],
        model: Model,
        choice: Choice,
        limits: Limits,
    ) -> Iterator[Result[Scores]]:
        """Score photos, as `scoring` does on one machine. The memory limit is a fair share of the node's memory."""
        from sorter.cluster.shared_model import SharedModel, StartOnNode
        from sorter.cluster.stream import stream

        make = StartOnNode(SharedModel.of(model), choice)
        yield from stream(items, make, self.plan, replace(limits, memory=self.plan.memory))

    def apply(self, steps: Sequence[Step]) -> list[Placed | OSError]:
        """Place files: on the nodes, or on this machine if it is the only node.

        Raises:
            ClusterError: Ray gave up.
        """
        if self.plan.nodes > 1:
            from sorter.cluster.filing import apply_on_nodes

            return apply_on_nodes(steps)
        return list(self._threads.map(attempt, steps))
