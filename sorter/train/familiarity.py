"""Learn how far photos may lie from the training photos before a model does not know them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from sorter.engines.evidence import feature_tensor
from sorter.engines.familiarity import Familiarity, distances, pooled, scaled
from sorter.export.graph import INPUT, open_session
from sorter.model.folder import FAMILIAR, ONNX, Model, write_model
from sorter.model.onnx_graph import read_graph, with_outputs
from sorter.system import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sorter.photos.dataset import Example
    from sorter.train.training_set import TrainingSet

MOST = 2000  # photos that the plane is fitted to, and photos that the limit is chosen on
DIRECTIONS = 128
REJECTED = 0.01  # of the validation photos
FOLDS = 5


def add_familiarity(
    model: Model,
    data: TrainingSet,
    training: Sequence[Example],
    validation: Sequence[Example],
    cached: bool,
) -> Model:
    """Write the arrays by which `sorter run --reject` knows unfamiliar photos, where the network has features.

    Args:
        model: as written, with its model.onnx.
        validation: photos that the network did not learn from, or the training photos where folds chose.
        cached: the features of `data` are those of this network.
    """
    network = model.path(ONNX).read_bytes()
    tensor = feature_tensor(read_graph(network))
    if tensor is None:
        return model
    embed = None if cached else _embedder(model, network, tensor)
    known, other = (_evenly(part) for part in (training, validation))

    def features(examples: Sequence[Example]) -> NDArray[np.float32]:
        photos = data.subset(examples)
        return photos.read_features() if embed is None else embed(photos.read_pixels())

    same = validation is training
    first = features(known)
    fitted = fit_familiarity(first, None if same else features(other))
    write_familiarity(model, fitted)
    return write_model(model)


def fit_familiarity(training: NDArray[np.float32], validation: NDArray[np.float32] | None) -> Familiarity:
    """The plane of the training photos' features (n, d), and the limit.

    Args:
        validation: other photos' features (m, d), of which 1 % exceed the limit. None for parts of the training
            photos, each measured from the plane of the others.
    """
    mean, basis = _plane(training)
    if validation is not None:
        found = distances(validation, mean, basis)
    else:
        fold = np.random.default_rng(0).permutation(len(training)) % FOLDS
        found = np.concatenate(
            [
                distances(training[fold == part], *_plane(training[fold != part]))
                for part in range(FOLDS)
                if (fold == part).any()
            ]
        )
    limit = float(np.quantile(found, 1 - REJECTED))
    return Familiarity(mean, basis, max(limit, 1e-6))


def write_familiarity(model: Model, fitted: Familiarity) -> None:
    """Write the arrays beside the model's weights."""
    from safetensors.numpy import save

    arrays = {
        "mean": fitted.mean,
        "basis": fitted.basis,
        "limit": np.array([fitted.limit], np.float32),
    }
    (model.folder / FAMILIAR).write_bytes(save(arrays))


def _plane(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean (d,) and the main directions (q, d)."""
    rows = scaled(features)
    mean = rows.mean(0)
    count = min(DIRECTIONS, len(rows) // 4, rows.shape[1] // 2)
    *_, directions = np.linalg.svd(rows - mean, full_matrices=False)
    return mean.astype(np.float32), np.ascontiguousarray(directions[:count], np.float32)


def _embedder(
    model: Model, network: bytes, tensor: str
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Pixels (n, size, size, 3) -> the values (n, d) of a tensor of the network."""
    import onnx

    session = open_session(onnx.load_from_string(with_outputs(network, [tensor])), threads=1)

    def one(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
        inputs = model.preprocess.normalise(np.asarray(photo))
        return pooled(session.run([tensor], {INPUT: inputs})[0])

    def embed(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        with ThreadPoolExecutor(available_cores()) as pool:
            return np.concatenate(list(pool.map(lambda at: one(pixels[at : at + 1]), range(len(pixels)))))

    return embed


def _evenly(examples: Sequence[Example]) -> list[Example]:
    """At most MOST examples, evenly from a list that is ordered by class."""
    at = np.linspace(0, len(examples) - 1, min(MOST, len(examples))).round().astype(int)
    return [examples[each] for each in at]
