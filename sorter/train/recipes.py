"""The recipes: all settings of a way to train, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sorter.model.folder import SMALL_CNN
from sorter.types import UsageError

DEFAULT = "resnet50-sigmoid"
FAST, LOCAL = "fast", "local"
LITE0, LITE2 = "efficientnet-lite0", "efficientnet-lite2"
HEAD, ALL = "head", "all"
AUGMENTATIONS = ("none", "light", "standard", "strong")


@dataclass(frozen=True)
class Phase:
    """A phase of training with one optimiser.

    Attributes:
        epochs: maximum; 0 leaves the phase out.
        lr: peak learning rate, of the head where `layer_decay` is below 1.
        trains: `head`, `all`, or the number of the backbone's last stages to train besides the head.
        cached: the backbone's features are computed once, without augmentation, and only the head is trained.
        optimiser: `adamw`, `adam` (weight decay as an L2 term of the loss), `sgd` (Nesterov momentum 0.9), or `lbfgs`:
            the linear head with the least loss on cached features, in one epoch.
        schedule: `cosine`, `one-cycle`, `plateau` (a tenth after `plateau_patience` epochs without gain) or `constant`.
        warmup: share of the phase over which the learning rate rises from zero.
        layer_decay: learning rate of each stage relative to the one above it.
        patience: epochs without a lower validation loss before the phase ends.
        l2: strength of the penalty where the optimiser is `lbfgs` and there are many examples; see
            `sorter.train.linear`. With few examples folds choose it; see `sorter.train.few_examples`.
    """

    epochs: int
    lr: float
    trains: str | int = ALL
    cached: bool = False
    optimiser: str = "adamw"
    schedule: str = "cosine"
    warmup: float = 0.0
    layer_decay: float = 1.0
    patience: int = 10
    plateau_patience: int = 3
    l2: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """One way to train.

    Attributes:
        name: for `--recipe`.
        summary: one line.
        published: the result its authors report; empty for our own.
        backbone: timm's name, `efficientnet-lite0`, `efficientnet-lite2` or `small-cnn`.
        phases: in order; each starts from the best epoch so far.
        pretrained: the backbone starts from ImageNet weights.
        size: side of the square input in pixels.
        resize: as for `Preprocess`.
        head: widths of the dense layers with ReLU between backbone and logits.
        local: the head scores each place of the last map, and the photo's logits pool the scores.
        dropout: before the layer of logits.
        batch_size: photos in a step.
        weight_decay: of the backbone's weights (not of biases and norms).
        head_weight_decay: of the head's.
        label_smoothing: share of each target that is spread over all classes (Szegedy et al. 2016).
        mixup: alpha of the beta distribution that photos are blended by (Zhang et al. 2018); 0 for none.
        cutmix: likewise for pasted rectangles (Yun et al. 2019).
        ema: decay of the moving average of the weights, which is validated and kept; 0 for none.
        augment: `none`, `light`, `standard` or `strong`.
        balance: `none`, `weights` (in the loss), `sampling`, or `auto`: weights where classes differ by half or more.
        optimise: what the threshold is chosen for, as for `--optimize`.
    """

    name: str
    summary: str
    published: str
    backbone: str
    phases: tuple[Phase, ...]
    pretrained: bool = True
    size: int = 224
    resize: str = "squash"
    head: tuple[int, ...] = ()
    local: bool = False
    dropout: float = 0.0
    batch_size: int = 32
    weight_decay: float = 0.0
    head_weight_decay: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    ema: float = 0.0
    augment: str = "standard"
    balance: str = "auto"
    optimise: str = "f1"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


# Part of `fast` with --epochs only. With a layer decay of 0.75 the early stages hardly changed, and CIFAR-10 suffered.
FINE_TUNING = Phase(0, 1e-3, ALL, warmup=0.1, layer_decay=0.9, patience=5)

# A Keras L2 factor f adds f * w ** 2 to the loss. Its gradient is 2 f w, so Adam's `weight_decay` is 2 f.
RECIPES = (
    Recipe(
        name="resnet50-sigmoid",
        summary="ResNet50 and one sigmoid neuron: the head on cached features, then everything",
        published="car / not-car: 93 % validation accuracy, 25 epochs",
        backbone="resnet50",
        phases=(
            Phase(60, 1e-3, HEAD, cached=True, optimiser="adam", patience=15),
            Phase(
                25, 1e-4, ALL, optimiser="adam", schedule="plateau", warmup=0.02, layer_decay=0.7, patience=6
            ),
        ),
    ),
    Recipe(
        name="resnet50-dense",
        summary="ResNet50, dense 256 and dropout: head first, then everything at a tenth of the rate",
        published='"robust": accuracy, precision, recall, F1, confusion matrix and ROC are shown, no figure is stated',
        backbone="resnet50",
        phases=(
            Phase(30, 1e-3, HEAD, cached=True, optimiser="adam", patience=10),
            Phase(15, 1e-5, ALL, optimiser="adam", schedule="constant", patience=6),
        ),
        head=(256,),
        dropout=0.5,
    ),
    Recipe(
        name="mobilenetv2-frozen",
        summary="MobileNetV2 never unfrozen, dense 512 and one sigmoid neuron, on augmented photos",
        published="people crossing / empty road: 99 % validation accuracy",
        backbone="mobilenetv2_100",
        phases=(Phase(20, 1e-4, HEAD, optimiser="adam", schedule="constant", patience=6),),
        head=(512,),
    ),
    Recipe(
        name=SMALL_CNN,
        summary="six 3x3 convolutions in three blocks, from scratch, for small pictures",
        published="CIFAR-10 vehicles / animals: 95.37 % test accuracy, 96.96 % precision (best of five)",
        backbone=SMALL_CNN,
        phases=(Phase(60, 3e-3, ALL, optimiser="adamw", schedule="one-cycle", patience=15),),
        pretrained=False,
        size=32,
        head=(128,),
        dropout=0.3,
        batch_size=128,
        head_weight_decay=1e-2,
        augment="light",
    ),
    Recipe(
        name="resnet50v2-dense",
        summary="ResNet50V2 on small pictures enlarged to 224, dense 512 and 256 with L2, one sigmoid neuron",
        published="CIFAR-10 vehicles / animals: about 98 % validation accuracy",
        backbone="resnetv2_50",
        phases=(
            Phase(20, 1e-4, HEAD, cached=True, optimiser="adam", schedule="constant", patience=5),
            Phase(10, 1e-4, ALL, optimiser="adam", layer_decay=0.7, warmup=0.05, patience=4),
        ),
        head=(512, 256),
        head_weight_decay=2e-3,
        augment="light",
    ),
    Recipe(
        name="cifar10-resnet50",
        summary="ResNet50 at 96 px, a dense head with dropout, class-weighted loss, a very low rate",
        published="CIFAR-10, ten classes: 88.82 % test accuracy",
        backbone="resnet50",
        phases=(Phase(40, 1e-5, ALL, optimiser="adam", schedule="constant", patience=6),),
        size=96,
        head=(256,),
        dropout=0.5,
        batch_size=64,
        balance="weights",
    ),
    Recipe(
        name=FAST,
        summary="EfficientNet-Lite0 embedded once, then an exact logistic regression; --epochs N fine-tunes after it",
        published="",
        backbone=LITE0,
        phases=(Phase(1, 0.0, HEAD, cached=True, optimiser="lbfgs", l2=10.0), FINE_TUNING),
        batch_size=64,
        weight_decay=1e-2,
        head_weight_decay=1e-2,
    ),
    Recipe(
        name=LOCAL,
        summary="EfficientNet-Lite0, fine-tuned, with a score for each place, so that small things count",
        published="",
        backbone=LITE0,
        phases=(Phase(12, 1e-3, 3, warmup=0.1, layer_decay=0.9, patience=5),),
        local=True,
        dropout=0.2,
        weight_decay=1e-2,
        head_weight_decay=1e-2,
        ema=0.99,
    ),
)


def find_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises UsageError where there is none."""
    for recipe in RECIPES:
        if recipe.name == name:
            return recipe
    raise UsageError(f"--recipe {name}: is none of {', '.join(recipe.name for recipe in RECIPES)}")
