"""A trained network -> the files of a model folder. None is kept that does not say what the network says."""

from __future__ import annotations

import json
import platform
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.agreement import measure
from sorter.infer import Choice, Verdict
from sorter.model import ONNX, ONNX_INT8, WEIGHTS, Model, write_model
from sorter.types import SorterError

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray
    from torch import nn

INPUT = "input"
OUTPUT = "logits"
OPSET = 20
MAX_DIFFERENCE = 1e-4  # of a float32 ONNX logit from torch's
SPEC_KEY = "sorter"  # in the ONNX file's metadata_props

# What is compared with float32 in ONNX Runtime.
VARIANTS = (
    Choice("onnx", "int8"),
    Choice("openvino", "fp32"),
    Choice("openvino", "bf16"),
    Choice("openvino", "int8"),
)

Infer = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]


class ExportError(SorterError):
    """A file that was made but is not what the network says, and so was not kept."""


def export_model(
    network: nn.Module,
    model: Model,
    calibration: Sequence[NDArray[np.float32]],
    validation: Sequence[NDArray[np.float32]],
    labels: Sequence[int] | None = None,
) -> Model:
    """Write every file of a model folder but its card.

    Args:
        network: float32 (n, 3, s, s) -> logits (n, model.outputs); its state dict has timm's names.
        model: what model.json is to say; `files` and `agreement` are filled in here. Its folder must exist.
        calibration: preprocessed photos, batches of float32 (n, 3, s, s), that fix the int8 ranges.
        validation: others, on which every engine and precision is compared with float32.
        labels: of those, where they are known: a precision that gets half a point less of them right is refused.

    Returns:
        The model as written.

    Raises:
        ExportError: ONNX Runtime's float32 answers are not torch's.
    """
    write_safetensors(network, model.folder / WEIGHTS)
    export_onnx(network, model.preprocess.size, model.folder / ONNX, spec=onnx_spec(model))
    quantise(model.folder / ONNX, model.folder / ONNX_INT8, calibration)
    return judge(write_model(model), validation, labels)


def judge(
    model: Model, validation: Sequence[NDArray[np.float32]], labels: Sequence[int] | None = None
) -> Model:
    """Compare every engine and precision with float32; drop the int8 file where it fails; write down what came of it.

    Args:
        model: as written, with its files.
        validation: as for `export_model`; likewise `labels`.
    """
    inputs = [batch[at : at + 1] for batch in validation for at in range(len(batch))]
    verdicts = measure(model, inputs, VARIANTS, labels)
    if not int8_is_kept(verdicts):
        (model.folder / ONNX_INT8).unlink(missing_ok=True)
    return write_model(replace(model, agreement=[agreement_row(verdict) for verdict in verdicts]))


def int8_is_kept(verdicts: Iterable[Verdict]) -> bool:
    """The int8 file is worth having when OpenVINO agrees; other engines are held to their own result."""
    return any(v.choice.engine == "openvino" and v.choice.precision == "int8" and v.passed for v in verdicts)


def agreement_row(verdict: Verdict) -> dict[str, Any]:
    """What model.json says of it; the speed here says nothing of the speed elsewhere."""
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
    """What a reader of the ONNX file alone needs to turn a photo into a probability.

    The threshold is left out: choosing another must not change the file, for its scores stay the same.
    """
    return {
        "classes": list(model.classes),
        "positive_class": model.positive,
        "temperature": model.temperature,
        "preprocess": model.preprocess.to_json(),
    }


