"""A network -> its ONNX graph, checked against torch; and the one way to run a graph in ONNX Runtime."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.types import SorterError

if TYPE_CHECKING:
    import onnx
    import onnxruntime
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from sorter.model.network import Network

INPUT = "input"
OUTPUT = "logits"
SCORE_MAP, FEATURES = (
    "score_map",
    "features",
)  # (n, k, h, w) and (n, d, h, w), inside a graph with a local head
OPSET = 20
MAX_DIFFERENCE = 1e-4  # of a float32 ONNX logit from torch's

Infer = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]


class ExportError(SorterError):
    """An exported file whose logits differ from the network's. It is not kept."""


def to_onnx(network: nn.Module, size: int) -> tuple[onnx.ModelProto, float]:
    """The float32 graph: `input` (n, 3, size, size), any n -> `logits` (n, k); and its difference from torch.

    Torch has two exporters. Tracing is ten times as fast, but it takes the shapes and branches of one example for
    constants. So its graph is compared with the network. Where it fails or differs, the graph is captured instead.

    Args:
        network: on the CPU; put into eval mode.
        size: side of the square input in pixels.

    Returns:
        The graph, and the largest absolute difference of its logits from torch's. It may exceed `MAX_DIFFERENCE`.
    """
    proto, difference = trace(network, size) or _captured(network, size)
    _name_places(proto)
    return proto, difference


def _captured(network: nn.Module, size: int) -> tuple[onnx.ModelProto, float]:
    proto = capture(network, size)
    return proto, max_difference(network, proto, size)


def _name_places(proto: onnx.ModelProto) -> None:
    """Name the scores that a local head pools, and the map they are made of, so that other programs find them."""
    nodes = proto.graph.node
    made_by = {name: node for node in nodes for name in node.output}
    pools = [node for node in nodes if node.op_type == "ReduceLogSumExp"]
    last = made_by.get(pools[0].input[0]) if len(pools) == 1 else None
    if last is not None and last.op_type == "Conv":
        _rename(proto, {last.output[0]: SCORE_MAP, last.input[0]: FEATURES})


def _rename(proto: onnx.ModelProto, names: dict[str, str]) -> None:
    """Give tensors of a graph other names."""
    for node in proto.graph.node:
        for field in (node.input, node.output):
            field[:] = [names.get(name, name) for name in field]
    for value in proto.graph.value_info:
        value.name = names.get(value.name, value.name)


def trace(network: nn.Module, size: int) -> tuple[onnx.ModelProto, float] | None:
    """As `to_onnx`, by tracing alone. None where the traced graph fails or differs."""
    import torch

    return _checked(lambda: _trace(network, torch.zeros(2, 3, size, size)), network, size)


def with_head(backbone: onnx.ModelProto, network: Network, size: int) -> tuple[onnx.ModelProto, float]:
    """As `to_onnx`, for a network whose backbone was traced before and has not changed since."""
    return _checked(lambda: _joined(backbone, network.head), network, size) or to_onnx(network, size)


def split_head(proto: onnx.ModelProto) -> tuple[onnx.ModelProto, NDArray[np.float32]] | None:
    """A graph that ends in one linear layer -> its backbone (`input` -> features (n, d)) and the layer's weight (k, d).

    The layer may score each place of a map; see `sorter.model.network.LocalNetwork`. The features are the map's mean.
    None for any other graph.
    """
    import onnx

    backbone = onnx.ModelProto()
    backbone.CopyFrom(proto)
    graph = strip_metadata(backbone).graph
    at = next((n for n, node in enumerate(graph.node) if SCORE_MAP in node.output), len(graph.node) - 1)
    last = graph.node[at]
    layer = {each.name: each for each in graph.initializer if each.name in last.input[1:]}
    flags = {each.name: onnx.helper.get_attribute_value(each) for each in last.attribute}
    dense = last.op_type == "Gemm" and flags.get("transB") == 1
    if len(layer) != 2 or not (dense or SCORE_MAP in last.output):
        return None
    weight = onnx.numpy_helper.to_array(layer[last.input[1]])
    weight = weight.reshape(weight.shape[:2])
    features = last.input[0]
    del graph.node[at:]
    if not dense:
        graph.node.append(onnx.helper.make_node("GlobalAveragePool", [features], ["mean"], "/mean"))
        graph.node.append(onnx.helper.make_node("Flatten", ["mean"], ["pooled"], "/pooled"))
        features = "pooled"
    read = {name for node in graph.node for name in node.input}
    kept = [each for each in graph.initializer if each.name in read]
    del graph.initializer[:], graph.output[:], graph.value_info[:]
    graph.initializer.extend(kept)
    graph.output.append(
        onnx.helper.make_tensor_value_info(features, onnx.TensorProto.FLOAT, ("n", weight.shape[1]))
    )
    onnx.checker.check_model(backbone)
    return backbone, weight


