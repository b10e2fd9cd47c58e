"""Send a model to the nodes through Ray's object store. Each node verifies the bytes."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sorter.engines.choice import Choice
from sorter.files import atomic_write
from sorter.model.folder import ONNX, ONNX_INT8, WEIGHTS, Model
from sorter.pipeline.pool import Pool
from sorter.pipeline.ring import Ring
from sorter.pipeline.scoring import classifying
from sorter.system import cache_folder
from sorter.types import Limits, Scores

NEEDED = (ONNX, ONNX_INT8, WEIGHTS)


@dataclass(frozen=True)
class SharedModel:
    """A model whose files are in the object store.

    Attributes:
        model: the record without a folder, as each node has its own.
        files: reference to a dict from names to bytes.
    """

    model: Model
    files: Any

    @classmethod
    def of(cls, model: Model) -> SharedModel:
        """Put a model into the object store. Raises OSError if a file cannot be read."""
        import ray

        names = [name for name in NEEDED if model.has(name)]
        files = ray.put({name: model.path(name).read_bytes() for name in names})
        return cls(replace(model, folder=Path(), files={name: model.files[name] for name in names}), files)

    def load(self) -> Model:
        """Load the model on a node, with its files in the user's cache.

        Raises:
            ModelError: the received bytes differ from the sent ones.
        """
        import ray

        digest = hashlib.sha256("".join(sorted(self.model.files.values())).encode()).hexdigest()
        # A node without a cache folder gets one that lasts until its next start.
        folder = cache_folder(f"models/{digest[:32]}") or Path(tempfile.mkdtemp(prefix="sorter-model-"))
        for name, data in ray.get(self.files).items():
            if not (folder / name).exists():
                with atomic_write(folder / name, shared=True) as part:  # several actors may write at once
                    part.write_bytes(data)
        model = replace(self.model, folder=folder)
        model.verify()
        return model


@dataclass(frozen=True)
class StartOnNode:
    """Start the worker processes of one node, as on a single machine."""

    shared: SharedModel
    choice: Choice

    def __call__(self, cores: int, limits: Limits) -> Pool[Scores] | Ring:
        return classifying(self.shared.load(), self.choice, cores, limits)