def export_onnx(network: nn.Module, size: int, target: Path, spec: dict[str, Any]) -> None:
    """Write float32 ONNX: `input` float32 (n, 3, size, size), any n -> `logits` float32 (n, k).

    Args:
        network: put into eval mode for it.
        size: side of the square input in pixels.
        target: written only if ONNX Runtime's logits are within 1e-4 of torch's.
        spec: kept as JSON in the file's metadata_props under `sorter`.

    Raises:
        ExportError: the logits differ by more.
    """
    import onnx
    import torch

    network = network.eval()
    # Two images: torch.export takes a batch of one for a constant.
    example = torch.zeros(2, 3, size, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        program = torch.onnx.export(
            network,
            (example,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    proto = _anonymous(program.model_proto)
    onnx.helper.set_model_props(proto, {SPEC_KEY: json.dumps(spec, sort_keys=True)})
    onnx.checker.check_model(proto)
    data = proto.SerializeToString(deterministic=True)
    difference = max_difference(network, data, size)
    if not difference <= MAX_DIFFERENCE:  # also refuses NaN
        raise ExportError(
            f"{target}: not written, its logits differ from torch's by {difference:.2g} "
            f"(at most {MAX_DIFFERENCE:g} is allowed); this network cannot be exported faithfully"
        )
    target.write_bytes(data)


def max_difference(network: nn.Module, onnx_model: bytes, size: int, n: int = 4, seed: int = 0) -> float:
    """Largest absolute difference between torch's and ONNX Runtime's logits on standard normal inputs."""
    import torch

    images = np.random.default_rng(seed).standard_normal((n, 3, size, size), dtype=np.float32)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(images)).numpy()
    actual = onnx_runtime(onnx_model)(images)
    if actual.shape != expected.shape:
        raise ExportError(f"ONNX gives logits of shape {actual.shape}, torch {expected.shape}; export again")
    return float(np.abs(actual - expected).max())


def write_safetensors(network: nn.Module, target: Path) -> None:
    """The state dict under the network's own names, float32 and contiguous, in the order of the names."""
    from safetensors.torch import save

    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in sorted(network.state_dict().items())
    }
    target.write_bytes(save(tensors))


def quantise(
    source: Path, target: Path, calibration: Sequence[NDArray[np.float32]], float_convolutions: int = 3
) -> None:
    """Static int8: QuantizeLinear / DequantizeLinear pairs, weights per channel, ranges from `calibration`.

    What made ONNX Runtime and OpenVINO agree with float32, and with each other:

    - 7-bit weights but for depthwise convolutions. Without VNNI, x86 adds two u8 x s8 products in 16 bits,
      which 8-bit weights overflow; depthwise kernels add in 32.
    - The first convolutions and the head stay in float: most of the error began there. They must be a whole
      prefix: a float convolution between two quantised ones is quantised by ONNX Runtime after all, per tensor
      (its WeightBiasQuantization), which ruins a depthwise one. OpenVINO leaves it alone.
    - The mean shift of the logits on the calibration photos is taken out of the head's bias
      (after Nagel et al. 2019, Data-Free Quantization, section 4.2, here for the last layer only).

    Args:
        source: float32 ONNX as `export_onnx` writes it.
        target: written whether good or not; `judge` decides.
        calibration: batches of real preprocessed photos, float32 (n, 3, s, s).
        float_convolutions: how many stay in float, counted from the input.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        prepared, quantised = Path(folder, "prepared.onnx"), Path(folder, "int8.onnx")
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(prepared).graph
        full_range = {"axis": 0, "quant_type": QuantType.QInt8, "symmetric": True, "reduce_range": False}
        quantize_static(
            str(prepared),
            str(quantised),
            _Calibration(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_float_nodes(graph, float_convolutions),
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={
                "TensorQuantOverrides": {name: [full_range] for name in _depthwise_weights(graph)}
            },
        )
        proto = _anonymous(onnx.load(quantised))
    spec = {prop.key: prop.value for prop in onnx.load(source).metadata_props}
    onnx.helper.set_model_props(proto, spec)
    _correct_bias(proto, onnx_runtime(source), calibration)
    target.write_bytes(proto.SerializeToString(deterministic=True))


def _float_nodes(graph: onnx.GraphProto, convolutions: int) -> list[str]:
    """Everything before the next convolution, and everything after the last."""
    at = [index for index, node in enumerate(graph.node) if node.op_type == "Conv"]
    if len(at) <= convolutions:
        return [node.name for node in graph.node]
    tail = [n.name for n in graph.node[at[-1] + 1 :] if n.op_type not in ("Clip", "Relu")]
    return [node.name for node in graph.node[: at[convolutions]]] + tail


def _depthwise_weights(graph: onnx.GraphProto) -> list[str]:
    return [
        node.input[1]
        for node in graph.node
        if node.op_type == "Conv" and any(a.name == "group" and a.i > 1 for a in node.attribute)
    ]


def _correct_bias(proto: onnx.ModelProto, exact: Infer, batches: Sequence[NDArray[np.float32]]) -> None:
    """Make the mean logits on `batches` those of `exact`, where the last node is a Gemm with a float bias."""
    from onnx import numpy_helper

    head = next(node for node in proto.graph.node if OUTPUT in node.output)
    bias = {item.name: item for item in proto.graph.initializer}.get(head.input[-1])
    if head.op_type != "Gemm" or len(head.input) != 3 or bias is None:
        return
    rounded = onnx_runtime(proto.SerializeToString())
    shift = np.concatenate([rounded(batch) - exact(batch) for batch in batches]).mean(0)
    values = (numpy_helper.to_array(bias) - shift).astype(np.float32)
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))


def onnx_runtime(source: Path | bytes) -> Infer:
    """float32 (n, 3, s, s) -> logits (n, k), by ONNX Runtime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        source if isinstance(source, bytes) else str(source), providers=["CPUExecutionProvider"]
    )
    return lambda images: np.asarray(session.run([OUTPUT], {INPUT: images})[0])


def cpu_name() -> str:
    """The processor, with the instruction sets that decide how it computes int8 and bfloat16."""
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


class _Calibration:
    """Feeds `quantize_static`, which asks for one batch at a time until there is none."""

    def __init__(self, batches: Sequence[NDArray[np.float32]]) -> None:
        self._batches = batches
        self._at = 0

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        if self._at >= len(self._batches):
            return None
        self._at += 1
        return {INPUT: self._batches[self._at - 1]}

    def __len__(self) -> int:
        return len(self._batches)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._batches = self._batches[start_index:end_index]
        self._at = 0


def _anonymous(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what exporters leave behind (stack traces with paths, versions): same network, same bytes."""
    proto.producer_name, proto.producer_version, proto.doc_string = "sorter", "", ""
    del proto.metadata_props[:]
    graph = proto.graph
    graph.name, graph.doc_string = "network", ""
    del graph.metadata_props[:]
    for item in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        item.doc_string = ""
        del item.metadata_props[:]
    return proto
