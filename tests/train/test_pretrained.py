"""Recipes make the networks they name, from weights that are theirs, with frozen what they freeze."""

from __future__ import annotations

import gc
import hashlib
import pickle
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sorter.export.graph import to_onnx
from sorter.model.network import Network, build, parameter_count
from sorter.train.backbones import PACKAGED, describe, preprocess_of
from sorter.train.layers import freeze, parameter_groups, stages, training_mode
from sorter.train.pretrained import WeightSource, fitting_tensors, make_network, weights_key
from sorter.train.recipes import RECIPES, Phase, Recipe, find_recipe
from sorter.types import SorterError, UsageError

TINY = Recipe("tiny", "", "", "test_efficientnet", (Phase(1, 1e-3),), size=32, head=(8,), dropout=0.1)


def unbuilt(recipe: Recipe, outputs: int = 1) -> Network:
    """The network without memory for its weights: enough to count and to freeze."""
    with torch.device("meta"):
        network = build(describe(recipe), outputs)
    assert isinstance(network, Network)
    return network


# What the papers' and the libraries' tables say of the architectures, without a classifier, plus the head.
@pytest.mark.parametrize(
    ("name", "outputs", "backbone", "head"),
    [
        ("resnet50-sigmoid", 1, 23_508_032, 2048 + 1),
        ("resnet50-dense", 2, 23_508_032, 2048 * 256 + 256 + 256 * 2 + 2),
        ("mobilenetv2-frozen", 1, 2_223_872, 1280 * 512 + 512 + 512 + 1),
        # convolutions 896 + 9248 + 18496 + 36928 + 73856 + 147584, norms 2 * 2 * (32 + 64 + 128)
        ("small-cnn", 1, 287_008 + 896, 128 * 128 + 128 + 128 + 1),
        ("resnet50v2-dense", 1, 23_500_352, 2048 * 512 + 512 + 512 * 256 + 256 + 256 + 1),
        ("cifar10-resnet50", 10, 23_508_032, 2048 * 256 + 256 + 256 * 10 + 10),
        ("fast", 1, 3_371_008, 1280 + 1),
    ],
)
def test_parameters_are_those_of_the_published_architectures(
    name: str, outputs: int, backbone: int, head: int
) -> None:
    network = unbuilt(find_recipe(name), outputs)
    assert parameter_count(network.backbone) == backbone
    assert parameter_count(network.head) == head


def test_mobilenet_stays_frozen_and_the_others_are_opened() -> None:
    for recipe in RECIPES:
        network = unbuilt(recipe)
        freeze(network, recipe.phases[-1].trains)
        learning = parameter_count(network, trainable=True)
        head, whole = parameter_count(network.head), parameter_count(network)
        if recipe.name == "local":  # the last stages alone, and the head
            assert head < learning < whole
        else:
            assert learning == (head if recipe.name == "mobilenetv2-frozen" else whole)


def test_every_recipe_runs_from_random_weights() -> None:
    for recipe in RECIPES:
        network = make_network(recipe, 3, WeightSource(pretrained=False), seed=0)
        size = 64 if recipe.size > 64 else recipe.size
        with torch.inference_mode():
            assert network(torch.zeros(2, 3, size, size)).shape == (2, 3)


def test_head_is_dense_with_dropout_before_the_logits() -> None:
    layers = [type(layer).__name__ for layer in unbuilt(find_recipe("resnet50-dense")).head]
    assert layers == ["Linear", "ReLU", "Dropout", "Linear"]
    (dropout,) = [
        each for each in unbuilt(find_recipe("resnet50-dense")).head if isinstance(each, torch.nn.Dropout)
    ]
    assert dropout.p == 0.5


