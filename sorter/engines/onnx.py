"""ONNX Runtime: float32 and int8 networks on the CPU and on every device that an execution provider reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.engines.choice import Choice, EngineError
from sorter.engines.familiarity import UnfamiliarOutput
from sorter.model.folder import Model
from sorter.system import cache_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Kind of device -> the execution provider of ONNX Runtime, and the package that contains it.
PROVIDERS = {
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "tensorrt": ("TensorrtExecutionProvider", "onnxruntime-gpu"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml"),
}


class OnnxEngine:
    """A network in ONNX Runtime, on the execution provider of the chosen device.

    Raises:
        EngineError: the installed ONNX Runtime lacks the provider, cannot start it, or lacks the precision.
    """

    def __init__(self, model: Model, choice: Choice) -> None:
        import onnxruntime

        provider, package = PROVIDERS[choice.kind]
        if provider not in onnxruntime.get_available_providers():
            raise EngineError(
                f"--device {choice.device}: the installed ONNX Runtime has no {provider}; replace it by "
                f"`pip install {package}`, or use --device cpu"
            )
        if choice.precision not in ("fp32", "int8"):
            raise EngineError(f"--engine onnx: does not support {choice}; use --engine openvino or torch")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = choice.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if choice.kind == "directml":  # DirectML requires both settings
            options.enable_mem_pattern = False
            options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        settings = provider_settings(choice)
        # Operators without a kernel in the provider run on the CPU.
        providers = [(provider, settings)] + [PROVIDERS["cpu"][0]] * (choice.kind != "cpu")
        self._unfamiliar = UnfamiliarOutput(model, choice) if choice.unfamiliar else None
        network = self._unfamiliar.network if self._unfamiliar else model.path(choice.onnx_file)
        self._session = onnxruntime.InferenceSession(network, options, providers=providers)
        if (
            provider not in self._session.get_providers()
        ):  # ONNX Runtime only warns when libraries are missing
            raise EngineError(
                f"--device {choice.device}: ONNX Runtime could not start {provider}; check the driver and the CUDA "
                "libraries that it needs, or use --device cpu"
            )
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        logits: NDArray[np.float32]
        logits, *features = self._session.run(None, {self._input: batch})
        return self._unfamiliar.joined(logits, features[0]) if self._unfamiliar else logits


def provider_settings(choice: Choice) -> dict[str, str]:
    """Settings of the execution provider. TensorRT's builds take minutes, so they are cached per user."""
    number = choice.device.partition(":")[2]
    settings = {"device_id": number} if number and choice.kind != "cpu" else {}
    if choice.kind == "tensorrt":
        cache = cache_folder("tensorrt")
        if cache is not None:
            settings |= {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(cache)}
    return settings
