"""A model folder that the tests make: it tells red photos from blue ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sorter.model.folder import Model, write_model
from sorter.photos.preprocess import Preprocess

SIZE = 32


def make_model(folder: Path, classes: tuple[str, ...] = ("red", "blue"), temperature: float = 1.0) -> Model:
    """A model folder whose network weighs the mean of each colour channel: red against blue (and green)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    outputs = 1 if len(classes) == 2 else len(classes)
    # Classes go by channel: red, then blue, then green.
    weights = (
        np.array([[8, 0, -8]], "f") if outputs == 1 else np.array([[8, 0, 0], [0, 0, 8], [0, 8, 0]], "f")
    )
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("Gemm", ["means", "weights"], ["logits"], transB=1),
        ],
        "colour",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(weights[:outputs], "weights")],
    )
    network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(network, folder / "model.onnx")
    spec = Preprocess(SIZE, "squash", "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    positive = classes[0] if outputs == 1 else None
    return write_model(
        Model(folder, "colours", classes, positive, 0.5, temperature, spec, {"name": "mean-colour"})
    )
