"""Network input -> logits. One small class per engine, each importing its library only when it is made.

What runs on a GPU in batches of its own is `torch_engine`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from sorter.model.folder import ONNX, ONNX_INT8, Model
from sorter.types import SorterError, check_above_zero

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENGINES = ("onnx", "openvino", "torch")
PRECISIONS = ("fp32", "fp16", "bf16", "int8")
# What a device is called -> ONNX Runtime's execution provider for it, and the package that has it.
PROVIDERS = {
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "tensorrt": ("TensorrtExecutionProvider", "onnxruntime-gpu"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml"),
}


class EngineError(SorterError):
    """An engine that is not installed, or cannot do what it is asked for."""


@dataclass(frozen=True)
class Choice:
    """Which engine runs the model, and how exactly.

    Attributes:
        engine: `onnx` (ONNX Runtime), `openvino` or `torch`.
        precision: `fp32`, `fp16`, `bf16` or `int8`.
        device: `cpu`, `coreml`, or a kind and which of them: `cuda:0`, or several, `cuda:0,1`.
        threads: CPU threads of one engine; 1 where every core has a process of its own.
        decode: where JPEGs are decoded: `cpu`, or `gpu` for the device itself.
    """

    engine: str
    precision: str
    device: str = "cpu"
    threads: int = 1
    decode: str = "cpu"

    @property
    def kind(self) -> str:
        return self.device.partition(":")[0]

    @property
    def each(self) -> tuple[Choice, ...]:
        """The same for each of its devices."""
        kind, _, numbers = self.device.partition(":")
        if not numbers:
            return (self,)
        return tuple(replace(self, device=f"{kind}:{number}") for number in numbers.split(","))

    @property
    def apart(self) -> bool:
        """Has the device a process of its own, that takes batches?"""
        return self.engine == "torch" or self.kind != "cpu"

    def __str__(self) -> str:
        where = "" if self.device == "cpu" else f" on {self.device}"
        return f"{self.engine} {self.precision}{where}" + (", JPEGs too" if self.decode == "gpu" else "")


@dataclass(frozen=True)
class EngineOptions:
    """The engine that flags ask for. The trial decides what is `auto`.

    Attributes:
        engine: `auto`, `onnx`, `openvino` or `torch`.
        precision: `auto`, `fp32`, `fp16`, `bf16` or `int8`.
        device: one of `devices.FORMS`. Each of several GPUs gets a process.
        decode: where large JPEGs are decoded: `cpu`, `gpu` or `auto`.
        batch_size: photos in one inference on a GPU; None for the engine's own number.
    """

    engine: str = "auto"
    precision: str = "auto"
    device: str = "auto"
    decode: str = "cpu"
    batch_size: int | None = None

    def check(self) -> None:
        """Raise UsageError for a batch size below one."""
        check_above_zero(batch_size=self.batch_size)


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
        milliseconds: median for one photo, without decoding; in batches where the device has a process of its own, and
            then with what decoding it does.
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


@dataclass(frozen=True)
class Trial:
    """Verdicts on several choices, all on the same photos.

    Attributes:
        verdicts: one for each that can run here; none where too few photos could be decoded.
        decode_milliseconds: mean of one photo on one core, preprocessing included.
    """

    verdicts: tuple[Verdict, ...]
    decode_milliseconds: float

    def pace(self, verdict: Verdict, cores: int) -> float:
        """Photos a second that this machine would do, for the slower of decoding and inferring."""
        choice, infer = verdict.choice, 1e3 * len(verdict.choice.each) / verdict.milliseconds
        if choice.decode == "gpu":
            return infer
        if choice.apart:
            return min(infer, 1e3 * cores / self.decode_milliseconds)
        return 1e3 * cores / (self.decode_milliseconds + verdict.milliseconds)


class Engine(Protocol):
    """float32 (n, 3, size, size) -> float32 (n, outputs)."""

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]: ...


class OnnxEngine:
    """ONNX Runtime, on the CPU or by whichever execution provider the installed build has for the device."""

    def __init__(self, model: Model, choice: Choice) -> None:
        import onnxruntime

        provider, package = PROVIDERS[choice.kind]
        if provider not in onnxruntime.get_available_providers():
            raise EngineError(
                f"--device {choice.device}: this ONNX Runtime has no {provider}; `pip install {package}` in place of "
                "the one that is installed, or use --device cpu"
            )
        if choice.precision not in ("fp32", "int8"):
            raise EngineError(f"--engine onnx: does not do {choice}; use --engine openvino or torch")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = choice.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if choice.kind == "directml":  # its documentation demands both
            options.enable_mem_pattern = False
            options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        settings = provider_settings(choice)
        # What a provider has no kernel for runs on the CPU.
        providers = [(provider, settings)] + [PROVIDERS["cpu"][0]] * (choice.kind != "cpu")
        path = model.path(_onnx_file(choice.precision))
        self._session = onnxruntime.InferenceSession(path, options, providers=providers)
        if provider not in self._session.get_providers():  # its libraries are missing: it only warns
            raise EngineError(
                f"--device {choice.device}: ONNX Runtime could not start {provider}; check the driver and the CUDA "
                "libraries that it needs, or use --device cpu"
            )
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return logits


def provider_settings(choice: Choice) -> dict[str, str]:
    """What the device's execution provider is told. TensorRT keeps what it builds, which takes minutes."""
    number = choice.device.partition(":")[2]
    settings = {"device_id": number} if number and choice.kind != "cpu" else {}
    if choice.kind == "tensorrt":
        from platformdirs import user_cache_path

        kept = user_cache_path("sorter") / "tensorrt"
        settings |= {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(kept)}
    return settings


class OpenVinoEngine:
    """OpenVINO on the CPU, from the same ONNX files."""

    def __init__(self, model: Model, choice: Choice) -> None:
        import openvino
        from platformdirs import user_cache_path

        if choice.device != "cpu" or choice.precision == "fp16":
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


def _onnx_file(precision: str) -> str:
    return ONNX_INT8 if precision == "int8" else ONNX