def test_last_stages_alone_learn_and_frozen_norms_keep_their_statistics() -> None:
    network = make_network(TINY, 1, WeightSource(pretrained=False), seed=0)
    names = stages(network.backbone)
    freeze(network, 2)
    learning = {name for name, parameter in network.backbone.named_parameters() if parameter.requires_grad}
    assert learning == {name for part in names[-2:] for name in part}
    training_mode(network)
    before = {name: value.clone() for name, value in network.backbone.named_buffers()}
    network(torch.randn(4, 3, 32, 32))
    changed = {n for n, value in network.backbone.named_buffers() if not torch.equal(value, before[n])}
    frozen = {name for part in names[:-2] for name in part}
    assert changed
    assert not {name.rpartition(".")[0] for name in changed} & {name.rpartition(".")[0] for name in frozen}


def test_each_stage_learns_slower_than_the_one_above_and_biases_do_not_decay() -> None:
    network = make_network(TINY, 1, WeightSource(pretrained=False), seed=0)
    freeze(network, "all")
    groups = parameter_groups(network, 1.0, 0.5, 0.1, 0.2)
    rates = sorted({group["lr"] for group in groups}, reverse=True)
    assert rates == [0.5**depth for depth in range(len(stages(network.backbone)) + 1)]
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    for group in groups:
        vectors = {parameter.ndim <= 1 for parameter in group["params"]}
        assert vectors == {group["weight_decay"] == 0}
    assert {group["weight_decay"] for group in groups if group["lr"] == 1.0} == {0.0, 0.2}


@pytest.mark.parametrize("backbone", [*PACKAGED, "tf_efficientnet_lite0"])
def test_the_lites_come_with_their_weights_and_their_preprocessing(backbone: str) -> None:
    recipe = replace(find_recipe("fast"), backbone=backbone)
    network, again = (make_network(recipe, 1, WeightSource(), seed) for seed in (0, 1))
    assert weights_key(network.backbone) == weights_key(again.backbone)
    assert not torch.equal(network.head.logits.weight, again.head.logits.weight)
    assert preprocess_of(recipe).mean == pytest.approx((127 / 255,) * 3)


def test_the_seed_decides_random_weights() -> None:
    keys = [
        weights_key(make_network(TINY, 1, WeightSource(pretrained=False), seed).backbone)
        for seed in (3, 3, 4)
    ]
    assert keys[0] == keys[1] != keys[2]


# -- weights of one's own --------------------------------------------------------------------------------------


def tiny_state(prefix: str = "") -> dict[str, torch.Tensor]:
    network = make_network(TINY, 1, WeightSource(pretrained=False), seed=9)
    return {prefix + name: tensor.clone() for name, tensor in network.backbone.state_dict().items()}


@pytest.mark.parametrize("kind", ["safetensors", "plain", "wrapped", "parallel", "model"])
def test_weights_from_a_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("w.safetensors" if kind in ("safetensors", "model") else "w.pth")
    extra = {"classifier.weight": torch.zeros(7, 256)}
    if kind in ("safetensors", "model"):
        save_file(tiny_state("backbone." if kind == "model" else "") | extra, path)
    elif kind == "plain":
        torch.save(tiny_state() | extra, path)
    else:
        torch.save({"epoch": 3, "state_dict": tiny_state("module." if kind == "parallel" else "")}, path)
    network = make_network(TINY, 1, WeightSource(weights=path), seed=0)
    expected = make_network(TINY, 1, WeightSource(pretrained=False), seed=9)
    assert weights_key(network.backbone) == weights_key(expected.backbone)


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("harm-was-done"),)


