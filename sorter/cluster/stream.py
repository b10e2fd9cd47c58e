"""Score items on a cluster: results in order and each exactly once, even if Ray repeats work."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import ray
from ray.data import ActorPoolStrategy, DataContext, read_datasource
from ray.exceptions import RayError

from sorter.cluster.feed import Feed, FeedSource
from sorter.cluster.session import ActorPlan, ClusterError
from sorter.cluster.work import PhotoActor, Processes
from sorter.types import Limits, Outcome, Photo, Result

CHUNK = 32  # photos for each core of an actor; with fewer, cores wait for the last photos of a chunk
QUEUED = 4  # chunks for each actor, including those in work


def stream(
    items: Iterable[Photo | Result[Outcome]],
    start: Callable[[int, Limits], Processes[Outcome]],
    plan: ActorPlan,
    limits: Limits,
    chunk: int | None = None,
) -> Iterator[Result[Outcome]]:
    """Yield one result per item, in their order. Items that are results pass through.

    Ray repeats the work of a lost node. Chunks have numbers, and a chunk that arrives twice counts once. Memory: some
    chunks for each actor.

    Args:
        start: called in each actor with its cores and the limits. Starts its worker processes.
        plan: number of actors, and their cores.
        limits: for each photo.
        chunk: photos sent to an actor at once. None for `CHUNK` per core.

    Raises:
        SorterError: the processes cannot start, or raised it.
        ClusterError: Ray gave up.
    """
    source = iter(items)
    size = chunk or CHUNK * plan.cores
    window = QUEUED * plan.actors + 2
    waiting: dict[int, list[Photo | Result[Outcome]]] = {}
    done: dict[int, list[Any]] = {}
    put, yielded, exhausted = 0, 0, False
    here = {"ray.io/node-id": ray.get_runtime_context().get_node_id()}
    feed = ray.remote(num_cpus=0, label_selector=here)(Feed).remote()
    try:
        rows = _rows(feed, here, start, plan, limits)
        while True:
            while not exhausted and put - yielded < window:
                taken = _take(source, size)
                exhausted = not taken
                if exhausted:
                    feed.end.remote(put)
                elif any(isinstance(item, Photo) for item in taken):
                    feed.put.remote(put, pickle.dumps([item for item in taken if isinstance(item, Photo)]))
                else:
                    feed.put.remote(put, b"")
                    done[put] = []
                if taken:
                    waiting[put] = taken
                    put += 1
            while yielded in done:
                yield from _merged(waiting.pop(yielded), done.pop(yielded))
                yielded += 1
                feed.done_below.remote(yielded)
            if exhausted and yielded == put:
                return
            if put - yielded < window and not exhausted:
                continue
            number, outcomes = next(rows)
            if number in waiting and number not in done and outcomes:
                done[number] = pickle.loads(outcomes)
    except RayError as error:
        raise ClusterError(
            f"--cluster: {_first_line(error)}; give the same command again, it goes on where it stopped"
        ) from error
    finally:
        ray.kill(feed)


def _rows(
    feed: Any,
    here: dict[str, str],
    start: Callable[[int, Limits], Processes[Any]],
    plan: ActorPlan,
    limits: Limits,
) -> Iterator[tuple[int, bytes]]:
    """Chunk numbers and their outcomes, as they arrive."""
    context = DataContext.get_current().copy()
    context.target_max_block_size = (
        1  # one chunk per block: it is passed on at once, and Ray repeats single chunks
    )
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    with DataContext.current(context):
        photos = read_datasource(
            FeedSource(feed),
            num_cpus=0,
            label_selector=here,
            override_num_blocks=1,
        )
        outcomes = photos.map_batches(
            PhotoActor,
            batch_size=1,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(min_size=1, max_size=plan.actors, initial_size=plan.actors),
            num_cpus=plan.cores,
            num_gpus=plan.gpus or None,
            fn_constructor_args=(start, plan.cores, limits, feed),
        )
        for batch in outcomes.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for number, payload in zip(batch["chunk"], batch["outcomes"], strict=True):
                yield number.as_py(), payload.as_py()


def _take(source: Iterator[Photo | Result[Outcome]], photos: int) -> list[Photo | Result[Outcome]]:
    """The next items, with this many photos among them. Their total number is bounded, too."""
    taken: list[Photo | Result[Outcome]] = []
    for item in source:
        taken.append(item)
        photos -= isinstance(item, Photo)
        if photos == 0 or len(taken) == 4096:
            break
    return taken


def _merged(items: list[Photo | Result[Outcome]], outcomes: Any) -> Iterator[Result[Outcome]]:
    if isinstance(outcomes, Exception):
        raise outcomes
    coming = iter(outcomes)
    for item in items:
        yield Result(item, next(coming)) if isinstance(item, Photo) else item


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
