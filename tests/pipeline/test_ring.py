"""Decoders, the shared-memory ring and the torch engine, on the CPU device: the code that runs on a GPU."""

from __future__ import annotations

import csv
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.commands import Sorter
from support.photos import BLUE, RED, make_photo
from support.random_network import SIZE, predict, write_network

from sorter.engines.choice import Choice, EngineError, EngineOptions
from sorter.model.folder import Model
from sorter.photos.preprocess import Preprocess
from sorter.pipeline import ring
from sorter.pipeline.device import IN_FLIGHT, Answered
from sorter.pipeline.ring import SHARE, Layout, Ring
from sorter.types import Failure, Limits, Photo, Reason, Result, Scores


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model folder with random weights, in safetensors and in ONNX."""
    return write_network(tmp_path_factory.mktemp("network"))


def some_photos(folder: Path, count: int) -> list[Photo | Result[Scores]]:
    items: list[Photo | Result[Scores]] = []
    for number in range(count):
        path = folder / f"{number}.jpg"
        if number % 7 == 3:
            path.write_bytes(b"no photo")
        else:
            make_photo(path, RED if number % 2 else BLUE, (40 + number, 70), seed=number)
        photo = Photo(path, Path(path.name), 0, 0)
        hidden = Result[Scores](photo, Failure(Reason.HIDDEN))
        items.append(hidden if number % 11 == 5 else photo)
    return items


@pytest.mark.parametrize(("count", "batch_size"), [(0, 4), (8, 4), (23, 64)])
def test_one_result_per_item_in_order_and_scores_as_onnx_gives_them(
    tmp_path: Path, network: Model, count: int, batch_size: int
) -> None:
    from sorter.pipeline.pool import Pool
    from sorter.pipeline.stages import Classify

    items = some_photos(tmp_path, count)
    choice = Choice("torch", "fp32", "cpu", 1)
    apart = list(predict(items, network, choice, 2, Limits(), batch_size))
    with Pool(Classify(network, Choice("onnx", "fp32"), Limits()), 1) as pool:
        plain = list(pool.run(items))
    assert [result.photo.path for result in apart] == [result.photo.path for result in plain]
    for ours, other in zip(apart, plain, strict=True):
        if isinstance(other.outcome, Scores):
            assert isinstance(ours.outcome, Scores)
            assert ours.outcome.probabilities == pytest.approx(other.outcome.probabilities, abs=1e-4)
            assert (ours.outcome.width, ours.outcome.height) == (other.outcome.width, other.outcome.height)
        else:
            assert ours.outcome == other.outcome


def test_onnx_runtime_may_have_the_device(tmp_path: Path, network: Model) -> None:
    """As with its execution providers: the same process, an engine that computes at once."""
    items = some_photos(tmp_path, 13)
    choice = Choice("onnx", "fp32")
    with Ring(network, choice, 1, Limits(), 4) as apart:
        ours = outcomes(apart.run(items))
        assert outcomes(apart.run(items)) == ours  # and again
    for each, other in zip(ours, outcomes(predict(items, network, choice, 1, Limits())), strict=True):
        same(each, other)


def test_a_device_that_cannot_start_says_why(network: Model, tmp_path: Path) -> None:
    items = some_photos(tmp_path, 3)
    if torch.cuda.is_available():
        pytest.skip("this machine has the device that the test wants missing")
    with pytest.raises(EngineError, match="no CUDA device"):
        list(predict(items, network, Choice("torch", "fp32", "cuda:0"), 1, Limits()))


def test_the_command_with_the_torch_engine(tmp_path: Path, network: Model, sorter: Sorter) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    some_photos(source, 9)
    done = sorter(
        *("run", source, "--out", out, "--model", network.folder),
        *("--engine", "torch", "--device", "cpu", "--batch-size", 4, "--workers", 2),
    )
    assert done.returncode == 3, done.stderr
    with (out / "report.csv").open(encoding="utf-8", newline="") as file:
        statuses = [row["status"] for row in csv.DictReader(file)]
    assert statuses.count("sorted") == 8 and statuses.count("failed") == 1
    assert "with torch fp32" in done.stdout


@pytest.mark.gpu
@pytest.mark.parametrize("decode", ["cpu", "gpu"])
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 5e-3), ("fp16", 1e-2), ("bf16", 3e-2)])
def test_on_a_gpu(tmp_path: Path, network: Model, precision: str, tolerance: float, decode: str) -> None:
    """Graphs, pinned uploads and nvJPEG: with batches that are full, and one that is not."""
    items = large_photos(tmp_path, 9) + some_photos(tmp_path, 23)
    on_gpu, on_cpu = (
        list(predict(items, network, choice, 2, Limits(), 4))
        for choice in (Choice("torch", precision, "cuda:0", 1, decode), Choice("torch", "fp32", "cpu"))
    )
    for ours, other in zip(on_gpu, on_cpu, strict=True):
        if isinstance(other.outcome, Scores):
            assert isinstance(ours.outcome, Scores)
            assert ours.outcome.probabilities == pytest.approx(
                other.outcome.probabilities, abs=tolerance + 0.02 * (decode == "gpu")
            )
        else:
            assert ours.outcome == other.outcome


@pytest.mark.gpu
def test_a_gpu_runs_a_graph_and_halves_its_batches(network: Model) -> None:
    import numpy as np

    from sorter.engines.torch import TorchEngine

    pixels = np.random.default_rng(0).integers(0, 255, (64, SIZE, SIZE, 3), np.uint8)
    engine = TorchEngine(network, Choice("torch", "fp16", "cuda:0"), pixels, 64)
    expected = engine.submit(range(64))().logits
    assert all(lane._graph is not None for lane in engine._lanes)
    # All but a few megabytes of the GPU's memory are taken: a batch of thousands cannot be had.
    free, _ = torch.cuda.mem_get_info(0)
    taken = torch.empty(free - (600 << 20), dtype=torch.uint8, device="cuda:0")
    short = TorchEngine(network, Choice("torch", "fp16", "cuda:0"), np.repeat(pixels, 128, axis=0), 8192)
    np.testing.assert_allclose(short.submit(range(0, 8192, 128))().logits, expected, atol=2e-2)
    assert short.batch_size < 8192
    del taken


@pytest.mark.gpu
def test_the_gate_tries_what_the_gpu_can(
    tmp_path: Path, network: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sorter.pipeline import trial

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paths = [item.path for item in large_photos(tmp_path, 10) if isinstance(item, Photo)] * 10
    said: list[str] = []
    chosen = trial.choose_engine(
        network, EngineOptions(device="cuda", decode="auto"), paths, Limits(), said.append
    )
    assert chosen.device == "cuda:0" and len(said) == 7


@pytest.fixture
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The source is asked for more while batches are with the device."""
    monkeypatch.setattr(ring, "DECODING", 8)


