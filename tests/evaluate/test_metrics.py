"""Metrics against scikit-learn, hand-computed values and what must hold whatever the numbers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn")
from sklearn import metrics as sk

from sorter.evaluate.bootstrap import ESTIMATES
from sorter.evaluate.calibration import calibration, fit_temperature
from sorter.evaluate.metrics import compute_metrics
from sorter.evaluate.threshold import choose_threshold
from sorter.types import UsageError


def two_columns(positive: np.ndarray) -> np.ndarray:
    """Probabilities of (yes, no)."""
    return np.stack([positive, 1 - positive], axis=1)


def noisy(n: int, seed: int = 0, k: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities that are right more often than not, with some ties."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, k, n)
    logits = random.normal(size=(n, k)).round(1)
    logits[np.arange(n), labels] += 1
    weights = np.exp(logits)
    return labels, weights / weights.sum(axis=1, keepdims=True)


def test_two_classes_are_scored_as_scikit_learn_does():
    labels, probabilities = noisy(500)
    found = compute_metrics(labels, probabilities, ["yes", "no"], "yes", 0.4, resamples=100)
    true, score = labels == 0, probabilities[:, 0]
    said = score >= 0.4
    assert found.accuracy.value == pytest.approx(sk.accuracy_score(true, said))
    assert found.balanced_accuracy.value == pytest.approx(sk.balanced_accuracy_score(true, said))
    assert found.precision.value == pytest.approx(sk.precision_score(true, said))
    assert found.recall.value == pytest.approx(sk.recall_score(true, said))
    assert found.f1.value == pytest.approx(sk.f1_score(true, said))
    assert found.roc_auc.value == pytest.approx(sk.roc_auc_score(true, score))
    assert found.average_precision.value == pytest.approx(sk.average_precision_score(true, score))
    assert found.confusion == tuple(map(tuple, sk.confusion_matrix(~true, ~said).tolist()))
    assert found.errors == int((true != said).sum())


def test_many_classes_are_macro_averages():
    labels, probabilities = noisy(600, k=4)
    found = compute_metrics(labels, probabilities, list("abcd"), None, 0.5, resamples=100)
    said = probabilities.argmax(axis=1)
    assert found.balanced_accuracy.value == pytest.approx(sk.balanced_accuracy_score(labels, said))
    for name, score in (("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)):
        assert getattr(found, name).value == pytest.approx(score(labels, said, average="macro"))
    area = sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    assert found.roc_auc.value == pytest.approx(area)
    area = sk.average_precision_score(np.eye(4)[labels], probabilities, average="macro")
    assert found.average_precision.value == pytest.approx(area)
    report = sk.classification_report(labels, said, target_names=list("abcd"), output_dict=True)
    for each in found.per_class:
        expected = report[each.label]
        assert (each.precision, each.recall, each.f1, each.photos) == pytest.approx(
            (expected["precision"], expected["recall"], expected["f1-score"], expected["support"])
        )


def test_intervals_are_those_of_a_plain_bootstrap():
    """Against resampling done the slow way with scikit-learn, from the same random numbers."""
    labels, probabilities = noisy(80, seed=3)
    found = compute_metrics(labels, probabilities, ["yes", "no"], "yes", 0.5, resamples=200, seed=5)
    random = np.random.default_rng(5)
    values = []
    for _ in range(200):
        drawn = random.integers(0, 80, 80)
        true, score = labels[drawn] == 0, probabilities[drawn, 0]
        values.append((sk.f1_score(true, score >= 0.5), sk.roc_auc_score(true, score)))
    for name, column in zip(("f1", "roc_auc"), np.array(values).T, strict=True):
        estimate = getattr(found, name)
        assert (estimate.low, estimate.high) == pytest.approx(tuple(np.percentile(column, [2.5, 97.5])))


def test_the_interval_of_accuracy_has_the_width_that_theory_gives():
    labels = np.zeros(1000, dtype=int)
    labels[500:] = 1
    positive = np.where(labels == 0, 0.9, 0.1)
    positive[::10] = 1 - positive[::10]  # one in ten is wrong
    found = compute_metrics(labels, two_columns(positive), ["yes", "no"], "yes", 0.5)
    assert found.accuracy.value == pytest.approx(0.9)
    half = 1.96 * math.sqrt(0.9 * 0.1 / 1000)
    assert found.accuracy.low == pytest.approx(0.9 - half, abs=0.004)
    assert found.accuracy.high == pytest.approx(0.9 + half, abs=0.004)
    assert found == compute_metrics(labels, two_columns(positive), ["yes", "no"], "yes", 0.5)  # seeded
    assert found != compute_metrics(labels, two_columns(positive), ["yes", "no"], "yes", 0.5, seed=1)


def test_what_is_not_defined_is_said_to_be_so():
    found = compute_metrics([0, 0], [[0.9, 0.1], [0.2, 0.8]], ["yes", "no"], "yes", 0.5, resamples=100)
    assert math.isnan(found.roc_auc.value)
    assert found.recall.value == 0.5
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert data["roc_auc"] == {"value": None, "low": None, "high": None}
    assert data["errors"] == 1


def test_most_confused_pairs_come_commonest_first():
    labels = [0, 0, 0, 0, 1, 1, 2]
    said = np.eye(3)[[1, 1, 1, 0, 0, 1, 2]]
    found = compute_metrics(labels, said, ["a", "b", "c"], None, 0.5, resamples=100)
    pairs = [(pair.label, pair.predicted, pair.photos, pair.share) for pair in found.most_confused]
    assert pairs == [("a", "b", 3, 0.75), ("b", "a", 1, 0.5)]


def test_calibration_by_hand():
    labels = np.array([0, 1, 0, 0])
    probabilities = two_columns(np.array([0.31, 0.33, 0.99, 1.0]))
    found = calibration(labels, probabilities, 0)
    assert found.photos.tolist() == [2, 2]
    assert found.predicted == pytest.approx([0.32, 0.995])
    assert found.observed == pytest.approx([0.5, 1.0])
    assert found.error == pytest.approx((2 * 0.18 + 2 * 0.005) / 4)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_what_always_holds(n, k, seed):
    labels, probabilities = noisy(n, seed, k)
    positive = "c0" if k == 2 else None
    found = compute_metrics(labels, probabilities, [f"c{i}" for i in range(k)], positive, 0.5, resamples=100)
    for name, each in found.estimates().items():
        assert math.isnan(each.value) or 0 <= each.low <= each.high <= 1 + 1e-12, name
    assert sum(map(sum, found.confusion)) == n
    assert sum(each.photos for each in found.per_class) == n
    assert sum(each.predicted for each in found.per_class) == n
    assert found.accuracy.value == pytest.approx(1 - found.errors / n)
    assert 0 <= found.ece <= 1
    assert set(found.estimates()) == set(ESTIMATES)
    # The order of the photos says nothing.
    order = np.random.default_rng(seed).permutation(n)
    other = compute_metrics(labels[order], probabilities[order], found.classes, positive, 0.5, resamples=100)
    assert other.confusion == found.confusion
    assert other.roc_auc.value == pytest.approx(found.roc_auc.value, nan_ok=True)


# -- the threshold ---------------------------------------------------------------------------------------------


def test_a_threshold_lies_in_the_widest_gap_that_serves():
    assert choose_threshold([1, 1, 0, 0], [0.9, 0.7, 0.3, 0.1], "f1") == pytest.approx(0.5)
    assert choose_threshold([1, 0, 1, 0], [0.9, 0.6, 0.4, 0.1], "recall=1") == pytest.approx(0.25)
    assert choose_threshold([1, 0, 1, 0], [0.9, 0.6, 0.4, 0.1], "precision=1") == pytest.approx(0.75)
    assert choose_threshold([1, 1], [0.9, 0.6], "f1") == 0.5  # nothing to go by


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 40)), min_size=2, max_size=50).filter(
        lambda rows: len({label for label, _ in rows}) == 2
    )
)
def test_no_other_threshold_is_better(rows):
    labels = np.array([label for label, _ in rows])
    scores = np.array([score / 40 for _, score in rows])
    tried = np.append(np.unique(scores), 2.0)

    def at(threshold):
        said = scores >= threshold
        recall = sk.recall_score(labels, said)
        return {
            "f1": sk.f1_score(labels, said),
            "balanced-accuracy": sk.balanced_accuracy_score(labels, said),
            "precision": sk.precision_score(labels, said, zero_division=0),
            "recall": recall,
        }

    everything = [at(threshold) for threshold in tried]
    for aim in ("f1", "balanced-accuracy"):
        found = choose_threshold(labels, scores, aim)
        assert 0 < found < 1
        # Scores of exactly 0 and 1 lie outside what a threshold can be, and may cost it something.
        if scores.min() > 0:
            assert at(found)[aim] == pytest.approx(max(each[aim] for each in everything))
    if scores.min() > 0:
        got = at(choose_threshold(labels, scores, "recall=0.8"))
        reached = [each["precision"] for each in everything if each["recall"] >= 0.8]
        assert got["recall"] >= 0.8
        assert got["precision"] == pytest.approx(max(reached))
        got = at(choose_threshold(labels, scores, "precision=0.9"))
        reached = [each["recall"] for each in everything if each["precision"] >= 0.9]
        if reached:
            assert got["precision"] >= 0.9
            assert got["recall"] == pytest.approx(max(reached))
        else:
            assert got["precision"] == pytest.approx(max(each["precision"] for each in everything))


@pytest.mark.parametrize(
    "wrong", ["accuracy", "precision", "precision=2", "recall=x", "f1=0.9", "recall=nan", ""]
)
def test_an_aim_that_is_none_is_refused(wrong):
    with pytest.raises(UsageError, match="--optimize"):
        choose_threshold([0, 1], [0.1, 0.9], wrong)


# -- the temperature -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_the_temperature_that_spoilt_the_logits_is_found_again(k, temperature):
    random = np.random.default_rng(0)
    logits = random.normal(scale=2, size=(20000, k))
    full = np.concatenate([np.zeros((20000, 1)), logits], axis=1) if k == 1 else logits
    chances = np.exp(full) / np.exp(full).sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) < random.random((20000, 1))).sum(axis=1)
    assert fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.05)


def test_certainty_is_bounded_by_how_few_photos_vouch_for_it():
    logits, labels = np.array([4.0, 4.0, -4.0, -4.0]), [1, 1, 0, 0]
    # Four of four right: (4 + 1) / (4 + 2).
    assert 1 / (1 + math.exp(-4 / fit_temperature(logits, labels))) == pytest.approx(5 / 6, abs=1e-3)
    # Many classes with few photos of each are not held to doubt more than they err.
    spread = np.eye(8)[np.repeat(np.arange(8), 9)] * 6.0
    sure = np.exp(6 / (t := fit_temperature(spread, np.repeat(np.arange(8), 9))))
    assert sure / (sure + 7) == pytest.approx(73 / 74, abs=1e-3), t
    assert fit_temperature([], []) == 1.0
    assert fit_temperature([0.0, 0.0], [0, 1]) == 1.0
