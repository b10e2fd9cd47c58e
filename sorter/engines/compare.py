"""Compare engines and precisions with float32: agreement of labels, difference of probabilities, speed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
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
FEW = 16  # photos that a choice is timed on
LEAST_ON_FEW = (
    0.75  # fraction of them with the label of float32: one that passes on more has that but once in 10,000
)
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
            choice: pool.submit(_ran, model, choice, inputs)
            for choice in dict.fromkeys((REFERENCE, *choices))
        }
    reference = runs[REFERENCE].result()
    verdicts = []
    for choice in choices:
        try:
            verdicts.append(runs[choice].result().verdict(reference, labels))
        except (EngineError, ModelError):
            continue
    return verdicts


def compare_in_turn(
    model: Model, inputs: Sequence[NDArray[np.float32]], choices: Sequence[Choice]
) -> list[Verdict]:
    """As `compare`, but most choices run on the first `FEW` inputs only, which is enough for their speed.

    The fastest of those that mostly agree runs on all inputs. If it fails there, the next one does.

    Returns:
        Verdicts in the order of `choices`. Those of choices that did not run on all inputs have fewer `photos`.
    """
    with ThreadPoolExecutor(2) as pool:  # a network is compiled outside of Python
        every = list(dict.fromkeys((REFERENCE, *choices)))
        loaded = zip(every, pool.map(partial(_Runner.load, model), every), strict=True)
        runners = {choice: runner for choice, runner in loaded if runner is not None}
    if REFERENCE not in runners:
        raise EngineError(f"{model.folder}: {REFERENCE} cannot run it, and the others are compared with it")
    reference = runners[REFERENCE]
    for runner in runners.values():  # one after another, as each is timed
        runner.run(inputs[:FEW])
    verdicts = {each: runners[each].verdict(reference) for each in choices if each in runners}
    with ThreadPoolExecutor(1) as pool:  # labels are compared from here on, not speeds
        rest = pool.submit(reference.run, inputs[FEW:])
        for choice in sorted(verdicts, key=lambda each: verdicts[each].milliseconds):
            timed = verdicts[choice]
            if timed.agreement < LEAST_ON_FEW:
                continue
            if choice != REFERENCE:
                runners[choice].run(inputs[FEW:])
            rest.result()
            found = runners[choice].verdict(reference)
            verdicts[choice] = replace(found, milliseconds=timed.milliseconds)
            if found.passed:
                break
    return [verdicts[choice] for choice in choices if choice in verdicts]


class _Runner:
    """One choice and what it said of the inputs so far."""

    def __init__(self, model: Model, choice: Choice) -> None:
        self._model = model
        self._choice = choice
        self._engine = load_engine(model, choice)
        self._times: list[float] = []
        self.rows: list[tuple[float, ...]] = []

    @classmethod
    def load(cls, model: Model, choice: Choice) -> _Runner | None:
        """None where the choice cannot run on this machine."""
        try:
            return cls(model, choice)
        except (EngineError, ModelError):
            return None

    def run(self, inputs: Sequence[NDArray[np.float32]]) -> None:
        for one in inputs:
            began = time.perf_counter()
            logits = self._engine(one)[0]
            self._times.append(time.perf_counter() - began)
            self.rows.append(self._model.probabilities(tuple(map(float, logits))))

    @property
    def milliseconds(self) -> float:
        """The median of one photo."""
        return float(np.median(self._times)) * 1e3

    def verdict(self, reference: _Runner, labels: Sequence[int] | None = None) -> Verdict:
        expected = np.array(reference.rows[: len(self.rows)])
        return _verdict(self._model, self._choice, np.array(self.rows), expected, self.milliseconds, labels)


def _ran(model: Model, choice: Choice, inputs: Sequence[NDArray[np.float32]]) -> _Runner:
    runner = _Runner(model, choice)
    runner.run(inputs)
    return runner


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
    reference = _ran(model, REFERENCE, [model.preprocess.normalise(one[None]) for one in pixels])
    expected = np.array(reference.rows)
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


def _accuracy(model: Model, probabilities: NDArray[np.float64], labels: Sequence[int]) -> float:
    return float(np.mean(_labels(model, probabilities) == np.asarray(labels)))


def _labels(model: Model, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of each photo's class (n,)."""
    return predicted_classes(probabilities, Rule.of(model).positive_index, model.threshold)
