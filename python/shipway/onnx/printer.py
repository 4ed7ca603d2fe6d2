"""onnx.printer: ONNX's own text syntax. What it cannot say is listed in docs/onnx-text.md."""
from typing import Any

from .. import _core

_KINDS = {"ModelProto": "model", "GraphProto": "graph", "FunctionProto": "function", "NodeProto": "node"}


def to_text(proto: Any) -> str:
    """The text of a ModelProto, GraphProto, FunctionProto or NodeProto."""
    kind = _KINDS.get(type(proto).__name__)
    if kind is None:
        raise TypeError(f"found {type(proto).__name__}, expected a model, graph, function or node")
    return _core.to_text(proto.SerializeToString(), kind)


__all__ = ["to_text"]
