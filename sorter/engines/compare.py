"""Compare engines and precisions with float32: agreement of labels, difference of probabilities, speed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from sorter.engines.choice import REFERENCE, Choice, EngineError, Verdict
from sorter.engines.jpeg import Jpeg
from sorter.engines.load import load_device_engine, load_engine
from sorter.model.folder import Model, ModelError
from sorter.model.labels import predicted_classes
from sorter.model.rule import Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_AGREEMENT = 0.99  # fraction of photos with the label of float32
MAX_MEAN_DIFFERENCE = 0.02  # of probabilities
MAX_ACCURACY_LOST = 0.005  # fraction of labelled photos; a choice has to lose less


def compare(
    model: Model,
    inputs: Sequence[NDArray[np.float32]],
    choices: Sequence[Choice],
    labels: Sequence[int] | None = None,
    parallel: int = 1,
) -> list[Verdict]:
    """Run every choice on the same inputs and compare it with float32 on ONNX Runtime.

    Args:
        inputs: normalised photos, each float32 (1, 3, size, size).
        choices: those that cannot run on this machine are left out of the result.
        labels: index of each photo's class. With labels the accuracy is compared, too.
        parallel: choices that run at the same time. Above 1 the measured speeds mean nothing.
    """
    with ThreadPoolExecutor(parallel) as pool:
        runs = {
            choice: pool.submit(_run, model, choice, inputs)
            for choice in dict.fromkeys((REFERENCE, *choices))
        }
    expected, _ = runs[REFERENCE].result()
    verdicts = []
    for choice in choices:
        try:
            got, milliseconds = runs[choice].result()
        except (EngineError, ModelError):
            continue
        verdicts.append(_verdict(model, choice, got, expected, milliseconds, labels))
    return verdicts


def compare_on_device(
    model: Model,
    pixels: NDArray[np.uint8],
    files: Sequence[Jpeg | None],
    choices: Sequence[Choice],
    batch_size: int,
) -> list[Verdict]:
    """As `compare`, for engines with a process of their own. Of several devices the first is measured.

    Args:
        pixels: n photos, decoded and preprocessed on the CPU, uint8 (n, size, size, 3).
        files: the same photos for a device that decodes. None for photos that the CPU has to decode.
    """
    expected, _ = _run(model, REFERENCE, [model.preprocess.normalise(one[None]) for one in pixels])
    verdicts = []
    for choice in choices:
        rows = [file if file and choice.decode == "gpu" else at for at, file in enumerate(files)]
        try:
            engine = load_device_engine(model, choice.per_device[0], pixels, batch_size)
            engine.submit(rows)()  # the first batch allocates memory and selects kernels
            began = time.perf_counter()
            answer = engine.submit(rows)()
            milliseconds = (time.perf_counter() - began) * 1e3 / len(rows)
            logits = answer.logits
            if answer.refused:  # the CPU decodes these, as in a run
                logits[list(answer.refused)] = engine.submit(answer.refused)().logits
        except (EngineError, ModelError):
            continue
        got = np.array([model.probabilities(tuple(map(float, row))) for row in logits])
        verdicts.append(_verdict(model, choice, got, expected, milliseconds, None))
    return verdicts


def _verdict(
    model: Model,
    choice: Choice,
    got: NDArray[np.float64],
    expected: NDArray[np.float64],
    milliseconds: float,
    labels: Sequence[int] | None,
) -> Verdict:
    same = _labels(model, got) == _labels(model, expected)
    differences = np.abs(got - expected).max(axis=1)
    agreement, drift = float(np.mean(same)), float(differences.mean())
    lost = None if labels is None else _accuracy(model, expected, labels) - _accuracy(model, got, labels)
    passed = (
        agreement >= MIN_AGREEMENT
        and drift <= MAX_MEAN_DIFFERENCE
        and (lost is None or lost < MAX_ACCURACY_LOST)
    )
    most = float(differences.max())
    return Verdict(choice, len(got), agreement, drift, most, milliseconds, passed, lost)


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


def _accuracy(model: Model, probabilities: NDArray[np.float64], labels: Sequence[int]) -> float:
    return float(np.mean(_labels(model, probabilities) == np.asarray(labels)))


def _labels(model: Model, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of each photo's class (n,)."""
    return predicted_classes(probabilities, Rule.of(model).positive_index, model.threshold)
