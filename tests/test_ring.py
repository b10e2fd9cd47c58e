"""Decoders, the shared-memory ring and the torch engine, on the CPU device: the code that runs on a GPU."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from conftest import BLUE, RED, Sorter, make_photo

from sorter.infer import Choice, EngineError
from sorter.model import Model, write_model
from sorter.pipeline import Limits
from sorter.preprocess import Preprocess
from sorter.ring import classify_on_device
from sorter.types import Failure, Photo, Reason, Result, Scores

torch = pytest.importorskip("torch")
NAME = "test_efficientnet"  # timm's smallest
SIZE = 64


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model folder with random weights, in safetensors and in ONNX."""
    import timm

    from sorter.train.export import export_onnx, write_safetensors

    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("network")
    spec = Preprocess(SIZE, "squash", "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    module = timm.create_model(NAME, pretrained=False, num_classes=1).eval()
    write_safetensors(module, folder / "model.safetensors")
    export_onnx(module, SIZE, folder / "model.onnx", {})
    return write_model(Model(folder, "random", ("red", "blue"), "red", 0.5, 1.0, spec, {"name": NAME}))


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


@pytest.mark.parametrize(("count", "batch_size"), [(0, 4), (1, 4), (8, 4), (23, 4), (23, 64)])
def test_one_result_per_item_in_order_and_scores_as_onnx_gives_them(
    tmp_path: Path, network: Model, count: int, batch_size: int
) -> None:
    from sorter.pipeline import Pool
    from sorter.stages import Classify

    items = some_photos(tmp_path, count)
    choice = Choice("torch", "fp32", "cpu", 1)
    ring = list(classify_on_device(items, network, choice, 2, Limits(), 250, batch_size))
    with Pool(Classify(network, Choice("onnx", "fp32"), 250), 1) as pool:
        plain = list(pool.run(items))
    assert [result.photo.path for result in ring] == [result.photo.path for result in plain]
    for ours, other in zip(ring, plain, strict=True):
        if isinstance(other.outcome, Scores):
            assert isinstance(ours.outcome, Scores)
            assert ours.outcome.probabilities == pytest.approx(other.outcome.probabilities, abs=1e-4)
            assert (ours.outcome.width, ours.outcome.height) == (other.outcome.width, other.outcome.height)
        else:
            assert ours.outcome == other.outcome


def test_a_device_that_cannot_start_says_why(network: Model, tmp_path: Path) -> None:
    items = some_photos(tmp_path, 3)
    if torch.cuda.is_available():
        pytest.skip("this machine has the device that the test wants missing")
    with pytest.raises(EngineError, match="no CUDA device"):
        list(classify_on_device(items, network, Choice("torch", "fp32", "cuda:0"), 1, Limits(), 250))


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
def test_on_a_gpu(tmp_path: Path, network: Model) -> None:
    items = some_photos(tmp_path, 23)
    on_gpu = list(classify_on_device(items, network, Choice("torch", "fp32", "cuda:0"), 2, Limits(), 250, 4))
    on_cpu = list(classify_on_device(items, network, Choice("torch", "fp32", "cpu"), 2, Limits(), 250, 4))
    for ours, other in zip(on_gpu, on_cpu, strict=True):
        if isinstance(other.outcome, Scores) and isinstance(ours.outcome, Scores):
            assert ours.outcome.probabilities == pytest.approx(other.outcome.probabilities, abs=5e-3)
