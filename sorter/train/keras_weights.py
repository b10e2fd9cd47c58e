"""Weights that Keras saved of its ResNet50 or ResNet50V2 -> tensors in the names of the network here.

ResNet50V2 (keras.applications.resnet_v2) is `sorter.model.resnet_v2`, layer by layer.
ResNet50 (keras.applications.resnet, after He et al. 2015) differs from timm's in four things. Its convolutions have
biases, which go into the means of the norms behind them. Its norms add another epsilon, which goes into their
variances. It takes BGR, so the first kernel is turned round. Its blocks stride in their first convolution, which is the
network's affair (`stride_first` in model.json).
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.distribution import install_command
from sorter.types import SorterError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Arrays = dict[str, NDArray[np.float32]]
    Layers = dict[str, Arrays]  # by Keras' names of the layers, then of their arrays

SUFFIXES = frozenset({".h5", ".hdf5", ".keras"})
KERAS_EPSILON, TORCH_EPSILON = 1.001e-5, 1e-5
BLOCK = re.compile(r"conv(\d)_block(\d+)_(\d)_(conv|bn)")
STEM = {"conv1_conv": "conv1", "conv1_bn": "bn1"}
V2_BLOCK = re.compile(r"conv(\d)_block(\d+)_(preact_bn|\d_conv|\d_bn)")
V2_STEM = {"conv1_conv": "conv1", "post_bn": "post_bn"}
SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
CONVOLUTION, NORM = ("kernel", "bias"), ("gamma", "beta", "moving_mean", "moving_variance")
ORDER = {"Conv2D": CONVOLUTION, "BatchNormalization": NORM}  # of the arrays of a layer in a .keras file


def is_keras(path: Path) -> bool:
    """Whether the name is that of a file of Keras."""
    return path.suffix.lower() in SUFFIXES


def read_keras(path: Path) -> dict[str, Tensor]:
    """Read weights of ResNet50 or ResNet50V2, without the classifier, from `.h5` or `.keras`.

    The file may hold weights alone or a whole model. It holds arrays and JSON. No code in it is run.

    Returns:
        float32 tensors in the names of timm's `resnet50`, or of `ResNet50V2`. Layers of other networks are left out.

    Raises:
        SorterError: h5py is not installed.
        OSError, ValueError, KeyError: not such a file.
    """
    import torch

    layers = _layers(path)
    tensors = _v2_tensors(layers) if "post_bn" in layers else _timm_tensors(layers)
    return {name: torch.from_numpy(np.array(value, np.float32)) for name, value in tensors.items()}


def _timm_tensors(layers: Layers) -> Arrays:
    tensors: Arrays = {}
    for name, arrays in layers.items():
        ours = _timm_name(name)
        if ours and "kernel" in arrays:
            kernel = _kernel(arrays)
            tensors[f"{ours}.weight"] = kernel[:, ::-1] if name == "conv1_conv" else kernel
        elif ours:
            bias = layers.get(name.removesuffix("bn") + "conv", {}).get("bias", np.float32(0))
            tensors[f"{ours}.weight"] = arrays["gamma"]
            tensors[f"{ours}.bias"] = arrays["beta"]
            tensors[f"{ours}.running_mean"] = arrays["moving_mean"] - bias
            tensors[f"{ours}.running_var"] = arrays["moving_variance"] + (KERAS_EPSILON - TORCH_EPSILON)
    return tensors


def _v2_tensors(layers: Layers) -> Arrays:
    tensors: Arrays = {}
    for name, arrays in layers.items():
        ours = _v2_name(name)
        if ours and "kernel" in arrays:
            tensors[f"{ours}.weight"] = _kernel(arrays)
            if "bias" in arrays:
                tensors[f"{ours}.bias"] = arrays["bias"]
        elif ours:
            theirs = zip(("weight", "bias", "running_mean", "running_var"), NORM, strict=True)
            tensors |= {f"{ours}.{torchs}": arrays[keras] for torchs, keras in theirs}
    return tensors


def _kernel(arrays: Arrays) -> NDArray[np.float32]:
    return np.transpose(arrays["kernel"], (3, 2, 0, 1))  # (h, w, in, out) -> (out, in, h, w)


def _timm_name(layer: str) -> str | None:
    """Keras' name of a convolution or norm -> timm's; None for any other layer."""
    found = BLOCK.fullmatch(layer)
    if found is None:
        return STEM.get(layer)
    stage, block, number, kind = found.groups()
    part = f"downsample.{0 if kind == 'conv' else 1}" if number == "0" else f"{kind}{number}"
    return f"layer{int(stage) - 1}.{int(block) - 1}.{part}"


def _v2_name(layer: str) -> str | None:
    """The same for ResNet50V2."""
    found = V2_BLOCK.fullmatch(layer)
    if found is None:
        return V2_STEM.get(layer)
    stage, block, part = found.groups()
    number, _, kind = part.partition("_")
    names = {"preact_bn": "preact_bn", "0_conv": "widen"}
    return f"stages.{int(stage) - 2}.{int(block) - 1}.{names.get(part, kind + number)}"


def _layers(path: Path) -> Layers:
    """Layer's name -> its arrays, by Keras' names of them."""
    try:
        import h5py
    except ImportError as error:
        raise SorterError(
            f"{path}: needs h5py, which is not installed; `{install_command('train')}`"
        ) from error
    if path.suffix.lower() == ".keras":
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
            with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
                return dict(_by_order(config, file["layers"]))
    with h5py.File(path, "r") as file:
        return _by_name(file)


def _by_name(file: Any) -> Layers:
    """An `.h5` file: each array's path ends in its layer's name and its own, such as `conv1_bn/gamma:0`."""
    layers: Layers = defaultdict(dict)

    def take(name: str, item: Any) -> None:
        *_, layer, array = ("", *name.split("/"))
        if hasattr(item, "shape"):
            layers[layer][array.partition(":")[0]] = np.asarray(item)

    file.visititems(take)
    return dict(layers)


def _by_order(config: dict[str, Any], groups: Any) -> Iterator[tuple[str, Arrays]]:
    """A `.keras` file: its groups are named by class and number, in the order of the layers in its config."""
    numbers: dict[str, int] = defaultdict(int)
    for layer in config["config"]["layers"]:
        kind = layer["class_name"]
        number, numbers[kind] = numbers[kind], numbers[kind] + 1
        if kind in ORDER:
            group = SNAKE.sub("_", kind.replace("2D", "2d")).lower() + (f"_{number}" if number else "")
            arrays = groups[group]["vars"]
            yield (
                layer["config"]["name"],
                {
                    name: np.asarray(arrays[str(at)])
                    for at, name in enumerate(ORDER[kind])
                    if str(at) in arrays
                },
            )
