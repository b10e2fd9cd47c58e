"""The training set: every example decoded once into one file, with its fingerprint and its features."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.files import atomic_write
from sorter.photos.dataset import MIN_EXAMPLES, Example, class_place
from sorter.photos.fingerprint import Fingerprint, decoded_and_hashed, fingerprint
from sorter.photos.preprocess import Preprocess
from sorter.pipeline.pool import Pool
from sorter.pipeline.ring import Slotted
from sorter.types import Failure, Limits, Photo, Reason, Result, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS, LISTING = "pixels.npy", "pixels.json"
BATCH = 16  # photos that are normalised at a time

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Subset:
    """Photos of a training set to train, validate or test on. The arrays of all photos are memory-mapped files.

    Attributes:
        rows: int64 (n,), the photos' rows of `pixels` and `features`.
        labels: int64 (n,), indices of classes.
        pixels: uint8 (m, s, s, 3), of all photos of the training set.
        features: float32 (m, d), of all photos; None where no phase uses cached features.
        groups: int64 (n,), equal numbers for photos that look alike. None where no folds are made.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    features: NDArray[np.float32] | None = None
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def read_pixels(self, which: Any = slice(None)) -> NDArray[np.uint8]:
        """Pixels (k, s, s, 3) of some of the n photos; `which` indexes `rows`."""
        return np.asarray(self.pixels[self.rows[which]])

    def read_features(self, which: Any = slice(None)) -> NDArray[np.float32]:
        """Features (k, d) of some of the n photos; `which` indexes `rows`."""
        assert self.features is not None
        return np.asarray(self.features[self.rows[which]])


@dataclass(frozen=True)
class TrainingSet:
    """All examples, decoded and preprocessed as `sorter run` does it. Row i of each array is of example i.

    Attributes:
        examples: n of them, of all parts.
        spec: the preprocessing that made the pixels.
        pixels: uint8 (n, size, size, 3), a memory-mapped file; rows of photos that failed are zero.
        fingerprints: of the photos that could be decoded, by path.
        failures: the photos that could not be decoded.
        features: float32 (n, d) of a frozen backbone; None until `sorter.train.features.embed` adds them.
    """

    examples: tuple[Example, ...]
    spec: Preprocess
    pixels: NDArray[np.uint8]
    fingerprints: dict[Path, Fingerprint]
    failures: tuple[Result[Fingerprint], ...]
    features: NDArray[np.float32] | None = None

    @cached_property
    def _row(self) -> dict[Path, int]:
        return {example.photo.path: row for row, example in enumerate(self.examples)}

    def sha256(self) -> list[str | None]:
        """The hash of each example's file; None for photos that could not be decoded."""
        found = (self.fingerprints.get(example.photo.path) for example in self.examples)
        return [None if each is None else each.sha256 for each in found]

    def with_features(self, features: NDArray[np.float32]) -> TrainingSet:
        return replace(self, features=features)

    def subset(self, examples: Sequence[Example]) -> Subset:
        """Some of the examples, in the order given. A label may differ from the one in `examples`."""
        rows = np.array([self._row[example.photo.path] for example in examples], np.int64)
        labels = np.array([example.label for example in examples], np.int64)
        return Subset(rows, labels, self.pixels, self.features)

    def normalised(self, examples: Sequence[Example], target: Path) -> list[NDArray[np.float32]]:
        """Network inputs of some examples, in batches of float32 (16, 3, s, s).

        They lie in a memory-mapped file, because a photo of 224 pixels takes 600 kB.

        Args:
            target: the .npy file to write.
        """
        some = self.subset(examples)
        shape = (len(some), 3, self.spec.size, self.spec.size)
        inputs = np.lib.format.open_memmap(target, "w+", np.float32, shape)
        batches = [slice(at, at + BATCH) for at in range(0, len(some), BATCH)]
        for batch in batches:
            inputs[batch] = self.spec.normalise(some.read_pixels(batch))
        return [np.asarray(inputs[batch]) for batch in batches]


