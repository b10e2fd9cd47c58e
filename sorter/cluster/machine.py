"""The cluster as a run sees it: it chooses an engine and predicts, as the single machine does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType

from sorter.cluster.session import ClusterError, Crew, session
from sorter.engines.choice import Choice, EngineOptions
from sorter.model.folder import Model
from sorter.output.disk import Placed
from sorter.output.execute import STORE_THREADS, Step, attempt
from sorter.pipeline import trial
from sorter.types import Limits, Photo, Result, Scores


class Cluster:
    """Connects when there is work, and stays connected until the block ends.

    Args:
        address: as for `session`.
        workers: likewise.
        say: told what is going on.
    """

    def __init__(self, address: str, workers: int | None, say: Callable[[str], None]) -> None:
        self._address = address
        self._workers = workers
        self._say = say
        self._open = ExitStack()
        self._threads = self._open.enter_context(ThreadPoolExecutor(STORE_THREADS, "sorter-filing"))
        self._crew: Crew | None = None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def crew(self) -> Crew:
        if self._crew is None:
            self._crew = self._open.enter_context(session(self._address, self._workers))
            self._say(f"Ray: {self._crew}")
        return self._crew

    def choose(
        self,
        model: Model,
        wanted: EngineOptions,
        paths: Iterable[Path],
        limits: Limits,
        say: Callable[[str], None],
    ) -> Choice:
        """As `gate.choose`, on a node: what agrees with float32 there is used on all of them.

        Raises:
            EngineError: nothing installed there does what was asked for.
            ClusterError: what was asked for is not to be had in a cluster, or on this one.
        """
        import ray

        from sorter.cluster.shipping import Shipped

        wanted = self._settle_for(wanted)
        crew = self.crew
        shipped = Shipped.of(model)
        sample = list(islice(paths, trial.PHOTOS + trial.PHOTOS // 4))

        def try_there() -> tuple[Choice, list[str]]:
            said: list[str] = []
            there = shipped.unpack()
            return trial.choose_engine(there, wanted, sample, limits, said.append), said

        choice: Choice
        choice, said = ray.get(ray.remote(num_cpus=crew.cores, num_gpus=crew.gpus)(try_there).remote())
        for sentence in said:
            say(sentence)
        return choice

    def _settle_for(self, wanted: EngineOptions) -> EngineOptions:
        """What to ask of a node: one of its GPUs, which is the only one that an actor sees, or its processors."""
        if wanted.device not in ("auto", "cpu", "cuda", "all"):
            raise ClusterError(
                f"--cluster: each GPU gets an actor; give --device cuda or cpu instead of {wanted.device}"
            )
        there = self.crew.on_gpus
        if wanted.device in ("cuda", "all") and there is None:
            raise ClusterError(f"--device {wanted.device}: no node of the cluster has a GPU to give")
        everywhere = there is not None and there.nodes == self.crew.nodes
        if there is None or wanted.device == "cpu" or (wanted.device == "auto" and not everywhere):
            return replace(wanted, device="cpu")
        self._crew = there
        self._say(f"Ray: {there}")
        return replace(wanted, device="cuda")

    def predict(
        self,
        items: Iterable[Photo | Result[Scores]],
        model: Model,
        choice: Choice,
        limits: Limits,
    ) -> Iterator[Result[Scores]]:
        """As `predict.predict`; a photo's limit of memory is a fair share of its node's."""
        from sorter.cluster.shipping import ClassifyThere, Shipped
        from sorter.cluster.stream import stream

        make = ClassifyThere(Shipped.of(model), choice)
        yield from stream(items, make, self.crew, replace(limits, memory=self.crew.memory))

    def apply(self, steps: Sequence[Step]) -> list[Placed | OSError]:
        """Carry out planned filings: on the nodes, or here where there is but one.

        Raises:
            ClusterError: Ray gave up.
        """
        if self.crew.nodes > 1:
            from sorter.cluster.filing import apply_on_nodes

            return apply_on_nodes(steps)
        return list(self._threads.map(attempt, steps))
