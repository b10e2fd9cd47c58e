"""Read an ONNX file's graph, and add outputs to it, without the package `onnx`, which runs do not need.

The format is `onnx.proto` in Protocol Buffers (protobuf.dev/programming-guides/encoding). Only what is asked for here
is read. Numbers of fields are those of that file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sorter.types import SorterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRAPH = 7  # of a model
NODE, INITIALIZER, OUTPUT = 1, 5, 12  # of a graph
FLOAT = 1  # a tensor's type
BYTES = 2  # a wire type


class GraphError(SorterError):
    """A file that is no ONNX graph, or none of the kind that was expected."""


@dataclass(frozen=True)
class Node:
    """An operation.

    Attributes:
        op: its type, such as `Gemm`.
        inputs: names of tensors; an empty one for an input that is left out.
        outputs: likewise.
        flags: its attributes that are whole numbers.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    flags: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A graph.

    Attributes:
        nodes: in an order in which they can be computed.
        outputs: names of tensors.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    _initialisers: dict[str, memoryview]

    def maker(self, tensor: str) -> Node | None:
        """The node that computes a tensor; None for an input, a constant and an unknown one."""
        return next((node for node in self.nodes if tensor in node.outputs), None)

    def constant(self, tensor: str) -> NDArray[np.float32] | None:
        """The value of a float32 constant; None for any other tensor."""
        data = self._initialisers.get(tensor)
        return None if data is None else _array(data)


def read_graph(data: bytes) -> Graph:
    """The graph of an ONNX file. Raises GraphError for anything else."""
    nodes, outputs, initialisers = [], [], {}
    try:
        for graph in _all(memoryview(data), GRAPH):
            for number, value in _fields(graph):
                if number == NODE:
                    nodes.append(_node(value))
                elif number == OUTPUT:
                    outputs.append(_text(value, 1))
                elif number == INITIALIZER:
                    initialisers[_text(value, 8)] = value
    except (LookupError, TypeError, ValueError) as error:
        raise GraphError(f"no ONNX graph can be read ({error}); export the model again") from error
    return Graph(tuple(nodes), tuple(outputs), initialisers)


def with_outputs(data: bytes, tensors: Iterable[str]) -> bytes:
    """An ONNX file that also gives these float32 tensors.

    Two messages in a row are read as one whose lists are joined. So the outputs are appended to the file as a message.
    """
    tensor_type = _message(2, _message(1, bytes((FLOAT,)), wire=0))
    values = b"".join(_message(OUTPUT, _message(1, name.encode()) + tensor_type) for name in tensors)
    return data + _message(GRAPH, values)


def _node(data: memoryview) -> Node:
    inputs, outputs, op, flags = [], [], "", {}
    for number, value in _fields(data):
        if number == 1:
            inputs.append(str(value, "utf-8"))
        elif number == 2:
            outputs.append(str(value, "utf-8"))
        elif number == 4:
            op = str(value, "utf-8")
        elif number == 5:
            whole = [each for at, each in _fields(value) if at == 3]
            if whole:
                flags[_text(value, 1)] = int(whole[0])
    return Node(op, tuple(inputs), tuple(outputs), flags)


def _array(data: memoryview) -> NDArray[np.float32] | None:
    import numpy as np

    shape: list[int] = []
    kind, values = 0, memoryview(b"")
    for number, value in _fields(data):
        if number == 1:
            shape += _packed(value) if isinstance(value, memoryview) else [value]
        elif number == 2:
            kind = value
        elif number in (4, 9):  # numbers, or their bytes
            values = value
    return np.frombuffer(values, "<f4").reshape(shape) if kind == FLOAT else None


def _text(data: memoryview, number: int) -> str:
    return next((str(value, "utf-8") for value in _all(data, number)), "")


def _all(data: memoryview, number: int) -> Iterator[memoryview]:
    return (value for at, value in _fields(data) if at == number)


def _fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """The number and the value of each field: a whole number, or the bytes of anything else."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        wire = key & 7
        if wire == 0:
            value: Any
            value, at = _varint(data, at)
        else:
            size, at = _varint(data, at) if wire == BYTES else ({1: 8, 5: 4}[wire], at)
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def _packed(data: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number, seven bits a byte, the lowest first; and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _message(number: int, content: bytes, wire: int = BYTES) -> bytes:
    """A field; with its length before it, where it is bytes."""
    length = _encoded(len(content)) if wire == BYTES else b""
    return _encoded(number << 3 | wire) + length + content


def _encoded(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes((*parts, value))
