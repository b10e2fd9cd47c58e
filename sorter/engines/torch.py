"""PyTorch on a GPU. The same code runs on the CPU, for tests.

Two batches are in flight, each with its own buffers and its own CUDA stream. While one computes, the next is uploaded
from pinned memory. On a GPU the network is captured once as a CUDA graph of the full batch size. A smaller last batch
runs through the same graph, so that a score does not depend on the batch size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sorter.engines.choice import Choice, EngineError
from sorter.engines.jpeg import DeviceDecoder, Jpeg, is_out_of_memory
from sorter.model.folder import WEIGHTS, Model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Row = int | Jpeg  # a slot of the ring, or a photo to decode
LANES = 2
WARM_UPS = 3  # runs before a graph is captured, in which libraries select kernels and allocate memory


@dataclass(frozen=True)
class BatchLogits:
    """Logits of a batch.

    Attributes:
        logits: float32 (n, outputs).
        refused: rows that the device could not decode. Their logits are meaningless.
    """

    logits: NDArray[np.float32]
    refused: tuple[int, ...] = ()


class TorchEngine:
    """A network of a model folder on one device.

    Args:
        choice: of one device.
        ring: uint8 (slots, size, size, 3), for `submit`.
        batch_size: rows computed at once. Halved whenever the device runs out of memory.

    Raises:
        EngineError: the device is missing, or torch lacks the precision.
    """

    def __init__(
        self, model: Model, choice: Choice, ring: NDArray[np.uint8] | None = None, batch_size: int = 1
    ) -> None:
        import torch
        from safetensors.torch import load_file

        from sorter.model.network import build

        dtypes = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
        if choice.precision not in dtypes:
            raise EngineError(f"--engine torch: does not support {choice.precision}; use {', '.join(dtypes)}")
        if choice.kind not in ("cpu", "cuda"):
            raise EngineError(f"--engine torch: does not run on {choice.device}; use --engine onnx")
        if choice.kind == "cuda" and not torch.cuda.is_available():
            raise EngineError(f"--device {choice.device}: torch sees no CUDA device; use --device cpu")
        if choice.kind == "cuda" and int(choice.device[5:]) >= torch.cuda.device_count():
            raise EngineError(
                f"--device {choice.device}: torch sees {torch.cuda.device_count()} CUDA devices"
            )
        self.batch_size = batch_size
        self._torch = torch
        self._device = torch.device("cpu" if choice.kind == "cpu" else choice.device)
        if choice.kind == "cpu":
            torch.set_num_threads(choice.threads)
        else:
            torch.cuda.set_device(self._device)
            torch.backends.cudnn.benchmark = True  # all batches have one shape
        self._dtype = dtypes[choice.precision]
        if choice.unfamiliar:
            raise EngineError(
                "--reject: does not work with --engine torch; use --engine onnx or --device cpu"
            )
        network: Any = build(model.backbone, model.outputs)
        network.load_state_dict(load_file(model.path(WEIGHTS)))
        self._network = network.eval().to(self._device, self._dtype, memory_format=torch.channels_last)
        self._outputs = model.outputs
        self._spec = model.preprocess
        self._mean = torch.tensor(self._spec.mean, device=self._device).view(1, 3, 1, 1) * 255
        self._std = torch.tensor(self._spec.std, device=self._device).view(1, 3, 1, 1) * 255
        self._ring = ring
        self._decoder = DeviceDecoder(self._spec, self._device) if choice.decode == "gpu" else None
        self._lanes: list[_Lane] = []

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._torch.inference_mode():
            inputs = self._torch.from_numpy(batch).to(self._device)
            logits: NDArray[np.float32] = self._logits(inputs).cpu().numpy()
            return logits

    def submit(self, rows: Sequence[Row]) -> Callable[[], BatchLogits]:
        """Start a batch. The returned call waits for its end. Batches end in the order they were started.

        Raises:
            EngineError: the device has too little memory for one photo.
        """
        import numpy as np

        parts: list[_Batch] = []
        while len(rows):
            batch = self._begun(rows[: self.batch_size])
            if batch is None:
                self._halve()
                continue
            parts.append(batch)
            rows = rows[len(batch.rows) :]

        def wait() -> BatchLogits:
            logits = np.concatenate([part.logits() for part in parts])
            refused, begun = [], 0
            for part in parts:
                refused += [begun + row for row in part.refused]
                begun += len(part.rows)
            return BatchLogits(logits, tuple(refused))

        return wait

    def _begun(self, rows: Sequence[Row]) -> _Batch | None:
        """Start a batch. None if the device is out of memory: this frame then holds no memory of it."""
        try:
            return self._lane().begin(rows)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return None

    def _lane(self) -> _Lane:
        """A new lane, or the one whose batch was started first."""
        if len(self._lanes) < LANES:
            self._lanes.append(_Lane(self))
        else:
            self._lanes.append(self._lanes.pop(0))
        return self._lanes[-1]

    def _halve(self) -> None:
        for lane in self._lanes:
            lane.finish()
        self._lanes = []
        if self._device.type == "cuda":
            self._torch.cuda.empty_cache()
        if self.batch_size == 1:
            raise EngineError(
                f"--device {self._device}: too little memory for this model; free some, or use --device cpu"
            )
        self.batch_size //= 2

    def _logits(self, inputs: Any) -> Any:
        """float32 (n, 3, size, size), normalised, to float32 (n, outputs), both on the device."""
        return self._network(inputs.to(self._dtype, memory_format=self._torch.channels_last)).float()

    def _logits_of_pixels(self, pixels: Any) -> Any:
        """uint8 (n, size, size, 3) to float32 (n, outputs). Bytes are a quarter of the upload that floats are."""
        planes = pixels.permute(0, 3, 1, 2).to(self._torch.float32)
        return self._logits((planes - self._mean) / self._std)


@dataclass(eq=False)
class _Batch:
    """A started batch. Its logits are in the buffers of its lane until the lane starts another batch."""

    rows: Sequence[Row]
    lane: _Lane
    refused: tuple[int, ...] = ()
    kept: Any = field(default=None)

    def logits(self) -> NDArray[np.float32]:
        if self.kept is None:
            self.lane.finish()
        kept: NDArray[np.float32] = self.kept
        return kept


class _Lane:
    """Buffers and a stream for one batch in flight: collect in pinned memory, upload, compute, download."""

    def __init__(self, engine: TorchEngine) -> None:
        torch = engine._torch
        self._engine = engine
        self._cuda = engine._device.type == "cuda"
        size, count = engine._spec.size, engine.batch_size
        self._host = torch.zeros((count, size, size, 3), dtype=torch.uint8, pin_memory=self._cuda)
        self._back = torch.zeros((count, engine._outputs), pin_memory=self._cuda)
        self._pixels = self._host.to(engine._device)  # on the CPU the same tensor
        self._stream: Any = torch.cuda.Stream(engine._device) if self._cuda else None
        self._graph: Any = None
        self._answer: Any = None
        self._batch: _Batch | None = None
        if self._cuda:
            torch.cuda.synchronize(engine._device)
            with torch.inference_mode():
                self._capture()

    def begin(self, rows: Sequence[Row]) -> _Batch:
        """Start a batch. Raises RuntimeError when the device is out of memory."""
        self.finish()
        engine, torch = self._engine, self._engine._torch
        host = self._host.numpy()
        for number, row in enumerate(rows):
            if isinstance(row, int):
                assert engine._ring is not None
                host[number] = engine._ring[row]
        with torch.inference_mode(), self._in_stream():
            if self._cuda:
                self._pixels.copy_(self._host, non_blocking=True)
            refused = self._decode(rows)
            if self._graph is None:
                answer = engine._logits_of_pixels(self._pixels[: len(rows)])
            else:
                self._graph.replay()
                answer = self._answer[: len(rows)]
            self._back[: len(rows)].copy_(answer, non_blocking=True)
        self._batch = _Batch(rows, self, refused)
        return self._batch

    def finish(self) -> None:
        """Wait for the batch in flight and copy its logits."""
        if self._batch is None:
            return
        if self._stream is not None:
            self._stream.synchronize()
        self._batch.kept = self._back[: len(self._batch.rows)].numpy().copy()
        self._batch = None

    def _decode(self, rows: Sequence[Row]) -> tuple[int, ...]:
        """Decode JPEGs on the device into their rows. Return the rows that it could not decode."""
        numbered = [(number, row) for number, row in enumerate(rows) if isinstance(row, Jpeg)]
        if not numbered:
            return ()
        decoder = self._engine._decoder
        assert decoder is not None
        refused = []
        for (number, _), pixels in zip(numbered, decoder([row for _, row in numbered]), strict=True):
            if pixels is None:
                refused.append(number)
            else:
                self._pixels[number] = pixels
        return tuple(refused)

    def _capture(self) -> None:
        """Capture the network as a CUDA graph: one launch instead of hundreds, which a small network waits for.

        Source: https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
        """
        torch = self._engine._torch
        with torch.cuda.stream(self._stream):
            for _ in range(WARM_UPS):
                self._engine._logits_of_pixels(self._pixels)
        self._stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self._stream):
                self._answer = self._engine._logits_of_pixels(self._pixels)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            return  # a network with steps that cannot be captured runs without a graph
        self._graph = graph

    def _in_stream(self) -> Any:
        return nullcontext() if self._stream is None else self._engine._torch.cuda.stream(self._stream)
