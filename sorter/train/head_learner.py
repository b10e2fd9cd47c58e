"""A new linear head on a model folder's backbone, by ONNX Runtime and scikit-learn, without torch."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.export.files import onnx_spec, write_onnx
from sorter.export.graph import Infer, join_head, onnx_runtime, split_head
from sorter.model.folder import ONNX, WEIGHTS, Model, ModelError, read_model, shipped_model
from sorter.progress import Progress
from sorter.train.backbones import timm_name
from sorter.train.features import FeatureExtractor, onnx_features
from sorter.train.learner import TrainingLog, paused_garbage_collection, tensors_key
from sorter.train.linear import LinearHead, solve
from sorter.train.options import TrainOptions
from sorter.train.recipes import Recipe
from sorter.train.training_set import Subset

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

BACKBONE, HEAD = "backbone.", "head.logits."  # prefixes of tensor names
CHECKED = 4  # random inputs that the written graph is checked with


@dataclass(frozen=True)
class Backbone:
    """A frozen backbone.

    Attributes:
        origin: its model folder.
        graph: `input` -> features (n, d).
        tensors: by the names of the folder's safetensors, without those of the head.
    """

    origin: Model
    graph: onnx.ModelProto
    tensors: dict[str, NDArray[np.generic]]

    @cached_property
    def infer(self) -> Infer:
        return onnx_runtime(self.graph, threads=1)


def find_backbone(recipe: Recipe, options: TrainOptions) -> Backbone | None:
    """The backbone that a recipe asks for, where the recipe freezes it and a model folder has it; else None.

    The model folder is the one of `options.weights`, or the shipped model where its backbone is the same.

    Raises:
        ModelError: the folder's files are not those that its model.json describes.
    """
    if recipe.head or [phase.optimiser for phase in recipe.phases] != ["lbfgs"]:
        return None
    if options.weights is not None:
        folder = options.weights.parent if options.weights.name == WEIGHTS else None
    else:
        folder = shipped_model() if options.pretrained else None
    try:
        model = read_model(folder) if folder is not None else None
    except ModelError:
        return None
    if model is None or model.preprocess.size != recipe.size:
        return None
    if model.backbone.get("name") != timm_name(recipe.backbone):
        return None
    if options.weights is None and not _is_pretrained(model):
        return None
    return _read(model)


def _is_pretrained(model: Model) -> bool:
    """Only heads were trained, on pretrained weights."""
    recipe = model.provenance.get("recipe", {})
    cached = [phase["cached"] for phase in recipe.get("phases", ()) if phase["epochs"]]
    return bool(recipe.get("pretrained")) and bool(cached) and all(cached)


def _is_linear(head: Any) -> bool:
    """One layer, on the mean of the last map or at each of its places."""
    return (head.get("widths") if isinstance(head, dict) else head) == []


def _read(model: Model) -> Backbone | None:
    import onnx
    from safetensors.numpy import load_file

    if not _is_linear(model.backbone.get("head")) or "arguments" in model.backbone:
        return None
    if not (model.has(WEIGHTS) and model.has(ONNX)):
        return None
    replace(model, files={name: model.files[name] for name in (WEIGHTS, ONNX)}).verify()
    tensors = load_file(model.path(WEIGHTS))
    split = split_head(onnx.load(model.path(ONNX)))
    weight = tensors.get(f"{HEAD}weight")
    # Both files must be of the same network, and the last layer of the graph its head.
    if split is None or weight is None or not np.array_equal(split[1], weight):
        return None
    kept = {name: tensor for name, tensor in tensors.items() if name.startswith(BACKBONE)}
    return Backbone(model, split[0], kept)


class HeadLearner:
    """A `Learner` for recipes that solve for a linear head.

    Args:
        draft: the description of the model, as far as it is known before training.
    """

    packages: tuple[str, ...] = ("onnxruntime", "scikit-learn", "numpy", "pillow")

    def __init__(self, recipe: Recipe, draft: Model, backbone: Backbone) -> None:
        self._recipe = recipe
        self.draft = draft
        self._backbone = backbone
        own = {name.removeprefix(BACKBONE): tensor for name, tensor in backbone.tensors.items()}
        self.weights_key = tensors_key(own)

    def prepare(self) -> None:
        with paused_garbage_collection():
            import sklearn.linear_model  # noqa: F401

    def feature_extractor(self) -> FeatureExtractor:
        return onnx_features(self._backbone.infer, self.draft.preprocess)

    def fit(
        self, training: Subset, validation: Subset, seed: int, checkpoint: Path | None, progress: Progress
    ) -> FittedHead:
        began = time.monotonic()
        progress.begin("phase 1, head", 1)
        draft = self.draft
        solved = solve(
            self._recipe, 0, training, validation, draft.outputs, len(draft.classes), draft.positive_index
        )
        progress.advance(1, loss=solved.row["train_loss"])
        progress.epoch(solved.row)
        log = TrainingLog([solved.row], time.monotonic() - began, out_of_fold=solved.out_of_fold)
        return FittedHead(self._backbone, solved.head, log)


@dataclass(frozen=True)
class FittedHead:
    """A `Fitted` head."""

    backbone: Backbone
    head: LinearHead
    log: TrainingLog

    @property
    def parameters(self) -> int:
        trained = (
            tensor.size
            for name, tensor in self.backbone.tensors.items()
            if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
        )
        return sum(trained) + self.head.weight.size + self.head.bias.size

    def logits(self, photos: Subset) -> NDArray[np.float64]:
        return self.head(photos.read_features())

    def write(self, model: Model) -> None:
        from safetensors.numpy import save

        weight, bias = self.head.weight, self.head.bias
        tensors = {**self.backbone.tensors, f"{HEAD}weight": weight, f"{HEAD}bias": bias}
        (model.folder / WEIGHTS).write_bytes(save(dict(sorted(tensors.items()))))
        proto = join_head(self.backbone.graph, weight, bias)
        size = model.preprocess.size
        inputs = np.random.default_rng(0).standard_normal((CHECKED, 3, size, size), dtype=np.float32)
        logits = onnx_runtime(proto, threads=1)(inputs)
        difference = float(np.abs(logits - self.head(self.backbone.infer(inputs))).max())
        write_onnx(proto, difference, model.folder / ONNX, onnx_spec(model))
