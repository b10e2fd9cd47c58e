"""How well an engine and precision agrees with float32, and how fast it is."""

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

if TYPE_CHECKING:
    from numpy.typing import NDArray

AGREE = 0.99  # of the photos get the label that float32 gives
DRIFT = 0.02  # mean absolute difference of probability that is let pass
LOSS = 0.005  # of the labelled photos may turn wrong, less those that turn right


def compare(
    model: Model,
    inputs: Sequence[NDArray[np.float32]],
    choices: Sequence[Choice],
    labels: Sequence[int] | None = None,
    at_once: int = 1,
) -> list[Verdict]:
    """Run every choice on the same inputs and compare it with float32 on ONNX Runtime.

    Args:
        inputs: normalised photos, each float32 (1, 3, size, size).
        choices: those that cannot run here (no package, no such arithmetic) are left out of the answer.
        labels: each photo's index into the model's classes, where known: accuracy is then compared, too.
        at_once: choices that run side by side; what they say is the same, but with several their speed means nothing.
    """
    with ThreadPoolExecutor(at_once) as pool:
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
    """As `compare`, for engines that have a device to themselves; several devices are judged by their first.

    Args:
        pixels: n photos as the CPU decodes and preprocesses them, uint8 (n, size, size, 3).
        files: the same photos for a device that decodes; None where it leaves one to the CPU.
    """
    expected, _ = _run(model, REFERENCE, [model.preprocess.normalise(one[None]) for one in pixels])
    verdicts = []
    for choice in choices:
        rows = [file if file and choice.decode == "gpu" else at for at, file in enumerate(files)]
        try:
            engine = load_device_engine(model, choice.each[0], pixels, batch_size)
            engine.submit(rows)()  # the first batch allocates and selects kernels
            began = time.perf_counter()
            answer = engine.submit(rows)()
            milliseconds = (time.perf_counter() - began) * 1e3 / len(rows)
            logits = answer.logits
            if answer.refused:  # those the CPU decodes, in a run as here
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
    passed = agreement >= AGREE and drift <= DRIFT and (lost is None or lost < LOSS)
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
    if model.positive is not None:
        at = model.classes.index(model.positive)
        return np.where(probabilities[:, at] >= model.threshold, at, 1 - at)
    labels: NDArray[np.int64] = np.argmax(probabilities, axis=1)
    return labels
