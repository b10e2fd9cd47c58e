"""A model on its way to the nodes: its bytes travel through Ray's object store, and are verified where they arrive."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from sorter.engines.choice import Choice
from sorter.files import atomic_write
from sorter.model.folder import ONNX, ONNX_INT8, WEIGHTS, Model
from sorter.pipeline.pool import Pool
from sorter.pipeline.ring import Ring
from sorter.pipeline.scoring import classifying
from sorter.types import Limits, Scores

NEEDED = (ONNX, ONNX_INT8, WEIGHTS)


@dataclass(frozen=True)
class Shipped:
    """A model whose files lie in the object store.

    Attributes:
        model: without its folder, which is another one on each node.
        files: reference to a dict of name -> bytes.
    """

    model: Model
    files: Any

    @classmethod
    def of(cls, model: Model) -> Shipped:
        """Raises OSError where a file of the model cannot be read."""
        import ray

        names = [name for name in NEEDED if model.has(name)]
        files = ray.put({name: model.path(name).read_bytes() for name in names})
        return cls(replace(model, folder=Path(), files={name: model.files[name] for name in names}), files)

    def unpack(self) -> Model:
        """On a node: the model, with its files in this user's cache.

        Raises:
            ModelError: what arrived is not what was sent.
        """
        import ray

        digest = hashlib.sha256("".join(sorted(self.model.files.values())).encode()).hexdigest()
        folder = user_cache_path("sorter") / "models" / digest[:32]
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in ray.get(self.files).items():
            if not (folder / name).exists():
                with atomic_write(folder / name, shared=True) as part:  # several actors may unpack at once
                    part.write_bytes(data)
        model = replace(self.model, folder=folder)
        model.verify()
        return model


@dataclass(frozen=True)
class ClassifyThere:
    """Starts, on a node, the processes that a single machine has."""

    shipped: Shipped
    choice: Choice

    def __call__(self, cores: int, limits: Limits) -> Pool[Scores] | Ring:
        return classifying(self.shipped.unpack(), self.choice, cores, limits)