# -- several devices, lost ones, ones that are short of memory --------------------------------------------------


def outcomes(results: Iterable[Result[Scores]]) -> list[object]:
    return [result.outcome for result in results]


def device_processes() -> list[multiprocessing.process.BaseProcess]:
    return [each for each in multiprocessing.active_children() if each.name == "sorter-device"]


def killing(items: list[Photo | Result[Scores]], moments: dict[int, int]) -> Iterator[Photo | Result[Scores]]:
    """The items; before some of them is asked for, so many of the devices' processes are killed."""
    for number, item in enumerate(items):
        for process in device_processes()[: moments.get(number, 0)]:
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        yield item


@pytest.mark.slow
@pytest.mark.usefixtures("_few_at_once")
def test_a_device_that_dies_is_started_once_more(tmp_path: Path, network: Model) -> None:
    items = large_photos(tmp_path, 9) + some_photos(tmp_path, 12)
    choice = Choice("torch", "fp32", "cpu", decode="gpu")
    expected = outcomes(predict(items, network, choice, 1, Limits(), 2))
    said: list[str] = []
    got = outcomes(predict(killing(items * 3, {30: 1}), network, choice, 1, Limits(), 2, said.append))
    assert len(said) == 1 and "was killed by SIGKILL; started once more" in said[0]
    assert len(got) == len(items) * 3
    for number, outcome in enumerate(got):
        same(outcome, expected[number % len(items)])


