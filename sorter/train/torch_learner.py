"""Whole networks, trained by torch."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from sorter.export.files import write_network
from sorter.export.graph import onnx_runtime, traced
from sorter.model.folder import Model
from sorter.model.network import Network, parameter_count
from sorter.progress import Progress
from sorter.train import loop
from sorter.train.checkpoint import TrainingState
from sorter.train.features import Forward, by_engine, by_torch
from sorter.train.learner import Photos
from sorter.train.networks import WeightSource, make_network, weights_key
from sorter.train.recipes import Recipe
from sorter.train.settings import TrainSettings
from sorter.types import UsageError

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray


class TorchLearner:
    """A `Learner` of any recipe.

    Args:
        draft: what is known of the model before it is trained.
        source: where the backbone's weights come from.
        seed: decides the head and any random weights that the backbone starts with.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        workers: threads on a CPU; processes that augment for a GPU.
        seconds: of training after which to stop, or None.

    Raises:
        UsageError: a device that is not there, or weights that do not fit.
        SorterError: weights that cannot be had.
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
        self._draft = draft
        self._seed = seed
        self._device = find_device(device)
        self._workers = workers
        self._seconds = seconds
        self._untrained = make_network(recipe, draft.outputs, source, seed)
        self._graph: onnx.ModelProto | None = None  # of its backbone, where that stays as it is
        self._cached = [phase.cached for phase in recipe.phases]
        self.weights_key = weights_key(self._untrained.backbone)
        if self._device.type == "cpu":
            # What a head alone takes is too little to be shared out.
            torch.set_num_threads(1 if all(self._cached) else workers)

    def get_ready(self) -> None:
        if self._device.type == "cpu" and any(self._cached):
            found = traced(deepcopy(self._untrained.backbone), self._draft.preprocess.size)
            self._graph = None if found is None else found[0]

    def forward(self) -> Forward:
        spec = self._draft.preprocess
        if self._graph is not None:
            return by_engine(onnx_runtime(self._graph.SerializeToString(), threads=1), spec)
        torch.set_num_threads(self._workers)
        return by_torch(deepcopy(self._untrained.backbone), spec, self._device)

    def fit(
        self, learn: Photos, choose: Photos, seed: int, checkpoint: Path | None, progress: Progress
    ) -> TorchFitted:
        network = self._network(seed)
        settings = TrainSettings(
            positive=self._draft.positive_index,
            classes=len(self._draft.classes),
            spec=self._draft.preprocess,
            seed=seed,
            device=self._device,
            workers=self._workers if self._device.type == "cuda" else 0,
            deadline=self._seconds,
            checkpoint=checkpoint,
        )
        course = loop.train(network, self._recipe, learn, choose, settings, progress)
        only_head = all(self._cached)
        return TorchFitted(network, course, settings, only_head, self._graph if only_head else None)

    def _network(self, seed: int) -> Network:
        network = deepcopy(self._untrained)
        if seed != self._seed:
            # Another head, but the same backbone: the features are of that one.
            torch.manual_seed(seed)
            for layer in network.head:
                if isinstance(layer, torch.nn.Linear):
                    layer.reset_parameters()
        return network


@dataclass(frozen=True)
class TorchFitted:
    """A `Fitted` network.

    Attributes:
        only_head: the backbone is what the features were made with.
        graph: of the backbone, where it was traced and stayed as it was.
    """

    network: Network
    course: TrainingState
    settings: TrainSettings
    only_head: bool
    graph: onnx.ModelProto | None

    @property
    def parameters(self) -> int:
        return parameter_count(self.network)

    def logits(self, photos: Photos) -> NDArray[np.float64]:
        scope = self.network.head if self.only_head else self.network
        return loop.predict(scope, photos, self.only_head, self.settings)

    def write(self, model: Model) -> None:
        network = deepcopy(self.network).cpu().float().to(memory_format=torch.contiguous_format)
        write_network(network, model, self.graph)


def find_device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise UsageError(f"--device {name}: training takes one device: auto, cpu, cuda or cuda:N")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"--device {name}: torch sees no CUDA device; use --device cpu")
    return torch.device(name)
