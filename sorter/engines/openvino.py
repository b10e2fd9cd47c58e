"""OpenVINO: float32, bfloat16 and int8 networks on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.engines.choice import Choice, EngineError
from sorter.model.folder import Model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class OpenVinoEngine:
    """A network in OpenVINO on the CPU, read from the ONNX files.

    Raises:
        EngineError: another device, or a precision that OpenVINO or this processor lacks.
    """

    def __init__(self, model: Model, choice: Choice) -> None:
        import openvino
        from platformdirs import user_cache_path

        if choice.device != "cpu" or choice.precision == "fp16":
            raise EngineError(f"--engine openvino: does not support {choice}; use --engine torch")
        core = openvino.Core()
        if choice.precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise EngineError("--precision bf16: this processor has no bfloat16 arithmetic; use fp32 or int8")
        network = core.read_model(model.path(choice.onnx_file))
        # One photo at a time, so that a score does not depend on the other photos of a batch.
        network.reshape({0: [1, 3, model.preprocess.size, model.preprocess.size]})
        compiled = core.compile_model(
            network,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": choice.threads,
                "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": "bf16" if choice.precision == "bf16" else "f32",
                "ENABLE_CPU_PINNING": False,
                # Compiling takes a second or more, so the result is cached per user.
                "CACHE_DIR": str(user_cache_path("sorter") / "openvino"),
            },
        )
        self._request = compiled.create_infer_request()

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        # Copied, because the next inference overwrites the request's buffer.
        return np.concatenate(
            [self._request.infer({0: one[None]}, share_inputs=True)[0].copy() for one in batch]
        )
