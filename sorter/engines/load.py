"""The engine that a choice names, made in this process: for one batch after another, or for a device of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from sorter.engines.choice import Choice, Engine, EngineError, OnnxEngine, OpenVinoEngine
from sorter.engines.torch import BatchLogits, Row, TorchEngine
from sorter.model.folder import Model
from sorter.types import SorterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sorter.photos.preprocess import Preprocess


Made = TypeVar("Made")


class DeviceEngine(Protocol):
    """An engine that has a device to itself and takes rows of the ring in batches.

    `batch_size` may shrink while it works, as memory runs out.
    """

    batch_size: int

    def submit(self, rows: Sequence[Row]) -> Callable[[], BatchLogits]:
        """Begin a batch; what is returned waits for its end. Batches end in the order they were begun."""
        ...


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

    def made() -> Engine:
        import numpy as np

        engine = makers[choice.engine](model, choice)
        size = model.preprocess.size
        # The first inference allocates and selects kernels, and shows whether the network fits its spec.
        logits = engine(np.zeros((1, 3, size, size), np.float32))
        if logits.shape != (1, model.outputs):
            raise EngineError(
                f"{model.folder}: outputs of the network: {logits.size}; outputs that {len(model.classes)} classes "
                f"need: {model.outputs}; copy the model folder again"
            )
        return engine

    return _explained(made, model, choice)


def load_device_engine(
    model: Model, choice: Choice, ring: NDArray[np.uint8], batch_size: int
) -> DeviceEngine:
    """Make the engine that this process is for.

    Args:
        choice: of one device.
        ring: uint8 (slots, size, size, 3), where rows are found.
        batch_size: rows computed at once, at most.

    Raises:
        EngineError, ModelError: as for `load_engine`.
    """

    def made() -> DeviceEngine:
        if choice.engine == "torch":
            return TorchEngine(model, choice, ring, batch_size)
        return _OneAtATime(load_engine(model, choice), model.preprocess, ring, batch_size)

    return _explained(made, model, choice)


@dataclass
class _OneAtATime:
    """An engine that knows nothing of devices: computes at once, and normalises on the CPU."""

    engine: Engine
    spec: Preprocess
    ring: NDArray[np.uint8]
    batch_size: int

    def submit(self, rows: Sequence[Row]) -> Callable[[], BatchLogits]:
        import numpy as np

        slots = [row for row in rows if isinstance(row, int)]
        if len(slots) != len(rows):
            raise EngineError("--decode gpu: takes --engine torch")
        parts = [slots[at : at + self.batch_size] for at in range(0, len(slots), self.batch_size)]
        logits = [self.engine(self.spec.normalise(self.ring[part])) for part in parts]
        answer = BatchLogits(np.concatenate(logits))
        return lambda: answer


def _explained(make: Callable[[], Made], model: Model, choice: Choice) -> Made:
    """What `make` makes; what it raises, in a user's words."""
    try:
        return make()
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


def _in_one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]} ..."
