"""A trained network -> the files of a model folder. A file that differs from the network is not kept."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.engines.choice import Choice, Verdict
from sorter.engines.compare import compare
from sorter.export.graph import MAX_DIFFERENCE, ExportError, to_onnx, with_head
from sorter.export.graph import onnx_runtime as onnx_runtime  # re-exported, to run what was exported
from sorter.export.quantise import quantise
from sorter.model.folder import ONNX, ONNX_INT8, WEIGHTS, Model, write_model
from sorter.system import available_cores

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray
    from torch import nn

SPEC_KEY = "sorter"  # in the ONNX file's metadata_props

# Compared with float32 in ONNX Runtime.
VARIANTS = (
    Choice("onnx", "int8"),
    Choice("openvino", "fp32"),
    Choice("openvino", "bf16"),
    Choice("openvino", "int8"),
)


def export_model(
    network: nn.Module,
    model: Model,
    calibration: Sequence[NDArray[np.float32]],
    validation: Sequence[NDArray[np.float32]],
    labels: Sequence[int] | None = None,
    backbone: onnx.ModelProto | None = None,
) -> Model:
    """Write every file of a model folder except its card.

    Args:
        network: float32 (n, 3, s, s) -> logits (n, model.outputs); its state dict has timm's names.
        model: the content of model.json; `files` and `agreement` are filled in here. Its folder must exist.
        calibration: preprocessed photos that fix the int8 ranges, batches of float32 (n, 3, s, s).
        validation: other photos, on which every engine and precision is compared with float32.
        labels: of the validation photos, where known. A precision that loses half a point of accuracy is refused.
        backbone: as for `export_onnx`.

    Returns:
        The model as written.

    Raises:
        ExportError: ONNX Runtime's float32 logits are not torch's.
    """
    write_network(network, model, backbone)
    return add_int8(write_model(model), calibration, validation, labels)


def write_network(network: nn.Module, model: Model, backbone: onnx.ModelProto | None = None) -> None:
    """Write model.safetensors and model.onnx. Arguments and errors as those of `export_model`."""
    write_safetensors(network, model.folder / WEIGHTS)
    export_onnx(network, model.preprocess.size, model.folder / ONNX, onnx_spec(model), backbone)


def add_int8(
    model: Model,
    calibration: Sequence[NDArray[np.float32]],
    validation: Sequence[NDArray[np.float32]],
    labels: Sequence[int] | None = None,
) -> Model:
    """Write model.int8.onnx and compare every precision. Arguments and return value as those of `export_model`."""
    quantise(model.folder / ONNX, model.folder / ONNX_INT8, calibration)
    return check_precisions(write_model(model), validation, labels)


def check_precisions(
    model: Model, validation: Sequence[NDArray[np.float32]], labels: Sequence[int] | None = None
) -> Model:
    """Compare every engine and precision with float32, write the verdicts to model.json, and drop a failed int8 file.

    Args:
        model: as written, with its files.
        validation: as for `export_model`.
        labels: likewise.
    """
    inputs = [batch[at : at + 1] for batch in validation for at in range(len(batch))]
    verdicts = compare(model, inputs, VARIANTS, labels, parallel=available_cores())
    if not int8_is_kept(verdicts):
        (model.folder / ONNX_INT8).unlink(missing_ok=True)
    return write_model(replace(model, agreement=[agreement_row(verdict) for verdict in verdicts]))


def int8_is_kept(verdicts: Iterable[Verdict]) -> bool:
    """Whether OpenVINO agrees with float32 in int8. Other engines are held to their own verdict."""
    return any(v.choice.engine == "openvino" and v.choice.precision == "int8" and v.passed for v in verdicts)


def agreement_row(verdict: Verdict) -> dict[str, Any]:
    """The row of model.json. It leaves out the speed, which says nothing of other machines."""
    row = {
        "engine": verdict.choice.engine,
        "precision": verdict.choice.precision,
        "n": verdict.photos,
        "agree": round(verdict.agreement, 4),
        "mean_difference": round(verdict.mean_difference, 6),
        "max_difference": round(verdict.max_difference, 6),
        "passed": verdict.passed,
        "cpu": cpu_name(),
    }
    return row if verdict.accuracy_lost is None else {**row, "accuracy_lost": round(verdict.accuracy_lost, 6)}


def onnx_spec(model: Model) -> dict[str, Any]:
    """The metadata with which the ONNX file alone turns a photo into a probability.

    The threshold is left out, because another threshold must not change the file.
    """
    return {
        "classes": list(model.classes),
        "positive_class": model.positive,
        "temperature": model.temperature,
        "preprocess": model.preprocess.to_json(),
    }


def export_onnx(
    network: nn.Module,
    size: int,
    target: Path,
    spec: dict[str, Any],
    backbone: onnx.ModelProto | None = None,
) -> float:
    """Write float32 ONNX: `input` float32 (n, 3, size, size), any n -> `logits` float32 (n, k).

    Args:
        network: put into eval mode.
        size: side of the square input in pixels.
        target: written only if ONNX Runtime's logits are within 1e-4 of torch's.
        spec: kept as JSON in the file's metadata_props under `sorter`.
        backbone: the graph of the backbone of a `Network`, where it was traced before.

    Returns:
        The largest difference of its logits from torch's.

    Raises:
        ExportError: the logits differ by more.
    """
    from sorter.model.network import Network

    if backbone is not None and isinstance(network, Network):
        proto, difference = with_head(backbone, network, size)
    else:
        proto, difference = to_onnx(network, size)
    write_onnx(proto, difference, target, spec)
    return difference


def write_onnx(proto: onnx.ModelProto, difference: float, target: Path, spec: dict[str, Any]) -> None:
    """Write a graph. Raises ExportError where the difference of its logits from the network's exceeds 1e-4."""
    import onnx

    if not difference <= MAX_DIFFERENCE:  # also refuses NaN
        raise ExportError(
            f"{target}: not written, because its logits differ from the network's by {difference:.2g} "
            f"(at most {MAX_DIFFERENCE:g} is allowed); use another backbone"
        )
    onnx.helper.set_model_props(proto, {SPEC_KEY: json.dumps(spec, sort_keys=True)})
    target.write_bytes(proto.SerializeToString(deterministic=True))


def write_safetensors(network: nn.Module, target: Path) -> None:
    """The state dict under the network's own names, float32 and contiguous, in the order of the names."""
    from safetensors.torch import save

    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in sorted(network.state_dict().items())
    }
    target.write_bytes(save(tensors))


def cpu_name() -> str:
    """The processor's name, with the instruction sets that it has for int8 and bfloat16."""
    name, flags = platform.processor() or platform.machine(), ""
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return name
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in info)}
    name = fields.get("model name", name)
    have = fields.get("flags", "").split()
    flags = " ".join(f for f in ("avx2", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8") if f in have)
    return f"{name} ({flags})" if flags else name
