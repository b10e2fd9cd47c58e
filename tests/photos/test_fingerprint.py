"""What looks the same is found, and found as brute force would find it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.photos import make_photo

from sorter.photos import fingerprint
from sorter.photos.fingerprint import Fingerprint, TakeFingerprint, near_duplicates, perceptual_hash
from sorter.pipeline.pool import Pool
from sorter.types import Failure, Limits, Photo, Reason


def brute_force(hashes: list[int], max_distance: int) -> list[list[int]]:
    groups = [{at} for at in range(len(hashes))]
    for left in range(len(hashes)):
        for right in range(left):
            if (hashes[left] ^ hashes[right]).bit_count() <= max_distance and groups[left] is not groups[
                right
            ]:
                union = groups[left] | groups[right]
                for at in union:
                    groups[at] = union
    return sorted({tuple(sorted(group)) for group in groups if len(group) > 1})  # type: ignore[return-value]


def near_some(draw: st.DrawFn) -> list[int]:
    """Hashes a few bits away from a few others, as chance alone never makes them."""
    centres = draw(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4))
    flips = st.lists(st.integers(0, 63), max_size=8)
    hashes = []
    for centre, bits in draw(st.lists(st.tuples(st.sampled_from(centres), flips), max_size=30)):
        for bit in bits:
            centre ^= 1 << bit
        hashes.append(centre)
    return hashes


@settings(max_examples=200, deadline=None)
@given(st.composite(near_some)(), st.integers(0, 8), st.booleans())
def test_groups_are_those_of_brute_force(hashes: list[int], max_distance: int, many: bool) -> None:
    masks = fingerprint._masks
    fingerprint._masks = lambda distance, n: masks(distance, 100_000 if many else n)
    try:
        found = near_duplicates(hashes, max_distance)
    finally:
        fingerprint._masks = masks
    assert [tuple(group) for group in found] == brute_force(hashes, max_distance)


def test_many_hashes_and_few_pairs_at_a_time(monkeypatch) -> None:
    monkeypatch.setattr(fingerprint, "MAX_PAIRS", 7)
    hashes = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    hashes[15_000:15_100] = hashes[:100] ^ np.uint64(0b1011)
    hashes[19_000:19_100] = hashes[15_000:15_100] ^ np.uint64(1 << 63)
    assert near_duplicates(hashes) == [[at, at + 15_000, at + 19_000] for at in range(100)]


def test_a_picture_keeps_its_hash_when_resized_and_recompressed(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 320)[None, :, None] * np.linspace(0.2, 1, 240)[:, None, None]
    image = Image.fromarray(np.broadcast_to(ramp, (240, 320, 3)).astype(np.uint8))
    rng = np.random.default_rng(1)
    for _ in range(12):
        x, y = rng.integers(0, 260), rng.integers(0, 180)
        image.paste(tuple(int(c) for c in rng.integers(0, 256, 3)), (x, y, x + 60, y + 60))
    original = perceptual_hash(np.asarray(image))
    image.resize((150, 110)).save(tmp_path / "small.jpg", quality=60)
    again = perceptual_hash(np.asarray(Image.open(tmp_path / "small.jpg").convert("RGB")))
    assert (original ^ again).bit_count() <= fingerprint.MAX_DISTANCE
    turned = perceptual_hash(np.asarray(image.transpose(Image.Transpose.ROTATE_90)))
    assert (original ^ turned).bit_count() > 12


def test_a_flat_picture_has_an_empty_hash_but_for_its_brightness() -> None:
    assert perceptual_hash(np.full((50, 70, 3), 130, np.uint8)) == 1 << 63


def test_the_stage_gives_a_fingerprint_or_a_failure(tmp_path: Path) -> None:
    good = make_photo(tmp_path / "good.jpg")
    (tmp_path / "bad.jpg").write_bytes(b"nothing of the kind")
    photos = [
        Photo(path, Path(path.name), 0, 0) for path in (good, tmp_path / "bad.jpg", tmp_path / "gone.jpg")
    ]
    with Pool(TakeFingerprint(Limits(megapixels=100.0)), 1) as pool:
        first, second, third = (result.outcome for result in pool.run(photos))
    assert isinstance(first, Fingerprint)
    assert (first.width, first.height, first.format, len(first.sha256)) == (96, 64, "JPEG", 64)
    assert isinstance(second, Failure)
    assert second.reason is Reason.NOT_AN_IMAGE
    assert isinstance(third, Failure)
    assert third.reason is Reason.VANISHED
