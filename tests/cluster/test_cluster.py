"""A real Ray cluster of several nodes on one machine: nodes lost, drivers killed, work done twice, photos in S3."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import command, hashes, read_report
from support.photos import BLUE, RED, make_photo
from support.processes import wait_until

from sorter.address import path_of
from sorter.cluster.session import ActorPlan, ClusterError, session
from sorter.engines.choice import EngineOptions
from sorter.output.disk import FileIdentity, Filing, Placed
from sorter.output.execute import Step
from sorter.output.journal import Journal, JournalError
from sorter.pipeline.pool import Pool
from sorter.progress import NoProgress
from sorter.sort.options import SortOptions
from sorter.sort.run import sort_folder
from sorter.sort.undo import undo
from sorter.types import ActionKind, Failure, Limits, Photo, Reason, Result, UsageError

# Ray's own affairs, in the process that starts its nodes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray.*"),
]

NODE = {"num_cpus": 1, "object_store_memory": 200 << 20, "include_dashboard": False}
PHOTOS = 400


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A filesystem of fsspec on an S3 server on loopback; the cluster's nodes inherit how to reach it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")),
        }.items():
            patch.setenv(name, value)
        yield path_of("s3://photos").filesystem  # type: ignore[attr-defined]
    server.stop()


@pytest.fixture(scope="module")
def cluster(s3: Any) -> Iterator[Any]:
    """A head without cores of its own, and two nodes with one each; this process is connected to it."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_BACKEND_LOG_LEVEL", "fatal")
        patch.setenv("PYTHONPATH", os.pathsep.join(str(Path(__file__).parents[up]) for up in range(3)))
        nodes = Cluster(initialize_head=True, head_node_args={**NODE, "num_cpus": 0})
        try:
            for _ in range(2):
                nodes.add_node(**NODE)
            nodes.connect()
            yield nodes
        finally:
            import ray

            ray.shutdown()
            nodes.shutdown()


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos in several folders, many with the same names, and some files that are none."""
    folder = tmp_path_factory.mktemp("originals")
    for number in range(PHOTOS):
        name = f"IMG_{number // 8}.jpg" if number % 9 else "same.png"
        make_photo(
            folder / str(number % 8 + 10 * (number % 9 == 0) * number) / name,
            (RED, BLUE)[number % 5 < 2],
            seed=number,
        )
    (folder / "1" / "broken.jpg").write_text("no photo")
    (folder / "4" / "notes.txt").write_text("no photo")
    return folder


@dataclass(frozen=True)
class Ending:
    """All that a run leaves behind, without the folders that it happened in."""

    output: dict[str, str]
    report: list[dict[str, str]]

    @classmethod
    def of(cls, source: Path, out: Path) -> Ending:
        rows = [
            {key: value.replace(f"{out}/", "OUT/").replace(f"{source}/", "IN/") for key, value in row.items()}
            for row in read_report(out)
        ]
        output = {
            name: digest for name, digest in hashes(out).items() if not name.startswith("report-parts/")
        }
        return cls(output, rows)


@pytest.fixture(scope="module")
def expected(originals: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Ending:
    """What the single machine makes of them."""
    out = tmp_path_factory.mktemp("alone") / "out"
    sort_folder(options(model, originals, out))
    return Ending.of(originals, out)


def options(model: Path, source: Path, out: Path, **more: Any) -> SortOptions:
    return SortOptions((source,), out, model, engine=EngineOptions("onnx", "fp32"), workers=2, **more)


class Then(NoProgress):
    """Does something once so many photos are done."""

    def __init__(self, photos: int, do: Callable[[], None]) -> None:
        self._left = photos
        self._do = do

    def advance(self, photos: int, /, **figures: float) -> None:
        before, self._left = self._left, self._left - photos
        if before > 0 >= self._left:
            self._do()


@pytest.mark.slow
def test_a_node_lost_while_it_works_changes_nothing(
    cluster: Any, originals: Path, model: Path, tmp_path: Path, expected: Ending
) -> None:
    lost = cluster.add_node(**NODE)
    progress = Then(32, lambda: cluster.remove_node(lost, allow_graceful=False))
    summary = sort_folder(options(model, originals, tmp_path / "out", cluster=cluster.address), progress)
    assert lost not in cluster.worker_nodes
    assert summary.decoded == PHOTOS
    assert Ending.of(originals, tmp_path / "out") == expected
    with (tmp_path / "out" / "report-parts" / "part-00001.csv").open(newline="") as part:
        assert list(csv.DictReader(part)) == read_report(tmp_path / "out")


def known_in(out: Path) -> int:
    """Photos in the journal; 0 where there is none yet."""
    try:
        with closing(Journal.read(out)) as journal:
            return sum(journal.counts().values())
    except JournalError:
        return 0


@pytest.mark.slow
def test_a_killed_driver_is_gone_on_with_by_the_same_command(
    cluster: Any, originals: Path, model: Path, tmp_path: Path, expected: Ending
) -> None:
    out = tmp_path / "out"
    given = command(model, "run", originals, "--out", out, "--cluster", cluster.address)
    with subprocess.Popen(given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        wait_until(lambda: known_in(out) > 0, 120)  # files come later: by then all may be known
        driver.send_signal(signal.SIGKILL)
    known = known_in(out)
    assert driver.returncode == -signal.SIGKILL and 0 < known < PHOTOS
    summary = sort_folder(options(model, originals, out, cluster=cluster.address))
    assert summary.decoded <= PHOTOS + 2 - known
    assert Ending.of(originals, out) == expected


@dataclass(frozen=True)
class KillsItsActor:
    """Stage: the photo named `bad` takes its actor with it, the first two times it comes up."""

    marks: Path

    def start(self) -> Callable[[Photo], str | Failure]:
        def do(photo: Photo) -> str | Failure:
            marks = len(list(self.marks.iterdir()))
            if photo.path.name == "bad" and marks < 2:
                (self.marks / str(marks)).touch()
                os.kill(os.getppid(), signal.SIGKILL)
            return photo.path.name

        return do


@pytest.mark.slow
def test_work_that_is_done_three_times_counts_once(cluster: Any, tmp_path: Path) -> None:
    from sorter.cluster.stream import stream

    items: list[Photo | Result[str]] = [
        Photo(Path("/bad" if number == 50 else f"/{number}"), Path(), 0, 0) for number in range(120)
    ]
    items[7] = Result(items[7].photo if isinstance(items[7], Result) else items[7], Failure(Reason.HIDDEN))
    stage = KillsItsActor(tmp_path)
    with session(cluster.address) as plan:
        results = list(stream(iter(items), partial(Pool, stage), plan, Limits(), chunk=8))
    assert len(list(tmp_path.iterdir())) == 2
    assert [result.photo for result in results] == [
        item.photo if isinstance(item, Result) else item for item in items
    ]
    assert results[7] is items[7]
    assert all(result.outcome == result.photo.path.name for result in results[:7] + results[8:])


@pytest.mark.slow
def test_an_actor_with_a_gpu_of_its_own_has_devices_and_decoders(cluster: Any, tmp_path: Path) -> None:
    """Ray believes that a node has a GPU; the engine runs on its processor, as none is there."""
    from support.random_network import predict, write_network

    from sorter.cluster.shared_model import SharedModel, StartOnNode
    from sorter.cluster.stream import stream
    from sorter.engines.choice import Choice

    model = write_network(tmp_path / "network")
    paths = [make_photo(tmp_path / f"{number}.jpg", RED if number % 3 else BLUE) for number in range(20)]
    paths.append(tmp_path / "gone.jpg")
    items: list[Any] = [Photo(path, Path(path.name), 0, 0) for path in paths]
    choice = Choice("torch", "fp32", "cpu")
    node = cluster.add_node(**NODE, num_gpus=1)
    try:
        with session(cluster.address) as plan:
            assert plan.on_gpus == replace(ActorPlan(1, 1, gpus=1), memory=plan.memory)
            start = StartOnNode(SharedModel.of(model), choice)
            there = list(stream(iter(items), start, plan.on_gpus, Limits(), chunk=8))
    finally:
        cluster.remove_node(node)
    here = list(predict(items, model, choice, 1, Limits(), 8))
    assert [result.photo for result in there] == items
    for ours, other in zip(there, here, strict=True):
        if isinstance(other.outcome, Failure):
            assert ours.outcome == other.outcome
        else:
            assert not isinstance(ours.outcome, Failure)
            assert ours.outcome.probabilities == pytest.approx(other.outcome.probabilities, abs=1e-5)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([(16, 2), (8, 1), (64, 0)], (3, 8, 2)),
        ([(4, 0), (4, 0)], None),
        ([(0, 1)], None),
        ([(6, 4)], (4, 1, 1)),
    ],
)
def test_each_gpu_has_an_actor(nodes: list[tuple[int, int]], expected: tuple[int, int, int] | None) -> None:
    plan = ActorPlan.with_gpus(nodes)
    assert (plan and (plan.actors, plan.cores, plan.nodes)) == expected


@pytest.mark.slow
def test_a_gpu_that_no_node_has(cluster: Any) -> None:
    from sorter.cluster.run import Cluster
    from sorter.engines.choice import EngineOptions

    with Cluster(cluster.address, None, lambda _: None) as ours:
        with pytest.raises(ClusterError, match="no node of the cluster has a GPU"):
            ours._for_nodes(EngineOptions(device="cuda"))
        with pytest.raises(ClusterError, match="instead of cuda:1"):
            ours._for_nodes(EngineOptions(device="cuda:1"))
        assert ours._for_nodes(EngineOptions()).device == "cpu"


@pytest.mark.slow
def test_a_filing_task_that_is_repeated_files_nothing_twice(cluster: Any, tmp_path: Path) -> None:
    import ray

    from sorter.cluster.filing import apply_on_nodes, carry_out

    steps = []
    for number in range(6):
        source = make_photo(tmp_path / "in" / f"{number}.jpg", seed=number)
        status = source.stat()
        filing = Filing(ActionKind.COPY, source, tmp_path / "out" / source.name, FileIdentity.of(status))
        steps.append(Step(filing, tmp_path / "staging" / f"{number}.part"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "5.jpg").write_text("a stranger's")
    first = ray.remote(num_cpus=0)(carry_out)
    ray.get(
        first.remote(steps[:1])
    )  # the node is lost before it can tell, and with two thirds of its work to do
    ray.get(first.remote(steps[1:2]))
    again = apply_on_nodes(steps)
    assert [type(outcome) for outcome in again] == [Placed] * 5 + [FileExistsError]
    assert hashes(tmp_path / "out").keys() == {f"{number}.jpg" for number in range(6)}
    assert (tmp_path / "out" / "5.jpg").read_text() == "a stranger's"
    assert not list((tmp_path / "staging").glob("0*"))


@pytest.mark.slow
def test_photos_in_s3_are_sorted_there_as_on_a_disk(
    cluster: Any, s3: Any, originals: Path, model: Path, tmp_path: Path
) -> None:
    some = tmp_path / "some"
    for photo in (*sorted((originals / "1").iterdir())[:16], originals / "91" / "same.png"):
        (some / photo.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy2(photo, some / photo.parent.name)
    alone = tmp_path / "alone"
    sort_folder(options(model, some, alone))
    s3.mkdir("photos")
    s3.put(f"{some}/", "photos/in/", recursive=True)
    s3.pipe("photos/out/red/stranger.jpg", b"a stranger's")
    source, out = path_of("s3://photos/in"), path_of("s3://photos/out")

    summary = sort_folder(options(model, source, out, cluster=cluster.address))
    assert summary.counts == {
        "red": len(list((alone / "red").iterdir())),
        "blue": len(list((alone / "blue").iterdir())),
    }

    def rows(text: str, here: Path, there: Path) -> list[dict[str, str]]:
        text = text.replace(f"{there}/", "OUT/").replace(f"{here}/", "IN/")
        return list(csv.DictReader(io.StringIO(text)))

    ours = rows(s3.cat("photos/out/report.csv").decode(), source, out)
    assert ours == rows((alone / "report.csv").read_text(), some, alone)
    for row in ours:
        if row["destination"]:
            there, here = (row["destination"].replace("OUT/", each) for each in ("photos/out/", f"{alone}/"))
            assert s3.cat(there) == Path(here).read_bytes()

    sort_folder(options(model, source, tmp_path / "here"))  # from the store to a disk, by this machine alone
    assert hashes(tmp_path / "here") == hashes(alone)

    again = sort_folder(options(model, source, out, cluster=cluster.address))
    assert (again.decoded, again.counts) == (0, summary.counts)
    undone = undo(out)
    assert (undone.restored, undone.left) == (sum(summary.counts.values()), ())
    assert s3.find("photos/out/red") + s3.find("photos/out/blue") == ["photos/out/red/stranger.jpg"]
    assert len(s3.find("photos/in")) == len(list(some.glob("*/*")))


@pytest.mark.slow
def test_a_cluster_that_lives_as_long_as_the_command(originals: Path, model: Path, tmp_path: Path) -> None:
    given = command(model, "run", originals / "1", "--out", tmp_path / "out", "--cluster", "local")
    given += ["--report", str(tmp_path / "rows.parquet")]
    done = subprocess.run(given, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 3, done.stderr  # broken.jpg
    assert done.stderr == "Ray: 1 actor of 2 worker processes each\n"
    from pyarrow import parquet

    table = parquet.read_table(tmp_path / "rows.parquet").to_pylist()
    assert len(table) == len(list((originals / "1").iterdir()))
    assert {row["status"] for row in table} == {"sorted", "failed"}
    assert all(0 <= row["probability"] <= 1 for row in table if row["status"] == "sorted")


# -- without a cluster -----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(0, 96), min_size=1, max_size=6), st.none() | st.integers(1, 300))
def test_no_core_of_a_cluster_is_left_idle(nodes: list[int], workers: int | None) -> None:
    if not any(nodes):
        with pytest.raises(ClusterError):
            ActorPlan.of(nodes, workers)
        return
    plan = ActorPlan.of(nodes, workers)
    assert 1 <= plan.cores <= 8
    if workers is None:
        assert plan.actors * plan.cores == sum(nodes)
        assert all(node % plan.cores == 0 for node in nodes)
    else:
        assert workers <= plan.actors * plan.cores < workers + plan.cores


def test_a_feed_gives_the_same_again_and_never_what_has_not_come() -> None:
    from sorter.cluster.feed import Feed

    async def scene() -> None:
        feed = Feed()
        await feed.put(1, b"one")  # calls to an actor may overtake each other
        first = asyncio.create_task(feed.get(0))
        await asyncio.sleep(0)
        assert not first.done()
        await feed.put(0, b"zero")
        assert await first == [b"zero", b"one"]
        assert await feed.get(0) == [b"zero", b"one"]
        await feed.done_below(1)
        assert await feed.get(0) == [b"", b"one"]
        assert [await feed.start_attempt(1), await feed.start_attempt(1)] == [1, 2]
        await feed.end(3)
        await feed.put(2, b"two")
        assert await feed.get(2) == [b"two"]
        assert await feed.get(3) == []

    asyncio.run(scene())


def test_an_address_where_nobody_answers_is_named_at_once() -> None:
    with pytest.raises(UsageError, match="--cluster auto"), session("ray://head:10001"):
        pass
    for address in ("127.0.0.1:1", "nonsense"):
        with pytest.raises(ClusterError, match=f"--cluster {address}: .*ray start --head"), session(address):
            pass
