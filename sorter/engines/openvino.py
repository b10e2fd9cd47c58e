"""OpenVINO: float32, bfloat16 and int8 networks on the CPU."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sorter.engines.choice import Choice, EngineError
from sorter.engines.familiarity import UnfamiliarOutput
from sorter.model.folder import Model
from sorter.system import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

FILLED, LOCK = "filled", "lock"  # files in a folder of the cache
WAIT = 120  # seconds for another process to fill it; compiling takes a second or more


class OpenVinoEngine:
    """A network in OpenVINO on the CPU, read from the ONNX files.

    Raises:
        EngineError: another device, or a precision that OpenVINO or this processor lacks.
    """

    def __init__(self, model: Model, choice: Choice) -> None:
        import openvino

        if choice.device != "cpu" or choice.precision == "fp16":
            raise EngineError(f"--engine openvino: does not support {choice}; use --engine torch")
        core = openvino.Core()
        if choice.precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise EngineError("--precision bf16: this processor has no bfloat16 arithmetic; use fp32 or int8")
        self._unfamiliar = UnfamiliarOutput(model, choice) if choice.unfamiliar else None
        source = self._unfamiliar.network if self._unfamiliar else model.path(choice.onnx_file)
        network = core.read_model(source)
        # One photo at a time, so that a score does not depend on the other photos of a batch.
        network.reshape({0: [1, 3, model.preprocess.size, model.preprocess.size]})
        settings = {
            "INFERENCE_NUM_THREADS": choice.threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "bf16" if choice.precision == "bf16" else "f32",
            "ENABLE_CPU_PINNING": False,
        }
        key = [openvino.__version__, model.files[choice.onnx_file], model.preprocess.size, settings]
        key += [choice.unfamiliar] * choice.unfamiliar

        def compiled(cache: dict[str, str]) -> Any:
            return core.compile_model(network, "CPU", {**settings, **cache})

        self._request = _with_cache(compiled, repr(key)).create_infer_request()

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        return np.concatenate([self._infer(one[None]) for one in batch])

    def _infer(self, photo: NDArray[np.float32]) -> NDArray[np.float32]:
        found = self._request.infer({0: photo}, share_inputs=True)
        # Copied, because the next inference overwrites the request's buffer.
        return self._unfamiliar.joined(found[0], found[1]) if self._unfamiliar else found[0].copy()


def _with_cache(compiled: Callable[[dict[str, str]], Any], key: str) -> Any:
    """Compile with the user's cache, as compiling takes a second or more.

    One process fills the cache of a network, and the others wait for it. Two that write the same file at once fail.

    Args:
        compiled: compiles with further settings.
        key: all that the compiled network depends on.
    """
    from filelock import FileLock

    folder = cache_folder(f"openvino/{hashlib.sha256(key.encode()).hexdigest()[:32]}")
    if folder is None:
        return compiled({})
    cache = {"CACHE_DIR": str(folder)}
    # A cache that is full, damaged or on a disk without locks costs time, not the run.
    with suppress(OSError, NotImplementedError, RuntimeError):
        if not (folder / FILLED).exists():
            with FileLock(folder / LOCK, timeout=WAIT):
                return _fill(folder, lambda: compiled(cache))
        return compiled(cache)
    return compiled({})


def _fill(folder: Path, compiled: Callable[[], Any]) -> Any:
    if not (folder / FILLED).exists():
        for left in folder.glob("*.blob"):  # by a process that was killed
            left.unlink()
    network = compiled()
    (folder / FILLED).touch()
    return network
