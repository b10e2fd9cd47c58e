"""Files of weights as Keras writes them."""

from __future__ import annotations

import io
import json
import zipfile
from collections import defaultdict
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[np.float32]]  # of a layer, by Keras' names and in its order
Weights = dict[str, Arrays]  # by the names of the layers, in their order


def save_keras(weights: Weights, path: Path) -> Path:
    """Write a file with the names and shapes that Keras gives it."""
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name, arrays in weights.items():
                for array, value in arrays.items():
                    file[f"{name}/{name}/{array}:0"] = value
        return path
    buffer, numbers, config = io.BytesIO(), defaultdict[str, int](int), []
    with h5py.File(buffer, "w") as file:
        for name, arrays in weights.items():
            kind, group = (
                ("Conv2D", "conv2d") if "kernel" in arrays else ("BatchNormalization", "batch_normalization")
            )
            config.append({"class_name": kind, "config": {"name": name}})
            group += f"_{numbers[kind]}" if numbers[kind] else ""
            numbers[kind] += 1
            for at, value in enumerate(arrays.values()):
                file[f"layers/{group}/vars/{at}"] = value
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": config}}))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return path
