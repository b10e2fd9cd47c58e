"""Where a model looked: the place is known, because the test drew it there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from support.models import SIZE, make_model
from support.photos import BLUE, RED

from sorter.engines.evidence import EvidenceNetwork
from sorter.model.folder import Model, read_model, write_model
from sorter.model.onnx_graph import GraphError, read_graph, with_outputs
from sorter.pipeline.explain import Explainer, Explanation, explain_photo
from sorter.pipeline.overlay import overlay
from sorter.types import Failure, UsageError

PLACE = (200, 30, 280, 90)  # left, top, right, bottom of the red part


def spotted(path: Path, size: tuple[int, int] = (320, 160), place: tuple[int, int, int, int] = PLACE) -> Path:
    """A blue photo that is red in one place."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, place)
    image.save(path)
    return path


def overlap(found: Explanation, place: tuple[int, int, int, int]) -> float:
    """Of the hottest region and a place: the area of both together over that of either."""
    box = found.regions[0]
    across = min(box.left + box.width, place[2]) - max(box.left, place[0])
    down = min(box.top + box.height, place[3]) - max(box.top, place[1])
    both = max(0, across) * max(0, down)
    return both / (box.width * box.height + (place[2] - place[0]) * (place[3] - place[1]) - both)


def explained(model: Model, path: Path, label: str | None = None) -> Explanation:
    found = explain_photo(model, path, label)
    assert isinstance(found, Explanation)
    return found


def test_the_map_of_a_class_lies_where_it_was_drawn(tmp_path: Path, model: Path) -> None:
    colours, photo = read_model(model), spotted(tmp_path / "a.png")
    red = explained(colours, photo, "red")
    assert (red.method, red.width, red.height) == ("activation", 320, 160)
    assert overlap(red, PLACE) > 0.75
    assert len(red.regions) == 1 and red.regions[0].share > 0.9
    assert red.heat.shape == (224, 448) and red.heat.dtype == np.float32
    assert red.heat.max() == pytest.approx(1) and red.heat[200, 50] == 0
    decided = explained(colours, photo)
    assert decided.label == "blue" and decided.probability > 0.5 > red.probability
    assert decided.heat[200, 50] > 0.9 and decided.heat[84, 336] == 0


def test_a_map_over_a_crop_goes_back_to_the_whole_photo(tmp_path: Path, model: Path) -> None:
    colours = read_model(model)
    cropping = replace(colours, preprocess=replace(colours.preprocess, resize="crop"))
    place = (170, 30, 230, 90)
    found = explained(cropping, spotted(tmp_path / "a.png", place=place), "red")
    assert overlap(found, place) > 0.75
    assert not found.heat[:, :111].any() and not found.heat[:, -111:].any()  # outside the crop


def test_the_photo_is_turned_upright(tmp_path: Path, model: Path) -> None:
    image = Image.open(spotted(tmp_path / "a.png")).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    image.save(tmp_path / "b.jpg", exif=exif, quality=95)
    found = explained(read_model(model), tmp_path / "b.jpg", "red")
    assert (found.width, found.height) == (320, 160)
    assert overlap(found, PLACE) > 0.75


def test_more_than_two_classes_share_nothing(tmp_path: Path) -> None:
    colours = make_model(tmp_path / "three", ("red", "blue", "green"))
    found = explained(colours, spotted(tmp_path / "a.png"), "red")
    assert overlap(found, PLACE) > 0.75
    assert not explained(colours, spotted(tmp_path / "b.png"), "green").heat[84, 336]


