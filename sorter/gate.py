"""Which engine and precision to run a model with: the fastest on this machine that agrees with float32.

A reduced precision can be right on one processor and wrong on another (8-bit products overflow without VNNI), so
it is tried on the user's own photos before it is used: once per machine, model and version of the engines.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import platform
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from importlib import metadata, util
from pathlib import Path

from platformdirs import user_cache_path

from sorter.infer import REFERENCE, Choice, EngineError, Verdict
from sorter.model import ONNX_INT8, Model
from sorter.pipeline import Limits, Pool
from sorter.stages import Measure
from sorter.types import Failure, Photo, Result

PHOTOS = 100


def candidates(model: Model, engine: str, precision: str) -> list[Choice]:
    """Every CPU engine and precision that is installed and asked for; `auto` asks for all."""
    engines = [
        name for name in ("openvino", "onnx") if engine in ("auto", name) and util.find_spec(_module(name))
    ]
    precisions = [name for name in ("fp32", "bf16", "int8") if precision in ("auto", name)]
    return [
        Choice(e, p)
        for e, p in itertools.product(engines, precisions)
        if not (p == "int8" and not model.has(ONNX_INT8)) and not (p == "bf16" and e == "onnx")
    ]


def fastest(verdicts: Sequence[Verdict]) -> Choice:
    """The quickest that passed; float32 on ONNX Runtime where none did."""
    passed = [verdict for verdict in verdicts if verdict.passed]
    return min(passed, key=lambda verdict: verdict.milliseconds).choice if passed else REFERENCE


def choose(
    model: Model,
    engine: str,
    precision: str,
    device: str,
    paths: Iterable[Path],
    limits: Limits,
    say: Callable[[str], None],
) -> Choice:
    """The engine to use: as asked for, or from the cache of verdicts, or by trying now.

    Args:
        paths: photos to try on; only taken from when needed.
        say: told what is going on, as it takes some seconds the first time.

    Raises:
        EngineError: nothing installed does what was asked for.
    """
    device = pick_device(device, engine)
    if engine == "torch" or device != "cpu":
        if engine not in ("auto", "torch"):
            raise EngineError(
                f"--engine {engine}: does not run on {device}; use --engine torch or --device cpu"
            )
        return Choice("torch", "fp32" if precision == "auto" else precision, device, os.cpu_count() or 1)
    choices = candidates(model, engine, precision)
    if not choices:
        missing = (
            f"the model has no {ONNX_INT8}" if precision == "int8" else "check that the engine is installed"
        )
        raise EngineError(f"--engine {engine} --precision {precision}: not available here; {missing}")
    if len(choices) == 1:
        return choices[0]
    cache = _cache_file(model, choices)
    known = _read(cache)
    if known is not None:
        return known
    plain = next((choice for choice in choices if choice.precision == "fp32"), choices[0])
    sample = tuple(itertools.islice(paths, PHOTOS + PHOTOS // 4))
    if len(sample) < PHOTOS:
        return plain
    say(f"Trying {len(choices)} engines on {PHOTOS} of your photos (once for this machine and model) ...")
    verdicts = _measure_apart(model, sample, choices, limits)
    if not verdicts:
        return plain
    for verdict in verdicts:
        say(
            f"  {verdict.choice}: {verdict.milliseconds:.1f} ms a photo, agrees with float32 on "
            f"{verdict.agreement:.0%}" + ("" if verdict.passed else ": not used")
        )
    choice = fastest(verdicts)
    _write(cache, choice, verdicts)
    return choice


def pick_device(device: str, engine: str) -> str:
    """`auto` is the first CUDA device where torch and an NVIDIA driver are installed, else the CPU.

    Told without importing torch, which would cost a CPU run seconds.
    """
    if device == "auto":
        driver = Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None
        usable = engine in ("auto", "torch") and driver and util.find_spec("torch") is not None
        return "cuda:0" if usable else "cpu"
    return "cuda:0" if device == "cuda" else device


def _measure_apart(
    model: Model, sample: tuple[Path, ...], choices: Sequence[Choice], limits: Limits
) -> list[Verdict]:
    stage = Measure(model, sample, tuple(choices), PHOTOS)
    patience = Limits(max(120.0, limits.seconds), limits.memory)
    with Pool(stage, 1, patience) as pool:
        job: list[Photo | Result[list[Verdict]]] = [Photo(Path(), Path(), 0, 0)]
        (result,) = pool.run(job)
    return [] if isinstance(result.outcome, Failure) else result.outcome


def _module(engine: str) -> str:
    return {"onnx": "onnxruntime", "openvino": "openvino"}[engine]


def _cache_file(model: Model, choices: Sequence[Choice]) -> Path:
    versions = [metadata.version(_module(name)) for name in sorted({choice.engine for choice in choices})]
    key = [
        model.fingerprint,
        model.files,
        [str(choice) for choice in choices],
        versions,
        platform.node(),
        os.cpu_count(),
    ]
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return user_cache_path("sorter") / "engines" / f"{digest[:32]}.json"


def _read(cache: Path) -> Choice | None:
    try:
        return Choice(**json.loads(cache.read_text(encoding="utf-8"))["choice"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(cache: Path, choice: Choice, verdicts: Sequence[Verdict]) -> None:
    """A cache that cannot be written only costs the next run a few seconds."""
    text = json.dumps(
        {"choice": asdict(choice), "verdicts": [asdict(verdict) for verdict in verdicts]}, indent=2
    )
    part = cache.with_suffix(f".{os.getpid()}.part")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(cache)
    except OSError:
        part.unlink(missing_ok=True)
