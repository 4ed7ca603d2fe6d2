"""onnx.checker: is a model, or a part of one, correct? Messages say what, where, found and expected."""
import copy
from types import SimpleNamespace
from typing import Any, Dict, Optional

from .. import _core
from ..checker import ValidationError, check_model
from .helper import IR_VERSION, OPSET_VERSION, find_min_ir_version_for, make_tensor_value_info
from .messages import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto

MAXIMUM_PROTOBUF = 2**31 - 1
"""Bytes that a message may have at most; larger models keep tensors in other files."""


class CheckerContext:
    """The versions that a part is checked by."""

    def __init__(self) -> None:
        self.ir_version: int = IR_VERSION
        self.opset_imports: Dict[str, int] = {"": OPSET_VERSION}


class LexicalScopeContext:
    """Accepted, without effect: a part is checked by itself, what it captures from around it is unknown."""


DEFAULT_CONTEXT = CheckerContext()
LEXICAL_SCOPE_CONTEXT = LexicalScopeContext()
C = SimpleNamespace(CheckerContext=CheckerContext, LexicalScopeContext=LexicalScopeContext, ValidationError=ValidationError)


def _ensure_kind(message: Any, kind: str) -> None:
    if type(message).__name__ != kind:
        raise TypeError(f"found {type(message).__name__}, expected a {kind}")


def _check_graph(graph: Any, ctx: CheckerContext, **parts: Any) -> None:
    model = ModelProto(ir_version=ctx.ir_version, graph=graph, **parts)
    if ctx.ir_version >= 3:
        for domain, version in ctx.opset_imports.items():
            model.opset_import.add(domain=domain, version=version)
    _core.check(model.SerializeToString(), False, True, False)


def _check_attribute(attribute: Any, ctx: CheckerContext) -> None:
    """As the attribute of a node that may have any."""
    wider = copy.copy(ctx)
    wider.opset_imports = {**ctx.opset_imports, "any": 1}
    _check_graph(GraphProto(name="graph", node=[NodeProto(op_type="Any", domain="any", output=["y"], attribute=[attribute])]), wider)


def _graph_around(node: Any) -> Any:
    graph = GraphProto(name="graph", node=[node])
    for name in dict.fromkeys(node.input):
        if name:
            graph.input.append(make_tensor_value_info(name, TensorProto.FLOAT, []))
    return graph


def check_graph(graph: Any, ctx: CheckerContext = DEFAULT_CONTEXT, lexical_scope_ctx: Any = LEXICAL_SCOPE_CONTEXT) -> None:
    """Raises ValidationError unless a GraphProto is correct."""
    _ensure_kind(graph, "GraphProto")
    _check_graph(graph, ctx)


def check_node(node: Any, ctx: CheckerContext = DEFAULT_CONTEXT, lexical_scope_ctx: Any = LEXICAL_SCOPE_CONTEXT) -> None:
    """Raises ValidationError unless a NodeProto is correct: its operator, attributes, numbers of inputs and outputs."""
    _ensure_kind(node, "NodeProto")
    _check_graph(_graph_around(node), ctx)


def check_attribute(attr: Any, ctx: CheckerContext = DEFAULT_CONTEXT, lexical_scope_ctx: Any = LEXICAL_SCOPE_CONTEXT) -> None:
    """Raises ValidationError unless an AttributeProto is correct."""
    _ensure_kind(attr, "AttributeProto")
    _check_attribute(attr, ctx)


def check_value_info(value_info: Any, ctx: CheckerContext = DEFAULT_CONTEXT) -> None:
    """Raises ValidationError unless a ValueInfoProto is correct."""
    _ensure_kind(value_info, "ValueInfoProto")
    _check_graph(GraphProto(name="graph", input=[value_info]), ctx)


def check_tensor(tensor: Any, ctx: CheckerContext = DEFAULT_CONTEXT) -> None:
    """Raises ValidationError unless a TensorProto is correct: its type, and data of the right size."""
    _ensure_kind(tensor, "TensorProto")
    _check_attribute(AttributeProto(name="tensor", type=AttributeProto.TENSOR, t=tensor), ctx)


def check_sparse_tensor(sparse: Any, ctx: CheckerContext = DEFAULT_CONTEXT) -> None:
    """Raises ValidationError unless a SparseTensorProto is correct."""
    _ensure_kind(sparse, "SparseTensorProto")
    _check_attribute(AttributeProto(name="sparse", type=AttributeProto.SPARSE_TENSOR, sparse_tensor=sparse), ctx)


def check_function(function: Any, ctx: Optional[CheckerContext] = None, lexical_scope_ctx: Any = LEXICAL_SCOPE_CONTEXT) -> None:
    """Raises ValidationError unless a FunctionProto is correct."""
    _ensure_kind(function, "FunctionProto")
    if ctx is None:
        ctx = CheckerContext()
        ctx.ir_version = find_min_ir_version_for(function.opset_import, ignore_unknown=True)
        ctx.opset_imports = {opset.domain: opset.version for opset in function.opset_import}
    wider = copy.copy(ctx)
    wider.ir_version = max(ctx.ir_version, 8)  # the first that knows functions
    wider.opset_imports = {function.domain: 1, **ctx.opset_imports}
    _check_graph(GraphProto(name="graph"), wider, functions=[FunctionProto.FromString(function.SerializeToString())])


__all__ = [
    "C", "DEFAULT_CONTEXT", "LEXICAL_SCOPE_CONTEXT", "MAXIMUM_PROTOBUF", "ValidationError", "check_attribute", "check_function",
    "check_graph", "check_model", "check_node", "check_sparse_tensor", "check_tensor", "check_value_info",
]
