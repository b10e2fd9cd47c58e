"""An engine or precision is used only where it agrees with float32 on the user's own photos."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from support.models import make_model
from support.photos import BLUE, RED, make_photo

from sorter.engines.choice import Choice, EngineError, EngineOptions, Trial, Verdict
from sorter.engines.compare import FEW, compare_in_turn
from sorter.model.folder import ONNX, ONNX_INT8, Model, write_model
from sorter.pipeline import trial as gate
from sorter.pipeline.trial import choose_engine, fastest
from sorter.types import Failure, Limits, Reason


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    return [
        make_photo(folder / f"{number}.jpg", RED if number % 2 else BLUE, (40, 40), seed=number)
        for number in range(gate.PHOTOS)
    ]


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def model_with_int8(folder: Path, wrong: bool) -> Model:
    """Its "int8" network is the float32 one, or one that says the opposite."""
    model = make_model(folder)
    source = make_model(folder / "other", ("blue", "red")).folder if wrong else folder
    if wrong:
        import onnx

        network = onnx.load(source / ONNX)
        weights = onnx.numpy_helper.to_array(network.graph.initializer[0])
        network.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(-weights, "weights"))
        onnx.save(network, folder / ONNX_INT8)
    else:
        shutil.copy(source / ONNX, folder / ONNX_INT8)
    return write_model(model)


@pytest.mark.parametrize("wrong", [True, False])
def test_a_precision_that_disagrees_is_never_chosen(tmp_path: Path, photos: list[Path], wrong: bool) -> None:
    model = model_with_int8(tmp_path / "model", wrong)
    said: list[str] = []
    choice = choose_engine(model, EngineOptions("auto", "auto", "cpu"), photos, Limits(), said.append)
    told = "\n".join(said)
    assert "openvino int8" in told and "onnx int8" in told
    if wrong:
        assert choice.precision != "int8"
        assert "onnx int8" in told and "agrees with float32 on 0%: not used" in told
    else:
        assert "not used" not in told


def test_the_verdict_is_kept(tmp_path: Path, photos: list[Path]) -> None:
    model = make_model(tmp_path / "model")
    said: list[str] = []
    first = choose_engine(model, EngineOptions("auto", "auto", "cpu"), photos, Limits(), said.append)
    assert said
    said.clear()
    assert (
        choose_engine(model, EngineOptions("auto", "auto", "cpu"), iter(()), Limits(), said.append) == first
    )
    assert not said
    # Another model is another question.
    other = make_model(tmp_path / "other", temperature=3.0)
    choose_engine(other, EngineOptions("auto", "auto", "cpu"), photos, Limits(), said.append)
    assert said


def test_too_few_photos_mean_float32_and_no_verdict(tmp_path: Path, photos: list[Path]) -> None:
    model = model_with_int8(tmp_path / "model", wrong=False)
    assert (
        choose_engine(
            model, EngineOptions("auto", "auto", "cpu"), photos[:50], Limits(), lambda _: None
        ).precision
        == "fp32"
    )
    broken = [*photos[:50], *[tmp_path / f"gone{number}.jpg" for number in range(70)]]
    assert (
        choose_engine(model, EngineOptions("auto", "auto", "cpu"), broken, Limits(), lambda _: None).precision
        == "fp32"
    )
    assert not list((tmp_path / "cache").rglob("*.json"))


@dataclass(frozen=True)
class Dies:
    """A trial whose engine takes its process with it."""

    arguments: tuple[object, ...]

    def __call__(self) -> Failure:
        return os.kill(os.getpid(), signal.SIGKILL) or Failure(Reason.CORRUPT)


def test_a_trial_that_crashes_is_told_of_and_forgotten(
    tmp_path: Path, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "Measure", lambda *arguments: Dies(arguments))
    said: list[str] = []
    model = make_model(tmp_path / "model")
    assert (
        choose_engine(model, EngineOptions(device="cpu"), photos, Limits(), said.append).precision == "fp32"
    )
    assert "Failed (decoder-crashed). openvino fp32 is used" in said[-1]
    assert not list((tmp_path / "cache").rglob("*.json"))


def test_what_is_asked_for_is_used_or_refused(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    assert choose_engine(model, EngineOptions("onnx", "fp32", "cpu"), (), Limits(), lambda _: None) == Choice(
        "onnx", "fp32"
    )
    with pytest.raises(EngineError, match=r"no model\.int8\.onnx"):
        choose_engine(model, EngineOptions("auto", "int8", "cpu"), (), Limits(), lambda _: None)
    with pytest.raises(EngineError, match="does not run on cuda"):
        choose_engine(model, EngineOptions("openvino", "auto", "cuda:1"), (), Limits(), lambda _: None)
    with pytest.raises(EngineError, match="--decode gpu: needs torch"):
        choose_engine(model, EngineOptions("onnx", "auto", "cpu", "gpu"), (), Limits(), lambda _: None)
    assert (
        choose_engine(model, EngineOptions("torch", "auto", "cpu"), (), Limits(), lambda _: None).engine
        == "torch"
    )


def verdict(choice: Choice, milliseconds: float, passed: bool = True) -> Verdict:
    return Verdict(choice, 100, 1.0, 0.0, 0.0, milliseconds, passed)


def test_fastest_takes_the_quickest_that_passed() -> None:
    quick_but_wrong = verdict(Choice("openvino", "fp32"), 1, passed=False)
    slow = verdict(Choice("onnx", "fp32"), 9)
    chosen = fastest(Trial((quick_but_wrong, slow), 1.0), 2)
    assert chosen is not None and chosen.engine == "onnx"
    assert fastest(Trial((quick_but_wrong,), 1.0), 2) is None


@pytest.mark.parametrize(
    ("decode_milliseconds", "cores", "best"),
    [
        (30, 2, "fp16, JPEGs too"),  # decoders do 67 a second, the GPU 200
        (1, 16, "fp32"),  # decoding holds nothing up, and float32 is as quick as decoders fill its batches
        (30, 16, "fp32"),  # decoders do 533 a second
    ],
)
def test_what_is_fastest_depends_on_who_waits_for_whom(
    decode_milliseconds: float, cores: int, best: str
) -> None:
    choices = [
        (Choice("torch", "fp32", "cuda:0"), 0.05),
        (Choice("torch", "fp16", "cuda:0"), 0.05),
        (Choice("torch", "fp16", "cuda:0", decode="gpu"), 5.0),
    ]
    trial = Trial(tuple(verdict(choice, ms) for choice, ms in choices), decode_milliseconds)
    assert best in str(fastest(trial, cores)).replace(" on cuda:0", "")


def test_several_devices_share_the_work() -> None:
    two = Choice("torch", "fp16", "cuda:0,1")
    assert [each.device for each in two.per_device] == ["cuda:0", "cuda:1"]
    assert Trial((), 0.001).photos_per_second(verdict(two, 2.0), 64) == 1000


def test_only_the_fastest_that_agrees_runs_on_every_photo(tmp_path: Path, photos: list[Path]) -> None:
    choices = tuple(gate.candidates(make_model(tmp_path / "model"), EngineOptions(), "cpu"))
    trial = gate.Measure(make_model(tmp_path / "model"), tuple(photos), choices, gate.PHOTOS, 1)()
    counts = sorted(verdict.photos for verdict in trial.verdicts)
    assert counts == [FEW] * (len(counts) - 1) + [gate.PHOTOS]
    assert all(verdict.passed for verdict in trial.verdicts)
    chosen = fastest(trial, 2)
    assert [verdict.choice for verdict in trial.verdicts if verdict.photos == gate.PHOTOS] == [chosen]


def test_an_engine_that_fails_on_more_photos_gives_way_to_the_next(tmp_path: Path) -> None:
    """It agrees on the first photos, and not on those behind them."""
    model = model_with_int8(tmp_path / "model", wrong=True)
    spec, size = model.preprocess, model.preprocess.size
    grey = spec.normalise(np.full((1, size, size, 3), 128, np.uint8))
    red = spec.normalise(np.full((1, size, size, 3), (220, 30, 30), np.uint8))
    wrong, right = Choice("onnx", "int8"), Choice("onnx", "fp32")
    verdicts = {
        each.choice: each for each in compare_in_turn(model, [grey] * FEW + [red] * 50, [wrong, right])
    }
    assert not verdicts[wrong].passed
    assert verdicts[right].passed and verdicts[right].photos == FEW + 50
