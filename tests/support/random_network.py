"""A model folder with a small network of random weights, in safetensors and in ONNX: for engines that take torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import timm
import torch

from sorter.engines.choice import Choice
from sorter.export.files import export_onnx, write_safetensors
from sorter.model.folder import Model, write_model
from sorter.photos.preprocess import Preprocess
from sorter.pipeline.scoring import classifying
from sorter.types import Photo, Result, Scores

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


def predict(
    items: Iterable[Photo | Result[Scores]], model: Model, choice: Choice, *how: Any
) -> Iterator[Result[Scores]]:
    """Start the processes, score, end them."""
    with classifying(model, choice, *how) as processes:
        yield from processes.run(items)
