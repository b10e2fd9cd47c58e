"""The features of a frozen backbone, computed once for each photo and kept in a cache."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.photos.preprocess import Preprocess
from sorter.system import available_cores
from sorter.train.training_set import Advance, TrainingSet

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from sorter.export.graph import Infer

CHUNK = 64  # photos looked up, embedded and stored at a time

FeatureExtractor = Callable[["NDArray[np.uint8]"], "NDArray[np.float32]"]  # (n, s, s, 3) -> features (n, d)


def embed(
    data: TrainingSet,
    make_extractor: Callable[[], FeatureExtractor],
    weights_key: str,
    target: Path,
    cache: Path | None,
    advance: Advance,
) -> TrainingSet:
    """Add the backbone's pooled features of every photo, computed unless the cache has them.

    Args:
        data: photos that could not be decoded get features of zero.
        make_extractor: makes the function from pixels to features; only called where some are absent.
        weights_key: changes when the backbone's weights do.
        target: the .npy file to write the features to.
        cache: folder of features computed before, for any data, by photo, weights and preprocessing. None for none.
        advance: called with the number of photos that are done since the last call.

    Returns:
        The training set with `features`, float32 (n, d), mapped from `target`.
    """
    sha256 = data.sha256()
    extract: FeatureExtractor | None = None
    features: NDArray[np.float32] | None = None
    key = hashlib.sha256(json.dumps([weights_key, data.spec.to_json()], sort_keys=True).encode()).hexdigest()
    with closing(_open_cache(cache and cache / f"{key[:32]}.db")) as database:
        for rows in _chunks(sha256):
            known = _look_up(database, [str(sha256[row]) for row in rows])
            absent = [row for row in rows if sha256[row] not in known]
            if absent:
                extract = extract or make_extractor()
                vectors = extract(np.asarray(data.pixels[absent]))  # (len(absent), d)
                fresh = {str(sha256[row]): vector for row, vector in zip(absent, vectors, strict=True)}
                _store(database, fresh)
                known |= fresh
            if features is None:
                width = len(next(iter(known.values())))
                features = np.lib.format.open_memmap(target, "w+", np.float32, (len(sha256), width))
            for row in rows:
                features[row] = known[str(sha256[row])]
            advance(len(rows))
    assert features is not None, "there is at least one photo to embed"
    return data.with_features(features)


def onnx_features(infer: Infer, spec: Preprocess) -> FeatureExtractor:
    """A backbone in ONNX Runtime, one photo at a time on each core: on a CPU several times as fast as torch.

    OpenVINO took no less processor time (15.5 against 14.9 ms for EfficientNet-Lite0, medians of 6 rounds of 32
    photos). It needs a second to compile, and 9 MB for every photo of a batch.

    Args:
        infer: the backbone's graph, run by one thread for each call.
        spec: the preprocessing that made the pixels.
    """

    def extract(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        photos = (pixels[at : at + 1] for at in range(len(pixels)))
        with ThreadPoolExecutor(available_cores()) as pool:
            return np.concatenate(list(pool.map(lambda photo: infer(spec.normalise(photo)), photos)))

    return extract


def torch_features(backbone: nn.Module, spec: Preprocess, device: torch.device) -> FeatureExtractor:
    """A backbone in torch. It is put into eval mode and moved to the device."""
    import torch

    backbone = backbone.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def extract(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        inputs = torch.from_numpy(spec.normalise(pixels)).to(device, memory_format=torch.channels_last)
        with torch.inference_mode():
            features: NDArray[np.float32] = backbone(inputs).float().cpu().numpy()
        return features

    return extract


def _open_cache(path: Path | None) -> sqlite3.Connection:
    """The features in a file; in a temporary one where that is None or cannot be written to."""
    if path is not None:
        with suppress(OSError, sqlite3.Error):
            path.parent.mkdir(parents=True, exist_ok=True)
            return _with_table(str(path))
    return _with_table("")  # SQLite removes it when it is closed


def _with_table(path: str) -> sqlite3.Connection:
    """Raises sqlite3.Error where the file cannot be written to."""
    database = sqlite3.connect(path, timeout=60)
    try:
        database.execute(
            "CREATE TABLE IF NOT EXISTS features (sha256 TEXT PRIMARY KEY, vector BLOB NOT NULL)"
        )
        database.execute("DELETE FROM features WHERE 0")  # fails where the file can only be read
        database.commit()
    except BaseException:
        database.close()
        raise
    return database


def _chunks(sha256: Sequence[str | None]) -> Iterator[list[int]]:
    """Rows of photos that have a hash."""
    rows = [row for row, digest in enumerate(sha256) if digest is not None]
    for at in range(0, len(rows), CHUNK):
        yield rows[at : at + CHUNK]


def _look_up(database: sqlite3.Connection, digests: list[str]) -> dict[str, NDArray[np.float32]]:
    marks = ",".join("?" * len(digests))
    found = database.execute(f"SELECT sha256, vector FROM features WHERE sha256 IN ({marks})", digests)
    return {digest: np.frombuffer(vector, np.float32) for digest, vector in found}


def _store(database: sqlite3.Connection, vectors: dict[str, NDArray[np.float32]]) -> None:
    database.executemany(
        "INSERT OR IGNORE INTO features VALUES (?, ?)",
        [(digest, vector.tobytes()) for digest, vector in vectors.items()],
    )
    database.commit()
