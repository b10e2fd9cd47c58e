"""Choose the fastest engine and precision of this machine that agree with float32.

A reduced precision can be right on one processor and wrong on another: 8-bit products overflow without VNNI. So each
is tried on the user's photos before it is used, once per machine, model and version of the engines.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.engines import devices
from sorter.engines.choice import REFERENCE, Choice, EngineError, EngineOptions, Trial, Verdict
from sorter.files import atomic_write
from sorter.model.folder import ONNX_INT8, Model
from sorter.pipeline.process import call_in_process
from sorter.pipeline.ring import BATCH_SIZE
from sorter.system import available_cores, cache_folder
from sorter.types import Failure, Limits

if TYPE_CHECKING:
    from sorter.engines.jpeg import Jpeg
    from sorter.photos.decode import Decoder

PHOTOS = 100
TRIAL_SECONDS = 300.0  # several engines take long on a busy machine
MODULES = {"onnx": "onnxruntime", "openvino": "openvino", "torch": "torch"}


@dataclass(frozen=True)
class Measure:
    """Measure engines on photos. Run in a process, as an engine may crash.

    Attributes:
        paths: photos to measure with. Photos that cannot be decoded are skipped.
        choices: engines to measure.
        count: number of photos needed. With fewer there are no verdicts.
        batch_size: for engines that take batches.
    """

    model: Model
    paths: tuple[Path, ...]
    choices: tuple[Choice, ...]
    count: int
    batch_size: int

    def __call__(self) -> Trial:
        import numpy as np

        from sorter.engines.compare import compare_in_turn, compare_on_device
        from sorter.photos.decode import Decoder

        spec = self.model.preprocess
        decode = Decoder(spec.min_side)
        pixels, paths, seconds = [], [], 0.0
        for path in self.paths:
            started = time.perf_counter()
            decoded = decode(path)
            if isinstance(decoded, Failure):
                continue
            pixels.append(spec(decoded.pixels))
            seconds += time.perf_counter() - started
            paths.append(path)
            if len(paths) == self.count:
                break
        else:
            return Trial((), 0.0)
        in_workers = [choice for choice in self.choices if not choice.has_own_process]
        on_devices = [choice for choice in self.choices if choice.has_own_process]
        inputs = [spec.normalise(one[None]) for one in pixels]
        verdicts = compare_in_turn(self.model, inputs, in_workers) if in_workers else []
        if on_devices:
            files = [_device_jpeg(decode, path) for path in paths]
            verdicts += compare_on_device(self.model, np.stack(pixels), files, on_devices, self.batch_size)
        return Trial(tuple(verdicts), seconds * 1e3 / len(paths))


def _device_jpeg(decode: Decoder, path: Path) -> Jpeg | None:
    from sorter.engines.jpeg import Jpeg, read_file

    plain = decode.plain_jpeg(path)
    return Jpeg(partial(read_file, path), plain.orientation) if plain else None


def candidates(model: Model, wanted: EngineOptions, device: str) -> list[Choice]:
    """The installed engines and precisions that were asked for. `auto` stands for all that may be the fastest.

    Args:
        device: a result of `devices.resolve`.
    """
    if device != "cpu" or wanted.engine == "torch":
        return _with_device(model, wanted, device)
    engines = [name for name in ("openvino", "onnx") if wanted.engine in ("auto", name) and _has(name)]
    precisions = [name for name in ("fp32", "bf16", "int8") if wanted.precision in ("auto", name)]
    choices = [
        Choice(e, p)
        for e, p in itertools.product(engines, precisions)
        if not (p == "int8" and not model.has(ONNX_INT8)) and not (p == "bf16" and e == "onnx")
    ]
    if wanted.device == "auto" and "onnx" in engines and "fp32" in precisions:
        choices += [Choice("onnx", "fp32", other) for other in devices.trial_devices()]
    return choices


def _with_device(model: Model, wanted: EngineOptions, device: str) -> list[Choice]:
    """Choices whose devices have a process of their own, the most precise first."""
    threads = os.cpu_count() or 1
    cuda = device.startswith("cuda")
    if wanted.engine == "onnx" or not (wanted.engine == "torch" or (cuda and _has("torch"))):
        precision = "fp32" if wanted.precision == "auto" else wanted.precision
        fits = precision == "fp32" or (precision == "int8" and model.has(ONNX_INT8))
        return [Choice("onnx", precision, device, threads)] * fits
    # Torch on the CPU is for tests. Most CPUs have no fast half precision.
    every = ("fp32", "fp16", "bf16") if cuda else ("fp32",)
    precisions = every if wanted.precision == "auto" else (wanted.precision,)
    where = {"auto": ("cpu", "gpu"), "gpu": ("gpu",)}.get(wanted.decode or "", ("cpu",))
    return [Choice("torch", p, device, threads, d) for d, p in itertools.product(where, precisions)]


def fastest(trial: Trial, cores: int) -> Choice | None:
    """The choice with the most photos per second, among those that passed. None if none passed."""
    passed = [verdict for verdict in trial.verdicts if verdict.passed]
    proven = [verdict for verdict in passed if verdict.photos == max(each.photos for each in passed)]
    return max(proven, key=lambda each: trial.photos_per_second(each, cores)).choice if proven else None


def choose_engine(
    model: Model, wanted: EngineOptions, paths: Iterable[Path], limits: Limits, say: Callable[[str], None]
) -> Choice:
    """The engine to use: the one asked for, the result of an earlier trial, or that of a trial now.

    Args:
        paths: photos for a trial. They are taken only when needed.
        say: receives messages about a trial, which takes some seconds.

    Raises:
        EngineError: nothing installed supports what was asked for.
    """
    device = devices.resolve(wanted.device, wanted.engine)
    choices = candidates(model, wanted, device)
    _check(model, wanted, device, choices)
    if len(choices) == 1 and choices[0].decode == "cpu":
        return choices[0]
    cache = _cache_file(model, choices)
    known = _read(cache)
    if known is not None:
        return known
    plain = next((choice for choice in choices if choice.precision == "fp32"), choices[0])
    plain = replace(plain, decode="cpu")
    sample = tuple(itertools.islice(paths, PHOTOS + PHOTOS // 4))
    if len(sample) < PHOTOS:
        return plain
    ways = f"{len(choices)} engines" if len(choices) > 1 else str(choices[0])
    say(f"Trying {ways} on {PHOTOS} of your photos (once for this machine and model) ...")
    trial = _measure_in_process(model, sample, choices, limits)
    if isinstance(trial, Failure):
        say(f"  Failed ({trial.reason.value}). {plain} is used, and the next run tries again.")
        return plain
    if not trial.verdicts:
        return plain
    for verdict in trial.verdicts:
        say(
            f"  {verdict.choice}: {verdict.milliseconds:.1f} ms a photo"
            + (f" ({verdict.photos} photos)" if verdict.photos < PHOTOS else "")
            + f", agrees with float32 on {verdict.agreement:.0%}"
            + ("" if verdict.passed else ": not used")
        )
    choice = fastest(trial, available_cores()) or (plain if plain.has_own_process else REFERENCE)
    _write(cache, choice, trial.verdicts)
    return choice


def _check(model: Model, wanted: EngineOptions, device: str, choices: Sequence[Choice]) -> None:
    """Raise EngineError where nothing supports what is wanted."""
    if wanted.engine == "openvino" and device != "cpu":
        raise EngineError(f"--engine openvino: does not run on {device}; use --engine torch or --device cpu")
    if wanted.decode == "gpu" and not any(choice.decode == "gpu" for choice in choices):
        raise EngineError("--decode gpu: needs torch and a GPU; add --device cuda, or leave it out")
    if not choices:
        missing = (
            f"the model has no {ONNX_INT8}"
            if wanted.precision == "int8"
            else "check that the engine is installed"
        )
        asked = f"--engine {wanted.engine} --precision {wanted.precision} --device {wanted.device}"
        raise EngineError(f"{asked}: not available here; {missing}")


def _measure_in_process(
    model: Model, sample: tuple[Path, ...], choices: Sequence[Choice], limits: Limits
) -> Trial | Failure:
    measure = Measure(model, sample, tuple(choices), PHOTOS, BATCH_SIZE)
    return call_in_process(measure, replace(limits, seconds=max(TRIAL_SECONDS, limits.seconds)))


def _has(engine: str) -> bool:
    return util.find_spec(MODULES[engine]) is not None


def _version(engine: str) -> str:
    """Version of the engine's package. ONNX Runtime has a package for each kind of device."""
    for suffix in ("", "-gpu", "-directml", "-silicon"):
        try:
            return suffix + metadata.version(MODULES[engine] + suffix)
        except metadata.PackageNotFoundError:
            continue
    return ""


def _cache_file(model: Model, choices: Sequence[Choice]) -> Path | None:
    folder = cache_folder("engines")
    if folder is None:
        return None
    versions = [_version(name) for name in sorted({choice.engine for choice in choices})]
    key = [
        model.fingerprint,
        model.files,
        [str(choice) for choice in choices],
        versions,
        platform.node(),
        os.cpu_count(),
    ]
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return folder / f"{digest[:32]}.json"


def _read(cache: Path | None) -> Choice | None:
    if cache is None:
        return None
    try:
        return Choice(**json.loads(cache.read_text(encoding="utf-8"))["choice"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(cache: Path | None, choice: Choice, verdicts: Sequence[Verdict]) -> None:
    """Save a trial. An unwritable cache costs the next run some seconds."""
    text = json.dumps(
        {"choice": asdict(choice), "verdicts": [asdict(verdict) for verdict in verdicts]}, indent=2
    )
    if cache is None:
        return
    with suppress(OSError), atomic_write(cache, shared=True) as part:
        part.write_text(text + "\n", encoding="utf-8")
