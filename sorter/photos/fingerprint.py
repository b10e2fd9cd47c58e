"""Fingerprints of photos, and near-duplicates found by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.files import sha256_of
from sorter.types import Decoded, Failure, Limits, Photo, Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from sorter.photos.decode import Decoder

HASH_SIDE = 32  # pixels per side that are hashed
HASH_FREQUENCIES = 8  # per side, of the cosine transform
MAX_DISTANCE = 4  # bits in which the hashes of near-duplicates may differ
MAX_PAIRS = 1 << 20  # merged at a time, which bounds memory


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What two files are compared by.

    Attributes:
        sha256: of the file's bytes, in hex. Equal for exact duplicates only.
        phash: perceptual hash of 64 bits. Resizing or recompressing a picture changes a few bits.
        width: of the photo, upright, in pixels.
        height: likewise.
        format: Pillow's name of the format, such as `JPEG`.
    """

    sha256: str
    phash: int
    width: int
    height: int
    format: str


@dataclass(frozen=True)
class TakeFingerprint:
    """Pool stage that makes the `Fingerprint` of a photo.

    Attributes:
        limits, min_side: as for `Decoder`; with None for the side every pixel is decoded.
    """

    limits: Limits
    min_side: int | None = 2 * HASH_SIDE

    def start(self) -> Callable[[Photo], Fingerprint | Failure]:
        from sorter.photos.decode import Decoder

        decode = Decoder(self.min_side, self.limits)

        def take(photo: Photo) -> Fingerprint | Failure:
            found = decoded_and_hashed(decode, photo.path)
            return found if isinstance(found, Failure) else fingerprint(*found)

        return take


def decoded_and_hashed(decode: Decoder, path: Path) -> tuple[Decoded, str] | Failure:
    """A photo's pixels, and the hash of its bytes in hex."""
    decoded = decode(path)
    if isinstance(decoded, Failure):
        return decoded
    digest = file_sha256(path)
    return digest if isinstance(digest, Failure) else (decoded, digest)


def fingerprint(decoded: Decoded, sha256: str) -> Fingerprint:
    """The fingerprint of a decoded photo and the hash of its bytes."""
    return Fingerprint(sha256, perceptual_hash(decoded.pixels), decoded.width, decoded.height, decoded.format)


def file_sha256(path: Path) -> str | Failure:
    """The hash of a file's bytes, in hex."""
    try:
        return sha256_of(path)
    except FileNotFoundError:
        return Failure(Reason.VANISHED, "the file is no longer there")
    except OSError as error:
        return Failure(Reason.UNREADABLE, error.strerror or str(error))


def perceptual_hash(pixels: NDArray[np.uint8]) -> int:
    """The perceptual hash of a picture: uint8 (height, width, 3) to 64 bits.

    The picture is made grey and 32 x 32. Each bit tells whether one of the lowest 8 x 8 coefficients of its cosine
    transform is above their median. The mean brightness is left out of the median, as it is far larger than the
    others. Source: Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash Functions, section 3.2.1.
    """
    from PIL import Image

    return _hashes(_small(Image.fromarray(pixels).convert("L"))[None])[0]


def oriented_hashes(grey: Image.Image) -> tuple[int, ...]:
    """The five perceptual hashes of a picture (mode L).

    As it is, turned by 90, 180 and 270 degrees counterclockwise, and mirrored left to right.
    """
    small = _small(grey)
    across = small.T
    turned = (small, across[::-1], small[::-1, ::-1], across[:, ::-1])
    return tuple(_hashes(np.stack([*turned, small[:, ::-1]])))


