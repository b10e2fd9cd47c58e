"""An engine or precision is used only where it agrees with float32 on the user's own photos."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import BLUE, RED, make_model, make_photo

from sorter import gate
from sorter.gate import choose, fastest, pick_device
from sorter.infer import Choice, EngineError, Verdict
from sorter.model import ONNX, ONNX_INT8, Model, write_model
from sorter.pipeline import Limits


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
    choice = choose(model, "auto", "auto", "cpu", photos, Limits(), said.append)
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
    first = choose(model, "auto", "auto", "cpu", photos, Limits(), said.append)
    assert said
    said.clear()
    assert choose(model, "auto", "auto", "cpu", iter(()), Limits(), said.append) == first
    assert not said
    # Another model is another question.
    other = make_model(tmp_path / "other", temperature=3.0)
    choose(other, "auto", "auto", "cpu", photos, Limits(), said.append)
    assert said


def test_too_few_photos_mean_float32_and_no_verdict(tmp_path: Path, photos: list[Path]) -> None:
    model = model_with_int8(tmp_path / "model", wrong=False)
    assert choose(model, "auto", "auto", "cpu", photos[:50], Limits(), lambda _: None).precision == "fp32"
    broken = [*photos[:50], *[tmp_path / f"gone{number}.jpg" for number in range(70)]]
    assert choose(model, "auto", "auto", "cpu", broken, Limits(), lambda _: None).precision == "fp32"
    assert not list((tmp_path / "cache").rglob("*.json"))


def test_what_is_asked_for_is_used_or_refused(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    assert choose(model, "onnx", "fp32", "cpu", (), Limits(), lambda _: None) == Choice("onnx", "fp32")
    with pytest.raises(EngineError, match=r"no model\.int8\.onnx"):
        choose(model, "auto", "int8", "cpu", (), Limits(), lambda _: None)
    with pytest.raises(EngineError, match="does not run on cuda"):
        choose(model, "onnx", "auto", "cuda:1", (), Limits(), lambda _: None)
    assert choose(model, "torch", "auto", "cpu", (), Limits(), lambda _: None).engine == "torch"


def test_fastest_takes_the_quickest_that_passed() -> None:
    def verdict(engine: str, milliseconds: float, passed: bool) -> Verdict:
        return Verdict(Choice(engine, "fp32"), 100, 1.0, 0.0, 0.0, milliseconds, passed)

    quick_but_wrong, slow = verdict("openvino", 1, False), verdict("onnx", 9, True)
    assert fastest([quick_but_wrong, slow]).engine == "onnx"
    assert fastest([quick_but_wrong]) == gate.REFERENCE


def test_devices() -> None:
    assert pick_device("cuda", "auto") == "cuda:0"
    assert pick_device("cuda:2", "torch") == "cuda:2"
    assert pick_device("cpu", "torch") == "cpu"
    assert pick_device("auto", "onnx") == "cpu"