def network(folder: Path, nodes: list[onnx.NodeProto], **tensors: np.ndarray) -> Model:
    """The red / blue model with another graph behind `input`."""
    model = make_model(folder)
    graph = helper.make_graph(
        nodes,
        "other",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(value.astype("f"), name) for name, value in tensors.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(made, folder / "model.onnx")
    return write_model(model)


def test_dense_layers_are_taken_apart_exactly(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    model = network(
        tmp_path / "dense",
        [
            helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("Gemm", ["means", "w1", "b1"], ["hidden"], transB=1),
            helper.make_node("Relu", ["hidden"], ["open"]),
            helper.make_node("Gemm", ["open", "w2", "b2"], ["logits"], transB=0),
        ],
        w1=random.normal(size=(16, 3)),
        b1=random.normal(size=16),
        w2=random.normal(size=(16, 1)),
        b2=random.normal(size=1),
    )
    explain = EvidenceNetwork(model)
    for _ in range(3):
        found = explain(random.normal(size=(1, 3, SIZE, SIZE)).astype("f"))
        assert found.maps.shape == (2, SIZE, SIZE)
        assert found.maps[0].mean() == pytest.approx(found.logits[0], abs=1e-4)
        assert np.array_equal(found.maps[1], -found.maps[0])
    assert explain.method == "activation"


def test_a_local_head_shows_its_own_scores(tmp_path: Path) -> None:
    model = network(
        tmp_path / "local",
        [
            helper.make_node("Conv", ["input", "kernel"], ["score_map"]),
            helper.make_node("ReduceMax", ["score_map"], ["logits"], axes=[2, 3], keepdims=0),
        ],
        kernel=np.array([4.0, 0, -4]).reshape(1, 3, 1, 1),
    )
    found = explained(model, spotted(tmp_path / "a.png"))
    assert (found.label, found.method) == ("red", "score-map")
    assert overlap(found, PLACE) > 0.75


def test_any_other_network_is_explained_by_hiding_parts(tmp_path: Path) -> None:
    model = network(
        tmp_path / "max",
        [
            helper.make_node("Conv", ["input", "kernel"], ["scores"]),
            helper.make_node("ReduceMax", ["scores"], ["most"], axes=[2, 3], keepdims=0),
            helper.make_node("Mul", ["most", "two"], ["logits"]),
        ],
        kernel=np.array([4.0, 0, -4]).reshape(1, 3, 1, 1),
        two=np.array([2.0]),
    )
    place = (205, 45, 235, 75)
    found = explained(model, spotted(tmp_path / "a.png", place=place))
    assert (found.label, found.method) == ("red", "occlusion")
    box = found.regions[0]
    assert box.left <= 220 <= box.left + box.width <= 300 and box.top <= 60 <= box.top + box.height <= 120
    assert found.heat[160, 100] < 0.1


def test_nothing_that_speaks_for_a_class_gives_no_region(tmp_path: Path, model: Path) -> None:
    found = explained(read_model(model), spotted(tmp_path / "a.png", place=(0, 0, 0, 0)), "red")
    assert not found.heat.any() and found.regions == ()
    picture = overlay(np.asarray(Image.open(tmp_path / "a.png")), found, 100)
    assert picture.size == (100, 50)


def test_what_cannot_be_explained(tmp_path: Path, model: Path) -> None:
    colours = read_model(model)
    (tmp_path / "empty.jpg").touch()
    assert isinstance(Explainer(colours)(tmp_path / "empty.jpg"), Failure)
    with pytest.raises(UsageError, match="--class green"):
        explain_photo(colours, spotted(tmp_path / "a.png"), "green")


def test_the_graph_is_read_and_extended_as_the_onnx_package_does(model: Path) -> None:
    data = (model / "model.onnx").read_bytes()
    graph, expected = read_graph(data), onnx.load_from_string(data).graph
    assert [node.op for node in graph.nodes] == [node.op_type for node in expected.node]
    assert [list(node.inputs) for node in graph.nodes] == [list(node.input) for node in expected.node]
    weights = graph.constant("weights")
    assert weights is not None
    assert np.array_equal(weights, numpy_helper.to_array(expected.initializer[0]))
    more = onnx.load_from_string(with_outputs(data, ["pooled", "means"]))
    assert [each.name for each in more.graph.output] == ["logits", "pooled", "means"]
    with pytest.raises(GraphError):
        read_graph(b"\xff\xfe no graph")
