"""Whole networks, trained by torch."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sorter.export.files import write_network
from sorter.export.graph import onnx_runtime, trace
from sorter.model.folder import Model
from sorter.model.network import Network, parameter_count
from sorter.progress import Progress
from sorter.train import loop
from sorter.train.checkpoint import TrainingState
from sorter.train.features import FeatureExtractor, onnx_features, torch_features
from sorter.train.pretrained import WeightSource, make_network, weights_key
from sorter.train.recipes import Recipe
from sorter.train.settings import TrainSettings
from sorter.train.training_set import Subset
from sorter.types import UsageError

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray


class TorchLearner:
    """A `Learner` for any recipe.

    Args:
        draft: the description of the model, as far as it is known before training.
        source: where the backbone's weights come from.
        seed: decides the head and any random weights that the backbone starts with.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        workers: threads on a CPU; processes that augment for a GPU.
        seconds: of training after which to stop, or None.

    Raises:
        UsageError: a device that torch does not see, or weights that do not fit.
        SorterError: weights that are neither installed, cached nor can be downloaded.
    """

    packages: tuple[str, ...] = ("torch", "torchvision", "timm", "numpy", "pillow")

    def __init__(
        self,
        recipe: Recipe,
        draft: Model,
        source: WeightSource,
        seed: int,
        device: str,
        workers: int,
        seconds: float | None,
    ) -> None:
        self._recipe = recipe
        self.draft = draft
        self._seed = seed
        self._device = find_device(device)
        self._workers = workers
        self._seconds = seconds
        self._untrained = make_network(recipe, draft.outputs, source, seed)
        self._graph: onnx.ModelProto | None = None  # of its backbone, where that is frozen
        self._cached = [phase.cached for phase in recipe.phases]
        self.weights_key = weights_key(self._untrained.backbone)
        if self._device.type == "cpu":
            # A head alone is too little work for several threads.
            torch.set_num_threads(1 if all(self._cached) else workers)

    def prepare(self) -> None:
        if self._device.type == "cpu" and any(self._cached):
            found = trace(deepcopy(self._untrained.backbone), self.draft.preprocess.size)
            self._graph = None if found is None else found[0]

    def feature_extractor(self) -> FeatureExtractor:
        spec = self.draft.preprocess
        if self._graph is not None:
            return onnx_features(onnx_runtime(self._graph, threads=1), spec)
        torch.set_num_threads(self._workers)
        return torch_features(deepcopy(self._untrained.backbone), spec, self._device)

    def fit(
        self, training: Subset, validation: Subset, seed: int, checkpoint: Path | None, progress: Progress
    ) -> FittedNetwork:
        network = self._network(seed)
        settings = TrainSettings(
            positive=self.draft.positive_index,
            classes=len(self.draft.classes),
            spec=self.draft.preprocess,
            seed=seed,
            device=self._device,
            workers=self._workers if self._device.type == "cuda" else 0,
            deadline=self._seconds,
            checkpoint=checkpoint,
        )
        state = loop.train(network, self._recipe, training, validation, settings, progress)
        only_head = all(self._cached)
        return FittedNetwork(network, state, settings, only_head, self._graph if only_head else None)

    def _network(self, seed: int) -> Network:
        network = deepcopy(self._untrained)
        if seed != self._seed:
            # A new head on the same backbone, because the cached features are of that backbone.
            torch.manual_seed(seed)
            for layer in network.head:
                if isinstance(layer, torch.nn.Linear):
                    layer.reset_parameters()
        return network


@dataclass(frozen=True)
class FittedNetwork:
    """A `Fitted` network.

    Attributes:
        only_head: the backbone is still the one that made the features.
        graph: of the backbone, where it was traced and frozen.
    """

    network: Network
    log: TrainingState
    settings: TrainSettings
    only_head: bool
    graph: onnx.ModelProto | None

    @property
    def parameters(self) -> int:
        return parameter_count(self.network)

    def logits(self, photos: Subset) -> NDArray[np.float64]:
        module = self.network.head if self.only_head else self.network
        return loop.predict(module, photos, self.only_head, self.settings)

    def write(self, model: Model) -> None:
        network = deepcopy(self.network).cpu().float().to(memory_format=torch.contiguous_format)
        write_network(network, model, self.graph)


def find_device(name: str) -> torch.device:
    """A flag's value -> the device; `auto` takes a CUDA device where there is one. Raises UsageError."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise UsageError(f"--device {name}: training takes one device: auto, cpu, cuda or cuda:N")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"--device {name}: torch sees no CUDA device; use --device cpu")
    return torch.device(name)
