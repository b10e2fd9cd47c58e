"""Weights that Keras saved of ResNet50V2 give the network that Keras has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.keras_files import Arrays, Weights, save_keras
from torch import Tensor

from sorter.train.backbones import preprocess_of
from sorter.train.pretrained import WeightSource, make_network
from sorter.train.recipes import find_recipe
from sorter.types import UsageError

RECIPE = replace(find_recipe("resnet50-sigmoid"), backbone="resnet50v2-keras", size=64)
STACKS = (
    (2, 3, 64, 2),
    (3, 4, 128, 2),
    (4, 6, 256, 2),
    (5, 3, 512, 1),
)  # number, blocks, filters, last stride


def conv(rng: np.random.Generator, size: int, inside: int, out: int, bias: bool) -> Arrays:
    kernel = rng.normal(0, (2 / (size * size * inside)) ** 0.5, (size, size, inside, out)).astype("f")
    return {"kernel": kernel} | ({"bias": rng.normal(0, 0.1, out).astype("f")} if bias else {})


def norm(rng: np.random.Generator, channels: int) -> Arrays:
    spread = {
        "gamma": (0.4, 0.8),
        "beta": (-0.1, 0.1),
        "moving_mean": (-0.1, 0.1),
        "moving_variance": (0.2, 1),
    }
    return {name: rng.uniform(low, high, channels).astype("f") for name, (low, high) in spread.items()}


def layers(rng: np.random.Generator) -> Iterator[tuple[str, Arrays]]:
    """Keras' layers with weights, by its names and in its order."""
    yield "conv1_conv", conv(rng, 7, 3, 64, bias=True)
    channels = 64
    for stack, blocks, filters, _ in STACKS:
        for number in range(1, blocks + 1):
            block = f"conv{stack}_block{number}"
            yield f"{block}_preact_bn", norm(rng, channels)
            yield f"{block}_1_conv", conv(rng, 1, channels, filters, bias=False)
            yield f"{block}_1_bn", norm(rng, filters)
            yield f"{block}_2_conv", conv(rng, 3, filters, filters, bias=False)
            yield f"{block}_2_bn", norm(rng, filters)
            if number == 1:
                yield f"{block}_0_conv", conv(rng, 1, channels, 4 * filters, bias=True)
            yield f"{block}_3_conv", conv(rng, 1, filters, 4 * filters, bias=True)
            channels = 4 * filters
    yield "post_bn", norm(rng, channels)


def forward(weights: Weights, images: Tensor) -> Tensor:
    """The features, step by step as in `stack2` and `block2` of keras.applications.resnet."""

    def convolve(name: str, maps: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        kernel = torch.from_numpy(weights[name]["kernel"]).permute(3, 2, 0, 1)
        bias = weights[name].get("bias")
        return F.conv2d(maps, kernel, None if bias is None else torch.from_numpy(bias), stride, padding)

    def active(name: str, maps: Tensor) -> Tensor:
        gamma, beta, mean, variance = (torch.from_numpy(each) for each in weights[name].values())
        return F.relu(F.batch_norm(maps, mean, variance, gamma, beta, eps=1.001e-5))

    maps = F.max_pool2d(F.pad(convolve("conv1_conv", images, 2, 3), (1, 1, 1, 1)), 3, 2)
    for stack, blocks, _, last in STACKS:
        for number in range(1, blocks + 1):
            block, stride = f"conv{stack}_block{number}", last if number == blocks else 1
            before = active(f"{block}_preact_bn", maps)
            shortcut = convolve(f"{block}_0_conv", before) if number == 1 else maps[:, :, ::stride, ::stride]
            inner = active(f"{block}_1_bn", convolve(f"{block}_1_conv", before))
            inner = active(f"{block}_2_bn", convolve(f"{block}_2_conv", inner, stride, 1))
            maps = convolve(f"{block}_3_conv", inner) + shortcut
    return active("post_bn", maps).mean((2, 3))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_file_of_keras_gives_its_features(tmp_path: Path, suffix: str) -> None:
    weights = dict(layers(np.random.default_rng(0)))
    path = save_keras(weights, tmp_path / f"resnet50v2_weights_tf_dim_ordering_tf_kernels_notop{suffix}")
    network = make_network(RECIPE, 1, WeightSource(path), seed=0)
    images = torch.rand(2, 3, 64, 64)  # RGB, 0..1
    spec = preprocess_of(RECIPE)
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (spec.mean, spec.std))
    with torch.inference_mode():
        expected = forward(weights, images * 2 - 1)
        found = network.backbone((images - mean) / std)
    assert expected.std() > 0.1
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_the_two_networks_of_keras_are_not_mistaken(tmp_path: Path) -> None:
    path = save_keras(dict(layers(np.random.default_rng(0))), tmp_path / "v2.h5")
    with pytest.raises(UsageError, match="are not this backbone's"):
        make_network(replace(RECIPE, backbone="resnet50-keras"), 1, WeightSource(path), seed=0)
