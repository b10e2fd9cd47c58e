"""Where a network sees what it decides by: for each place of a photo, how much it speaks for each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.engines.choice import EngineError
from sorter.model.folder import ONNX, Model
from sorter.model.onnx_graph import Graph, GraphError, Node, read_graph, with_outputs

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

LOGITS, SCORE_MAP, FEATURES = "logits", "score_map", "features"  # tensors of a model's graph
SCORES, ACTIVATION, OCCLUSION = "score-map", "activation", "occlusion"
POOLS = ("GlobalAveragePool", "ReduceMean")
HEAD = ("Gemm", "Relu")
PASSED = ("Flatten", "Squeeze", "Reshape", "Identity", "Dropout")  # between pooling and head
CELLS = 8  # of a row and of a column, where squares are hidden
TOLERANCE = 1e-3  # of the logits, for the sum of the evidence


@dataclass(frozen=True)
class Evidence:
    """What one photo's logits are made of.

    Attributes:
        logits: float32 (outputs,).
        maps: float32 (classes, h, w) over the network's input: what each place adds to the class against the others,
            in logits. Below zero it speaks for other classes.
    """

    logits: NDArray[np.float32]
    maps: NDArray[np.float32]


@dataclass(frozen=True)
class _Layer:
    """A dense layer: weight (outputs, d), bias (outputs,), and whether a ReLU follows."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    relu: bool


