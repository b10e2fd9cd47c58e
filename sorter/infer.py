"""Network input -> logits. One small class per engine, each importing its library only when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sorter.model import ONNX, ONNX_INT8, WEIGHTS, Model
from sorter.types import SorterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENGINES = ("onnx", "openvino", "torch")
PRECISIONS = ("fp32", "bf16", "int8")


class EngineError(SorterError):
    """An engine that is not installed, or cannot do what it is asked for."""


@dataclass(frozen=True)
class Choice:
    """Which engine runs the model, and how exactly.

    Attributes:
        engine: `onnx` (ONNX Runtime), `openvino` or `torch`.
        precision: `fp32`, `bf16` or `int8`.
        device: `cpu`, or `cuda:N` for torch.
        threads: CPU threads of one engine; 1 where every core has a process of its own.
    """

    engine: str
    precision: str
    device: str = "cpu"
    threads: int = 1

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}" + ("" if self.device == "cpu" else f" on {self.device}")


REFERENCE = Choice("onnx", "fp32")  # what every other choice is compared with


@dataclass(frozen=True)
class Verdict:
    """How one engine and precision did against float32 on ONNX Runtime.

    Attributes:
        choice: the engine and precision.
        photos: how many it was tried on.
        agreement: fraction that got the same label.
        mean_difference: of the probabilities, absolute.
        max_difference: likewise.
        milliseconds: median for one photo, without decoding.
        passed: it may be used.
        accuracy_lost: on labelled photos, the share got right by float32 less the share got right by this; None
            where there are no labels.
    """

    choice: Choice
    photos: int
    agreement: float
    mean_difference: float
    max_difference: float
    milliseconds: float
    passed: bool
    accuracy_lost: float | None = None


class Engine(Protocol):
    """float32 (n, 3, size, size) -> float32 (n, outputs)."""

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]: ...


def load_engine(model: Model, choice: Choice) -> Engine:
    """Make the engine in this process.

    Raises:
        EngineError: its package is missing, it does not have that precision or device, or cannot run the model.
        ModelError: the model folder lacks the file it needs.
    """
    makers: dict[str, Callable[[Model, Choice], Engine]] = {
        "onnx": OnnxEngine,
        "openvino": OpenVinoEngine,
        "torch": TorchEngine,
    }
    import numpy as np

    try:
        engine = makers[choice.engine](model, choice)
        size = model.preprocess.size
        # The first inference allocates and selects kernels, and shows whether the network fits its spec.
        engine(np.zeros((1, 3, size, size), np.float32))
        return engine
    except ImportError as error:
        extra = "sorter[train]" if choice.engine == "torch" else choice.engine
        raise EngineError(
            f"--engine {choice.engine}: {error.name or error} is not installed; `pip install {extra}` or choose another"
        ) from error
    except SorterError:
        raise
    except Exception as error:  # each engine has its own kinds
        raise EngineError(
            f"{model.folder}: --engine {choice.engine} cannot run this model ({_in_one_line(error)}); "
            "choose another --engine, or export the model anew"
        ) from error


class OnnxEngine:
    """ONNX Runtime on the CPU."""

    def __init__(self, model: Model, choice: Choice) -> None:
        import onnxruntime

        if choice.precision == "bf16" or choice.device != "cpu":
            raise EngineError(f"--engine onnx: does not do {choice}; use --engine openvino or torch")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = choice.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = model.path(_onnx_file(choice.precision))
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return logits


class OpenVinoEngine:
    """OpenVINO on the CPU, from the same ONNX files."""

    def __init__(self, model: Model, choice: Choice) -> None:
        import openvino
        from platformdirs import user_cache_path

        if choice.device != "cpu":
            raise EngineError(f"--engine openvino: does not do {choice}; use --engine torch")
        core = openvino.Core()
        if choice.precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise EngineError("--precision bf16: this processor has no bfloat16 arithmetic; use fp32 or int8")
        network = core.read_model(model.path(_onnx_file(choice.precision)))
        # One photo at a time: scores then cannot depend on which photos happen to share a batch.
        network.reshape({0: [1, 3, model.preprocess.size, model.preprocess.size]})
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": choice.threads,
                "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": "bf16" if choice.precision == "bf16" else "f32",
                "ENABLE_CPU_PINNING": False,
                # Compiling takes a second or more; the result is kept per user, keyed by the network.
                "CACHE_DIR": str(user_cache_path("sorter") / "openvino"),
            },
        )
        self._request = compiled.create_infer_request()

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        # Copied: the request hands out its own buffer, which the next photo fills anew.
        return np.concatenate(
            [self._request.infer({0: one[None]}, share_inputs=True)[0].copy() for one in batch]
        )


class TorchEngine:
    """PyTorch on a GPU, or on the CPU for the same code in tests."""

    def __init__(self, model: Model, choice: Choice) -> None:
        import torch
        from safetensors.torch import load_file

        from sorter.networks import build

        if choice.precision == "int8":
            raise EngineError("--engine torch: does not do int8; use fp32 or bf16")
        if choice.device.startswith("cuda") and not torch.cuda.is_available():
            raise EngineError(f"--device {choice.device}: torch sees no CUDA device; use --device cpu")
        self._torch = torch
        self._device = torch.device(choice.device)
        if choice.device == "cpu":
            torch.set_num_threads(choice.threads)
        self._dtype = torch.bfloat16 if choice.precision == "bf16" else torch.float32
        network: Any = build(model.backbone, model.outputs)
        network.load_state_dict(load_file(model.path(WEIGHTS)))
        self._network = network.eval().to(self._device, self._dtype, memory_format=torch.channels_last)
        spec = model.preprocess
        self._mean = torch.tensor(spec.mean, device=self._device).view(1, 3, 1, 1) * 255
        self._std = torch.tensor(spec.std, device=self._device).view(1, 3, 1, 1) * 255

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._run(self._torch.from_numpy(batch).to(self._device))

    def from_pixels(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, size, size, 3) -> float32 (n, outputs): a quarter of the bytes cross to the device."""
        pixels = self._torch.from_numpy(batch).to(self._device, non_blocking=True)
        pixels = pixels.permute(0, 3, 1, 2).to(self._torch.float32)
        return self._run((pixels - self._mean) / self._std)

    def _run(self, inputs: Any) -> NDArray[np.float32]:
        with self._torch.inference_mode():
            logits = self._network(inputs.to(self._dtype, memory_format=self._torch.channels_last))
            array: NDArray[np.float32] = logits.float().cpu().numpy()
            return array


def _in_one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]} ..."


def _onnx_file(precision: str) -> str:
    return ONNX_INT8 if precision == "int8" else ONNX
