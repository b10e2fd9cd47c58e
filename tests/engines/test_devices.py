"""Values of `--device`, and what they stand for on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.models import make_model

from sorter.engines.choice import Choice, EngineError
from sorter.engines.devices import is_device, resolve
from sorter.engines.load import load_engine


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("all", True),
        ("cuda:0,3", True),
        ("coreml", True),
        ("directml:1", True),
        ("cuda:", False),
        ("gpu", False),
    ],
)
def test_what_a_device_may_be_called(text: str, valid: bool) -> None:
    assert is_device(text) is valid


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve("cuda", "auto") == "cuda:0"
    assert resolve("cuda:2", "torch") == "cuda:2"
    assert resolve("cuda:2,0,2", "torch") == "cuda:2,0"
    assert resolve("tensorrt", "onnx") == "tensorrt:0"
    assert resolve("cpu", "torch") == "cpu"
    assert resolve("auto", "openvino") == "cpu"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7,-1,2")
    assert resolve("all", "torch") == "cuda:0,1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(EngineError, match="--device all"):
        resolve("all", "torch")


def test_a_device_that_onnx_runtime_has_not(tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    for device, package in (("cuda:0", "onnxruntime-gpu"), ("directml:0", "onnxruntime-directml")):
        with pytest.raises(EngineError, match=f"pip install {package}"):
            load_engine(model, Choice("onnx", "fp32", device))
