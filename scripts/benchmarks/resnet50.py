"""A model folder with a ResNet50 of random weights. It is as slow as a trained one, and needs no download."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import nn

from sorter.export.files import export_model
from sorter.model.folder import MODEL_JSON, Model
from sorter.photos.decode import Decoder
from sorter.photos.preprocess import Preprocess
from sorter.types import Decoded

IMAGENET = Preprocess(224, "crop", "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
BATCH = 25
LOGIT_MEAN = 3.0


def make_resnet50(folder: Path, photos: Sequence[Path], seed: int = 0) -> Path:
    """Write the folder (float32 and int8), unless it is there already.

    Args:
        photos: one half sets the batch norms and the int8 ranges. The other half checks int8.

    Raises:
        ValueError: a photo cannot be decoded.
    """
    if (folder / MODEL_JSON).exists():
        return folder
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    inputs = _inputs(photos)
    half = len(inputs) // 2
    calibration, validation = np.split(inputs, [half])
    model = Model(
        folder=part,
        name="ResNet50, random weights",
        classes=("car", "not-car"),
        positive="car",
        threshold=0.5,
        temperature=1.0,
        preprocess=IMAGENET,
        backbone={"name": "resnet50"},
    )
    export_model(_network(calibration, seed), model, _batches(calibration), _batches(validation))
    part.rename(folder)
    return folder


def _inputs(photos: Sequence[Path]) -> NDArray[np.float32]:
    decode = Decoder(IMAGENET.min_side)
    rows = []
    for path in photos:
        decoded = decode(path)
        if not isinstance(decoded, Decoded):
            raise ValueError(f"{path}: {decoded}")
        rows.append(IMAGENET(decoded.pixels))
    return IMAGENET.normalise(np.stack(rows))


def _batches(inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH)]


def _network(photos: NDArray[np.float32], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    network = timm.create_model("resnet50", pretrained=False, num_classes=1, zero_init_last=False)
    images = torch.from_numpy(photos)
    with torch.no_grad():
        # One pass sets every batch norm by its input, so that values are as large as a trained network's.
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = None
        network.train()(images)
        network.eval()
        # Logits near the threshold would flip between precisions, and the engine's trial would reject int8. These
        # are moved away from it, so that every precision passes and its speed is measured.
        network.fc.bias += LOGIT_MEAN - network(images).mean()
    return network
