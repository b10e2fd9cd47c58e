"""`--recipe local`: a score for each place, pooled; its graph names the map of scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from support.photos import RED

from sorter.export.graph import SCORE_MAP, onnx_runtime, open_session, split_head, to_onnx
from sorter.export.quantise import quantise
from sorter.model.folder import FAMILIAR, Model
from sorter.model.network import LocalNetwork, build
from sorter.pipeline.explain import Explanation, explain_photo
from sorter.progress import NoProgress
from sorter.train.backbones import describe
from sorter.train.fit import train_model
from sorter.train.options import TrainOptions, resolve_recipe
from sorter.train.pretrained import WeightSource, make_network

SIZE, SPOT = 64, 12


@pytest.fixture(params=["small-cnn", "efficientnet-lite0", "resnet18"])
def network(request: pytest.FixtureRequest) -> LocalNetwork:
    options = TrainOptions(Path("data"), Path("out"), recipe="local", backbone=request.param)
    made = make_network(resolve_recipe(options), 2, WeightSource(pretrained=False), 0)
    assert isinstance(made, LocalNetwork)
    return made


def test_the_description_builds_the_same_network() -> None:
    recipe = resolve_recipe(TrainOptions(Path("data"), Path("out"), recipe="local"))
    description = describe(recipe)
    assert description["head"] == {"kind": "local", "pool": "log-mean-exp", "widths": []}
    assert isinstance(build(description, 1), LocalNetwork)


def test_the_graph_names_the_scores_that_are_pooled(network: LocalNetwork) -> None:
    proto, difference = to_onnx(network, SIZE)
    assert difference <= 1e-4
    assert [each.name for each in proto.graph.output] == ["logits"]
    images = np.random.default_rng(0).standard_normal((3, 3, SIZE, SIZE), dtype=np.float32)
    logits = onnx_runtime(proto, threads=1)(images)
    proto.graph.output.append(onnx.helper.make_empty_tensor_value_info(SCORE_MAP))
    (scores,) = open_session(proto, 1).run([SCORE_MAP], {"input": images})
    with torch.inference_mode():
        expected = network.score_map(torch.from_numpy(images)).numpy()
    assert np.allclose(scores, expected, atol=1e-4)
    pooled = np.log(np.exp(scores.astype(np.float64)).mean((2, 3)))
    assert np.allclose(logits, pooled, atol=1e-4)


def test_one_place_decides() -> None:
    made = build({"name": "small-cnn", "head": {"kind": "local", "pool": "log-mean-exp", "widths": []}}, 1)
    assert isinstance(made, LocalNetwork)
    maps = torch.zeros(1, 1, 7, 7)
    maps[0, 0, 3, 5] = 20.0
    made.score_map = lambda images: maps  # type: ignore[method-assign]
    assert made(torch.zeros(1, 3, 56, 56)).item() > 15


def test_int8_gives_the_same_labels(network: LocalNetwork, tmp_path: Path) -> None:
    proto, _ = to_onnx(network, SIZE)
    exact, rounded = tmp_path / "model.onnx", tmp_path / "model.int8.onnx"
    exact.write_bytes(proto.SerializeToString())
    images = np.random.default_rng(0).standard_normal((16, 3, SIZE, SIZE), dtype=np.float32)
    quantise(exact, rounded, [images])
    expected, actual = (onnx_runtime(path, threads=1)(images) for path in (exact, rounded))
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() < max(0.5, 0.1 * np.abs(expected).max())


def street(path: Path, place: tuple[int, int] | None, seed: int) -> None:
    """A grey noisy photo with a small red square at a place, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(60, 160, (SIZE, SIZE, 1), dtype=np.uint8).repeat(3, 2)
    if place is not None:
        across, down = place
        pixels[down : down + SPOT, across : across + SPOT] = RED
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model that was shown small red squares, without being told where."""
    root = tmp_path_factory.mktemp("local")
    random = np.random.default_rng(0)
    for number in range(32):
        place = tuple(random.integers(0, SIZE - SPOT, 2).tolist())
        street(root / "data" / "spot" / f"{number}.png", place, number)
        street(root / "data" / "not-spot" / f"{number}.png", None, 1000 + number)
    options = TrainOptions(
        root / "data",
        root / "model",
        recipe="local",
        backbone="small-cnn",
        size=SIZE,
        pretrained=False,
        epochs=8,
        batch_size=16,
        lr=3e-3,
        workers=1,
        device="cpu",
    )
    return train_model(options, NoProgress()).model


@pytest.mark.slow  # eight epochs and an export
def test_it_finds_small_things_and_says_where(trained: Model, tmp_path: Path) -> None:
    for number, place in enumerate(((2, 40), (44, 8))):
        street(tmp_path / "photo.png", place, 5000 + number)
        found = explain_photo(trained, tmp_path / "photo.png", "spot")
        assert isinstance(found, Explanation)
        assert (found.method, found.label) == ("score-map", "spot")
        assert found.probability > trained.threshold
        hottest = found.regions[0]
        centre = (hottest.left + hottest.width / 2, hottest.top + hottest.height / 2)
        expected = (place[0] + SPOT / 2, place[1] + SPOT / 2)
        assert np.hypot(centre[0] - expected[0], centre[1] - expected[1]) < SPOT
    street(tmp_path / "empty.png", None, 6000)
    empty = explain_photo(trained, tmp_path / "empty.png", "spot")
    assert isinstance(empty, Explanation) and empty.probability < trained.threshold


@pytest.mark.slow
def test_the_folder_is_whole(trained: Model) -> None:
    assert trained.backbone["head"]["kind"] == "local"
    assert trained.has(FAMILIAR)  # the features that the scores are made of tell unfamiliar photos
    assert {row["engine"] for row in trained.agreement if row["passed"]} >= {"openvino"}


def test_a_new_head_can_be_solved_for_on_its_backbone(network: LocalNetwork) -> None:
    """As `sorter retrain` does it, without torch."""
    split = split_head(to_onnx(network, SIZE)[0])
    assert split is not None
    backbone, weight = split
    assert np.array_equal(weight, network.last.weight.detach().numpy())
    images = np.random.default_rng(0).standard_normal((3, 3, SIZE, SIZE), dtype=np.float32)
    with torch.inference_mode():
        expected = network.backbone(torch.from_numpy(images)).numpy()
    assert np.allclose(onnx_runtime(backbone, threads=1)(images), expected, rtol=1e-3, atol=1e-4)
