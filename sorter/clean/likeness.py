"""Tell the same picture from another picture of the same scene, place by place.

A copy differs from its original by its brightness and contrast, by a little of its border, and by what saving and
scaling do to edges. All of these are taken out first. What is left in one place is something else in the picture.
"""

from __future__ import annotations

from enum import Enum
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.clean.signature import (
    CHROMA_SIDE,
    COLOUR_SIDE,
    LUMA_SIDE,
    TURNS,
    Signature,
    oriented_places,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]

CORRELATION = 0.95  # least correlation of the 8 x 8 pixels of two pictures of a scene
DIFFERENCE = 32.0  # largest mean difference of their levels (0..255)
ASPECT = 0.1  # largest relative difference of their aspect ratios
# The limits of a copy were measured with `scripts/benchmark.py likeness`.
LARGEST = 1.6  # difference of a copy in any place, in units of what saving and scaling do there
LEVELS = 2.0  # the unit where a picture is flat
LEVELS_CLIPPED = 5.0  # added to the unit at white: a brighter copy lost what was there
BRIGHT = 180.0  # level from which on it is added, bit by bit, as a colour is clipped before white
PER_SLOPE = 0.2  # added to the unit for each level per pixel of the steepest edge near by
CHROMA_LEVELS = 10.0  # the unit of chroma
PLACE = 3  # pixels of the luma on each side of a place: 0.2 % of the picture
CROP = 0.09  # largest part of the width or height by which a copy is cropped
OUTSIDE = 0.012  # part of the width or height by which both pictures may show what the other does not
CLIPPED = (6.0, 249.0)  # levels beyond which a picture may have lost its detail
STEPS = ((3, 3), (1, 3), (0, 3))  # of the alignment: passes of the blur, and iterations
ORIENTATIONS = tuple((turn, mirrored) for mirrored in (False, True) for turn in range(TURNS))
PLACES = np.stack([oriented_places(COLOUR_SIDE, turn, mirrored) for turn, mirrored in ORIENTATIONS])
STILL = 3e-4  # part of the picture: a smaller move ends the alignment
IDENTITY = (1.0, 0.0, 1.0, 0.0)
# Scale and shift across, scale and shift down; in parts of the picture.
Move = tuple[float, float, float, float]


class Likeness(Enum):
    """What two pictures have in common."""

    SAME = "the same picture"
    SIMILAR = "the same scene"
    NONE = "nothing"


def likeness(one: Signature, other: Signature, aspects: tuple[float, float]) -> Likeness:
    """Compare two pictures in each of four turns, mirrored and not.

    Args:
        aspects: width over height of both.
    """
    found = Likeness.NONE
    for turn, mirrored in compress(ORIENTATIONS, _scenes_agree(one.colour, other.colour)):
        turned = aspects[1] if turn % 2 == 0 else 1 / aspects[1]
        if abs(aspects[0] / turned - 1) > ASPECT:
            continue
        if largest_difference(one, other.oriented(turn, mirrored)) <= LARGEST:
            return Likeness.SAME
        found = Likeness.SIMILAR
    return found


def _scenes_agree(one: Plane, other: Plane) -> NDArray[np.bool_]:
    """Whether the 8 x 8 pixels of two pictures agree, for each of `ORIENTATIONS`: shape (8,)."""
    left, right = one.reshape(-1, 3), other.reshape(-1, 3)[PLACES]
    near = np.abs(right - left).mean((1, 2)) <= DIFFERENCE
    a, b = left - left.mean(), right - other.mean()
    alike = (a * b).sum((1, 2)) >= CORRELATION * np.sqrt((a * a).sum() * (b[0] * b[0]).sum())
    return np.asarray(near & alike)


def largest_difference(one: Signature, other: Signature) -> float:
    """The difference in the place where two pictures differ most, in units of what saving and scaling do there."""
    found = _difference(one, other, IDENTITY)
    if found <= LARGEST:
        return found
    move = align(one.luma, other.luma)
    return min(found, _difference(one, other, move)) if _is_crop(move) else found


def align(one: Plane, other: Plane) -> Move:
    """Find the scales and shifts that lay one picture on another: (n, n) each.

    Gauss-Newton steps from blurred to sharp, in which pixels that do not fit count little. Source: Baker and Matthews
    2004, Lucas-Kanade 20 Years On: A Unifying Framework, sections 3 and 5.
    """
    n = len(one)
    place = ((np.arange(n) + 0.5) / n).astype(np.float32)
    move = np.array(IDENTITY)
    for blurs, iterations in STEPS:
        a, b = one, other
        for _ in range(blurs):
            a, b = _blurred(a), _blurred(b)
        for _ in range(iterations):
            moved, inside = _moved(b, move)
            fitted, weight = _toned(a, moved, inside)
            down, across = np.gradient(fitted)
            slopes = np.stack([across * place, across, down * place[:, None], down], -1).reshape(-1, 4) * n
            weighted = (slopes * weight.reshape(-1, 1)).T
            square = weighted @ slopes + 1e-2 * n * n * np.eye(4)
            step = np.linalg.solve(square, weighted @ (a - fitted).ravel())
            move = move + step
            if np.abs(step).max() < STILL:
                break
    across_scale, across_shift, down_scale, down_shift = map(float, move)
    return across_scale, across_shift, down_scale, down_shift


