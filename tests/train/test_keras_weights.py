"""Weights that Keras saved of ResNet50 give the network that Keras has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import timm
import torch
from support.keras_files import Arrays, save_keras
from torch import nn

from sorter.model.network import build_backbone
from sorter.train.backbones import describe, preprocess_of
from sorter.train.pretrained import WeightSource, make_network
from sorter.train.recipes import find_recipe
from sorter.types import UsageError

RECIPE = replace(find_recipe("resnet50-sigmoid"), backbone="resnet50-keras", size=64)
BLOCKS = {2: 3, 3: 4, 4: 6, 5: 3}
MEAN = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)  # of BGR


def layers() -> Iterator[tuple[str, str]]:
    """Keras' names of the layers with weights, in its order, and the modules that stand for them here."""
    yield from (("conv1_conv", "conv1"), ("conv1_bn", "bn1"))
    for stage, count in BLOCKS.items():
        for block in range(count):
            keras, ours = f"conv{stage}_block{block + 1}", f"layer{stage - 1}.{block}"
            first = [(f"{keras}_0_conv", f"{ours}.downsample.0")] if block == 0 else []
            norm = [(f"{keras}_0_bn", f"{ours}.downsample.1")] if block == 0 else []
            for number in (1, 2):
                yield f"{keras}_{number}_conv", f"{ours}.conv{number}"
                yield f"{keras}_{number}_bn", f"{ours}.bn{number}"
            yield from (*first, (f"{keras}_3_conv", f"{ours}.conv3"))
            yield from (*norm, (f"{keras}_3_bn", f"{ours}.bn3"))


@pytest.fixture(scope="module")
def keras() -> nn.Module:
    """ResNet50 as Keras builds it, for BGR: biases, its epsilon, strides in the first convolutions."""
    torch.manual_seed(0)
    network: nn.Module = timm.create_model("resnet50", pretrained=False, num_classes=0)
    for stage in (2, 3, 4):
        network.get_submodule(f"layer{stage}.0.conv1").stride = (2, 2)  # type: ignore[assignment]
        network.get_submodule(f"layer{stage}.0.conv2").stride = (1, 1)  # type: ignore[assignment]
    for _, name in layers():
        module = network.get_submodule(name)
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(torch.randn(module.out_channels) * 0.1)
        else:
            assert isinstance(module, nn.BatchNorm2d)
            module.eps = 1.001e-5
            nn.init.uniform_(module.weight, 0.2, 0.6)
            nn.init.normal_(module.bias, std=0.1)
            module.running_mean = torch.randn(module.num_features) * 0.1
            module.running_var = torch.rand(module.num_features) * 0.1 + 1e-6
    return network.eval()


def arrays_of(module: nn.Module) -> Arrays:
    """A layer's arrays, by Keras' names and in its order."""
    if isinstance(module, nn.Conv2d):
        assert module.bias is not None
        return {
            "kernel": module.weight.detach().permute(2, 3, 1, 0).numpy(),
            "bias": module.bias.detach().numpy(),
        }
    assert isinstance(module, nn.BatchNorm2d)
    found = (module.weight, module.bias, module.running_mean, module.running_var)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    return {name: each.detach().numpy() for name, each in zip(names, found, strict=True) if each is not None}


def save(network: nn.Module, path: Path) -> Path:
    """A file of Keras, with a classifier as well where it holds weights alone."""
    weights = {name: arrays_of(network.get_submodule(ours)) for name, ours in layers()}
    if path.suffix == ".h5":
        weights["predictions"] = {"kernel": np.zeros((2048, 10), "f")}
    return save_keras(weights, path)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_file_of_keras_gives_its_features(keras: nn.Module, tmp_path: Path, suffix: str) -> None:
    path = save(keras, tmp_path / f"resnet50_weights_tf_dim_ordering_tf_kernels{suffix}")
    network = make_network(RECIPE, 1, WeightSource(path), seed=0)
    images = torch.rand(2, 3, 64, 64)  # RGB, 0..1
    spec = preprocess_of(RECIPE)
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (spec.mean, spec.std))
    with torch.inference_mode():
        expected = keras(images.flip(1) * 255 - MEAN)
        found = network.backbone((images - mean) / std)
    assert expected.std() > 0.1
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_the_strides_stand_in_the_model_folder() -> None:
    described = describe(RECIPE)
    assert described["name"] == "resnet50" and described["stride_first"] is True
    block = build_backbone(json.loads(json.dumps(described))).get_submodule("layer2.0")
    assert block.get_submodule("conv1").stride == (2, 2)
    assert block.get_submodule("conv2").stride == (1, 1)


def test_files_of_another_library_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.h5.*--backbone resnet50-keras"):
        make_network(replace(RECIPE, backbone="resnet50"), 1, WeightSource(tmp_path / "a.h5"), seed=0)
    with pytest.raises(UsageError, match=r"a\.pth.*\.h5 or \.keras"):
        make_network(RECIPE, 1, WeightSource(tmp_path / "a.pth"), seed=0)
    with pytest.raises(UsageError, match="no such file"):
        make_network(RECIPE, 1, WeightSource(tmp_path / "a.h5"), seed=0)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_damaged_and_foreign_files_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"no weights")
    with pytest.raises(UsageError, match="cannot be read as weights alone"):
        make_network(RECIPE, 1, WeightSource(path), seed=0)
    if suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["dense/dense/kernel:0"] = np.zeros((3, 4), "f")
        with pytest.raises(UsageError, match="are not this backbone's"):
            make_network(RECIPE, 1, WeightSource(path), seed=0)
