"""A head for few examples: what standardising breaks, what the folds choose, and that no photo is held out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sorter.evaluate.threshold import choose_threshold
from sorter.photos.dataset import Example
from sorter.photos.fingerprint import Fingerprint
from sorter.train.few_examples import (
    MANY,
    STRENGTHS,
    cautious_threshold,
    chooses_by_folds,
    fit_scaled,
    groups_to_part,
    is_few,
    stratified_folds,
)
from sorter.train.linear import fit_linear
from sorter.train.recipes import FAST, FINE_TUNING, find_recipe
from sorter.types import Photo, UsageError

WIDTH = 200


def draw(
    each: int, seed: int, steady: float, classes: int = 2
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features of some photos of each class, as those of a pooled ReLU: most of them small, ten large ones per class.

    Args:
        steady: the spread of the last fifty features, which say nothing about the class.
    """
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    features = random.gamma(1.0, 0.3, (len(labels), WIDTH))
    for label in range(classes):
        features[labels == label, 10 * label : 10 * label + 10] += 0.5
    features[:, -50:] = 1 + steady * random.standard_normal((len(labels), 50))
    return features.astype(np.float32), labels


def accuracy(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    found = logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(1)
    return float((found == labels).mean())


@pytest.mark.parametrize("each", [4, 8])
def test_a_feature_that_is_nearly_constant_does_not_explode(each: int) -> None:
    """Among the few photos these features hardly vary; on other photos they do."""
    features, labels = draw(each, 0, steady=1e-4)
    others, truth = draw(200, 1, steady=0.1)
    weights = np.ones(len(labels))
    head = fit_scaled(features, labels, weights, positive=1)
    assert accuracy(others @ head.weight.T + head.bias, truth) > 0.9
    standardised = fit_linear(features, labels, weights, l2=10.0, positive=1)
    assert accuracy(standardised(others), truth) < 0.8, "what the head for few examples is for"


@pytest.mark.parametrize("classes", [2, 3])
def test_folds_score_photos_that_they_did_not_learn_from(classes: int) -> None:
    """Labels by lot: the head knows those that it learned from, and the folds know nothing."""
    random = np.random.default_rng(0)
    features, _ = draw(30, 0, steady=0.1, classes=classes)
    labels = random.permutation(np.repeat(np.arange(classes), 30))
    head = fit_scaled(features, labels, np.ones(len(labels)), positive=1 if classes == 2 else None)
    assert head.strength in STRENGTHS
    assert head.logits is not None
    assert head.logits.shape == (len(labels), 1 if classes == 2 else classes)
    assert accuracy(head.logits, labels) < 1 / classes + 0.2
    assert accuracy(features @ head.weight.T + head.bias, labels) > accuracy(head.logits, labels) + 0.15


def test_photos_that_look_alike_are_in_one_fold() -> None:
    random = np.random.default_rng(0)
    once, _ = draw(20, 0, steady=0.1)
    features, labels = np.repeat(once, 2, axis=0), np.repeat(random.permutation(np.repeat([0, 1], 20)), 2)
    weights, groups = np.ones(80), np.repeat(np.arange(40), 2)
    parted = fit_scaled(features, labels, weights, positive=1)
    whole = fit_scaled(features, labels, weights, positive=1, groups=groups)
    assert parted.logits is not None and whole.logits is not None
    assert accuracy(parted.logits, labels) > accuracy(whole.logits, labels) + 0.2


def test_the_folds_choose_a_penalty_that_suits_the_photos() -> None:
    noise = np.random.default_rng(3)
    features, labels = draw(60, 0, steady=0.1)
    flipped = np.where(noise.random(len(labels)) < 0.35, 1 - labels, labels)
    ones = np.ones(len(labels))
    assert fit_scaled(features, flipped, ones, 1).strength < fit_scaled(features, labels, ones, 1).strength


def test_the_same_photos_give_the_same_head() -> None:
    features, labels = draw(6, 0, steady=0.1, classes=3)
    first, second = (fit_scaled(features, labels, np.ones(18), None) for _ in range(2))
    np.testing.assert_array_equal(first.weight, second.weight)
    np.testing.assert_array_equal(first.bias, second.bias)


def test_every_class_is_in_the_rest_of_every_fold() -> None:
    labels = np.repeat([0, 1, 2], [2, 5, 40])
    fold = stratified_folds(np.arange(47), labels)
    assert fold.max() == 1
    for number in (0, 1):
        assert set(labels[fold != number]) == {0, 1, 2}
    assert not stratified_folds(np.arange(4), np.array([0, 1, 1, 1])).any(), "a class has one photo"


def test_a_threshold_moves_only_where_the_photos_speak_for_it() -> None:
    labels = np.array([0] * 10 + [1] * 10)
    probabilities = np.array([0.1] * 8 + [0.4, 0.42] + [0.41] * 2 + [0.9] * 8)
    assert choose_threshold(labels, probabilities, "f1") < 0.45
    assert cautious_threshold(labels, probabilities, "f1") == 0.5, "two photos are luck"
    assert cautious_threshold(labels, probabilities, "recall=1") < 0.42, "it was asked for"
    shifted = probabilities * 0.4  # one half would call all of them negative
    for aim in ("f1", "balanced-accuracy"):
        assert cautious_threshold(labels, shifted, aim) == choose_threshold(labels, shifted, aim) < 0.4


def examples(**counts: int) -> list[Example]:
    return [
        Example(Photo(Path(f"/d/{name}/{n}.jpg"), Path(f"{name}/{n}.jpg"), 1, 1), label)
        for label, (name, count) in enumerate(counts.items())
        for n in range(count)
    ]


def test_when_folds_take_the_place_of_a_validation_part() -> None:
    fast, classes = find_recipe(FAST), ("a", "b")
    fast = replace(fast, phases=fast.phases[:1])  # as without --epochs
    few, many = examples(a=5, b=MANY), examples(a=MANY, b=MANY)
    decoded = {example.photo.path for example in many + few}
    assert chooses_by_folds(fast, {None: few}, classes, decoded)
    assert chooses_by_folds(fast, {"train": few, "test": few}, classes, decoded)
    assert not chooses_by_folds(fast, {"train": few, "val": few}, classes, decoded)
    assert not chooses_by_folds(fast, {None: many}, classes, decoded)
    assert not chooses_by_folds(
        replace(fast, phases=(*fast.phases, FINE_TUNING)), {None: few}, classes, decoded
    )
    assert chooses_by_folds(fast, {None: many}, classes, decoded - {many[0].photo.path}), (
        "one cannot be decoded"
    )
    assert not is_few(np.repeat([0, 1], [5, 5000]), 2), "the many say how much a feature varies"


def test_a_class_of_one_picture_is_named() -> None:
    some = examples(a=4, b=4)
    prints = {
        each.photo.path: Fingerprint(
            str(n), 0 if each.label else n * 0x0F0F_1337_55AA_1001 % 2**64, 1, 1, "JPEG"
        )
        for n, each in enumerate(some)
    }
    with pytest.raises(
        UsageError, match=r"the photos of b look too much alike to be parted; add other photos"
    ):
        groups_to_part(Path("/d"), ("a", "b"), some, prints)