def join_head(
    backbone: onnx.ModelProto, weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> onnx.ModelProto:
    """The inverse of `split_head`: a graph with a linear layer of weight (k, d) and bias (k,) at its end."""
    import onnx

    proto = onnx.ModelProto()
    proto.CopyFrom(backbone)
    graph, (features,) = proto.graph, [each.name for each in backbone.graph.output]
    names = ("head.logits.weight", "head.logits.bias")
    for name, array in zip(names, (weight, bias), strict=True):
        graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    graph.node.append(
        onnx.helper.make_node("Gemm", [features, *names], [OUTPUT], "/head/logits/Gemm", transB=1)
    )
    del graph.output[:]
    graph.output.append(
        onnx.helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, ("n", len(weight)))
    )
    onnx.checker.check_model(proto)
    return proto


def _checked(
    make: Callable[[], onnx.ModelProto], network: nn.Module, size: int
) -> tuple[onnx.ModelProto, float] | None:
    network.eval()
    try:
        proto = make()
        difference = max_difference(network, proto, size)
    except Exception:  # torch, ONNX and ONNX Runtime each raise their own, whatever the layer
        return None
    return (proto, difference) if difference <= MAX_DIFFERENCE else None


def _joined(backbone: onnx.ModelProto, head: nn.Module) -> onnx.ModelProto:
    import torch
    from onnx import compose

    width = backbone.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    proto = compose.merge_models(
        compose.add_prefix(backbone, "backbone/", rename_inputs=False),
        compose.add_prefix(_trace(head, torch.zeros(2, width)), "head/", rename_outputs=False),
        io_map=[(f"backbone/{OUTPUT}", f"head/{INPUT}")],
    )
    del proto.opset_import[:]  # merging doubles it
    proto.opset_import.extend(backbone.opset_import)
    return strip_metadata(proto)


def _trace(network: nn.Module, example: Tensor) -> onnx.ModelProto:
    import onnx
    import onnxruntime
    import torch

    with tempfile.TemporaryDirectory() as folder:
        written, folded = str(Path(folder, "written.onnx")), str(Path(folder, "folded.onnx"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's own deprecation, and sizes taken for constants
            torch.onnx.export(
                network,
                (example,),
                written,
                input_names=[INPUT],
                output_names=[OUTPUT],
                opset_version=OPSET,
                dynamo=False,
            )
        # Sizes are constants in a trace. Folding them merges paddings into their convolutions.
        options = session_options(threads=1)
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = folded
        onnxruntime.InferenceSession(written, options, providers=["CPUExecutionProvider"])
        proto = onnx.load(folded)
    standard = [each for each in proto.opset_import if each.domain in ("", "ai.onnx")]
    del proto.opset_import[:]
    proto.opset_import.extend(standard)
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    onnx.checker.check_model(strip_metadata(proto))
    return proto


def capture(network: nn.Module, size: int) -> onnx.ModelProto:
    """The graph by torch.export. It knows more networks than tracing, and takes many seconds."""
    import onnx
    import torch

    # Two images, because torch.export takes a batch of one for a constant.
    example = torch.zeros(2, 3, size, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            network.eval(),
            (example,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    proto = strip_metadata(program.model_proto)
    onnx.checker.check_model(proto)
    return proto


def max_difference(network: nn.Module, proto: onnx.ModelProto, size: int, n: int = 4, seed: int = 0) -> float:
    """Largest absolute difference between torch's and ONNX Runtime's logits on standard normal inputs."""
    import torch

    images = np.random.default_rng(seed).standard_normal((n, 3, size, size), dtype=np.float32)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(images)).numpy()
    actual = onnx_runtime(proto, threads=1)(images)
    if actual.shape != expected.shape:
        raise ExportError(f"ONNX gives logits of shape {actual.shape}, torch {expected.shape}; export again")
    return float(np.abs(actual - expected).max())


def onnx_runtime(source: Path | onnx.ModelProto, threads: int = 0) -> Infer:
    """A function from float32 (n, 3, s, s) to the graph's one output: logits (n, k) or features (n, d); on the CPU.

    Args:
        source: a file or a graph.
        threads: of one call; 0 for one per core. Give 1 where several threads call at once.
    """
    session = open_session(source, threads)
    (output,) = (each.name for each in session.get_outputs())
    return lambda images: np.asarray(session.run([output], {INPUT: images})[0])


def open_session(source: Path | onnx.ModelProto, threads: int) -> onnxruntime.InferenceSession:
    """A session on the CPU. Arguments as those of `onnx_runtime`."""
    import onnxruntime

    return onnxruntime.InferenceSession(
        str(source) if isinstance(source, Path) else source.SerializeToString(),
        session_options(threads),
        providers=["CPUExecutionProvider"],
    )


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Options of a session with so many threads, 0 for one per core, that logs errors only."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return options


def strip_metadata(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the exporter's stack traces, paths and versions, so that one network gives the same bytes."""
    proto.producer_name, proto.producer_version, proto.doc_string = "sorter", "", ""
    del proto.metadata_props[:]
    graph = proto.graph
    graph.name, graph.doc_string = "network", ""
    del graph.metadata_props[:]
    for item in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        item.doc_string = ""
        del item.metadata_props[:]
    return proto
