"""A recipe -> a network with its starting weights: pretrained, from a file, or random."""

from __future__ import annotations

import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import timm
import torch
from timm.models import set_pretrained_check_hash, set_pretrained_download_progress
from torch import Tensor, nn

from sorter.model.network import Network, build
from sorter.train.backbones import VARIANTS, describe, efficientnet_lite, packaged_weights
from sorter.train.keras_weights import is_keras, read_keras
from sorter.train.learner import tensors_key
from sorter.train.recipes import LITE0, Recipe
from sorter.types import SorterError, UsageError

WRAPPERS = ("state_dict", "model", "model_state_dict")  # keys that training scripts keep a state dict under
PREFIXES = ("module.", "_orig_mod.", "backbone.")


@dataclass(frozen=True)
class WeightSource:
    """Where a backbone's weights come from.

    Attributes:
        weights: a local file; None for the pretrained ones.
        pretrained: False for random weights.
        overlay: changes to timm's `pretrained_cfg`, such as the URL of the download.
    """

    weights: Path | None = None
    pretrained: bool = True
    overlay: dict[str, Any] | None = None


def make_network(recipe: Recipe, outputs: int, source: WeightSource, seed: int) -> Network:
    """The recipe's network on the CPU, in eval mode; the seed decides its head and any random weights.

    Raises:
        UsageError: no such backbone, or a weights file that does not fit it.
        SorterError: pretrained weights that are neither cached nor can be downloaded.
    """
    if recipe.backbone in VARIANTS and source.weights is None and source.pretrained:
        raise UsageError(
            f"--backbone {recipe.backbone}: its weights come in a file; name it with --weights, or give --no-pretrained"
        )
    if source.weights is not None:
        _check_library(source.weights, recipe.backbone)
    torch.manual_seed(seed)
    description = describe(recipe)
    network = build(description, outputs)
    assert isinstance(network, Network)
    if source.weights is not None:
        network.backbone.load_state_dict(fitting_tensors(source.weights, network.backbone))
    elif source.pretrained and recipe.pretrained:
        network.backbone.load_state_dict(_pretrained(description["name"], source.overlay).state_dict())
    return network.eval()


def _check_library(path: Path, backbone: str) -> None:
    """Refuse weights of Keras for another library's network, and the other way round: their shapes would fit."""
    variant = VARIANTS.get(backbone)
    if is_keras(path) and not (variant and variant.keras):
        names = ", ".join(name for name, each in VARIANTS.items() if each.keras)
        raise UsageError(
            f"--weights {path}: are Keras', which --backbone {backbone} does not fit; give --backbone {names}"
        )
    if variant and variant.keras and not is_keras(path):
        raise UsageError(f"--weights {path}: --backbone {backbone} takes a .h5 or .keras file of Keras")


def fitting_tensors(path: Path, backbone: nn.Module) -> dict[str, Tensor]:
    """Read a weights file for a backbone. A classifier in it is left out.

    Args:
        path: safetensors, a state dict saved with `torch.save` (read with `weights_only=True`), or a file of Keras.

    Raises:
        UsageError: no such file, not a state dict, or of another network.
    """
    tensors = _read_state(path)
    expected = backbone.state_dict()
    for prefix in PREFIXES:
        if not set(expected) & set(tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    # The count of batches that a norm has seen is not used. Older files lack it, others give it another shape.
    tensors = {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}
    missing = [n for n in expected if n not in tensors and not n.endswith("num_batches_tracked")]
    misfits = [n for n in expected if n in tensors and tensors[n].shape != expected[n].shape]
    if missing or misfits:
        odd = (misfits or missing)[0]
        raise UsageError(
            f"--weights {path}: are not this backbone's; {len(missing)} of its {len(expected)} tensors are missing and "
            f"{len(misfits)} have another shape ({odd}, for one); name the --backbone they belong to"
        )
    return {name: tensors.get(name, tensor) for name, tensor in expected.items()}


def _read_state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UsageError(f"--weights {path}: no such file; name a .safetensors or .pth file")
    try:
        if is_keras(path):
            return read_keras(path)
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            tensors: Any = load_file(path)
        else:
            tensors = torch.load(path, map_location="cpu", weights_only=True)
    except SorterError:
        raise
    except Exception as error:  # safetensors, zipfile, h5py and pickle each raise their own
        raise UsageError(
            f"--weights {path}: cannot be read as weights alone ({_one_line(error)}); save it as .safetensors"
        ) from error
    for wrapper in WRAPPERS:
        if isinstance(tensors, dict) and isinstance(tensors.get(wrapper), dict):
            tensors = tensors[wrapper]
    if not isinstance(tensors, dict):
        raise UsageError(
            f"--weights {path}: holds no state dict; save one with `torch.save(model.state_dict(), ...)`"
        )
    return {str(name): tensor for name, tensor in tensors.items() if isinstance(tensor, Tensor)}


def _pretrained(name: str, overlay: dict[str, Any] | None) -> nn.Module:
    """A backbone with the weights of a package, or of its hub through timm's cache. Hashes are checked."""
    known = packaged_weights(name)
    if known and overlay is None:
        network = efficientnet_lite(known, 1000)
        network.reset_classifier(0)  # type: ignore[operator]
        return network
    set_pretrained_check_hash(True)
    set_pretrained_download_progress(False)
    try:
        with _no_retries(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network = timm.create_model(
                name, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay or {}
            )
    except Exception as error:  # urllib, http, huggingface_hub, safetensors and torch each raise their own
        raise SorterError(
            f"--backbone {name}: its pretrained weights are not in the cache and could not be downloaded "
            f"({_one_line(error)}). Try again with a network, or use --weights FILE for a local file, "
            f"--backbone {LITE0} (or --recipe fast), whose weights are installed, or --no-pretrained"
        ) from error
    return network  # type: ignore[no-any-return]


@contextmanager
def _no_retries() -> Iterator[None]:
    """Put the hub's library offline where its host cannot be reached.

    Without a network it would retry for a minute before it looks into its cache.
    """
    from huggingface_hub import constants

    address = urlsplit(constants.ENDPOINT)
    before = constants.HF_HUB_OFFLINE
    if not getproxies():
        try:
            socket.create_connection((address.hostname or "", address.port or 443), timeout=5).close()
        except OSError:
            constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def weights_key(backbone: nn.Module) -> str:
    """As `tensors_key`, of a torch module."""
    return tensors_key({name: tensor.cpu().numpy() for name, tensor in backbone.state_dict().items()})


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]} ..."