def _small(grey: Image.Image) -> NDArray[np.float64]:
    """A picture of mode L to float64 (32, 32)."""
    from PIL import Image

    small = grey.resize((HASH_SIDE, HASH_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(small, np.float64)


def _hashes(small: NDArray[np.float64]) -> list[int]:
    """float64 (n, 32, 32) to n hashes of 64 bits."""
    cosines = _cosines()
    low = cosines @ small @ cosines.T  # (n, 8, 8)
    # Rounded, so that a flat picture's coefficients are zero and not the noise of the arithmetic.
    values = low.reshape(len(small), -1).round(6)
    middle = values.shape[1] // 2 - 1
    bits = values > np.sort(values[:, 1:], axis=1)[:, middle : middle + 1]  # 63 of them: the median is one
    return [int.from_bytes(row.tobytes(), "big") for row in np.packbits(bits, axis=1)]


@lru_cache(maxsize=1)
def _cosines() -> NDArray[np.float64]:
    """The lowest rows of the type-II cosine transform, float64 (8, 32)."""
    frequency = np.arange(HASH_FREQUENCIES)[:, None]
    place = np.arange(HASH_SIDE)[None] + 0.5
    return np.asarray(np.cos(np.pi / HASH_SIDE * frequency * place))


def bits_apart(hash: int, others: NDArray[np.uint64]) -> NDArray[np.int64]:
    """In how many bits a hash differs from each of others: shape (n,)."""
    return _popcount(others ^ np.uint64(hash))


def near_duplicates(
    hashes: Sequence[int] | NDArray[np.uint64], max_distance: int = MAX_DISTANCE
) -> list[list[int]]:
    """Group hashes that differ in at most `max_distance` bits, and whatever these pairs connect.

    Two hashes that differ in d bits are equal in at least m - d of m bands. So for every choice of m - d bands, only
    hashes with these bands equal are compared.
    Source: Manku et al. 2007, Detecting Near-Duplicates for Web Crawling, section 3.

    Args:
        hashes: n numbers of 64 bits.
        max_distance: 0 to 16 bits.

    Returns:
        Groups of two or more positions in `hashes`, each in ascending order, ordered by their first.

    Raises:
        ValueError: `max_distance` is outside 0 to 16.
    """
    if not 0 <= max_distance <= 16:
        raise ValueError(f"max_distance {max_distance} is not within 0..16")
    unique, inverse = np.unique(np.asarray(hashes, dtype=np.uint64), return_inverse=True)
    parent = np.arange(len(unique))
    for mask in _masks(max_distance, len(unique)):
        for left, right in _agreeing_pairs(unique & mask):
            near = _popcount(unique[left] ^ unique[right]) <= max_distance
            parent = _merge(parent, left[near], right[near])
    groups: dict[int, list[int]] = {}
    for position, root in enumerate(parent[inverse].tolist()):
        groups.setdefault(root, []).append(position)
    return [members for members in groups.values() if len(members) > 1]


def _masks(max_distance: int, n: int) -> list[np.uint64]:
    """Masks of bits: every pair within `max_distance` is equal under at least one mask."""
    if max_distance == 0:
        return []  # equal hashes are merged already
    # More equal bands give fewer false pairs but more masks. That pays for many hashes and small distances only.
    equal = 2 if n > 50_000 and max_distance <= 8 else 1
    bands = np.array_split(np.arange(64), max_distance + equal)
    bits = [sum(1 << int(bit) for bit in band) for band in bands]
    return [np.uint64(sum(chosen)) for chosen in combinations(bits, equal)]


def _agreeing_pairs(keys: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Positions (left, right) of equal keys, every pair once, in batches of at most `MAX_PAIRS`."""
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    at = np.arange(len(keys) - 1)
    for step in range(1, len(keys)):
        # Equal keys are adjacent: a key without an equal at this distance has none further on.
        at = at[at < len(keys) - step]
        at = at[ranked[at] == ranked[at + step]]
        if not len(at):
            return
        for begin in range(0, len(at), MAX_PAIRS):
            some = at[begin : begin + MAX_PAIRS]
            yield order[some], order[some + step]


def _popcount(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    octets = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), 8)
    return np.asarray(np.unpackbits(octets, axis=1).sum(1, dtype=np.int64))


def _merge(parent: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Union-find on arrays. In the result every entry is the root of its set, which is its smallest member."""
    while True:
        above, below = np.minimum(parent[left], parent[right]), np.maximum(parent[left], parent[right])
        differ = above != below
        if not differ.any():
            return parent
        parent = parent.copy()
        np.minimum.at(parent, below[differ], above[differ])
        while (parent != parent[parent]).any():
            parent = parent[parent]
