"""Photos -> pixels in a file, decoded once; pixels -> a frozen backbone's features, computed once."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.photos.dataset import Example
from sorter.photos.fingerprint import Fingerprint, decoded_and_hashed, fingerprint
from sorter.photos.preprocess import Preprocess
from sorter.pipeline.pool import Limits, Pool
from sorter.pipeline.ring import Slotted
from sorter.system import available_cores
from sorter.types import Failure, Photo, Result

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from sorter.export.graph import Infer

CHUNK = 64  # photos looked up, embedded and kept at a time
PIXELS, LISTING = "pixels.npy", "pixels.json"

Advance = Callable[[int], None]
Forward = Callable[["NDArray[np.uint8]"], "NDArray[np.float32]"]  # (n, s, s, 3) -> features (n, d)


@dataclass(frozen=True)
class Prepared:
    """Every example, decoded and preprocessed as `sorter run` does it.

    Attributes:
        pixels: uint8 (n, size, size, 3), a file mapped into memory; rows of photos that failed are zero.
        fingerprints: of the photos that could be decoded, by path.
        failures: of the others.
    """

    pixels: NDArray[np.uint8]
    fingerprints: dict[Path, Fingerprint]
    failures: tuple[Result[Fingerprint], ...]


@dataclass(frozen=True)
class DecodeToFile:
    """Pool stage: photo -> preprocessed pixels in its row of a file, and its fingerprint.

    Attributes:
        target: a .npy file of uint8 (n, size, size, 3) that exists.
    """

    spec: Preprocess
    max_megapixels: float
    target: Path

    def start(self) -> Callable[[Photo], Fingerprint | Failure]:
        from sorter.photos.decode import Decoder

        decode = Decoder(self.spec.min_side, self.max_megapixels)
        rows = np.load(self.target, mmap_mode="r+")

        def decode_to_file(photo: Photo) -> Fingerprint | Failure:
            found = decoded_and_hashed(decode, photo.path)
            if isinstance(found, Failure):
                return found
            assert isinstance(photo, Slotted)
            rows[photo.slot] = self.spec(found[0].pixels)
            return fingerprint(*found)

        return decode_to_file


def prepare(
    examples: Sequence[Example],
    spec: Preprocess,
    folder: Path,
    workers: int,
    limits: Limits,
    max_megapixels: float,
    advance: Advance,
) -> Prepared:
    """Decode every example once, or find that this was done before.

    Args:
        examples: n of them, in the order of the rows.
        folder: where the pixels are kept: n * size * size * 3 bytes.
        advance: told how many more are done.

    Raises:
        PipelineError: the workers cannot work.
    """
    target, listing = folder / PIXELS, folder / LISTING
    key = _listing_key(examples, spec, max_megapixels)
    kept = json.loads(listing.read_text(encoding="utf-8")) if listing.exists() else {}
    if kept.get("key") != key or not target.exists():
        shape = (len(examples), spec.size, spec.size, 3)
        np.lib.format.open_memmap(target, "w+", np.uint8, shape).flush()
        stage = DecodeToFile(spec, max_megapixels, target)
        slotted = [
            Slotted(p.path, p.relative, p.size, p.mtime_ns, p.is_link, slot)
            for slot, p in enumerate(each.photo for each in examples)
        ]
        outcomes: list[dict[str, Any]] = []
        with Pool(stage, min(workers, len(examples)), limits) as pool:
            for result in pool.run(slotted):
                outcomes.append(asdict(result.outcome))
                advance(1)
        kept = {"key": key, "outcomes": outcomes}
        part = listing.with_suffix(".part")
        part.write_text(json.dumps(kept), encoding="utf-8")
        part.replace(listing)
    else:
        advance(len(examples))
    fingerprints: dict[Path, Fingerprint] = {}
    failures = []
    for example, outcome in zip(examples, kept["outcomes"], strict=True):
        if "sha256" in outcome:
            fingerprints[example.photo.path] = Fingerprint(**outcome)
        else:
            failures.append(Result[Fingerprint](example.photo, _failure(outcome)))
    return Prepared(np.load(target, mmap_mode="r"), fingerprints, tuple(failures))


def _failure(outcome: dict[str, Any]) -> Failure:
    from sorter.types import Reason

    return Failure(Reason(outcome["reason"]), outcome["message"])


def _listing_key(examples: Sequence[Example], spec: Preprocess, max_megapixels: float) -> str:
    """Changes when a photo does, or what is made of it."""
    digest = hashlib.sha256(json.dumps([spec.to_json(), max_megapixels], sort_keys=True).encode())
    for photo in (example.photo for example in examples):
        digest.update(f"{photo.path}\0{photo.size}\0{photo.mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


# -- features --------------------------------------------------------------------------------------------------


def embed(
    engine: Callable[[], Forward],
    spec: Preprocess,
    pixels: NDArray[np.uint8],
    sha256: Sequence[str | None],
    target: Path,
    cache: Path,
    weights_key: str,
    advance: Advance,
) -> NDArray[np.float32]:
    """The backbone's pooled features of every row, computed unless the cache has them.

    Args:
        engine: makes the function from pixels to features; only called where some are absent.
        spec: what the pixels were made with.
        pixels: uint8 (n, s, s, 3).
        sha256: of each row's photo; rows with None stay zero.
        target: a .npy file to write the features to.
        cache: folder of what was computed before, for any data, by photo, backbone, weights and preprocessing.
        weights_key: changes when the backbone's weights do.

    Returns:
        float32 (n, d), `target` mapped into memory.
    """
    forward: Forward | None = None
    key = hashlib.sha256(json.dumps([weights_key, spec.to_json()], sort_keys=True).encode()).hexdigest()
    cache.mkdir(parents=True, exist_ok=True)
    features: NDArray[np.float32] | None = None
    with closing(sqlite3.connect(cache / f"{key[:32]}.db", timeout=60)) as database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS features (sha256 TEXT PRIMARY KEY, vector BLOB NOT NULL)"
        )
        for rows in _chunks(sha256):
            known = _look_up(database, [str(sha256[row]) for row in rows])
            absent = [row for row in rows if sha256[row] not in known]
            if absent:
                forward = forward or engine()
                vectors = forward(np.asarray(pixels[absent]))  # (len(absent), d)
                fresh = {str(sha256[row]): vector for row, vector in zip(absent, vectors, strict=True)}
                database.executemany(
                    "INSERT OR IGNORE INTO features VALUES (?, ?)",
                    [(digest, vector.tobytes()) for digest, vector in fresh.items()],
                )
                database.commit()
                known |= fresh
            if features is None:
                width = len(next(iter(known.values())))
                features = np.lib.format.open_memmap(target, "w+", np.float32, (len(sha256), width))
            for row in rows:
                features[row] = known[str(sha256[row])]
            advance(len(rows))
    assert features is not None, "there is at least one photo to embed"
    return features


def by_engine(infer: Infer, spec: Preprocess) -> Forward:
    """A backbone in ONNX Runtime, a photo at a time on each core: on a CPU several times as fast as torch.

    OpenVINO took no less processor time (15.5 against 14.9 ms for EfficientNet-Lite0, medians of 6 rounds of 32
    photos), needs a second to compile, and 9 MB for every photo of a batch.

    Args:
        infer: by one thread.
    """

    def forward(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        photos = (pixels[at : at + 1] for at in range(len(pixels)))
        with ThreadPoolExecutor(available_cores()) as pool:
            return np.concatenate(list(pool.map(lambda photo: infer(spec.normalise(photo)), photos)))

    return forward


def by_torch(backbone: nn.Module, spec: Preprocess, device: torch.device) -> Forward:
    import torch

    backbone = backbone.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        inputs = torch.from_numpy(spec.normalise(pixels)).to(device, memory_format=torch.channels_last)
        with torch.inference_mode():
            features: NDArray[np.float32] = backbone(inputs).float().cpu().numpy()
        return features

    return forward


def _chunks(sha256: Sequence[str | None]) -> Iterator[list[int]]:
    rows = [row for row, digest in enumerate(sha256) if digest is not None]
    for at in range(0, len(rows), CHUNK):
        yield rows[at : at + CHUNK]


def _look_up(database: sqlite3.Connection, digests: list[str]) -> dict[str, NDArray[np.float32]]:
    marks = ",".join("?" * len(digests))
    found = database.execute(f"SELECT sha256, vector FROM features WHERE sha256 IN ({marks})", digests)
    return {digest: np.frombuffer(vector, np.float32) for digest, vector in found}
