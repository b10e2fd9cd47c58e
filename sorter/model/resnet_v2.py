"""ResNet50V2 as Keras builds it (keras.applications.resnet_v2). Needs torch.

timm's networks of pre-activation blocks (He et al. 2016, "Identity mappings in deep residual networks") are not this
one: Keras strides in the last block of a stage, and its first and third convolutions have biases.
"""

from __future__ import annotations

from torch import Tensor, nn

DEPTHS, WIDTHS, STRIDES = (3, 4, 6, 3), (64, 128, 256, 512), (2, 2, 2, 1)
EXPANSION = 4
EPSILON = 1.001e-5


class ResNet50V2(nn.Module):
    """float32 (n, 3, s, s), RGB from -1 to 1 -> the mean features (n, 2048)."""

    num_features = WIDTHS[-1] * EXPANSION

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3)
        # Zeros around the map, not the least value: the bias makes them count.
        self.pool = nn.Sequential(nn.ConstantPad2d(1, 0.0), nn.MaxPool2d(3, 2))
        stages, channels = [], 64
        for depth, width, stride in zip(DEPTHS, WIDTHS, STRIDES, strict=True):
            blocks = []
            for number in range(depth):
                blocks.append(Block(channels, width, stride if number == depth - 1 else 1))
                channels = width * EXPANSION
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.post_bn = nn.BatchNorm2d(channels, EPSILON)

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_features(images).mean((2, 3))

    def forward_features(self, images: Tensor) -> Tensor:
        """The last map, as timm's networks name it."""
        maps: Tensor = self.post_bn(self.stages(self.pool(self.conv1(images)))).relu()
        return maps

    def group_matcher(self, coarse: bool = False) -> dict[str, str]:
        """Blocks from the input on, as timm's networks name them."""
        return {"stem": r"^conv1", "blocks": r"^stages\.(\d+)" if coarse else r"^stages\.(\d+)\.(\d+)"}


class Block(nn.Module):
    """Norm, ReLU, convolution, three times over, beside a shortcut.

    The first block of a stage widens the shortcut, after its first norm. A later one that strides thins it out.
    """

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        wide = width * EXPANSION
        self.preact_bn = nn.BatchNorm2d(channels, EPSILON)
        self.widen = nn.Conv2d(channels, wide, 1) if channels != wide else None
        self.thin = nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width, EPSILON)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width, EPSILON)
        self.conv3 = nn.Conv2d(width, wide, 1)

    def forward(self, maps: Tensor) -> Tensor:
        active = self.preact_bn(maps).relu()
        shortcut: Tensor = self.thin(maps) if self.widen is None else self.widen(active)
        inner = self.bn1(self.conv1(active)).relu()
        inner = self.bn2(self.conv2(inner)).relu()
        added: Tensor = self.conv3(inner) + shortcut
        return added
