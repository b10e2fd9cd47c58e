"""What a model folder says of its network -> the network: a backbone and a head. Needs torch and timm."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from sorter.model.folder import RESNET50V2, SMALL_CNN
from sorter.model.resnet_v2 import ResNet50V2
from sorter.types import SorterError


def build(backbone: dict[str, Any], outputs: int) -> nn.Module:
    """Make the network that `model.json` describes, with random weights.

    Args:
        backbone: `name` (timm's, `small-cnn` or `resnet50v2`), `arguments` for it, and `head`: `linear` for timm's own
            classifier, or a list of the widths of its dense layers, with `dropout` before the last. A local
            head is `{"kind": "local", "pool": "log-mean-exp", "widths": [...]}`. With `stride_first` the blocks
            of a ResNet stride in their first convolution, as He et al. (2015) have it.
        outputs: how many logits.

    Returns:
        float32 (n, 3, s, s) -> logits (n, outputs). With a list of widths or a local head it is a `Network`.

    Raises:
        SorterError: a backbone that timm does not have.
    """
    head = backbone.get("head", "linear")
    if isinstance(head, str):
        return _timm(backbone, num_classes=outputs)
    dropout = float(backbone.get("dropout", 0.0))
    if isinstance(head, dict):
        return LocalNetwork(build_backbone(backbone), head["widths"], dropout, outputs)
    return Network(build_backbone(backbone), head, dropout, outputs)


def build_backbone(backbone: dict[str, Any]) -> nn.Module:
    """The part without the head: (n, 3, s, s) -> pooled features (n, `num_features`)."""
    own: dict[str, type[nn.Module]] = {SMALL_CNN: SmallCnn, RESNET50V2: ResNet50V2}
    if backbone["name"] in own:
        return own[backbone["name"]](**backbone.get("arguments", {}))
    return _timm(backbone, num_classes=0)


def _timm(backbone: dict[str, Any], num_classes: int) -> nn.Module:
    import timm

    name = backbone["name"]
    try:
        network: nn.Module = timm.create_model(
            name, pretrained=False, num_classes=num_classes, **backbone.get("arguments", {})
        )
    except RuntimeError as error:
        raise SorterError(f"backbone {name!r}: timm cannot make it ({error}); upgrade timm") from error
    if backbone.get("stride_first"):
        _stride_first(network)
    return network


def _stride_first(network: nn.Module) -> None:
    """Move the strides of bottleneck blocks from their second convolution to their first."""
    for block in network.modules():
        first, second = getattr(block, "conv1", None), getattr(block, "conv2", None)
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.Conv2d):
            first.stride, second.stride = second.stride, first.stride


class Network(nn.Module):
    """A backbone, then dense layers with ReLU, dropout, and the layer of logits.

    Args:
        widths: of the dense layers between; none for a linear head.
        dropout: probability, before the last layer.
    """

    def __init__(self, backbone: nn.Module, widths: Sequence[int], dropout: float, outputs: int) -> None:
        super().__init__()
        features = int(_pooled_features(backbone))
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, width in enumerate(widths, 1):
            layers[f"dense{number}"] = nn.Linear(features, width)
            layers[f"relu{number}"] = nn.ReLU()
            features = width
        layers["dropout"] = nn.Dropout(dropout)
        layers["logits"] = nn.Linear(features, outputs)
        self.backbone = backbone
        self.head = nn.Sequential(layers)

    @property
    def last(self) -> nn.Linear:
        """The layer of logits."""
        layer = self.head.get_submodule("logits")
        assert isinstance(layer, nn.Linear)
        return layer

    def forward(self, images: Tensor) -> Tensor:
        features = self.backbone(images)  # (n, 3, s, s) -> (n, d)
        logits: Tensor = self.head(features)  # (n, outputs)
        return logits


class LocalNetwork(Network):
    """A head that scores each place of the backbone's last map; the photo's logits pool the scores.

    A logit is the logarithm of the mean of the exponentials of the class's scores. One place with strong evidence
    decides, so a small thing counts (Pinheiro and Collobert 2015, From image-level to pixel-level labeling). Its
    parameters have the names and shapes of those of a `Network`.
    """

    def forward(self, images: Tensor) -> Tensor:
        return pool(self.score_map(images))

    def score_map(self, images: Tensor) -> Tensor:
        """(n, 3, s, s) -> the score of each class at each place (n, outputs, h, w). Raises SorterError."""
        maps = _last_map(self.backbone, images)
        if maps.ndim != 4 or maps.shape[1] != _pooled_features(self.backbone):
            raise SorterError(
                "--recipe local: this backbone ends in no map of places; use another --backbone"
            )
        for layer in self.head:
            maps = _at_each_place(layer, maps)
        return maps


def pool(scores: Tensor) -> Tensor:
    """Scores of each place (n, outputs, h, w) -> logits (n, outputs), by the logarithm of the mean exponential."""
    logits: Tensor = scores.logsumexp((2, 3)) - math.log(scores.shape[2] * scores.shape[3])
    return logits


def _at_each_place(layer: nn.Module, maps: Tensor) -> Tensor:
    """A layer for vectors (d,), on each place of maps (n, d, h, w). A dense layer is a 1 x 1 convolution."""
    if isinstance(layer, nn.Linear):
        return functional.conv2d(maps, layer.weight[:, :, None, None], layer.bias)
    found: Tensor = layer(maps)
    return found


class SmallCnn(nn.Module):
    """Three blocks of two 3 x 3 convolutions, batch norm, max pooling and dropout, then the mean over the picture."""

    num_features = 128

    def __init__(self, dropout: float = 0.3) -> None:
        super().__init__()
        channels = (3, 32, 64, self.num_features)
        self.blocks = nn.Sequential(*(_block(before, after, dropout) for before, after in pairwise(channels)))

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_features(images).mean((2, 3))

    def forward_features(self, images: Tensor) -> Tensor:
        """The last map, as timm's networks name it."""
        maps: Tensor = self.blocks(images)  # (n, 3, s, s) -> (n, 128, s / 8, s / 8)
        return maps

    def group_matcher(self, coarse: bool = False) -> dict[str, str]:
        """Stages from the input on, as timm's networks name them."""
        return {"blocks": r"^blocks\.(\d+)"}


def _block(before: int, after: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(after),
        nn.Conv2d(after, after, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(after),
        nn.MaxPool2d(2),
        nn.Dropout(dropout),
    )


def _last_map(backbone: nn.Module, images: Tensor) -> Tensor:
    maps: Tensor = backbone.forward_features(images)  # type: ignore[operator]
    return maps


def _pooled_features(backbone: nn.Module) -> int:
    # Some of timm's put a layer between pooling and classifier: what comes out need not be num_features.
    return int(getattr(backbone, "head_hidden_size", None) or backbone.num_features)  # type: ignore[arg-type]


def parameter_count(network: nn.Module, trainable: bool = False) -> int:
    """How many numbers the network learns; only those that are not frozen where `trainable`."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad or not trainable)
