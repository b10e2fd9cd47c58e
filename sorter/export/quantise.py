"""A float32 ONNX graph and calibration photos -> the same network in int8."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.export.graph import INPUT, OUTPUT, SCORE_MAP, open_session, strip_metadata
from sorter.system import available_cores

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

CLIPPING = ("Clip", "Relu")  # a convolution rounds to the range of what comes after it


def quantise(
    source: Path, target: Path, calibration: Sequence[NDArray[np.float32]], float_convolutions: int = 3
) -> None:
    """Static int8: QuantizeLinear / DequantizeLinear pairs, weights per channel, ranges from `calibration`.

    Three measures make ONNX Runtime and OpenVINO agree with float32 and with each other:

    - 7-bit weights, except in depthwise convolutions. Without VNNI, x86 adds two u8 x s8 products in 16 bits,
      which 8-bit weights overflow. Depthwise kernels add in 32 bits.
    - The first convolutions and the head stay in float, because most of the error arose there. The convolutions
      must be a whole prefix. ONNX Runtime quantises a float convolution between two quantised ones after all, per
      tensor (its WeightBiasQuantization), which ruins a depthwise one. OpenVINO leaves it in float.
    - The mean shift of the logits on the calibration photos is subtracted from the head's bias
      (after Nagel et al. 2019, Data-Free Quantization, section 4.2, here for the last layer only).

    Args:
        source: float32 ONNX, as `export_onnx` writes it.
        target: always written; `sorter.export.files.check_precisions` decides whether it is kept.
        calibration: batches of real preprocessed photos, float32 (n, 3, s, s).
        float_convolutions: convolutions that stay in float, counted from the input.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationMethod,
        QDQQuantizer,
        QuantType,
        TensorsData,
        quant_pre_process,
    )
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    with tempfile.TemporaryDirectory() as folder:
        quant_pre_process(str(source), str(Path(folder, "prepared.onnx")), skip_symbolic_shape=True)
        prepared = onnx.load(Path(folder, "prepared.onnx"))
    in_float = _float_nodes(prepared.graph, float_convolutions)
    ranges, logits = _ranges(prepared, set(in_float), calibration)
    full_range = {"axis": 0, "quant_type": QuantType.QInt8, "symmetric": True, "reduce_range": False}
    quantizer = QDQQuantizer(
        prepared,
        per_channel=True,
        reduce_range=True,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, ranges),
        nodes_to_quantize=[],
        nodes_to_exclude=in_float,
        op_types_to_quantize=sorted({*QDQRegistry, *QLinearOpsRegistry}),
        extra_options={
            "TensorQuantOverrides": {name: [full_range] for name in _depthwise_weights(prepared.graph)}
        },
    )
    quantizer.quantize_model()
    proto = strip_metadata(quantizer.model.model)
    _correct_bias(proto, logits, calibration)
    spec = {prop.key: prop.value for prop in onnx.load(source).metadata_props}
    onnx.helper.set_model_props(proto, spec)
    target.write_bytes(proto.SerializeToString(deterministic=True))


def _float_nodes(graph: onnx.GraphProto, convolutions: int) -> list[str]:
    """Names of the nodes before the next convolution, and of those after the last."""
    at = [
        index
        for index, node in enumerate(graph.node)
        if node.op_type == "Conv" and SCORE_MAP not in node.output  # the head of a local network
    ]
    if len(at) <= convolutions:
        return [node.name for node in graph.node]
    tail = [n.name for n in graph.node[at[-1] + 1 :] if n.op_type not in CLIPPING]
    return [node.name for node in graph.node[: at[convolutions]]] + tail


def _depthwise_weights(graph: onnx.GraphProto) -> list[str]:
    return [
        node.input[1]
        for node in graph.node
        if node.op_type == "Conv" and any(a.name == "group" and a.i > 1 for a in node.attribute)
    ]


def _ranges(
    prepared: onnx.ModelProto, in_float: set[str], calibration: Sequence[NDArray[np.float32]]
) -> tuple[dict[str, tuple[Any, Any]], NDArray[np.float32]]:
    """Least and greatest value of every tensor that a quantised node reads or writes; and the logits (n, k).

    The same ranges as quantize_static's own calibration, several times as fast. The graph stays optimised, only the
    needed tensors are reduced, and every core runs one photo at a time.
    """
    import onnx

    proto = onnx.shape_inference.infer_shapes(prepared)
    graph = proto.graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.input)}
    readers = Counter(name for node in graph.node for name in node.input)
    # Where a tensor is clipped next, the range after clipping counts. ONNX Runtime fuses the two where it can.
    clipped = {
        node.input[0]: node.output[0]
        for node in graph.node
        if node.op_type in CLIPPING and node.name not in in_float and readers[node.input[0]] == 1
    }
    touched = [(*node.input, *node.output) for node in graph.node if node.name not in in_float]
    wanted = {name: clipped.get(name, name) for names in touched for name in names}
    wanted = {name: of for name, of in wanted.items() if kinds.get(name) == onnx.TensorProto.FLOAT}
    reduced = sorted(set(wanted.values()))
    outputs = [f"{name}/{kind}" for kind in ("ReduceMin", "ReduceMax") for name in reduced]
    for output in outputs:
        name, _, kind = output.rpartition("/")
        graph.node.append(onnx.helper.make_node(kind, [name], [output], keepdims=0))
        graph.output.append(onnx.helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, []))
    rows = list(_each(proto, [OUTPUT, *outputs], calibration))
    found = np.array([row[1:] for row in rows], np.float32).reshape(len(rows), 2, len(reduced))
    least, most = found[:, 0].min(0), found[:, 1].max(0)
    at = {name: number for number, name in enumerate(reduced)}
    ranges = {name: (least[at[of]], most[at[of]]) for name, of in wanted.items()}
    return ranges, np.concatenate([row[0] for row in rows])


def _correct_bias(
    proto: onnx.ModelProto, exact: NDArray[np.float32], calibration: Sequence[NDArray[np.float32]]
) -> None:
    """Make the mean logits that of `exact` (n, k), where the layer of logits or of local scores has a float bias.

    Local scores that all move by a number move the logit by that number.
    """
    from onnx import numpy_helper

    heads = [node for node in proto.graph.node if {OUTPUT, SCORE_MAP} & set(node.output)]
    head = next((node for node in heads if node.op_type in ("Gemm", "Conv")), heads[-1])
    bias = {item.name: item for item in proto.graph.initializer}.get(head.input[-1])
    if head.op_type not in ("Gemm", "Conv") or len(head.input) != 3 or bias is None:
        return
    rounded = np.concatenate([logits for (logits,) in _each(proto, [OUTPUT], calibration)])
    values = (numpy_helper.to_array(bias) - (rounded - exact).mean(0)).astype(np.float32)
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))


def _each(
    proto: onnx.ModelProto, outputs: Sequence[str], batches: Iterable[NDArray[np.float32]]
) -> Iterator[list[Any]]:
    """The named outputs of each photo, in order. Every core runs one photo at a time."""
    session = open_session(proto, threads=1)
    with ThreadPoolExecutor(available_cores()) as pool:
        for batch in batches:
            photos = (batch[at : at + 1] for at in range(len(batch)))
            yield from pool.map(lambda photo: session.run(outputs, {INPUT: photo}), photos)
