"""Pixels -> network input."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from sorter.photos.preprocess import INTERPOLATIONS, RESIZES, Preprocess
from sorter.types import SorterError

SPEC = Preprocess(32, "squash", "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

unit = st.floats(0, 1)
specs = st.builds(
    Preprocess,
    st.integers(8, 4096),
    st.sampled_from(RESIZES),
    st.sampled_from(INTERPOLATIONS),
    st.tuples(unit, unit, unit),
    st.tuples(*[st.floats(1e-3, 2)] * 3),
)


def columns(width: int, height: int, *colours: int) -> NDArray[np.uint8]:
    """Equal vertical bands, one grey level each."""
    levels = np.repeat(np.array(colours, np.uint8), width // len(colours))
    return np.ascontiguousarray(np.broadcast_to(levels[None, :, None], (height, width, 3)))


def test_squash_keeps_the_edges_and_crop_the_middle() -> None:
    wide = columns(128, 32, 0, 100, 100, 200)
    squashed, cropped = SPEC(wide), replace(SPEC, resize="crop")(wide)
    assert squashed.shape == cropped.shape == (32, 32, 3)
    assert (squashed[:, 0] == 0).all() and (squashed[:, -1] == 200).all() and (squashed[:, 16] == 100).all()
    columns_seen = np.linspace(48, 79, 32).astype(int)  # 128 x 32 -> the 32 columns in the middle
    assert (cropped == wide[:, columns_seen]).all()
    assert (replace(SPEC, resize="crop")(wide.transpose(1, 0, 2)) == cropped.transpose(1, 0, 2)).all()


def test_crop_of_an_odd_width_is_centred() -> None:
    ramp = np.arange(0, 200, 8, np.uint8)  # 25 columns; the middle 8 begin at 8.5, half way to the next level
    cropped = replace(SPEC, size=8, resize="crop")(
        np.ascontiguousarray(np.broadcast_to(ramp[:, None], (8, 25, 3)))
    )
    assert np.abs(cropped[:, 2:-2].mean((0, 2)) - ramp[10:14] - 4).max() <= 0.5


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("resize", RESIZES)
def test_resizes_as_pillow_does(resize: str, interpolation: str) -> None:
    y, x = np.mgrid[0:600, 0:800]
    waves = 128 + 60 * np.sin(x / 37) + 60 * np.cos(y / 53)
    pixels = np.stack([waves, waves[::-1], waves[:, ::-1]], -1).astype(np.uint8)
    box = (100, 0, 700, 600) if resize == "crop" else None
    direct = Image.fromarray(pixels).resize((32, 32), Image.Resampling[interpolation.upper()], box)
    got = replace(SPEC, resize=resize, interpolation=interpolation)(pixels)
    difference = np.abs(got.astype(int) - np.asarray(direct))
    assert difference.mean() < 0.7 and difference.max() <= 4


def test_bicubic_is_not_bilinear() -> None:
    edge = columns(128, 32, 0, 255)
    bicubic = replace(SPEC, interpolation="bicubic")(edge)
    assert (bicubic != SPEC(edge)).any()


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 3), (7, 9000), (3000, 3000), (33, 31)])
def test_any_shape_works(shape: tuple[int, int], resize: str) -> None:
    out = replace(SPEC, resize=resize)(np.full((*shape, 3), (10, 120, 250), np.uint8))
    assert out.shape == (32, 32, 3) and out.dtype == np.uint8
    assert (out == (10, 120, 250)).all()


@given(st.integers(1, 400), st.integers(1, 400), specs)
@settings(max_examples=60, deadline=None)
def test_one_colour_stays_that_colour(width: int, height: int, spec: Preprocess) -> None:
    spec = replace(spec, size=min(spec.size, 64))
    assert (spec(np.full((height, width, 3), (1, 128, 255), np.uint8)) == (1, 128, 255)).all()


@given(specs, st.integers(0, 2**32 - 1), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_normalise_is_the_plain_formula(spec: Preprocess, seed: int, count: int) -> None:
    batch = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    got = spec.normalise(batch)
    plain = ((batch / 255.0 - np.array(spec.mean)) / np.array(spec.std)).transpose(0, 3, 1, 2)
    assert got.dtype == np.float32 and got.flags.c_contiguous and got.shape == (count, 3, 8, 8)
    # Both terms are rounded to float32 before they are added.
    bound = np.finfo(np.float32).eps * 4 * (1 + np.array(spec.mean)) / np.array(spec.std)
    assert (np.abs(got - plain) <= bound.reshape(1, 3, 1, 1)).all()


def test_normalise_leaves_its_input_alone() -> None:
    batch = np.full((1, 32, 32, 3), 7, np.uint8)
    SPEC.normalise(batch)
    assert (batch == 7).all()


@given(specs)
def test_json_round_trip(spec: Preprocess) -> None:
    assert Preprocess.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    "change",
    [
        {"size": 7},
        {"size": 4097},
        {"size": "224"},
        {"size": 224.5},
        {"size": True},
        {"size": None},
        {"resize": "stretch"},
        {"resize": []},
        {"interpolation": "lanczos"},
        {"mean": [0.5, 0.5]},
        {"mean": [0.5, 0.5, 0.5, 0.5]},
        {"mean": "abc"},
        {"mean": None},
        {"mean": [0.5, None, 0.5]},
        {"mean": [0.5, float("nan"), 0.5]},
        {"mean": [0.5, 10**400, 0.5]},
        {"std": [0.5, 0, 0.5]},
        {"std": [0.5, -1, 0.5]},
        {"std": [0.5, float("inf"), 0.5]},
        {"std": 0.5},
        {"colour": "RGB"},
    ],
    ids=str,
)
def test_bad_specs_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SorterError, match="preprocess"):
        Preprocess.from_json({**SPEC.to_json(), **change})


@pytest.mark.parametrize("field", ["size", "resize", "interpolation", "mean", "std"])
def test_a_missing_field_is_refused(field: str) -> None:
    data = SPEC.to_json()
    del data[field]
    with pytest.raises(SorterError, match=field):
        Preprocess.from_json(data)


@pytest.mark.parametrize("data", [None, [], 3, "squash"])
def test_what_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(SorterError, match="preprocess"):
        Preprocess.from_json(data)


@pytest.mark.parametrize("size", [8, 224, 256, 299])
def test_decodes_to_a_little_more_than_the_input(size: int) -> None:
    assert size < replace(SPEC, size=size).min_side <= size * 1.15