@pytest.mark.slow
@pytest.mark.usefixtures("_few_at_once")
def test_of_two_devices_one_that_dies_again_is_left_out(tmp_path: Path, network: Model) -> None:
    photos = some_photos(tmp_path, 20)
    items = photos * 6
    said: list[str] = []
    moments = {30: 1, 60: 1, 90: 1}
    two = Choice("torch", "fp32", "cpu:0,1")
    results = list(predict(killing(items, moments), network, two, 1, Limits(), 2, said.append))
    assert [result.photo.path for result in results] == [
        (item.photo if isinstance(item, Result) else item).path for item in items
    ]
    one = outcomes(predict(photos, network, Choice("torch", "fp32", "cpu"), 1, Limits(), 2))
    for ours, other in zip(outcomes(results), one * 6, strict=True):
        same(ours, other)
    assert len(said) == 3
    assert sum("goes on without it" in each for each in said) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("_few_at_once")
def test_without_any_device_the_run_ends_and_says_how_to_go_on(tmp_path: Path, network: Model) -> None:
    items = some_photos(tmp_path, 20) * 6
    choice = Choice("torch", "fp32", "cpu")
    with pytest.raises(EngineError, match="it goes on where it stopped"):
        list(predict(killing(items, {30: 1, 80: 1}), network, choice, 1, Limits(), 2))


class Faulty:
    """Stands for a device: answers, then says what torch says of a GPU that is lost."""

    made: ClassVar[list[Faulty]] = []
    first = 3  # answer of the first of them that is none

    def __init__(self, model: Model, choice: Choice, memory: object, batch_size: int) -> None:
        self.choice, self.batch_size = choice, batch_size
        self.connection, self._theirs = multiprocessing.Pipe()
        self.left = self.first if not self.made else 10**6
        self.made.append(self)

    def send(self, work: list[int]) -> None:
        self._theirs.send(len(work))

    def receive(self) -> Answered:
        count = self.connection.recv()
        self.left -= 1
        if self.left == 0:
            raise EngineError("torch fp16 on cuda:0: CUDA error: unspecified launch failure\nTraceback ...")
        return Answered([[1.0]] * count, (), self.batch_size)

    def close(self) -> None:
        self.connection.close()
        self._theirs.close()


def test_a_gpu_that_fails_after_it_worked_is_lost_and_one_that_never_worked_ends_the_run(
    tmp_path: Path, network: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "Device", Faulty)
    monkeypatch.setattr(Faulty, "made", [])
    items, said = some_photos(tmp_path, 30), list[str]()
    results = list(predict(items, network, Choice("torch", "fp16", "cuda:0"), 1, Limits(), 4, said.append))
    assert len(results) == 30 and len(Faulty.made) == 2
    assert len({each.outcome.probabilities for each in results if isinstance(each.outcome, Scores)}) == 1
    assert len(said) == 1 and "CUDA error: unspecified launch failure); started once more" in said[0]
    Faulty.made.clear()
    monkeypatch.setattr(Faulty, "first", 1)
    with pytest.raises(EngineError, match="unspecified launch failure"):
        list(predict(items, network, Choice("torch", "fp16", "cuda:0"), 1, Limits(), 4))


