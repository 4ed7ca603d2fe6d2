"""onnx.parser: messages from ONNX's own text syntax."""
from typing import Any, Callable

from .. import _core
from ..errors import Error, InvalidModel
from .messages import FunctionProto, GraphProto, ModelProto, NodeProto


class ParseError(InvalidModel):
    """The text is not what the syntax allows; says line, column, what was found and expected."""


def _parsed(kind: Any, parse: Callable[[str], bytes], text: str) -> Any:
    try:
        return kind.FromString(parse(text))
    except Error as error:
        raise ParseError(str(error)) from None


def parse_model(model_text: str) -> Any:
    """The ModelProto that a text stands for."""
    return _parsed(ModelProto, _core.parse_model, model_text)


def parse_graph(graph_text: str) -> Any:
    """The GraphProto that a text stands for."""
    return _parsed(GraphProto, _core.parse_graph, graph_text)


def parse_function(function_text: str) -> Any:
    """The FunctionProto that a text stands for."""
    return _parsed(FunctionProto, _core.parse_function, function_text)


def parse_node(node_text: str) -> Any:
    """The NodeProto that a text stands for."""
    return _parsed(NodeProto, _core.parse_node, node_text)


__all__ = ["ParseError", "parse_function", "parse_graph", "parse_model", "parse_node"]