def test_mobilenet_of_tensorflow_keeps_its_padding_and_its_input(tmp_path: Path) -> None:
    recipe = replace(find_recipe("mobilenetv2-frozen"), backbone="mobilenetv2-tf", size=64)
    with pytest.raises(UsageError, match=r"mobilenetv2-tf.*--weights"):
        make_network(recipe, 1, WeightSource(), seed=0)
    source = make_network(recipe, 1, WeightSource(pretrained=False), seed=0)
    state = {name: tensor.contiguous() for name, tensor in source.backbone.state_dict().items()}
    # A converter may write the count of batches as a list of one.
    counts = {
        name: tensor.reshape(1) for name, tensor in state.items() if name.endswith("num_batches_tracked")
    }
    save_file({**state, **counts, "classifier.bias": torch.zeros(1000)}, tmp_path / "w.safetensors")
    network = make_network(recipe, 1, WeightSource(tmp_path / "w.safetensors"), seed=1)
    spec = preprocess_of(recipe)
    assert (spec.mean, spec.std) == ((0.5,) * 3, (0.5,) * 3)
    assert describe(recipe)["arguments"] == {"pad_type": "same"}
    images = torch.randn(2, 3, 64, 64)
    stem = network.backbone.get_submodule("conv_stem")
    # TensorFlow's SAME: of the three rows that the kernel takes, the odd one is below.
    padded = torch.nn.functional.pad(images, (0, 1, 0, 1))
    expected = torch.nn.functional.conv2d(padded, source.backbone.get_parameter("conv_stem.weight"), stride=2)
    with torch.inference_mode():
        assert torch.allclose(stem(images), expected, atol=1e-6)
    proto, difference = to_onnx(network, 64)
    assert difference < 1e-4 and proto.graph.output[0].name == "logits"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"no weights", "cannot be read as weights alone"),
        (Harmful(), "cannot be read as weights alone"),
        ([1, 2], "holds no state dict"),
        ({"conv.weight": torch.zeros(3)}, "are not this backbone's"),
        ({**tiny_state(), "conv_stem.weight": torch.zeros(1)}, "conv_stem.weight"),
    ],
)
def test_weights_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "w.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, Harmful):
        path.write_bytes(pickle.dumps(content))
    elif content is not None:
        torch.save(content, path)
    backbone = make_network(TINY, 1, WeightSource(pretrained=False), seed=0).backbone
    with pytest.raises(UsageError, match=message):
        fitting_tensors(path, backbone)
    assert not (tmp_path / "harm-was-done").exists()


# -- weights from a server -------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, bytes]]]:
    """A server on this machine, and what it serves; names that end in `.cut` break off halfway."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("torch.hub._hub_dir", None)
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            data = files.get(name)
            if data is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if name.startswith("cut") else data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}", files
        http.shutdown()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # torch leaves the answer of a broken transfer open: not in the middle of the next test


def served(tmp_path: Path) -> bytes:
    torch.save(tiny_state(), tmp_path / "served.pth")
    return (tmp_path / "served.pth").read_bytes()


def fetch(url: str) -> Network:
    return make_network(TINY, 1, WeightSource(overlay={"url": url, "hf_hub_id": None}), seed=0)


def test_weights_are_fetched_once_and_kept(tmp_path: Path, server: tuple[str, dict[str, bytes]]) -> None:
    address, files = server
    data = served(tmp_path)
    name = f"tiny-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    files[name] = data
    expected = weights_key(make_network(TINY, 1, WeightSource(pretrained=False), seed=9).backbone)
    assert weights_key(fetch(f"{address}/{name}").backbone) == expected
    del files[name]
    assert weights_key(fetch(f"{address}/{name}").backbone) == expected


@pytest.mark.parametrize("name", ["tiny-0123abcd.pth", "cut-{hash}.pth", "absent-{hash}.pth"])
def test_a_wrong_hash_a_broken_transfer_and_a_missing_file_name_the_choices(
    tmp_path: Path, server: tuple[str, dict[str, bytes]], name: str
) -> None:
    address, files = server
    data = served(tmp_path)
    name = name.format(hash=hashlib.sha256(data).hexdigest()[:8])
    if not name.startswith("absent"):
        files[name] = data
    with pytest.raises(SorterError) as error:
        fetch(f"{address}/{name}")
    for choice in ("--weights FILE", "--backbone efficientnet-lite0", "--no-pretrained"):
        assert choice in str(error.value)
    assert not list((tmp_path / "torch").rglob("*.pth"))


def test_no_server_at_all_names_the_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(SorterError, match="--no-pretrained"):
        fetch("http://127.0.0.1:9/tiny.pth")


def test_a_backbone_nobody_has() -> None:
    with pytest.raises(UsageError, match="timm has no such network"):
        describe(Recipe("x", "", "", "resnet_of_dreams", (Phase(1, 1e-3),)))
