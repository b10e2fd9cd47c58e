"""Marks that a cross-validated model contradicts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from support.photos import BLUE, RED, make_photo

from sorter.engines.choice import EngineOptions
from sorter.evaluate.label_errors import doubtful_labels
from sorter.progress import NoProgress
from sorter.sort.options import SortOptions
from sorter.sort.review import Review
from sorter.sort.run import sort_folder
from sorter.train.doubtful import CheckOptions, find_doubtful_marks
from sorter.types import UsageError


def test_the_rule_on_a_case_that_was_worked_out_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7], [0.45, 0.55]])
    labels = np.array([0, 0, 0, 1, 1, 0])
    # Of class 0 the mean is (0.9 + 0.7 + 0.2 + 0.45) / 4 = 0.5625, of class 1 (0.9 + 0.7) / 2 = 0.8. The third is
    # confidently of class 1. The last is likelier of class 1, but not confidently so.
    assert doubtful_labels(labels, probabilities).tolist() == [False, False, True, False, False, False]


def test_three_classes_and_one_that_nobody_has() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 50)
    probabilities = np.full((100, 3), 0.05)
    probabilities[np.arange(100), labels] = 0.9
    probabilities += random.uniform(0, 0.01, probabilities.shape)
    probabilities[7] = (0.03, 0.95, 0.02)
    probabilities[60] = (0.02, 0.03, 0.95)  # nobody has this class, so no one knows what is usual for it
    probabilities /= probabilities.sum(1, keepdims=True)
    assert np.flatnonzero(doubtful_labels(labels, probabilities)).tolist() == [7]


@pytest.mark.slow
def test_a_slip_of_the_finger_is_found(tmp_path: Path, model: Path) -> None:
    for number in range(12):
        make_photo(tmp_path / "in" / f"red{number}.jpg", RED, (90 + 5 * number, 64), seed=number)
        make_photo(tmp_path / "in" / f"blue{number}.jpg", BLUE, (90 + 5 * number, 70), seed=100 + number)
    run = SortOptions(
        (tmp_path / "in",), tmp_path / "out", model, engine=EngineOptions("onnx", "fp32"), workers=1
    )
    sort_folder(run)
    options = CheckOptions(run.out, workers=1)
    with pytest.raises(UsageError, match="no photo has been corrected"):
        find_doubtful_marks(options, NoProgress())
    with closing(Review.open(run.out)) as review:
        photos = {each.path.name: each.id for each in review.photos()}
        review.confirm([photos[f"{name}{n}.jpg"] for name in ("red", "blue") for n in range(8)])
        review.assign([photos["red3.jpg"]], "blue")
    found = find_doubtful_marks(options, NoProgress())
    assert found.ids == (photos["red3.jpg"],)
    assert found.checked == 16
