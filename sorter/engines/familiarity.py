"""How unlike a model's training photos a photo is: how far its features lie from theirs.

The features have length one. The photos that a model learned from lie near a plane in that space: their mean and their
main directions. The distance from that plane is the residual of ViM (Wang et al. 2022). No label and no class is used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.engines.choice import Choice, EngineError
from sorter.engines.evidence import feature_tensor
from sorter.model.folder import FAMILIAR, Model, ModelError
from sorter.model.onnx_graph import read_graph, with_outputs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LENGTH = 8  # bytes of the length of a safetensors header
TINY = 1e-12


@dataclass(frozen=True)
class Familiarity:
    """The plane of a model's training photos.

    Attributes:
        mean: float32 (d,), of features of length one.
        basis: float32 (q, d), orthonormal main directions.
        limit: the distance that 1 % of the validation photos exceed.
    """

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]
    limit: float

    def __call__(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features (n, d) -> `unfamiliar` (n,): the distance over the limit. Above 1 a photo is rejected."""
        import numpy as np

        return np.asarray(distances(features, self.mean, self.basis) / self.limit, np.float32)


def distances(
    features: NDArray[np.float32], mean: NDArray[np.float32], basis: NDArray[np.float32]
) -> NDArray[np.float64]:
    """How far features (n, d), scaled to length one, lie from a plane: (n,)."""
    import numpy as np

    rows = scaled(features) - mean
    inside = rows @ basis.T.astype(np.float64)
    return np.asarray(np.sqrt(np.maximum((rows**2).sum(1) - (inside**2).sum(1), 0)))


def scaled(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Features (n, d), each of length one."""
    import numpy as np

    rows = features.astype(np.float64)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), TINY))


def read_familiarity(path: Path) -> Familiarity:
    """Read the arrays of a model folder. Raises ModelError.

    The format is safetensors (github.com/huggingface/safetensors), read here because runs do not need that package.
    """
    import numpy as np

    try:
        data = path.read_bytes()
        start = LENGTH + int.from_bytes(data[:LENGTH], "little")
        header = json.loads(data[LENGTH:start])
        arrays = {}
        for name in ("mean", "basis", "limit"):
            begin, end = header[name]["data_offsets"]
            numbers = np.frombuffer(data[start + begin : start + end], "<f4")
            arrays[name] = numbers.reshape(header[name]["shape"])
        return Familiarity(arrays["mean"], arrays["basis"], float(arrays["limit"][0]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read ({error!r}); copy the model folder again") from error


@dataclass(frozen=True)
class UnfamiliarOutput:
    """A network's file with its features as a second output, and the score of these.

    Raises:
        EngineError: the network has no pooled features.
        ModelError: the folder lacks a file.
    """

    model: Model
    choice: Choice

    @property
    def network(self) -> bytes:
        """The ONNX file with both outputs."""
        path = self.model.path(self.choice.onnx_file)
        data = path.read_bytes()
        features = feature_tensor(read_graph(data))
        if features is None:
            raise EngineError(f"{path}: --reject: the network has no pooled features; leave --reject out")
        return with_outputs(data, [features])

    @cached_property
    def familiarity(self) -> Familiarity:
        return read_familiarity(self.model.path(FAMILIAR))

    def joined(self, logits: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (n, k) and features (n, d) or (n, d, h, w) -> logits and `unfamiliar`, (n, k + 1)."""
        import numpy as np

        return np.column_stack([logits, self.familiarity(pooled(features))])


def pooled(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features (n, d), or a map (n, d, h, w) -> (n, d)."""
    import numpy as np

    return np.asarray(features.mean((2, 3))) if features.ndim == 4 else features
