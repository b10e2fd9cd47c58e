"""The two protocols of training: a `Learner` that can be fitted, and what it becomes, a `Fitted`.

There are two learners. `head_learner` puts a new linear head on a frozen backbone: ONNX Runtime computes the backbone,
scikit-learn the head. `torch_learner` trains whole networks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.model.folder import Model
    from sorter.progress import Progress
    from sorter.train.features import FeatureExtractor
    from sorter.train.training_set import Subset


@dataclass
class TrainingLog:
    """The record of one training. A checkpoint holds these fields by name.

    Attributes:
        history: a row for each epoch.
        seconds: of the phases.
        waited: seconds of those that the loop waited for photos.
        out_of_time: the time budget ended the training.
        out_of_fold: logits of each training photo, by a network that did not learn from it, where folds were made.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    waited: float = 0.0
    out_of_time: bool = False
    out_of_fold: list[list[float]] | None = None


class Fitted(Protocol):
    """A network that was trained."""

    @property
    def log(self) -> TrainingLog:
        """The record of its training."""

    @property
    def parameters(self) -> int:
        """Parameters of the whole network."""

    def logits(self, photos: Subset) -> NDArray[np.float64]:
        """Logits (n, outputs) of n photos, computed in float32."""

    def write(self, model: Model) -> None:
        """Write weights and float32 ONNX into the folder of `model`. Raises ExportError."""


class Learner(Protocol):
    """A network that can be trained, any number of times from the same start.

    Attributes:
        draft: the model folder's description, as far as it is known before training.
        packages: the packages whose versions model.json names.
        weights_key: changes when the backbone's weights do.
    """

    draft: Model
    packages: tuple[str, ...]
    weights_key: str

    def prepare(self) -> None:
        """Do what needs no photos. Called in another thread while photos are decoded."""

    def feature_extractor(self) -> FeatureExtractor:
        """The frozen backbone."""

    def fit(
        self, training: Subset, validation: Subset, seed: int, checkpoint: Path | None, progress: Progress
    ) -> Fitted:
        """Train.

        Args:
            training: photos to train on.
            validation: photos that the best epoch is chosen on. It may be empty where there are few examples and the
                learner only solves for a head.
            seed: decides everything random.
            checkpoint: a file to resume from and to save to, or None.
        """


@contextmanager
def paused_garbage_collection() -> Iterator[None]:
    """Import large packages without cyclic garbage collection, and exempt their objects from it for good.

    A quarter of the time of importing torch went into looking for garbage.
    """
    import atexit
    import gc

    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # libraries complain at exit of objects that are never collected
        gc.enable()


def tensors_key(tensors: Mapping[str, NDArray[np.generic]]) -> str:
    """A hash of a backbone's tensors. Cached features are valid as long as it stays the same."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def class_weights(labels: NDArray[np.int64], classes: int, balance: str) -> NDArray[np.float64]:
    """Weights (k,) inverse to the class's share, mean 1 over the photos; all 1 where `balance` asks for none."""
    counts = np.bincount(labels, minlength=classes)
    uneven = counts.max() >= 1.5 * counts.min()
    if balance == "weights" or (balance == "auto" and uneven):
        return np.asarray(len(labels) / (classes * np.maximum(counts, 1)))
    return np.ones(classes)


def validation_scores(
    logits: NDArray[np.float64], labels: NDArray[np.int64], positive: int
) -> dict[str, float]:
    """Mean negative log-likelihood, and balanced accuracy at a probability of one half.

    Args:
        logits: (n, 1) or (n, k).
        labels: (n,).
        positive: the class of a single logit.

    Returns:
        `val_loss` and `val_balanced_accuracy`, columns of the training history.
    """
    if logits.shape[1] == 1:
        margins = np.where(labels == positive, 1.0, -1.0) * logits[:, 0]
        losses, correct = np.logaddexp(0, -margins), margins > 0
    else:
        with np.errstate(invalid="ignore"):  # training that diverges gives NaN, and may recover
            losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(labels)), labels]
        correct = logits.argmax(1) == labels
    recalls = [correct[labels == label].mean() for label in np.unique(labels)]
    return {"val_loss": float(losses.mean()), "val_balanced_accuracy": float(np.mean(recalls))}