def test_a_device_short_of_memory_takes_smaller_batches(network: Model) -> None:
    import numpy as np

    from sorter.engines.torch import TorchEngine

    pixels = np.random.default_rng(0).integers(0, 255, (11, SIZE, SIZE, 3), np.uint8)
    rows = list(range(11))
    expected = TorchEngine(network, Choice("torch", "fp32", "cpu"), pixels, 1).submit(rows)().logits
    engine = TorchEngine(network, Choice("torch", "fp32", "cpu"), pixels, 8)
    whole = engine._network

    def small(inputs: torch.Tensor) -> torch.Tensor:
        if len(inputs) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return whole(inputs)

    engine._network = small
    answers = [engine.submit(rows), engine.submit(rows[:5])]
    assert engine.batch_size == 2
    np.testing.assert_allclose(answers[0]().logits, expected, atol=1e-5)
    np.testing.assert_allclose(answers[1]().logits, expected[:5], atol=1e-5)

    def none(inputs: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate")

    engine._network = none
    with pytest.raises(EngineError, match="too little memory for this model"):
        engine.submit(rows)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux holds a process to its memory")
def test_a_process_that_really_runs_out_of_memory_goes_on(network: Model, tmp_path: Path) -> None:
    """4,096 photos at once would take gigabytes: the allocator refuses, and smaller batches give the same."""
    code = f"""
import resource, numpy as np
from pathlib import Path
from sorter.engines.choice import Choice
from sorter.model.folder import read_model
from sorter.engines.torch import TorchEngine
model = read_model(Path({str(network.folder)!r}))
ring = np.random.default_rng(0).integers(0, 255, (4, {SIZE}, {SIZE}, 3), np.uint8)
choice = Choice("torch", "fp32", "cpu")
expected = TorchEngine(model, choice, ring, 4).submit([0, 1, 2, 3])().logits
engine = TorchEngine(model, choice, ring, 4096)
data = next(int(l.split()[1]) * 1024 for l in open("/proc/self/status") if l.startswith("VmData:"))
resource.setrlimit(resource.RLIMIT_DATA, (data + (600 << 20), -1))
logits = engine.submit([number % 4 for number in range(4096)])().logits
assert np.allclose(logits, np.tile(expected, (1024, 1)), atol=1e-4)
print(engine.batch_size)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 4096


@given(
    size=st.integers(8, 4096),
    devices=st.integers(1, 16),
    workers=st.integers(1, 256),
    batch_size=st.integers(1, 4096),
    memory=st.one_of(st.none(), st.integers(1 << 28, 1 << 42)),
)
def test_the_ring_holds_all_that_is_on_its_way(
    size: int, devices: int, workers: int, batch_size: int, memory: int | None
) -> None:
    layout = Layout.of(size, devices, workers, batch_size, memory)
    assert 1 <= layout.batch_size <= batch_size
    assert layout.window >= 2 * workers
    assert layout.slots >= layout.window + (IN_FLIGHT * devices + 2) * layout.batch_size
    if memory is not None:
        least = (
            2 * workers + IN_FLIGHT * devices + 2
        )  # a decoder without a slot, or a batch of none, is no way out
        assert layout.slots <= max(least, memory // SHARE // (size * size * 3) + 2 * workers)


# -- JPEGs that the device decodes ------------------------------------------------------------------------------


def large_photos(folder: Path, count: int) -> list[Photo | Result[Scores]]:
    """Smooth pictures over a megapixel, every EXIF orientation, some of them damaged behind their headers."""
    items: list[Photo | Result[Scores]] = []
    for number in range(count):
        image = smooth_image(1300, 900 + 10 * number, number)
        exif = Image.Exif()
        exif[0x0112] = number % 8 + 1
        path = folder / f"large{number}.jpg"
        image.save(path, quality=90, exif=exif)
        items.append(Photo(path, Path(path.name), 0, 0))
    return items


def smooth_image(width: int, height: int, seed: int) -> Image.Image:
    import numpy as np

    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def same(ours: object, other: object) -> None:
    if isinstance(other, Scores):
        assert isinstance(ours, Scores)
        assert ours.probabilities == pytest.approx(other.probabilities, abs=0.02)
        assert (ours.width, ours.height) == (other.width, other.height)
    else:
        assert ours == other


@pytest.mark.filterwarnings("ignore:The image decoding:DeprecationWarning")
@pytest.mark.parametrize("resize", ["squash", "crop"])
def test_a_device_decodes_as_the_cpu_does(tmp_path: Path, resize: str) -> None:
    import numpy as np

    from sorter.engines.jpeg import DeviceDecoder, Jpeg
    from sorter.photos.decode import Decoder

    spec = Preprocess(224, resize, "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    decode, on_device = Decoder(spec.min_side), DeviceDecoder(spec, torch.device("cpu"))
    for item in large_photos(tmp_path, 8):
        assert isinstance(item, Photo)
        plain, decoded = decode.plain_jpeg(item.path), decode(item.path)
        assert plain is not None and not isinstance(decoded, Failure)
        assert (plain.width, plain.height) == (decoded.width, decoded.height)
        (pixels,) = on_device([Jpeg(item.path.read_bytes, plain.orientation)])
        difference = np.abs(pixels.numpy().astype(int) - spec(decoded.pixels).astype(int))
        assert difference.mean() < 1.5


def test_what_a_device_may_not_decode(tmp_path: Path) -> None:
    from sorter.photos.decode import Decoder

    decode = Decoder(64, Limits(megapixels=2))
    image = smooth_image(1300, 900, 0)
    image.save(tmp_path / "good.jpg")
    data = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    image.save(tmp_path / "picture.png")
    image.convert("CMYK").save(tmp_path / "cmyk.jpg")
    image.resize((300, 200)).save(tmp_path / "small.jpg")
    image.resize((2000, 1500)).save(tmp_path / "huge.jpg")
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    image.save(tmp_path / "profile.jpg", icc_profile=profile)
    (tmp_path / "empty.jpg").touch()
    assert decode.plain_jpeg(tmp_path / "good.jpg") is not None
    for name in ("cut", "cmyk", "small", "huge", "profile", "empty", "gone"):
        assert decode.plain_jpeg(tmp_path / f"{name}.jpg") is None, name
    assert decode.plain_jpeg(tmp_path / "picture.png") is None


@pytest.mark.slow
def test_what_a_device_refuses_gets_a_second_look(tmp_path: Path, network: Model) -> None:
    items = large_photos(tmp_path, 6) + some_photos(tmp_path, 9)
    (tmp_path / "large2.jpg").write_bytes(damaged((tmp_path / "large2.jpg").read_bytes()))
    on_cpu, on_device = (
        outcomes(predict(items, network, Choice("torch", "fp32", "cpu", decode=decode), 2, Limits(), 4))
        for decode in ("cpu", "gpu")
    )
    assert isinstance(on_cpu[2], Failure)
    for ours, other in zip(on_device, on_cpu, strict=True):
        same(ours, other)


def damaged(data: bytes) -> bytes:
    """A JPEG whose frame header says what its scan does not hold: decoders refuse it, its header looks whole."""
    at = data.index(b"\xff\xda")  # start of scan: its component count is made to be impossible
    return data[: at + 4] + b"\x09" + data[at + 5 :]


@pytest.mark.slow
def test_the_gate_covers_decoding_there(
    tmp_path: Path, network: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sorter.pipeline import trial

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paths = [item.path for item in large_photos(tmp_path, 10) if isinstance(item, Photo)] * 10
    said: list[str] = []
    chosen = trial.choose_engine(
        network, EngineOptions("torch", "fp32", "cpu", "auto"), paths, Limits(), said.append
    )
    assert chosen.engine == "torch"
    told = "\n".join(said)
    assert "torch fp32:" in told and "torch fp32, JPEGs too:" in told
    assert (
        trial.choose_engine(
            network, EngineOptions("torch", "fp32", "cpu", "auto"), (), Limits(), lambda _: None
        )
        == chosen
    )
