"""Load the engine that a `Choice` names, in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from sorter.distribution import install_command
from sorter.engines.choice import Choice, EngineError
from sorter.engines.onnx import OnnxEngine
from sorter.engines.openvino import OpenVinoEngine
from sorter.engines.torch import BatchLogits, Row, TorchEngine
from sorter.model.folder import Model
from sorter.types import SorterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sorter.photos.preprocess import Preprocess


Made = TypeVar("Made")


class Engine(Protocol):
    """A network on the CPU: float32 (n, 3, size, size), normalised, to logits, float32 (n, outputs)."""

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]: ...


class DeviceEngine(Protocol):
    """An engine in a device's own process. It takes rows of the ring in batches.

    `batch_size` may shrink while it works, as memory runs out.
    """

    batch_size: int

    def submit(self, rows: Sequence[Row]) -> Callable[[], BatchLogits]:
        """Start a batch. The returned call waits for its end. Batches end in the order they were started."""
        ...


def load_engine(model: Model, choice: Choice) -> Engine:
    """Load an engine for a worker process.

    Raises:
        EngineError: its package is missing, it lacks that precision or device, or it cannot run the model.
        ModelError: the model folder lacks the file it needs.
    """
    makers: dict[str, Callable[[Model, Choice], Engine]] = {
        "onnx": OnnxEngine,
        "openvino": OpenVinoEngine,
        "torch": TorchEngine,
    }

    def load() -> Engine:
        import numpy as np

        engine = makers[choice.engine](model, choice)
        size = model.preprocess.size
        # The first inference allocates memory, selects kernels, and checks the network's shapes.
        logits = engine(np.zeros((1, 3, size, size), np.float32))
        if logits.shape != (1, model.outputs + choice.unfamiliar):
            raise EngineError(
                f"{model.folder}: outputs of the network: {logits.size}; outputs that {len(model.classes)} classes "
                f"need: {model.outputs}; copy the model folder again"
            )
        return engine

    return _with_engine_errors(load, model, choice)


def load_device_engine(
    model: Model, choice: Choice, ring: NDArray[np.uint8], batch_size: int
) -> DeviceEngine:
    """Load the engine of a device that has its own process.

    Args:
        choice: of one device.
        ring: uint8 (slots, size, size, 3). Rows are numbers of its slots.
        batch_size: rows computed at once, at most.

    Raises:
        EngineError, ModelError: as for `load_engine`.
    """

    def load() -> DeviceEngine:
        if choice.engine == "torch":
            return TorchEngine(model, choice, ring, batch_size)
        return _SynchronousEngine(load_engine(model, choice), model.preprocess, ring, batch_size)

    return _with_engine_errors(load, model, choice)


@dataclass
class _SynchronousEngine:
    """A device engine that computes within `submit` and normalises on the CPU."""

    engine: Engine
    spec: Preprocess
    ring: NDArray[np.uint8]
    batch_size: int

    def submit(self, rows: Sequence[Row]) -> Callable[[], BatchLogits]:
        import numpy as np

        slots = [row for row in rows if isinstance(row, int)]
        if len(slots) != len(rows):
            raise EngineError("--decode gpu: needs --engine torch")
        parts = [slots[at : at + self.batch_size] for at in range(0, len(slots), self.batch_size)]
        logits = [self.engine(self.spec.normalise(self.ring[part])) for part in parts]
        answer = BatchLogits(np.concatenate(logits))
        return lambda: answer


def _with_engine_errors(make: Callable[[], Made], model: Model, choice: Choice) -> Made:
    """Call `make` and turn what an engine raises into EngineError."""
    try:
        return make()
    except ImportError as error:
        command = install_command("train") if choice.engine == "torch" else f"pip install {choice.engine}"
        raise EngineError(
            f"--engine {choice.engine}: {error.name or error} is not installed; run `{command}`, or choose another"
        ) from error
    except SorterError:
        raise
    except Exception as error:  # each engine raises its own classes
        raise EngineError(
            f"{model.folder}: --engine {choice.engine} cannot run this model ({_one_line(error)}); "
            "choose another --engine, or export the model anew"
        ) from error


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]} ..."
