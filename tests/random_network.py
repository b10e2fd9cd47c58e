"""A model folder with a small network of random weights, in safetensors and in ONNX: for engines that take torch."""

from __future__ import annotations

from pathlib import Path

import timm
import torch

from sorter.model import Model, write_model
from sorter.preprocess import Preprocess
from sorter.train.export import export_onnx, write_safetensors

NAME = "test_efficientnet"  # timm's smallest
SIZE = 64


def write_network(folder: Path) -> Model:
    torch.manual_seed(3)
    folder.mkdir(parents=True, exist_ok=True)
    spec = Preprocess(SIZE, "squash", "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    module = timm.create_model(NAME, pretrained=False, num_classes=1).eval()
    write_safetensors(module, folder / "model.safetensors")
    export_onnx(module, SIZE, folder / "model.onnx", {})
    return write_model(Model(folder, "random", ("red", "blue"), "red", 0.5, 1.0, spec, {"name": NAME}))