def check_decoded(
    folder: Path, classes: Sequence[str], examples: Sequence[Example], data: TrainingSet
) -> None:
    """Raise UsageError where so many photos of a class failed that nothing can be learned from the rest.

    Args:
        folder: holds the class folders of the examples.
        examples: those to learn from.
    """
    outcomes = ((failed.photo.path, failed.outcome) for failed in data.failures)
    reasons = {path: outcome.reason for path, outcome in outcomes if isinstance(outcome, Failure)}
    for label, name in enumerate(classes):
        paths = [example.photo.path for example in examples if example.label == label]
        failed = Counter(reasons[path].value for path in paths if path in reasons)
        left = len(paths) - failed.total()
        if failed and left < MIN_EXAMPLES:
            listed = ", ".join(f"{count:,} {reason}" for reason, count in failed.most_common())
            where, what = class_place(folder, name), "class" if folder.is_file() else "folder"
            raise UsageError(
                f"{where}: {left or 'none'} of its {len(paths):,} photos can be decoded ({listed}), "
                f"a class needs at least {MIN_EXAMPLES}; add photos or remove the {what}"
            )


@dataclass(frozen=True)
class DecodeToFile:
    """Pool stage: photo -> preprocessed pixels in its row of a file, and its fingerprint.

    Attributes:
        target: an existing .npy file of uint8 (n, size, size, 3).
    """

    spec: Preprocess
    limits: Limits
    target: Path

    def start(self) -> Callable[[Photo], Fingerprint | Failure]:
        from sorter.photos.decode import Decoder

        decode = Decoder(self.spec.min_side, self.limits)
        rows = np.load(self.target, mmap_mode="r+")

        def decode_to_file(photo: Photo) -> Fingerprint | Failure:
            found = decoded_and_hashed(decode, photo.path)
            if isinstance(found, Failure):
                return found
            assert isinstance(photo, Slotted)
            rows[photo.slot] = self.spec(found[0].pixels)
            return fingerprint(*found)

        return decode_to_file


def decode_examples(
    examples: Sequence[Example],
    spec: Preprocess,
    folder: Path,
    workers: int,
    limits: Limits,
    advance: Advance,
) -> TrainingSet:
    """Decode every example, unless the folder holds the pixels of an earlier run.

    Args:
        examples: n of them, in the order of the rows.
        folder: where the pixels are kept: n * size * size * 3 bytes.
        advance: called with the number of examples that are done since the last call.

    Raises:
        PipelineError: the worker processes cannot work.
    """
    target, listing = folder / PIXELS, folder / LISTING
    key = _listing_key(examples, spec, limits.megapixels)
    kept = json.loads(listing.read_text(encoding="utf-8")) if listing.exists() else {}
    if kept.get("key") == key and target.exists():
        outcomes = kept["outcomes"]
        advance(len(examples))
    else:
        outcomes = _decode(examples, spec, target, workers, limits, advance)
        with atomic_write(listing) as part:
            part.write_text(json.dumps({"key": key, "outcomes": outcomes}), encoding="utf-8")
    fingerprints: dict[Path, Fingerprint] = {}
    failures = []
    for example, outcome in zip(examples, outcomes, strict=True):
        if "sha256" in outcome:
            fingerprints[example.photo.path] = Fingerprint(**outcome)
        else:
            failure = Failure(Reason(outcome["reason"]), outcome["message"])
            failures.append(Result[Fingerprint](example.photo, failure))
    pixels = np.load(target, mmap_mode="r")
    return TrainingSet(tuple(examples), spec, pixels, fingerprints, tuple(failures))


def _decode(
    examples: Sequence[Example],
    spec: Preprocess,
    target: Path,
    workers: int,
    limits: Limits,
    advance: Advance,
) -> list[dict[str, Any]]:
    """Write the pixels. Returns a fingerprint or a failure, as a dict, for each example."""
    shape = (len(examples), spec.size, spec.size, 3)
    np.lib.format.open_memmap(target, "w+", np.uint8, shape).flush()
    slotted = [
        Slotted(p.path, p.relative, p.size, p.mtime_ns, p.is_link, slot=slot)
        for slot, p in enumerate(each.photo for each in examples)
    ]
    outcomes = []
    with Pool(DecodeToFile(spec, limits, target), min(workers, len(examples)), limits) as pool:
        for result in pool.run(slotted):
            outcomes.append(asdict(result.outcome))
            advance(1)
    return outcomes


def _listing_key(examples: Sequence[Example], spec: Preprocess, megapixels: float) -> str:
    """Changes when a photo changes, or its preprocessing."""
    digest = hashlib.sha256(json.dumps([spec.to_json(), megapixels], sort_keys=True).encode())
    for photo in (example.photo for example in examples):
        digest.update(f"{photo.path}\0{photo.size}\0{photo.mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
