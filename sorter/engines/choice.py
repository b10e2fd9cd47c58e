"""Records of the choice of an engine: what was asked for, what was tried, what was chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sorter.model.folder import ONNX, ONNX_INT8
from sorter.types import SorterError, UsageError, check_above_zero


class EngineError(SorterError):
    """An engine is not installed, cannot do what was asked for, or failed."""


@dataclass(frozen=True)
class Choice:
    """An engine, a precision and a device.

    Attributes:
        engine: `onnx` (ONNX Runtime), `openvino` or `torch`.
        precision: `fp32`, `fp16`, `bf16` or `int8`.
        device: `cpu`, `coreml`, or a kind with its numbers: `cuda:0`, or several, `cuda:0,1`.
        threads: CPU threads of one engine. 1 where every core has its own worker process.
        decode: where JPEGs are decoded: `cpu`, or `gpu` for the device.
        embedded: a smaller picture that a photo holds of itself is scored in its place. The photo itself is decoded
            where a probability that is wrong by so much could change its label. None: it always is.
        unfamiliar: the engine's rows end in one more number, how unlike the training photos a photo is.
    """

    engine: str
    precision: str
    device: str = "cpu"
    threads: int = 1
    decode: str = "cpu"
    unfamiliar: bool = False
    embedded: float | None = None

    @property
    def kind(self) -> str:
        """The device without its number, for example `cuda`."""
        return self.device.partition(":")[0]

    @property
    def per_device(self) -> tuple[Choice, ...]:
        """One choice for each device."""
        kind, _, numbers = self.device.partition(":")
        if not numbers:
            return (self,)
        return tuple(replace(self, device=f"{kind}:{number}") for number in numbers.split(","))

    @property
    def has_own_process(self) -> bool:
        """Whether each device runs in its own process, in batches. Otherwise every worker runs an engine."""
        return self.engine == "torch" or self.kind != "cpu"

    @property
    def onnx_file(self) -> str:
        """The name of the ONNX file of this precision within a model folder."""
        return ONNX_INT8 if self.precision == "int8" else ONNX

    def __str__(self) -> str:
        where = "" if self.device == "cpu" else f" on {self.device}"
        jpegs = ", JPEGs too" if self.decode == "gpu" else ""
        return f"{self.engine} {self.precision}{where}{jpegs}" + ", embedded pictures" * (
            self.embedded is not None
        )


# Whole photos on the CPU; the pictures that they hold of themselves; large JPEGs on a GPU; `cpu`, as 0.1 called `full`.
DECODES = ("auto", "full", "preview", "gpu", "cpu")


@dataclass(frozen=True)
class EngineOptions:
    """The engine that flags ask for. The trial decides what is `auto`.

    Attributes:
        engine: `auto`, `onnx`, `openvino` or `torch`.
        precision: `auto`, `fp32`, `fp16`, `bf16` or `int8`.
        device: one of `devices.FORMS`. Each of several GPUs gets a process.
        decode: one of `DECODES`. None is `auto` without the GPU, whose decoder misses more damage.
        batch_size: photos in one inference on a GPU; None for the engine's own number.
    """

    engine: str = "auto"
    precision: str = "auto"
    device: str = "auto"
    decode: str | None = None
    batch_size: int | None = None

    def check(self) -> None:
        """Raise UsageError for a batch size below one, or an unknown way to decode."""
        check_above_zero(batch_size=self.batch_size)
        if self.decode is not None and self.decode not in DECODES:
            raise UsageError(f"--decode: {self.decode!r} is none of {', '.join(DECODES)}")


REFERENCE = Choice("onnx", "fp32")  # every other choice is compared with it


@dataclass(frozen=True)
class Verdict:
    """How one choice compares with float32 on ONNX Runtime.

    Attributes:
        choice: the engine, precision and device.
        photos: number of photos it was tried on.
        agreement: fraction of photos with the same label.
        mean_difference: mean absolute difference of the probabilities.
        max_difference: largest absolute difference of the probabilities.
        milliseconds: time of one photo. On a CPU the median of single photos, without decoding. On a device with its
            own process the mean over a batch, including the decoding that the device does.
        passed: whether the choice may be used.
        accuracy_lost: accuracy of float32 less accuracy of this choice, on labelled photos. None without labels.
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
        verdicts: one for each choice that runs on this machine. Empty where too few photos could be decoded.
        decode_milliseconds: mean time to decode and preprocess one photo on one core.
    """

    verdicts: tuple[Verdict, ...]
    decode_milliseconds: float

    def photos_per_second(self, verdict: Verdict, cores: int) -> float:
        """The speed expected of a run with `cores` cores: that of decoding or of inference, whichever is slower."""
        choice = verdict.choice
        inference = 1e3 * len(choice.per_device) / verdict.milliseconds
        if choice.decode == "gpu":
            return inference
        if choice.has_own_process:
            return min(inference, 1e3 * cores / self.decode_milliseconds)
        return 1e3 * cores / (self.decode_milliseconds + verdict.milliseconds)
