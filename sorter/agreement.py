"""How well an engine and precision agrees with float32, and how fast it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sorter.infer import Choice, EngineError, Verdict, load_engine
from sorter.model import Model, ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFERENCE = Choice("onnx", "fp32")
AGREE = 0.99  # of the photos get the label that float32 gives
DRIFT = 0.02  # mean absolute difference of probability that is let pass


def measure(model: Model, inputs: Sequence[NDArray[np.float32]], choices: Sequence[Choice]) -> list[Verdict]:
    """Run every choice on the same inputs and compare it with float32 on ONNX Runtime.

    Args:
        inputs: normalised photos, each float32 (1, 3, size, size).
        choices: those that cannot run here (no package, no such arithmetic) are left out of the answer.
    """
    expected, reference_time = _run(model, REFERENCE, inputs)
    verdicts = []
    for choice in choices:
        try:
            got, milliseconds = (
                (expected, reference_time) if choice == REFERENCE else _run(model, choice, inputs)
            )
        except (EngineError, ModelError):
            continue
        same = _labels(model, got) == _labels(model, expected)
        differences = np.abs(got - expected).max(axis=1)
        agreement, drift = float(np.mean(same)), float(differences.mean())
        passed = agreement >= AGREE and drift <= DRIFT
        verdicts.append(
            Verdict(choice, len(inputs), agreement, drift, float(differences.max()), milliseconds, passed)
        )
    return verdicts


def _run(
    model: Model, choice: Choice, inputs: Sequence[NDArray[np.float32]]
) -> tuple[NDArray[np.float64], float]:
    """Probabilities (n, classes) and the median milliseconds of one photo."""
    engine = load_engine(model, choice)
    engine(inputs[0])
    rows, times = [], []
    for one in inputs:
        began = time.perf_counter()
        logits = engine(one)[0]
        times.append(time.perf_counter() - began)
        rows.append(model.probabilities(tuple(map(float, logits))))
    return np.array(rows), float(np.median(times)) * 1e3


def _labels(model: Model, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    if model.positive is not None:
        return (probabilities[:, model.classes.index(model.positive)] >= model.threshold).astype(np.int64)
    labels: NDArray[np.int64] = np.argmax(probabilities, axis=1)
    return labels