def _is_crop(move: Move) -> bool:
    """Whether one of two pictures lies within the other, and covers most of it."""
    for scale, shift in (move[:2], move[2:]):
        ends = (shift, shift + scale)  # of the one picture, where the other reaches from 0 to 1
        if max(abs(ends[0]), abs(ends[1] - 1)) > CROP or abs(scale - 1) > CROP:
            return False
    starts, stops = (move[1], move[3]), (move[1] + move[0] - 1, move[3] + move[2] - 1)
    within = min(starts) >= -OUTSIDE and max(stops) <= OUTSIDE
    around = max(starts) <= OUTSIDE and min(stops) >= -OUTSIDE
    return within or around


def _difference(one: Signature, other: Signature, move: Move) -> float:
    """The largest difference in any place, the lesser of both directions: clipping loses detail in one of the two."""
    moved, inside = _moved(other.luma, move)
    slope = _steepest(np.maximum(_slope(one.luma), _slope(moved)))
    bright = ((np.maximum(one.luma, moved) - BRIGHT) / (255 - BRIGHT)).clip(0, 1)
    unit = LEVELS + PER_SLOPE * slope + LEVELS_CLIPPED * bright
    found = []
    for a, b in ((one.luma, moved), (moved, one.luma)):
        fitted, _ = _toned(a, b, inside)
        rest = np.where(inside, a - fitted, 0) / unit
        found.append(float(np.abs(_means(rest, PLACE)).max()))
    return max(min(found), _chroma_difference(one, other, move))


def _chroma_difference(one: Signature, other: Signature, move: Move) -> float:
    size = LUMA_SIDE // CHROMA_SIDE
    grey = one.luma.reshape(CHROMA_SIDE, size, CHROMA_SIDE, size).mean((1, 3))
    planes = [_moved(other.chroma[..., each], move) for each in range(2)]
    inside = planes[0][1]
    known = np.stack([np.ones_like(grey), grey, planes[0][0], planes[1][0]], -1).reshape(-1, 4)
    largest = 0.0
    for each in range(2):
        a, b = one.chroma[..., each], planes[each][0]
        weight = inside.astype(np.float32)
        fitted = b
        for _ in range(3):
            fitted = _fitted(known, a, weight)
            weight = _weight(a - fitted, inside)
        unit = CHROMA_LEVELS + PER_SLOPE * _steepest(np.maximum(_slope(a), _slope(b)))
        largest = max(largest, float(np.abs(np.where(inside, a - fitted, 0) / unit).max()))
    return largest


def _toned(wanted: Plane, given: Plane, inside: NDArray[np.bool_]) -> tuple[Plane, Plane]:
    """Give a picture the brightness, contrast and sharpness of another; and the weight of each pixel."""
    low, high = CLIPPED
    whole = inside & (given > low) & (given < high) & (wanted > low) & (wanted < high)
    if whole.sum() < inside.sum() / 4:
        whole = inside
    level = given / 255
    edges = (given - _blurred(given)) / 255  # sharpening adds these, and blurring takes them away
    known = np.stack([np.ones_like(level), level, level * level, edges], -1).reshape(-1, 4)
    weight = whole.astype(np.float32)
    fitted = given
    for _ in range(3):
        fitted = _fitted(known, wanted, weight).clip(0, 255)
        weight = _weight(wanted - fitted, whole)
    return fitted, weight


def _fitted(known: NDArray[np.floating[Any]], wanted: Plane, weight: Plane) -> Plane:
    weighted = (known * weight.reshape(-1, 1)).T
    factors = np.linalg.solve(weighted @ known + 1e-3 * np.eye(known.shape[1]), weighted @ wanted.ravel())
    return np.asarray((known @ factors).reshape(wanted.shape), np.float32)


def _weight(rest: Plane, inside: NDArray[np.bool_]) -> Plane:
    """Cauchy's weights: pixels that do not fit count little."""
    scale = 4.5 * float(np.median(np.abs(rest[inside]))) + 1.5 if inside.any() else 1.0
    return np.asarray(inside / (1 + (rest / scale) ** 2), np.float32)


def _moved(plane: Plane, move: Move | NDArray[np.float64]) -> tuple[Plane, NDArray[np.bool_]]:
    """A picture scaled and shifted, with linear interpolation; and which pixels lie within it."""
    if tuple(move) == IDENTITY:
        return plane, np.ones(plane.shape, bool)
    across, within_across = _axis(len(plane), move[0], move[1])
    down, within_down = _axis(len(plane), move[2], move[3])
    return down @ plane @ across.T, within_down[:, None] & within_across


def _axis(n: int, scale: float, shift: float) -> tuple[Plane, NDArray[np.bool_]]:
    at = (np.arange(n) + 0.5) * scale + shift * n - 0.5
    inside = (at >= -0.5) & (at <= n - 0.5)
    at = at.clip(0, n - 1)
    first = np.minimum(at.astype(int), n - 2)
    part = (at - first).astype(np.float32)
    matrix = np.zeros((n, n), np.float32)
    matrix[np.arange(n), first] = 1 - part
    matrix[np.arange(n), first + 1] = part
    return matrix, inside


def _blurred(plane: Plane) -> Plane:
    padded = np.pad(plane, 1, "edge")
    rows = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    return np.asarray((rows[:-2] + 2 * rows[1:-1] + rows[2:]) / 4)


def _slope(plane: Plane) -> Plane:
    down, across = np.gradient(plane)
    return np.asarray(np.hypot(down, across))


def _steepest(slope: Plane) -> Plane:
    """The largest of each 3 x 3 pixels."""
    padded = np.pad(slope, 1, "edge")
    rows = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    return np.asarray(np.maximum(np.maximum(rows[:-2], rows[1:-1]), rows[2:]))


def _means(plane: NDArray[np.floating[Any]], side: int) -> Plane:
    """The means of all places of `side` x `side` pixels."""
    total = np.pad(plane, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    corners = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    return np.asarray(corners / side**2)
