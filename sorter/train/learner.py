"""What learns, as `fit` sees it: something that gives features, is fitted to photos, scores others and is written.

There are two. `head_learner` puts a new linear head on a backbone that stays as it is: ONNX Runtime computes the
backbone, scikit-learn the head. `torch_learner` trains whole networks.
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
    from sorter.train.features import Forward


@dataclass(frozen=True)
class Photos:
    """What is learned from or measured on: rows of files that are mapped into memory.

    Attributes:
        rows: int64 (n,), of `pixels` and `features`.
        labels: int64 (n,), of the same photos.
        pixels: uint8 (m, s, s, 3).
        features: float32 (m, d), where a phase wants them cached.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    features: NDArray[np.float32] | None = None

    def kept_features(self) -> NDArray[np.float32]:
        """Those of the photos (n, d), in memory."""
        assert self.features is not None
        return np.asarray(self.features[self.rows])


@dataclass
class Course:
    """How training went.

    Attributes:
        history: a row for each epoch.
        seconds: of the phases.
        waited: seconds of those that the loop waited for photos.
        out_of_time: the budget ended it.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    waited: float = 0.0
    out_of_time: bool = False


class Fitted(Protocol):
    """What was trained."""

    @property
    def course(self) -> Course:
        """How it went."""

    @property
    def parameters(self) -> int:
        """How many numbers the whole network has."""

    def logits(self, photos: Photos) -> NDArray[np.float64]:
        """Of every photo, as float32 gives them: (n, outputs)."""

    def write(self, model: Model) -> None:
        """Write weights and float32 ONNX into the folder of `model`. Raises ExportError."""


class Learner(Protocol):
    """What can be trained, over and over from the same beginning.

    Attributes:
        packages: whose versions a model is to tell.
        weights_key: changes when the backbone's weights do.
    """

    packages: tuple[str, ...]
    weights_key: str

    def get_ready(self) -> None:
        """What can be done while photos are decoded, in another thread."""

    def forward(self) -> Forward:
        """The frozen backbone."""

    def fit(
        self, learn: Photos, choose: Photos, seed: int, checkpoint: Path | None, progress: Progress
    ) -> Fitted:
        """Train.

        Args:
            learn: what to train on.
            choose: what to validate on.
            seed: decides everything random.
            checkpoint: a file to go on from and to save to, or None.
        """


@contextmanager
def large_imports() -> Iterator[None]:
    """No looking for cyclic garbage: what torch and such bring stays for good, and a quarter of the time went there."""
    import atexit
    import gc

    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # libraries complain at the end of what is never collected
        gc.enable()


def tensors_key(tensors: Mapping[str, NDArray[np.generic]]) -> str:
    """A hash of every tensor of a backbone: its features can be kept for as long as it stays the same."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def class_weights(labels: NDArray[np.int64], classes: int, balance: str) -> NDArray[np.float64]:
    """Inverse to the class's share, mean 1 over the photos: (k,); all 1 where that is not asked for."""
    counts = np.bincount(labels, minlength=classes)
    uneven = counts.max() >= 1.5 * counts.min()
    if balance == "weights" or (balance == "auto" and uneven):
        return np.asarray(len(labels) / (classes * np.maximum(counts, 1)))
    return np.ones(classes)


def judge(logits: NDArray[np.float64], labels: NDArray[np.int64], positive: int) -> dict[str, float]:
    """Mean negative log-likelihood and balanced accuracy at the middle threshold.

    Args:
        logits: (n, 1) or (n, k).
        labels: (n,).
        positive: the class that a single logit speaks for.
    """
    if logits.shape[1] == 1:
        margins = np.where(labels == positive, 1.0, -1.0) * logits[:, 0]
        losses, right = np.logaddexp(0, -margins), margins > 0
    else:
        with np.errstate(invalid="ignore"):  # training that has gone astray gives NaN, and may come back
            losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(labels)), labels]
        right = logits.argmax(1) == labels
    recalls = [right[labels == label].mean() for label in np.unique(labels)]
    return {"val_loss": float(losses.mean()), "val_balanced_accuracy": float(np.mean(recalls))}
