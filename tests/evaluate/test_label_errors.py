"""Rules over arrays: which labels are doubtful, in which order, and which photos are like no other."""

from __future__ import annotations

import numpy as np

from sorter.evaluate.label_errors import distance_to_neighbours, far_out, rank_label_errors


def test_the_least_probable_label_that_another_class_contradicts_is_first() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1, 1])
    right = [0.9, 0.8, 0.05, 0.9, 0.9, 0.85, 0.1]  # of the photo's label
    other = [1 - each for each in right]
    probabilities = np.array(
        [(a, b) if label == 0 else (b, a) for label, a, b in zip(labels, right, other, strict=True)]
    )
    assert rank_label_errors(labels, probabilities).tolist() == [2, 6]


def test_a_hesitant_model_contradicts_nothing() -> None:
    probabilities = np.array([[0.45, 0.55], [0.9, 0.1], [0.1, 0.9], [0.05, 0.95]])
    assert not len(rank_label_errors(np.array([0, 0, 1, 1]), probabilities))


def test_the_photo_far_from_all_others_is_an_outlier() -> None:
    random = np.random.default_rng(0)
    features = (np.repeat(np.eye(8)[:2], 40, axis=0) + random.normal(0, 0.02, (80, 8))).astype(np.float32)
    features[17] = np.eye(8)[5]
    distances = distance_to_neighbours(features)
    assert distances.argmax() == 17 and distances[17] > 0.9
    assert np.flatnonzero(far_out(distances)).tolist() == [17]
    assert distance_to_neighbours(features[:1]).tolist() == [0.0]
    assert far_out(np.empty(0)).tolist() == []