@dataclass(frozen=True)
class _PooledHead:
    """Dense layers on the mean of a feature map.

    Attributes:
        features: the name of the map, (n, d, h, w).
        layers: from the map to the logits.
    """

    features: str
    layers: tuple[_Layer, ...]

    def maps(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """A map (d, h, w) -> what each place adds to each logit (outputs, h, w). Their mean is the logit.

        For a linear head these are class activation maps (Zhou et al. 2016). With ReLU between, the head is linear
        around one photo's features. The linear head there makes the same logits (HiResCAM, Draelos and Carin 2020).
        """
        import numpy as np

        pooled = features.mean((1, 2))
        weight, bias = np.eye(len(pooled), dtype=np.float32), np.zeros(len(pooled), np.float32)
        for layer in self.layers:
            weight, bias = layer.weight @ weight, layer.weight @ bias + layer.bias
            if layer.relu:
                open_ = (weight @ pooled + bias > 0).astype(np.float32)
                weight, bias = weight * open_[:, None], bias * open_
        return np.asarray(np.einsum("kd,dhw->khw", weight, features) + bias[:, None, None])


class EvidenceNetwork:
    """A model's float32 network in ONNX Runtime on the CPU, which also tells where its evidence lies.

    Three ways, the first that the network allows:

    - `score-map`: a local head's own scores, one for each place.
    - `activation`: dense layers on a mean of features are taken apart, exactly; see `_PooledHead.maps`.
    - `occlusion`: parts of the photo are hidden one after another (Zeiler and Fergus 2014). This takes some fifty
      times as long.

    Args:
        model: a verified model folder with `model.onnx`.
        threads: of one inference; 0 for one per core.

    Raises:
        ModelError: the folder has no `model.onnx`.
        EngineError: ONNX Runtime cannot run it.
    """

    def __init__(self, model: Model, threads: int = 0) -> None:
        self._model = model
        data = model.path(ONNX).read_bytes()
        graph = _graph(data)
        self._head = None if graph is None else _pooled_head(graph)
        inner = []
        if graph is not None and (SCORE_MAP in graph.outputs or graph.maker(SCORE_MAP)):
            self.method, inner = SCORES, [SCORE_MAP]
        elif self._head is not None:
            self.method, inner = ACTIVATION, [self._head.features]
        else:
            self.method = OCCLUSION
        asked = [name for name in inner if graph is not None and name not in graph.outputs]
        self._session = _session(model, with_outputs(data, asked), threads)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [LOGITS, *inner]

    def __call__(self, photo: NDArray[np.float32]) -> Evidence:
        """Args: photo: float32 (1, 3, size, size), normalised."""
        logits, *inner = self._session.run(self._outputs, {self._input: photo})
        if self.method == SCORES:
            maps = inner[0][0]
        elif self._head is not None and self.method == ACTIVATION:
            maps = self._head.maps(inner[0][0])
            if not _adds_up(maps, logits[0]):  # another kind of head, after all
                self.method, self._outputs = OCCLUSION, [LOGITS]
        if self.method == OCCLUSION:
            maps = self._occluded(photo, logits[0])
        return Evidence(logits[0], _by_class(self._model, maps))

    def _occluded(self, photo: NDArray[np.float32], logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """How much each logit falls when a square is hidden, (outputs, CELLS, CELLS), over the squares on a place."""
        import numpy as np

        edges = np.linspace(0, photo.shape[-1], CELLS + 1).astype(int)
        total = np.zeros((len(logits), CELLS, CELLS), np.float32)
        times = np.zeros((CELLS, CELLS), np.float32)
        for top, left in np.ndindex(CELLS - 1, CELLS - 1):  # squares of two by two cells
            hidden = photo.copy()
            hidden[..., edges[top] : edges[top + 2], edges[left] : edges[left + 2]] = 0  # the mean colour
            fall = logits - self._session.run([LOGITS], {self._input: hidden})[0][0]
            total[:, top : top + 2, left : left + 2] += fall[:, None, None]
            times[top : top + 2, left : left + 2] += 1
        return np.asarray(total / times)


def feature_tensor(graph: Graph) -> str | None:
    """The name of the features that the head takes: (n, d), or a map (n, d, h, w). None where there are none."""
    dense = [node for node in _head_nodes(graph) if node.op == "Gemm"]
    if dense:
        return dense[-1].inputs[0]
    return FEATURES if graph.maker(FEATURES) else None


def _head_nodes(graph: Graph) -> list[Node]:
    """The nodes from the logits back to the pooling, through dense layers and ReLU; none for any other end."""
    nodes, tensor = [], LOGITS
    while (node := graph.maker(tensor)) is not None and node.op in (*POOLS, *HEAD, *PASSED):
        nodes.append(node)
        if node.op in POOLS:
            return nodes
        tensor = node.inputs[0]
    return []


def _by_class(model: Model, maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map for each output -> a map for each class, (classes, h, w)."""
    import numpy as np

    if model.binary:
        return np.stack([maps[0] if label == model.positive else -maps[0] for label in model.classes])
    return np.asarray(maps - maps.mean(0))  # a softmax ignores what all classes share


def _adds_up(maps: NDArray[np.float32], logits: NDArray[np.float32]) -> bool:
    import numpy as np

    return bool(np.allclose(maps.mean((1, 2)), logits, rtol=TOLERANCE, atol=TOLERANCE))


def _graph(data: bytes) -> Graph | None:
    try:
        return read_graph(data)
    except GraphError:
        return None  # ONNX Runtime says what is wrong with it


def _pooled_head(graph: Graph) -> _PooledHead | None:
    """The dense layers at the end of a graph, and the map whose mean they take; None for any other end."""
    layers: list[_Layer] = []
    relu = False
    for node in _head_nodes(graph):
        if node.op in POOLS:
            return _PooledHead(node.inputs[0], tuple(reversed(layers))) if layers and not relu else None
        if node.op == "Gemm":
            layer = _layer(graph, node, relu)
            if layer is None:
                return None
            layers.append(layer)
        relu = node.op == "Relu"
    return None


def _layer(graph: Graph, node: Node, relu: bool) -> _Layer | None:
    import numpy as np

    weight = graph.constant(node.inputs[1])
    if weight is None:
        return None
    weight = weight if node.flags.get("transB") else weight.T
    bias = graph.constant(node.inputs[2]) if len(node.inputs) > 2 else np.zeros(len(weight), np.float32)
    return None if bias is None else _Layer(weight, bias, relu)


def _session(model: Model, data: bytes, threads: int) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises its own classes
        raise EngineError(
            f"{model.folder / ONNX}: ONNX Runtime cannot run it ({error}); export the model again"
        ) from error
